from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from infra.database import Database
from notifications import override, withdrawal
from notifications.grants import PermissionKind
from notifications.permissions import record_permission, revoke_permission
from notifications.products import Product, Variant
from notifications.rights import RightsInForce
from protocol.markings import HandlingCode, Marking
from tests.notifications.mailroom import (
    CAMPAIGN,
    make_content,
    make_database,
    make_recipient,
    put_in_force,
)
from tests.notifications.samples import NOW

INCIDENT = "INC-1"
HOUR = timedelta(hours=1)
PEOPLE = [make_recipient(0), make_recipient(1)]
CONTENT = make_content(marking=Marking(handling_codes=frozenset({HandlingCode.H2})))
PRODUCT = Product(
    components=tuple(replace(part, provider="bka") for part in CONTENT.product().components)
)


def permit(connection: Connection, *, lasting: timedelta = 2 * HOUR) -> int:
    return record_permission(
        connection,
        incident_id=INCIDENT,
        kind=PermissionKind.H2,
        provider="bka",
        recipients=["poc-000"],
        evidence="letter",
        by="o.two",
        given_at=NOW - HOUR,
        expires_at=NOW + lasting,
    )


def revoke(connection: Connection) -> None:
    revoke_permission(connection, 1, by="o.one", reason="withdrawn", now=NOW)


def propose(connection: Connection) -> None:
    wanted = override.Proposed(
        incident_id=INCIDENT,
        draft="initial/1",
        product=PRODUCT,
        recipients=frozenset({"poc-001"}),
        reason="a ward cannot be warned otherwise",
        lasting=HOUR,
        by="o.one",
        channel="cli",
    )
    override.propose(connection, wanted, now=NOW)


def approve(connection: Connection) -> None:
    override.approve(connection, 1, by="o.two", now=NOW, channel="cli")


def end(connection: Connection) -> None:
    override.end(connection, 1, by="o.two", reason="over", now=NOW, channel="cli")


ACTS: list[Callable[[Connection], object]] = [permit, revoke, permit, propose, approve, end]


class Watch:
    """The rights of one campaign, kept from look to look, and what a fresh look says."""

    def __init__(self, folder: Path) -> None:
        self.database: Database = make_database(folder, PEOPLE, CONTENT)
        self.kept = self.fresh()

    def fresh(self) -> RightsInForce:
        return RightsInForce(INCIDENT, CAMPAIGN, PRODUCT)

    def look(
        self, rights: RightsInForce, now: datetime
    ) -> tuple[bool, int | None, list[Variant | None]]:
        with self.database.write() as connection:
            found = rights.at(connection, now)
        best = [found.locks.best(person, person.contacts[0]) for person in PEOPLE]
        return found.withdrawn, found.directory, best

    def check(self, now: datetime = NOW) -> tuple[bool, int | None, list[Variant | None]]:
        found = self.look(self.kept, now)
        assert found == self.look(self.fresh(), now)
        return found


@pytest.mark.requirement("R32")
def test_each_word_that_is_recorded_or_taken_back_counts_at_the_next_look(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    seen = [watch.check()[2]]
    for act in ACTS:
        with watch.database.write() as connection:
            act(connection)
        seen.append(watch.check()[2])
    shut, full = seen[0][0], Variant.FULL
    assert [each == full for each, _ in seen] == [False, True, False, True, True, True, True]
    assert [each == full for _, each in seen] == [False] * 5 + [True, False]
    assert shut != full


@pytest.mark.requirement("R32")
def test_a_permission_that_runs_out_between_two_looks_opens_nothing_at_the_second(
    tmp_path: Path,
) -> None:
    watch = Watch(tmp_path)
    with watch.database.write() as connection:
        permit(connection)
    before, after = watch.check()[2][0], watch.check(NOW + 2 * HOUR)[2][0]
    assert before == Variant.FULL
    assert after != Variant.FULL
    assert watch.check(NOW + HOUR)[2][0] == Variant.FULL, "a clock set back is believed too"


@pytest.mark.requirement("R72")
def test_a_new_directory_and_a_withdrawal_are_seen_at_the_next_look(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    withdrawn, version, _ = watch.check()
    assert not withdrawn
    put_in_force(watch.database, PEOPLE[:1])
    assert watch.check()[1] == (version or 0) + 1
    with watch.database.write() as connection:
        withdrawal.propose(
            connection, CAMPAIGN, officer="o.one", reason="wrong", channel="cli", now=NOW
        )
        assert not watch.kept.at(connection, NOW).withdrawn
        withdrawal.agree(connection, CAMPAIGN, officer="o.two", channel="cli", now=NOW)
    assert watch.check()[0]
