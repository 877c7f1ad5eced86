from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import RowMapping, func, select, update

from infra import audit
from infra.database import Database
from infra.tables import campaign, notification
from infra.tables_audit import audit_row
from notifications.campaigns import FreezeOrder, Frozen, freeze, recipients_of
from notifications.directory_import import import_directory
from notifications.grants import PermissionKind
from notifications.notices import ClosureNotice, NoticeContent
from notifications.permissions import load_permissions, record_permission
from protocol.errors import NotFound, Refused
from protocol.markings import HandlingCode, Marking
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass
from protocol.stages import Containment
from tests.notifications.samples import (
    NOW,
    certificate,
    contact,
    directory_text,
    everybody,
    ewn,
    import_and_confirm,
    initial,
    make_database,
    recipient,
)

KEY = b"k" * 32
CAMPAIGN = "campaign/INC-1/initial/1"
ALL = tuple(name for name in RecipientClass if name in INTERNAL_CLASSES | EXTERNAL_CLASSES)


def order(content: NoticeContent | None = None, **changes: Any) -> FreezeOrder:
    values: dict[str, Any] = {
        "campaign_id": CAMPAIGN,
        "revision": 1,
        "content": content or initial(),
        "by": "o.two",
    }
    if "recipients" not in changes:
        values["classes"] = ALL
    return FreezeOrder(**values | changes)


def do_freeze(database: Database, what: FreezeOrder, **changes: Any) -> Frozen:
    with database.write() as connection:
        return freeze(connection, what, **{"message_key": KEY, "now": NOW, **changes})


def rows(database: Database, campaign_id: str = CAMPAIGN) -> list[RowMapping]:
    with database.read() as connection:
        return list(
            connection.execute(
                select(notification)
                .where(notification.c.campaign_id == campaign_id)
                .order_by(notification.c.cursor)
            ).mappings()
        )


def last_audit(database: Database) -> dict[str, Any]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return list(audit.export(connection))[-1]


def closure(**changes: Any) -> ClosureNotice:
    values: dict[str, Any] = {
        "incident_id": "INC-1",
        "exercise": True,
        "issued_at": NOW,
        "closed_at": NOW,
        "containment": Containment.NORMAL_PROCEDURE,
        "statement": "Contained.",
    }
    return ClosureNotice(**values | changes)


@pytest.mark.requirement("R23", "R24", "R33")
def test_every_class_gets_its_row_in_a_fixed_order(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    frozen = do_freeze(database, order())
    made = rows(database)
    assert frozen == Frozen(
        campaign_id=CAMPAIGN, directory_version=1, recipients=10, queued=10, held=0, size=10
    )
    assert [row["recipient_id"] for row in made] == [f"{name}-1" for name in ALL]
    assert [row["cursor"] for row in made] == list(range(10))
    assert {row["state"] for row in made} == {"queued"}
    assert {(row["contact"], row["revision"]) for row in made} == {(0, 0)}
    assert {row["due_at"] for row in made} == {NOW}
    with database.read() as connection:
        assert recipients_of(connection, CAMPAIGN) == tuple(row["recipient_id"] for row in made)


def test_the_campaign_remembers_content_version_and_exercise(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    content = initial(exercise=True)
    do_freeze(database, order(content))
    with database.read() as connection:
        row = connection.execute(select(campaign)).one()
    assert (row.incident_id, row.kind, row.revision) == ("INC-1", "initial", 1)
    assert row.directory_version == 1
    assert row.exercise is True
    assert row.content == content.model_dump(mode="json")


def test_freezing_again_changes_nothing_and_answers_the_same(tmp_path: Path) -> None:
    people = everybody()
    people[3] = recipient(RecipientClass.LE_POC, contacts=(contact(0, key=""),))
    database = make_database(tmp_path, people)
    first = do_freeze(database, order())
    before = rows(database)
    import_directory(database, directory_text([recipient()]), by="o.admin")
    with database.write() as connection:  # as delivery leaves rows behind
        connection.execute(
            update(notification)
            .where(notification.c.cursor < 3)
            .values(state="accepted", due_at=None, attempt=1)
        )
        connection.execute(
            update(notification)
            .where(notification.c.cursor == 5)
            .values(state="held", due_at=None, attempt=1)
        )
        entries = connection.scalar(select(func.count()).select_from(audit_row))
    again = do_freeze(database, order(), now=NOW + timedelta(hours=1))
    assert again == first
    assert (first.queued, first.held) == (9, 1)
    assert [row["id"] for row in rows(database)] == [row["id"] for row in before]
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(audit_row)) == entries


def test_ids_are_stable_distinct_and_tell_nothing(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    do_freeze(database, order())
    (tmp_path / "other").mkdir()
    other = make_database(tmp_path / "other", everybody())
    do_freeze(other, order(), now=NOW + timedelta(days=1))
    do_freeze(other, order(campaign_id="next"), message_key=KEY)
    (tmp_path / "third").mkdir()
    third = make_database(tmp_path / "third", everybody())
    do_freeze(third, order(), message_key=b"x" * 32)
    first = [row["message_id"] for row in rows(database)]
    assert first == [row["message_id"] for row in rows(other)]
    assert not set(first) & {row["message_id"] for row in rows(other, "next")}
    assert not set(first) & {row["message_id"] for row in rows(third)}
    for row in rows(database):
        assert re.fullmatch(r"<[0-9a-f]{32}@leerp\.invalid>", row["message_id"])
        assert re.fullmatch("[0-9a-f]{32}", row["id"])


@pytest.mark.requirement("R24")
def test_a_class_without_anybody_is_refused_by_name(tmp_path: Path) -> None:
    people = [p for p in everybody() if p.recipient_class is not RecipientClass.INTERPOL]
    database = make_database(tmp_path, people)
    with pytest.raises(Refused, match="interpol") as refused:
        do_freeze(database, order())
    assert refused.value.reason == "class-left-out"
    assert rows(database) == []


@pytest.mark.requirement("R23", "R24")
def test_a_class_may_be_left_out_for_a_stated_reason_only(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    few = tuple(name for name in ALL if name is not RecipientClass.INTERPOL)
    with pytest.raises(Refused, match="interpol"):
        do_freeze(database, order(classes=few))
    with pytest.raises(ValidationError):
        order(classes=few, omissions={RecipientClass.INTERPOL: " "})
    reasons = {RecipientClass.INTERPOL: "no third country is concerned"}
    frozen = do_freeze(database, order(omissions=reasons))
    assert frozen.recipients == 9
    with database.read() as connection:
        assert connection.scalar(select(campaign.c.omissions)) == {"interpol": reasons["interpol"]}  # type: ignore[index]
    assert last_audit(database)["detail"]["omissions"] == {
        "interpol": "no third country is concerned"
    }


def test_a_notice_that_would_go_to_nobody_is_refused(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    with pytest.raises(Refused, match="somebody"):
        do_freeze(database, order(omissions=dict.fromkeys(ALL, "not concerned")))


def test_without_a_directory_nothing_can_be_frozen(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="import"):
        do_freeze(make_database(tmp_path), order())


@pytest.mark.parametrize("who", [{}, {"classes": ALL, "recipients": ("a",)}])
def test_an_order_is_by_class_or_by_id(who: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either classes, or recipients"):
        FreezeOrder(campaign_id="c", revision=1, content=initial(), by="o.one", **who)


@pytest.mark.requirement("R72")
def test_where_the_first_contact_has_no_key_the_next_is_taken(tmp_path: Path) -> None:
    people = [recipient(contacts=(contact(0, key=""), contact(1)))]
    database = make_database(tmp_path, people)
    do_freeze(database, order(recipients=("le-poc-1",)))
    (row,) = rows(database)
    assert (row["contact"], row["state"], row["variant"]) == (1, "queued", "full")


@pytest.mark.requirement("R31", "R32")
def test_who_may_not_have_it_is_held_with_the_reason_and_the_others_go_out(tmp_path: Path) -> None:
    people = [
        recipient(id="a-keyless", contacts=(contact(0, key=""), contact(1, key=""))),
        recipient(id="b-expired", contacts=(contact(0, key=certificate(-400, 30)),)),
        recipient(id="c-good"),
    ]
    database = make_database(tmp_path, people)
    frozen = do_freeze(database, order(recipients=tuple(p.id for p in people)))
    keyless, expired, good = rows(database)
    assert (frozen.queued, frozen.held) == (1, 2)
    assert (keyless["state"], keyless["contact"], keyless["due_at"]) == ("held", 0, None)
    assert "no certificate" in keyless["reason"]
    assert "valid from" in expired["reason"]
    assert good["state"] == "queued"
    entry = last_audit(database)
    assert (entry["event"], entry["actor"], entry["subject"]) == (
        "campaign_frozen",
        "o.two",
        CAMPAIGN,
    )
    assert entry["detail"]["held"] == ["a-keyless", "b-expired"]
    assert entry["detail"]["recipients"] == 3


@pytest.mark.requirement("R32")
def test_each_class_gets_its_variant_of_an_ewn(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())
    do_freeze(database, order(ewn()))
    variants = {row["recipient_id"]: row["variant"] for row in rows(database)}
    assert variants["le-poc-1"] == variants["judicial-1"] == variants["europol-unit-1"] == "full"
    assert variants["csirt-network-1"] == variants["eu-body-1"] == "technical"
    assert variants["crisis-communication-1"] == "summary"


@pytest.mark.requirement("R32")
def test_h2_goes_only_where_a_recorded_permission_says_so(tmp_path: Path) -> None:
    strict = initial(marking=Marking(handling_codes=frozenset({HandlingCode.H2})))
    people = [recipient(id="a"), recipient(id="b")]
    database = make_database(tmp_path, people)
    with database.write() as connection:
        record_permission(
            connection,
            incident_id="INC-1",
            kind=PermissionKind.H2,
            provider="",
            recipients=["b"],
            evidence="letter 7",
            by="o.two",
            given_at=NOW - timedelta(hours=1),
            expires_at=NOW + timedelta(hours=1),
        )
    do_freeze(database, order(strict, recipients=("a", "b")))
    assert [(row["recipient_id"], row["state"]) for row in rows(database)] == [
        ("a", "held"),
        ("b", "queued"),
    ]
    do_freeze(
        database,
        order(strict, recipients=("a", "b"), campaign_id="later"),
        now=NOW + timedelta(hours=2),
    )
    assert {row["state"] for row in rows(database, "later")} == {"held"}


def test_a_permission_is_stored_with_its_audit_row_or_refused(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    given: dict[str, Any] = {
        "incident_id": "INC-1",
        "kind": PermissionKind.TRANSFER,
        "provider": "Police",
        "recipients": [RecipientClass.INTERPOL],
        "evidence": "letter 7",
        "by": "o.two",
        "given_at": NOW,
        "expires_at": NOW + timedelta(days=1),
    }
    wrong: list[dict[str, Any]] = [{"recipients": []}, {"evidence": " "}, {"expires_at": NOW}]
    for change in wrong:
        with database.write() as connection, pytest.raises(Refused, match="expires"):
            record_permission(connection, **given | change)
    with database.write() as connection:
        record_permission(connection, **given)
    with database.read() as connection:
        (stored,) = load_permissions(connection, "INC-1")
        assert load_permissions(connection, "INC-2") == ()
    assert stored.recipients == frozenset({"interpol"})
    assert stored.expires_at == NOW + timedelta(days=1)
    assert last_audit(database)["event"] == "permission_recorded"


@pytest.mark.requirement("R49")
def test_a_closure_goes_to_exactly_those_of_the_initial_notice(tmp_path: Path) -> None:
    people = everybody()
    people[0] = recipient(people[0].recipient_class, contacts=(contact(0, key=""),))
    database = make_database(tmp_path, people)
    do_freeze(database, order())
    with database.read() as connection:
        told = recipients_of(connection, CAMPAIGN)
    do_freeze(database, order(closure(), campaign_id="closure", recipients=told))
    with database.read() as connection:
        assert recipients_of(connection, "closure") == told
    assert people[0].id in told


@pytest.mark.requirement("R49")
def test_who_has_lost_the_right_gets_the_bare_fact_and_that_is_recorded(tmp_path: Path) -> None:
    kept = recipient(id="a-kept")
    lapsed = recipient(id="b-lapsed")
    gone = recipient(id="c-gone")
    database = make_database(tmp_path, [kept, lapsed, gone])
    do_freeze(database, order(recipients=("a-kept", "b-lapsed", "c-gone")))
    old_keys = recipient(id="b-lapsed", contacts=(contact(0, key=certificate(-400, 30)),))
    import_and_confirm(database, [kept, old_keys])
    with database.read() as connection:
        told = recipients_of(connection, CAMPAIGN)
    do_freeze(database, order(closure(), campaign_id="closure", recipients=told))
    made = {row["recipient_id"]: row for row in rows(database, "closure")}
    assert (made["a-kept"]["state"], made["a-kept"]["variant"]) == ("queued", "full")
    assert (made["b-lapsed"]["state"], made["b-lapsed"]["variant"]) == ("queued", "summary")
    assert "valid from" in made["b-lapsed"]["reason"]
    assert made["c-gone"]["state"] == "held"
    assert "no longer in the directory" in made["c-gone"]["reason"]
    detail = last_audit(database)["detail"]
    assert detail["bare_fact"] == ["b-lapsed"]
    assert detail["held"] == ["c-gone"]


@pytest.mark.requirement("R49", "R72")
def test_a_closure_prefers_the_contact_that_may_read_it_whole(tmp_path: Path) -> None:
    database = make_database(tmp_path, [recipient(contacts=(contact(0, key=""), contact(1)))])
    do_freeze(database, order(closure(), recipients=("le-poc-1",)))
    (row,) = rows(database)
    assert (row["contact"], row["variant"]) == (1, "full")


def test_freezing_is_all_or_nothing(tmp_path: Path) -> None:
    database = make_database(tmp_path, everybody())

    def crash() -> None:
        with database.write() as connection:
            freeze(connection, order(), message_key=KEY, now=NOW)
            raise RuntimeError("crash before the commit")

    with pytest.raises(RuntimeError):
        crash()
    assert rows(database) == []
    assert do_freeze(database, order()).queued == 10
