"""From a cluster of reports to a detection: by the major-attack test (R7), or an officer's word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache

from sqlalchemy import Connection, select

from activities.evidence import load_evidence
from classification.claimed import NOTHING, Claimed, together
from classification.major_attack import MajorAttackTest, major_attack_test, major_attack_test_of
from classification.matrix import impact_level
from infra import casefile
from infra.bulk import Bulk
from infra.tables import incident
from intake.claims import (
    NO_CLAIMS,
    REMEMBERED,
    claims_in,
    claims_text,
    impact_in,
)
from intake.correlation import Correlator
from protocol.profile import Profile


def detect_in(connection: Connection, incident_ids: Collection[str], profile: Profile) -> None:
    """Test clusters whose reports changed in any way, by reading all of them again.

    Tells the workflows of those detected.
    """
    rows = connection.execute(
        select(incident.c.id, incident.c.status).where(incident.c.id.in_(sorted(incident_ids)))
    )
    for incident_id, status in rows.all():
        if status == "triage":
            evidence = load_evidence(connection, incident_id)
            claims = [Claimed.of(item, profile.classification) for item in evidence]
            save_claims(connection, {incident_id: claims_text(together([NOTHING, *claims]))})
            detected = _detect(connection, incident_id, major_attack_test(evidence, profile))
        else:
            detected = status == "detected"
        if detected:
            casefile.tell(connection, "incident", incident_id)


def detect_by_claims(
    connection: Connection, grown: Mapping[str, str], test: ClaimsTest
) -> set[str]:
    """Test clusters under triage by what their reports claim together; return those detected.

    What was taken back still counts among the claims, so whoever may be met by them is looked at in
    full.
    """
    may_be = [incident_id for incident_id, text in grown.items() if test.may_be_major(text)]
    return {
        incident_id
        for incident_id in may_be
        if _detect(
            connection,
            incident_id,
            major_attack_test(load_evidence(connection, incident_id), test.profile),
        )
    }


class ClaimsTest:
    """The major-attack test of claims, as JSON, under one profile."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        rules = profile.detection
        self._needed = min(rules.impact, rules.critical_impact)
        """Both limbs ask for an impact; most clusters claim none so high, which is seen at once."""
        self._enough = lru_cache(REMEMBERED)(self._is_enough)

    def may_be_major(self, claimed: str) -> bool:
        """Whether the cluster may be a detection if every claim is true."""
        impact = impact_in(claimed)
        if not (self._enough(impact.criteria) or len(impact.disrupted_sectors) > 1):
            return False
        return major_attack_test_of(claims_in(claimed), self.profile).may_be_major

    def _is_enough(self, criteria: tuple[str, ...]) -> bool:
        return impact_level(frozenset(criteria), self.profile.classification) >= self._needed


def claims_together(correlator: Correlator, said: AbstractSet[tuple[str, str]]) -> dict[str, str]:
    """What the reports of incidents under triage claim together by now, where that has grown; as JSON.

    ``said`` are the claims of new reports, as JSON, each with the incident that it went to.
    """
    texts: dict[str, set[str]] = defaultdict(set)
    for incident_id, claimed in said:
        texts[incident_id].add(claimed)
    for was in correlator.merged:
        texts[correlator.current(was)].add(correlator.incidents[was].claimed)
    grown: dict[str, str] = {}
    for incident_id, several in texts.items():
        known = correlator.incidents[incident_id]
        several.add(known.claimed)
        if known.detected or len(several) == 1:
            continue
        several.discard(NO_CLAIMS)
        if len(several) == 1:
            (joined,) = several
        else:
            joined = claims_text(together([claims_in(text) for text in several]))
        if known.opened or joined != known.claimed:
            grown[incident_id] = joined
    return grown


def save_claims(connection: Connection, claims: Mapping[str, str]) -> None:
    """Keep what the reports of each cluster claim together, as JSON."""
    rows = [(claimed, incident_id) for incident_id, claimed in sorted(claims.items())]
    Bulk(connection).update(incident, ("claimed",), ("id",), rows)


def _detect(connection: Connection, incident_id: str, test: MajorAttackTest) -> bool:
    if not test.may_be_major:
        return False
    reasons = [
        limb.reason for limb in (test.multiple_victims, test.critical_infrastructure) if limb.met
    ]
    casefile.mark_detected(
        connection, incident_id, by="intake", channel="kafka", reason="; ".join(reasons)
    )
    return True
