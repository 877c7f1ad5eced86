"""What holds a cluster together: the indicators that most of its reports share, and hubs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from infra.bulk import Bulk
from infra.tables import indicator, report
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
    reports = func.count(indicator.c.report_seq).label("reports")
    origin = report.c.evidence["origin"].as_string()
    rows = connection.execute(
        select(
            report.c.incident_id,
            indicator.c.key,
            reports,
            func.count(origin.distinct()).label("sources"),
            func.min(indicator.c.report_seq).label("one"),
        )
        .join(report, report.c.seq == indicator.c.report_seq)
        .where(report.c.incident_id.in_(incident_ids))
        .group_by(report.c.incident_id, indicator.c.key)
        .having(reports > 1)
        .order_by(reports.desc(), indicator.c.key)
    )
    most: dict[str, list[Row[Any]]] = {incident_id: [] for incident_id in incident_ids}
    for row in rows:
        if len(most[row.incident_id]) < LOOKED_AT:
            most[row.incident_id].append(row)
    named = _named(connection, {row.one for rows in most.values() for row in rows})
    return {
        incident_id: [
            {
                "indicator": f"{known[0]} {known[1]}",
                "reports": row.reports,
                "sources": row.sources,
                "hub": row.reports >= rules.hub_reports and row.sources >= rules.hub_sources,
            }
            for row in found
            if (known := named[row.key]) and rules.weights.get(known[0], 0.0) > 0
        ][:SHOWN]
        for incident_id, found in most.items()
    }


def _named(connection: Connection, reports: Collection[int]) -> dict[int, Known]:
    """The indicators of these reports, by their keys."""
    documents = connection.scalars(
        select(report.c.document).where(Bulk(connection).among(report.c.seq, reports))
    )
    found: dict[int, Known] = {}
    for document in documents:
        for each in document["indicators"]:
            known = IndicatorType(each["type"]), each["value"]
            found[key_of(known)] = known
    return found
