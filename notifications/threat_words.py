"""What the codes of an Initial Threat Assessment mean, in words for whoever reads it first.

Source: domain 2.1, 3.3, 3.4, 4.1 to 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping

from classification.gates import GateId
from classification.matrix import ReachLevel, ThreatClass
from notifications.pages import H1_LEGEND
from protocol.grades import InformationAccuracy, SourceReliability
from protocol.markings import Classification, HandlingCode, Pap, Tlp
from protocol.parties import RecipientClass, SourceGroup
from protocol.report import Cause, Disruption, ImpactLevel
from protocol.stages import Recommendation

CLASSES: Mapping[ThreatClass, str] = {
    ThreatClass.C0: "negligible",
    ThreatClass.C1: "low",
    ThreatClass.C2: "elevated",
    ThreatClass.C3: "high",
    ThreatClass.C4: "emergency",
}
RECOMMENDATIONS: Mapping[Recommendation, tuple[str, str]] = {
    Recommendation.LAUNCH: (
        "Launch",
        "Launch the protocol: stage III, the coordination centre, follows at once.",
    ),
    Recommendation.HOLD_CORROBORATE: (
        "Hold",
        "Hold and corroborate: it would be an emergency, but what is confirmed does not carry it.",
    ),
    Recommendation.MONITOR: (
        "Monitor",
        "Do not launch now: watch, and assess again when the outlook window has passed.",
    ),
    Recommendation.NORMAL_PROCEDURE: (
        "Normal procedure",
        "Do not launch: national authorities act under their normal procedure.",
    ),
    Recommendation.NO_EU_NEXUS: (
        "No EU nexus",
        "Do not launch: no state of the EU or the EEA is affected.",
    ),
    Recommendation.OUT_OF_SCOPE: (
        "Out of scope",
        "Do not launch: a cause that is not criminal is clear.",
    ),
}
IMPACTS: Mapping[ImpactLevel, str] = {
    ImpactLevel.I0: "none",
    ImpactLevel.I1: "minor",
    ImpactLevel.I2: "significant",
    ImpactLevel.I3: "severe",
    ImpactLevel.I4: "extreme",
}
REACHES: Mapping[ReachLevel, str] = {
    ReachLevel.P0: "one person or device",
    ReachLevel.P1: "one organisation",
    ReachLevel.P2: "several organisations in one state",
    ReachLevel.P3: "several states, or very many victims in one",
    ReachLevel.P4: "many states, very many victims, or spreading by itself",
}
CAUSES: Mapping[Cause, str] = {
    Cause.MALICIOUS: "malicious: confirmed",
    Cause.PRESUMED_MALICIOUS: "unknown: presumed malicious, since no other cause is clear",
    Cause.TECHNICAL_FAILURE: "technical failure",
    Cause.NATURAL: "natural event",
    Cause.HUMAN_ERROR: "human error",
    Cause.THIRD_PARTY: "failure of a third party",
}
DISRUPTIONS: Mapping[Disruption, str] = {
    Disruption.OBSERVED: "services are disrupted",
    Disruption.IMMINENT: "services will be disrupted within 72 hours",
    Disruption.NONE: "none, the reports say",
    Disruption.UNKNOWN: "unknown: no report says",
}
GATES: Mapping[GateId, str] = {
    GateId.G1: "nature of the cause",
    GateId.G2: "a state of the EU or EEA is affected",
    GateId.G3: "every report is graded",
    GateId.G4: "confidence: what is confirmed carries it",
}
SOURCES: Mapping[SourceReliability, str] = {
    SourceReliability.A: "reliable in all instances",
    SourceReliability.B: "reliable in most instances",
    SourceReliability.C: "unreliable in most instances",
    SourceReliability.X: "cannot be assessed",
}
INFORMATION: Mapping[InformationAccuracy, str] = {
    InformationAccuracy.ACCURATE: "accuracy not in doubt",
    InformationAccuracy.FIRST_HAND: "known to the source first-hand",
    InformationAccuracy.CORROBORATED: "hearsay, corroborated",
    InformationAccuracy.UNCORROBORATED: "hearsay, not corroborated",
}
GROUPS: Mapping[SourceGroup, str] = {
    SourceGroup.OSINT: "open sources",
    SourceGroup.LAW_ENFORCEMENT: "law enforcement",
    SourceGroup.CSIRT: "CSIRT",
    SourceGroup.PARTNER_AGENCY: "partner agency",
    SourceGroup.PRIVATE_SECTOR: "private sector",
    SourceGroup.OTHER: "other source",
}
SYSTEM = "Europol 4x4"
"""Its name in words; in data it is ``europol4x4``."""
ROUTES: Mapping[RecipientClass, str] = {
    RecipientClass.LE_POC: "law enforcement (24/7 point of contact)",
    RecipientClass.JUDICIAL: "judicial authority",
    RecipientClass.INTERPOL: "INTERPOL",
}
CLASSIFICATIONS: Mapping[Classification, str] = {
    Classification.PUBLIC: "PUBLIC: no protection is asked for.",
    Classification.BPL: (
        "BASIC PROTECTION LEVEL: for authorised staff, with discretion; by encrypted mail or a "
        "secure channel only."
    ),
    Classification.RESTRICTED: "RESTRICTED: accredited systems and cleared readers only.",
    Classification.CONFIDENTIAL: "CONFIDENTIAL: registered copies, cleared readers only.",
    Classification.SECRET: "SECRET: registered copies, cleared readers only.",
    Classification.TOP_SECRET: "TOP SECRET: registered copies, cleared readers only.",
}
HANDLING: Mapping[HandlingCode, str] = {
    HandlingCode.H0: "H0: to be used only to prevent and combat crime.",
    HandlingCode.H1: f"{H1_LEGEND}.",
    HandlingCode.H2: "H2: not to be passed on without the provider's permission.",
    HandlingCode.H3: "H3: further restrictions apply; their text follows.",
}
TLP: Mapping[Tlp, str] = {
    Tlp.CLEAR: "TLP:CLEAR: no limit on sharing.",
    Tlp.GREEN: "TLP:GREEN: for the community of defenders, not for public channels.",
    Tlp.AMBER: "TLP:AMBER: for the reader's organisation and its clients who need to know.",
    Tlp.AMBER_STRICT: "TLP:AMBER+STRICT: for the reader's organisation only.",
    Tlp.RED: "TLP:RED: for the named readers only.",
}
PAP: Mapping[Pap, str] = {
    Pap.CLEAR: "PAP:CLEAR: no limit on the use of indicators.",
    Pap.GREEN: "PAP:GREEN: indicators may be used actively, for blocking too.",
    Pap.AMBER: "PAP:AMBER: indicators may be looked up at third parties, passively.",
    Pap.RED: "PAP:RED: indicators may be used only where the attacker cannot notice.",
}
