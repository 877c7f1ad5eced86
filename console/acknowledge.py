"""The page behind the link in a mail: GET shows, only POST acknowledges.

Mail gateways fetch every link before the reader does, so nothing changes by looking (reliability 0.12).
The token in the address is the only credential; it is never logged, and no other site is told of it.
Rate limiting is left to the proxy in front: a token has 256 bits, and guessing tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, select

from infra.database import Database
from infra.group_commit import GroupCommit
from infra.tables import campaign, notification, recipient
from notifications.acknowledgement import (
    Acknowledged,
    InvalidToken,
    acknowledge_in,
    acknowledged_at,
    read_token,
)
from notifications.notices import read_content
from notifications.products import Variant

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the page shows of a notice: enough to know which, nothing of what it says."""

    organisation: str
    incident_id: str
    kind: str
    issued_at: datetime
    marking: tuple[str, ...]
    exercise: bool
    acknowledged_at: datetime | None


def read_page(connection: Connection, key: bytes, token: str, now: datetime) -> Page:
    """The page of this token.

    Raises:
        InvalidToken: anything is wrong with it.
    """
    told = read_token(connection, key, token, now)
    row = connection.execute(
        select(
            campaign.c.content,
            campaign.c.exercise,
            notification.c.variant,
            recipient.c.document,
        )
        .join(notification, notification.c.campaign_id == campaign.c.id)
        .join(
            recipient,
            (recipient.c.version == campaign.c.directory_version)
            & (recipient.c.id == notification.c.recipient_id),
        )
        .where(notification.c.id == told.id)
    ).one()
    content = read_content(row.content)
    return Page(
        organisation=row.document["organisation"],
        incident_id=content.incident_id,
        kind=content.kind,
        issued_at=content.issued_at,
        marking=content.product().variant(Variant(row.variant)).marking.lines(),
        exercise=row.exercise,
        acknowledged_at=acknowledged_at(connection, told.campaign_id, told.recipient_id),
    )


def is_own_form(request: Request, origin: str) -> bool:
    """Whether a POST comes from this page's own button.

    Our ``Referrer-Policy: no-referrer`` makes browsers send ``Origin: null`` with the form; then the
    browser's own ``Sec-Fetch-Site`` must vouch for it. A request without either is refused.
    """
    site, sent = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    match site:
        case "same-origin":
            return sent in (None, "null", origin)
        case "none":
            return sent is None
        case None:
            return sent == origin
        case _:
            return False


def make_router(
    database: Database, key: bytes, origin: str, clock: Callable[[], datetime]
) -> APIRouter:
    """The routes under ``/a/``; ``origin`` is what a browser shows before the first slash."""
    router = APIRouter()

    def apply(connection: Connection, tokens: Sequence[str]) -> list[Acknowledged | Exception]:
        results: list[Acknowledged | Exception] = []
        for token in tokens:
            try:
                results.append(acknowledge_in(database, connection, key, token, clock()))
            except InvalidToken as error:  # found before anything is written
                results.append(error)
        return results

    commits: GroupCommit[str, Acknowledged] = GroupCommit(database, apply)

    def shown(token: str, status: int = 200, *, just_now: bool = False) -> Response:
        with database.read() as connection:
            page = read_page(connection, key, token, clock())
        return _html("acknowledge.html", status, page=page, just_now=just_now)

    @router.api_route("/a/{token}", methods=["GET", "HEAD"])
    def show(token: str) -> Response:
        try:
            return shown(token)
        except InvalidToken as error:
            return _invalid(error)

    @router.post("/a/{token}")
    async def acknowledge(request: Request, token: str) -> Response:
        if not is_own_form(request, origin):
            return _html("message.html", 403, title="Not acknowledged", message=_FOREIGN)
        try:
            done = await commits.submit(token)
            return await run_in_threadpool(shown, token, just_now=done.first)
        except InvalidToken as error:
            return _invalid(error)

    return router


_FOREIGN = (
    "The request did not come from the button on this page. Open the link in the mail again and press "
    "the button there."
)


def _invalid(error: InvalidToken) -> Response:
    return _html("message.html", 404, title="Link not valid", message=str(error))


def _html(template: str, status: int, **values: object) -> Response:
    text = TEMPLATES.get_template(template).render(**values)
    return Response(text, status_code=status, media_type="text/html")
