"""From a cluster of reports to a detection: by the major-attack test (R7), or an officer's word."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, bindparam, select, update

from activities.evidence import load_evidence
from classification.claimed import NOTHING, Claimed
from classification.major_attack import MajorAttackTest, major_attack_test, major_attack_test_of
from infra import casefile
from infra.tables import incident
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
            claimed = NOTHING
            for item in evidence:
                claimed = claimed.joined(Claimed.of(item, profile.classification))
            save_claims(connection, {incident_id: claimed})
            detected = _detect(connection, incident_id, major_attack_test(evidence, profile))
        else:
            detected = status == "detected"
        if detected:
            casefile.tell(connection, "incident", incident_id)


def detect_by_claims(
    connection: Connection, grown: Mapping[str, Claimed], profile: Profile
) -> set[str]:
    """Test clusters under triage by what their reports claim together; return those detected.

    What was taken back still counts among the claims, so whoever may be met by them is looked at in
    full.
    """
    may_be = [
        incident_id
        for incident_id, claimed in grown.items()
        # Most claim no impact at all, and both limbs of the test ask for one.
        if claimed.criteria and major_attack_test_of(claimed, profile).may_be_major
    ]
    return {
        incident_id
        for incident_id in may_be
        if _detect(
            connection,
            incident_id,
            major_attack_test(load_evidence(connection, incident_id), profile),
        )
    }


def claims_together(
    correlator: Correlator, said: AbstractSet[tuple[str, str]]
) -> dict[str, Claimed]:
    """What the reports of each incident under triage that a batch touches claim together by now.

    ``said`` are the claims of new reports, as JSON, each with the incident that it went to.
    """
    claims: dict[str, Claimed] = {}
    for known in correlator.incidents.values():
        final = correlator.current(known.id)
        if not correlator.incidents[final].detected:
            claims[final] = claims.get(final, NOTHING).joined(known.claimed)
    for incident_id, claimed in said:
        if incident_id in claims:
            new = Claimed.from_json(json.loads(claimed))
            claims[incident_id] = claims[incident_id].joined(new)
    return claims


def save_claims(connection: Connection, claims: Mapping[str, Claimed]) -> None:
    """Keep what the reports of each cluster claim together."""
    if claims:
        connection.execute(
            update(incident)
            .where(incident.c.id == bindparam("at"))
            .values(claimed=bindparam("said")),
            [{"at": i, "said": claimed.to_json()} for i, claimed in claims.items()],
        )


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
