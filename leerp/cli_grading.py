"""The commands of ``leerp reports`` that grade: a report, a whole source, and the provider's answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from intake.grade_log import grade_log
from leerp.desk import Desk, desk
from leerp.grade_words import confidence_words, entry_words, plan_rows
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, BearingOut, Home, Json, Reason
from leerp.output import out, show_fields, show_json, show_rows
from protocol.errors import Refused
from protocol.grades import Grade, SourceReliability
from workflows.bulk_grading import BulkGrading, Change, Plan, Selection
from workflows.grading import Grading, require_in_force
from workflows.proposals import Answer, Way, waiting_proposals

ReportId = Annotated[str, typer.Argument(metavar="REPORT", help="Report id.")]


def add_grading_commands(reports: typer.Typer) -> None:
    """Add the commands that grade."""
    for name, command in (
        ("grade", grade),
        ("history", history),
        ("proposals", proposals),
        ("answer", answer),
    ):
        reports.command(name)(command)


def grade(
    reason: Reason,
    report: Annotated[
        str, typer.Argument(metavar="REPORT", help="One report; or use --source.")
    ] = "",
    given: Annotated[str, typer.Option("--grade", help="4x4, such as B2.", metavar="GRADE")] = "",
    letter: Annotated[
        SourceReliability | None,
        typer.Option(help="With --source: the letter alone, each keeps its digit."),
    ] = None,
    by: BearingOut = None,
    source: Annotated[str, typer.Option(help="All reports of this registered source.")] = "",
    reporter: Annotated[str, typer.Option(help="All of this name; needs --incident.")] = "",
    incident: Annotated[str, typer.Option(help="Of this incident only.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask after counting.")] = False,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Grade one report, or after counting them all reports of a source (R11)."""
    if bool(report) is bool(source or reporter):
        raise Refused("no-report", "name one report, or a source with --source, and not both")
    with desk(home, officer) as at:
        if report:
            _grade_one(at, report, given, by or [], reason, incident, as_json=as_json)
            return
        which = Selection(source=source, reporter=reporter, incident_id=incident)
        change = _change(given, letter)
        if by:
            raise Refused("needs-corroboration", "--by is for one report at a time")
        bulk = BulkGrading(at.app.database, officer=officer, channel=CHANNEL)
        plan = bulk.plan(which, change)
        if not as_json:
            _show_plan(plan)
        if dry_run or not plan.reports:
            done = False
        else:
            if not yes:
                typer.confirm(_question(plan), abort=True, err=True)
            plan, done = bulk.carry_out(which, change, reason=reason), True
    if as_json:
        show_json(_as_json(plan, done=done))
    elif done:
        out.print(f"graded {len(plan.reports)} reports {plan.change}", markup=False)
    else:
        out.print("nothing was changed")


def history(report: ReportId, home: Home = HOME, as_json: Json = False) -> None:
    """Every grade of a report: who, when, why, what its provider said, and how it reads elsewhere."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = grade_log(connection, report)
    if as_json:
        show_json(found)
        return
    in_words = {
        "history": [line for entry in found["history"] for line in entry_words(entry)],
        "confidence": [confidence_words(each) for each in found["confidence"]],
    }
    show_fields({**found, **in_words}, as_json=False)


def proposals(home: Home = HOME, as_json: Json = False) -> None:
    """Grades that the centre proposed to providers, and that wait for their agreement."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = waiting_proposals(connection)
    show_rows(
        rows,
        as_json=as_json,
        columns=("report", "reporter", "in_force", "proposed", "by", "at", "reason"),
        empty="no proposal waits: grading a report that its provider graded makes one",
    )


def answer(
    report: ReportId,
    said: Annotated[Answer, typer.Argument(help="What the provider says.")],
    person: Annotated[str, typer.Option(help="Who said so for the provider.")],
    way: Annotated[Way, typer.Option(help="Over which channel.")],
    reason: Reason,
    at_time: Annotated[
        str, typer.Option("--at", help="When, ISO 8601 in UTC; now if left out.")
    ] = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Put down a provider's answer to the proposal that waits; agreement puts it in force."""
    with desk(home, officer) as at:
        graded = _grading(at).answer(
            report, said, person=person, way=way, reason=reason, answered_at=_time(at_time)
        )
    if as_json:
        show_json({"report": report, "answer": said, "grade": str(graded.grade)})
    elif graded.in_force:
        out.print(f"{report} is graded {graded.grade}, as its provider agreed", markup=False)
    else:
        out.print(f"the provider refused {graded.grade}: its own grade stands", markup=False)


def _grade_one(
    at: Desk,
    report: str,
    given: str,
    by: list[str],
    reason: str,
    incident: str,
    *,
    as_json: bool,
) -> None:
    graded = _grading(at).grade(
        report, _grade(given), reason=reason, by=by, incident_id=incident or None
    )
    require_in_force(graded)
    if as_json:
        show_json({"report": report, "incident": graded.incident_id, "grade": str(graded.grade)})
    else:
        out.print(f"{report} is graded {graded.grade}", markup=False)


def _grading(at: Desk) -> Grading:
    return Grading(at.app.database, at.profile.correlation, officer=at.officer, channel=CHANNEL)


def _grade(text: str) -> Grade:
    try:
        return Grade.parse(text)
    except ValueError:
        raise Refused(
            "bad-grade", f"--grade is a letter of A, B, C, X and a digit 1 to 4, not {text!r}"
        ) from None


def _change(given: str, letter: SourceReliability | None) -> Change:
    if bool(given) is (letter is not None):
        raise Refused("bad-grade", "give --grade B2, or --letter B for the letter alone")
    if letter is not None:
        return Change(letter=letter)
    grade = _grade(given)
    return Change(letter=grade.source, digit=grade.information)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            "bad-time", f"--at is a time such as 2026-11-21T14:30, not {text!r}"
        ) from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


def _show_plan(plan: Plan) -> None:
    show_rows(plan_rows(plan), as_json=False, columns=("reports", "what"), empty="no reports")


def _question(plan: Plan) -> str:
    return f"Grade {len(plan.reports)} reports of {len(plan.by_incident)} incidents {plan.change}?"


def _as_json(plan: Plan, *, done: bool) -> dict[str, object]:
    return {
        "done": done,
        "grade": str(plan.change),
        "reports": list(plan.reports),
        "incidents": dict(plan.by_incident),
        "before": dict(plan.before),
        "unchanged": plan.unchanged,
        "provider_graded": plan.provider_graded,
        "closed": plan.closed,
    }
