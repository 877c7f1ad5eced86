"""What officers found of a source's reports, and which letter that suggests.

The suggestion is for a person to look at: no letter is ever set by it. Reports of one incident stand
or fall together, so an incident counts once, however many of them a source sent. What a sender takes
back is no outcome, since to correct oneself is not to be unreliable; nor is an incident that was ruled
out, since what was reported of it may all be true.
Source: Regulation (EU) 2016/794 Art. 29(2); domain 2.1, 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import sqrt
from typing import Any

from sqlalchemy import Connection, Select, case, func, insert, select

from infra import audit
from infra.database import Database
from infra.tables import report
from infra.tables_sources import report_outcome
from intake.source_registry import NO_REASON
from notifications.authority import WORKING, Attempt, acting, attempted
from protocol.errors import NotFound
from protocol.grades import SourceReliability
from protocol.parties import ANONYMOUS
from protocol.profile import SourceRules
from protocol.reasons import stated_reason


class Outcome(StrEnum):
    """What a report turned out to be."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What a source's reports turned out to be, in incidents: one that was half right is half of each."""

    confirmed: float = 0
    refuted: float = 0
    reports: int = 0
    """So many were judged in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A letter that the outcomes would bear, and why; ``low`` to ``high`` is the Wilson interval."""

    letter: SourceReliability
    outcomes: Outcomes
    low: float
    high: float

    @property
    def words(self) -> str:
        """For people."""
        judged = self.outcomes.confirmed + self.outcomes.refuted
        if not judged:
            return "no report of it was confirmed or refuted yet"
        return (
            f"{self.outcomes.confirmed:.3g} of {judged:.0f} incidents confirmed, by "
            f"{self.outcomes.reports} judged reports: between {self.low:.0%} and {self.high:.0%} of "
            "what it reports should hold"
        )


def record_outcome(
    database: Database,
    report_id: str,
    outcome: Outcome,
    *,
    reason: str,
    by: str,
    channel: str = "system",
) -> str:
    """Note what a report turned out to be, and return its sender's principal. The newest word counts.

    Raises:
        NotFound: no such report.
        Refused: ``no-reason``, ``bad-reason``, ``unknown-officer`` or ``wrong-role``; whoever works
            on incidents may.
    """
    attempt = Attempt(officer=by, command="sources outcome", subject=report_id, channel=channel)
    with attempted(database, attempt) as connection:
        acting(connection, by, WORKING, attempt.command)
        why = stated_reason(reason, missing=NO_REASON)
        principal: str | None = connection.scalar(
            select(report.c.principal).where(report.c.id == report_id)
        )
        if principal is None:
            raise NotFound(f"no report {report_id}: see 'leerp reports list'")
        connection.execute(
            insert(report_outcome).values(
                report_id=report_id, outcome=outcome, by=by, at=datetime.now(UTC), reason=why
            )
        )
        audit.append(
            connection,
            "report_outcome_recorded",
            actor=by,
            subject=report_id,
            channel=channel,
            outcome=outcome,
            reason=why,
        )
        return principal


def outcomes(connection: Connection) -> dict[str, Outcomes]:
    """By principal; what nobody can be held to account for is left out."""
    rows = connection.execute(
        select(
            report.c.principal,
            report.c.incident_id,
            func.sum(case((report_outcome.c.outcome == Outcome.CONFIRMED, 1), else_=0)).label(
                "held"
            ),
            func.count().label("judged"),
        )
        .join(report, report.c.id == report_outcome.c.report_id)
        .where(report_outcome.c.seq.in_(_newest()), report.c.principal != ANONYMOUS)
        .group_by(report.c.principal, report.c.incident_id)
    )
    counted: dict[str, Outcomes] = {}
    for row in rows:
        before = counted.get(row.principal, Outcomes())
        share = row.held / row.judged
        counted[row.principal] = Outcomes(
            confirmed=before.confirmed + share,
            refuted=before.refuted + (1 - share),
            reports=before.reports + row.judged,
        )
    return counted


def outcome_log(connection: Connection, principal: str) -> list[dict[str, Any]]:
    """The judged reports of a source, the newest word on each, the newest first; JSON-able rows."""
    rows = connection.execute(
        select(report_outcome, report.c.incident_id)
        .join(report, report.c.id == report_outcome.c.report_id)
        .where(report_outcome.c.seq.in_(_newest()), report.c.principal == principal)
        .order_by(report_outcome.c.seq.desc())
    )
    return [
        {
            "report": row.report_id,
            "incident": row.incident_id,
            "outcome": row.outcome,
            "by": row.by,
            "at": row.at.isoformat(),
            "reason": row.reason,
        }
        for row in rows
    ]


def _newest() -> Select[tuple[int]]:
    return select(func.max(report_outcome.c.seq)).group_by(report_outcome.c.report_id)


def suggest(found: Outcomes, rules: SourceRules) -> Suggestion:
    """The letter that the outcomes would bear by the words of Art. 29(2).

    A: nothing was refuted, and the whole interval lies at ``reliable_in_all`` or above. B or C: the
    whole interval lies above or below ``reliable_in_most``. Else X: too few to say, or in between.
    """
    low, high = wilson(found.confirmed, found.refuted, rules.outcome_z)
    if not found.refuted and low >= rules.reliable_in_all:
        letter = SourceReliability.A
    elif low > rules.reliable_in_most:
        letter = SourceReliability.B
    elif high < rules.reliable_in_most:
        letter = SourceReliability.C
    else:
        letter = SourceReliability.X
    return Suggestion(letter=letter, outcomes=found, low=low, high=high)


def wilson(confirmed: float, refuted: float, z: float) -> tuple[float, float]:
    """Wilson's score interval for the share of ``confirmed``; of nothing, from 0 to 1."""
    judged = confirmed + refuted
    if not judged:
        return 0.0, 1.0
    middle = confirmed + z * z / 2
    reach = z * sqrt(confirmed * refuted / judged + z * z / 4)
    return max(0.0, (middle - reach) / (judged + z * z)), min(
        1.0, (middle + reach) / (judged + z * z)
    )
