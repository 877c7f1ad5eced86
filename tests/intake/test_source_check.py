"""What an administrator is told to see to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intake.source_check import Finding, check_sources
from intake.source_traffic import Traffic
from intake.sources import Letter, Registered
from protocol.grades import SourceReliability
from protocol.profile import SourceRules
from tests.intake.registry import source

NOW = datetime.now(UTC)
RULES = SourceRules()
DAY = timedelta(days=1)
ACTIVE = Traffic(records=10, last_hour=NOW - timedelta(hours=2), busiest=5)


def registered(*letter_ages: timedelta, age: timedelta = 400 * DAY, **changes: Any) -> Registered:
    return Registered(
        source=source(**changes),
        registered_at=NOW - age,
        retired_at=None,
        letters=tuple(
            Letter(
                before=SourceReliability.X,
                letter=SourceReliability.B,
                by="k.novak",
                at=NOW - old,
                reason="seen",
            )
            for old in letter_ages
        ),
    )


def found(one: Registered, sent: Traffic | None) -> list[Finding]:
    return check_sources([one], {one.source.principal: sent} if sent else {}, RULES, NOW)


def test_a_source_in_good_order_has_no_findings() -> None:
    assert found(registered(DAY, quota=5), ACTIVE) == []


@pytest.mark.parametrize(
    ("one", "sent", "finding"),
    [
        (registered(DAY, contact=""), ACTIVE, "no-contact"),
        (registered(), ACTIVE, "no-letter"),
        (registered(RULES.letter_valid_for + DAY), ACTIVE, "old-letter"),
        (registered(DAY, quota=4), ACTIVE, "over-quota"),
        (registered(DAY), Traffic(last_hour=NOW - RULES.silent_after - DAY), "silent"),
        (registered(DAY, age=RULES.silent_after + DAY), None, "never-used"),
    ],
)
def test_each_defect_is_found_alone_and_must_be_mended(
    one: Registered, sent: Traffic | None, finding: str
) -> None:
    (only,) = found(one, sent)
    assert (only.source, only.finding, only.mend) == ("cert-ee", finding, True)


def test_a_letter_that_was_renewed_is_young() -> None:
    assert found(registered(RULES.letter_valid_for + DAY, DAY), ACTIVE) == []


def test_a_new_source_that_has_sent_nothing_yet_is_only_noted() -> None:
    (only,) = found(registered(DAY, age=DAY), None)
    assert (only.finding, only.mend) == ("never-used", False)


def test_who_sends_without_being_in_service_is_named_while_it_does() -> None:
    sent = {"gone": ACTIVE, "long-gone": Traffic(last_hour=NOW - 90 * DAY), "cert-ee": ACTIVE}
    (only,) = check_sources([registered(DAY)], sent, RULES, NOW)

    assert (only.source, only.finding, only.mend) == ("gone", "not-in-service", True)
