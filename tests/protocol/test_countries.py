"""Countries and sectors: the lists agree with each other and with the profile."""

from __future__ import annotations

from infra.settings import Settings
from protocol.countries import EU_MEMBER_STATES, EU_NEXUS, ISO_3166_1, OTHER_CODES
from protocol.sectors import ANNEX_I, ANNEX_II, NIS2_SECTORS


def test_every_state_of_the_eu_and_eea_has_an_iso_code() -> None:
    assert len(EU_MEMBER_STATES) == 27
    assert EU_NEXUS < ISO_3166_1
    assert len(ISO_3166_1) == 249


def test_codes_of_the_institutions_stand_for_iso_codes_and_are_none() -> None:
    assert set(OTHER_CODES.values()) < ISO_3166_1
    assert not ISO_3166_1 & set(OTHER_CODES)


def test_the_essential_sectors_of_the_profile_are_those_of_annex_i() -> None:
    assert Settings().profile().classification.essential_sectors == ANNEX_I
    assert not ANNEX_I & ANNEX_II
    assert len(NIS2_SECTORS) == 18
