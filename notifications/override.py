"""Overrides for a threat to life: a provider's restriction set aside for named recipients, for a time.

One officer proposes, another approves; it is for one product as it is written and for nobody who is not
named, and ends by itself. It opens handling codes H2 and H3 only: clearance, channel, key, TLP, personal
data and the basis of a transfer stay what they are. Source: Regulation (EU) 2016/794 Art. 22(2);
domain 4.1, 4.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from infra import audit
from infra.tables import incident
from infra.tables_permissions import life_override, life_override_approval, life_override_end
from notifications.grants import Permission, PermissionKind
from notifications.products import Product
from protocol.errors import NotFound, Refused
from protocol.markings import HandlingCode
from protocol.parties import Role
from protocol.reasons import stated_reason

LONGEST = timedelta(hours=24)
"""An imminent threat is over by then, or somebody has to look again."""
RESTRICTING = frozenset({HandlingCode.H2, HandlingCode.H3})
PROPOSING = frozenset({Role.DUTY_OFFICER, Role.LAUNCH, Role.RELEASE, Role.DUTY_MANAGER})
APPROVING = frozenset({Role.RELEASE, Role.DUTY_MANAGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What an officer wants to set aside, for whom, why and how long."""

    incident_id: str
    draft: str
    """Kind and version in the case file, such as ``ewn/2``."""
    product: Product
    recipients: frozenset[str]
    """Ids; no classes."""
    reason: str
    lasting: timedelta
    by: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """An override as it stands."""

    id: int
    incident_id: str
    draft: str
    product: str
    recipients: tuple[str, ...]
    providers: tuple[str, ...]
    reason: str
    lasting: timedelta
    by: str
    at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    ends_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None

    def state(self, now: datetime) -> str:
        if self.ended_at is not None:
            return "ended"
        if self.ends_at is None:
            return "proposed"
        return "in force" if now < self.ends_at else "over"


def providers_of(product: Product) -> tuple[str, ...]:
    """Whose restrictions an override of this product sets aside; the centre's own is nobody's."""
    found = {
        part.provider
        for part in product.components
        if part.marking.handling_codes & RESTRICTING and part.provider
    }
    return tuple(sorted(found))


def propose(connection: Connection, wanted: Proposed, *, now: datetime) -> Override:
    """Put an override before a second officer, with its audit row; nothing is open yet.

    Raises:
        Refused: ``no-reason``; ``nobody``; ``too-long``; ``nothing-restricted``, no provider has
            restricted any part of this product.
    """
    reason = stated_reason(
        wanted.reason,
        missing="say with --reason which threat to life it is and why nothing else will do",
    )
    if not wanted.recipients:
        raise Refused("nobody", "name each recipient by its id: an override is for nobody else")
    if not timedelta() < wanted.lasting <= LONGEST:
        hours = int(LONGEST / timedelta(hours=1))
        raise Refused("too-long", f"an override lasts up to {hours} hours: propose it again then")
    providers = providers_of(wanted.product)
    if not providers:
        raise Refused(
            "nothing-restricted", f"no provider has restricted any part of {wanted.draft} (H2, H3)"
        )
    number = connection.execute(
        insert(life_override)
        .returning(life_override.c.id)
        .values(
            incident_id=wanted.incident_id,
            draft=wanted.draft,
            product=wanted.product.digest,
            recipients=sorted(wanted.recipients),
            providers=list(providers),
            reason=reason,
            lasts_s=int(wanted.lasting.total_seconds()),
            by=wanted.by,
            at=now,
        )
    ).scalar_one()
    made = get_override(connection, number)
    _note(connection, made, "override_proposed", wanted.by, wanted.channel, providers=providers)
    return made


def approve(
    connection: Connection, number: int, *, by: str, now: datetime, channel: str
) -> Override:
    """Put an override in force from now on, as the second officer, with its audit row.

    Raises:
        NotFound: no such override.
        Refused: ``same-person``, ``approved-already``, ``ended``, or ``stale``: it was proposed
            longer ago than an override may last.
    """
    found = get_override(connection, number)
    if found.ended_at is not None:
        raise Refused("ended", f"override {number} was ended by {found.ended_by}")
    if found.approved_at is not None:
        raise Refused("approved-already", f"override {number} was approved by {found.approved_by}")
    if found.by == by:
        raise Refused(
            "same-person", f"{by} proposed this: an override needs a second, different officer"
        )
    if now - found.at > LONGEST:
        raise Refused("stale", f"override {number} was proposed too long ago: propose it again")
    ends_at = now + found.lasting
    connection.execute(
        insert(life_override_approval).values(override_id=number, by=by, at=now, ends_at=ends_at)
    )
    _note(connection, found, "override_approved", by, channel, proposer=found.by, ends_at=ends_at)
    return get_override(connection, number)


def end(
    connection: Connection, number: int, *, by: str, reason: str, now: datetime, channel: str
) -> Override:
    """Take an override, or its proposal, out of force at once, with its audit row.

    Raises:
        NotFound: no such override.
        Refused: ``no-reason`` or ``ended``.
    """
    why = stated_reason(reason, missing="say with --reason why it ends")
    found = get_override(connection, number)
    if found.state(now) in {"ended", "over"}:
        raise Refused("ended", f"override {number} is over already")
    connection.execute(
        insert(life_override_end).values(override_id=number, by=by, at=now, reason=why)
    )
    _note(connection, found, "override_ended", by, channel, reason=why)
    return get_override(connection, number)


def get_override(connection: Connection, number: int) -> Override:
    """One override.

    Raises:
        NotFound: there is none of this number.
    """
    found = next(_read(connection, life_override.c.id == number), None)
    if found is None:
        raise NotFound(f"no override {number}: see 'leerp locks override list'")
    return found


def list_overrides(connection: Connection, incident_id: str | None = None) -> list[Override]:
    """Every override in the order in which they were proposed, of an incident or of all."""
    return list(
        _read(connection, life_override.c.incident_id == incident_id if incident_id else True)
    )


def left_behind(connection: Connection, incident_id: str, now: datetime) -> list[Override]:
    """Overrides, proposed or in force, of incidents that were merged into this one.

    They open nothing here: two officers looked at another incident, and at another product.
    """
    absorbed: set[str] = set()
    fresh = {incident_id}
    while fresh:
        rows = connection.scalars(select(incident.c.id).where(incident.c.merged_into.in_(fresh)))
        fresh = set(rows) - absorbed - {incident_id}
        absorbed |= fresh
    found = _read(connection, life_override.c.incident_id.in_(absorbed)) if absorbed else ()
    return [each for each in found if each.state(now) in {"proposed", "in force"}]


def in_words(left: Override, into: str) -> str:
    """What an officer is told of an override that was left behind."""
    return (
        f"override {left.id} was {'granted' if left.approved_at else 'proposed'} for "
        f"{left.incident_id} ({', '.join(left.recipients)}) before it merged, and opens nothing here: "
        f"ask again with 'leerp locks override propose {into}'"
    )


def overrides_in_force(connection: Connection, incident_id: str) -> Iterator[Permission]:
    """Overrides of an incident that two officers agreed on and nobody ended, as the locks read them."""
    for each in _read(connection, life_override.c.incident_id == incident_id):
        if each.approved_at and each.ends_at and each.ended_at is None:
            yield Permission(
                id=each.id,
                kind=PermissionKind.LIFE_THREAT,
                provider="",
                recipients=frozenset(each.recipients),
                given_at=each.approved_at,
                expires_at=each.ends_at,
                product=each.product,
                evidence=f"override {each.id}",
                by=each.approved_by or "",
            )


def _read(connection: Connection, which: Any) -> Iterator[Override]:
    approval, ended = life_override_approval.c, life_override_end.c
    rows = connection.execute(
        select(
            life_override,
            approval.by.label("approved_by"),
            approval.at.label("approved_at"),
            approval.ends_at,
            ended.by.label("ended_by"),
            ended.at.label("ended_at"),
        )
        .outerjoin(life_override_approval, approval.override_id == life_override.c.id)
        .outerjoin(life_override_end, ended.override_id == life_override.c.id)
        .where(which)
        .order_by(life_override.c.id)
    ).mappings()
    for row in rows:
        values = {**row, "lasting": timedelta(seconds=row["lasts_s"])}
        del values["lasts_s"]
        for name in ("recipients", "providers"):
            values[name] = tuple(values[name])
        yield Override(**values)


def _note(
    connection: Connection, about: Override, event: str, by: str, channel: str, **detail: Any
) -> None:
    audit.append(
        connection,
        event,
        actor=by,
        subject=about.incident_id,
        channel=channel,
        override=about.id,
        draft=about.draft,
        recipients=about.recipients,
        **detail,
    )
