"""The mails of one campaign: what they share is rendered and encoded once, the rest put in its place.

The templates stay the only place where a mail's words are. They are filled twice for a stand-in whose
own fields are unguessable tokens of two lengths and which refuses every other question: where the
rest of the text is the same both times, only the tokens' places differ between recipients. Wherever
that is not so, each mail is rendered as a whole. Source: reliability 1.5c, R7.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import structlog
from jinja2 import TemplateError
from markupsafe import escape

from notifications.directory import Contact, Recipient
from notifications.headers import literal
from notifications.mail import (
    Body,
    Built,
    Envelope,
    canonical,
    encode,
    file_parts,
    protection_of,
    text_part,
    wrap,
)
from notifications.notices import NoticeContent, reference
from notifications.products import Product, Variant
from notifications.rendering import Rendered, render
from notifications.smime import Signer
from notifications.template_names import OperatorTemplate, TemplateUnfit
from notifications.trust import Trust

log = structlog.get_logger()

SHORT_TOKEN, LONG_TOKEN = 16, 40
"""Bytes of chance in a token; a wrapped or cut text would differ between the two."""
SHARED_FIELDS = frozenset({"recipient_class"})
"""What a template may ask of a recipient besides its name, when its mails are to share their parts."""


class _Asked(Exception):
    """A template asks for what differs between recipients."""


class _Untouchable:
    """In the place of what a stand-in does not have: whoever looks at it is told so."""

    def _refuse(self, *_: object) -> NoReturn:
        raise _Asked

    __str__ = __html__ = __format__ = __bool__ = __len__ = __iter__ = __getitem__ = _refuse
    __eq__ = __hash__ = __call__ = __lt__ = __contains__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        raise _Asked(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A text with gaps, in the form in which it is encoded."""

    pieces: tuple[bytes, ...]
    gaps: tuple[int, ...]
    """Which value stands between two pieces."""

    @classmethod
    def of(cls, text: str, tokens: tuple[str, ...]) -> _Text:
        found = re.split("(" + "|".join(tokens) + ")", canonical(text).decode())
        return cls(
            pieces=tuple(piece.encode() for piece in found[::2]),
            gaps=tuple(tokens.index(token) for token in found[1::2]),
        )

    def filled(self, values: tuple[bytes, ...]) -> bytes:
        parts = [self.pieces[0]]
        for gap, piece in zip(self.gaps, self.pieces[1:], strict=True):
            parts += (values[gap], piece)
        return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What the mails of one kind have in common."""

    subject: str
    text: _Text
    html: _Text
    files: tuple[bytes, ...]

    def body(self, values: tuple[str, ...]) -> Body:
        return Body(
            subject=self.subject,
            texts=(
                text_part(b"text/plain", self.text.filled(tuple(v.encode() for v in values))),
                text_part(
                    b"text/html", self.html.filled(tuple(escape(v).encode() for v in values))
                ),
            ),
            files=self.files,
        )


class MailBuilder:
    """Builds the mails of one campaign, one after the other; not for several threads at once.

    This is the subject of R7: render, sign and encrypt, from the recipient to the bytes.
    """

    def __init__(
        self, content: NoticeContent, product: Product, signer: Signer, *, draw: Draw = render
    ) -> None:
        self._content = content
        self._product = product
        self._signer = signer
        self._draw = draw
        self._shared: dict[Hashable, _Shared | None] = {}
        self._reference = reference(content)

    def build(
        self,
        recipient: Recipient,
        contact: Contact,
        variant: Variant,
        link: str | None,
        envelope: Envelope,
        *,
        trust: Trust,
        own: OperatorTemplate | None = None,
        **how: Hashable,
    ) -> Built:
        """The mail to one contact; ``how`` goes to ``rendering.render`` as it is.

        Where it cannot be set in ``own``, the operator's template, it is set in the built-in one.

        Raises:
            Refused: as ``mail.build`` and ``rendering.render``.
        """
        marking = self._product.variant(variant).marking
        protection = protection_of(contact, marking, envelope.date, trust)
        unfit = None
        try:
            body = self.body(recipient, variant, link, own=own, **how)
        except TemplateUnfit as found:
            log.warning("template_unfit", template=found.number, kind=self._content.kind)
            body, unfit = self.body(recipient, variant, link, own=None, **how), found
        raw = wrap(
            body,
            replace(envelope, reference=self._reference),
            marking=marking,
            protection=protection,
            signer=self._signer,
        )
        return Built(raw=raw, protection=protection.word, unfit=unfit)

    def body(
        self, recipient: Recipient, variant: Variant, link: str | None, **how: Hashable
    ) -> Body:
        """The inside of the mail: the same bytes as if it were rendered as a whole."""
        values = (recipient.organisation, *(() if link is None else (link,)))
        if all(map(_is_plain, values)):
            shared = self._in_common(recipient, variant, link is not None, how)
            if shared is not None:
                return shared.body(values)
        return encode(self._draw(self._content, recipient, variant, link, **how))

    def _in_common(
        self, recipient: Recipient, variant: Variant, linked: bool, how: Mapping[str, Hashable]
    ) -> _Shared | None:
        fields = tuple(getattr(recipient, name) for name in sorted(SHARED_FIELDS))
        key = (variant, linked, fields, *sorted(how.items()))
        if key not in self._shared:
            self._shared[key] = self._find(recipient, variant, linked, how)
            if self._shared[key] is None:
                log.info("mails_share_nothing", kind=self._content.kind, variant=variant)
        return self._shared[key]

    def _find(
        self, recipient: Recipient, variant: Variant, linked: bool, how: Mapping[str, Hashable]
    ) -> _Shared | None:
        drawn = []
        for size in (SHORT_TOKEN, LONG_TOKEN):
            tokens = (f"t{secrets.token_hex(size)}", f"u{secrets.token_hex(size)}")
            link = tokens[1] if linked else None
            try:
                rendered = self._draw(
                    self._content, _stand_in(recipient, tokens[0]), variant, link, **how
                )
            except (_Asked, TemplateError, TypeError, ValueError):
                return None  # rendered for a real recipient it works, or says what is wrong
            drawn.append((rendered, tokens))
        short, long = (_shared(*each) for each in drawn)
        whole = all(
            token not in rendered.subject and not _in_files(token, rendered)
            for rendered, tokens in drawn
            for token in tokens
        )
        return short if whole and short == long else None


Draw = Callable[..., Rendered]


def _stand_in(recipient: Recipient, name: str) -> Recipient:
    hidden: dict[str, Any] = dict.fromkeys(
        type(recipient).model_fields.keys() - SHARED_FIELDS, _Untouchable()
    )
    return recipient.model_copy(update=hidden | {"organisation": name})


def _shared(rendered: Rendered, tokens: tuple[str, ...]) -> _Shared:
    return _Shared(
        subject=rendered.subject,
        text=_Text.of(rendered.text, tokens),
        html=_Text.of(rendered.html, tokens),
        files=file_parts(rendered.attachments),
    )


def _in_files(token: str, rendered: Rendered) -> bool:
    return any(token.encode() in attachment.data for attachment in rendered.attachments)


def _is_plain(value: str) -> bool:
    """Whether templates write it as it is: on one line, with nothing that is cleaned away."""
    return bool(value) and value == literal(" ".join(value.split()))
