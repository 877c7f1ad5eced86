"""Steps of the ladder that write to somebody else: liaison bureaux and the duty manager.

Each is a small campaign about the campaign, frozen once by its id; a repeat writes nothing. Where nobody
is concerned nothing is written at all. Source: R33, R72; issue 7, item 7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from infra import audit
from infra.tables import campaign
from infra.tables_acknowledgement import answer, call_due, campaign_end
from notifications import campaigns
from notifications.answers import Answer
from notifications.campaigns import FreezeOrder
from notifications.followups import unsettled
from notifications.notices import OverdueNotice
from notifications.open_recipients import OpenCampaign, read_open
from notifications.outbox import State
from protocol.errors import NotFound
from protocol.parties import RecipientClass

ACTOR = "campaign"
MOST_NAMED = 500
"""So many recipients are named in one notice; for the others it says where to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice that goes out: its campaign, and how many mails that has."""

    campaign_id: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step about one campaign, for some classes of its recipients."""

    campaign_id: str
    classes: Collection[RecipientClass]
    due_at: datetime
    message_key: bytes = field(repr=False)
    now: datetime
    time: int = 1
    """Which of its kind in this campaign: each writes notices of its own."""

    def about(self, name: str) -> str:
        """Id of a notice that this step gives rise to."""
        again = f".{self.time}" if self.time > 1 else ""
        return f"{self.campaign_id}.{name}{again}"

    def read(self, connection: Connection) -> OpenCampaign:
        return read_open(
            connection,
            self.campaign_id,
            message_key=self.message_key,
            now=self.now,
            classes=self.classes,
        )


def escalate(connection: Connection, step: Step) -> list[Told]:
    """Tell the duty manager who is silent."""
    return _tell_manager(
        connection,
        step,
        "silent",
        [each.id for each in step.read(connection).open],
        matter=f"acknowledgement of notice {step.campaign_id}",
        advice=f"phone them ('leerp campaign calls {step.campaign_id}'), and say of each what became "
        f"of it ('leerp campaign settle {step.campaign_id} RECIPIENT')",
    )


def turn_to_other_channel(connection: Connection, step: Step) -> list[Told]:
    """Tell the duty manager whom no mail has reached, to bring it over another channel."""
    unreached = [
        each.id
        for each in step.read(connection).open
        if not any(row["state"] == State.ACCEPTED for row in each.rows)
    ]
    return _tell_manager(
        connection,
        step,
        "channel",
        unreached,
        matter=f"delivery of notice {step.campaign_id}: no mail was taken for these",
        advice="bring it to them over another channel that is accredited for it, such as SIENA, and "
        f"note it with 'leerp campaign settle {step.campaign_id} RECIPIENT'",
    )


def list_calls(connection: Connection, step: Step) -> list[Told]:
    """Put those who are silent on the call list, and tell the duty manager that there is one."""
    silent = [each.id for each in step.read(connection).open]
    listed = set(
        connection.scalars(
            select(call_due.c.recipient_id).where(call_due.c.campaign_id == step.campaign_id)
        )
    )
    new = [name for name in silent if name not in listed]
    if new:
        connection.execute(
            insert(call_due),
            [
                {"campaign_id": step.campaign_id, "recipient_id": name, "at": step.now}
                for name in new
            ],
        )
        _audit(connection, "calls_listed", step.campaign_id, recipients=new)
    return _tell_manager(
        connection,
        step,
        "calls",
        new,
        matter=f"telephone calls about notice {step.campaign_id}",
        advice=f"see 'leerp campaign calls {step.campaign_id}' for numbers, hours and languages",
    )


def ask_liaison_officers(connection: Connection, step: Step) -> list[Told]:
    """Ask the liaison bureau of each country to wake those of its country that are silent."""
    read = step.read(connection)
    silent: dict[str, list[str]] = {}
    for each in read.open:
        if each.recipient is not None and each.recipient.country is not None:
            silent.setdefault(each.recipient.country, []).append(each.id)
    told = []
    for country, names in sorted(silent.items()):
        bureaux = tuple(
            r.id
            for r in read.recipients.values()
            if r.recipient_class is RecipientClass.LIAISON_BUREAU
            and r.country == country
            and r.id not in names
        )
        if not bureaux:
            _audit(connection, "liaison_bureau_missing", step.campaign_id, country=country)
            continue
        content = _notice(
            connection,
            step,
            matter=f"acknowledgement of notice {step.campaign_id} in {country}",
            detail=[read.recipients[name].organisation for name in names],
            advice="reach them, and ask them to read the notice in their mailbox and acknowledge it; "
            "tell the duty desk who will not be reached",
        )
        about = step.about(f"liaison.{country}")
        told.append(_freeze(connection, step, about, content, recipients=bureaux))
    return told


def tell_answers(connection: Connection, step: Step) -> list[Told]:
    """Tell the duty manager at once who needs help, and where a notice went astray."""
    waiting = connection.execute(
        select(answer)
        .where(answer.c.campaign_id == step.campaign_id, answer.c.followed.is_(False))
        .order_by(answer.c.id)
        .limit(MOST_NAMED)
    ).all()
    if not waiting:
        return []
    told = _tell_manager(
        connection,
        step,
        f"answer.{waiting[-1].id}",
        [_said(row) for row in waiting],
        matter=f"answers to notice {step.campaign_id} that cannot wait",
        advice=f"call back who needs help; see 'leerp campaign show {step.campaign_id}'. For a wrong "
        "addressee the next contact is tried: correct the directory",
    )
    connection.execute(
        update(answer).where(answer.c.id.in_([row.id for row in waiting])).values(followed=True)
    )
    return told


def conclude(connection: Connection, step: Step, *, tell: bool) -> tuple[list[Told], int]:
    """Write down who is not settled, and tell the duty manager if ``tell``; how many there are.

    A repeat does not change what was written.
    """
    left = unsettled(connection, step.campaign_id)
    before = connection.scalar(
        select(campaign_end.c.unsettled).where(campaign_end.c.campaign_id == step.campaign_id)
    )
    if before is None:
        connection.execute(
            insert(campaign_end).values(
                campaign_id=step.campaign_id, at=step.now, unsettled=list(left)
            )
        )
        _audit(connection, "campaign_concluded", step.campaign_id, unsettled=list(left))
    if not tell:
        return [], len(left)
    told = _tell_manager(
        connection,
        step,
        "ended",
        left,
        matter=f"end of notice {step.campaign_id}: nobody has said what became of these",
        advice=f"say it of each with 'leerp campaign settle {step.campaign_id} RECIPIENT --reason'",
    )
    return told, len(left)


def _said(row: Row[Any]) -> str:
    words = "needs help" if row.answer == Answer.NEED_HELP else "is not the one to be told"
    asked = " ".join(part for part in (row.person, row.phone) if part)
    ask = f"; ask {asked}" if asked else ""
    return f"{row.recipient_id} (contact {row.contact + 1}) {words}{ask}"


def _tell_manager(
    connection: Connection,
    step: Step,
    name: str,
    detail: Sequence[str],
    *,
    matter: str,
    advice: str,
) -> list[Told]:
    if not detail:
        return []
    content = _notice(connection, step, matter=matter, detail=detail, advice=advice)
    return [
        _freeze(connection, step, step.about(name), content, classes=(RecipientClass.DUTY_MANAGER,))
    ]


def _notice(
    connection: Connection, step: Step, *, matter: str, detail: Iterable[str], advice: str
) -> OverdueNotice:
    row = connection.execute(
        select(campaign.c.incident_id, campaign.c.exercise).where(campaign.c.id == step.campaign_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no campaign {step.campaign_id!r}: see 'leerp campaign list'")
    lines = list(detail)
    if len(lines) > MOST_NAMED:
        more = f"and {len(lines) - MOST_NAMED} more: see 'leerp campaign show {step.campaign_id}'"
        lines = [*lines[:MOST_NAMED], more]
    return OverdueNotice(
        incident_id=row.incident_id,
        exercise=row.exercise,
        issued_at=step.now,
        matter=matter,
        due_at=step.due_at,
        detail=tuple(lines),
        advice=advice,
    )


def _freeze(
    connection: Connection, step: Step, about: str, content: OverdueNotice, **to: Any
) -> Told:
    order = FreezeOrder(campaign_id=about, revision=1, content=content, by="worker", **to)
    frozen = campaigns.freeze(connection, order, message_key=step.message_key, now=step.now)
    return Told(campaign_id=about, size=frozen.size)


def _audit(connection: Connection, event: str, campaign_id: str, **detail: Any) -> None:
    audit.append(connection, event, actor=ACTOR, subject=campaign_id, **detail)
