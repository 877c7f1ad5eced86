"""Problems that pydantic finds, as a person reads them."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError, field_validator

from protocol.wording import MAX_PROBLEMS, in_words


class Person(BaseModel):
    name: str
    ages: tuple[int, ...]

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name:
            raise ValueError("give a name")
        return name


def problems_of(document: object) -> ValidationError:
    with pytest.raises(ValidationError) as found:
        Person.model_validate(document)
    return found.value


def test_each_problem_stands_with_its_place_and_without_the_value() -> None:
    said = in_words(problems_of({"name": "", "ages": [1, "secret"]}))

    assert said.startswith("name: give a name; ages.1: ")
    assert "secret" not in said


def test_what_is_wrong_as_a_whole_is_called_input() -> None:
    assert in_words(problems_of("nobody")).startswith("input: ")


def test_places_can_be_named_otherwise() -> None:
    assert in_words(problems_of({"name": ""}), lambda at: f"<{at[0]}>").startswith("<name>: ")


def test_no_more_is_said_than_somebody_reads() -> None:
    many = in_words(problems_of({"name": "x", "ages": ["?"] * 100}))

    assert many.count(";") == MAX_PROBLEMS - 1
