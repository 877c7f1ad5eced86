"""The control of R14 as a process: FastAPI that answers a POST with 204 and does nothing else.

``python -m leerp.bench.ack_control PORT``; the same server as the console's. Source: reliability 1.6.
"""

from __future__ import annotations

import sys

from fastapi import FastAPI, Response

from console.app import make_server
from infra.services.ports import LOOPBACK


def make_app() -> FastAPI:
    """The bare application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/a/{token}", status_code=204)
    async def nothing(token: str) -> Response:  # noqa: ARG001 (part of the route)
        return Response(status_code=204)

    return app


if __name__ == "__main__":
    make_server(make_app(), LOOPBACK, int(sys.argv[1])).run()
