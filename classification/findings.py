"""``Findings``: what officers state about an incident that no report can.

Every statement carries its author. The models travel through workflows and the database:
unknown fields are ignored and new ones need a default.
Source: domain 3.4; R8, R10, R15.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from protocol.report import Cause, Country, Line, clean_text

Officer = Annotated[Line, Field(min_length=1, max_length=200)]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    AfterValidator(clean_text),
]
"""What an officer states, at most 2,000 characters: it is quoted in every assessment."""
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, in order, so that equal statements are stored alike."""
    return tuple(sorted(set(values)))


class TriggerId(StrEnum):
    """The escalation triggers (R15)."""

    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"
    T6 = "T6"
    T7 = "T7"
    T8 = "T8"


class Subject(StrEnum):
    """What a fact is of (R7, R13); the last three are numbers."""

    IMPACT = "impact"
    DISRUPTION = "disruption"
    SERVICE = "service"
    ORGANISATION = "organisation"
    SECTOR = "sector"
    COUNTRY = "country"
    CAUSE = "cause"
    PROPAGATION = "propagation"
    VICTIMS = "victims"
    ORGANISATIONS = "organisations"
    LOSS_EUR = "loss-eur"


NUMBERS = frozenset({Subject.VICTIMS, Subject.ORGANISATIONS, Subject.LOSS_EUR})

REFERENCES = {
    TriggerId.T3: "the authority that gives political reasons",
    TriggerId.T4: "the record of the member state's request",
    TriggerId.T7: "the deadline by which the evidence is lost",
    TriggerId.T8: "the reference of the alert or mechanism that was activated",
}
"""What the reference of a stated trigger must name; T5 needs none."""


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    officer: Officer
    text: Text


class StatedTrigger(_Stated):
    """A trigger that a person states: T3, T4, T5, T7 or T8."""

    trigger: TriggerId
    reference: Line = ""

    @model_validator(mode="after")
    def _statable(self) -> Self:
        if self.trigger not in REFERENCES and self.trigger is not TriggerId.T5:
            raise ValueError(
                f"{self.trigger} is not stated as such: T1 follows from reports or an expectation "
                "of propagation, T2 from affected or probable sectors, T6 from campaign facts"
            )
        if self.trigger in REFERENCES and not self.reference:
            raise ValueError(f"{self.trigger} needs a reference: {REFERENCES[self.trigger]}")
        return self


class CampaignFacts(_Stated):
    """Linked incidents, the states they touch, and the time from the first to the last (T6)."""

    incident_ids: Annotated[tuple[Line, ...], AfterValidator(_distinct)]
    states: Annotated[tuple[Country, ...], AfterValidator(_distinct)]
    first: AwareDatetime
    last: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("the campaign's last incident lies before its first")
        return self


class CauseConfirmation(_Stated):
    """A named officer confirms the nature of the cause (G1)."""

    cause: Cause


class ProbableCountry(_Stated):
    """A state that is probably affected, although no report says so yet (G2)."""

    country: Country
    probability: Probability


class ProbableSector(_Stated):
    """A sector that is probably affected, although no report says so yet (T2)."""

    sector: Line
    probability: Probability


class PropagationGround(StrEnum):
    """What an officer expects propagation from (T1); what spreads by itself is for reports to say."""

    MASS_EXPLOIT = "mass-exploit"
    SUPPLY_CHAIN = "supply-chain"
    OUTLOOK_WORSENING = "outlook-worsening"


GROUND_WORDS = {
    PropagationGround.MASS_EXPLOIT: "mass exploit of an unpatched, widely used product",
    PropagationGround.SUPPLY_CHAIN: "supply chain",
    PropagationGround.OUTLOOK_WORSENING: "outlook worsening in the next six hours",
}


class ExpectedPropagation(_Stated):
    """How likely the attack is to spread further, and from what it is expected (T1)."""

    probability: Probability
    ground: PropagationGround | None = None
    """None in statements from before grounds were asked for."""


class StatedFact(_Stated):
    """What an officer knows of the incident, beside the reports: shown with them, and with its reason.

    The class rests on graded reports: to count there, the same knowledge is sent as a report.
    """

    subject: Subject
    value: Line = ""
    """Such as a country's code; of a number its scope, empty for the whole incident."""
    holds: bool = True
    """False where the officer denies it."""
    at_least: NonNegative | None = None
    at_most: NonNegative | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.subject in NUMBERS:
            if self.at_least is None and self.at_most is None:
                raise ValueError(f"{self.subject} needs at_least, at_most or both")
            if self.value and not (self.subject is Subject.VICTIMS and len(self.value) == 2):
                raise ValueError("value is the code of a state, for victims, or left out")
            if not self.holds:
                raise ValueError("deny a number by giving the one that holds")
            if self.at_most is not None and (self.at_least or 0) > self.at_most:
                raise ValueError("at_least is more than at_most")
        elif not self.value:
            raise ValueError(f"{self.subject} needs a value")
        elif self.at_least is not None or self.at_most is not None:
            raise ValueError(f"{self.subject} is no number: leave out at_least and at_most")
        return self


class Override(BaseModel):
    """The launch role sets G4 aside, with its reason on record."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    officer: Officer
    reason: Text


class Findings(BaseModel):
    """Everything that officers have stated about one incident so far."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    triggers: tuple[StatedTrigger, ...] = ()
    campaign: CampaignFacts | None = None
    cause: CauseConfirmation | None = None
    probable_countries: tuple[ProbableCountry, ...] = ()
    probable_sectors: tuple[ProbableSector, ...] = ()
    propagation: ExpectedPropagation | None = None
    override: Override | None = None
    facts: tuple[StatedFact, ...] = ()

    def countries_at_least(self, probability: float) -> frozenset[str]:
        """States that are affected with at least this probability."""
        return frozenset(p.country for p in self.probable_countries if p.probability >= probability)
