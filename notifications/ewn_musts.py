"""What a warning must have, and what it must have or say that there is none of, by section.

Source: domain 5.3 (M and C), R67.
"""

from __future__ import annotations

from collections.abc import Mapping

MUST: Mapping[str, tuple[str, ...]] = {
    "marking": ("classification", "handling_codes", "tlp"),
    "header": (
        "id", "version", "supersedes", "precedence", "next_update", "contact_points",
        "acknowledge_by", "dissemination",
    ),
    "bottom_line": ("lines", "malicious", "cross_border"),
    "status": ("triggered", "at", "threat_class", "impact", "reach", "matrix", "triggers"),
    "facts": ("timeline", "sectors", "countries", "victims"),
    "assessment": (
        "meaning", "outlook", "likelihood", "likelihood_of", "confidence", "alternatives", "gaps",
    ),
    "preservation": ("preserve",),
    "requests": ("report_back",),
    "blueprint": ("root_cause", "severity", "outlook", "sectors"),
    "provenance": ("inputs", "providers", "permissions"),
}  # fmt: skip
"""What a warning must have, by section (M of domain 5.3); issue time and change log beside them."""

STATED: Mapping[str, tuple[str, ...]] = {
    "marking": ("pap",),
    "status": ("notes",),
    "facts": ("services", "vector", "tooling"),
    "law_enforcement": ("offences", "modus_operandi", "linked_cases", "lead"),
    "preservation": ("do_not",),
    "mitigation": ("measures", "source", "pap"),
    "blueprint": ("shared_with",),
}
"""What it must have or say that there is none of (C of domain 5.3)."""
