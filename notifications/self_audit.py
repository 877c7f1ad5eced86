"""Whether everything about a campaign adds up, and nobody in it is forgotten.

Looks at rows and audit trail only, not at workflows: what they should have done by now must show there.
A finding is never put right by the machine; a person is told. Source: reliability 4 (I3, I7); issue 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select

from infra import audit
from infra.tables import acknowledgement, campaign
from infra.tables_acknowledgement import call_due, campaign_end
from infra.tables_watch import finding
from notifications.campaign_view import UNDER_WAY, CampaignView, Mail, Person, Standing
from notifications.followups import APPENDING, counts
from notifications.outbox import State
from protocol.profile import NoticeRules

PATIENCE = timedelta(minutes=10)
"""How late a machine may be until it counts as stuck."""
ADDING = {"campaign_frozen": "recipients", **dict.fromkeys(APPENDING, "added")}
"""Events that add mails, and the field that says how many."""
HELD_BY_OFFICER = frozenset({"mails_hold", "mails_release"})
PUT_BACK = frozenset({"mails_release", "mails_resend"})
"""Events by which officers put mails back into the outbox."""
OUTCOMES = frozenset({State.ACCEPTED, State.REFUSED, State.BOUNCED})
"""States that a mail gets only together with a row of the audit trail that names it."""


class Problem(StrEnum):
    """What does not add up."""

    TOTAL = "total"
    STUCK_SENDER = "stuck-sender"
    NOT_SENT = "not-sent"
    NOBODY_TOLD = "nobody-told"
    TRAIL = "trail"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One thing that does not add up. ``subject`` is a recipient, a mail, or what is counted."""

    campaign_id: str
    problem: Problem
    subject: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A campaign with all that is known of it."""

    view: CampaignView
    rules: NoticeRules | None
    """Of its kind of notice; None where the profile has none."""
    resends_unknown: bool
    trail: Sequence[Mapping[str, Any]]
    """The rows of the audit trail about it."""
    told: frozenset[str]
    """Recipients of whom a person was told."""


def audit_campaign(
    connection: Connection,
    campaign_id: str,
    *,
    now: datetime,
    notices: Mapping[str, NoticeRules],
    resends_unknown: bool,
) -> list[Finding]:
    """Everything about this campaign that does not add up; ``notices`` are the profile's rules by kind.

    Raises:
        NotFound: no such campaign.
    """
    view = CampaignView.load(connection, campaign_id, now)
    checked = Checked(
        view=view,
        rules=notices.get(view.content.kind),
        resends_unknown=resends_unknown,
        trail=tuple(audit.about(connection, (campaign_id,))),
        told=_told(connection, campaign_id),
    )
    return sorted(
        Finding(campaign_id=campaign_id, problem=problem, subject=subject, message=message)
        for problem, subject, message in (
            *_totals(connection, checked),
            *_machines(checked),
            *_forgotten(checked),
            *_trail(connection, checked),
        )
    )


Found = Iterator[tuple[Problem, str, str]]


def _totals(connection: Connection, checked: Checked) -> Found:
    """The list is what was frozen, and each of it is in exactly one state (I3)."""
    people, mails = len(checked.view.people), checked.view.states.total()
    frozen = sum(
        row["detail"]["recipients"] for row in checked.trail if row["event"] == "campaign_frozen"
    )
    late = sum(row["event"] == "recipient_added" for row in checked.trail)
    frozen += late
    if frozen != people:
        yield Problem.TOTAL, "list", f"{frozen} recipients were frozen, there are mails to {people}"
    added = late + sum(
        row["detail"][ADDING[row["event"]]] for row in checked.trail if row["event"] in ADDING
    )
    if added != mails:
        yield Problem.TOTAL, "mails", f"{added} mails were planned, there are {mails}"
    found = counts(connection, checked.view.id)
    if found.recipients != people:
        yield (
            Problem.TOTAL,
            "states",
            f"{found.recipients} of {people} recipients are in one of the states",
        )


def _machines(checked: Checked) -> Found:
    """No claim is held by a sender that is gone, and what is due is sent."""
    deadline = checked.view.now - PATIENCE
    for mail in (mail for person in checked.view.people for mail in person.mails):
        if mail.state == State.SENDING and (
            mail.lease_until is None or mail.lease_until < deadline
        ):
            yield (
                Problem.STUCK_SENDER,
                mail.id,
                f"mail {mail.id} is held by a sender that is gone: see that 'leerp up' runs",
            )
        elif _is_due(checked, mail) and (mail.due_at or checked.view.frozen_at) < deadline:
            yield (
                Problem.NOT_SENT,
                mail.id,
                f"mail {mail.id} was due and is not sent: see that 'leerp up' runs",
            )


def _is_due(checked: Checked, mail: Mail) -> bool:
    again = checked.resends_unknown and mail.state == State.UNKNOWN
    return again or mail.state in {State.QUEUED, State.RETRY_DUE}


def _forgotten(checked: Checked) -> Found:
    """Whom nothing has reached, or who is silent, has a next step, or a person was told."""
    end = checked.view.frozen_at + _last_step(checked) + PATIENCE
    held = {
        name
        for row in checked.trail
        if row["event"] in HELD_BY_OFFICER
        for name in (*row["detail"]["notifications"], *row["detail"]["still_held"])
    }
    for person in checked.view.people:
        if person.id in checked.told or not _needs_somebody(checked, person):
            continue
        if any(mail.state in UNDER_WAY or _is_due(checked, mail) for mail in person.mails):
            continue  # the next step is to send; whether that is late is said elsewhere
        if any(m.state == State.HELD and {m.id, person.id} & held for m in person.mails):
            continue  # an officer said so, and knows
        if checked.view.now > end:
            states = ", ".join(sorted({mail.state for mail in person.mails}))
            yield (
                Problem.NOBODY_TOLD,
                person.id,
                f"{person.id} ({states}) is not reached, nothing is planned, and nobody was told",
            )


def _needs_somebody(checked: Checked, person: Person) -> bool:
    asked = checked.rules is not None and checked.rules.acknowledge
    silent = {Standing.SILENT, Standing.ACCEPTED} if asked else set()
    return person.standing in {Standing.TROUBLE, *silent}


def _last_step(checked: Checked) -> timedelta:
    """How long after the freezing somebody must have been told."""
    if checked.rules is None or not checked.rules.acknowledge:
        return timedelta()
    return max(rung.after for rung in checked.rules.rungs())


def _trail(connection: Connection, checked: Checked) -> Found:
    """Each outcome has its row in the audit trail, and each row its outcome (I7)."""
    written = _last_outcomes(checked.trail)
    mails = [mail for person in checked.view.people for mail in person.mails]
    for mail in mails:
        said = written.pop(mail.id, "")
        if said != mail.state and (mail.state in OUTCOMES or said in OUTCOMES):
            yield (
                Problem.TRAIL,
                mail.id,
                f"mail {mail.id} is {mail.state}, by the audit trail {said or 'never tried'}",
            )
    if written:
        yield (
            Problem.TRAIL,
            "strangers",
            f"the audit trail has {len(written)} mails that do not exist",
        )
    rows = connection.scalar(
        select(func.count()).where(acknowledgement.c.campaign_id == checked.view.id)
    )
    acknowledged = len(_acknowledged(checked.trail))
    if rows != acknowledged:
        yield (
            Problem.TRAIL,
            "acknowledgements",
            f"{rows} recipients have acknowledged, by the audit trail {acknowledged}",
        )


def _last_outcomes(trail: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The state that the trail gave each mail last, unless an officer has put it back since."""
    last: dict[str, str] = {}
    states = {f"mail_{state}": str(state) for state in State if state is not State.BOUNCED}
    for row in trail:
        named = row["detail"].get("notifications", ())
        if row["event"] in states:
            last |= dict.fromkeys(named, states[row["event"]])
        elif row["event"] == "mail_bounced" and row["detail"]["moved"]:
            last[row["detail"]["notification"]] = State.BOUNCED
        elif row["event"] in PUT_BACK:
            for name in named:
                last.pop(name, None)
    return last


def _acknowledged(trail: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Who has acknowledged by the trail, and at which contact; a wrong addressee takes its own back."""
    standing: dict[str, Any] = {}
    for row in trail:
        contact = row["detail"].get("contact")
        if row["event"] == "notice_acknowledged":
            standing[row["actor"]] = contact
        elif row["event"] == "addressee_wrong" and standing.get(row["actor"]) == contact:
            standing.pop(row["actor"], None)
    return standing


def _told(connection: Connection, campaign_id: str) -> frozenset[str]:
    """Recipients whom a notice to the duty manager about this campaign names, or the self-audit's."""
    about = connection.scalars(
        select(campaign.c.content).where(
            campaign.c.id.startswith(f"{campaign_id}.", autoescape=True)
        )
    )
    named = {line for content in about for line in content.get("detail", ())}
    found = connection.scalars(
        select(finding.c.subject).where(
            finding.c.campaign_id == campaign_id,
            finding.c.problem == Problem.NOBODY_TOLD,
            finding.c.notice != "",
        )
    )
    listed = connection.scalars(
        select(call_due.c.recipient_id).where(call_due.c.campaign_id == campaign_id)
    )
    ended = connection.scalars(
        select(campaign_end.c.unsettled).where(campaign_end.c.campaign_id == campaign_id)
    )
    left = {name for unsettled in ended for name in unsettled}
    return frozenset(named | set(found) | set(listed) | left)
