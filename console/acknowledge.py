"""The routes behind the link in a mail: GET shows, only POST acknowledges.

Mail gateways fetch every link before the reader does, so nothing changes by looking (reliability 0.12).
The token in the address is the only credential; it is never logged, and no other site is told of it.
After a POST the browser is sent back to the page, so that loading it again posts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import parse_qs

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.responses import RedirectResponse
from starlette.routing import Route

from console.guessing import Guessing
from console.notice_page import Voice, html, message, read_page
from infra.database import Database
from infra.group_commit import GroupCommit
from notifications.acknowledgement import Use, acknowledge_all
from notifications.acknowledgement_book import Acknowledged
from notifications.answers import Answer, Given
from notifications.tokens import InvalidToken, campaign_tag

LONGEST_FORM = 4_096
UNREADABLE = "unreadable-contact"
DONE = "done"
RECEIVED = Given()


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


def read_form(body: bytes) -> tuple[Given, bool]:
    """What a form says; False with it where the contact for questions cannot be read.

    An acknowledgement is not lost over a wrong telephone number: the answer counts without it.

    Raises:
        ValueError: this is no form of ours.
    """
    if not body:  # the button alone, as most send it
        return RECEIVED, True
    if len(body) > LONGEST_FORM:
        raise ValueError("too long")
    fields = parse_qs(body.decode(), max_num_fields=10)
    answer = Answer(fields.get("answer", [Answer.RECEIVED])[0])
    try:
        person, phone = (fields.get(name, [""])[0] for name in ("person", "phone"))
        return Given(answer=answer, person=person, phone=phone), True
    except ValidationError:
        return Given(answer=answer), False


class AcknowledgePages:
    """The pages under ``/a/``; ``origin`` is what a browser shows before the first slash."""

    def __init__(
        self, database: Database, key: bytes, origin: str, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._key = key
        self._origin = origin
        self._clock = clock
        self._guessing = Guessing(clock)
        self._commits: GroupCommit[Use, Acknowledged] = GroupCommit(database, self._apply)

    def routes(self) -> list[Route]:
        """As plain routes: what a framework adds would cost more than the page."""
        return [
            Route("/a/{token}", self.show, methods=["GET"]),
            Route("/a/{token}", self.acknowledge, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The notice, and the form or what was said; changes nothing."""
        token = request.path_params["token"]
        try:
            return await run_in_threadpool(self._shown, token, request)
        except InvalidToken:
            return self._refused(request, token)

    async def acknowledge(self, request: Request) -> Response:
        """Record the answer of the form, and send the browser back to the page."""
        token = request.path_params["token"]
        if not is_own_form(request, self._origin):
            return message("foreign", 403, _accepted(request))
        try:
            given, readable = read_form(await request.body())
        except ValueError:
            return message("foreign", 400, _accepted(request))
        try:
            done = await self._commits.submit(Use(token=token, given=given))
        except InvalidToken:
            return self._refused(request, token)
        note = UNREADABLE if not readable else DONE if done.first else ""
        return RedirectResponse(f"/a/{token}" + (f"?note={note}" if note else ""), 303)

    def _apply(
        self, connection: Connection, uses: Sequence[Use]
    ) -> list[Acknowledged | InvalidToken]:
        return acknowledge_all(self._database, connection, self._key, uses, self._clock())

    def _shown(self, token: str, request: Request) -> Response:
        with self._database.read() as connection:
            page = read_page(connection, self._key, token, self._clock())
        note, change = request.query_params.get("note", ""), "change" in request.query_params
        unanswered = page.acknowledged_at is None and page.answer is not Answer.WRONG_ADDRESSEE
        return html(
            "acknowledge.html",
            200,
            Voice.for_reader(_accepted(request), page.languages),
            page=page,
            path=f"/a/{token}",
            form=unanswered or change,
            just_now=note == DONE,
            unreadable=note == UNREADABLE,
            answers=list(Answer),
        )

    def _refused(self, request: Request, token: str) -> Response:
        """The same for every link that is not valid, whatever is wrong with it."""
        address = request.client.host if request.client else ""
        if self._guessing.too_often(address, campaign_tag(token)):
            answer = message("busy", 429, _accepted(request))
            answer.headers["Retry-After"] = "60"
            return answer
        return message("invalid", 404, _accepted(request))


def _accepted(request: Request) -> str:
    return request.headers.get("accept-language", "")
