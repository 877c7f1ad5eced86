"""What a recipient may answer to a notice, and what proves it.

Source: domain 5.3 section 1 (acknowledgement); issue 7, item 6.
"""

from __future__ import annotations

from enum import StrEnum

import phonenumbers
from pydantic import BaseModel, ConfigDict, field_validator

from notifications.headers import literal
from protocol.report import clean_text

LONGEST_PERSON = 100
LONGEST_PHONE = 40


class Answer(StrEnum):
    """What a recipient says of itself."""

    RECEIVED = "received"
    ACTING = "acting"
    NEED_HELP = "need-help"
    WRONG_ADDRESSEE = "wrong-addressee"


URGENT = frozenset({Answer.NEED_HELP, Answer.WRONG_ADDRESSEE})
"""The duty manager hears of these at once."""


class Proof(StrEnum):
    """What stands behind an acknowledgement; none of it but a call proves a person (ASVS 6.3.6)."""

    MAIL_LINK = "mail-link"
    """Access to the mailbox."""
    SIGNED_REPLY = "signed-reply"
    """The contact's registered key."""
    PHONE = "phone"
    """An officer spoke with somebody there."""
    OFFICER = "officer"
    """An officer's word for what became of it."""


class Given(BaseModel):
    """An answer, with whom to ask. The two fields are personal data: never in logs, never in audit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Answer = Answer.RECEIVED
    person: str = ""
    """Name of somebody who can be asked, at most 100 characters in one line."""
    phone: str = ""
    """With its country code; kept in the international form."""

    @field_validator("person")
    @classmethod
    def _one_line(cls, person: str) -> str:
        words = " ".join(literal(clean_text(person)).split())
        if len(words) > LONGEST_PERSON:
            raise ValueError(f"a name has at most {LONGEST_PERSON} characters")
        return words

    @field_validator("phone")
    @classmethod
    def _international(cls, phone: str) -> str:
        if not phone.strip():
            return ""
        try:
            number = phonenumbers.parse(phone.strip()[:LONGEST_PHONE])
        except phonenumbers.NumberParseException:
            raise ValueError("write the number with its country code, such as +31 70") from None
        if not phonenumbers.is_possible_number(number):
            raise ValueError("there is no such number: write it as +31 70 123 4567")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
