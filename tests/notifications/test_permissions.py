from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables import notification
from intake.merging import carry_over
from notifications.campaigns import FreezeOrder, freeze
from notifications.ewn_sections import Fact
from notifications.grants import PermissionKind
from notifications.locks import Locks, open_locks
from notifications.permissions import (
    STANDING,
    Scope,
    Standing,
    get_permission,
    list_permissions,
    load_permissions,
    record_permission,
    revoke_permission,
)
from notifications.products import Purpose, Variant
from protocol.errors import NotFound, Refused
from protocol.markings import Classification, HandlingCode, Marking, Tlp
from protocol.parties import RecipientClass
from tests.notifications.lock_worlds import recipients as any_recipient
from tests.notifications.samples import (
    NOW,
    contact,
    ewn,
    fact,
    initial,
    make_database,
    recipient,
)
from tests.notifications.test_campaigns import CAMPAIGN, closure, do_freeze, order, rows

K = PermissionKind
POLICE = "Police of Exampleland"


def record(database: Database, **changes: Any) -> int:
    values: dict[str, Any] = {
        "incident_id": "INC-1",
        "kind": K.H2,
        "provider": POLICE,
        "recipients": ["le-poc-1"],
        "evidence": "letter 7",
        "by": "o.two",
        "given_at": NOW - timedelta(hours=1),
        "expires_at": NOW + timedelta(hours=1),
    }
    with database.write() as connection:
        return record_permission(connection, **values | changes)


def revoke(database: Database, number: int, **changes: Any) -> Any:
    values: dict[str, Any] = {"by": "o.one", "reason": "withdrawn by telephone", "now": NOW}
    with database.write() as connection:
        return revoke_permission(connection, number, **values | changes)


def secret(text: str = "Only after asking", **changes: Any) -> Fact:
    return fact(text, marking=Marking(handling_codes=frozenset({HandlingCode.H2})), **changes)


def gets(database: Database, facts: tuple[Fact, ...]) -> str:
    """The variant of a warning of these facts that a point of contact gets."""
    with database.read() as connection:
        given_ = load_permissions(connection, "INC-1")
    to = recipient()
    return open_locks(
        to, to.contacts[0], ewn(facts, ()).product(), permissions=given_, now=NOW
    ).variant


@pytest.mark.requirement("R32")
def test_a_permission_may_be_for_one_item_and_one_purpose(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    one, other = secret("The first"), secret("The second")
    record(database, scope=Scope(items=frozenset({one.item})))
    assert gets(database, (one,)) == Variant.FULL
    assert gets(database, (one, other)) == Variant.TECHNICAL
    record(
        database, scope=Scope(items=frozenset({other.item}), purposes=frozenset({Purpose.CRIME}))
    )
    assert gets(database, (one, other)) == Variant.TECHNICAL
    crime = other.model_copy(update={"purpose": Purpose.CRIME})
    assert gets(database, (one, crime)) == Variant.FULL


def test_an_item_keeps_its_name_in_every_version_and_loses_it_with_its_words() -> None:
    same = [secret(grade_rationale=why) for why in ("seen by us", "seen by two")]
    assert same[0].item == same[1].item
    assert secret("Other words").item != same[0].item
    assert secret(provider="Somebody else").item != same[0].item


@pytest.mark.requirement("R32")
def test_a_revoked_permission_counts_no_more_and_stays_on_record(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    number = record(database)
    assert gets(database, (secret(),)) == Variant.FULL
    with pytest.raises(Refused, match="--reason"):
        revoke(database, number, reason=" ")
    made = revoke(database, number)
    assert gets(database, (secret(),)) == Variant.TECHNICAL
    assert made.standing(NOW) is Standing.REVOKED
    assert (made.revoked_by, made.revoked_reason) == ("o.one", "withdrawn by telephone")
    with pytest.raises(Refused, match=r"revoked by o\.one"):
        revoke(database, number)
    with pytest.raises(NotFound, match="leerp permissions list"):
        revoke(database, 99)
    with database.read() as connection:
        assert audit.verify(connection).verified
        last = list(audit.export(connection))[-1]
        assert [each.permission.id for each in list_permissions(connection)] == [number]
    assert (last["event"], last["actor"], last["subject"]) == (
        *("permission_revoked", "o.one", "INC-1"),
    )
    assert last["detail"]["permissions"] == [number]


def test_a_record_says_how_it_stands(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    number = record(database)
    with database.read() as connection:
        found = get_permission(connection, number)
    hour = timedelta(hours=1)
    stands = [found.standing(NOW + step) for step in (-2 * hour, -hour, timedelta(), hour)]
    assert stands == [Standing.NOT_YET, Standing.IN_FORCE, Standing.IN_FORCE, Standing.EXPIRED]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": K.TLP_RED, "recipients": [RecipientClass.LE_POC]}, "by its id"),
        ({"kind": K.PRIVATE_PARTNER, "recipients": ["private-partner"]}, "by its id"),
        ({"kind": K.DOWNGRADE}, "names the report"),
        ({"incident_id": STANDING}, "the centre's own word"),
        ({"incident_id": STANDING, "kind": K.TRANSFER}, "the centre's own word"),
        ({"kind": K.LIFE_THREAT}, "two officers"),
        ({"evidence": " "}, "evidence"),
    ],
)
def test_what_is_no_permission_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    database = make_database(tmp_path)
    with pytest.raises(Refused, match=words):
        record(database, **changes)
    with database.read() as connection:
        assert list_permissions(connection) == []


@pytest.mark.requirement("R26", "R32")
def test_a_private_partner_is_told_nothing_before_somebody_has_confirmed_it(
    tmp_path: Path,
) -> None:
    partner = recipient(RecipientClass.PRIVATE_PARTNER)
    database = make_database(tmp_path)
    green = initial(marking=Marking(tlp=Tlp.GREEN))

    def allowed(incident: str) -> bool:
        with database.read() as connection:
            given_ = load_permissions(connection, incident)
        product = green.product()
        return open_locks(
            partner, partner.contacts[0], product, permissions=given_, now=NOW
        ).allowed

    assert not allowed("INC-1")
    number = record(
        database,
        incident_id=STANDING,
        kind=K.PRIVATE_PARTNER,
        provider="",
        recipients=[partner.id],
    )
    assert allowed("INC-1")
    assert allowed("INC-2")  # the first use was confirmed, once for all
    revoke(database, number)
    assert not allowed("INC-1")


@pytest.mark.requirement("R32")
def test_a_merge_carries_a_permission_over_with_its_scope_and_takes_it_back_with_it(
    tmp_path: Path,
) -> None:
    database = make_database(tmp_path)
    scope = Scope(items=frozenset({"report-1"}), purposes=frozenset({Purpose.CRIME}))
    number = record(database, scope=scope)
    dead = record(database, evidence="letter 8", given_at=NOW - timedelta(hours=2))
    revoke(database, dead)
    with database.write() as connection:
        carry_over(connection, "INC-1", "INC-2")
    with database.read() as connection:
        (carried,) = load_permissions(connection, "INC-2")
    assert (carried.items, carried.purposes) == (scope.items, scope.purposes)
    revoke(database, number)
    with database.read() as connection:
        assert load_permissions(connection, "INC-2") == ()


@pytest.mark.requirement("R49")
def test_who_lost_a_providers_permission_gets_the_bare_fact_of_a_closure(tmp_path: Path) -> None:
    people = [recipient(id="a-kept"), recipient(id="b-lapsed")]
    database = make_database(tmp_path, people)
    restricted = closure(marking=Marking(handling_codes=frozenset({HandlingCode.H2})))
    record(database, provider="", recipients=["a-kept"], evidence="letter 1")
    lapsed = record(database, provider="", recipients=["b-lapsed"], evidence="letter 2")
    do_freeze(database, order(recipients=("a-kept", "b-lapsed")))
    revoke(database, lapsed)
    do_freeze(database, order(restricted, campaign_id="closure", recipients=("a-kept", "b-lapsed")))
    assert [(row["recipient_id"], row["variant"]) for row in rows(database, "closure")] == [
        ("a-kept", "full"),
        ("b-lapsed", "technical"),
    ]
    assert restricted.is_bare(Variant.TECHNICAL)
    with database.read() as connection:
        last = list(audit.export(connection))[-1]
    assert last["detail"]["bare_fact"] == ["b-lapsed"]


@pytest.mark.requirement("R31")
def test_each_copy_of_what_is_c_ue_or_above_is_numbered_in_the_audit_trail(tmp_path: Path) -> None:
    top = Classification.CONFIDENTIAL
    accredited = (contact().model_copy(update={"accredited_up_to": top}),)
    people = [recipient(id=name, clearance=top, contacts=accredited) for name in "abc"]
    database = make_database(tmp_path, people)
    record(database, kind=K.REGISTERED, provider="", recipients=["a", "c"])
    classified = initial(marking=Marking(classification=top, tlp=Tlp.GREEN))
    do_freeze(database, order(classified, recipients=("a", "b", "c")))
    made = rows(database)
    assert [(row["recipient_id"], row["state"]) for row in made] == [
        *(("a", "queued"), ("b", "held"), ("c", "queued")),
    ]
    with database.read() as connection:
        (copies,) = [r for r in audit.export(connection) if r["event"] == "copies_numbered"]
    assert copies["detail"]["copies"] == {
        made[0]["id"]: {"copy": 1, "recipient": "a"},
        made[2]["id"]: {"copy": 3, "recipient": "c"},
    }


def test_what_is_below_c_ue_has_no_numbered_copies(tmp_path: Path) -> None:
    database = make_database(tmp_path, [recipient()])
    do_freeze(database, order(recipients=("le-poc-1",)))
    with database.read() as connection:
        assert "copies_numbered" not in {r["event"] for r in audit.export(connection)}


@pytest.mark.requirement("R32", "R33")
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_frozen_list_queues_exactly_those_whose_locks_are_open(tmp_path: Path, data: Any) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    people = [data.draw(any_recipient(number)) for number in range(5)]
    database = make_database(folder, people)
    content = ewn((secret(), fact("Seen")), ())
    for each in data.draw(st.lists(st.sampled_from(people), max_size=3, unique_by=lambda r: r.id)):
        record(database, recipients=[each.id], evidence=f"letter to {each.id}")
    with database.write() as connection:
        freeze(
            connection,
            FreezeOrder(
                campaign_id=CAMPAIGN,
                revision=1,
                content=content,
                recipients=tuple(each.id for each in people),
                by="o.two",
            ),
            message_key=b"k" * 32,
            now=NOW,
        )
        given_ = load_permissions(connection, "INC-1")
        queued = {
            row.recipient_id: row.variant
            for row in connection.execute(
                select(notification).where(notification.c.state == "queued")
            )
        }
    locks = Locks(content.product(), permissions=given_, now=NOW)
    for each in people:
        may = [locks.decide(each, point) for point in each.contacts]
        best = [d.variant for d in may if d.allowed]
        fullest = min(best, key=list(Variant).index) if best else None
        assert queued.get(each.id) == fullest
    database.close()
