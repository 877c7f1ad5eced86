"""What a duty officer sees of a campaign: standing, map, timeline, trouble, pace, and the file of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlalchemy import insert, update

from infra import audit
from infra.database import Database
from infra.settings import DeliverySettings
from infra.tables import acknowledgement, notification
from notifications.campaign_map import PLACES, SIGNS, campaign_map
from notifications.campaign_pace import pace_of
from notifications.campaign_report import COLUMNS, FORMULA, as_csv, as_html, lateness
from notifications.campaign_timeline import timeline
from notifications.campaign_trouble import destinations, kinds
from notifications.campaign_view import (
    CampaignView,
    Mail,
    Person,
    Standing,
    Wanted,
    by_group,
    masked,
)
from notifications.campaigns import FreezeOrder, freeze
from notifications.destinations import Sign, Told, note
from notifications.directory import Contact, Directory
from notifications.directory_import import import_directory
from notifications.followups import remind
from notifications.outbox import State
from notifications.pdf import to_pdf
from protocol.countries import EU_MEMBER_STATES
from protocol.errors import NotFound
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass
from tests.notifications import samples
from tests.notifications.samples import NOW

pytestmark = pytest.mark.requirement("R33", "R72")

CAMPAIGN = "INC-1.ewn.1"
LATER = NOW + timedelta(minutes=20)
"""After the warning's time to acknowledge."""
COUNTRIES = ("DE", "DE", "DE", "FR", "NO", None)
STATES = (State.ACCEPTED, State.ACCEPTED, State.REFUSED, State.UNKNOWN, State.QUEUED, State.HELD)


def people() -> list[Any]:
    """Six points of contact, and one of each other class so that the notice is complete."""
    made = [
        samples.recipient(
            id=f"poc-{number}",
            country=country,
            contacts=tuple(
                Contact(
                    name=f"Desk {contact}",
                    email=f"desk{contact}@unit{number}.example.invalid",
                    certificate=samples.certificate(),
                )
                for contact in range(2)
            ),
        )
        for number, country in enumerate(COUNTRIES)
    ]
    return [r for r in samples.everybody() if r.recipient_class is not RecipientClass.LE_POC] + made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A warning that went to six points of contact in six ways; everybody else acknowledged it."""
    made = samples.make_database(tmp_path, people())
    with made.write() as connection:
        freeze(
            connection,
            FreezeOrder(
                campaign_id=CAMPAIGN,
                revision=1,
                content=samples.ewn(exercise=True),
                classes=tuple(sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES)),
                by="worker",
            ),
            message_key=bytes(32),
            now=NOW,
        )
        rows = connection.execute(notification.select()).all()
        for row in rows:
            known = row.recipient_id.startswith("poc-")
            state = STATES[int(row.recipient_id[-1])] if known else State.ACCEPTED
            connection.execute(
                update(notification)
                .where(notification.c.id == row.id)
                .values(
                    state=state,
                    attempt=0 if state in {State.QUEUED, State.HELD} else 1,
                    accepted_at=NOW if state is State.ACCEPTED else None,
                    reason="=550 no <such> user" if state is State.REFUSED else "",
                )
            )
        told = [r for r in rows if r.recipient_id == "poc-0" or "poc" not in r.recipient_id]
        connection.execute(
            insert(acknowledgement),
            [
                {
                    "campaign_id": CAMPAIGN,
                    "recipient_id": row.recipient_id,
                    "notification_id": row.id,
                    "contact": 0,
                    "at": NOW,
                    "repeats": 0,
                }
                for row in told
            ],
        )
    yield made
    made.close()


def view_of(database: Database, now: Any = LATER) -> CampaignView:
    with database.read() as connection:
        return CampaignView.load(connection, CAMPAIGN, now)


def test_each_recipient_stands_in_one_way_and_who_needs_somebody_comes_first(
    database: Database,
) -> None:
    view = view_of(database)
    found = {person.id: person.standing for person in view.people}
    assert [found[f"poc-{number}"] for number in range(6)] == [
        Standing.ACKNOWLEDGED,
        Standing.SILENT,
        Standing.TROUBLE,
        Standing.TROUBLE,
        Standing.WAITING,
        Standing.TROUBLE,
    ]
    order = list(Standing)
    places = [order.index(person.standing) for person in view.people]
    assert places == sorted(places)
    germany = next(
        row for row in by_group(view.people, lambda p: p.country) if row["group"] == "DE"
    )
    assert (germany["recipients"], germany["acknowledged"], germany["silent"]) == (3, 1, 1)


def test_nobody_is_silent_before_the_time_to_acknowledge_is_over(database: Database) -> None:
    view = view_of(database, NOW)
    assert view.person("poc-1").standing is Standing.ACCEPTED
    assert view.overdue == []


def test_what_is_late_says_by_how_much(database: Database) -> None:
    view = view_of(database)
    late = {person.id: (person.overdue_for, person.overdue) for person in view.overdue}
    assert late["poc-1"] == ("acknowledgement", timedelta(minutes=5))
    assert late["poc-4"] == ("sending", timedelta(minutes=20))
    assert view.overdue[0].id == "poc-4"
    assert "poc-0" not in late


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(states=frozenset({"silent"})), {"poc-1"}),
        (Wanted(states=frozenset({"refused", "unknown"})), {"poc-2", "poc-3"}),
        (Wanted(countries=frozenset({"DE"})), {"poc-0", "poc-1", "poc-2"}),
        (Wanted(countries=frozenset({"DE"}), overdue=True), {"poc-1", "poc-2"}),
        (Wanted(classes=frozenset({"interpol"})), {"interpol-1"}),
    ],
)
def test_filters_are_all_to_be_met(database: Database, wanted: Wanted, found: set[str]) -> None:
    assert {person.id for person in view_of(database).only(wanted)} == found


def test_who_has_left_the_directory_is_still_shown_by_name(
    database: Database,
) -> None:
    left = [r for r in people() if r.id != "poc-3"]
    import_directory(database, samples.directory_text(left), by="o.admin")
    person = view_of(database).person("poc-3")
    assert (person.organisation, person.country) == ("Organisation of le-poc", "FR")
    with pytest.raises(NotFound, match="campaign show"):
        view_of(database).person("poc-9")


def test_addresses_are_masked_everywhere(database: Database) -> None:
    view = view_of(database)
    with database.read() as connection:
        told = timeline(connection, view, "poc-2")
    everything = f"{view.people} {told} {as_csv(view.people)} {as_html(view, view.people, 'hold')}"
    assert "desk0@" not in everything
    assert "d***@unit2.example.invalid" in everything
    assert masked("a.person@b.invalid") == "a***@b.invalid"


def test_the_timeline_tells_mails_reminders_and_acknowledgement_in_order(
    database: Database,
) -> None:
    with database.write() as connection:
        remind(connection, CAMPAIGN, revision=1, message_key=bytes(32), now=LATER)
    reminder = next(m for m in view_of(database).person("poc-1").mails if m.reminder == 1)
    first = view_of(database).person("poc-1").mails[0]
    with database.write() as connection:
        for mail, code in ((first, "250"), (reminder, "451")):
            audit.append(
                connection,
                "mail_tried",
                actor="delivery",
                subject=CAMPAIGN,
                notifications={mail.id: code},
            )
        audit.append(connection, "other", actor="x", subject=CAMPAIGN, recipient="poc-2")
    with database.read() as connection:
        told = timeline(connection, view_of(database), "poc-1")
        acknowledged = timeline(connection, view_of(database), "poc-0")
    assert [entry.event for entry in told] == ["campaign_frozen", "mail_tried", "mail_tried"]
    assert told[1].detail == "notice to contact 1 (d***@unit1.example.invalid): 250"
    assert told[2].detail == "reminder 1 to contact 1 (d***@unit1.example.invalid): 451"
    assert ("acknowledged", "contact 1, repeats 0") in {(e.event, e.detail) for e in acknowledged}


def test_the_timeline_keeps_the_address_that_was_wrong_when_it_was_used(
    database: Database,
) -> None:
    (mail,) = view_of(database).person("poc-2").mails

    def tried(code: str) -> None:
        with database.write() as connection:
            audit.append(
                connection,
                "mail_tried",
                actor="delivery",
                subject=CAMPAIGN,
                notifications={mail.id: code},
            )

    tried("550")
    with database.read() as connection:
        recipients = Directory.load(connection).recipients
    desk, *others = next(r for r in recipients if r.id == "poc-2").contacts
    right = desk.model_copy(update={"email": "right@unit2.example.invalid"})
    corrected = [
        r.model_copy(update={"contacts": (right, *others)}) if r.id == "poc-2" else r
        for r in recipients
    ]
    samples.import_and_confirm(database, corrected)
    tried("250")
    with database.read() as connection:
        told = timeline(connection, view_of(database), "poc-2")
    assert [entry.detail for entry in told if entry.event == "mail_tried"] == [
        "notice to contact 1 (d***@unit2.example.invalid): 550",
        "notice to contact 1 (r***@unit2.example.invalid): 250",
    ]


def test_trouble_is_grouped_by_destination_with_what_can_be_done(database: Database) -> None:
    view = view_of(database)
    domains = {row["domain"]: row["states"] for row in destinations(view)}
    assert domains == {
        "unit2.example.invalid": ["refused 1"],
        "unit3.example.invalid": ["unknown 1"],
    }
    said = {row["state"]: row["what_to_do"] for row in kinds(view, "resend")}
    assert list(said) == ["unknown", "held", "refused", "queued"]
    assert "by itself" in said["unknown"]
    assert "phone" in {row["state"]: row["what_to_do"] for row in kinds(view, "hold")}["unknown"]


def test_a_destination_that_is_left_alone_is_named_with_why_and_until_when(
    database: Database,
) -> None:
    waits, until = "unit4.example.invalid", NOW + timedelta(minutes=7)
    settings = DeliverySettings(pause_after=2, retry_after=timedelta(minutes=7))
    signs = [
        Told(domain=domain, sign=Sign.THROTTLED, code="421", begun_at=NOW)
        for domain in (waits, waits, "unit2.example.invalid", "elsewhere.example.invalid")
    ]
    with database.write() as connection:
        note(connection, signs, settings, now=NOW, jitter=1.0)
    paused, slowed, open_one = destinations(view_of(database))
    assert (paused["domain"], paused["course"], paused["why"]) == (waits, "paused", "421")
    assert paused["until"] == paused["next"] == until.isoformat(timespec="seconds")
    assert paused["states"] == ["queued 1"]
    assert (
        f"paused until {until:%Y-%m-%d %H:%M} UTC after 2 failures in a row (421)"
        in (paused["reason"])
    )
    assert (slowed["domain"], slowed["course"]) == ("unit2.example.invalid", "slowed")
    assert slowed["reason"].endswith("=550 no <such> user")
    assert (open_one["course"], open_one["until"], open_one["why"]) == ("open", None, "")
    assert "paused until" in as_html(view_of(database), view_of(database).people, "resend")


def test_the_pace_tells_when_the_rest_will_be_out(database: Database) -> None:
    with database.write() as connection:
        connection.execute(
            update(notification)
            .where(notification.c.state == State.REFUSED)
            .values(state=State.RETRY_DUE, due_at=NOW + timedelta(hours=1))
        )
    at = NOW + timedelta(seconds=10)
    with database.read() as connection:
        pace = pace_of(connection, CAMPAIGN, at)
        still = pace_of(connection, CAMPAIGN, LATER)
    accepted = view_of(database).states[State.ACCEPTED]
    assert (pace.per_second, pace.left, pace.later) == (accepted / 10, 2, 1)
    assert pace.next_due == NOW + timedelta(hours=1)
    end = pace.end(at)
    assert end is not None
    assert end == at + timedelta(seconds=10 / accepted)
    assert still.end(LATER) is None


def person(country: str, standing: Standing) -> Person:
    return Person(
        id="x",
        organisation="",
        recipient_class="",
        country=country,
        standing=standing,
        acknowledged_at=None,
        overdue=None,
        overdue_for="",
        mails=(),
    )


CODES = st.sampled_from([*sorted(EU_MEMBER_STATES), "NO", "CH", "-"])


@given(st.lists(st.builds(person, CODES, st.sampled_from(Standing)), max_size=60))
def test_the_map_has_every_member_state_once_and_the_worst_sign_of_each_country(
    made: list[Person],
) -> None:
    drawn = campaign_map(made)
    assert max(map(len, drawn.splitlines())) <= 80
    order = list(Standing)
    for code in sorted(EU_MEMBER_STATES):
        there = [each for each in made if each.country == code]
        if not there:
            assert drawn.count(f"{code} -") == 1
            continue
        worst = min((each.standing for each in there), key=order.index)
        acknowledged = sum(each.standing is Standing.ACKNOWLEDGED for each in there)
        assert drawn.count(f"{code} {SIGNS[worst]} {acknowledged}/{len(there)}") == 1
    for code in ("NO", "CH"):
        assert (f"{code} " in drawn) is any(each.country == code for each in made)


def test_the_map_has_a_place_for_each_of_the_27() -> None:
    assert sorted(" ".join(PLACES).split()) == sorted(EU_MEMBER_STATES)


WORDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)


@given(st.sampled_from(["", " ", "\u00a0"]), st.sampled_from([*FORMULA, ""]), WORDS)
def test_no_cell_of_the_table_is_a_formula(space: str, sign: str, words: str) -> None:
    mail = Mail(
        id="1",
        contact=0,
        address="d***@x",
        domain="x",
        reminder=0,
        variant="full",
        state="refused",
        attempts=1,
        reason=space + sign + words,
        reply=sign + words,
        due_at=None,
        lease_until=None,
        accepted_at=None,
    )
    made = Person(
        id="x",
        organisation=sign + words,
        recipient_class="le-poc",
        country="-",
        standing=Standing.TROUBLE,
        acknowledged_at=None,
        overdue=None,
        overdue_for="",
        mails=(mail,),
    )
    (row,) = csv.DictReader(io.StringIO(as_csv((made,)), newline=""))
    assert tuple(row) == COLUMNS
    for name in ("reason", "reply", "organisation", "country"):
        assert not row[name].lstrip().startswith(FORMULA)
    assert row["reply"].removeprefix("'") == (sign + words).removeprefix("'")


def test_each_sheet_of_the_pdf_has_the_marking_above_and_below_and_its_number(
    database: Database,
) -> None:
    view = view_of(database)
    pages = PdfReader(io.BytesIO(to_pdf(as_html(view, view.people, "resend")))).pages
    assert len(pages) > 1
    for number, page in enumerate(pages, start=1):
        said = " ".join(page.extract_text().split())
        assert said.count("EXERCISE EXERCISE EXERCISE") == 2
        assert said.count("EUROPOL UNCLASSIFIED - BASIC PROTECTION LEVEL") == 2
        assert f"page {number} of {len(pages)}" in said
    whole = " ".join(" ".join(page.extract_text().split()) for page in pages)
    assert "=550 no <such> user" in whole


def test_the_report_says_what_a_code_means_and_never_that_a_mail_was_not_sent_that_was(
    database: Database,
) -> None:
    with database.write() as connection:
        one = notification.c.recipient_id == "poc-4"
        connection.execute(update(notification).where(one).values(state=State.RETRY_DUE, attempt=1))
    view = view_of(database)
    page = as_html(view, view.people, "resend")
    said = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Early Warning Notification, incident INC-1" in said
    assert "24/7 points of contact of law enforcement, FR" in said
    assert "retry due" in said
    rows = dict(re.findall(r"<tr><td>(poc-\d)</td>(<td>Organisation.*?)</tr>", page))
    assert "not sent yet" in rows["poc-5"]
    assert "no answer is known" in rows["poc-3"], "one attempt was made, and its end is unknown"
    assert not re.search(r"\b[a-z]+_[a-z]+\b|\ble-poc,|T\d\d:\d\d", said)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "less than a minute"), (59, "59 min"), (125, "2 h 05 min"), (1500, "1 d 01 h")],
)
def test_lateness_is_said_in_two_units(minutes: int, said: str) -> None:
    assert lateness(timedelta(minutes=minutes)) == said
