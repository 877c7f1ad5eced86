"""Profiles: the one that is shipped, and those that running incidents keep."""

from __future__ import annotations

from infra.settings import Settings
from protocol.profile import Profile, SourceRules


def test_a_profile_from_before_there_were_sources_still_loads() -> None:
    shipped = Settings().profile()
    older = shipped.model_dump(mode="json", exclude={"sources"})

    assert Profile.model_validate(older).sources == SourceRules()


def test_the_shipped_profile_says_what_the_defaults_are() -> None:
    assert Settings().profile().sources == SourceRules()
