"""The single changes that are looked at for one incident: finite, from its profile and its evidence.

Only what could move something is in it. In this order:

* **reported**: a further source, independent of all others, reports one fact, graded as the profile
  asks of one item alone: a criterion of a level above the confirmed one; risk to life; one of the
  states that is reported and not confirmed, or a further one; so many organisations or victims as
  the next rows of the matrix ask for; a disruption; that it spreads by itself; an essential sector;
  in charge, another cause that is clear; malice where an officer has confirmed another cause.
* **stated**: an officer states a trigger (T3, T4, T6, T7 and T8 weigh the same and are one family;
  T5), expects propagation (T1), holds an essential sector (T2) or a state for probably affected, or
  confirms a cause that the profile excludes.
* **regraded**, **withdrawn**: one report gets a grade that confirms more or less than its own does
  (the least such grade), or is taken back. Reports that are alike are one family.
* **refuted**: one fact that is reported turns out to be untrue, whoever reports it: a criterion, a
  member state, an essential sector, that it spreads, the disruption, or a number that the matrix
  asks for. Firm states, and firm sectors, weigh the same and are one family each.
* **taken back**: all that officers stated on one trigger, state, sector or cause.

Not in it: an override of G4 (a decision and no fact), states outside the EU and the EEA, bad
further reports, and a second report on a fact that is confirmed already. None of these can lift or
lower anything that a change of the list does not.
Source: domain 3.3, 3.4; R11, R13, R15.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from classification.changes import Change
from classification.claims import Claims
from classification.evidence import Evidence
from classification.findings import Findings
from classification.judgement import judge
from classification.kinds import kinds_of
from classification.space_facts import refuted, reported
from classification.space_findings import stated, taken_back
from classification.space_reports import changed_reports
from protocol.profile import Profile


def changes_of(
    reports: Iterable[Evidence],
    claims: Claims,
    findings: Findings,
    profile: Profile,
    *,
    at_most: int,
) -> tuple[Change, ...]:
    """All changes that are looked at, where sets of ``at_most`` are.

    ``claims`` are those of ``reports``.
    """
    judged = judge(claims, findings, profile)
    return tuple(
        _each(
            reported(claims, judged, findings, profile, at_most),
            stated(judged, findings, profile, at_most),
            changed_reports(kinds_of(reports, claims, profile, at_most), profile),
            refuted(claims, judged, findings, profile, at_most),
            taken_back(findings, profile),
        )
    )


def _each(*parts: Iterator[Change]) -> Iterator[Change]:
    for part in parts:
        yield from part
