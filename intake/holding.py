"""What holds a cluster together: the indicators that most of its reports share, and hubs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from infra.tables import indicator, report
from protocol.profile import CorrelationRules
from protocol.report import IndicatorType

SHOWN = 3
"""Indicators of one cluster that are named."""


def held_by(
    connection: Connection, incident_ids: Sequence[str], rules: CorrelationRules
) -> dict[str, list[dict[str, Any]]]:
    """By cluster its most shared indicators that weigh anything: ``indicator``, ``reports``,
    ``sources`` (how many reporters name it) and ``hub``.

    A *hub* is named by so many reports of so many sources that it may join what is not one attack:
    a person should look whether it tells anything. Nothing stops linking by it, since that would
    make the outcome depend on the order of arrival (docs/decisions/009).
    """
    weighing = [kind for kind in IndicatorType if rules.weights.get(kind, 0.0) > 0]
    reports = func.count(indicator.c.report_seq.distinct()).label("reports")
    origin = report.c.evidence["origin"].as_string()
    rows = connection.execute(
        select(
            report.c.incident_id,
            indicator.c.type,
            indicator.c.value,
            reports,
            func.count(origin.distinct()).label("sources"),
        )
        .join(report, report.c.seq == indicator.c.report_seq)
        .where(report.c.incident_id.in_(incident_ids), indicator.c.type.in_(weighing))
        .group_by(report.c.incident_id, indicator.c.type, indicator.c.value)
        .having(reports > 1)
        .order_by(reports.desc(), indicator.c.type, indicator.c.value)
    )
    found: dict[str, list[dict[str, Any]]] = {incident_id: [] for incident_id in incident_ids}
    for row in rows:
        named = found[row.incident_id]
        if len(named) < SHOWN:
            named.append(
                {
                    "indicator": f"{row.type} {row.value}",
                    "reports": row.reports,
                    "sources": row.sources,
                    "hub": row.reports >= rules.hub_reports and row.sources >= rules.hub_sources,
                }
            )
    return found
