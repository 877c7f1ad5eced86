"""Markings: classification, Europol handling codes, TLP and PAP, and how they combine.

Source: domain 4.1 to 4.4; R31, R32.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum, StrEnum
from functools import reduce

from pydantic import BaseModel, ConfigDict, field_serializer, model_validator

BETWEEN = " | "
"""Stands between the texts of H3 that come together, so that each is kept whole and once."""


class Classification(IntEnum):
    """Protection levels, lowest first (domain 4.2)."""

    PUBLIC = 0
    BPL = 1
    RESTRICTED = 2
    CONFIDENTIAL = 3
    SECRET = 4
    TOP_SECRET = 5


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0, widest sharing first."""

    CLEAR = "CLEAR"
    GREEN = "GREEN"
    AMBER = "AMBER"
    AMBER_STRICT = "AMBER+STRICT"
    RED = "RED"

    @classmethod
    def _missing_(cls, value: object) -> Tlp | None:
        """WHITE is what version 1 called CLEAR."""
        return cls.CLEAR if value == "WHITE" else None


class Pap(StrEnum):
    """Permissible Actions Protocol, most permissive first."""

    CLEAR = "CLEAR"
    GREEN = "GREEN"
    AMBER = "AMBER"
    RED = "RED"


class HandlingCode(StrEnum):
    """Europol handling codes: H0 default purpose, H1 no court use, H2 no dissemination, H3 free text."""

    H0 = "H0"
    H1 = "H1"
    H2 = "H2"
    H3 = "H3"


class Marking(BaseModel):
    """The marking of one component or product.

    H3 must carry its text; H0 beside H1 or H2 is dropped, since they are stricter (domain 4.1).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classification: Classification = Classification.BPL
    tlp: Tlp = Tlp.AMBER
    pap: Pap = Pap.AMBER
    handling_codes: frozenset[HandlingCode] = frozenset({HandlingCode.H0})
    handling_text: str = ""

    @model_validator(mode="before")
    @classmethod
    def _stricter_codes_replace_h0(cls, data: object) -> object:
        stated = data.get("handling_codes") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(stated, list | tuple | set | frozenset):
            return data
        if not all(isinstance(code, str) and code in set(HandlingCode) for code in stated):
            return data  # the field's own check says what is wrong
        codes = frozenset(HandlingCode(code) for code in stated)
        if codes & {HandlingCode.H1, HandlingCode.H2}:
            codes -= {HandlingCode.H0}
        return {**data, "handling_codes": codes or frozenset({HandlingCode.H0})}

    @field_serializer("handling_codes")
    def _in_order(self, codes: frozenset[HandlingCode]) -> list[str]:
        return sorted(codes)  # the same bytes in every process

    @model_validator(mode="after")
    def _h3_carries_text(self) -> Marking:
        if HandlingCode.H3 in self.handling_codes and not self.handling_text.strip():
            raise ValueError("handling code H3 needs its text")
        return self

    def combined_with(self, other: Marking) -> Marking:
        """The marking of a product made of both: the strictest of each part (domain 4.4)."""
        texts = {*self.handling_text.split(BETWEEN), *other.handling_text.split(BETWEEN)} - {""}
        return Marking(
            classification=max(self.classification, other.classification),
            tlp=max(self.tlp, other.tlp, key=list(Tlp).index),
            pap=max(self.pap, other.pap, key=list(Pap).index),
            handling_codes=self.handling_codes | other.handling_codes,
            handling_text=BETWEEN.join(sorted(texts)),
        )

    @property
    def states_tlp(self) -> bool:
        """Whether whoever marked it gave a TLP label, AMBER among them, or left it to us."""
        return "tlp" in self.model_fields_set

    def with_tlp(self, stated: Collection[Tlp]) -> Marking:
        """The same with the strictest of the labels that were stated; of none, the same."""
        if not stated:
            return self
        return self.model_copy(update={"tlp": max(stated, key=list(Tlp).index)})

    def lines(self) -> tuple[str, ...]:
        """The marking in words, as it stands on top and bottom of a product."""
        level = (
            "PUBLIC"
            if self.classification is Classification.PUBLIC
            else (
                "EUROPOL UNCLASSIFIED - BASIC PROTECTION LEVEL"
                if self.classification is Classification.BPL
                else f"EU {self.classification.name.replace('_', ' ')}"
            )
        )
        codes = " ".join(sorted(self.handling_codes))
        text = f" ({self.handling_text})" if self.handling_text else ""
        return (level, f"Handling codes {codes}{text}", f"TLP:{self.tlp} PAP:{self.pap}")


def aggregate(markings: list[Marking]) -> Marking:
    """Marking of a product over its components; of nothing: the default, BPL H0 AMBER."""
    return reduce(Marking.combined_with, markings) if markings else Marking()
