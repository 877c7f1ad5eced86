"""Detection by claims: the quick look at a text says the same as the test of all that it claims."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classification.claimed import Claimed
from classification.claims import EVERYWHERE
from classification.major_attack import major_attack_test_of
from intake.claims import claims_text
from intake.detection import ClaimsTest
from protocol.report import Disruption
from tests.intake.samples import profile

PROFILE = profile()
RULES = PROFILE.classification
TEST = ClaimsTest(PROFILE)
SECTORS = st.frozensets(st.sampled_from([*sorted(RULES.essential_sectors), "gardening"]))
CLAIMS = st.builds(
    Claimed,
    criteria=st.frozensets(st.sampled_from(sorted(RULES.impact_criteria)), max_size=3),
    countries=st.frozensets(st.sampled_from(["AT", "DE", "EE", "FR", "US"])),
    organisations=st.frozensets(st.sampled_from(['"criteria":["x"]', "a ward", "a mill"])),
    sectors=SECTORS,
    disrupted_sectors=SECTORS,
    disruption=st.frozensets(st.sampled_from([each.value for each in Disruption])),
    self_propagating=st.booleans(),
    organisations_min=st.integers(0, 500),
    victims=st.none()
    | st.dictionaries(st.sampled_from([EVERYWHERE, "DE"]), st.integers(1, 10**6), min_size=1),
)


@given(claims=CLAIMS)
def test_a_quick_look_at_claims_never_changes_what_the_major_attack_test_says(
    claims: Claimed,
) -> None:
    whole = major_attack_test_of(claims, PROFILE)
    assert TEST.may_be_major(claims_text(claims)) is whole.may_be_major
