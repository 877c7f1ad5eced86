"""From a cluster of reports to a detection: by the major-attack test (R7), or an officer's word."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from activities.evidence import load_evidence
from classification.major_attack import major_attack_test
from infra import casefile
from infra.tables import incident
from protocol.profile import Profile


def detect_in(connection: Connection, incident_ids: Collection[str], profile: Profile) -> None:
    """Test clusters that reports were added to, and tell the workflows of those detected."""
    rows = connection.execute(
        select(incident.c.id, incident.c.status).where(incident.c.id.in_(sorted(incident_ids)))
    )
    for incident_id, status in rows.all():
        if status == "triage":
            test = major_attack_test(load_evidence(connection, incident_id), profile)
            if not test.may_be_major:
                continue
            reasons = [
                limb.reason
                for limb in (test.multiple_victims, test.critical_infrastructure)
                if limb.met
            ]
            casefile.mark_detected(
                connection, incident_id, by="intake", channel="kafka", reason="; ".join(reasons)
            )
        if status in {"triage", "detected"}:
            casefile.tell(connection, "incident", incident_id)
