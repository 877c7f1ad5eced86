"""The registry of sources: who sends, on which topic, under which rules, and how reliable it is.

A source is recognised by its own topic, on which nobody else may write, and by nothing else. What a
report says of its feed or reporter may be anything: a claimed name is no identity and never gets a
letter. The letter is set by a person, with a reason, and its whole history is kept.
Source: domain 2.1 (E1 to E5), 6.2; reliability F-K10; R4, R11.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from sqlalchemy import Connection, select

from infra import kafka
from infra.tables_sources import source as source_table
from infra.tables_sources import source_standing
from intake.standing import FirstHandRule
from protocol.errors import NotFound
from protocol.grades import SourceReliability
from protocol.markings import Tlp
from protocol.parties import ANONYMOUS, SourceGroup
from protocol.report import Country, Line, Name

OUR_OWN = "leerp"
"""Beginning of the principals under which our own processes log in."""
RESERVED = frozenset({ANONYMOUS, "admin"})
MOST_AN_HOUR = 2_000_000_000


def _free(text: str) -> str:
    if text in RESERVED or text.startswith(OUR_OWN):
        raise ValueError(f"is kept for the system: {', '.join(sorted(RESERVED))}, {OUR_OWN}...")
    return text


SourceId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"),
    AfterValidator(_free),
]
"""Small letters, digits and dashes inside, at most 40; also the Kafka principal."""


class Source(BaseModel):
    """What an administrator registers of a source. Its letter is not among it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: SourceId
    name: Name
    group: SourceGroup
    also_groups: tuple[SourceGroup, ...] = ()
    """Further groups in which it may report, each on a topic of its own."""
    organisation: Name
    contact: Line = ""
    country: Country | None = None
    first_hand: FirstHandRule = FirstHandRule.AS_STATED
    quota: int | None = Field(default=None, ge=1, le=MOST_AN_HOUR)
    """Records an hour; none is without limit."""
    tlp: Tlp | None = None
    """For reports that bring no marking; none leaves them as intake marks everything."""

    @field_validator("quota", mode="before")
    @classmethod
    def _a_number(cls, value: object) -> object:
        if isinstance(value, bool):  # which counts as 0 and 1
            raise ValueError("is not a number")  # noqa: TRY004  pydantic's own kind
        return value

    @model_validator(mode="after")
    def _each_group_once(self) -> Self:
        if len(set(self.groups)) < len(self.groups):
            raise ValueError("also_groups names a group twice, or the one that group names")
        return self

    @property
    def principal(self) -> str:
        """Under which it logs in to Kafka."""
        return self.id

    @property
    def groups(self) -> tuple[SourceGroup, ...]:
        """All groups in which it may report, its own first."""
        return (self.group, *self.also_groups)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are its own, one a group."""
        return tuple(kafka.topic_of(group, self.id) for group in self.groups)

    def row(self) -> dict[str, Any]:
        """Its columns of the table ``source``."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One judgement of a source's reliability by a person."""

    before: SourceReliability
    letter: SourceReliability
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A source as the registry has it, with every letter it ever had, oldest first."""

    source: Source
    registered_at: datetime
    retired_at: datetime | None
    letters: tuple[Letter, ...]

    @property
    def letter(self) -> SourceReliability:
        """The letter in force; X while nobody has judged it (E4)."""
        return self.letters[-1].letter if self.letters else SourceReliability.X


def load_sources(connection: Connection, *, retired: bool = False) -> list[Registered]:
    """Every source in the order of its id; with ``retired`` also those that are so no longer."""
    letters: dict[str, list[Letter]] = {}
    for row in connection.execute(select(source_standing).order_by(source_standing.c.seq)):
        letters.setdefault(row.source_id, []).append(
            Letter(
                before=SourceReliability(row.before),
                letter=SourceReliability(row.letter),
                by=row.by,
                at=row.at,
                reason=row.reason,
            )
        )
    query = select(source_table).order_by(source_table.c.id)
    if not retired:
        query = query.where(source_table.c.retired_at.is_(None))
    return [
        Registered(
            source=Source.model_validate({name: row[name] for name in Source.model_fields}),
            registered_at=row["registered_at"],
            retired_at=row["retired_at"],
            letters=tuple(letters.get(row["id"], ())),
        )
        for row in connection.execute(query).mappings()
    ]


def get_source(connection: Connection, source_id: str) -> Registered:
    """One source, retired or not.

    Raises:
        NotFound: none has this id.
    """
    for registered in load_sources(connection, retired=True):
        if registered.source.id == source_id:
            return registered
    raise NotFound(f"no source {source_id}: see 'leerp sources list --all'")
