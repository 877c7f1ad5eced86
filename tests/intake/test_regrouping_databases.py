"""Regrouping and triage on SQLite and on a real PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra import audit
from infra.database import Database
from intake.links import links_of
from intake.triage import triage
from notifications.directory_import import import_directory
from tests.intake.officers import desk, incidents, one_by_one, report_ids, state, undoing
from tests.intake.samples import clusters, content, profile
from tests.workflows import cast
from workflows.overview import incident_details


@pytest.fixture
def home(any_database: Database) -> Database:
    """A database of each kind, with officers."""
    import_directory(any_database, cast.directory(), by="test")
    return any_database


def test_acts_followers_undo_and_the_list(home: Database) -> None:
    one_by_one(
        home,
        content("a", "hash-1"),
        content("b", "hash-1", "hash-2"),
        content("c", "hash-4"),
        content("x", "ip-1", "ip-2"),
    )
    before = state(home)
    ids = report_ids(home)
    made = desk(home).detach(ids["b"], reason="another attack")
    undoing(home).undo(made.id, reason="the same one")
    assert state(home) == before

    made = desk(home).split(incidents(home)["a"], [ids["b"]], reason="another attack")
    one_by_one(home, content("d", "hash-1", "hash-5"), content("e", "hash-4", "hash-5"))
    assert {frozenset("acde"), frozenset("b"), frozenset("x")} == clusters(home)
    one_by_one(home, content("f", "hash-2", "hash-6"), content("g", "hash-6"))
    attached = desk(home).attach(ids["x"], incidents(home)["b"], reason="seen there too")
    assert frozenset("bfgx") in clusters(home)
    undoing(home).undo(attached.id, reason="not seen there")
    undoing(home).undo(made.id, reason="the same one after all")
    assert clusters(home) == {frozenset("abcdefg"), frozenset("x")}

    found = triage(home, profile(), now=datetime.now(UTC), limit=10)
    assert sorted(each["reports"] for each in found.clusters) == [1, 7]
    with home.read() as connection:
        where = incidents(home)["a"]
        assert incident_details(connection, where)["detection_times"]["first_event"]
        assert len(links_of(connection, where, limit=10)) == 7
        assert audit.verify(connection).verified
