"""Who takes part: source groups, recipient classes and officers' roles.

Source: Council 15738/17, II.I and II.III; R4, R23, R24; domain 4.4.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property


class SourceGroup(StrEnum):
    """The six groups that initial information may come from (R4)."""

    OSINT = "osint"
    LAW_ENFORCEMENT = "law-enforcement"
    CSIRT = "csirt"
    PARTNER_AGENCY = "partner-agency"
    PRIVATE_SECTOR = "private-sector"
    OTHER = "other"

    @cached_property
    def number(self) -> int:
        """The group's number in the protocol, 1 to 6."""
        return list(SourceGroup).index(self) + 1


class DetectedBy(StrEnum):
    """How EC3 itself came to know (R5): intelligence collection or a cyber-intelligence solution."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


ANONYMOUS = "anonymous"
"""Principal of what comes on a topic that all share: nobody known, whatever name it gives."""


class RecipientClass(StrEnum):
    """The classes of R23 (internal) and R24 (external), and the duty manager for escalations."""

    EUROPOL_UNIT = "europol-unit"
    LIAISON_BUREAU = "liaison-bureau"
    JCAT = "j-cat"
    LE_POC = "le-poc"
    CSIRT_NETWORK = "csirt-network"
    JUDICIAL = "judicial"
    EU_BODY = "eu-body"
    INTERPOL = "interpol"
    PRIVATE_PARTNER = "private-partner"
    CRISIS_COMMUNICATION = "crisis-communication"
    DUTY_MANAGER = "duty-manager"


class Audience(StrEnum):
    """Inside or outside Europol; the two halves of the initial notice."""

    INTERNAL = "internal"
    EXTERNAL = "external"


INTERNAL_CLASSES = frozenset(
    {RecipientClass.EUROPOL_UNIT, RecipientClass.LIAISON_BUREAU, RecipientClass.JCAT}
)
"""Who the internal notice must reach (R23)."""

EXTERNAL_CLASSES = frozenset(RecipientClass) - INTERNAL_CLASSES - {RecipientClass.DUTY_MANAGER}
"""Who the external notice must reach (R24)."""


class Role(StrEnum):
    """What an officer may do."""

    ANALYST = "analyst"
    DUTY_OFFICER = "duty-officer"
    LAUNCH = "launch"
    RELEASE = "release"
    DUTY_MANAGER = "duty-manager"
    JUDICIAL = "judicial"
