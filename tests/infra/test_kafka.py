"""Every source group has its topic, and the topic alone says the group."""

from __future__ import annotations

import pytest

from infra.kafka import TOPICS, group_of, topic_of
from protocol.parties import SourceGroup


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
