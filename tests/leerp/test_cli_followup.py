"""Calls, settlements, late recipients and withdrawals as typed, on a home where nothing runs."""

from __future__ import annotations

import json

import pytest

from tests.leerp.test_cli_campaign import CAMPAIGN, frozen
from tests.leerp.typed import DONE, DOWN, REFUSED, Run

pytestmark = [pytest.mark.requirement("R33"), pytest.mark.usefixtures("frozen")]
__all__ = ["frozen"]

FIRST, SECOND = "m.rossi", "s.lindqvist"


def some_recipient(run: Run) -> str:
    found = json.loads(run("campaign", "calls", CAMPAIGN, "--all", "--json").out)
    return str(found[0]["recipient"])


def test_the_call_list_says_when_it_is_empty_and_how_to_see_everybody(run: Run) -> None:
    answer = run("campaign", "calls", CAMPAIGN)
    everybody = json.loads(run("campaign", "calls", CAMPAIGN, "--all", "--json").out)
    assert (answer.code, "--all" in answer.out) == (DONE, True)
    assert len(everybody) > 10
    assert {"recipient", "phone", "local_time", "languages", "say"} <= set(everybody[0])


def test_what_became_of_a_recipient_is_said_once_with_a_reason(run: Run) -> None:
    who = some_recipient(run)
    nothing = run("campaign", "settle", CAMPAIGN, who, "--as", SECOND)
    done = run("campaign", "settle", CAMPAIGN, who, "--reason", "told by SIENA", "--as", SECOND)
    again = run("campaign", "settle", CAMPAIGN, who, "--reason", "again", "--as", SECOND)
    assert (nothing.code, done.code, again.code) == (REFUSED, DONE, REFUSED)
    assert "--reason" in nothing.err
    assert "settled already" in again.err
    assert some_recipient(run) != who


def test_a_call_needs_a_known_officer_a_result_and_a_note(run: Run) -> None:
    who = some_recipient(run)
    call = ("campaign", "called", CAMPAIGN, who, "--contact", "1")
    stranger = run(*call, "--result", "reached", "--note", "x", "--as", "n.nobody")
    silent = run(*call, "--result", "reached", "--as", SECOND)
    missed = run(*call, "--result", "no-answer", "--note", "rang long", "--as", SECOND)
    reached = run(*call, "--result", "reached", "--note", "desk has it", "--as", SECOND)
    assert (stranger.code, silent.code, missed.code, reached.code) == (REFUSED, REFUSED, DONE, DONE)
    assert "stays on the list" in missed.out
    assert "settled" in reached.out


def test_a_withdrawal_takes_a_reason_and_then_a_second_person(run: Run) -> None:
    neither = run("campaign", "withdraw", CAMPAIGN, "--as", SECOND)
    proposed = run("campaign", "withdraw", CAMPAIGN, "--reason", "wrong facts", "--as", SECOND)
    same = run("campaign", "withdraw", CAMPAIGN, "--agree", "--as", SECOND)
    agreed = run("campaign", "withdraw", CAMPAIGN, "--agree", "--as", FIRST)
    released = run("campaign", "release", CAMPAIGN, "--all", "--reason", "x", "--as", SECOND)
    assert (neither.code, proposed.code, same.code) == (REFUSED, DONE, REFUSED)
    assert "--agree" in proposed.out
    assert "different person" in same.err
    # It is written down, but the embedded Temporal that would tell of it does not run here.
    assert agreed.code == DOWN
    assert "is withdrawn" in agreed.err
    assert released.code == REFUSED


def test_who_is_in_the_campaign_is_not_added_again(run: Run) -> None:
    who = some_recipient(run)
    answer = run("campaign", "add", CAMPAIGN, who, "--reason", "asked", "--as", SECOND)
    assert (answer.code, "resend" in answer.err) == (REFUSED, True)
