"""The self-audit finds what does not add up, finds nothing where all is well, and tells it once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from infra import audit
from infra.database import Database
from infra.keys import ensure_keys, write_secret
from infra.settings import Settings
from infra.tables import acknowledgement, campaign, notification
from infra.tables_acknowledgement import answer
from infra.tables_watch import finding, watch_round
from notifications import outbox
from notifications.answers import Answer
from notifications.campaigns import FreezeOrder, freeze
from notifications.certificates import self_signed
from notifications.claiming import claim
from notifications.directory_import import import_directory
from notifications.followups import remind, second_contact, turn_misdirected
from notifications.notices import OverdueNotice
from notifications.outbox import Outcome, Range, State
from notifications.self_audit import Finding, Problem
from notifications.self_audit_round import findings_of, go_round, note_signal, open_campaigns
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass
from tests.notifications import samples
from tests.notifications.samples import NOW

pytestmark = pytest.mark.requirement("R33", "R72")

CAMPAIGN = "INC-1.ewn.1"
KEY = bytes(32)
A_DAY = timedelta(days=1)
SOON, LATE = NOW + timedelta(minutes=5), NOW + timedelta(hours=2)
"""Before the ladder's last step, and well after it."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A warning to one recipient of each class: one refuses it, all others take and acknowledge it."""
    made = samples.make_database(tmp_path, samples.everybody())
    with made.write() as connection:
        freeze(
            connection,
            FreezeOrder(
                campaign_id=CAMPAIGN,
                revision=1,
                content=samples.ewn(),
                classes=tuple(sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES)),
                by="worker",
            ),
            message_key=KEY,
            now=NOW,
        )
    with made.write() as connection:
        for claim in send(connection, refused=("interpol-1",)):
            if claim.recipient_id != "interpol-1":
                acknowledge(connection, claim.recipient_id, claim.id)
    yield made
    made.close()


def send(connection: Connection, refused: tuple[str, ...] = ()) -> list[outbox.Claim]:
    rows = Range(campaign_id=CAMPAIGN, start=0, end=1_000)
    claims = claim(
        connection,
        rows,
        limit=1_000,
        now=NOW,
        lease=timedelta(minutes=1),
        resend_unknown=True,
    )
    outcomes = [
        Outcome(claim=c, state=State.REFUSED, detail="550 no such user", code="550")
        if c.recipient_id in refused
        else Outcome(claim=c, state=State.ACCEPTED, detail="250 ok", code="250")
        for c in claims
    ]
    outbox.record(connection, outcomes, now=NOW)
    return claims


def acknowledge(connection: Connection, recipient_id: str, mail: str) -> None:
    connection.execute(
        insert(acknowledgement).values(
            campaign_id=CAMPAIGN,
            recipient_id=recipient_id,
            notification_id=mail,
            contact=0,
            at=NOW,
            repeats=0,
        )
    )
    audit.append(
        connection,
        "notice_acknowledged",
        actor=recipient_id,
        subject=CAMPAIGN,
        notification=mail,
        contact=0,
    )


def mail_of(recipient: str) -> ColumnElement[bool]:
    return notification.c.recipient_id == recipient


def found(database: Database, settings: Settings, now: object = SOON) -> list[Finding]:
    assert isinstance(now, type(NOW))
    with database.read() as connection:
        return findings_of(connection, settings, [CAMPAIGN], now)


def tell_manager(connection: Connection, *recipients: str) -> None:
    freeze(
        connection,
        FreezeOrder(
            campaign_id=f"{CAMPAIGN}.silent",
            revision=1,
            content=OverdueNotice(
                incident_id="INC-1",
                exercise=False,
                issued_at=NOW,
                matter="acknowledgement",
                due_at=NOW,
                detail=recipients,
                advice="reach them by another way",
            ),
            classes=(RecipientClass.DUTY_MANAGER,),
            by="worker",
        ),
        message_key=KEY,
        now=NOW,
    )


def test_where_all_is_well_nothing_is_found_at_any_step_of_the_ladder(
    database: Database, settings: Settings
) -> None:
    assert found(database, settings) == []
    with database.write() as connection:
        remind(connection, CAMPAIGN, revision=1, message_key=KEY, now=NOW)
        second_contact(connection, CAMPAIGN, message_key=KEY, now=NOW)
    assert found(database, settings) == []
    with database.write() as connection:
        send(connection)
    assert found(database, settings) == []
    with database.write() as connection:
        tell_manager(connection, "interpol-1")
    assert found(database, settings, LATE) == []


def test_a_mail_to_the_next_contact_of_a_wrong_addressee_was_planned(
    database: Database, settings: Settings
) -> None:
    with database.write() as connection:
        mail = connection.scalar(select(notification.c.id).where(mail_of("j-cat-1")))
        connection.execute(
            insert(answer).values(
                campaign_id=CAMPAIGN,
                recipient_id="j-cat-1",
                notification_id=mail,
                contact=0,
                proof="mail-link",
                answer=Answer.WRONG_ADDRESSEE,
                at=NOW,
                followed=True,
            )
        )
        connection.execute(
            delete(acknowledgement).where(acknowledgement.c.recipient_id == "j-cat-1")
        )
        audit.append(
            connection,
            "addressee_wrong",
            actor="j-cat-1",
            subject=CAMPAIGN,
            notification=mail,
            contact=0,
        )
        turned = turn_misdirected(connection, CAMPAIGN, message_key=KEY, now=NOW)
    assert turned.added == 1
    assert found(database, settings) == []


def test_who_is_not_reached_and_of_whom_nobody_was_told_is_found_after_the_last_step(
    database: Database, settings: Settings
) -> None:
    (only,) = found(database, settings, LATE)
    assert (only.problem, only.subject) == (Problem.NOBODY_TOLD, "interpol-1")
    assert "refused" in only.message


def test_who_is_silent_and_of_whom_nobody_was_told_is_found(
    database: Database, settings: Settings
) -> None:
    with database.write() as connection:
        second_contact(connection, CAMPAIGN, message_key=KEY, now=NOW)
        send(connection)
    assert found(database, settings, SOON) == []
    (only,) = found(database, settings, LATE)
    assert (only.problem, "accepted" in only.message) == (Problem.NOBODY_TOLD, True)


def lose_a_recipient(connection: Connection) -> None:
    connection.execute(delete(notification).where(notification.c.recipient_id == "j-cat-1"))


def add_a_stranger(connection: Connection) -> None:
    row = connection.execute(select(notification).limit(1)).mappings().one()
    connection.execute(
        insert(notification).values(
            {**row, "id": "f" * 32, "recipient_id": "stranger", "message_id": "<x@y>", "cursor": 99}
        )
    )


def forget_a_claim(connection: Connection) -> None:
    change(connection, state=State.SENDING, lease_until=NOW - timedelta(minutes=20))


def leave_a_mail(connection: Connection) -> None:
    change(connection, state=State.RETRY_DUE, due_at=NOW - timedelta(minutes=20))


def call_it_accepted(connection: Connection) -> None:
    change(connection, state=State.ACCEPTED)


def forget_an_acceptance(connection: Connection) -> None:
    change(connection, "j-cat-1", state=State.QUEUED, due_at=SOON)


def invent_an_acknowledgement(connection: Connection) -> None:
    connection.execute(
        insert(acknowledgement).values(
            campaign_id=CAMPAIGN,
            recipient_id="interpol-1",
            notification_id="x",
            contact=0,
            at=NOW,
            repeats=0,
        )
    )


def change(connection: Connection, recipient: str = "interpol-1", **values: object) -> None:
    connection.execute(
        update(notification).where(notification.c.recipient_id == recipient).values(**values)
    )


@pytest.mark.parametrize(
    ("harm", "problems"),
    [
        (lose_a_recipient, {Problem.TOTAL, Problem.TRAIL}),
        (add_a_stranger, {Problem.TOTAL, Problem.TRAIL}),
        (forget_a_claim, {Problem.STUCK_SENDER, Problem.TRAIL}),
        (leave_a_mail, {Problem.NOT_SENT, Problem.TRAIL}),
        (call_it_accepted, {Problem.TRAIL}),
        (forget_an_acceptance, {Problem.TRAIL}),
        (invent_an_acknowledgement, {Problem.TRAIL}),
    ],
)
def test_what_does_not_add_up_is_found(
    database: Database,
    settings: Settings,
    harm: Callable[[Connection], None],
    problems: set[Problem],
) -> None:
    with database.write() as connection:
        harm(connection)
    assert {each.problem for each in found(database, settings)} == problems


def test_a_mail_that_an_officer_put_back_or_holds_is_no_finding(
    database: Database, settings: Settings
) -> None:
    with database.read() as connection:
        mail = connection.scalar(select(notification.c.id).where(mail_of("interpol-1")))
    with database.write() as connection:
        change(connection, state=State.QUEUED, due_at=SOON)
        said = {"actor": "o.admin", "subject": CAMPAIGN, "notifications": [mail], "still_held": []}
        audit.append(connection, "mails_resend", **said)  # type: ignore[arg-type]
    assert found(database, settings) == []
    with database.write() as connection:
        change(connection, state=State.HELD)
        audit.append(connection, "mails_hold", **said)  # type: ignore[arg-type]
    assert found(database, settings, LATE) == []


def test_mails_signed_with_a_certificate_that_had_ended_are_found_and_told_once(
    database: Database, settings: Settings
) -> None:
    ensure_keys(settings.keys, "leerp@ec3.invalid")
    assert found(database, settings) == []
    old = self_signed("ec3", "leerp@ec3.invalid", now=NOW - timedelta(days=9), lifetime=A_DAY)
    write_secret(settings.keys / "signer.pem", old.certificate_pem().encode())
    write_secret(settings.keys / "signer.key", old.key_pem())
    (finding_,) = found(database, settings)
    assert finding_.problem is Problem.SIGNATURE
    assert "still go out" in finding_.message
    first = go_round(database, settings, message_key=KEY, now=SOON)
    assert [each.campaign_id for each in first.notices] == [f"{CAMPAIGN}.audit.1"]
    assert go_round(database, settings, message_key=KEY, now=SOON).notices == ()


def test_a_certificate_that_ended_after_the_last_mail_was_sent_is_no_finding(
    database: Database, settings: Settings
) -> None:
    ensure_keys(settings.keys, "leerp@ec3.invalid")
    own = self_signed("ec3", "leerp@ec3.invalid", now=NOW, lifetime=timedelta(minutes=1))
    write_secret(settings.keys / "signer.pem", own.certificate_pem().encode())
    write_secret(settings.keys / "signer.key", own.key_pem())
    assert found(database, settings) == []


def test_a_finding_is_written_down_and_told_to_the_duty_manager_once(
    database: Database, settings: Settings
) -> None:
    first = go_round(database, settings, message_key=KEY, now=LATE)
    assert [each.problem for each in first.findings] == [Problem.NOBODY_TOLD]
    assert [each.campaign_id for each in first.notices] == [f"{CAMPAIGN}.audit.1"]
    again = go_round(database, settings, message_key=KEY, now=LATE)
    assert (again.findings, again.notices) == ((), ())

    with database.write() as connection:
        call_it_accepted(connection)
    third = go_round(database, settings, message_key=KEY, now=LATE)
    fourth = go_round(database, settings, message_key=KEY, now=LATE)
    assert [each.campaign_id for each in third.notices] == [f"{CAMPAIGN}.audit.2"]
    assert {each.problem for each in fourth.findings} == {Problem.TRAIL}
    assert fourth.notices == ()
    with database.read() as connection:
        contents = dict(connection.execute(select(campaign.c.id, campaign.c.content)).all())
        rows = [r for r in audit.export(connection) if r["event"] == "self_audit_found"]
        assert audit.verify(connection).verified
    assert "interpol-1" in contents[f"{CAMPAIGN}.audit.1"]["detail"][0]
    assert [row["detail"]["problems"] for row in rows] == [["nobody-told"], ["trail"]]


def test_without_a_duty_manager_it_is_told_as_soon_as_there_is_one(
    database: Database, settings: Settings
) -> None:
    everybody = samples.everybody()
    nobody = [r for r in everybody if r.recipient_class is not RecipientClass.DUTY_MANAGER]
    import_directory(database, samples.directory_text(nobody), by="o.admin")
    assert go_round(database, settings, message_key=KEY, now=LATE).notices == ()
    import_directory(database, samples.directory_text(everybody), by="o.admin")
    assert len(go_round(database, settings, message_key=KEY, now=LATE).notices) == 1


def test_what_is_wrong_with_a_notice_to_the_duty_manager_is_not_mailed_to_the_duty_manager(
    database: Database, settings: Settings
) -> None:
    with database.write() as connection:
        tell_manager(connection, "interpol-1")
        connection.execute(
            update(notification)
            .where(notification.c.campaign_id == f"{CAMPAIGN}.silent")
            .values(state=State.HELD, reason="no key")
        )
    done = go_round(database, settings, message_key=KEY, now=LATE)
    assert {each.campaign_id for each in done.findings} == {f"{CAMPAIGN}.silent"}
    assert done.notices == ()
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(finding)) == len(done.findings)


def test_only_campaigns_whose_links_still_work_are_open(
    database: Database, settings: Settings
) -> None:
    with database.read() as connection:
        assert open_campaigns(connection, settings, LATE) == [CAMPAIGN]
        over = NOW + settings.delivery.link_lifetime
        assert open_campaigns(connection, settings, over) == []


def test_the_last_round_and_the_last_sign_of_life_are_known(
    database: Database, settings: Settings
) -> None:
    go_round(database, settings, message_key=KEY, now=SOON)
    note_signal(database, "", SOON)
    note_signal(database, "it answered 500", LATE)
    with database.read() as connection:
        row = connection.execute(select(watch_round)).one()
    assert (row.campaigns, row.findings) == (1, 0)
    assert (row.signalled_at, row.signal_error) == (SOON, "it answered 500")
