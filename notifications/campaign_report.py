"""A campaign for the file: a table for spreadsheets, and a page that is printed as PDF.

What a relay wrote is shown literally: it becomes no formula and no markup. Each sheet carries the
marking of the notice, since who was told is no less than what. Source: issue 7; reliability F-K13.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from notifications.campaign_map import campaign_map
from notifications.campaign_trouble import Policy, destinations, kinds
from notifications.campaign_view import NO_COUNTRY, CampaignView, Mail, Person, by_group
from notifications.phrases import DEFAULT, phrases
from notifications.products import Variant
from notifications.typesetting import css_text, environment

FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
"""With these a spreadsheet begins a formula, or another cell does."""
COLUMNS = (
    *(
        "recipient",
        "organisation",
        "class",
        "country",
        "standing",
        "contact",
        "address",
        "reminder",
    ),
    *(
        "variant",
        "state",
        "attempts",
        "reason",
        "reply",
        "due_at",
        "accepted_at",
        "acknowledged_at",
    ),
    *("overdue_seconds", "overdue_for"),
)


def mail_as_row(person: Person, mail: Mail) -> dict[str, Any]:
    """One mail with whom it is for; contacts count from 1, times are ISO 8601."""
    return {
        "recipient": person.id,
        "organisation": person.organisation,
        "class": person.recipient_class,
        "country": person.country,
        "standing": str(person.standing),
        "contact": mail.contact + 1,
        "address": mail.address,
        "reminder": mail.reminder,
        "variant": mail.variant,
        "state": mail.state,
        "attempts": mail.attempts,
        "reason": mail.reason,
        "reply": mail.reply,
        "due_at": _iso(mail.due_at),
        "accepted_at": _iso(mail.accepted_at),
        "acknowledged_at": _iso(person.acknowledged_at),
        "overdue_seconds": round(person.overdue.total_seconds()) if person.overdue else None,
        "overdue_for": person.overdue_for,
    }


def mails_as_rows(people: tuple[Person, ...]) -> list[dict[str, Any]]:
    """Every mail of these recipients."""
    return [mail_as_row(person, mail) for person in people for mail in person.mails]


def as_csv(people: tuple[Person, ...]) -> str:
    """A line for each mail; no cell of it is a formula (ASVS 1.2.10)."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for row in mails_as_rows(people):
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return written.getvalue()


def as_html(view: CampaignView, people: tuple[Person, ...], policy: Policy) -> str:
    """The page; printed, each sheet has the marking above and below, and its number."""
    marking = view.content.product().variant(Variant.FULL).marking.lines()
    drill = ("EXERCISE EXERCISE EXERCISE",) if view.exercise else ()
    return (
        environment()
        .get_template("campaign-report/document.html")
        .render(
            view=view,
            language=DEFAULT,
            t=phrases(DEFAULT),
            NO_COUNTRY=NO_COUNTRY,
            people=people,
            marking_lines=marking,
            marking_block=css_text("\n".join(drill + marking)),
            imprint=css_text(f"{view.id}\nas at {view.now:%Y-%m-%d %H:%M} UTC"),
            states=sorted(view.states.items()),
            classes=by_group(view.people, lambda person: person.recipient_class or "unknown"),
            map=campaign_map(view.people),
            kinds=kinds(view, policy),
            destinations=[_with_time(row) for row in destinations(view)],
            lateness=lateness,
            overdue=[person for person in view.overdue if person in set(people)],
        )
    )


def _with_time(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "next": datetime.fromisoformat(row["next"]) if row["next"] else None}


def lateness(length: timedelta | None) -> str:
    """A length of time in its two largest units, such as ``2 h 05 min``."""
    minutes = round((length or timedelta()).total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours:02} h"
    if hours:
        return f"{hours} h {minutes % 60:02} min"
    return f"{minutes} min" if minutes else "less than a minute"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _cell(value: Any) -> Any:
    """As a spreadsheet shows it: text that came from elsewhere must not become a formula."""
    if isinstance(value, str) and value.lstrip().startswith(FORMULA):
        return f"'{value}"
    return value
