"""What of a campaign needs a person, and what she can do: by kind, and by destination. Issue 7."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from notifications.campaign_view import UNDER_WAY, CampaignView, Mail, Person
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
    """Domains where mails were refused, put off or lost, the one with most of them first."""
    groups: dict[str, list[Mail]] = {}
    for person in view.people:
        for mail in person.mails:
            if mail.attempts and mail.state not in NOT_THEIRS:
                groups.setdefault(mail.domain or "address unknown", []).append(mail)
    rows = [_destination(domain, mails) for domain, mails in groups.items()]
    return sorted(rows, key=lambda row: (-row["mails"], row["domain"]))


def _destination(domain: str, mails: Sequence[Mail]) -> dict[str, Any]:
    worst = max(mails, key=lambda mail: mail.attempts)
    due: list[datetime] = [mail.due_at for mail in mails if mail.due_at is not None]
    return {
        "domain": domain,
        "mails": len(mails),
        "states": [f"{state} {n}" for state, n in sorted(Counter(m.state for m in mails).items())],
        "attempts": worst.attempts,
        "next": min(due).isoformat(timespec="seconds") if due else None,
        "reason": (worst.reason or worst.reply)[:LONGEST_REASON],
    }


def _unreached(person: Person) -> Sequence[Mail]:
    """The mails that are of interest where none was accepted: those in trouble, else those under way."""
    if person.acknowledged_at or any(mail.state == State.ACCEPTED for mail in person.mails):
        return ()
    troubled = [mail for mail in person.mails if mail.state not in UNDER_WAY]
    return troubled or person.mails
