"""``leerp incidents facts``: what is known, by which reports, and what is contested (R7, R13)."""

from __future__ import annotations

from activities.evidence import load_facts
from leerp.fact_words import fact_rows, number_rows, officers_lines
from leerp.home import open_app
from leerp.options import HOME, Home, IncidentId, Json
from leerp.output import out, show_json, show_rows, visible


def facts(incident_id: IncidentId, home: Home = HOME, as_json: Json = False) -> None:
    """What reports and officers say of impact, reach and cause; conflicts are shown, not averaged."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = load_facts(connection, incident_id, opened.settings.profile().classification)
    if as_json:
        show_json({"incident": incident_id, **found.model_dump(mode="json")})
        return
    out.print(f"{found.reports} reports in force, {found.withdrawn} withdrawn")
    if found.presumed:
        out.print("cause: nobody states one, so a crime is presumed (R8)")
    show_rows(
        number_rows(found),
        as_json=False,
        columns=("number", "known", "confirmed", "says who"),
        empty="no report gives a number",
    )
    show_rows(
        fact_rows(found),
        as_json=False,
        columns=("subject", "fact", "", "support", "against"),
        empty="no report states an effect yet: see 'leerp reports list'",
    )
    for line in officers_lines(found):
        out.print(visible(line), markup=False, soft_wrap=True)
    for subject, number in found.left_off.items():
        out.print(f"and {number} more of {subject}, with fewer reports behind them")
