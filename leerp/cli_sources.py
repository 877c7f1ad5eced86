"""``leerp sources``: who sends reports, under which rules, and how reliable each is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from intake.source_check import check_sources
from intake.source_import import Plan, import_sources, plan
from intake.source_outcomes import (
    Outcome,
    Outcomes,
    outcome_log,
    outcomes,
    record_outcome,
    suggest,
)
from intake.source_registry import register, restore, retire, set_letter
from intake.source_traffic import traffic
from intake.sources import Source, get_source, load_sources
from intake.standing import FirstHandRule
from leerp.cli_sources_access import key, revoke
from leerp.desk import desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json, Reason
from leerp.output import REFUSED, out, show_fields, show_json, show_rows
from leerp.source_views import details, letter_words, summary
from protocol.grades import SourceReliability
from protocol.markings import Tlp
from protocol.parties import SourceGroup

sources_app = typer.Typer(no_args_is_help=True)
SourceArgument = Annotated[str, typer.Argument(metavar="ID", help="Source, such as cert-ee.")]
sources_app.command("key")(key)
sources_app.command("revoke")(revoke)
COLUMNS = (
    "id", "group", "organisation", "country", "letter", "suggested", "first_hand", "quota", "tlp",
    "last_heard",
)  # fmt: skip
EMPTY = "no sources yet: 'leerp sources add ID' or 'leerp sources import FILE'"


@sources_app.command("list")
def list_command(
    home: Home = HOME,
    everything: Annotated[bool, typer.Option("--all", help="Retired ones too.")] = False,
    as_json: Json = False,
) -> None:
    """The sources in service with letter, quota and when they were last heard."""
    with open_app(home) as opened, opened.database.read() as connection:
        sent = traffic(connection, busiest_since=datetime.now(UTC))
        found, rules = outcomes(connection), opened.settings.profile().sources
        rows = [
            summary(
                each,
                sent.get(each.source.principal),
                suggest(found.get(each.source.principal, Outcomes()), rules),
            )
            for each in load_sources(connection, retired=everything)
        ]
    show_rows(
        rows,
        as_json=as_json,
        columns=COLUMNS + (("retired_at",) if everything else ()),
        empty=EMPTY,
    )


@sources_app.command("show")
def show_command(source_id: SourceArgument, home: Home = HOME, as_json: Json = False) -> None:
    """One source with its topics, every letter it had, what it sent, and what outcomes suggest."""
    with open_app(home) as opened, opened.database.read() as connection:
        rules = opened.settings.profile().sources
        shown = details(connection, get_source(connection, source_id), rules, datetime.now(UTC))
    if as_json:
        show_json(shown)
        return
    suggested = shown["suggestion"]
    words = {
        "letters": [letter_words(each) for each in shown["letters"]],
        "suggestion": f"{suggested['letter']}: {suggested['why']}; a person decides",
    }
    show_fields({**shown, **words}, as_json=False)


@sources_app.command("add")
def add_command(
    source_id: SourceArgument,
    name: Annotated[str, typer.Option(help="What people call it.")],
    group: Annotated[SourceGroup, typer.Option(help="Its source group; it decides the topic.")],
    organisation: Annotated[str, typer.Option(help="Who runs it.")],
    also_group: Annotated[
        list[SourceGroup] | None, typer.Option(help="A further group; may be repeated.")
    ] = None,
    contact: Annotated[str, typer.Option(help="Whom to ask when something is wrong.")] = "",
    country: Annotated[str | None, typer.Option(help="ISO 3166-1, such as EE.")] = None,
    first_hand: Annotated[
        FirstHandRule, typer.Option(help="Sensors and victims: always; relays: never.")
    ] = FirstHandRule.AS_STATED,
    quota: Annotated[int | None, typer.Option(help="Records an hour.")] = None,
    tlp: Annotated[
        Tlp | None, typer.Option(help="For reports that bring no marking.", case_sensitive=False)
    ] = None,
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Register a source, not judged yet; a duty-manager of the directory does."""
    added = Source.model_validate(
        {
            "id": source_id,
            "name": name,
            "group": group,
            "also_groups": tuple(also_group or ()),
            "organisation": organisation,
            "contact": contact,
            "country": country,
            "first_hand": first_hand,
            "quota": quota,
            "tlp": tlp,
        }
    )
    with open_app(home) as opened:
        register(opened.database, added, by=officer, channel=CHANNEL)
    if as_json:
        show_json({**added.row(), "topics": added.topics})
        return
    out.print(f"registered {added.id}; its topics: {', '.join(added.topics)}", soft_wrap=True)
    out.print(f"its letter is X until somebody judges it: leerp sources grade {added.id}")


@sources_app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or TOML, see docs/sources.md.", exists=True)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    home: Home = HOME,
    officer: As = "administrator",
    as_json: Json = False,
) -> None:
    """Add and change sources from a file, all of it or nothing; a duty-manager does."""
    text = file.read_text(encoding="utf-8-sig")
    with open_app(home) as opened:
        if dry_run:
            with opened.database.read() as connection:
                found = plan(connection, text, suffix=file.suffix)
        else:
            found = import_sources(
                opened.database, text, suffix=file.suffix, by=officer, channel=CHANNEL
            )
    _show_plan(found, dry_run=dry_run, as_json=as_json)


@sources_app.command("grade")
def grade_command(
    source_id: SourceArgument,
    letter: Annotated[SourceReliability, typer.Option(help="A, B, C or X.", case_sensitive=False)],
    reason: Reason,
    home: Home = HOME,
    officer: As = "",
    as_json: Json = False,
) -> None:
    """Judge a source's reliability; the letter holds for reports that come from now on."""
    with desk(home, officer) as at:
        graded = set_letter(
            at.app.database, source_id, letter, reason=reason, by=officer, channel=CHANNEL
        )
    judged = graded.letters[-1]
    if as_json:
        show_json({"id": source_id, "before": judged.before, "letter": judged.letter})
    else:
        out.print(f"{source_id}: {judged.before} -> {judged.letter}")


@sources_app.command("retire")
def retire_command(
    source_id: SourceArgument, reason: Reason, home: Home = HOME, officer: As = "administrator"
) -> None:
    """Take a source out of service; its history and its reports stay. A duty-manager does."""
    with open_app(home) as opened:
        retire(opened.database, source_id, reason=reason, by=officer, channel=CHANNEL)
    out.print(f"{source_id} is retired; withdraw its login to Kafka too")


@sources_app.command("restore")
def restore_command(
    source_id: SourceArgument, reason: Reason, home: Home = HOME, officer: As = "administrator"
) -> None:
    """Bring a retired source back, to be judged anew. A duty-manager does."""
    with open_app(home) as opened:
        restore(opened.database, source_id, reason=reason, by=officer, channel=CHANNEL)
    out.print(f"{source_id} is in service again, with letter X: leerp sources grade {source_id}")


@sources_app.command("outcome")
def outcome_command(
    report_id: Annotated[str, typer.Argument(metavar="REPORT", help="Id of a stored report.")],
    outcome: Annotated[Outcome, typer.Argument(help="What it turned out to be.")],
    reason: Reason,
    home: Home = HOME,
    officer: As = "",
    as_json: Json = False,
) -> None:
    """Note that a report was confirmed or refuted; it counts for the suggestion of its source."""
    with desk(home, officer) as at:
        principal = record_outcome(
            at.app.database, report_id, outcome, reason=reason, by=officer, channel=CHANNEL
        )
    if as_json:
        show_json({"report": report_id, "outcome": outcome, "source": principal})
    else:
        out.print(f"{report_id} of {principal}: {outcome}")


@sources_app.command("outcomes")
def outcomes_command(source_id: SourceArgument, home: Home = HOME, as_json: Json = False) -> None:
    """What the source's reports turned out to be, by whose word and why."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = outcome_log(connection, get_source(connection, source_id).source.principal)
    show_rows(
        rows,
        as_json=as_json,
        columns=("report", "incident", "outcome", "by", "at", "reason"),
        empty="nothing is judged yet: leerp sources outcome REPORT confirmed|refuted --reason ...",
    )


@sources_app.command("check")
def check_command(home: Home = HOME, as_json: Json = False) -> None:
    """Missing contacts and letters, old letters, silence, quotas; exit 1 if there is something to mend."""
    now = datetime.now(UTC)
    with open_app(home) as opened, opened.database.read() as connection:
        rules = opened.settings.profile().sources
        registered = load_sources(connection)
        sent = traffic(connection, busiest_since=now - rules.quota_looked_back)
        findings = check_sources(registered, sent, rules, now)
    show_rows(
        [
            {
                "source": found.source,
                "finding": found.finding,
                "mend": found.mend,
                "message": found.message,
            }
            for found in findings
        ],
        as_json=as_json,
        columns=("source", "finding", "mend", "message"),
        empty=f"nothing found in {len(registered)} sources" if registered else EMPTY,
    )
    if any(found.mend for found in findings):
        raise typer.Exit(REFUSED)


def _show_plan(found: Plan, *, dry_run: bool, as_json: bool) -> None:
    rows = [
        {
            "id": change.after.id,
            "change": "changed" if change.before else "added",
            "fields": {name: list(values) for name, values in change.fields.items()},
        }
        for change in found.changes
    ]
    if as_json:
        show_json({"dry_run": dry_run, "changes": rows, "unchanged": found.unchanged})
        return
    for change in found.changes:
        out.print(f"{'change' if change.before else 'add'} {change.after.id}", markup=False)
        for name, (old, new) in change.fields.items():
            words = f"{old!r} -> {new!r}" if change.before else repr(new)
            out.print(f"  {name}: {words}", markup=False, soft_wrap=True)
    done = "would change" if dry_run else "imported"
    out.print(f"{done}: {len(found.changes)} sources; unchanged: {found.unchanged}")
