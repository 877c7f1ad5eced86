"""Officers look at a warning and take it out of the house as files; taking it out is on the record.

Source: R1, R31, R34.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from infra import audit, casefile
from infra.casefile import Artefact
from infra.database import Database
from notifications.authority import WORKING, Attempt, acting, attempted
from notifications.directory import Directory
from notifications.ewn import EarlyWarning
from notifications.ewn_quality import Finding, check_document, check_release
from notifications.ewn_reach import Reach, reach
from notifications.permissions import load_permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A version of the warning as it lies in the case file."""

    draft: Artefact
    ewn: EarlyWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the gate says of a version now, and whom it would reach."""

    draft: Artefact
    findings: tuple[Finding, ...]
    reach: tuple[Reach, ...]


def read_warning(database: Database, attempt: Attempt, version: int | None = None) -> Warned:
    """The newest version of the incident's warning, or the one that is named.

    Raises:
        Refused: ``unknown-officer`` or ``wrong-role``.
        NotFound: there is none yet.
    """
    with attempted(database, attempt) as connection:
        acting(connection, attempt.officer, WORKING, attempt.command)
        draft = casefile.get_artefact(connection, attempt.subject, "ewn", version)
    return Warned(draft=draft, ewn=EarlyWarning.model_validate(draft.document["notice"]))


def check_warning(database: Database, attempt: Attempt, version: int | None = None) -> Checked:
    """Put a version through the gate as the second person would, without releasing it.

    Raises:
        Refused, NotFound: as ``read_warning``; ``NotFound`` too without a directory.
    """
    now = datetime.now(UTC)
    with attempted(database, attempt) as connection:
        acting(connection, attempt.officer, WORKING, attempt.command)
        draft = casefile.get_artefact(connection, attempt.subject, "ewn", version)
        recipients = Directory.load(connection).recipients
        permissions = load_permissions(connection, attempt.subject)
    findings = check_document(draft.document["notice"])
    if any(finding.stops for finding in findings):
        return Checked(draft=draft, findings=tuple(findings), reach=())
    ewn = EarlyWarning.model_validate(draft.document["notice"])
    return Checked(
        draft=draft,
        findings=tuple(check_release(ewn, author=draft.by, approver="", override="", now=now)),
        reach=reach(ewn, recipients, permissions=permissions, now=now),
    )


def note_export(
    database: Database, attempt: Attempt, warned: Warned, *, variant: str, files: Mapping[str, str]
) -> None:
    """Write down what was taken out: ``files`` are names with the digests of what is in them."""
    with attempted(database, attempt) as connection:
        acting(connection, attempt.officer, WORKING, attempt.command)
        audit.append(
            connection,
            "ewn_exported",
            actor=attempt.officer,
            subject=attempt.subject,
            channel=attempt.channel,
            version=warned.draft.version,
            digest=warned.draft.digest,
            variant=variant,
            files=dict(files),
        )
