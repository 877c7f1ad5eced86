"""What holds a cluster together: the indicators that most of its reports share, and hubs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from sqlalchemy import Connection, select

from infra.originals import documents
from infra.packing import unpacked
from infra.tables import report
from intake.link_keys import Known, key_of
from protocol.profile import CorrelationRules
from protocol.report import IndicatorType

SHOWN = 3
"""Indicators of one cluster that are named."""
LOOKED_AT = 12
"""The most shared ones, of which some may weigh nothing."""


def held_by(
    connection: Connection, incident_ids: Sequence[str], rules: CorrelationRules
) -> dict[str, list[dict[str, Any]]]:
    """By cluster its most shared indicators that weigh anything: ``indicator``, ``reports``,
    ``sources`` (how many reporters name it) and ``hub``.

    A *hub* is named by so many reports of so many sources that it may join what is not one attack:
    a person should look whether it tells anything. Nothing stops linking by it, since that would
    make the outcome depend on the order of arrival (docs/decisions/009).
    """
    most = {incident_id: _most_shared(connection, incident_id) for incident_id in incident_ids}
    named = _named(connection, {each.one for shared in most.values() for each in shared})
    return {
        incident_id: [
            {
                "indicator": f"{known[0]} {known[1]}",
                "reports": each.reports,
                "sources": len(each.sources),
                "hub": each.reports >= rules.hub_reports and len(each.sources) >= rules.hub_sources,
            }
            for each in shared
            if (known := named[each.key]) and rules.weights.get(known[0], 0.0) > 0
        ][:SHOWN]
        for incident_id, shared in most.items()
    }


@dataclass(slots=True, kw_only=True)
class _Shared:
    """One indicator that several reports of a cluster name."""

    key: int
    reports: int
    one: int
    """The first of them."""
    sources: set[str] = field(default_factory=set)


def _most_shared(connection: Connection, incident_id: str) -> list[_Shared]:
    """What most reports of a cluster share, the most shared first."""
    rows = connection.execute(
        select(report.c.seq, report.c.indicators, report.c.evidence["origin"].as_string())
        .where(report.c.incident_id == incident_id)
        .order_by(report.c.seq)
    ).all()
    reports: Counter[int] = Counter()
    for _, indicators, _ in rows:
        reports.update(unpacked(indicators))
    most = nsmallest(LOOKED_AT, ((-n, key) for key, n in reports.items() if n > 1))
    shared = {key: _Shared(key=key, reports=-n, one=0) for n, key in most}
    for seq, indicators, origin in rows:
        for key in shared.keys() & unpacked(indicators):
            shared[key].one = shared[key].one or seq
            shared[key].sources.add(origin)
    return list(shared.values())


def _named(connection: Connection, reports: Collection[int]) -> dict[int, Known]:
    """The indicators of these reports, by their keys."""
    found: dict[int, Known] = {}
    for _, document in documents(connection, reports):
        for each in document["indicators"]:
            known = IndicatorType(each["type"]), each["value"]
            found[key_of(known)] = known
    return found
