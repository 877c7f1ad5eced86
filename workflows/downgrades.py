"""A lower marking for one report: only what is named changes, and nothing may become stricter.

Source: R32; domain 4.4.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from protocol.errors import Refused
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp

RESTRICTING = frozenset(HandlingCode) - {HandlingCode.H0}


class DowngradeInput(BaseModel):
    """The parts of a marking that are to be lowered; what is not named stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tlp: Tlp | None = None
    classification: Classification | None = None
    handling_codes: frozenset[HandlingCode] | None = None
    pap: Pap | None = None


def lowered(own: Marking, named: DowngradeInput) -> Marking:
    """The report's own marking with the named parts lowered; a dropped H3 takes its text with it.

    Raises:
        Refused: ``nothing-named`` or ``not-lower``, naming each part that would become stricter.
    """
    changes: dict[str, Any] = {
        name: value for name in DowngradeInput.model_fields
        if (value := getattr(named, name)) is not None
    }  # fmt: skip
    if not changes:
        raise Refused("nothing-named", "name what to lower: tlp, classification, codes or pap")
    if stricter := [name for name in changes if not _not_stricter(own, named, name)]:
        raise Refused(
            "not-lower",
            f"{', '.join(stricter)} would become stricter: this report is marked "
            f"{'; '.join(own.lines())}",
        )
    codes = changes.get("handling_codes", own.handling_codes)
    text = own.handling_text if HandlingCode.H3 in codes else ""
    return Marking.model_validate({**own.model_dump(), **changes, "handling_text": text})


def _not_stricter(own: Marking, named: DowngradeInput, name: str) -> bool:
    match name:
        case "tlp" if named.tlp is not None:
            return list(Tlp).index(named.tlp) <= list(Tlp).index(own.tlp)
        case "pap" if named.pap is not None:
            return list(Pap).index(named.pap) <= list(Pap).index(own.pap)
        case "classification" if named.classification is not None:
            return named.classification <= own.classification
        case "handling_codes" if named.handling_codes is not None:
            return named.handling_codes & RESTRICTING <= own.handling_codes
        case _:
            return True
