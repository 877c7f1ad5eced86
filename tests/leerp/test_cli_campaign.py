"""``leerp campaign`` as typed, on a home where nothing runs."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import update

from infra.database import Database
from infra.settings import Settings
from infra.tables import notification
from notifications.campaigns import FreezeOrder, freeze
from notifications.content import ContactPoint
from notifications.notices import InitialNotice
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES
from tests.leerp.typed import DONE, DOWN, REFUSED, Run, audited
from tests.notifications.standing import confirm_partners

pytestmark = pytest.mark.requirement("R33")

CAMPAIGN = "inc-1.initial.1"


@pytest.fixture
def frozen(home: Path) -> Database:
    """A campaign of which nothing was sent; one mail was refused with words of the relay's own."""
    now = datetime.now(UTC)
    notice = InitialNotice(
        incident_id="inc-1",
        exercise=True,
        issued_at=now,
        triggered_at=now,
        contact_points=(ContactPoint(name="ECC", phone="+31 70", secure_channel="VCP 1"),),
    )
    order = FreezeOrder(
        campaign_id=CAMPAIGN,
        revision=1,
        content=notice,
        classes=tuple(sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES)),
        by="test",
    )
    database = Database(Settings.load(home).database_url)
    confirm_partners(database)
    with database.write() as connection:
        freeze(connection, order, message_key=bytes(32), now=now)
        connection.execute(
            update(notification)
            .where(notification.c.cursor == 0)
            .values(state="refused", reason="=cmd 550 no such user")
        )
    database.close()
    return database


def mails(run: Run) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("campaign", "show", CAMPAIGN, "--json").out)[
        "mails"
    ]
    return found


def test_before_the_first_campaign_the_list_says_when_there_will_be_one(run: Run) -> None:
    answer = run("campaign", "list")

    assert (answer.code, "coordination centre" in answer.out) == (DONE, True)


@pytest.mark.usefixtures("frozen")
def test_a_campaign_is_shown_with_what_needs_a_person_first(run: Run) -> None:
    (listed,) = json.loads(run("campaign", "list", "--json").out)
    shown = json.loads(run("campaign", "show", CAMPAIGN, "--json").out)

    assert listed["id"] == CAMPAIGN
    assert shown["recipients"] == len(shown["mails"]) == listed["recipients"]
    assert shown["mails"][0]["state"] == "refused"
    assert sum(row["recipients"] for row in shown["countries"]) == shown["recipients"]
    assert sum(row["recipients"] for row in shown["classes"]) == shown["recipients"]
    assert sum(shown["states"].values()) == len(shown["mails"])
    said = run("campaign", "show", CAMPAIGN).out
    for part in (
        "550 no such user",
        "DE ! 0/",
        "in trouble: no mail got through",
        "correct the address",
    ):
        assert part in said


@pytest.mark.usefixtures("frozen")
def test_filters_choose_what_is_listed(run: Run) -> None:
    def chosen(*options: str) -> int:
        shown = json.loads(run("campaign", "show", CAMPAIGN, "--json", *options).out)
        return len(shown["mails"])

    assert chosen("--state", "refused") == 1
    assert chosen("--country", "fr") == 0
    assert chosen("--class", "le-poc") == chosen("--class", "le-poc", "--country", "de") > 0
    assert chosen("--overdue") == 0
    assert "no mail to list" in run("campaign", "show", CAMPAIGN, "--overdue").out


@pytest.mark.usefixtures("frozen")
def test_what_happened_to_one_recipient_is_told_in_order(run: Run) -> None:
    who = str(mails(run)[0]["recipient"])
    run("campaign", "hold", CAMPAIGN, "--all", "--reason", "wait", "--as", manager(run))
    told = json.loads(run("campaign", "show", CAMPAIGN, who, "--json").out)["timeline"]

    assert [row["event"] for row in told] == ["campaign_frozen"]
    other = str(next(mail["recipient"] for mail in mails(run) if mail["state"] == "held"))
    told = json.loads(run("campaign", "show", CAMPAIGN, other, "--json").out)
    assert [mail["state"] for mail in told["mails"]] == ["held"]
    told = told["timeline"]
    assert [row["event"] for row in told] == ["campaign_frozen", "mails_hold"]
    assert told[1]["detail"].startswith("notice to contact 1 (d***@")
    assert told[1]["detail"].endswith("; wait")
    assert "what happened" in run("campaign", "show", CAMPAIGN, other).out


def manager(run: Run) -> str:
    """An officer who may say what becomes of mails."""
    listed = json.loads(run("directory", "officers", "--json").out)
    return str(next(row["id"] for row in listed if "duty-manager" in row["roles"]))


def test_mails_are_held_although_temporal_is_away_and_go_back_when_released(
    run: Run, home: Path, frozen: Database
) -> None:
    assert frozen
    who = ("--reason", "the key is in doubt", "--as", manager(run))
    held = run("campaign", "hold", CAMPAIGN, "--all", *who)
    states = {mail["state"] for mail in mails(run)}
    released = run("campaign", "release", CAMPAIGN, "--all", *who)

    assert (held.code, states) == (DONE, {"refused", "held"})
    assert (released.code, "back in the outbox" in released.err) == (DOWN, True)
    assert {mail["state"] for mail in mails(run)} == {"refused", "queued"}
    assert len(audited(home, "mails_hold")) == len(audited(home, "mails_release")) == 1


def test_of_who_is_named_what_was_refused_goes_again_and_else_the_notice_that_was_taken(
    run: Run, frozen: Database
) -> None:
    refused, taken, *_ = mails(run)
    with frozen.write() as connection:
        connection.execute(
            update(notification)
            .where(notification.c.recipient_id == taken["recipient"])
            .values(state="accepted", accepted_at=datetime.now(UTC))
        )
    who = ("--reason", "nothing came", "--as", manager(run), "--json")
    everybody = run("campaign", "resend", CAMPAIGN, "--all", *who)
    assert (everybody.code, "back in the outbox" in everybody.err) == (DOWN, True)
    states = {mail["recipient"]: mail["state"] for mail in mails(run)}
    assert (states[refused["recipient"]], states[taken["recipient"]]) == ("queued", "accepted")
    run("campaign", "resend", CAMPAIGN, "--recipient", str(taken["recipient"]), *who)
    states = {mail["recipient"]: mail["state"] for mail in mails(run)}
    assert states[taken["recipient"]] == "queued"


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("hold", CAMPAIGN, "--reason", "x"), "--recipient"),
        (("hold", CAMPAIGN, "--all", "--recipient", "a", "--reason", "x"), "--all"),
        (("hold", CAMPAIGN, "--all"), "--reason"),
        (("release", CAMPAIGN, "--all", "--reason", "x"), "none to release"),
        (("resend", "inc-2.ewn.1", "--all", "--reason", "x"), "campaign list"),
        (("show", "inc-2.ewn.1"), "campaign list"),
        (("show", CAMPAIGN, "nobody"), "nobody"),
        (("export", CAMPAIGN, "-o", "mails.txt"), ".csv"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    run: Run, arguments: tuple[str, ...], said: str
) -> None:
    who = () if arguments[0] in {"show", "export"} else ("--as", manager(run))
    answer = run("campaign", *arguments, *who)

    assert (answer.code, said in answer.err) == (REFUSED, True), answer


@pytest.mark.usefixtures("frozen")
def test_the_export_is_a_table_without_formulas(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    answer = run("campaign", "export", CAMPAIGN, "-o", str(file))
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))

    assert answer.code == DONE
    assert len(rows) == len(mails(run))
    assert rows[0]["reason"] == "'=cmd 550 no such user"
    assert file.stat().st_mode & 0o077 == 0
    nowhere = str(tmp_path / "nowhere" / "mails.csv")
    assert run("campaign", "export", CAMPAIGN, "-o", nowhere).code == REFUSED


@pytest.mark.usefixtures("frozen")
def test_the_export_for_the_file_is_a_pdf(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "campaign.pdf"
    answer = run("campaign", "export", CAMPAIGN, "--state", "refused", "-o", str(file))
    said = " ".join(page.extract_text() for page in PdfReader(file).pages)

    assert (answer.code, answer.out.startswith("1 mails in")) == (DONE, True)
    assert "=cmd 550 no such user" in " ".join(said.split())


def test_watching_ends_when_every_mail_is_settled(run: Run, frozen: Database) -> None:
    with frozen.write() as connection:
        connection.execute(update(notification).values(state="accepted"))
    answer = run("campaign", "watch", CAMPAIGN)

    assert (answer.code, CAMPAIGN in answer.out) == (DONE, True)
    assert "every mail is settled" in answer.out
