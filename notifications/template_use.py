"""Which operator's template a mail of a campaign is set in, and what is noted when one cannot be used.

A campaign keeps the templates that were in force when its recipients were frozen. A template that fails
all the same never stops a warning: the built-in one takes its place, and that is noted once.
Source: issue 7, item 3; docs/decisions/016.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, insert, select

from infra import audit
from infra.database import Database
from infra.tables_templates import campaign_templates, notice_template, template_unfit
from notifications.template_names import OperatorTemplate, TemplateUnfit
from notifications.template_rows import Act, newest
from protocol.stages import NoticeKind

WHAT_TO_DO = (
    "nothing for this campaign, the built-in template took its place; put it right with"
    " 'leerp templates show' and 'leerp templates install'"
)


def keep(connection: Connection, campaign_id: str) -> int:
    """Note which templates a campaign is frozen with, and return their version; 0 for none."""
    version = newest(connection)
    if version:
        connection.execute(
            insert(campaign_templates).values(campaign_id=campaign_id, version=version)
        )
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTemplates:
    """The templates of one campaign, by organisation and language."""

    known: Mapping[tuple[str, str], OperatorTemplate] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: Connection, campaign_id: str, kind: NoticeKind) -> Self:
        """Those that it was frozen with."""
        version = select(campaign_templates.c.version).where(
            campaign_templates.c.campaign_id == campaign_id
        )
        rows = connection.execute(
            select(notice_template)
            .where(
                notice_template.c.kind == kind,
                notice_template.c.version <= version.scalar_subquery(),
            )
            .order_by(notice_template.c.version)
        ).all()
        newest_rows = {(row.organisation, row.language): row for row in rows}
        return cls(
            known={
                place: OperatorTemplate(text=row.text, html=row.html, number=row.id)
                for place, row in newest_rows.items()
                if row.act == Act.INSTALL
            }
        )

    def of(self, organisation: str, language: str) -> OperatorTemplate | None:
        """The organisation's own in this language, else the one for all, else none."""
        return self.known.get((organisation, language)) or self.known.get(("", language))


def note_unfit(
    database: Database,
    connection: Connection,
    campaign_id: str,
    found: Iterable[TemplateUnfit | None],
) -> None:
    """Write down, once for each campaign and template, that the built-in one was used instead."""
    for unfit in {each.number: each for each in found if each is not None}.values():
        written = connection.scalar(
            database.insert_new(template_unfit)
            .values(
                campaign_id=campaign_id,
                template=unfit.number,
                at=datetime.now(UTC),
                reason=str(unfit),
            )
            .returning(template_unfit.c.template)
        )
        if written is not None:
            audit.append(
                connection,
                "template_unfit",
                actor="delivery",
                subject=campaign_id,
                template=unfit.number,
                reason=str(unfit),
            )


def unfit_templates(connection: Connection, campaign_id: str) -> list[dict[str, Any]]:
    """Which templates could not be used in a campaign, why, and what to do."""
    rows = connection.execute(
        select(template_unfit)
        .where(template_unfit.c.campaign_id == campaign_id)
        .order_by(template_unfit.c.template)
    )
    return [
        {
            "template": row.template,
            "since": row.at.isoformat(timespec="seconds"),
            "reason": row.reason,
            "what_to_do": WHAT_TO_DO,
        }
        for row in rows
    ]
