"""``leerp campaign audit``: what does not add up, on demand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from leerp.home import open_app
from leerp.options import HOME, Home, Json
from leerp.output import REFUSED, show_rows
from notifications.self_audit_round import findings_of, open_campaigns


def audit_command(
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="All open ones if not given.")
    ] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Check that totals, states, next steps and audit trail agree; exits 1 when something is found."""
    now = datetime.now(UTC)
    with open_app(home) as opened, opened.database.read() as connection:
        ids = [campaign] if campaign else open_campaigns(connection, opened.settings, now)
        found = findings_of(connection, opened.settings, ids, now)
    show_rows(
        [asdict(each) for each in found],
        as_json=as_json,
        columns=("campaign_id", "problem", "subject", "message"),
        empty=f"all is well: {len(ids)} campaign(s) checked",
    )
    if found:
        raise typer.Exit(REFUSED)
