"""A campaign as a map in plain text: each member state where it lies, with how its recipients stand.

Nothing is told by colour. A state's sign is that of its recipient who needs somebody most; behind it
stand those who acknowledged, of all. Source: issue 7.
"""

from __future__ import annotations

from collections.abc import Sequence

from notifications.campaign_view import NO_COUNTRY, Person, Standing
from protocol.countries import EU_MEMBER_STATES

NOBODY = "-"
SIGNS = {
    Standing.TROUBLE: "!",
    Standing.SILENT: "?",
    Standing.WAITING: ".",
    Standing.ACCEPTED: "o",
    Standing.SETTLED: "*",
    Standing.ACKNOWLEDGED: "+",
}
WORDS = {
    Standing.TROUBLE: "in trouble: no mail got through",
    Standing.SILENT: "silent: a mail was accepted, the time to acknowledge is over",
    Standing.WAITING: "waiting: a mail is on its way",
    Standing.ACCEPTED: "accepted by a mail server, nothing is known of a reader",
    Standing.SETTLED: "settled: a person said what became of it",
    Standing.ACKNOWLEDGED: "acknowledged",
}
PLACES = (
    "         SE FI   ",
    "      DK       EE",
    "IE    NL       LV",
    "   BE LU DE PL LT",
    "   FR AT CZ SK   ",
    "PT ES IT SI HU RO",
    "      MT HR GR BG",
    "               CY",
)
"""The 27, roughly where they lie; three characters a place."""
PLACE, WIDTH, ACROSS = 3, 12, 6


def campaign_map(people: Sequence[Person]) -> str:
    """The map, the countries beyond it, those with no country, and the legend."""
    by_country: dict[str, list[Person]] = {}
    for person in people:
        by_country.setdefault(person.country, []).append(person)
    lines = []
    for row in PLACES:
        places = [row[n : n + PLACE].strip() for n in range(0, len(row), PLACE)]
        cells = (_cell(code, by_country.get(code, [])) if code else "" for code in places)
        lines.append("".join(f"{cell:<{WIDTH}}" for cell in cells).rstrip())
    others = sorted(by_country.keys() - EU_MEMBER_STATES - {NO_COUNTRY})
    if others:
        lines += ["", "beyond the 27:"]
        for n in range(0, len(others), ACROSS):
            few = others[n : n + ACROSS]
            lines.append("".join(f"{_cell(c, by_country[c]):<{WIDTH}}" for c in few).rstrip())
    if NO_COUNTRY in by_country:
        lines += ["", _cell("of no country:", by_country[NO_COUNTRY])]
    return "\n".join([*lines, "", *_legend()])


def _cell(name: str, people: Sequence[Person]) -> str:
    if not people:
        return f"{name} {NOBODY}"
    standings = [person.standing for person in people]
    worst = next(standing for standing in Standing if standing in standings)
    return f"{name} {SIGNS[worst]} {standings.count(Standing.ACKNOWLEDGED)}/{len(people)}"


def _legend() -> list[str]:
    return [
        "Each with its sign, and how many acknowledged of how many recipients:",
        *(f"  {SIGNS[standing]}  {WORDS[standing]}" for standing in Standing),
        f"  {NOBODY}  nobody there is in this campaign",
        "The sign is that of the recipient who needs somebody most.",
    ]
