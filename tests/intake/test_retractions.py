"""What its sender takes back counts no longer, in whatever order the reports come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import delete, select

from activities.evidence import load_evidence
from infra.database import Database
from infra.tables import incident, relay, report
from protocol.parties import SourceGroup
from protocol.report import Relation, ReportContent, Reporter
from tests.intake.registry import sent
from tests.intake.registry import settle as settle_records
from tests.intake.samples import content, major, read, record, store_of

OTHER = Reporter(name="CERT of elsewhere")


def taking_back(kind: str, name: str, *shorts: str, **changes: Any) -> ReportContent:
    relation = Relation.model_validate({"kind": kind, "id": name})
    return content(f"{kind} {name}", *shorts, relations=(relation,), **changes)


def settle(database: Database, *reports: ReportContent, groups: Sequence[SourceGroup] = ()) -> None:
    """One batch each, so that the order is that of the arguments."""
    given = [*groups, *[SourceGroup.CSIRT] * len(reports)]
    for offset, (each, group) in enumerate(zip(reports, given, strict=False)):
        store_of(database).settle(read(record(each, offset=offset, group=group)), source="test")


def counting(database: Database) -> set[str]:
    """Source ids of the reports that count as evidence."""
    with database.read() as connection:
        names = {
            row.id: row.source_id
            for row in connection.execute(select(report.c.id, report.c.source_id))
        }
        found = set()
        for incident_id in connection.scalars(select(incident.c.id)).all():
            loaded = load_evidence(connection, incident_id)
            found |= {names[item.report_id] for item in loaded if not item.retracted}
    return found


@pytest.mark.parametrize("kind", ["withdraws", "replaces"])
@pytest.mark.parametrize("shorts", [(), ("hash-1",)])
def test_in_any_order_what_is_taken_back_does_not_count(
    tmp_path_factory: pytest.TempPathFactory, kind: str, shorts: tuple[str, ...]
) -> None:
    """With indicators in common, both are in one incident; without, in two."""
    reports = [content("a", *shorts), content("b", *shorts), taking_back(kind, "a", *shorts)]
    own = {f"{kind} a"} if kind == "replaces" else set()
    for order in permutations(reports):
        database = Database(f"sqlite:///{tmp_path_factory.mktemp('order') / 'leerp.db'}")
        database.migrate()
        settle(database, *order)
        assert counting(database) == {"b", *own}
        database.close()


def test_a_report_may_be_named_by_our_id_of_it(database: Database) -> None:
    settle(database, content("a"))
    with database.read() as connection:
        ours = connection.scalar(select(report.c.id)) or ""
    settle(database, content("a"), taking_back("withdraws", ours))
    assert counting(database) == set()


def test_nobody_takes_back_what_another_has_said(database: Database) -> None:
    settle(
        database,
        content("a"),
        taking_back("replaces", "a", reporter=OTHER),
        taking_back("replaces", "a"),
        groups=[SourceGroup.CSIRT, SourceGroup.CSIRT, SourceGroup.OTHER],
    )
    assert counting(database) == {"a", "replaces a"}


def test_each_version_of_a_report_replaces_those_before_it(database: Database) -> None:
    again = (Relation(kind="replaces", id="a"),)
    versions = [content("a", title=f"Version {n}", relations=again if n else ()) for n in range(3)]
    settle(database, *versions)
    with database.read() as connection:
        newest = connection.scalar(select(report.c.id).where(report.c.title == "Version 2"))
        live = {
            item.report_id
            for incident_id in connection.scalars(select(incident.c.id)).all()
            for item in load_evidence(connection, incident_id)
            if not item.retracted
        }
    assert live == {newest}


def test_a_report_that_revokes_itself_takes_back_all_that_was_sent_under_its_id(
    database: Database,
) -> None:
    revoked = content("a", title="Revoked", relations=(Relation(kind="withdraws", id="a"),))
    settle(database, content("a"), revoked)
    assert counting(database) == set()


@pytest.mark.requirement("R7")
def test_a_withdrawn_report_makes_no_detection(database: Database) -> None:
    settle(database, taking_back("withdraws", "a"), major("a", "hash-1"))
    with database.read() as connection:
        assert set(connection.scalars(select(incident.c.status))) == {"triage"}


def test_the_workflow_of_a_detection_hears_that_its_evidence_was_taken_back(
    database: Database,
) -> None:
    settle(database, major("a", "hash-1"))
    with database.write() as connection:
        connection.execute(delete(relay))
        detected = connection.scalar(select(incident.c.id))
    store_of(database).settle(read(record(taking_back("withdraws", "a"), offset=9)), source="test")
    with database.read() as connection:
        assert connection.scalars(select(relay.c.target)).all() == [detected]


def test_a_name_that_no_report_can_have_is_passed_over(database: Database) -> None:
    both = tuple(Relation(kind="replaces", id=name) for name in ("y" * 900, "a", "a"))
    settle(database, content("a"), content("b", relations=both))
    assert counting(database) == {"b"}


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("kind", ["withdraws", "replaces"])
def test_what_came_on_a_sources_own_topic_only_that_source_takes_back(
    database: Database, kind: str
) -> None:
    """Anybody may give the same name on a topic that all share."""
    own, claimed = (taking_back(kind, "a", "hash-1", title=name) for name in ("own", "claimed"))
    store = store_of(database)
    settle_records(store, sent(content("a", "hash-1"), "cert-ee"))
    settle_records(store, record(claimed, offset=1), sent(claimed, "cert-fi", offset=1))
    assert "a" in counting(database)
    settle_records(store, sent(own, "cert-ee", offset=2))
    assert "a" not in counting(database)
