"""What the contents of all notices share: their texts, their base, and points of contact.

Texts come from officers and reports: they are kept as they are, in one line, and never blank (R67).
"""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from notifications.headers import literal
from notifications.products import Component, Product, Purpose, item_name
from protocol.markings import Marking
from protocol.report import clean_text

NONE_IDENTIFIED = "none identified"
UNKNOWN = "unknown"


def _one_line(text: str) -> str:
    words = " ".join(clean_text(text).split())
    if not literal(words).strip():
        raise ValueError("must not be blank: leave it out, or say that it is unknown")
    return words


Words = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_one_line)]
"""One line of up to 2,000 characters; never blank."""
Stated = Annotated[tuple[Words, ...], AfterValidator(lambda lines: lines or (NONE_IDENTIFIED,))]
"""A list that says explicitly when there is nothing in it."""
Utc = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


Written = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
"""The language that officers wrote in (ISO 639-1); their words are never translated."""


class Part(BaseModel):
    """A piece of a notice: frozen, and closed to fields that nobody defined."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ContactPoint(Part):
    """Where the centre is reached: a role or desk, by telephone and by a secure channel."""

    name: Words
    phone: Words
    secure_channel: Words


class Notice(Part):
    """The content of one notice, the same for all who get it."""

    incident_id: Words
    exercise: bool
    issued_at: Utc
    issuer: Words = "Europol EC3 - emergency coordination centre"
    language: Written = "en"
    marking: Marking = Marking()
    """Of everything in it, unless a part states a stricter one."""

    def product(self) -> Product:
        """The notice as the locks see it: one component that is for everybody who is told."""
        return Product(
            components=(Component(id="notice", marking=self.marking, purpose=Purpose.INFORMATION),),
            content=self.written(),
        )

    def written(self) -> str:
        """A name that is another as soon as anything in the notice is another."""
        return item_name(self.model_dump_json())
