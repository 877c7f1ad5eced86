"""``leerp templates`` as typed: checked offline, previewed, installed by two officers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from infra.database import Database
from infra.settings import Settings
from infra.tables_templates import template_unfit
from notifications.campaigns import FreezeOrder, freeze
from tests.leerp.typed import DONE, REFUSED, USAGE, Run, audited
from tests.notifications.own_templates import SECTIONS_FIRST, headed
from tests.notifications.samples import initial

HEAD = headed("Bureau {{ organisation }}")
FRENCH = ("--kind", "drill", "--language", "fr")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    text, page = tmp_path / "drill.txt", tmp_path / "drill.html"
    text.write_text(HEAD.text)
    page.write_text(HEAD.html)
    return str(text), str(page)


def installed(run: Run, files: tuple[str, str], *more: str) -> int:
    answer = run("templates", "install", *files, *FRENCH, *more, "--as", "s.lindqvist", "--json")
    assert answer.code == DONE, answer.err
    number: int = json.loads(answer.out)["number"]
    return number


def test_before_the_first_template_the_list_says_what_to_do_next(run: Run) -> None:
    answer = run("templates", "list")
    assert answer.code == DONE
    assert "leerp templates show --part txt" in " ".join(answer.out.split())
    assert json.loads(run("templates", "list", "--json").out) == []


def test_what_is_shown_to_begin_with_passes_the_check(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEERP_HOME", str(tmp_path / "none"))  # no service and no home is needed
    for part in ("txt", "html"):
        (tmp_path / f"own.{part}").write_text(run("templates", "show", "--part", part).out)
    answer = run("templates", "check", str(tmp_path / "own.txt"), str(tmp_path / "own.html"))
    assert (answer.code, "sound for notices of kind ewn" in answer.out) == (DONE, True)
    shown = json.loads(run("templates", "show", "--json").out)
    assert "bottom_line" in shown["blocks"]
    assert shown["txt"] == (tmp_path / "own.txt").read_text()


def test_a_check_names_each_line_and_each_missing_part_and_exits_with_1(
    run: Run, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("{{ top }}\n<script>x</script>\n{{ ''.__class__ }}\n")
    answer = run("templates", "check", str(bad))
    assert answer.code == REFUSED
    assert "html, line 2: no element <script>" in answer.out
    assert "html, line 3: attributes cannot be read" in answer.out
    bad.write_text("{{ top }}\n{{ notice }}\n{{ bottom }}\n")
    answer = run("templates", "check", str(bad), "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["sound"]) == (REFUSED, False)
    assert any("how to acknowledge" in fault for fault in found["faults"])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("check", "own.md"), "ends in .txt"),
        (("check", "own.txt", "own.txt"), "ends in .txt"),
        (("check", "own.txt", "--language", "es"), "en, de, fr"),
        (("install", "own.txt", "--as", "s.lindqvist"), "give both"),
        (("preview", "none.txt"), "cannot be read"),
        (("preview", "7"), "no template 7"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("own.txt", "own.md"):
        Path(name).write_text(HEAD.text)
    answer = run("templates", *typed)
    assert (answer.code, said in " ".join(answer.err.split())) == (REFUSED, True)
    assert run("templates", "check", "--kind", "none", "own.txt").code == USAGE


def test_a_preview_shows_the_text_and_writes_the_page_for_its_owner_only(
    run: Run, tmp_path: Path
) -> None:
    text, page, out = tmp_path / "a.txt", tmp_path / "a.html", tmp_path / "out.html"
    text.write_text(SECTIONS_FIRST.text)
    page.write_text(SECTIONS_FIRST.html)
    answer = run(
        *("templates", "preview", str(text), str(page), "--language", "fr", "--exercise"),
        *("--variant", "sanitised", "--reminder", "1", "--html", str(out)),
    )
    assert answer.code == DONE, answer.err
    assert "OFFICE CENTRAL, permanence 24/7, pour National unit of Exampleland" in answer.out
    assert "EXERCISE EXERCISE EXERCISE" in answer.out
    assert "expurgée" in answer.out
    assert "OFFICE CENTRAL" in out.read_text()
    assert out.stat().st_mode & 0o077 == 0


def test_a_template_is_installed_by_one_officer_and_confirmed_by_another(
    run: Run, home: Path, files: tuple[str, str]
) -> None:
    number = installed(run, files, "--for", "r-0003")
    assert run("templates", "confirm", str(number), "--as", "s.lindqvist").code == REFUSED
    assert "Bureau National unit" in run("templates", "preview", str(number)).out
    answer = run("templates", "confirm", str(number), "--as", "a.virtanen")
    assert (answer.code, "version 1" in answer.out) == (DONE, True)
    (row,) = json.loads(run("templates", "list", "--json").out)
    assert (row["standing"], row["organisation"], row["kind"], row["language"]) == (
        "in force",
        "r-0003",
        "drill",
        "fr",
    )
    assert (row["by"], row["settled_by"], row["sha256"]) == (
        "s.lindqvist",
        "a.virtanen",
        HEAD.sha256,
    )
    assert run("templates", "show", str(number), "--part", "html").out == HEAD.html
    assert len(audited(home, "template_confirmed")) == 1
    removal = json.loads(
        run("templates", "remove", str(number), "--as", "a.virtanen", "--json").out
    )["proposal"]
    assert run("templates", "confirm", str(removal), "--as", "s.lindqvist").code == DONE
    assert json.loads(run("templates", "list", "--json").out) == []
    listed = json.loads(run("templates", "list", "--all", "--json").out)
    assert [row["act"] for row in listed] == ["install", "remove"]


def test_what_waits_is_taken_off_the_list_at_once(run: Run, files: tuple[str, str]) -> None:
    number = installed(run, files)
    assert "open" in run("templates", "list").out
    answer = run("templates", "remove", str(number), "--as", "s.lindqvist")
    assert (answer.code, "off the list" in answer.out) == (DONE, True)
    assert json.loads(run("templates", "list", "--json").out) == []


def test_a_campaign_shows_the_template_that_could_not_be_used(
    run: Run, home: Path, files: tuple[str, str]
) -> None:
    number = installed(run, files)
    database = Database(Settings.load(home).database_url)
    now = datetime.now(UTC)
    order = FreezeOrder(
        campaign_id="inc-1.initial.1",
        revision=1,
        content=initial(incident_id="inc-1"),
        recipients=("r-0003",),
        by="test",
    )
    with database.write() as connection:
        freeze(connection, order, message_key=bytes(32), now=now)
        connection.execute(
            insert(template_unfit).values(
                campaign_id="inc-1.initial.1",
                template=number,
                at=now,
                reason="txt lacks the marking",
            )
        )
    database.close()
    answer = run("campaign", "show", "inc-1.initial.1")
    assert "templates in trouble" in answer.out
    assert "txt lacks the marking" in answer.out
    shown = json.loads(run("campaign", "show", "inc-1.initial.1", "--json").out)
    assert shown["templates"][0]["template"] == number
