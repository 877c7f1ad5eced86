"""What officers found of a source's reports, and which letter that suggests.

The suggestion is for a person to look at: no letter is ever set by it. What a sender takes back is
no outcome, since to correct oneself is not to be unreliable; nor is an incident that was ruled out,
since what was reported of it may all be true.
Source: Regulation (EU) 2016/794 Art. 29(2); domain 2.1, 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import sqrt

from sqlalchemy import Connection, func, insert, select

from infra import audit
from infra.database import Database
from infra.tables import report
from infra.tables_sources import report_outcome
from intake.source_registry import stated
from notifications.authority import WORKING, Attempt, acting, attempted
from protocol.errors import NotFound
from protocol.grades import SourceReliability
from protocol.parties import ANONYMOUS
from protocol.profile import SourceRules


class Outcome(StrEnum):
    """What a report turned out to be."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How many of a source's reports turned out which way."""

    confirmed: int = 0
    refuted: int = 0


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
            f"{self.outcomes.confirmed} of {judged} judged reports confirmed: between "
            f"{self.low:.0%} and {self.high:.0%} of what it reports should hold"
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
        why = stated(reason)
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
    newest = select(func.max(report_outcome.c.seq)).group_by(report_outcome.c.report_id)
    rows = connection.execute(
        select(report.c.principal, report_outcome.c.outcome, func.count().label("times"))
        .join(report, report.c.id == report_outcome.c.report_id)
        .where(report_outcome.c.seq.in_(newest), report.c.principal != ANONYMOUS)
        .group_by(report.c.principal, report_outcome.c.outcome)
    )
    counted: dict[str, dict[str, int]] = {}
    for row in rows:
        counted.setdefault(row.principal, {})[row.outcome] = row.times
    return {principal: Outcomes(**times) for principal, times in counted.items()}


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


def wilson(confirmed: int, refuted: int, z: float) -> tuple[float, float]:
    """Wilson's score interval for the share of ``confirmed``; of nothing, from 0 to 1."""
    judged = confirmed + refuted
    if not judged:
        return 0.0, 1.0
    middle = confirmed + z * z / 2
    reach = z * sqrt(confirmed * refuted / judged + z * z / 4)
    return max(0.0, (middle - reach) / (judged + z * z)), min(
        1.0, (middle + reach) / (judged + z * z)
    )
