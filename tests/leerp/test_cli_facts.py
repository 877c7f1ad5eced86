"""What ``leerp reports`` and ``leerp incidents show`` say of repetitions, versions and corroboration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.database import Database
from infra.settings import Settings
from intake.corroboration import Corroborator
from protocol.report import Relation, Reporter
from tests.intake.samples import body_of, content
from tests.leerp.typed import Run, store


def corroborate(home: Path) -> None:
    settings = Settings.load(home)
    database = Database(settings.database_url)
    one = Corroborator(database, settings.profile().correlation, lambda _: True)
    while one.step():
        continue
    database.close()


def shown(run: Run, title: str) -> tuple[dict[str, Any], str]:
    """A report as JSON and as a person sees it, by its title."""
    listed = json.loads(run("reports", "list", "--json").out)
    (own,) = [row["id"] for row in listed if row["title"] == title]
    return json.loads(run("reports", "show", own, "--json").out), run("reports", "show", own).out


@pytest.mark.requirement("R11", "R12")
def test_a_corroborated_report_shows_its_grades_with_the_ids(run: Run, home: Path) -> None:
    one = content("a", "hash-1", reporter=Reporter(name="CSIRT A"))
    other = content("b", "hash-1", reporter=Reporter(name="CSIRT B"))
    store(home, body_of(one), body_of(other))
    corroborate(home)
    first, words = shown(run, "Report a")
    second, _ = shown(run, "Report b")
    intake, corroboration = first["evaluations"]

    assert (first["grade"], intake["in_force"]) == ("X3", False)
    assert corroboration["corroborated_by"] == [second["id"]]
    assert "X3 (corroboration, in force)" in words
    assert "in force by" not in words


def test_repetitions_and_versions_are_shown(run: Run, home: Path) -> None:
    again = (Relation(kind="replaces", id="a"),)
    old, new = content("a", "hash-1"), content("a", "hash-1", title="Newer", relations=again)
    incident = store(home, body_of(old), body_of(old), body_of(new))
    original, words = shown(run, "Report a")
    newer, newer_words = shown(run, "Newer")
    details = json.loads(run("incidents", "show", incident, "--json").out)

    assert (original["seen"], original["superseded_by"]) == (2, [newer["id"]])
    assert "seen 2 times from" in words
    assert f"superseded by {newer['id']}" in words
    assert "seen once" in newer_words
    assert "standing" in run("reports", "list").out
    assert (details["sources"], details["groups"], details["superseded"]) == (1, 1, 1)
    assert "superseded" in run("incidents", "show", incident).out
