"""The web application: for now the acknowledgement pages and a health check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Response
from sqlalchemy import select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.acknowledge import AcknowledgePages
from infra.database import Database
from infra.tables_audit import audit_head

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}


class FixedHeaders:
    """Adds the same headers to every response; plain ASGI, since it is on every path."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def create_app(
    database: Database,
    ack_key: bytes,
    *,
    public_url: str,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The application. ``public_url`` is where browsers reach it, as in ``settings.console_url``."""
    app = FastAPI(title="LEERP", docs_url=None, redoc_url=None, openapi_url=None)
    stylesheet = (STATIC / "leerp.css").read_bytes()
    parts = urlsplit(public_url)
    extra = {"Strict-Transport-Security": "max-age=63072000"} if parts.scheme == "https" else {}
    app.add_middleware(FixedHeaders, headers=HEADERS | extra)
    pages = AcknowledgePages(database, ack_key, f"{parts.scheme}://{parts.netloc}", clock)
    app.router.routes.extend(pages.routes())

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        with database.read() as connection:
            connection.execute(select(audit_head.c.n)).one()
        return {"status": "ok"}

    @app.get("/static/leerp.css")
    def style() -> Response:
        return Response(stylesheet, media_type="text/css")

    return app


def make_server(app: FastAPI, host: str, port: int) -> uvicorn.Server:
    """A server for the application. It writes no access log: the addresses hold tokens."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_level="warning",
        lifespan="off",
    )
    return uvicorn.Server(config)
