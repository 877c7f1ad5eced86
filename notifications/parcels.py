"""From a claimed row to a mail ready to go, and the last look at the locks before it goes.

One recipient's broken certificate or content must not stop the others: what cannot be built is held
with its reason. Source: reliability 2.2 steps 2 and 3, F-M10, F-M11.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from infra.settings import Settings
from infra.tables import campaign, notification
from notifications import mail
from notifications.acknowledgement import make_token
from notifications.directory import Contact, Directory, Recipient
from notifications.ewn import EarlyWarning
from notifications.locks import Permission, open_locks
from notifications.notices import NoticeContent, read_content
from notifications.outbox import Claim, Outcome, State
from notifications.permissions import load_permissions
from notifications.products import Product, Variant
from notifications.rendering import render
from notifications.smime import Signer
from protocol.errors import LeerpError, NotFound

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A mail ready to go."""

    claim: Claim
    recipient: Recipient
    contact: Contact
    raw: bytes

    @property
    def to(self) -> str:
        return self.contact.email


Recheck = Callable[[Parcel, Product, Sequence[Permission], datetime], str]
"""Why this parcel may not go after all, or an empty string."""


def recheck_locks(
    parcel: Parcel, product: Product, permissions: Sequence[Permission], now: datetime
) -> str:
    """Try the three locks again: a permission or certificate may have expired since the freeze."""
    decision = open_locks(
        parcel.recipient, parcel.contact, product, permissions=permissions, now=now
    )
    order = list(Variant)
    if not decision.allowed:
        return "; ".join(decision.reasons)
    if order.index(Variant(parcel.claim.variant)) < order.index(decision.variant):
        return f"only the {decision.variant} variant may go by now: " + "; ".join(decision.reasons)
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packer:
    """Builds and checks the mails of one campaign, with the directory version it was frozen with."""

    incident_id: str
    content: NoticeContent
    product: Product
    exercise: bool
    recipients: dict[str, Recipient]
    settings: Settings
    signer: Signer
    ack_key: bytes = field(repr=False)
    recheck: Recheck

    @classmethod
    def load(
        cls,
        connection: Connection,
        campaign_id: str,
        *,
        settings: Settings,
        signer: Signer,
        ack_key: bytes,
        recheck: Recheck,
    ) -> Self:
        """Read what is frozen.

        Raises:
            NotFound: no such campaign, or its directory version is gone.
            ServiceDown: the notice asks for acknowledgement, and the console has no address.
        """
        row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
        if row is None:
            raise NotFound(f"no campaign {campaign_id!r}: freeze its recipients first")
        content = read_content(row.content)
        if isinstance(content, EarlyWarning):
            settings.require("the console", settings.console_url)
        return cls(
            incident_id=row.incident_id,
            content=content,
            product=content.product(),
            exercise=row.exercise,
            recipients=Directory.load(connection, row.directory_version).by_id(),
            settings=settings,
            signer=signer,
            ack_key=ack_key,
            recheck=recheck,
        )

    def pack(
        self, connection: Connection, claims: Sequence[Claim], now: datetime
    ) -> tuple[list[Parcel], list[Outcome]]:
        """Parcels of the claims, with the stored bytes where there are any; and what cannot be built."""
        first_ids = _first_message_ids(connection, claims)
        parcels, poison = [], []
        for claim in claims:
            try:
                parcels.append(self._parcel(claim, first_ids, now))
            except LeerpError as error:
                code = getattr(error, "reason", type(error).__name__)
                poison.append(_held(claim, str(error), code))
            except Exception as error:  # noqa: BLE001 - one recipient's data must not stop the others
                _log_defect("mail_not_built", claim, error)
                reason = f"the mail could not be built ({type(error).__name__}): see the log"
                poison.append(_held(claim, reason, "not-built"))
        return parcels, poison

    def closed(
        self, connection: Connection, parcels: Sequence[Parcel], now: datetime
    ) -> list[Outcome]:
        """Those for which a lock is closed by now; a check that fails counts as closed."""
        if not parcels:
            return []
        permissions = load_permissions(connection, self.incident_id)
        closed = []
        for parcel in parcels:
            try:
                reason = self.recheck(parcel, self.product, permissions, now)
            except SQLAlchemyError:
                raise  # the database's trouble is not the recipient's
            except Exception as error:  # noqa: BLE001 - a check that fails counts as closed
                _log_defect("locks_not_checked", parcel.claim, error)
                reason = f"the locks could not be checked ({type(error).__name__}): see the log"
            if reason:
                closed.append(_held(parcel.claim, reason, "lock-closed"))
        return closed

    def _parcel(self, claim: Claim, first_ids: dict[str, str], now: datetime) -> Parcel:
        recipient = self.recipients.get(claim.recipient_id)
        if recipient is None or claim.contact >= len(recipient.contacts):
            raise NotFound(
                f"the directory has no contact {claim.contact} of {claim.recipient_id!r}"
            )
        contact = recipient.contacts[claim.contact]
        raw = claim.raw or self._build(claim, recipient, contact, first_ids.get(claim.id), now)
        return Parcel(claim=claim, recipient=recipient, contact=contact, raw=raw)

    def _build(
        self,
        claim: Claim,
        recipient: Recipient,
        contact: Contact,
        in_reply_to: str | None,
        now: datetime,
    ) -> bytes:
        variant = Variant(claim.variant)
        link = self._link(claim, now)
        rendered = render(self.content, recipient, variant, link, reminder=claim.revision)
        envelope = mail.Envelope(
            notification_id=claim.id,
            message_id=claim.message_id,
            sender=self.settings.smtp.sender,
            to=contact.email,
            date=now,
            exercise=self.exercise,
            in_reply_to=in_reply_to,
        )
        marking = self.product.variant(variant).marking
        return mail.build(rendered, envelope, marking=marking, contact=contact, signer=self.signer)

    def _link(self, claim: Claim, now: datetime) -> str | None:
        """The acknowledgement link, for the notices that ask for one (domain 5.3, section 1)."""
        if not isinstance(self.content, EarlyWarning):
            return None
        token = make_token(
            self.ack_key,
            notification_id=claim.id,
            campaign_id=claim.campaign_id,
            recipient_id=claim.recipient_id,
            contact=claim.contact,
            revision=claim.revision,
            expires_at=now + self.settings.delivery.link_lifetime,
        )
        return f"{self.settings.console_url}/a/{token}"


def _first_message_ids(connection: Connection, claims: Sequence[Claim]) -> dict[str, str]:
    """For each reminder among the claims, the Message-ID of the notice it reminds of."""
    reminded = {c.recipient_id for c in claims if c.revision > 0}
    if not reminded:
        return {}
    found = connection.execute(
        select(
            notification.c.recipient_id, notification.c.contact, notification.c.message_id
        ).where(
            notification.c.campaign_id == claims[0].campaign_id,
            notification.c.revision == 0,
            notification.c.recipient_id.in_(reminded),
        )
    )
    firsts = {(row.recipient_id, row.contact): row.message_id for row in found}
    return {
        c.id: firsts[c.recipient_id, c.contact]
        for c in claims
        if c.revision > 0 and (c.recipient_id, c.contact) in firsts
    }


def _log_defect(event: str, claim: Claim, error: Exception) -> None:
    """Kind and place only: the error's message and the frames' values may hold texts or keys."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename}:{frame.lineno}"
    log.error(event, notification=claim.id, error=type(error).__name__, place=place)


def _held(claim: Claim, reason: str, code: str) -> Outcome:
    return Outcome(claim=claim, state=State.HELD, detail=reason, code=code)
