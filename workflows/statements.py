"""What an officer states about an incident: checked by name and shape, and signed.

Source: R8, R10, R15; domain 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from classification.findings import (
    CampaignFacts,
    CauseConfirmation,
    ExpectedPropagation,
    Findings,
    Override,
    ProbableCountry,
    ProbableSector,
    StatedFact,
    StatedTrigger,
)
from protocol.errors import Refused
from protocol.wording import in_words

LISTS: Mapping[str, type[BaseModel]] = {
    "triggers": StatedTrigger,
    "probable_countries": ProbableCountry,
    "probable_sectors": ProbableSector,
    "facts": StatedFact,
}
"""What is added to."""
SINGLE: Mapping[str, type[BaseModel]] = {
    "campaign": CampaignFacts,
    "cause": CauseConfirmation,
    "propagation": ExpectedPropagation,
    "override": Override,
}
"""What is replaced."""
SIGNATURE = "officer"


def with_statement(before: Findings, statement: Mapping[str, Any], officer: str) -> Findings:
    """The findings with an officer's statement, signed with the officer's id.

    Raises:
        Refused: ``bad-finding``; names every field that is unknown or has the wrong shape.
    """
    if problems := _problems(statement):
        raise Refused("bad-finding", "; ".join(problems))
    document = before.model_dump(mode="json")
    for name, value in statement.items():
        if name in LISTS:
            document[name] = [*document[name], *({**each, SIGNATURE: officer} for each in value)]
        else:
            document[name] = {**value, SIGNATURE: officer}
    try:
        return Findings.model_validate(document)
    except ValidationError as exc:
        raise Refused("bad-finding", in_words(exc)) from exc


def _problems(statement: Mapping[str, Any]) -> list[str]:
    if not statement:
        return [f"nothing is stated: give one of {', '.join((*LISTS, *SINGLE))}"]
    problems = []
    for name, value in statement.items():
        if name in LISTS:
            if not isinstance(value, list):
                problems.append(f"{name}: must be a list of tables")
                continue
            for number, each in enumerate(value):
                problems += _table(f"{name}.{number}", LISTS[name], each)
        elif name in SINGLE:
            problems += _table(name, SINGLE[name], value)
        else:
            problems.append(f"{name}: no such field; there are {', '.join((*LISTS, *SINGLE))}")
    return problems


def _table(place: str, model: type[BaseModel], value: Any) -> list[str]:
    known = [name for name in model.model_fields if name != SIGNATURE]
    if not isinstance(value, Mapping):
        return [f"{place}: must be a table with the fields {', '.join(known)}"]
    return [
        f"{place}.{name}: no such field; there are {', '.join(known)}"
        for name in value
        if name not in known
    ]
