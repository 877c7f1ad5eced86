"""The contents of the simple notices, and the union of all contents as a campaign stores it.

Source: domain 1.2 (who is told what), R23, R24, R35 to R37, R41, R48, R49.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from notifications.content import (
    NONE_IDENTIFIED,
    ContactPoint,
    Notice,
    Part,
    Stated,
    Utc,
    Words,
)
from notifications.ewn import EarlyWarning, EwnView
from notifications.products import Component, Product, Purpose, Variant
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.stages import Containment, NoticeKind, Recommendation

BARE_FACT = Marking(
    classification=Classification.PUBLIC,
    tlp=Tlp.CLEAR,
    pap=Pap.CLEAR,
    handling_codes=frozenset({HandlingCode.H0}),
)
"""That a case number is closed tells nothing about the case."""


class InitialNotice(Notice):
    """N1 and N2: the protocol is triggered, and where the centre is reached (R23, R24)."""

    kind: Literal[NoticeKind.INITIAL] = NoticeKind.INITIAL
    triggered_at: Utc
    contact_points: tuple[ContactPoint, ...] = Field(min_length=1)


class MeetingMode(StrEnum):
    """How the emergency coordination meeting is held (R35)."""

    PHYSICAL = "physical"
    CALL = "call"


class Invitation(Notice):
    """N4: date and place of the meeting (R36); a call is held on a secure channel (R35)."""

    kind: Literal[NoticeKind.INVITATION] = NoticeKind.INVITATION
    mode: MeetingMode
    starts_at: Utc
    place: Words
    """Room and address, or the channel of a call."""
    secure_channel: bool = False
    agenda: Stated = (NONE_IDENTIFIED,)
    contact_points: tuple[ContactPoint, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _calls_are_secure(self) -> Self:
        if self.mode is MeetingMode.CALL and not self.secure_channel:
            raise ValueError("a call needs a secure channel: name it as place, and confirm (R35)")
        return self

    def product(self) -> Product:
        return _for_police(self)


class PlanAction(Part):
    """One action of the plan; nobody's action is no action (R37)."""

    action: Words
    owner: Words
    due: Words
    legal_basis: Words


class PlanNotice(Notice):
    """N5: outcome of the meeting and the plan with its owners (R37, R41)."""

    kind: Literal[NoticeKind.PLAN] = NoticeKind.PLAN
    version: int = Field(ge=1)
    outcome: Words
    actions: tuple[PlanAction, ...] = Field(min_length=1)
    agreed_by: tuple[Words, ...] = Field(min_length=1)
    contact_points: tuple[ContactPoint, ...] = Field(min_length=1)

    def product(self) -> Product:
        return _for_police(self)


class ClosureNotice(Notice):
    """N7: the immediate threat is contained, in one of two senses (R48), and the case is closed."""

    kind: Literal[NoticeKind.CLOSURE] = NoticeKind.CLOSURE
    closed_at: Utc
    containment: Containment
    statement: Words

    def is_bare(self, variant: Variant) -> bool:
        """Whether ``variant`` says no more than that the case is closed."""
        return not self.product().variant(variant).keeps("detail")

    def product(self) -> Product:
        """Who has lost the right to more still gets the bare fact (R49, domain 4.4)."""
        return Product(
            components=(
                Component(id="fact", marking=BARE_FACT, purpose=Purpose.INFORMATION),
                Component(id="detail", marking=self.marking, purpose=Purpose.PROTECTION),
            ),
            content=self.written(),
        )


class WithdrawalNotice(Notice):
    """To exactly those who got a notice: it is withdrawn, and not to be acted upon."""

    kind: Literal[NoticeKind.WITHDRAWAL] = NoticeKind.WITHDRAWAL
    withdraws: Words
    """Id of the notice, as it stands on its page."""
    was_issued_at: Utc
    statement: Words

    def product(self) -> Product:
        """Who has lost the right to more meanwhile still gets the bare fact."""
        return Product(
            components=(
                Component(id="fact", marking=BARE_FACT, purpose=Purpose.INFORMATION),
                Component(id="detail", marking=self.marking, purpose=Purpose.PROTECTION),
            )
        )


class OutcomeNotice(Notice):
    """To the notifiers: what became of their report where the protocol was not launched."""

    kind: Literal[NoticeKind.OUTCOME] = NoticeKind.OUTCOME
    decided_at: Utc
    decision: Recommendation
    statement: Words
    contact_points: tuple[ContactPoint, ...] = Field(min_length=1)


class OverdueNotice(Notice):
    """To the duty manager: something should have happened by now and did not."""

    kind: Literal[NoticeKind.OVERDUE] = NoticeKind.OVERDUE
    matter: Words
    """What is overdue: a stage, or the acknowledgement of a notice."""
    due_at: Utc
    detail: Stated = (NONE_IDENTIFIED,)
    """For example the ids of recipients that are silent."""
    advice: Words

    def product(self) -> Product:
        return _for_police(self)


class ReassessmentNotice(Notice):
    """To the duty desk: the recommendation is another now, or has to be looked at again (domain 3.4)."""

    kind: Literal[NoticeKind.REASSESSMENT] = NoticeKind.REASSESSMENT
    matter: Words
    recommendation: Recommendation
    threat_class: Words
    assessment: int = Field(ge=1)
    """The version that this is about."""
    changes: Stated = (NONE_IDENTIFIED,)
    """Codes, numbers and report ids only."""
    advice: Words

    def product(self) -> Product:
        return _for_police(self)


class DrillNotice(Notice):
    """A test call: nothing has happened, and whoever reads it acknowledges (R25)."""

    kind: Literal[NoticeKind.DRILL] = NoticeKind.DRILL
    marking: Marking = BARE_FACT
    reason: Words
    answer_by: Utc


class OverrideNotice(Notice):
    """To a provider: its restrictions were set aside to avert a threat to life (Art. 22(2))."""

    kind: Literal[NoticeKind.OVERRIDE] = NoticeKind.OVERRIDE
    provider: Words
    """Whose information it is."""
    reason: Words
    draft: Words
    """What is passed on: kind and version of the draft."""
    passed_to: tuple[Words, ...] = Field(min_length=1)
    """The organisations that may have it."""
    ends_at: Utc
    advice: Words

    def product(self) -> Product:
        """For whoever provided the information, police or not; for nobody else."""
        return Product(
            components=(Component(id="notice", marking=self.marking, purpose=Purpose.PROTECTION),),
            content=self.written(),
        )


class BlueprintNotice(Notice):
    """What a warning brings to the Union's shared situational awareness (R34), to its mechanisms.

    It holds nothing but what the warning's technical variant keeps.
    """

    kind: Literal[NoticeKind.BLUEPRINT] = NoticeKind.BLUEPRINT
    warning: EarlyWarning

    @property
    def is_empty(self) -> bool:
        """Whether no part of the warning may leave the police, so that there is nothing to send."""
        return not self.warning.product().variant(Variant.TECHNICAL).components

    def product(self) -> Product:
        return Product(components=self.warning.product().variant(Variant.TECHNICAL).components)

    def shown(self, variant: Variant) -> EwnView:
        """The warning as this notice's ``variant`` may show it."""
        return self.warning.view(max(variant, Variant.TECHNICAL, key=list(Variant).index))


def blueprint_of(warning: EarlyWarning) -> BlueprintNotice:
    """The hook of ``warning`` as a notice of its own, issued with it."""
    return BlueprintNotice(
        incident_id=warning.incident_id,
        exercise=warning.exercise,
        issued_at=warning.issued_at,
        language=warning.language,
        marking=warning.marking,
        warning=warning,
    )


def _for_police(notice: Notice) -> Product:
    return Product(
        components=(Component(id="notice", marking=notice.marking, purpose=Purpose.CRIME),),
        content=notice.written(),
    )


NoticeContent = Annotated[
    InitialNotice
    | EarlyWarning
    | Invitation
    | PlanNotice
    | ClosureNotice
    | OutcomeNotice
    | OverdueNotice
    | ReassessmentNotice
    | DrillNotice
    | WithdrawalNotice
    | BlueprintNotice
    | OverrideNotice,
    Field(discriminator="kind"),
]
"""The content of any notice, told apart by ``kind``."""

_CONTENT: TypeAdapter[NoticeContent] = TypeAdapter(NoticeContent)


def read_content(document: Any) -> NoticeContent:
    """The content that a campaign's row holds.

    Raises:
        pydantic.ValidationError: not the content of any notice.
    """
    return _CONTENT.validate_python(document)


def reference(content: NoticeContent) -> str:
    """What stands for the notice where everybody can read it."""
    return content.header.id if isinstance(content, EarlyWarning) else content.incident_id
