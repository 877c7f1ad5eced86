"""What reports claim, as text: the same claims give the same text, and come back out of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classification.claimed import NOTHING, Claimed, together
from intake.claims import NO_CLAIMS, claims_in, claims_text, impact_in
from protocol.profile import MOST_VICTIMS_NAMED

NAMES = st.frozensets(st.sampled_from([f"name {n}" for n in range(3 * MOST_VICTIMS_NAMED)]))
CLAIMS = st.builds(
    Claimed,
    criteria=st.frozensets(st.sampled_from(["a", "b", 'the "c"'])),
    countries=st.frozensets(st.sampled_from(["DE", "EE"])),
    organisations=NAMES.map(lambda names: frozenset(sorted(names)[:MOST_VICTIMS_NAMED])),
    organisations_min=st.integers(0, 5),
    self_propagating=st.booleans(),
    victims=st.none() | st.dictionaries(st.sampled_from(["DE", "EE", "*"]), st.integers(1), min_size=1),
)  # fmt: skip


@given(claims=CLAIMS)
def test_claims_come_back_out_of_their_text(claims: Claimed) -> None:
    assert claims_in(claims_text(claims)) == claims
    assert frozenset(impact_in(claims_text(claims)).criteria) == claims.criteria


@given(several=st.lists(CLAIMS, min_size=1, max_size=5), data=st.data())
def test_what_several_claim_depends_on_the_set_and_not_on_how_it_is_joined(
    several: list[Claimed], data: st.DataObject
) -> None:
    one_by_one = NOTHING
    for each in data.draw(st.permutations([*several, *several])):
        one_by_one = one_by_one.joined(each)
    assert claims_text(one_by_one) == claims_text(together(several))


def test_nothing_claimed_is_an_empty_text() -> None:
    assert claims_text(NOTHING) == NO_CLAIMS
    assert claims_in(NO_CLAIMS) == NOTHING
