"""The sectors of the NIS2 Directive, in the vocabulary of the ``nis2`` taxonomy (domain 2.5)."""

from __future__ import annotations

ANNEX_I = frozenset({
    "energy", "transport", "banking", "financial", "health", "drinking-water", "waste-water",
    "digital-infrastructure", "ict-services", "public-administration", "space",
})  # fmt: skip
"""Of high criticality; which of them are essential is for the profile to say."""
ANNEX_II = frozenset({
    "courier", "waste-management", "chemical", "food", "manufacturing", "digital-providers",
    "research",
})  # fmt: skip
NIS2_SECTORS = ANNEX_I | ANNEX_II
