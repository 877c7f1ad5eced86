"""What may be registered as a source."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from infra.kafka import topic_of
from protocol.parties import SourceGroup
from tests.intake.registry import source


@pytest.mark.requirement("R4")
def test_a_source_has_a_topic_of_its_own_in_each_of_its_groups() -> None:
    one = source("cert-ee", also_groups=(SourceGroup.OSINT,))

    assert one.principal == "cert-ee"
    assert one.topics == ("leerp.intake.csirt.v1.cert-ee", "leerp.intake.osint.v1.cert-ee")
    assert not set(one.topics) & {topic_of(group) for group in SourceGroup}


@pytest.mark.parametrize(
    "wrong",
    ["", "Cert", "cert_ee", "cert.ee", "-cert", "cert-", "c" * 41, "çert", "cert ee", "a/b", "a\n"],
)
def test_an_id_that_cannot_stand_in_a_topic_or_login_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        source(wrong)


@pytest.mark.parametrize("reserved", ["anonymous", "admin", "leerp", "leerp-intake"])
def test_nobody_registers_under_a_name_of_the_system(reserved: str) -> None:
    with pytest.raises(ValidationError, match="kept for the system"):
        source(reserved)


@pytest.mark.parametrize("also", [(SourceGroup.CSIRT,), (SourceGroup.OSINT, SourceGroup.OSINT)])
def test_no_group_is_named_twice(also: tuple[SourceGroup, ...]) -> None:
    with pytest.raises(ValidationError, match="twice"):
        source(also_groups=also)


@pytest.mark.parametrize("quota", [0, -1, True, 1.5])
def test_a_quota_is_a_number_that_lets_something_through(quota: float) -> None:
    with pytest.raises(ValidationError):
        source(quota=quota)
