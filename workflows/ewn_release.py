"""The quality gate of a warning at the moment of its release; who releases it is for four eyes.

Source: domain 5.3 (quality gate); R29 to R34.
"""

from __future__ import annotations

from datetime import UTC, datetime

from infra import casefile
from infra.database import Database
from notifications.authority import Attempt, attempted
from notifications.ewn import early_warning
from notifications.ewn_quality import check_document, check_release, require


def require_fit(
    database: Database, incident_id: str, digest: str, officer: str, channel: str
) -> None:
    """Pass only a draft that may go out now; a digest that no draft has is for others to refuse.

    Raises:
        Refused: ``ewn-incomplete``, naming each section and field with what to do; it is audited.
    """
    attempt = Attempt(
        officer=officer, command="approve ewn-release", subject=incident_id, channel=channel
    )
    with attempted(database, attempt) as connection:
        drafts = casefile.all_artefacts(connection, incident_id, "ewn")
        draft = next((each for each in reversed(drafts) if each.digest == digest), None)
        if draft is None:
            return
        require(check_document(draft.document["notice"]))
        ewn = early_warning(draft.document["notice"])
        now = datetime.now(UTC)
        require(check_release(ewn, author=draft.by, approver="", override="", now=now))
