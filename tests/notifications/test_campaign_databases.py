"""The campaign view and the self-audit on PostgreSQL, as the other tests try them on SQLite."""

from __future__ import annotations

from datetime import timedelta

import pytest

from infra.database import Database
from infra.settings import Settings
from notifications.campaign_list import campaign_of, campaigns
from notifications.campaign_pace import pace_of
from notifications.campaign_timeline import timeline
from notifications.campaign_view import CampaignView, Standing
from notifications.campaigns import FreezeOrder, freeze
from notifications.directory_import import import_directory
from notifications.self_audit_round import go_round
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES
from tests.notifications import samples
from tests.notifications.samples import NOW
from tests.notifications.standing import confirm_partners

CAMPAIGN = "INC-1.ewn.1"


@pytest.fixture
def database(postgres_database: Database) -> Database:
    text = samples.directory_text(samples.everybody())
    import_directory(postgres_database, text, by="o.admin")
    confirm_partners(postgres_database)
    return postgres_database


@pytest.mark.services
def test_everything_is_read_there_too(database: Database) -> None:
    with database.write() as connection:
        freeze(
            connection,
            FreezeOrder(
                campaign_id=CAMPAIGN,
                revision=1,
                content=samples.ewn(),
                classes=tuple(sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES)),
                by="worker",
            ),
            message_key=bytes(32),
            now=NOW,
        )
    late = NOW + timedelta(hours=2)
    with database.read() as connection:
        view = CampaignView.load(connection, CAMPAIGN, late)
        told = timeline(connection, view, "interpol-1")
        pace = pace_of(connection, CAMPAIGN, late)
        assert campaigns(connection)[0].items() <= campaign_of(connection, CAMPAIGN).items()
    assert view.person("interpol-1").standing is Standing.WAITING
    assert [entry.event for entry in told] == ["campaign_frozen"]
    assert (pace.left, pace.per_second) == (len(view.people), 0)

    settings = Settings()
    first = go_round(database, settings, message_key=bytes(32), now=late)
    assert {each.problem for each in first.findings} == {"not-sent"}
    assert [each.campaign_id for each in first.notices] == [f"{CAMPAIGN}.audit.1"]
    again = go_round(database, settings, message_key=bytes(32), now=late)
    assert again.notices == ()
