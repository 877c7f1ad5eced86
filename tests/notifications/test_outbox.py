from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from infra import audit
from infra.database import Database
from notifications import claiming, outbox, progress
from notifications.outbox import Claim, Outcome, Range, State
from tests.notifications.mailroom import CAMPAIGN, add_row, make_database, make_recipient, rows
from tests.notifications.samples import NOW

LEASE = timedelta(seconds=60)
ALL = Range(campaign_id=CAMPAIGN, start=0, end=100)


def claim(
    database: Database, *, at: timedelta = timedelta(), limit: int = 50, resend: bool = True
) -> list[Claim]:
    with database.write() as connection:
        return claiming.claim(
            connection, ALL, limit=limit, now=NOW + at, lease=LEASE, resend_unknown=resend
        )


def expire(database: Database, at: timedelta) -> None:
    with database.write() as connection:
        claiming.expire_leases(connection, ALL, NOW + at)


def begin(
    database: Database, claims: list[Claim], passed: timedelta = timedelta()
) -> frozenset[str]:
    """Begin the bodies that may be, as a sender does; their ids."""
    with database.write() as connection:
        held = outbox.still_ours(connection, claims)
        ours = [one for one in claims if (one.id, one.fence) in held]
        outbox.begin_ours(connection, ours, now=NOW + passed, lease=LEASE)
    return frozenset(one.id for one in ours)


def record(
    database: Database, claims: list[Claim], state: State, due: timedelta | None = None
) -> frozenset[str]:
    outcomes = [
        Outcome(
            claim=one,
            state=state,
            detail="250 ok queued as 1" if state is State.ACCEPTED else "because",
            code="250",
            due_at=NOW + due if due is not None else None,
        )
        for one in claims
    ]
    with database.write() as connection:
        return outbox.record(connection, outcomes, now=NOW)


def audit_events(database: Database) -> list[str]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [row["event"] for row in audit.export(connection)]


def database_of(folder: Path, number: int) -> Database:
    return make_database(folder, [make_recipient(n, certificate="") for n in range(number)])


def test_claims_come_in_the_frozen_order_and_no_row_is_claimed_twice(tmp_path: Path) -> None:
    database = database_of(tmp_path, 5)
    first, second = claim(database, limit=3), claim(database, limit=3)
    assert [c.recipient_id for c in first + second] == [f"poc-{n:03}" for n in range(5)]
    assert claim(database) == []


def test_a_range_claims_its_own_rows_with_their_reminders_only(tmp_path: Path) -> None:
    database = database_of(tmp_path, 4)
    reminder = add_row(database, 2, "poc-002", revision=1)
    with database.write() as connection:
        claims = claiming.claim(
            connection,
            Range(campaign_id=CAMPAIGN, start=2, end=3),
            limit=9,
            now=NOW,
            lease=LEASE,
            resend_unknown=True,
        )
    assert {c.recipient_id for c in claims} == {"poc-002"}
    assert reminder in {c.id for c in claims}


def test_an_accepted_mail_keeps_the_relays_answer_and_leaves_one_audit_row(tmp_path: Path) -> None:
    database = database_of(tmp_path, 3)
    claims = claim(database)
    assert begin(database, claims) == {c.id for c in claims}
    assert record(database, claims, State.ACCEPTED) == {c.id for c in claims}
    assert [(r.state, r.reply, r.accepted_at) for r in rows(database)] == [
        ("accepted", "250 ok queued as 1", NOW)
    ] * 3
    assert audit_events(database) == ["mail_accepted"]


def test_an_old_fence_writes_nothing(tmp_path: Path) -> None:
    database = database_of(tmp_path, 1)
    old = claim(database)
    expire(database, LEASE)
    new = claim(database, at=LEASE)
    assert new[0].fence > old[0].fence
    assert begin(database, old) == frozenset()
    before, events = rows(database), audit_events(database)
    assert record(database, old, State.ACCEPTED) == frozenset()
    assert (rows(database), audit_events(database)) == (before, events)


def test_a_sender_that_died_before_the_body_leaves_the_mail_due_again(tmp_path: Path) -> None:
    database = database_of(tmp_path, 1)
    claim(database)
    expire(database, LEASE)
    assert rows(database)[0].state == "retry_due"
    assert len(claim(database, at=LEASE)) == 1


def test_a_lease_that_still_runs_is_left_alone(tmp_path: Path) -> None:
    database = database_of(tmp_path, 1)
    claims = claim(database)
    with database.write() as connection:
        outbox.renew(connection, claims, now=NOW + LEASE / 2, lease=LEASE)
    expire(database, LEASE)
    assert rows(database)[0].state == "sending"


@pytest.mark.parametrize(("resend", "claimed"), [(True, 1), (False, 0)])
def test_a_sender_that_died_after_the_body_began_leaves_it_unknown(
    tmp_path: Path, resend: bool, claimed: int
) -> None:
    database = database_of(tmp_path, 1)
    begin(database, claim(database))
    expire(database, LEASE)
    assert rows(database)[0].state == "unknown"
    assert "mail_leases_expired" in audit_events(database)
    assert len(claim(database, at=LEASE, resend=resend)) == claimed


def test_a_mail_that_is_due_later_is_not_claimed_before(tmp_path: Path) -> None:
    database = database_of(tmp_path, 1)
    record(database, claim(database), State.RETRY_DUE, due=LEASE)
    assert claim(database, at=LEASE - timedelta(seconds=1)) == []
    with database.read() as connection:
        assert progress.next_due(connection, ALL, resend_unknown=True) == NOW + LEASE
    assert [c.attempt for c in claim(database, at=LEASE)] == [2]


def test_bytes_once_stored_come_with_every_later_claim(tmp_path: Path) -> None:
    database = database_of(tmp_path, 1)
    claims = claim(database)
    with database.write() as connection:
        outbox.store_raw(connection, [(claims[0], b"the bytes", "for whom")])
    record(database, claims, State.RETRY_DUE, due=timedelta())
    assert claim(database)[0].raw == b"the bytes"


def test_released_claims_are_due_again_but_not_those_whose_body_began(tmp_path: Path) -> None:
    database = database_of(tmp_path, 2)
    claims = claim(database)
    begin(database, claims[:1])
    with database.write() as connection:
        outbox.release(connection, claims, due_at=NOW)
    assert [r.state for r in rows(database)] == ["sending", "retry_due"]


class OutboxMachine(RuleBasedStateMachine):
    """Two senders, one of which may sleep past its lease, against a model of what the relay took."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = database_of(Path(self.folder.name), 4)
        self.passed = timedelta()
        self.hands: list[list[Claim]] = [[], []]
        self.sent: dict[str, int] = {}
        self.lost_answers = 0

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(who=st.integers(0, 1), limit=st.integers(1, 3))
    def take(self, who: int, limit: int) -> None:
        expire(self.database, self.passed)
        self.hands[who] += claim(self.database, at=self.passed, limit=limit)

    @precondition(lambda self: any(self.hands))
    @rule(
        who=st.integers(0, 1),
        state=st.sampled_from([State.ACCEPTED, State.RETRY_DUE, State.REFUSED]),
        answered=st.booleans(),
    )
    def send(self, who: int, state: State, answered: bool) -> None:
        if not self.hands[who]:
            return
        one = self.hands[who].pop(0)
        if one.id not in begin(self.database, [one], self.passed):
            return
        self.sent[one.id] = self.sent.get(one.id, 0) + (state is State.ACCEPTED)
        if answered:
            assert record(self.database, [one], state, due=self.passed) == {one.id}
        elif state is State.ACCEPTED:
            self.lost_answers += 1

    @rule(seconds=st.sampled_from([1, 61]))
    def pass_time(self, seconds: int) -> None:
        self.passed += timedelta(seconds=seconds)

    @invariant()
    def the_rows_tell_the_truth(self) -> None:
        found = rows(self.database)
        assert all(self.sent.get(r.id, 0) >= 1 for r in found if r.state == "accepted")
        duplicates = sum(max(0, times - 1) for times in self.sent.values())
        assert duplicates <= self.lost_answers
        with self.database.read() as connection:
            assert sum(progress.counts(connection, ALL).values()) == len(found)


OutboxMachine.TestCase.settings = hypothesis_settings(
    max_examples=25, stateful_step_count=25, deadline=None
)
TestOutbox = OutboxMachine.TestCase
