"""Drafts of the case file: the texts that two people agree on before they become notices.

Every method first checks who acts and whether the incident may be worked on, and notes a refusal. A
draft is checked when it is made, so that what waits at a gate could go out as it stands. Each has its
notice under ``notice``; what is not for the addressees stands beside it.
Source: R20 to R22, R28 to R31, R36 to R39, R48.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from infra import casefile
from infra.casefile import Artefact
from infra.originals import documents_of
from infra.tables import report
from notifications.content import ContactPoint
from notifications.ewn import EarlyWarning
from notifications.ewn_draft import EwnInput, draft_ewn
from notifications.ewn_quality import check_ewn, require
from notifications.grants import PermissionKind
from notifications.notices import (
    ClosureNotice,
    InitialNotice,
    Invitation,
    OutcomeNotice,
    PlanAction,
    PlanNotice,
)
from notifications.permissions import Scope, record_permission
from protocol.errors import NotFound, Refused
from protocol.markings import Marking
from protocol.parties import EXTERNAL_CLASSES, INTERNAL_CLASSES, RecipientClass, SourceGroup
from protocol.stages import Containment, NoticeKind, Recommendation
from workflows.case_drafts import CaseDrafts, now, points_of
from workflows.decided import recorded_centre
from workflows.downgrades import DowngradeInput, lowered
from workflows.ewn_facts import EwnFacts, ewn_facts
from workflows.inputs import AgreementInput, CentreInput, NoteInput, read_input
from workflows.plans import Plan, check_ready

CONSENT_LASTS = timedelta(days=365)
"""Consent to a lower marking that nobody revokes."""


class Drafting(CaseDrafts):
    """Makes the drafts of one officer; every draft is a version of its kind.

    All methods raise ``Refused`` (``unknown-officer``, ``wrong-role``, ``incident-merged``,
    ``incident-ended``) and ``NotFound`` (no such incident), besides what they name themselves.
    """

    def centre(self, incident_id: str, given: Mapping[str, Any]) -> Artefact:
        """Draft the centre with the initial notice; skills that nobody brings are listed (R21).

        Raises:
            Refused: ``bad-input``, naming the field, or ``class-left-out`` (R23, R24).
        """
        with self._open(incident_id, "draft centre") as connection:
            centre = read_input(CentreInput, given)
            self._reach_everybody(connection, NoticeKind.INITIAL, centre.omissions)
            wanted = self._skills(connection, incident_id)
            notice = InitialNotice(
                **self._common(incident_id),
                triggered_at=now(),
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
            NotFound: nothing is assessed, or there is no recorded centre to report back to.
            Refused: ``bad-input``, ``ewn-incomplete`` or ``class-left-out``; the message names
                section and field, or the class.
        """
        with self._open(incident_id, "draft ewn") as connection:
            facts = ewn_facts(connection, incident_id)
            ewn = self._ewn(connection, incident_id, read_input(EwnInput, given), facts)
            require(check_ewn(ewn))
            omissions = {
                name: "not on the dissemination list"
                for name in sorted(INTERNAL_CLASSES | EXTERNAL_CLASSES)
                if name not in ewn.header.dissemination
            }
            self._reach_everybody(connection, NoticeKind.EWN, omissions)
            document = {
                "notice": ewn.model_dump(mode="json"),
                "omissions": omissions,
                "left_out": list(facts.left_out),
            }
            return self._add(connection, incident_id, "ewn", document)

    def invitation(self, incident_id: str, given: Mapping[str, Any]) -> Artefact:
        """Draft the invitation with date and place (R36).

        Raises:
            NotFound: no centre is recorded.
            Refused: ``bad-input``; a call without a secure channel is refused too (R35).
        """
        with self._open(incident_id, "draft invitation") as connection:
            centre = recorded_centre(connection, incident_id)
            notice = read_input(
                Invitation,
                {**self._common(incident_id), "contact_points": points_of(centre), **given},
            )
            document = {"notice": notice.model_dump(mode="json")}
            return self._add(connection, incident_id, "invitation", document)

    def plan(self, incident_id: str, given: Mapping[str, Any]) -> Artefact:
        """Draft the operational action plan.

        Raises:
            Refused: ``bad-input``; every action has an owner and a due time (R37).
        """
        with self._open(incident_id, "draft plan") as connection:
            plan = read_input(Plan, given)
            return self._add(connection, incident_id, "plan-draft", plan.model_dump(mode="json"))

    def agreement(self, incident_id: str, country: str, by: str) -> Artefact:
        """Note that a member state agrees to the newest draft of the plan (R37)."""
        with self._open(incident_id, "note agreement") as connection:
            draft = casefile.get_artefact(connection, incident_id, "plan-draft")
            agreed = read_input(
                AgreementInput, {"country": country, "by": by, "draft": draft.version}
            )
            return self._add(connection, incident_id, "agreement", agreed.model_dump(mode="json"))

    def agreed_plan(self, incident_id: str) -> Artefact:
        """The newest draft as the plan to adopt.

        Raises:
            NotFound: no centre is recorded, or no plan is drafted.
            Refused: ``plan-conflict``, ``no-custody`` or ``not-agreed`` (R37 to R39).
        """
        with self._open(incident_id, "draft plan to adopt") as connection:
            centre = recorded_centre(connection, incident_id)
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
                contact_points=points_of(centre),
            )
            document = {"notice": notice.model_dump(mode="json"), "plan": draft.document}
            return self._add(connection, incident_id, "plan", document)

    def closure(
        self, incident_id: str, containment: Containment, *, statement: str, evidence: str
    ) -> Artefact:
        """Draft the closure with the sense in which the threat is contained, and its evidence (R48)."""
        with self._open(incident_id, "draft closure") as connection:
            if not evidence.strip():
                raise Refused("no-evidence", "closure needs evidence that the threat is contained")
            notice = read_input(
                ClosureNotice,
                {
                    **self._common(incident_id),
                    "closed_at": now(),
                    "containment": containment,
                    "statement": statement,
                },
            )
            document = {"notice": notice.model_dump(mode="json"), "evidence": evidence}
            return self._add(connection, incident_id, "closure", document)

    def outcome(
        self, incident_id: str, decision: Recommendation, *, statement: str, desk: ContactPoint
    ) -> Artefact:
        """Draft what the notifiers are told where the protocol is not launched (R18)."""
        with self._open(incident_id, "draft outcome") as connection:
            notice = read_input(
                OutcomeNotice,
                {
                    **self._common(incident_id),
                    "decided_at": now(),
                    "decision": decision,
                    "statement": statement,
                    "contact_points": (desk,),
                },
            )
            document = {"notice": notice.model_dump(mode="json")}
            return self._add(connection, incident_id, "outcome", document)

    def downgrade(
        self, incident_id: str, report_id: str, parts: Mapping[str, Any], *, consent: str
    ) -> Artefact:
        """Draft a lower marking for one report, with the evidence of its provider's consent.

        ``parts`` has the fields of ``DowngradeInput`` that are to be lowered. The draft counts for
        warnings drafted after a second person has approved it (domain 4.4), and what was so lowered
        goes out only while the consent, which is recorded as a permission, is not revoked.

        Raises:
            NotFound: the incident has no such report.
            Refused: ``bad-input``, ``no-consent``, ``nothing-named`` or ``not-lower``.
        """
        with self._open(incident_id, "draft downgrade") as connection:
            if not consent.strip():
                raise Refused(
                    "no-consent", "a lower marking needs the evidence of the provider's consent"
                )
            mine = (report.c.id == report_id) & (report.c.incident_id == incident_id)
            told = next(documents_of(connection, mine), None)
            if told is None:
                raise NotFound(f"{incident_id} has no report {report_id}: see 'leerp reports list'")
            own = Marking.model_validate(told["marking"])
            lower = lowered(own, read_input(DowngradeInput, parts))
            record_permission(
                connection,
                incident_id=incident_id,
                kind=PermissionKind.DOWNGRADE,
                provider="" if told["group"] == SourceGroup.OSINT else told["reporter"]["name"],
                recipients=tuple(RecipientClass),
                evidence=consent,
                by=self._officer,
                given_at=now(),
                expires_at=now() + CONSENT_LASTS,
                scope=Scope(items=frozenset({report_id})),
                channel=self._channel,
            )
            document = {
                "report": report_id,
                "was": own.model_dump(mode="json"),
                "marking": lower.model_dump(mode="json"),
                "consent": consent,
            }
            return self._add(connection, incident_id, "downgrade", document)

    def note(self, incident_id: str, kind: str, text: str) -> Artefact:
        """A contribution, a review of open sources or an internal meeting, in the officer's words."""
        with self._open(incident_id, f"note {kind}") as connection:
            noted = read_input(NoteInput, {"text": text})
            return self._add(connection, incident_id, kind, noted.model_dump(mode="json"))

    def _ewn(
        self, connection: Connection, incident_id: str, said: EwnInput, facts: EwnFacts
    ) -> EarlyWarning:
        centre = recorded_centre(connection, incident_id)
        assessment = casefile.get_artefact(connection, incident_id, "assessment")
        before = casefile.find_artefact(connection, incident_id, "ewn")
        return draft_ewn(
            assessment.document,
            said,
            incident_id=incident_id,
            number=before.version + 1 if before else 1,
            facts=facts.timeline,
            indicators=facts.indicators,
            inputs=facts.inputs,
            contact_points=points_of(centre),
            author=self._officer,
            triggered_at=datetime.fromisoformat(centre.document["notice"]["triggered_at"]),
            now=now(),
            valid_for=self._profile.watch.ewn_valid_for,
            acknowledge_within=self._profile.notices[NoticeKind.EWN].acknowledge_within,
            exercise=self._exercise,
            previous=EarlyWarning.model_validate(before.document["notice"]) if before else None,
        )

    def _skills(self, connection: Connection, incident_id: str) -> tuple[str, ...]:
        assessment = casefile.find_artefact(connection, incident_id, "assessment")
        spreads = bool(assessment and assessment.document["self_propagating"])
        return self._profile.team_skills["self-propagating" if spreads else "default"]
