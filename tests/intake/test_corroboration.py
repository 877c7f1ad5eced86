"""The pass that follows intake: digit 3 with the ids, 4 again when those are withdrawn."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select, update

from activities.standing import taken_back
from classification.corroboration import corroborations, item_of
from infra import audit
from infra.database import Database
from infra.tables import evaluation, incident, relay, report
from infra.tables_corroboration import fallen, quiet, sweep, voice
from intake.corroboration import Corroborator
from protocol.grades import Grade
from protocol.parties import SourceGroup
from protocol.report import Affected, Evaluation, IncidentReport, Relation, ReportContent, Reporter
from tests.infra.postgres import running_postgres
from tests.intake.desk import until
from tests.intake.formats.samples import misp_event
from tests.intake.samples import (
    content,
    indicator,
    major,
    profile,
    read,
    record,
    store_of,
    telling,
)

NUMBERS = itertools.count(1)
OFFSETS = itertools.count()
RULES = profile().correlation
WARNING = (
    "A worm encrypts the files of hospitals in several states and spreads through a flaw of the file"
    " sharing service. Disconnect what cannot be mended, and keep images of memory for us."
)
Databases = Callable[[], AbstractContextManager[Database]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres")
        name = f"leerp_{next(NUMBERS)}"
        with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as at:
            at.execute(f'CREATE DATABASE "{name}"'.encode())
        url = f"{server}/{name}"
    made = Database(url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Makes empty databases, fast enough for one an example."""
    folder = tmp_path_factory.mktemp("corroboration")
    made = Database(f"sqlite:///{folder / 'empty.db'}")
    made.migrate()
    made.close()

    @contextmanager
    def opened() -> Iterator[Database]:
        path = folder / f"{next(NUMBERS)}.db"
        shutil.copy(folder / "empty.db", path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()
        path.unlink()

    return opened


def said(name: str, *shorts: str, by: str = "", **changes: Any) -> ReportContent:
    """A report in words of its own, by a reporter of that name."""
    return content(name, *shorts, reporter=Reporter(name=by or f"Reporter {name}"), **changes)


def withdrawal(of: str, by: str) -> ReportContent:
    gone = (Relation(kind="withdraws", id=of),)
    return said(f"not {of}", by=by, relations=gone)


def settle(
    database: Database,
    *bodies: bytes | ReportContent,
    principals: Sequence[str] = (),
    group: SourceGroup = SourceGroup.CSIRT,
) -> None:
    for body, principal in itertools.zip_longest(bodies, principals, fillvalue="anonymous"):
        one = record(body, offset=next(OFFSETS), group=group)  # type: ignore[arg-type]
        store_of(database).settle(read(replace(one, principal=str(principal))), source="test")


def corroborator(database: Database, **changes: Any) -> Corroborator:
    return Corroborator(database, RULES, telling, **changes)


def finish(database: Database, **changes: Any) -> int:
    """Let the pass work until it finds nothing more to do; return how often it did."""
    one = corroborator(database, **changes)
    return sum(1 for _ in iter(one.step, False))


def digits(database: Database) -> dict[str, str]:
    """The grade in force by the sender's id."""
    with database.read() as connection:
        rows = connection.execute(
            select(report.c.source_id, report.c.source_grade, report.c.information_grade)
        )
        return {name: f"{source}{digit}" for name, source, digit in rows}


def history(database: Database, name: str) -> list[tuple[str, str, list[str] | None]]:
    """Kind, grade and corroborating reports (by the sender's id) of each evaluation."""
    with database.read() as connection:
        names = {
            row.id: row.source_id
            for row in connection.execute(select(report.c.id, report.c.source_id))
        }
        rows = connection.execute(
            select(evaluation)
            .join(report, report.c.id == evaluation.c.report_id)
            .where(report.c.source_id == name)
            .order_by(evaluation.c.id)
        ).all()
    return [
        (
            row.kind,
            f"{row.source_grade}{row.information_grade}",
            row.corroborated_by and sorted(names[each] for each in row.corroborated_by),
        )
        for row in rows
    ]


@pytest.mark.requirement("R11", "R12")
def test_of_two_sources_with_one_text_neither_bears_the_other_out(any_database: Database) -> None:
    settle(
        any_database,
        said("a", "hash-1", title="Worm in hospitals", description=WARNING),
        said("b", "hash-1", title="WORM in hospitals!", description=f"> {WARNING}"),
    )
    finish(any_database)
    assert digits(any_database) == {"a": "X4", "b": "X4"}
    assert history(any_database, "a") == [("intake", "X4", None)]


@pytest.mark.requirement("R11", "R12")
def test_two_independent_ones_get_digit_3_with_the_ids(any_database: Database) -> None:
    settle(any_database, said("a", "hash-1"), said("b", "hash-1"))
    finish(any_database)
    assert digits(any_database) == {"a": "X3", "b": "X3"}
    assert history(any_database, "a") == [
        ("intake", "X4", None),
        ("corroboration", "X3", ["b"]),
    ]
    with any_database.read() as connection:
        ids = connection.scalars(select(report.c.id).order_by(report.c.seq)).all()
        assert audit.verify(connection).verified
        rows = [row for row in audit.export(connection) if row["event"] == "grades_corroborated"]
        reasons = connection.scalars(
            select(evaluation.c.reason).where(evaluation.c.kind == "corroboration")
        ).all()
    assert [row["detail"] for row in rows] == [{"raised": ids, "fallen": []}]
    assert ids[1] in reasons[0]


@pytest.mark.requirement("R12")
def test_a_misp_event_passed_on_by_another_organisation_bears_nothing_out(
    any_database: Database,
) -> None:
    first = {"Orgc": {"name": "CSIRT One"}, "Org": {"name": "CSIRT One"}}
    passed_on = {"Orgc": {"name": "CSIRT One"}, "Org": {"name": "CERT Two"}}
    own = {"Orgc": {"name": "CERT Three"}, "Org": {"name": "CERT Three"}}
    attributes = [{"type": "sha256", "value": indicator("hash-1").value}]
    events = [
        misp_event(Attribute=attributes, Tag=[], **first),
        misp_event(
            Attribute=attributes, Tag=[], uuid="00000000-0000-4000-8000-000000000002", **passed_on
        ),
    ]
    bodies = [json.dumps(event).encode() for event in events]
    settle(any_database, bodies[0], group=SourceGroup.CSIRT)
    settle(any_database, bodies[1], group=SourceGroup.PRIVATE_SECTOR)
    finish(any_database)
    assert set(digits(any_database).values()) == {"X4"}

    third = misp_event(
        Attribute=attributes,
        Tag=[],
        uuid="00000000-0000-4000-8000-000000000003",
        info="Ransom note in radiology",
        **own,
    )
    settle(any_database, json.dumps(third).encode(), group=SourceGroup.PRIVATE_SECTOR)
    finish(any_database)
    assert set(digits(any_database).values()) == {"X3"}
    assert history(any_database, events[0]["Event"]["uuid"])[-1][2] == [third["Event"]["uuid"]]


def test_a_named_victim_links_reports_of_different_incidents(database: Database) -> None:
    victim = (Affected(kind="organisation", value="City Hospital"),)
    settle(database, said("a", affected=victim), said("b", affected=victim))
    finish(database)
    assert digits(database) == {"a": "X3", "b": "X3"}


def test_two_reporters_of_one_principal_are_one_origin(database: Database) -> None:
    settle(database, said("a", "hash-1"), said("b", "hash-1"), principals=["User:hub", "User:hub"])
    finish(database)
    assert digits(database) == {"a": "X4", "b": "X4"}


@pytest.mark.requirement("R12")
def test_the_grade_of_a_provider_and_of_a_person_stay_as_they_are(database: Database) -> None:
    graded = Evaluation(scheme="europol4x4", original="B4", grade=Grade.parse("B4"))
    settle(
        database,
        said("provider", "hash-1", evaluation=graded),
        said("person", "hash-1"),
        said("hand", "hash-1", first_hand=True),
        said("last", "hash-1"),
    )
    with database.write() as connection:
        judged = connection.scalar(select(report.c.id).where(report.c.source_id == "person"))
        row = {"kind": "centre", "scheme": "europol4x4", "original": "C4", "by": "ana"}
        connection.execute(
            evaluation.insert().values(
                **row,
                report_id=judged,
                source_grade="C",
                information_grade="4",
                at=func.now(),
                reason="known to be wrong",
            )
        )
        connection.execute(update(report).where(report.c.id == judged).values(source_grade="C"))
    finish(database)
    assert digits(database) == {"provider": "B4", "person": "C4", "hand": "X2", "last": "X3"}
    assert history(database, "last")[-1][2] == ["hand", "person", "provider"]


def test_when_the_only_other_is_withdrawn_the_digit_falls_and_it_is_recorded(
    any_database: Database,
) -> None:
    settle(any_database, said("a", "hash-1"), said("b", "hash-1"))
    finish(any_database)
    settle(any_database, withdrawal("b", "Reporter b"))
    finish(any_database)
    assert digits(any_database)["a"] == "X4"
    assert [grade for _, grade, _ in history(any_database, "a")] == ["X4", "X3", "X4"]
    with any_database.read() as connection:
        assert not connection.scalar(select(func.count()).select_from(fallen))


def test_when_one_of_several_is_withdrawn_the_others_are_named(database: Database) -> None:
    settle(database, said("a", "hash-1"), said("b", "hash-1"), said("c", "hash-1"))
    finish(database)
    settle(database, withdrawal("b", "Reporter b"))
    finish(database)
    assert digits(database)["a"] == "X3"
    assert history(database, "a")[-1] == ("corroboration", "X3", ["c"])


def test_the_workflow_of_a_detection_hears_that_grades_changed(database: Database) -> None:
    settle(database, major("a", "hash-1"), said("b", "hash-1"), said("c"), said("d"))
    with database.write() as connection:
        connection.execute(delete(relay))
        detected = connection.scalar(select(incident.c.id).where(incident.c.status == "detected"))
    finish(database)
    finish(database)
    with database.read() as connection:
        assert connection.scalars(select(relay.c.target)).all() == [detected]


def test_two_passes_at_once_write_each_grade_once(database: Database) -> None:
    settle(database, *(said(f"r{n}", "hash-1") for n in range(12)))
    one, other = corroborator(database, chunk=3), corroborator(database, chunk=3)

    async def both() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(one.run(stop))
            group.create_task(other.run(stop))
            await until(lambda: set(digits(database).values()) == {"X3"})
            stop.set()

    asyncio.run(both())
    finish(database)
    assert all(len(history(database, f"r{n}")) == 2 for n in range(12))


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", range(12))
def test_killed_between_two_statements_it_ends_the_same(database: Database, after: int) -> None:
    """The chunk in hand is lost as a whole, and done again."""
    others = [said(f"r{n}", "hash-1", "ip-2") for n in range(6)]
    settle(database, *others, withdrawal("r0", "Reporter r0"))
    calls = itertools.count()

    def killing(*_: Any) -> None:
        if next(calls) == after:
            raise KilledError

    event.listen(database.engine, "before_cursor_execute", killing)
    with pytest.raises(KilledError):
        finish(database, chunk=2)
    event.remove(database.engine, "before_cursor_execute", killing)
    finish(database, chunk=2)
    found = digits(database)
    assert {name for name, grade in found.items() if grade == "X3"} == {
        f"r{n}" for n in range(1, 6)
    }
    assert all(len(history(database, f"r{n}")) == 2 for n in range(1, 6))


def test_of_a_hub_only_some_speak_and_all_are_judged(database: Database) -> None:
    """One feed names the address again and again; a single other one bears all of it out."""
    settle(database, *(said(f"feed {n}", "ip-1", by="Feed") for n in range(40)))
    finish(database, chunk=7)
    with database.read() as connection:
        loud = connection.scalar(select(func.count()).select_from(voice))
        silent = connection.scalar(select(func.count()).select_from(quiet))
    assert (loud, silent) == (4, 36)
    assert set(digits(database).values()) == {"X4"}

    settle(database, said("other", "ip-1"))
    finish(database, chunk=7)
    assert set(digits(database).values()) == {"X3"}
    assert len(history(database, "other")[-1][2] or ()) == 4
    with database.read() as connection:
        assert not connection.scalar(select(func.count()).select_from(sweep))


def test_when_voices_are_withdrawn_quiet_reports_step_up(database: Database) -> None:
    settle(database, *(said(f"feed {n}", "ip-1", by="Feed") for n in range(6)), said("x", "ip-1"))
    finish(database)
    settle(database, *(withdrawal(f"feed {n}", "Feed") for n in range(5)))
    finish(database)
    assert (digits(database)["x"], history(database, "x")[-1][2]) == ("X3", ["feed 5"])
    settle(database, withdrawal("feed 5", "Feed"))
    finish(database)
    assert digits(database)["x"] == "X4"


names = st.sampled_from(["Alpha", "Beta", "Gamma", "Delta"])
shorts = st.lists(
    st.sampled_from(["hash-1", "ip-2", "domain-3", "ip-9"]), min_size=1, max_size=3, unique=True
)


@st.composite
def streams(draw: st.DrawFn) -> list[ReportContent]:
    """Reports of a few reporters on a few indicators, some passed on, some withdrawn."""
    made: list[ReportContent] = []
    for n in range(draw(st.integers(1, 7))):
        by = draw(names)
        text = draw(st.sampled_from(["", "", f"Same words {n % 2}"]))
        one = said(f"r{n}", *draw(shorts), by=by, day=draw(st.sampled_from([0, 10, 30])))
        made.append(one.model_copy(update={"title": text or f"Report number {n}"}))
        if draw(st.integers(0, 4)) == 0:
            made.append(withdrawal(f"r{n}", by))
    return made


def by_the_rule(database: Database) -> dict[str, str]:
    """The digits of the pure rule over all that is stored."""
    with database.read() as connection:
        documents = connection.scalars(select(report.c.document)).all()
        gone = taken_back(connection, report.c.seq > 0)
    reports = [IncidentReport.model_validate(document) for document in documents]
    items = [item_of(each, RULES, telling) for each in reports]
    found = corroborations(
        replace(each, retracted=each.retracted or each.report_id in gone) for each in items
    )
    return {each.source_id: "X3" if found[each.id] else "X4" for each in reports}


@settings(max_examples=40)
@given(streams(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_in_any_order_and_batches_the_pass_ends_as_the_rule_says(
    databases: Databases, stream: list[ReportContent], chunk: int, chance: Any
) -> None:
    chance.shuffle(stream)
    with databases() as database:
        for each in stream:
            settle(database, each)
            if chance.random() < 0.3:
                corroborator(database, chunk=chunk).step()
        finish(database, chunk=chunk)
        assert digits(database) == by_the_rule(database)
