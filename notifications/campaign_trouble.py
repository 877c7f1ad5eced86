"""What of a campaign needs a person, and what she can do: by kind, and by destination. Issue 7."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from notifications.campaign_view import UNDER_WAY, CampaignView, Mail, Person
from notifications.destinations import Course, Standing
from notifications.outbox import State

Policy = Literal["resend", "hold"]
LONGEST_REASON = 160
UNKNOWN = {
    "resend": "it may have arrived or not; it is sent again by itself, with the same Message-ID",
    "hold": "it may have arrived or not; ask by phone, then 'leerp campaign resend' what did not",
}
WHAT_TO_DO = {
    State.REFUSED: "correct the address in the directory, then 'leerp campaign resend'; or phone",
    State.HELD: "put right what the reason says (key, right, permission), then 'leerp campaign"
    " release'; or phone",
    State.RETRY_DUE: "nothing yet: it is tried again at the time shown; phone if that is too late",
    State.SENDING: "nothing yet: a sender has it in hand",
    State.QUEUED: "nothing yet: its turn has not come; see that 'leerp up' runs if it does not",
}
NOT_THEIRS = frozenset({State.ACCEPTED, State.HELD, State.SENDING, State.QUEUED})
"""States that say nothing of trouble at the destination."""
OTHERWISE = "read the reason, correct the address in the directory, and phone"
"""For a state that somebody further on gave a mail, such as a bounce."""


def kinds(view: CampaignView, policy: Policy) -> list[dict[str, Any]]:
    """Each state that is not 'accepted', of recipients that nothing has reached: how many, what to do."""
    counted = Counter(mail.state for person in view.people for mail in _unreached(person))
    order = [State.UNKNOWN, State.HELD, State.REFUSED]
    known = [*order, *(state for state in State if state not in order)]
    return [
        {"state": state, "mails": counted[state], "what_to_do": what_to_do(state, policy)}
        for state in sorted(counted, key=lambda state: known.index(State(state)))
    ]


def what_to_do(state: str, policy: Policy) -> str:
    """What a person can do with a mail in this state."""
    if state == State.UNKNOWN:
        return UNKNOWN[policy]
    return WHAT_TO_DO.get(State(state), OTHERWISE)


def destinations(view: CampaignView) -> list[dict[str, Any]]:
    """Domains where mails were refused, put off or lost, or wait because nothing is let through.

    Those that are paused come first, then the one with most mails in trouble. ``course`` is how it
    goes there for every campaign, ``until`` the end of a pause, ``why`` what the last server said.
    """
    groups: dict[str, list[Mail]] = {}
    for person in view.people:
        for mail in person.mails:
            tried = mail.attempts and mail.state not in NOT_THEIRS
            if tried or (mail.state in UNDER_WAY and mail.domain in view.standings):
                groups.setdefault(mail.domain or "address unknown", []).append(mail)
    rows = [
        _destination(domain, mails, view.standings.get(domain)) for domain, mails in groups.items()
    ]
    return sorted(rows, key=lambda row: (row["until"] is None, -row["mails"], row["domain"]))


def _destination(domain: str, mails: Sequence[Mail], standing: Standing | None) -> dict[str, Any]:
    worst = max(mails, key=lambda mail: mail.attempts)
    due: list[datetime] = [mail.due_at for mail in mails if mail.due_at is not None]
    until = standing.next_at if standing else None
    following = max(min(due), until) if due and until else until or min(due, default=None)
    return {
        "domain": domain,
        "course": _course(standing),
        "until": _iso(until),
        "why": standing.reason if standing else "",
        "mails": len(mails),
        "states": [f"{state} {n}" for state, n in sorted(Counter(m.state for m in mails).items())],
        "attempts": worst.attempts,
        "next": _iso(following),
        "reason": (_pause(standing) + (worst.reason or worst.reply))[:LONGEST_REASON].strip(" ;"),
    }


def _course(standing: Standing | None) -> Course:
    if standing is None:
        return Course.OPEN
    return Course.PAUSED if standing.next_at is not None else Course.SLOWED


def _pause(standing: Standing | None) -> str:
    """Why nothing, or less, is let through there, and until when."""
    if standing is None:
        return ""
    said = f" ({standing.reason})" if standing.reason else ""
    if standing.next_at is None:
        return f"slowed down, {standing.concurrency} at a time{said}; "
    return (
        f"paused until {standing.next_at:%Y-%m-%d %H:%M} UTC after {standing.failures} failures in a "
        f"row{said}; "
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _unreached(person: Person) -> Sequence[Mail]:
    """The mails that are of interest where none was accepted: those in trouble, else those under way."""
    if person.acknowledged_at or any(mail.state == State.ACCEPTED for mail in person.mails):
        return ()
    troubled = [mail for mail in person.mails if mail.state not in UNDER_WAY]
    return troubled or person.mails
