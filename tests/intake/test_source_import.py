"""A file of sources is imported whole or not at all, and says first what it would change."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from infra import audit
from infra.database import Database
from infra.tables_sources import source as source_table
from intake.source_import import Plan, import_sources, plan
from intake.source_registry import retire
from intake.sources import Source, load_sources
from intake.standing import FirstHandRule
from protocol.errors import Refused
from protocol.grades import SourceReliability
from protocol.markings import Tlp
from protocol.parties import SourceGroup
from tests.intake.registry import ANALYST, MANAGER, events, refusal, registered, source, staff

HEAD = "id,name,group,organisation"
CSV = f"""{HEAD},also_groups,contact,country,first_hand,quota,tlp
cert-ee,CERT-EE feed,csirt,RIA,osint law-enforcement,duty@ria.invalid,EE,always,5000,GREEN
bank-1,"Bank, the first",private-sector,Bank One,,,,,,
"""
TOML = """
[[source]]
id = "cert-ee"
name = "CERT-EE feed"
group = "csirt"
organisation = "RIA"
also_groups = ["osint", "law-enforcement"]
contact = "duty@ria.invalid"
country = "EE"
first_hand = "always"
quota = 5000
tlp = "GREEN"

[[source]]
id = "bank-1"
name = "Bank, the first"
group = "private-sector"
organisation = "Bank One"
"""
BOTH = [
    Source(
        id="bank-1",
        name="Bank, the first",
        group=SourceGroup.PRIVATE_SECTOR,
        organisation="Bank One",
    ),
    Source(
        id="cert-ee",
        name="CERT-EE feed",
        group=SourceGroup.CSIRT,
        also_groups=(SourceGroup.OSINT, SourceGroup.LAW_ENFORCEMENT),
        organisation="RIA",
        contact="duty@ria.invalid",
        country="EE",
        first_hand=FirstHandRule.ALWAYS,
        quota=5_000,
        tlp=Tlp.GREEN,
    ),
]


@pytest.fixture(autouse=True)
def staffed(database: Database) -> None:
    staff(database)


def bring(database: Database, text: str, suffix: str = ".csv") -> Plan:
    return import_sources(database, text, suffix=suffix, by=MANAGER)


def all_of(database: Database) -> list[Source]:
    with database.read() as connection:
        return [each.source for each in load_sources(connection)]


def state(database: Database) -> tuple[Any, int]:
    """The whole table, and how long the audit trail is."""
    with database.read() as connection:
        rows = connection.execute(select(source_table).order_by(source_table.c.id)).all()
        return rows, audit.verify(connection).rows


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        (CSV, ".csv"),
        (CSV, ".CSV"),
        (CSV.replace("\n", "\r\n"), ".csv"),
        (
            CSV.replace('"Bank, the first"', "Bank§ the first").replace(",", ";").replace("§", ","),
            ".csv",
        ),
        (TOML, ".toml"),
    ],
)
def test_both_formats_say_the_same(database: Database, text: str, suffix: str) -> None:
    found = bring(database, text, suffix)

    assert all_of(database) == BOTH
    assert [change.before for change in found.changes] == [None, None]


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    bring(database, CSV)
    before = state(database)
    again = bring(database, TOML, ".toml")

    assert (again.changes, again.unchanged) == ((), 2)
    assert state(database) == before


def test_a_plan_says_what_would_change_and_changes_nothing(database: Database) -> None:
    bring(database, CSV)
    before = state(database)
    text = (
        CSV.replace("5000", "9000").replace("EE,always", "EE,never")
        + "new-1,New,other,New Org,,,,,,\n"
    )
    with database.read() as connection:
        found = plan(connection, text, suffix=".csv")

    assert state(database) == before
    assert {c.after.id: c.fields for c in found.changes if c.before} == {
        "cert-ee": {"first_hand": ("always", "never"), "quota": (5_000, 9_000)}
    }
    assert [c.after.id for c in found.changes if not c.before] == ["new-1"]
    assert found.unchanged == 1
    assert bring(database, text) == found


def test_what_the_file_does_not_name_stays_with_its_letters(database: Database) -> None:
    registered(database, source("cert-fi"), source("cert-ee"), letter=SourceReliability.B)
    bring(database, CSV)

    with database.read() as connection:
        letters = {each.source.id: each.letter for each in load_sources(connection)}
    assert letters == {"bank-1": "X", "cert-ee": "B", "cert-fi": "B"}
    (changed,) = events(database, "source_changed")
    assert changed["detail"]["values"]["quota"] == 5_000
    assert "ria.invalid" not in str(changed)


@pytest.mark.parametrize(
    ("text", "suffix", "said"),
    [
        (f"{HEAD}\ncert-ee,n,csirt,o\nCert,n,csirt,o\n", ".csv", ["line 3, id"]),
        (f"{HEAD}\n\ncert-ee,n,csrit,o\n", ".csv", ["line 3, group", "'csirt'"]),
        (f'{HEAD}\na,"two\nlines",csirt,o\nb,n,csirt,\n', ".csv", ["line 4, organisation"]),
        (f"{HEAD},quota\na,n,csirt,o,many\n", ".csv", ["line 2, quota"]),
        (f"{HEAD},quota\na,n,csirt,o,0\n", ".csv", ["line 2, quota"]),
        (f"{HEAD},tlp\na,n,csirt,o,MAUVE\n", ".csv", ["line 2, tlp", "AMBER+STRICT"]),
        (f"{HEAD},country\na,n,csirt,o,Estonia\n", ".csv", ["line 2, country"]),
        (f"{HEAD},also_groups\na,n,csirt,o,osint csirt\n", ".csv", ["line 2, also_groups", "twice"]),
        (f"{HEAD}\na,n,csirt,o\nb,n,csirt,o\na,m,csirt,o\n", ".csv", ["line 4, id", "line 2"]),
        (f"{HEAD}\nanonymous,n,csirt,o\n", ".csv", ["line 2, id", "kept for the system"]),
        (f"{HEAD}\na,n,csirt\n", ".csv", ["line 2", "3 cells"]),
        (f"{HEAD}\na,n,csirt,o,p\n", ".csv", ["line 2", "5 cells"]),
        (f"{HEAD},letter\na,n,csirt,o,A\n", ".csv", ["line 1", "letter", "first_hand"]),
        (f"{HEAD},id\na,n,csirt,o,b\n", ".csv", ["line 1", "twice"]),
        (f'{HEAD}\n"a,n,csirt,o\n', ".csv", ["line 2"]),
        (f"{HEAD}\n", ".csv", ["no source"]),
        ("", ".csv", ["no source"]),
        ("", ".toml", ["no source"]),
        (TOML + '[[source]]\nid = "Bad"\nname = "n"\ngroup = "csirt"\n', ".toml",
         ["line 19, id", "line 19, organisation"]),
        (TOML + '[[source]]\nid = "b"\nletter = "A"\n', ".toml", ["line 19, letter"]),
        (TOML + 'text = """\n[[source]]\n"""\n', ".toml", ["source number 2, text"]),
        ("[source]\nid = 1\n", ".toml", ["[[source]]"]),
        ("source = [1]\n", ".toml", ["[[source]]"]),
        ("[[sources]]\nid = 1\n", ".toml", ["sources", "[[source]]"]),
        ("[[source]\n", ".toml", ["line 1"]),
        (CSV, ".xlsx", [".csv or .toml"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_line_and_field_and_nothing_is_written(
    database: Database, text: str, suffix: str, said: list[str]
) -> None:
    before = state(database)[0]
    with pytest.raises(Refused) as caught:
        bring(database, text, suffix)

    assert refusal(caught) == "sources-invalid"
    for words in said:
        assert words in str(caught.value)
    assert state(database)[0] == before


def test_every_problem_is_said_at_once(database: Database) -> None:
    rows = "".join(f"{'Bad' if n % 2 else 'good'}-{n},n,csirt,o\n" for n in range(60))
    with pytest.raises(Refused) as caught:
        bring(database, f"{HEAD}\n{rows}")

    assert str(caught.value).count("line ") == 20
    assert "and 10 more" in str(caught.value)


def test_a_retired_source_does_not_come_back_by_a_file(database: Database) -> None:
    registered(database, source())
    retire(database, "cert-ee", reason="stolen", by=MANAGER)
    with pytest.raises(Refused, match="line 2, id: cert-ee is retired"):
        bring(database, CSV)
    assert all_of(database) == []


@pytest.mark.parametrize("officer", [ANALYST, "nobody"])
def test_only_a_duty_manager_imports(database: Database, officer: str) -> None:
    with pytest.raises(Refused) as caught:
        import_sources(database, CSV, suffix=".csv", by=officer)

    assert refusal(caught) in {"wrong-role", "unknown-officer"}
    assert all_of(database) == []


Row = dict[str, str]
GOOD = st.fixed_dictionaries(
    {
        "id": st.from_regex(r"[a-k][a-z0-9]{0,5}", fullmatch=True),
        "name": st.sampled_from(["Feed", 'A "quoted" feed', "One, two", "Ünïcode"]),
        "group": st.sampled_from([str(group) for group in SourceGroup]),
        "organisation": st.just("Org"),
        "quota": st.sampled_from(["", "10", "20"]),
    }
)
FLAWS = [{"id": "Upper"}, {"group": "neighbours"}, {"name": ""}, {"quota": "-1"}, {"quota": "1.5"}]


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(GOOD, min_size=1, max_size=8, unique_by=lambda row: row["id"]),
    flaw=st.none() | st.tuples(st.integers(0, 7), st.sampled_from(FLAWS)),
)
def test_an_import_is_all_or_nothing(
    database: Database, rows: list[Row], flaw: tuple[int, Row] | None
) -> None:
    before = {each.id: each for each in all_of(database)}
    wanted = [dict(row) for row in rows]
    if flaw:
        wanted[flaw[0] % len(rows)] |= flaw[1]
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(wanted)

    if flaw:
        with pytest.raises(Refused, match=f"line {flaw[0] % len(rows) + 2}, {next(iter(flaw[1]))}"):
            bring(database, written.getvalue())
        assert {each.id: each for each in all_of(database)} == before
    else:
        bring(database, written.getvalue())
        after = {each.id: each for each in all_of(database)}
        assert set(after) == set(before) | {row["id"] for row in rows}
        for row in rows:
            imported = after[row["id"]]
            assert (imported.name, imported.group) == (row["name"], row["group"])
            assert str(imported.quota or "") == row["quota"]
