"""From a claimed row to a mail ready to go, and the last look at the locks before it goes.

One recipient's broken certificate or content must not stop the others: what cannot be built is held
with its reason. Source: reliability 2.2 steps 2 and 3, F-M10, F-M11.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from infra.settings import Settings
from infra.tables import campaign
from notifications import mail
from notifications.building import MailBuilder
from notifications.directory import Contact, Recipient, key_problem
from notifications.directory_in_force import DirectoryInForce
from notifications.envelopes import require_plain, require_whole_lines
from notifications.ewn import EarlyWarning
from notifications.locks import Locks
from notifications.notices import DrillNotice, NoticeContent, read_content
from notifications.outbox import Claim, Outcome, State
from notifications.phrases import choose
from notifications.products import Product, Variant
from notifications.protection import made_for
from notifications.rights import RightsInForce
from notifications.rows import GONE, first_message_ids
from notifications.smime import Signer
from notifications.template_names import TemplateUnfit
from notifications.template_use import CampaignTemplates
from notifications.tokens import token_for
from notifications.trust import Trust
from notifications.trust_folders import TrustFolders
from protocol.errors import LeerpError, NotFound
from protocol.markings import Classification

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A mail ready to go."""

    claim: Claim
    recipient: Recipient
    contact: Contact
    raw: bytes
    made_for: str = ""
    """A digest of the address and keys that ``raw`` was made for."""
    protection: str = ""
    """How it was protected when it was made just now; empty for bytes that were stored."""
    unfit: TemplateUnfit | None = None
    """Why it was made just now without the operator's template that it should have been set in."""

    @property
    def to(self) -> str:
        return self.contact.email


Recheck = Callable[[Parcel, Locks], str]
"""Why this parcel may not go after all, or an empty string."""


def recheck_locks(parcel: Parcel, locks: Locks) -> str:
    """Try the three locks again: a permission or certificate may have expired since the freeze."""
    order = list(Variant)
    chosen = order.index(Variant(parcel.claim.variant))
    best = locks.best(parcel.recipient, parcel.contact)
    if best is not None and chosen >= order.index(best):
        return ""
    decision = locks.decide(parcel.recipient, parcel.contact)
    reasons = "; ".join(decision.reasons)
    return f"only the {best} variant may go by now: {reasons}" if best is not None else reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Packer:
    """Builds and checks the mails of one campaign.

    Who gets one was frozen; address, rights and keys are those of the directory in force, so that a
    right or a key that was withdrawn meanwhile counts at once (F-M10, F-M11).
    """

    content: NoticeContent
    product: Product
    exercise: bool
    rights: RightsInForce
    directory: DirectoryInForce
    settings: Settings
    builder: MailBuilder
    trust: TrustFolders
    ack_key: bytes = field(repr=False)
    recheck: Recheck
    templates: CampaignTemplates

    @classmethod
    def load(
        cls,
        connection: Connection,
        campaign_id: str,
        *,
        settings: Settings,
        signer: Signer,
        trust: TrustFolders,
        ack_key: bytes,
        recheck: Recheck,
        directory: DirectoryInForce | None = None,
    ) -> Self:
        """Read what is frozen.

        Raises:
            NotFound: no such campaign.
            ServiceDown: the notice asks for acknowledgement, and the console has no address.
        """
        row = connection.execute(select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
        if row is None:
            raise NotFound(f"no campaign {campaign_id!r}: freeze its recipients first")
        content = read_content(row.content)
        if isinstance(content, EarlyWarning | DrillNotice):
            settings.require("the console", settings.console_url)
        product = content.product()
        return cls(
            content=content,
            product=product,
            exercise=row.exercise,
            rights=RightsInForce(row.incident_id, campaign_id, product),
            directory=directory or DirectoryInForce(),
            settings=settings,
            builder=MailBuilder(content, product, signer),
            trust=trust,
            ack_key=ack_key,
            recheck=recheck,
            templates=CampaignTemplates.load(connection, campaign_id, content.kind),
        )

    def pack(
        self, connection: Connection, claims: Sequence[Claim], now: datetime
    ) -> tuple[list[Parcel], list[Outcome]]:
        """Parcels of the claims, and what cannot be built.

        The stored bytes are used again where there are any, unless they were made for another address
        or key than the directory has now.
        """
        first_ids = first_message_ids(connection, claims)
        recipients = self.directory.by_id(connection)
        parcels, poison = [], []
        for claim in claims:
            try:
                parcels.append(self._parcel(claim, recipients, first_ids, now))
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
        """Those that may not go as they are: a lock is closed by now, or address or key have changed.

        A check that fails counts as closed.
        """
        if not parcels:
            return []
        rights = self.rights.at(connection, now)
        if rights.withdrawn:
            return [_held(p.claim, "the notice was withdrawn", "withdrawn") for p in parcels]
        recipients = self.directory.of_version(connection, rights.directory)
        trust = self.trust.current()
        closed = []
        for parcel in parcels:
            current = recipients.get(parcel.recipient.id)
            if current is not None and parcel.contact not in current.contacts:
                closed.append(_made_anew(parcel.claim, now))
                continue
            try:
                if current is None:
                    reason = GONE
                elif problem := self._key_problem(parcel, trust, now):
                    reason = problem[1]
                else:
                    same = current is parcel.recipient
                    present = parcel if same else replace(parcel, recipient=current)
                    reason = self.recheck(present, rights.locks)
            except SQLAlchemyError:
                raise  # the database's trouble is not the recipient's
            except Exception as error:  # noqa: BLE001 - a check that fails counts as closed
                _log_defect("locks_not_checked", parcel.claim, error)
                reason = f"the locks could not be checked ({type(error).__name__}): see the log"
            if reason:
                closed.append(_held(parcel.claim, reason, "lock-closed"))
        return closed

    def _key_problem(self, parcel: Parcel, trust: Trust, now: datetime) -> tuple[str, str] | None:
        marking = self.product.variant(Variant(parcel.claim.variant)).marking
        public = marking.classification is Classification.PUBLIC
        return None if public else key_problem(parcel.contact, now, trust)

    def _parcel(
        self,
        claim: Claim,
        recipients: Mapping[str, Recipient],
        first_ids: dict[str, str],
        now: datetime,
    ) -> Parcel:
        recipient = recipients.get(claim.recipient_id)
        if recipient is None:
            raise NotFound(GONE)
        if claim.contact >= len(recipient.contacts):
            raise NotFound(
                f"the directory has no contact {claim.contact + 1} of {claim.recipient_id!r} any more"
            )
        contact = recipient.contacts[claim.contact]
        made = made_for(contact)
        parcel = Parcel(
            claim=claim, recipient=recipient, contact=contact, raw=claim.raw or b"", made_for=made
        )
        if claim.raw is not None and claim.made_for == made:
            return parcel
        require_plain(contact.email)
        built = self._build(claim, recipient, contact, first_ids.get(claim.id), now)
        require_whole_lines(built.raw)
        return replace(parcel, raw=built.raw, protection=built.protection, unfit=built.unfit)

    def _build(
        self,
        claim: Claim,
        recipient: Recipient,
        contact: Contact,
        in_reply_to: str | None,
        now: datetime,
    ) -> mail.Built:
        envelope = mail.Envelope(
            notification_id=claim.id,
            message_id=claim.message_id,
            sender=self.settings.smtp.sender,
            to=contact.email,
            date=now,
            exercise=self.exercise,
            in_reply_to=in_reply_to,
        )
        language = choose(contact.languages)
        return self.builder.build(
            recipient,
            contact,
            Variant(claim.variant),
            self._link(claim, now),
            envelope,
            trust=self.trust.current(),
            reminder=claim.revision,
            own=self.templates.of(recipient.id, language),
            language=language,
            annexed=True,
        )

    def _link(self, claim: Claim, now: datetime) -> str | None:
        """The acknowledgement link, for the notices that ask for one (domain 5.3, section 1)."""
        if not isinstance(self.content, EarlyWarning | DrillNotice):
            return None
        expires_at = now + self.settings.delivery.link_lifetime
        token = token_for(self.ack_key, claim, expires_at=expires_at)
        return f"{self.settings.console_url}/a/{token}"


def _made_anew(claim: Claim, now: datetime) -> Outcome:
    return Outcome(
        claim=claim,
        state=State.RETRY_DUE,
        detail="the directory has another address or key by now: the mail is made anew",
        code="directory-changed",
        due_at=now,
    )


def _log_defect(event: str, claim: Claim, error: Exception) -> None:
    """Kind and place only: the error's message and the frames' values may hold texts or keys."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename}:{frame.lineno}"
    log.error(event, notification=claim.id, error=type(error).__name__, place=place)


def _held(claim: Claim, reason: str, code: str) -> Outcome:
    return Outcome(claim=claim, state=State.HELD, detail=reason, code=code)
