"""Every source group has its topic, and the topic alone says the group."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.kafka import INTAKE_PATTERN, TOPICS, group_of, source_of, topic_of
from protocol.errors import Refused
from protocol.parties import SourceGroup

IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True).filter(
    lambda name: not name.startswith("leerp") and name != "anonymous"
)


@pytest.mark.requirement("R4")
@pytest.mark.parametrize("group", SourceGroup)
def test_the_topic_of_a_group_leads_back_to_it(group: SourceGroup) -> None:
    assert group_of(topic_of(group)) is group


def test_topics_are_named_by_group_and_version() -> None:
    assert TOPICS[SourceGroup.PARTNER_AGENCY] == "leerp.intake.partner-agency.v1"
    assert len(set(TOPICS.values())) == 6


def test_a_foreign_topic_has_no_group() -> None:
    with pytest.raises(KeyError):
        group_of("leerp.intake.partner-agency.v2")


@pytest.mark.requirement("R4")
@given(st.sampled_from(SourceGroup), IDS)
def test_the_topic_of_a_source_leads_back_to_it_and_to_its_group(
    group: SourceGroup, source: str
) -> None:
    topic = topic_of(group, source)
    assert (group_of(topic), source_of(topic)) == (group, source)
    assert re.match(INTAKE_PATTERN, topic)
    assert len(topic) <= 249  # what Kafka takes


@given(st.sampled_from(SourceGroup), st.text(min_size=1, max_size=80))
def test_a_topic_is_made_of_an_id_only_if_it_leads_back_to_it(
    group: SourceGroup, source: str
) -> None:
    with suppress(Refused):
        assert source_of(topic_of(group, source)) == source


@given(st.text(max_size=60))
def test_a_topic_is_read_exactly_if_its_group_and_source_can_be_told(ending: str) -> None:
    topic = f"leerp.intake.csirt.v1{ending}"
    if re.match(INTAKE_PATTERN, topic):
        assert group_of(topic) is SourceGroup.CSIRT
    else:
        with pytest.raises(KeyError):
            source_of(topic)


@pytest.mark.parametrize("group", SourceGroup)
def test_a_shared_topic_is_nobodys_own(group: SourceGroup) -> None:
    assert source_of(topic_of(group)) == ""
    assert re.match(INTAKE_PATTERN, topic_of(group))


@pytest.mark.parametrize("source", ["leerp", "leerp-admin", "anonymous", "A", "a.b", "-a", "a\n"])
def test_what_could_pass_for_somebody_else_is_no_id(source: str) -> None:
    with pytest.raises(Refused, match="cannot be a source's id"):
        topic_of(SourceGroup.CSIRT, source)
