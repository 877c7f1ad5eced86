"""``leerp rehearse``: an attack hour by hour, and the report that turned the recommendation."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from classification.rehearsal import Hour, rehearse
from infra.settings import Settings
from leerp.options import Json
from leerp.output import out, show_json, show_rows, visible
from leerp.scenario_files import Scenario, read_scenario, shipped

COLUMNS = ("hour", "reports", "class", "levels", "triggers", "recommendation", "turned_by")


def rehearse_command(
    scenario: Annotated[
        str, typer.Argument(metavar="FILE", help="Scenario, YAML, or the name of a shipped one.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Replay an attack hour by hour, without any service: what turned the recommendation, and when."""
    if not scenario:
        show_rows(
            [{"name": name, "title": title} for name, title in shipped().items()],
            as_json=as_json,
            columns=("name", "title"),
            empty="no scenarios are shipped with this installation: give a file",
        )
        return
    told = read_scenario(scenario)
    hours = list(
        rehearse(
            [each.arrival() for each in told.arrivals], Settings().profile(), begins=told.begins
        )
    )
    if as_json:
        show_json(
            {
                "title": told.title,
                "sources": list(told.sources),
                "hours": [_hour(hour) for hour in hours],
            }
        )
        return
    _show(told, hours)


def _show(told: Scenario, hours: list[Hour]) -> None:
    out.print(visible(told.title), markup=False)
    show_rows([_row(hour) for hour in hours], as_json=False, columns=COLUMNS, empty="")
    notes = {each.arrival().name: each for each in told.arrivals}
    for hour in hours:
        for turn in hour.turns:
            if turn.before is not turn.after:
                about = "about " if notes[turn.by].approximate else ""
                out.print(
                    f"{about}{turn.at:%H:%M} UTC {turn.before} -> {turn.after}: "
                    f"{visible(notes[turn.by].note)}",
                    markup=False,
                    soft_wrap=True,
                )
    for source in told.sources:
        out.print(f"source: {visible(source)}", markup=False, soft_wrap=True)


def _row(hour: Hour) -> dict[str, Any]:
    found = hour.assessment
    return {
        "hour": f"{hour.begins:%H:%M}-{hour.ends:%H:%M}",
        "reports": hour.reports,
        "class": found.threat_class,
        "levels": f"{found.impact}{found.reach}",
        "triggers": " ".join(trigger.id for trigger in found.triggers),
        "recommendation": found.recommendation,
        "turned_by": ", ".join(turn.by for turn in hour.turns),
    }


def _hour(hour: Hour) -> dict[str, Any]:
    found = hour.assessment
    return {
        "begins": hour.begins.isoformat(),
        "ends": hour.ends.isoformat(),
        "arrived": list(hour.arrived),
        "reports": hour.reports,
        "class": found.threat_class,
        "impact": found.impact,
        "reach": found.reach,
        "triggers": [trigger.id for trigger in found.triggers],
        "recommendation": found.recommendation,
        "turns": [
            {
                "at": turn.at.isoformat(),
                "by": turn.by,
                "class": [turn.class_before, turn.class_after],
                "recommendation": [turn.before, turn.after],
            }
            for turn in hour.turns
        ],
        "reasons": list(found.reasons),
    }
