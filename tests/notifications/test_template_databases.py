"""Templates on a real PostgreSQL, as on SQLite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from infra import audit
from infra.database import Database
from notifications.directory_import import import_directory
from notifications.template_book import confirm, propose
from notifications.template_names import TemplateUnfit
from notifications.template_rows import Place, Standing, entries
from notifications.template_use import CampaignTemplates, keep, note_unfit, unfit_templates
from protocol.errors import Refused
from protocol.stages import NoticeKind
from tests.notifications.own_templates import headed, install
from tests.notifications.samples import directory_text, recipient

DRILL = NoticeKind.DRILL


pytestmark = pytest.mark.services


@pytest.fixture
def home(postgres_database: Database) -> Database:
    import_directory(postgres_database, directory_text([recipient()]), by="o.admin")
    return postgres_database


def test_of_two_that_are_confirmed_at_once_one_is_in_force_and_kept_and_its_fault_noted_once(
    home: Database,
) -> None:
    place = Place(kind=DRILL, language="fr")
    numbers = [propose(home, place, headed(f"Bureau {n}"), by="o.admin") for n in range(2)]

    def say_yes(number: int) -> str:
        try:
            confirm(home, number, by="o.one")
        except Refused as refused:
            return refused.reason
        return "confirmed"

    with ThreadPoolExecutor(2) as officers:
        assert sorted(officers.map(say_yes, numbers)) == ["confirmed", "stale"]
    with home.write() as connection:
        (kept,) = [e for e in entries(connection) if e.standing is Standing.IN_FORCE]
        assert keep(connection, "one") == kept.version == 1
    install(home, headed("Bureau 3"), kind=DRILL, language="fr")
    with home.read() as connection:
        own = CampaignTemplates.load(connection, "one", DRILL).of("le-poc-1", "fr")
        assert CampaignTemplates.load(connection, "other", DRILL).known == {}
    assert own is not None
    assert own.number == kept.number
    for _ in range(2):
        with home.write() as connection:
            note_unfit(home, connection, "one", [TemplateUnfit(own.number, "txt lacks x"), None])
    with home.read() as connection:
        assert [row["reason"] for row in unfit_templates(connection, "one")] == ["txt lacks x"]
        assert audit.verify(connection).verified
        events = [row["event"] for row in audit.export(connection)]
    assert events.count("template_unfit") == 1
