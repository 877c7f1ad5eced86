"""Drafts of the case file: the texts that two people agree on before they become notices.

A draft is checked when it is made, so that what waits at a gate could go out as it stands. Each has
its notice under ``notice``; what is not for the addressees stands beside it.
Source: R20 to R22, R28 to R31, R36 to R39, R48.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from infra import casefile
from infra.casefile import Artefact
from infra.database import Database
from infra.tables import report
from notifications.content import ContactPoint
from notifications.ewn import EarlyWarning, check_ewn
from notifications.ewn_draft import EwnInput, draft_ewn
from notifications.notices import (
    ClosureNotice,
    InitialNotice,
    Invitation,
    OutcomeNotice,
    PlanAction,
    PlanNotice,
)
from protocol.errors import NotFound, Refused
from protocol.markings import Marking
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES
from protocol.profile import Profile
from protocol.stages import Containment, NoticeKind, Recommendation
from workflows.ewn_facts import ewn_facts
from workflows.inputs import AgreementInput, CentreInput, NoteInput, read_input
from workflows.plans import Plan, check_ready


class Drafting:
    """Makes drafts for one incident's officers; every draft is a version of its kind."""

    def __init__(
        self, database: Database, profile: Profile, *, exercise: bool, officer: str, channel: str
    ) -> None:
        self._database = database
        self._profile = profile
        self._exercise = exercise
        self._officer = officer
        self._channel = channel

    def centre(self, incident_id: str, given: Mapping[str, Any]) -> Artefact:
        """Draft the centre with the initial notice; skills that nobody brings are listed (R21).

        Raises:
            Refused: ``bad-input``, naming the field.
        """
        centre = read_input(CentreInput, given)
        with self._database.write() as connection:
            wanted = self._skills(connection, incident_id)
            notice = InitialNotice(
                **self._common(incident_id),
                triggered_at=_now(),
                contact_points=centre.contact_points,
            )
            document = {
                "notice": notice.model_dump(mode="json"),
                **centre.model_dump(mode="json"),
                "skills_wanted": list(wanted),
                "skills_missing": [skill for skill in wanted if skill not in centre.team],
            }
            return self._add(connection, incident_id, "centre", document)

    def ewn(self, incident_id: str, given: Mapping[str, Any]) -> Artefact:
        """Draft the next version of the Early Warning Notification from the case and the officer.

        Raises:
            NotFound: nothing is assessed, or there is no centre to report back to.
            Refused: ``bad-input`` or ``ewn-incomplete``; the message names section and field.
        """
        rules = self._profile.notices[NoticeKind.EWN]
        with self._database.write() as connection:
            centre = casefile.get_artefact(connection, incident_id, "centre")
            assessment = casefile.get_artefact(connection, incident_id, "assessment")
            before = casefile.find_artefact(connection, incident_id, "ewn")
            facts = ewn_facts(connection, incident_id)
            number = before.version + 1 if before else 1
            ewn = draft_ewn(
                assessment.document,
                read_input(EwnInput, given),
                incident_id=incident_id,
                number=number,
                facts=facts.timeline,
                indicators=facts.indicators,
                inputs=facts.inputs,
                contact_points=_points_of(centre),
                author=self._officer,
                triggered_at=datetime.fromisoformat(centre.document["notice"]["triggered_at"]),
                now=_now(),
                valid_for=self._profile.watch.ewn_valid_for,
                acknowledge_within=rules.remind_after,
                exercise=self._exercise,
                previous=EarlyWarning.model_validate(before.document["notice"]) if before else None,
            )
            if problems := check_ewn(ewn):
                raise Refused("ewn-incomplete", "; ".join(problems))
            omissions = {
                name: "not on the dissemination list"
                for name in sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES)
                if name not in ewn.header.dissemination
            }
            document = {"notice": ewn.model_dump(mode="json"), "omissions": omissions}
            return self._add(connection, incident_id, "ewn", document)

    def invitation(self, incident_id: str, given: Mapping[str, Any]) -> Artefact:
        """Draft the invitation with date and place (R36).

        Raises:
            Refused: ``bad-input``; a call without a secure channel is refused too (R35).
        """
        with self._database.write() as connection:
            centre = casefile.get_artefact(connection, incident_id, "centre")
            notice = read_input(
                Invitation,
                {**self._common(incident_id), "contact_points": _points_of(centre), **given},
            )
            document = {"notice": notice.model_dump(mode="json")}
            return self._add(connection, incident_id, "invitation", document)

    def plan(self, incident_id: str, given: Mapping[str, Any]) -> Artefact:
        """Draft the operational action plan.

        Raises:
            Refused: ``bad-input``; every action has an owner and a due time (R37).
        """
        plan = read_input(Plan, given)
        with self._database.write() as connection:
            return self._add(connection, incident_id, "plan-draft", plan.model_dump(mode="json"))

    def agreement(self, incident_id: str, country: str, by: str) -> Artefact:
        """Note that a member state agrees to the newest draft of the plan (R37)."""
        with self._database.write() as connection:
            draft = casefile.get_artefact(connection, incident_id, "plan-draft")
            agreed = read_input(
                AgreementInput, {"country": country, "by": by, "draft": draft.version}
            )
            return self._add(connection, incident_id, "agreement", agreed.model_dump(mode="json"))

    def agreed_plan(self, incident_id: str) -> Artefact:
        """The newest draft as the plan to adopt.

        Raises:
            Refused: ``plan-conflict``, ``no-custody`` or ``not-agreed`` (R37 to R39).
        """
        with self._database.write() as connection:
            centre = casefile.get_artefact(connection, incident_id, "centre")
            draft = casefile.get_artefact(connection, incident_id, "plan-draft")
            plan = Plan.model_validate(draft.document)
            agreed = frozenset(
                found.document["country"]
                for found in casefile.all_artefacts(connection, incident_id, "agreement")
                if found.document["draft"] == draft.version
            )
            check_ready(plan, agreed)
            before = casefile.find_artefact(connection, incident_id, "plan")
            notice = PlanNotice(
                **self._common(incident_id),
                version=before.version + 1 if before else 1,
                outcome=plan.outcome,
                actions=tuple(
                    PlanAction(action=a.action, owner=a.owner, due=a.due, legal_basis=a.legal_basis)
                    for a in plan.actions
                ),
                agreed_by=tuple(sorted(agreed)) or ("Europol EC3",),
                contact_points=_points_of(centre),
            )
            document = {"notice": notice.model_dump(mode="json"), "plan": draft.document}
            return self._add(connection, incident_id, "plan", document)

    def closure(
        self, incident_id: str, containment: Containment, *, statement: str, evidence: str
    ) -> Artefact:
        """Draft the closure with the sense in which the threat is contained, and its evidence (R48)."""
        if not evidence.strip():
            raise Refused("no-evidence", "closure needs the evidence that the threat is contained")
        notice = read_input(
            ClosureNotice,
            {
                **self._common(incident_id),
                "closed_at": _now(),
                "containment": containment,
                "statement": statement,
            },
        )
        document = {"notice": notice.model_dump(mode="json"), "evidence": evidence}
        with self._database.write() as connection:
            return self._add(connection, incident_id, "closure", document)

    def outcome(
        self, incident_id: str, decision: Recommendation, *, statement: str, desk: ContactPoint
    ) -> Artefact:
        """Draft what the notifiers are told where the protocol is not launched (R18)."""
        notice = read_input(
            OutcomeNotice,
            {
                **self._common(incident_id),
                "decided_at": _now(),
                "decision": decision,
                "statement": statement,
                "contact_points": (desk,),
            },
        )
        with self._database.write() as connection:
            document = {"notice": notice.model_dump(mode="json")}
            return self._add(connection, incident_id, "outcome", document)

    def downgrade(
        self, incident_id: str, report_id: str, marking: Mapping[str, Any], *, consent: str
    ) -> Artefact:
        """Draft a lower marking for one report, with the evidence of its provider's consent.

        It counts for warnings drafted after a second person has approved it (domain 4.4).

        Raises:
            NotFound: the incident has no such report.
            Refused: ``bad-input``, or ``no-consent``.
        """
        if not consent.strip():
            raise Refused(
                "no-consent", "a lower marking needs the evidence of the provider's consent"
            )
        lower = read_input(Marking, marking)
        with self._database.write() as connection:
            known = connection.scalar(
                select(report.c.id).where(
                    report.c.id == report_id, report.c.incident_id == incident_id
                )
            )
            if known is None:
                raise NotFound(f"{incident_id} has no report {report_id}: see 'leerp reports list'")
            document = {
                "report": report_id,
                "marking": lower.model_dump(mode="json"),
                "consent": consent,
            }
            return self._add(connection, incident_id, "downgrade", document)

    def note(self, incident_id: str, kind: str, text: str) -> Artefact:
        """A contribution, a review of open sources or an internal meeting, in the officer's words."""
        noted = read_input(NoteInput, {"text": text})
        with self._database.write() as connection:
            return self._add(connection, incident_id, kind, noted.model_dump(mode="json"))

    def _skills(self, connection: Connection, incident_id: str) -> tuple[str, ...]:
        assessment = casefile.find_artefact(connection, incident_id, "assessment")
        spreads = bool(assessment and assessment.document["self_propagating"])
        return self._profile.team_skills["self-propagating" if spreads else "default"]

    def _common(self, incident_id: str) -> dict[str, Any]:
        return {"incident_id": incident_id, "exercise": self._exercise, "issued_at": _now()}

    def _add(
        self, connection: Connection, incident_id: str, kind: str, document: Mapping[str, Any]
    ) -> Artefact:
        return casefile.add_artefact(
            connection, incident_id, kind, document, by=self._officer, channel=self._channel
        )


def _points_of(centre: Artefact) -> tuple[ContactPoint, ...]:
    return tuple(ContactPoint.model_validate(p) for p in centre.document["contact_points"])


def _now() -> datetime:
    return datetime.now(UTC)
