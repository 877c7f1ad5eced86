"""``leerp sources`` as an administrator and an officer type it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from infra.database import Database
from infra.intake_limits import IntakeSettings
from infra.settings import Settings
from infra.tables_sources import source_standing
from intake.records import RawRecord
from intake.store import Store
from leerp.demo.officers import DUTY_OFFICER, MANAGER
from protocol.parties import SourceGroup
from tests.e2e.support import numbered_report
from tests.leerp.typed import DONE, REFUSED, USAGE, Run, audited

ANALYST = "k.novak"
CSV = """id,name,group,organisation,contact,quota
cert-ee,CERT-EE feed,csirt,RIA,duty@ria.invalid,3
bank-1,Bank One,private-sector,Bank One,soc@bank.invalid,
"""


def add(run: Run, source_id: str = "cert-ee", *more: str, by: str = MANAGER) -> Any:
    fields = ("--name", "CERT-EE feed", "--group", "csirt", "--organisation", "RIA")
    return run("sources", "add", source_id, *fields, *more, "--as", by)


def shown(run: Run, source_id: str = "cert-ee") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("sources", "show", source_id, "--json").out)
    return found


def grade(run: Run, letter: str, *, by: str = ANALYST) -> Any:
    arguments = ("--letter", letter, "--reason", "known for years", "--as", by)
    return run("sources", "grade", "cert-ee", *arguments)


def receive(home: Path, bodies: list[bytes], *, by: str = "cert-ee") -> list[str]:
    """Put reports into the home as intake would, off the topic of ``by``; their ids."""
    settings, now = Settings.load(home), datetime.now(UTC)
    database = Database(settings.database_url)
    records = [
        RawRecord(
            topic=f"leerp.intake.csirt.v1.{by}",
            partition=0,
            offset=offset,
            group=SourceGroup.CSIRT,
            principal=by,
            headers={},
            body=body,
            received_at=now,
        )
        for offset, body in enumerate(bodies)
    ]
    store = Store(database, settings.profile(), exercise=True, telling=lambda _: True)
    preparer, standings = store.preparer(IntakeSettings()), store.standings()
    settled = store.settle(
        [(r, preparer.read(r, standings.of(r.principal, r.group))) for r in records], source="test"
    )
    database.close()
    return settled.stored


def ungraded(number: int, *, alone: bool = False) -> bytes:
    """A report without its provider's own grade; ``alone`` it is an incident of its own."""
    document = json.loads(numbered_report("cli", number))
    del document["evaluation"]
    if alone:
        del document["indicators"]
    return json.dumps(document).encode()


def test_an_empty_registry_says_what_to_do(run: Run) -> None:
    answer = run("sources", "list")

    assert answer.code == DONE
    assert "leerp sources add" in answer.out
    assert json.loads(run("sources", "list", "--json").out) == []


@pytest.mark.requirement("R11")
def test_from_registration_to_the_grade_of_a_report(run: Run, home: Path) -> None:
    added = add(run, "cert-ee", "--quota", "500", "--tlp", "green", "--first-hand", "always")
    assert (added.code, "leerp.intake.csirt.v1.cert-ee" in added.out) == (DONE, True)
    assert grade(run, "b").out == "cert-ee: X -> B\n"

    (report_id,) = receive(home, [ungraded(1)])
    told = json.loads(run("reports", "show", report_id, "--json").out)
    assert told["grade"] == "B2"
    source = shown(run)
    assert (source["letter"], source["quota"], source["tlp"]) == ("B", 500, "GREEN")
    assert (source["records"], source["last_heard"] is not None) == (1, True)
    (letter,) = source["letters"]
    assert (letter["before"], letter["letter"], letter["by"]) == ("X", "B", ANALYST)
    assert letter["reason"] == "known for years"


def test_the_list_shows_letters_and_hides_retired_sources(run: Run) -> None:
    add(run)
    add(run, "cert-fi")
    grade(run, "A")
    retired = run("sources", "retire", "cert-fi", "--reason", "gone", "--as", MANAGER)
    rows = json.loads(run("sources", "list", "--json").out)

    assert retired.code == DONE
    assert [(row["id"], row["letter"]) for row in rows] == [("cert-ee", "A")]
    assert "cert-fi" not in run("sources", "list").out
    assert "cert-fi" in run("sources", "list", "--all").out
    assert run("sources", "restore", "cert-fi", "--reason", "b", "--as", MANAGER).code == DONE
    assert "cert-fi" in run("sources", "list").out


def test_a_person_reads_the_history_and_what_outcomes_suggest(run: Run, home: Path) -> None:
    add(run)
    grade(run, "A")
    grade(run, "C")
    for report_id in receive(home, [ungraded(n, alone=True) for n in range(4)]):
        arguments = ("--reason", "seen by the CSIRT", "--as", DUTY_OFFICER)
        assert run("sources", "outcome", report_id, "confirmed", *arguments).code == DONE
    text = " ".join(run("sources", "show", "cert-ee").out.split())

    assert f"X -> A by {ANALYST}: known for years" in text
    assert "A -> C" in text
    assert "B: 4 of 4 incidents confirmed, by 4 judged reports" in text
    assert "a person decides" in text
    source = shown(run)
    assert (source["letter"], source["suggestion"]["letter"]) == ("C", "B")
    assert source["suggestion"]["confirmed"] == 4
    (row,) = json.loads(run("sources", "list", "--json").out)
    assert (row["letter"], row["suggested"]) == ("C", "B")
    judged = json.loads(run("sources", "outcomes", "cert-ee", "--json").out)
    assert {each["outcome"] for each in judged} == {"confirmed"}
    assert "seen by the CSIRT" in run("sources", "outcomes", "cert-ee").out


def test_a_source_of_which_nothing_is_judged_says_how_to(run: Run, home: Path) -> None:
    add(run)
    receive(home, [ungraded(1)])
    assert "leerp sources outcome REPORT" in run("sources", "outcomes", "cert-ee").out
    assert json.loads(run("sources", "list", "--json").out)[0]["suggested"] is None


def test_a_dry_run_shows_the_difference_and_the_import_makes_it(run: Run, tmp_path: Path) -> None:
    add(run)
    file = tmp_path / "sources.csv"
    file.write_text("\ufeff" + CSV, encoding="utf-8")
    dry = run("sources", "import", str(file), "--dry-run")

    assert dry.code == DONE
    assert "change cert-ee" in dry.out
    assert "quota: None -> 3" in dry.out
    assert "add bank-1" in dry.out
    assert len(json.loads(run("sources", "list", "--json").out)) == 1

    done = run("sources", "import", str(file), "--as", MANAGER, "--json")
    assert done.code == DONE
    changes = json.loads(done.out)
    assert [(c["id"], c["change"]) for c in changes["changes"]] == [
        ("cert-ee", "changed"),
        ("bank-1", "added"),
    ]
    assert {row["id"] for row in json.loads(run("sources", "list", "--json").out)} == {
        "bank-1",
        "cert-ee",
    }


def test_a_file_with_a_wrong_row_is_refused_by_line_and_field(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "sources.csv"
    file.write_text(CSV.replace("private-sector", "banks"))
    for more in ((), ("--dry-run",)):
        answer = run("sources", "import", str(file), "--as", MANAGER, *more)
        assert answer.code == REFUSED
        assert "line 3, group" in answer.err
    assert json.loads(run("sources", "list", "--json").out) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "Cert"), REFUSED, "id"),
        (("add", "leerp"), REFUSED, "kept for the system"),
        (("add", "cert-ee", "--country", "Estonia"), REFUSED, "country"),
        (("add", "cert-ee", "--quota", "0"), REFUSED, "quota"),
        (("add", "cert-ee", "--also-group", "csirt"), REFUSED, "twice"),
        (("add", "cert-ee", "--group", "neighbours"), USAGE, "law-enforcement"),
    ],
)
def test_what_cannot_be_registered_is_refused_by_its_field(
    run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    answer = add(run, arguments[1], *arguments[2:])

    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_rights_are_asked_for_and_a_refusal_is_on_record(run: Run, home: Path) -> None:
    assert add(run, by=ANALYST).code == REFUSED
    assert add(run).code == DONE
    nobody = run("sources", "grade", "cert-ee", "--letter", "A", "--reason", "good")
    assert (nobody.code, "--as OFFICER" in nobody.err) == (REFUSED, True)
    assert grade(run, "A", by="stranger").code == REFUSED
    assert run("sources", "retire", "cert-ee", "--reason", "x", "--as", ANALYST).code == REFUSED

    assert shown(run)["letter"] == "X"
    assert [row["detail"]["command"] for row in audited(home, "command_refused")] == [
        "sources add",
        "sources grade",
        "sources retire",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "cert-xx"),
        ("grade", "cert-xx", "--letter", "A", "--reason", "good", "--as", ANALYST),
        ("retire", "cert-xx", "--reason", "gone", "--as", MANAGER),
        ("outcome", "3-none", "refuted", "--reason", "seen", "--as", ANALYST),
    ],
)
def test_what_is_not_there_is_refused_with_the_way_to_find_it(
    run: Run, arguments: tuple[str, ...]
) -> None:
    answer = run("sources", *arguments)

    assert answer.code == REFUSED
    assert "list" in answer.err


def test_the_check_is_content_only_when_there_is_nothing_to_mend(run: Run, home: Path) -> None:
    assert run("sources", "check").code == DONE
    add(run)
    unfit = run("sources", "check", "--json")
    assert unfit.code == REFUSED
    assert {(row["finding"], row["mend"]) for row in json.loads(unfit.out)} == {
        ("no-contact", True),
        ("no-letter", True),
        ("never-used", False),
    }
    assert "leerp sources grade cert-ee" in run("sources", "check").out

    run("sources", "retire", "cert-ee", "--reason", "to begin anew", "--as", MANAGER)
    add(run, "cert-fi", "--contact", "duty@fi.invalid", "--quota", "3")
    run("sources", "grade", "cert-fi", "--letter", "B", "--reason", "good", "--as", ANALYST)
    receive(home, [ungraded(n) for n in range(3)], by="cert-fi")
    content = run("sources", "check")
    assert (content.code, "nothing found in 1 sources" in content.out) == (DONE, True)


def test_the_check_finds_old_letters_full_quotas_and_senders_out_of_service(
    run: Run, home: Path
) -> None:
    add(run, "cert-ee", "--contact", "duty@ee.invalid", "--quota", "3")
    grade(run, "B")
    receive(home, [ungraded(n) for n in range(4)])
    receive(home, [ungraded(9)], by="cert-gone")
    database = Database(Settings.load(home).database_url)
    with database.write() as connection:
        connection.execute(
            update(source_standing).values(at=datetime.now(UTC) - timedelta(days=366))
        )
    database.close()
    answer = run("sources", "check", "--json")

    assert answer.code == REFUSED
    assert {(row["source"], row["finding"]) for row in json.loads(answer.out)} == {
        ("cert-ee", "old-letter"),
        ("cert-ee", "over-quota"),
        ("cert-gone", "not-in-service"),
    }
