"""A provider's restriction set aside to avert a threat to life, and the provider told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client

from infra import audit, taskbook
from infra.database import Database
from infra.tables import campaign
from infra.taskbook import TaskKind, TaskOutcome
from leerp.demo.officers import given
from notifications import campaigns
from notifications.campaigns import FreezeOrder
from notifications.confirmations import check_release
from notifications.directory_import import import_directory
from notifications.directory_proposals import confirm
from notifications.grants import PermissionKind
from notifications.locks import Locks
from notifications.notices import OverrideNotice, read_content
from notifications.override import LONGEST, Override, get_override, list_overrides
from notifications.permissions import load_permissions
from notifications.products import Variant
from protocol.errors import NotFound, Refused, ServiceDown
from protocol.stages import NoticeKind
from tests.notifications.standing import confirm_partners
from tests.workflows import cast
from tests.workflows.case import PROFILE, assessed_incident, decided, drafting_of
from tests.workflows.house import House
from tests.workflows.test_campaign import drafted
from tests.workflows.test_drafting_rights import change_report
from workflows.overrides import Approved, Overrides, send_notices
from workflows.permitting import Permitting
from workflows.releases import release_of
from workflows.taskwork import Taskwork

pytestmark = pytest.mark.requirement("R32")

H2 = {"classification": 1, "tlp": "AMBER", "pap": "AMBER", "handling_codes": ["H2"]}
REASON = "ventilators of two hospitals stop within the hour"


@pytest.fixture
def case(database: Database) -> str:
    """An incident with a warning that no point of contact may have in full."""
    import_directory(database, cast.directory(), by="test")
    confirm_partners(database)
    incident_id = assessed_incident(database)
    change_report(database, marking=H2, reporter={"name": cast.POLICE, "contact": "x"})
    drafting = drafting_of(database)
    decided(database, drafting.centre(incident_id, given("centre")), "centre-recorded")
    drafting.ewn(incident_id, given("ewn"))
    return incident_id


def overrides(database: Database, officer: str) -> Overrides:
    return Overrides(database, officer=officer, channel="test", message_key=b"k" * 32)


def propose(database: Database, case: str, officer: str = cast.DUTY, **changes: Any) -> int:
    values: dict[str, Any] = {
        "recipients": ["le-poc-fr"],
        "reason": REASON,
        "lasting": timedelta(hours=2),
        "profile": PROFILE,
    }
    found = overrides(database, officer)
    return found.propose(case, NoticeKind.EWN, **values | changes).id


def gets(database: Database, case: str, recipient: str, *, after: timedelta = timedelta()) -> str:
    """The variant of the newest warning that a recipient gets."""
    with database.read() as connection:
        release = release_of(connection, case, NoticeKind.EWN, PROFILE)
        locks = Locks(
            release.content.product(),
            permissions=load_permissions(connection, case),
            now=datetime.now(UTC) + after,
        )
    (to,) = [each for each in release.recipients if each.id == recipient]
    return locks.decide(to, to.contacts[0]).variant


def audited(database: Database, event: str) -> list[dict[str, Any]]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [row for row in audit.export(connection) if row["event"] == event]


def test_two_officers_open_a_code_for_named_recipients_for_one_product_and_a_time(
    database: Database, case: str
) -> None:
    number = propose(database, case)
    assert gets(database, case, "le-poc-fr") == Variant.TECHNICAL
    approved = overrides(database, cast.MANAGER).approve(number)

    assert gets(database, case, "le-poc-fr") == Variant.FULL
    assert gets(database, case, "le-poc-de") == Variant.TECHNICAL
    assert gets(database, case, "le-poc-fr", after=timedelta(hours=3)) == Variant.TECHNICAL
    assert approved.override.providers == (cast.POLICE,)
    drafting_of(database).ewn(case, given("ewn"))
    assert gets(database, case, "le-poc-fr") == Variant.TECHNICAL
    (proposed,) = audited(database, "override_proposed")
    (agreed,) = audited(database, "override_approved")
    assert (proposed["actor"], agreed["actor"]) == (cast.DUTY, cast.MANAGER)
    assert agreed["detail"]["recipients"] == ["le-poc-fr"]


def test_the_provider_is_told_at_once_with_the_reasons(database: Database, case: str) -> None:
    approved = overrides(database, cast.MANAGER).approve(propose(database, case))

    (name,) = approved.campaigns
    with database.read() as connection:
        content = read_content(
            connection.scalar(select(campaign.c.content).where(campaign.c.id == name))
        )
        assert campaigns.recipients_of(connection, name) == ("le-poc-de",)
    assert isinstance(content, OverrideNotice)
    assert (content.provider, content.reason, content.draft) == (cast.POLICE, REASON, "ewn/1")
    assert content.passed_to == ("Organisation le-poc-fr",)
    assert content.exercise
    assert approved.tasks == ()
    assert [row["actor"] for row in audited(database, "campaign_frozen")] == [cast.MANAGER]


def test_for_a_provider_whom_no_mail_reaches_a_person_gets_the_task(
    database: Database, case: str
) -> None:
    change_report(database, marking=H2, reporter={"name": "Nobody's unit", "contact": "x"})
    drafting_of(database).ewn(case, given("ewn"))
    approved = overrides(database, cast.MANAGER).approve(propose(database, case))

    # The change log of this second version tells of the first one's provider, which has a mailbox.
    assert approved.override.providers[0] == "Nobody's unit"
    assert list(approved.campaigns) == [f"{case}.override.{approved.override.id}-2"]
    with database.read() as connection:
        (task,) = taskbook.tasks_of(connection, case, open_only=True)
    assert (task.number, task.kind) == (approved.tasks[0], TaskKind.TELL_PROVIDER)
    assert "Nobody's unit" in task.matter["claim"]
    work = Taskwork(database, officer=cast.DUTY, channel="test")
    work.take(case, task.number)
    with pytest.raises(Refused, match="done"):
        work.report(case, task.number, TaskOutcome.CONFIRMED, reason="called them")
    done = work.report(case, task.number, TaskOutcome.DONE, reason="called them")
    assert done.closed_by == cast.DUTY


def test_a_provider_whose_own_locks_are_closed_is_told_by_a_person(
    database: Database, case: str
) -> None:
    changed = import_directory(database, cast.directory(without_key="le-poc-de"), by=cast.MANAGER)
    assert changed.proposal is not None
    confirm(database, changed.proposal, by=cast.DUTY, checked_by="called them back")
    approved = overrides(database, cast.MANAGER).approve(propose(database, case))
    assert (len(approved.campaigns), len(approved.tasks)) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"recipients": ["le-poc"]}, "unknown-recipient"),
        ({"recipients": ["nobody"]}, "unknown-recipient"),
        ({"recipients": []}, "nobody"),
        ({"reason": "  "}, "no-reason"),
        ({"lasting": LONGEST + timedelta(seconds=1)}, "too-long"),
        ({"lasting": timedelta()}, "too-long"),
        ({"officer": cast.ANALYST}, "wrong-role"),
        ({"officer": "stranger"}, "unknown-officer"),
    ],
)
def test_what_is_no_override_is_refused_and_noted(
    database: Database, case: str, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        propose(database, case, **changes)
    assert refused.value.reason == reason
    assert audited(database, "command_refused")[-1]["detail"]["reason"] == reason
    with database.read() as connection:
        assert list_overrides(connection) == []


def test_nothing_is_set_aside_where_nothing_is_restricted(database: Database, case: str) -> None:
    change_report(database, marking={**H2, "handling_codes": ["H0"]})
    drafting_of(database).ewn(case, given("ewn"))
    with pytest.raises(Refused, match="H2, H3"):
        propose(database, case)


@pytest.mark.parametrize(
    ("officer", "reason"),
    [(cast.SECOND, "same-person"), (cast.DUTY, "wrong-role"), (cast.JUDGE, "wrong-role")],
)
def test_one_officer_alone_opens_nothing(
    database: Database, case: str, officer: str, reason: str
) -> None:
    number = propose(database, case, cast.SECOND)
    with pytest.raises(Refused) as refused:
        overrides(database, officer).approve(number)
    assert refused.value.reason == reason
    assert gets(database, case, "le-poc-fr") == Variant.TECHNICAL


def test_an_override_that_is_ended_closes_the_locks_at_once(database: Database, case: str) -> None:
    number = propose(database, case)
    overrides(database, cast.MANAGER).approve(number)
    with pytest.raises(Refused, match="approved by"):
        overrides(database, cast.MANAGER).approve(number)
    ended = overrides(database, cast.DUTY).end(number, reason="the hospitals are safe")
    assert ended.state(datetime.now(UTC)) == "ended"
    assert gets(database, case, "le-poc-fr") == Variant.TECHNICAL
    for again in (
        lambda: overrides(database, cast.DUTY).end(number, reason="again"),
        lambda: overrides(database, cast.MANAGER).approve(number),
    ):
        with pytest.raises(Refused) as refused:
            again()
        assert refused.value.reason == "ended"
    with database.read() as connection, pytest.raises(NotFound, match="override list"):
        get_override(connection, 99)


def test_an_override_opens_no_other_lock(database: Database, case: str) -> None:
    change_report(
        database, marking={**H2, "tlp": "RED"}, reporter={"name": cast.POLICE, "contact": "x"}
    )
    drafting_of(database).ewn(case, given("ewn"))
    overrides(database, cast.MANAGER).approve(propose(database, case))
    assert gets(database, case, "le-poc-fr") == Variant.TECHNICAL


def test_a_check_names_the_override_among_what_was_confirmed(database: Database, case: str) -> None:
    overrides(database, cast.MANAGER).approve(propose(database, case))
    with database.read() as connection:
        release = release_of(connection, case, NoticeKind.EWN, PROFILE)
        locks = Locks(
            release.content.product(),
            permissions=load_permissions(connection, case),
            now=datetime.now(UTC),
        )
    found = {need.kind: need for need in check_release(locks, release.recipients).needs}
    assert set(found[PermissionKind.LIFE_THREAT].confirmed) == {"le-poc-fr"}
    assert "le-poc-fr" not in found[PermissionKind.H2].missing
    assert "le-poc-de" in found[PermissionKind.H2].missing


def test_what_two_people_lowered_goes_only_while_its_providers_consent_stands(
    database: Database, case: str
) -> None:
    told = change_report(database, marking={**H2, "handling_codes": ["H3"], "handling_text": "ask"})
    drafting = drafting_of(database)
    made = drafting.downgrade(case, told, {"handling_codes": ["H0"]}, consent="mail 12")
    drafting.ewn(case, given("ewn"))
    assert gets(database, case, "le-poc-fr") == Variant.TECHNICAL  # one person is not enough
    decided(database, made, "downgrade-approved")
    drafting.ewn(case, given("ewn"))
    assert gets(database, case, "le-poc-fr") == Variant.FULL
    with database.read() as connection:
        (consent,) = [
            p for p in load_permissions(connection, case) if p.kind is PermissionKind.DOWNGRADE
        ]
    assert (consent.evidence, consent.items, consent.by) == (
        "mail 12",
        frozenset({told}),
        cast.DUTY,
    )
    Permitting(database, officer=cast.DUTY, channel="test").revoke(consent.id, reason="withdrawn")
    decision = gets(database, case, "le-poc-fr")
    assert decision != Variant.FULL


@pytest.mark.asyncio
@pytest.mark.temporal
@pytest.mark.requirement("R33")
async def test_the_notice_to_a_provider_goes_out_beside_every_campaign(home: House) -> None:
    people = await drafted(home)
    notice = OverrideNotice(
        incident_id=people.incident,
        exercise=True,
        issued_at=datetime.now(UTC),
        provider=cast.POLICE,
        reason=REASON,
        draft="ewn/1",
        passed_to=("Organisation le-poc-fr",),
        ends_at=datetime.now(UTC) + timedelta(hours=1),
        advice="call",
    )
    name = f"{people.incident}.override.1-1"
    order = FreezeOrder(
        campaign_id=name, revision=1, content=notice, recipients=("le-poc-de",), by=cast.MANAGER
    )
    key = home.app.keys.acknowledgement
    with home.database.write() as connection:
        campaigns.freeze(connection, order, message_key=key, now=datetime.now(UTC))

    async def temporal() -> Client:
        return home.env.client

    async def away() -> Client:
        raise ServiceDown("Temporal does not answer")

    made = Override(
        id=1,
        incident_id=people.incident,
        draft="ewn/1",
        product="",
        recipients=("le-poc-fr",),
        providers=(cast.POLICE,),
        reason=REASON,
        lasting=timedelta(hours=1),
        by=cast.DUTY,
        at=datetime.now(UTC),
    )
    approved = Approved(override=made, campaigns={name: 1}, tasks=())
    queue = home.app.settings.temporal.task_queue
    with pytest.raises(ServiceDown, match="override tell 1"):
        await send_notices(approved, away, task_queue=queue)
    assert set(home.mails(name).values()) == {"queued"}
    await send_notices(approved, temporal, task_queue=queue)
    home.also_replay(f"sending-{name}")
    await home.until(lambda: set(home.mails(name).values()) == {"accepted"})
    assert home.sink.tries[cast.address("le-poc-de")] >= 1
