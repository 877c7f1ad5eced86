"""The seven stages of the protocol and the gates at which people decide.

Source: Council 15738/17, chapters II.I to II.VII; R3.
"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """The seven stages, in the order in which an incident passes them."""

    DETECTION = "detection"
    CLASSIFICATION = "classification"
    COORDINATION = "coordination"
    WARNING = "warning"
    PLANNING = "planning"
    INVESTIGATION = "investigation"
    CLOSURE = "closure"


class Gate(StrEnum):
    """A decision that needs two different people (design section 4)."""

    LAUNCH = "launch"
    NO_LAUNCH = "no-launch"
    EWN_RELEASE = "ewn-release"
    PLAN_ADOPTION = "plan-adoption"
    DOWNGRADE = "downgrade"
    CLOSURE = "closure"


class Recommendation(StrEnum):
    """What the software recommends after stage II; a person decides (domain 3.4)."""

    LAUNCH = "launch"
    HOLD_CORROBORATE = "hold-corroborate"
    MONITOR = "monitor"
    NORMAL_PROCEDURE = "normal-procedure"
    NO_EU_NEXUS = "no-eu-nexus"
    OUT_OF_SCOPE = "out-of-scope"


class Containment(StrEnum):
    """The two senses in which the immediate threat may be contained (R48)."""

    OPERATIONAL_SUCCESS = "operational-success"
    NORMAL_PROCEDURE = "normal-procedure"


class NoticeKind(StrEnum):
    """The notices the protocol sends (domain 1.2, table of notifications)."""

    INITIAL = "initial"
    EWN = "ewn"
    INVITATION = "invitation"
    PLAN = "plan"
    CLOSURE = "closure"
    OUTCOME = "outcome"
    OVERDUE = "overdue"
    REASSESSMENT = "reassessment"
    DRILL = "drill"
    WITHDRAWAL = "withdrawal"
    BLUEPRINT = "blueprint"
    OVERRIDE = "override"


WITHOUT_RULES = frozenset({NoticeKind.OVERRIDE})
"""What goes to one provider because of what somebody did; no ladder of the profile follows it up."""
