"""``leerp locks`` and ``leerp permissions`` as an officer types them. No service is needed here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from infra.database import Database
from infra.settings import Settings
from infra.tables import incident as incident_table
from infra.tables_permissions import life_override
from intake.merging import carry_over
from leerp.demo.officers import DUTY_OFFICER, MANAGER, SECOND_OFFICER, given
from notifications.matrix import Column
from protocol.parties import RecipientClass
from tests.leerp.typed import DONE, DOWN, REFUSED, Run, audited
from tests.notifications.samples import NOW
from tests.workflows.case import assessed_incident, decided, drafting_of
from tests.workflows.test_drafting_rights import change_report

pytestmark = pytest.mark.requirement("R32")

H2 = {"classification": 1, "tlp": "AMBER", "pap": "AMBER", "handling_codes": ["H2"]}
UNIT = "National unit (simulated)"
WHO = ("--as", DUTY_OFFICER)
WORD = ("--kind", "h2", "--provider", UNIT, "--evidence", "mail-12")


@pytest.fixture
def incident(home: Path) -> str:
    """An incident with a warning in which one report may not be passed on."""
    database = Database(Settings.load(home).database_url)
    made = assessed_incident(database)
    change_report(database, marking=H2)
    drafting = drafting_of(database, DUTY_OFFICER)
    decided(database, drafting.centre(made, given("centre")), "centre-recorded")
    drafting.ewn(made, given("ewn"))
    database.close()
    return made


def recipients(run: Run) -> dict[str, str]:
    """Class to the id of its first recipient."""
    listed = json.loads(run("directory", "list", "--json").out)
    return {row["class"]: row["id"] for row in reversed(listed)}


def answer(run: Run, *arguments: str) -> Any:
    found = run(*arguments, "--json")
    assert found.code == DONE, found.err
    return json.loads(found.out)


def test_the_matrix_is_printed_for_every_class_and_for_the_public(run: Run) -> None:
    rows = answer(run, "locks", "matrix")
    assert {row["class"] for row in rows} == {*RecipientClass, "public"}
    assert len(rows) == (len(RecipientClass) + 1) * len(Column)
    mine = run("locks", "matrix", "--class", "interpol").out
    assert "transfer agreement" in mine
    assert "the public" not in mine
    wrong = run("locks", "matrix", "--class", "martians")
    assert wrong.code == REFUSED
    assert "le-poc" in wrong.err


def test_a_check_lists_what_is_missing_and_how_to_record_it(run: Run, incident: str) -> None:
    who = recipients(run)
    found = answer(run, "locks", "check", incident)
    needs = {(need["kind"], need["provider"]): need for need in found["confirmations"]}
    assert not found["ready"]
    assert found["draft"] == "ewn/1"
    assert who["le-poc"] in needs["h2", UNIT]["missing"]
    assert needs["private-partner", "the centre"]["missing"] == [who["private-partner"]]
    gets = {each["recipient"]: each["gets"] for each in found["recipients"]}
    assert gets[who["le-poc"]] == "technical"
    assert gets[who["private-partner"]] is None
    printed = " ".join(run("locks", "check", incident).out.split())
    assert f"leerp permissions record {incident} --kind h2 --provider '{UNIT}'" in printed
    assert "would get nothing: held" in printed


def test_a_permission_opens_the_lock_and_its_revocation_closes_it(run: Run, incident: str) -> None:
    name = recipients(run)["le-poc"]

    def gets() -> Any:
        return answer(run, "locks", "explain", incident, name)["decision"]["variant"]

    assert gets() == "technical"
    made = answer(run, "permissions", "record", incident, *WORD, "--recipient", name, *WHO)
    assert (made["standing"], made["recipients"]) == ("in force", [name])
    assert gets() == "full"
    number = str(made["id"])
    without = run("permissions", "revoke", number, "--reason", " ", *WHO)
    assert (without.code, "--reason" in without.err) == (REFUSED, True)
    gone = run("permissions", "revoke", number, "--reason", "they called", *WHO)
    assert gone.code == DONE
    assert "cannot be called back" in " ".join(gone.out.split())
    assert gets() == "technical"
    assert answer(run, "permissions", "list", "--incident", incident) == []
    (kept,) = answer(run, "permissions", "list", "--all")
    assert kept["standing"] == "revoked"
    assert "they called" in answer(run, "permissions", "show", number)["revoked"]
    assert run("permissions", "show", "99").code == REFUSED


def test_a_permission_may_be_limited_to_an_item_that_the_explanation_names(
    run: Run, incident: str
) -> None:
    name = recipients(run)["le-poc"]
    explained = answer(run, "locks", "explain", incident, name)
    closed = [line for line in explained["variants"][0]["lines"] if not line["open"]]
    assert {line["rule"] for line in closed} == {"H2"}
    items = [part for line in closed for part in ("--item", line["item"])]
    given_ = ("permissions", "record", incident, *WORD, "--recipient", name, *WHO)
    answer(run, *given_, *items[:2], "--purpose", "information")
    again = answer(run, "locks", "explain", incident, name)
    assert again["decision"]["variant"] == "technical"
    answer(run, *given_, *items)
    assert answer(run, "locks", "explain", incident, name)["decision"]["variant"] == "full"


def test_a_standing_confirmation_counts_for_every_incident(run: Run, incident: str) -> None:
    name = recipients(run)["private-partner"]
    assert "first use" in run("locks", "explain", incident, name).out
    confirmed = (
        *("permissions", "record", "--standing", "--own", "--kind", "private-partner"),
        *("--recipient", name, "--evidence", "visit 3", *WHO),
    )
    assert answer(run, *confirmed)["incident"] == "all"
    assert "gets the" in run("locks", "explain", incident, name).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--standing", "--own", "--kind", "h2", "--recipient", "r-0000"), "the centre's own word"),
        (("inc-typo", "--own", "--kind", "h2", "--recipient", "r-0000"), "inc-typo"),
        (("--own", "--kind", "h2", "--recipient", "r-0000"), "--standing"),
        (("inc-1", "--kind", "h2", "--recipient", "r-0000"), "--own"),
        (("inc-1", "--own", "--kind", "life-threat", "--recipient", "r-0000"), "inc-1"),
        (("--standing", "--own", "--kind", "private-partner", "--recipient", "r-x"), "r-x"),
    ],
)
def test_what_is_no_permission_is_refused_with_what_to_do(
    run: Run, home: Path, arguments: tuple[str, ...], words: str
) -> None:
    found = run("permissions", "record", *arguments, "--evidence", "mail", *WHO)
    assert found.code == REFUSED
    assert words in " ".join(found.err.split())
    assert audited(home, "permission_recorded") == []


def test_an_explanation_says_who_is_not_meant_and_what_may_be_published(
    run: Run, incident: str
) -> None:
    nobody = run("locks", "explain", incident, "nobody")
    assert (nobody.code, "not meant for" in nobody.err) == (REFUSED, True)
    undrafted = run("locks", "explain", incident, "r-0000", "plan")
    assert (undrafted.code, "no draft of kind plan" in undrafted.err) == (REFUSED, True)
    overdue = run("locks", "check", incident, "overdue")
    assert (overdue.code, "not drafted" in overdue.err) == (REFUSED, True)
    lines = answer(run, "locks", "explain", incident, "public")["lines"]
    assert not any(line["open"] for line in lines if line["rule"] == "TLP:AMBER")
    assert "the public: never" in run("locks", "explain", incident, "public").out
    far = run("locks", "explain", incident, recipients(run)["le-poc"], "--contact", "9")
    assert (far.code, "contact(s)" in far.err) == (REFUSED, True)
    printed = run("locks", "explain", incident, recipients(run)["le-poc"], "--all").out
    assert "a record of kind h2" in " ".join(printed.split())


def test_an_override_is_proposed_approved_and_ended(run: Run, home: Path, incident: str) -> None:
    name = recipients(run)["le-poc"]
    assert "imminent threat to life" in " ".join(run("locks", "override", "list").out.split())
    proposed = answer(
        run,
        *("locks", "override", "propose", incident, "--recipient", name),
        *("--reason", "ventilators stop", "--hours", "2", *WHO),
    )
    assert (proposed["state"], proposed["providers"]) == ("proposed", [UNIT])
    number = str(proposed["id"])
    alone = run("locks", "override", "approve", number, *WHO)
    assert alone.code == REFUSED
    agreed = run("locks", "override", "approve", number, "--as", MANAGER)
    assert agreed.code in {DONE, DOWN}
    assert "is in force until" in agreed.out
    assert "a provider must be told by another way: task 1" in " ".join(agreed.out.split())
    explained = answer(run, "locks", "explain", incident, name)
    assert explained["decision"]["variant"] == "full"
    (task,) = [t for t in answer(run, "tasks", "list") if t["kind"] == "tell-provider"]
    assert task["incident"] == incident
    told = run("locks", "override", "tell", number, "--as", SECOND_OFFICER)
    assert (told.code, "by mail" in told.err) == (REFUSED, True)
    ended = run("locks", "override", "end", number, "--reason", "safe", "--as", DUTY_OFFICER)
    assert ended.code == DONE
    (listed,) = answer(run, "locks", "override", "list", "--incident", incident)
    assert listed["state"] == "ended"
    assert answer(run, "locks", "explain", incident, name)["decision"]["variant"] == "technical"
    assert len(audited(home, "override_approved")) == 1


def test_an_override_of_an_incident_that_merged_opens_nothing_and_is_named(
    run: Run, home: Path, incident: str
) -> None:
    name = recipients(run)["le-poc"]
    reason = ("--reason", "ventilators stop", "--hours", "2")
    asked = ("locks", "override", "propose", incident, "--recipient", name, *reason, *WHO)
    number = answer(run, *asked)["id"]
    run("locks", "override", "approve", str(number), "--as", MANAGER)
    database = Database(Settings.load(home).database_url)
    with database.write() as connection:  # as when both had been one case under another number
        for name_of, into in (("inc-b", incident), ("inc-c", "inc-b")):
            connection.execute(
                insert(incident_table).values(
                    id=name_of, created_at=NOW, status="merged", merged_into=into,
                    exercise=True, profile="x",
                )
            )  # fmt: skip
        connection.execute(update(life_override).values(incident_id="inc-c"))
        carry_over(connection, "inc-b", incident)
        carry_over(connection, "inc-c", "inc-b")
    database.close()
    explained = answer(run, "locks", "explain", incident, name)
    assert explained["decision"]["variant"] == "technical"
    (said,) = explained["overrides_left_behind"]
    assert said.startswith(f"override {number} was granted for inc-c ({name}) before it merged")
    assert f"ask again with 'leerp locks override propose {incident}'" in said
    assert said in run("locks", "explain", incident, name).out
    assert answer(run, "locks", "check", incident)["overrides_left_behind"] == [said]
    (row,) = audited(home, "overrides_left_behind")
    assert row["subject"] == "inc-b"
    assert row["detail"] == {"merged": "inc-c", "overrides": [number]}
    run("locks", "override", "end", str(number), "--reason", "safe", "--as", DUTY_OFFICER)
    assert answer(run, "locks", "explain", incident, name)["overrides_left_behind"] == []
