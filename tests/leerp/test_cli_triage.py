"""``leerp triage``: the list, and the acts of officers as they are typed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from infra.database import Database
from infra.settings import Settings
from infra.tables_permissions import life_override
from leerp.demo.officers import DUTY_OFFICER
from tests.intake.samples import body_of, content, major
from tests.leerp.typed import DONE, REFUSED, Run, audited, store

ACTING = ("--reason", "two attacks", "--as", DUTY_OFFICER)


@pytest.fixture
def cluster(home: Path) -> str:
    """Two reports that share a file."""
    return store(
        home, body_of(content("a", "hash-1", "hash-2")), body_of(content("b", "hash-1", "hash-3"))
    )


def reports(run: Run) -> dict[str, str]:
    """The incident of each report, by the report's id, the newest first."""
    return {row["id"]: row["incident"] for row in json.loads(run("reports", "list", "--json").out)}


def test_an_empty_list_says_where_to_look(run: Run) -> None:
    answer, as_json = run("triage"), run("triage", "--json")
    assert answer.code == as_json.code == DONE
    assert "leerp incidents list" in answer.out
    assert json.loads(as_json.out) == {"total": 0, "offset": 0, "clusters": []}
    assert "leerp triage merge" in run("triage", "acts").out


def test_the_list_names_what_holds_a_cluster_together(run: Run, cluster: str) -> None:
    (row,) = json.loads(run("triage", "--json").out)["clusters"]
    assert (row["id"], row["reports"], row["class"]) == (cluster, 2, "C0")
    assert row["held_by"][0]["reports"] == 2
    shown = run("triage").out
    assert cluster in shown
    assert "sha256" in shown


@pytest.mark.requirement("R1")
def test_a_split_is_explained_listed_and_undone(run: Run, home: Path, cluster: str) -> None:
    newest, older = reports(run)
    done = json.loads(run("triage", "split", cluster, newest, *ACTING, "--json").out)
    assert (done["kind"], done["source"], done["reports"]) == ("split", cluster, 1)
    assert reports(run) == {newest: done["target"], older: cluster}
    assert json.loads(run("triage", "--json").out)["total"] == 2

    why = json.loads(run("incidents", "links", done["target"], "--json").out)
    assert [each["report_id"] for each in why] == [newest]
    assert f"split off {cluster}" in why[0]["words"]
    assert "two attacks" in why[0]["words"]
    assert "two attacks" in run("reports", "show", newest).out
    assert json.loads(run("triage", "acts", "--json").out)[0]["id"] == done["id"]

    answer = run("triage", "undo", str(done["id"]), *ACTING)
    assert answer.code == DONE
    assert cluster in answer.out
    assert reports(run) == {newest: cluster, older: cluster}
    assert "undone" in run("incidents", "links", cluster).out
    again = run("triage", "undo", str(done["id"]), *ACTING)
    assert again.code == REFUSED
    assert DUTY_OFFICER in again.err
    assert len(audited(home, "reports_regrouped")) == len(audited(home, "regrouping_undone")) == 1


def test_detached_attached_and_merged_by_their_ids(run: Run, cluster: str) -> None:
    newest, _ = reports(run)
    out = json.loads(run("triage", "detach", newest, *ACTING, "--json").out)
    assert "leerp triage undo" in run("triage", "attach", newest, cluster, *ACTING).out
    assert set(reports(run).values()) == {cluster}
    gone = run("triage", "merge", out["target"], cluster, *ACTING)
    assert gone.code == REFUSED
    assert cluster in gone.err


def test_a_running_incident_is_not_merged_away_and_one_is_told_what_to_do(
    run: Run, home: Path
) -> None:
    running = store(home, body_of(major("a", "hash-1")), body_of(content("b", "hash-1")))
    newest, _ = reports(run)
    out = json.loads(run("triage", "detach", newest, *ACTING, "--json").out)["target"]
    answer = run("triage", "merge", running, out, *ACTING)
    assert answer.code == REFUSED
    assert f"leerp triage merge {out} {running}" in " ".join(answer.err.split())


@pytest.mark.requirement("R7")
def test_links_name_the_indicators_with_their_weights(run: Run, cluster: str) -> None:
    links = json.loads(run("incidents", "links", cluster, "--json").out)
    joined = links[0]
    assert [each["weight"] for each in joined["indicators"]] == [1.0]
    assert "(weight 1)" in joined["words"]
    assert "opened" in links[1]["words"]
    assert run("incidents", "links", "inc-none").code == REFUSED


def test_an_incident_shows_how_long_detection_took(run: Run, home: Path) -> None:
    found = store(home, body_of(major("a", "hash-1")))
    times = json.loads(run("incidents", "show", found, "--json").out)["detection_times"]
    assert times["launch"] is None
    assert times["event_to_detection"]["least_seconds"] > 0
    assert "event_to_detection" in run("incidents", "show", found).out
    assert "first event" in run("incidents", "timeline", found).out


@pytest.mark.requirement("R32")
def test_a_merge_names_the_overrides_that_it_leaves_behind(
    run: Run, home: Path, cluster: str
) -> None:
    newest, _ = reports(run)
    other = json.loads(run("triage", "split", cluster, newest, *ACTING, "--json").out)["target"]
    database = Database(Settings.load(home).database_url)
    with database.write() as connection:
        connection.execute(
            insert(life_override).values(
                incident_id=other, draft="ewn/1", product="0" * 64, recipients=["le-poc-ee"],
                providers=["EE police"], reason="a threat to life", lasts_s=3600,
                by=DUTY_OFFICER, at=datetime.now(UTC),
            )
        )  # fmt: skip
    database.close()
    merged = json.loads(run("triage", "merge", other, cluster, *ACTING, "--json").out)
    (said,) = merged["overrides_left_behind"]
    assert f"was proposed for {other} (le-poc-ee) before it merged" in said
    assert f"'leerp locks override propose {cluster}'" in said
    (row,) = audited(home, "overrides_left_behind")
    assert (row["subject"], row["actor"]) == (cluster, DUTY_OFFICER)
