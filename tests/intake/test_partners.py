"""Who sent a report is the topic's to say: partners come and go while intake runs (F-K9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from infra import kafka, kafka_access
from infra.bootstrap import App
from infra.bootstrap import app as open_app
from infra.tables import report
from intake.consumer import run_intake
from intake.quarantine import replay
from intake.store import open_store
from protocol.errors import ServiceDown
from protocol.parties import SourceGroup
from tests.conftest import running
from tests.infra.partners import as_partner
from tests.intake.desk import Desk, Place, desk_at
from tests.intake.samples import body_of, content

pytestmark = [pytest.mark.services, pytest.mark.asyncio, pytest.mark.requirement("R4")]

CSIRT = SourceGroup.CSIRT


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with running(tmp_path_factory.mktemp("partners")) as settings:
        with open_app(settings.home) as opened:
            yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(app: App, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    made = desk_at(app, "partners", tmp_path_factory.mktemp("desk"))
    async with made.intake():
        yield made
    made.database.close()


async def publish(desk: Desk, source: str, body: bytes, group: SourceGroup = CSIRT) -> Place:
    """Publish with a key that the source has just been given."""
    settings = desk.app.settings.kafka
    password = await asyncio.to_thread(kafka_access.grant, settings, source, group)
    async with kafka.producer(as_partner(settings, source, password)) as producer:
        sent = await producer.send_and_wait(kafka.topic_of(group, source), body)
    return (sent.topic, sent.partition, sent.offset)


async def test_fk9_the_report_of_a_partner_that_came_while_intake_ran_has_its_principal(
    desk: Desk,
) -> None:
    same = content("same text")
    first = await publish(desk, "cert-one", body_of(same))
    second = await publish(desk, "bank-two", body_of(same), SourceGroup.PRIVATE_SECTOR)
    shared = await desk.publish(same)
    await desk.settled([first, second, *shared])

    rows = [row for row in desk.rows(report) if row["source_id"] == "same text"]
    assert {(row["principal"], row["group"]) for row in rows} == {
        ("cert-one", "csirt"),
        ("bank-two", "private-sector"),
        ("anonymous", "csirt"),
    }


async def test_a_record_of_a_partner_is_still_its_own_after_the_quarantine(
    app: App, tmp_path: Path
) -> None:
    strict = app.settings.intake.model_copy(update={"max_record_bytes": 10})
    settings = app.settings.model_copy(update={"intake": strict})
    own = desk_at(replace(app, settings=settings), "strict", tmp_path)
    async with own.intake():
        place = await publish(own, "cert-large", body_of(content("large")))
        await own.settled([place])
    (row,) = own.quarantined(place)

    outcomes = replay(own.database, open_store(own.app), app.settings.intake, [row["id"]], by="ana")

    found = [row["principal"] for row in own.rows(report) if row["source_id"] == "large"]
    own.database.close()
    assert (row["reason"], outcomes) == ("too-large", {row["id"]: "stored"})
    assert found == ["cert-large"]


async def test_fk9_intake_whose_password_is_wrong_says_so_and_settles_nothing(desk: Desk) -> None:
    wrong = as_partner(desk.app.settings.kafka, "leerp", "wrong")
    settings = desk.app.settings.model_copy(update={"kafka": wrong})
    before = desk.positions()
    with pytest.raises(ServiceDown, match="refuses the login of 'leerp'"):
        await run_intake(replace(desk.app, settings=settings), asyncio.Event())
    assert desk.positions() == before


async def test_a_restarted_intake_goes_on_where_it_was_with_the_topics_of_partners(
    app: App, tmp_path: Path
) -> None:
    own = desk_at(app, "restarted", tmp_path)
    async with own.intake():
        await own.settled([await publish(own, "cert-steady", body_of(content("before")))])
    place = await publish(own, "cert-steady", body_of(content("meanwhile")))
    async with own.intake():
        await own.settled([place])
    mine = [row for row in own.rows(report) if row["principal"] == "cert-steady"]
    own.database.close()
    assert [(row["source_id"], row["duplicates"]) for row in mine] == [
        ("before", 0),
        ("meanwhile", 0),
    ]
