"""Versions and proposals of the directory on a real PostgreSQL, as on SQLite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from infra import audit
from infra.database import Database
from notifications.directory_import import import_directory
from notifications.directory_proposals import confirm, proposals, standing
from notifications.directory_versions import differences_between, versions
from protocol.errors import Refused
from tests.notifications.samples import contact, directory_text, recipient

pytestmark = pytest.mark.services


@pytest.mark.requirement("R25")
def test_of_two_proposals_that_are_confirmed_at_once_one_comes_into_force(
    postgres_database: Database,
) -> None:
    import_directory(postgres_database, directory_text([recipient()]), by="o.admin")
    for number in (2, 3):
        text = directory_text([recipient(contacts=(contact(0), contact(number)))])
        assert import_directory(postgres_database, text, by="o.admin").proposal == number - 1
    with postgres_database.read() as connection:
        assert [each.field for each in standing(connection, 1).changes] == ["removed", "added"]

    def say_yes(number: int) -> str:
        try:
            confirm(postgres_database, number, by="o.one", checked_by="called them back")
        except Refused as refused:
            return refused.reason
        return "confirmed"

    with ThreadPoolExecutor(2) as officers:
        assert sorted(officers.map(say_yes, (1, 2))) == ["confirmed", "stale"]
    with postgres_database.read() as connection:
        assert [row["version"] for row in versions(connection)] == [2, 1]
        assert len(differences_between(connection, 1, 2)) == 2
        assert proposals(connection) == []
        assert audit.verify(connection).verified
