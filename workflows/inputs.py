"""What officers fill in for drafts, and how bad input is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from notifications.content import ContactPoint, Words
from protocol.errors import Refused
from protocol.parties import RecipientClass
from protocol.report import Country
from protocol.wording import in_words

Input = TypeVar("Input", bound=BaseModel)


class CentreInput(BaseModel):
    """What an officer says of the coordination centre (R20 to R22, R28)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact_points: tuple[ContactPoint, ...] = Field(min_length=1)
    team: dict[str, Words] = {}
    """Skill to the person or desk that brings it."""
    shifts: tuple[Words, ...] = ()
    command_post: dict[str, Words] = Field(min_length=1)
    """Stakeholder group to its secure channel, need-to-know (R28)."""
    omissions: dict[RecipientClass, Words] = {}
    """A class of R23 or R24 that is left out, with the reason."""


class AgreementInput(BaseModel):
    """A member state's agreement to a version of the plan's draft (R37)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Country
    by: Words
    draft: int


class NoteInput(BaseModel):
    """A note in the officer's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Words


def read_input(model: type[Input], given: Mapping[str, Any]) -> Input:
    """Check an officer's input.

    Raises:
        Refused: ``bad-input``, naming each field and what is wrong with it.
    """
    try:
        return model.model_validate(dict(given))
    except ValidationError as exc:
        raise Refused("bad-input", in_words(exc)) from exc
