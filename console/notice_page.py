"""What the page behind the link shows of a notice: enough to know which, nothing of what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.dates import format_date
from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from sqlalchemy import Connection, select

from infra.tables import campaign, notification, recipient
from notifications.acknowledgement import acknowledged_at, answer_of
from notifications.answers import Answer
from notifications.directory import Recipient
from notifications.notices import read_content, reference
from notifications.phrases import phrases as notice_phrases
from notifications.products import Variant
from notifications.reader_words import choose_language, phrases
from notifications.tokens import read_token
from protocol.errors import NotFound
from protocol.stages import NoticeKind

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One notice to one contact, and what that recipient said to it."""

    organisation: str
    languages: tuple[str, ...]
    """Read at the contact."""
    incident_id: str
    reference: str
    """Of the notice, as it stands in the subject of its mail."""
    kind: NoticeKind
    issued_at: datetime
    marking: tuple[str, ...]
    exercise: bool
    acknowledged_at: datetime | None
    answer: Answer | None
    """The recipient's newest."""
    person: str
    phone: str


def read_page(connection: Connection, key: bytes, token: str, now: datetime) -> Page:
    """The page of this token.

    Raises:
        InvalidToken: anything is wrong with it.
    """
    told = read_token(connection, key, token, now)
    row = connection.execute(
        select(campaign, notification.c.variant)
        .join(notification, notification.c.campaign_id == campaign.c.id)
        .where(notification.c.id == told.id)
    ).one()
    addressee = _addressee(connection, told.recipient_id)
    contacts = addressee.contacts[told.contact : told.contact + 1]
    content = read_content(row.content)
    said = answer_of(connection, told.campaign_id, told.recipient_id)
    mine = said is not None and said.contact == told.contact
    return Page(
        organisation=addressee.organisation,
        languages=contacts[0].languages if contacts else (),
        incident_id=content.incident_id,
        reference=reference(content),
        kind=content.kind,
        issued_at=content.issued_at,
        marking=content.product().variant(Variant(row.variant)).marking.lines(),
        exercise=row.exercise,
        acknowledged_at=acknowledged_at(connection, told.campaign_id, told.recipient_id),
        answer=Answer(said.answer) if said else None,
        # A name is shown to the desk that gave it, not to another one.
        person=said.person if said and mine else "",
        phone=said.phone if said and mine else "",
    )


def _addressee(connection: Connection, recipient_id: str) -> Recipient:
    """As the newest version of the directory that names it has it."""
    document = connection.scalar(
        select(recipient.c.document)
        .where(recipient.c.id == recipient_id)
        .order_by(recipient.c.version.desc())
        .limit(1)
    )
    if document is None:
        raise NotFound(f"no version of the directory names {recipient_id!r}")
    return Recipient.model_validate(document)


class Voice:
    """Says the catalogue's phrases in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._phrases: Mapping[str, str] = phrases(language)

    @classmethod
    def for_reader(cls, accepted: str, languages: tuple[str, ...] = ()) -> Voice:
        return cls(choose_language(languages, accepted))

    def __call__(self, name: str, **values: str) -> Markup:
        """The phrase, with values put in as text."""
        return escape(self._phrases[name]).format(**values)

    def kind(self, kind: NoticeKind) -> str:
        """What such a notice is called, as in the mail itself."""
        return str(notice_phrases(self.language)["kinds"][kind])

    def time(self, at: datetime) -> Markup:
        """A moment as an HTML element, in UTC."""
        at = at.astimezone(UTC)
        day = format_date(at, "long", locale="en_GB" if self.language == "en" else self.language)
        shown = f"{day}, {at:%H:%M:%S} UTC"
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), shown)


def html(template: str, status: int, say: Voice, **values: object) -> Response:
    """A page in the reader's language."""
    text = TEMPLATES.get_template(template).render(say=say, **values)
    return Response(
        text,
        status_code=status,
        media_type="text/html",
        headers={"Content-Language": say.language, "Vary": "Accept-Language"},
    )


def message(name: str, status: int, accepted: str) -> Response:
    """A page that says one thing: ``<name>_title`` and ``<name>`` of the catalogue."""
    return html("message.html", status, Voice.for_reader(accepted), name=name)
