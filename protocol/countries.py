"""Which countries count for the EU nexus (G2): member states and the EEA."""

from __future__ import annotations

# fmt: off
EU_MEMBER_STATES = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})
# fmt: on
"""The 27, as ISO 3166-1 alpha-2."""

EEA_ONLY = frozenset({"IS", "LI", "NO"})

EU_NEXUS = EU_MEMBER_STATES | EEA_ONLY
