"""``leerp permissions``: whose word opens what, for whom, until when; recorded and revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from leerp.desk import desk
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json, Reason
from leerp.output import out, show_json, show_rows
from notifications.grants import PermissionKind
from notifications.permissions import (
    STANDING,
    Recorded,
    Scope,
    Standing,
    get_permission,
    list_permissions,
)
from notifications.products import Purpose
from protocol.errors import Refused
from workflows.permitting import Permitting, Word

permissions_app = typer.Typer(no_args_is_help=True)
Number = Annotated[int, typer.Argument(min=1, help="Number, from 'leerp permissions list'.")]
COLUMNS = (
    *("id", "incident", "kind", "provider", "recipients", "scope", "standing", "expires_at"),
    *("evidence", "by"),
)


@permissions_app.command("list")
def list_command(
    incident: Annotated[
        str | None, typer.Option(help="Of this incident, with what stands for all.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Revoked and expired ones too.")
    ] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Permissions in the order in which they were recorded; those in force, unless --all is given."""
    now = datetime.now(UTC)
    with open_app(home) as opened, opened.database.read() as connection:
        found = list_permissions(connection, incident)
    shown = [each for each in found if everything or each.standing(now) is Standing.IN_FORCE]
    show_rows(
        [document(each, now) for each in shown],
        as_json=as_json,
        columns=COLUMNS,
        empty="no permission is in force: 'leerp permissions record', or look with --all",
    )


@permissions_app.command("show")
def show_command(number: Number, home: Home = HOME, as_json: Json = False) -> None:
    """One permission, with what became of it."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = get_permission(connection, number)
    row = document(found, datetime.now(UTC))
    if as_json:
        show_json(row)
    else:
        show_rows([row], as_json=False, columns=(*COLUMNS, "revoked"), empty="")


@permissions_app.command("record")
def record_command(
    kind: Annotated[PermissionKind, typer.Option(help="What is permitted.")],
    recipient: Annotated[list[str], typer.Option(help="Recipient id or class; may be repeated.")],
    evidence: Annotated[str, typer.Option(help="Id of what proves it.")],
    incident: Annotated[
        str, typer.Argument(metavar="[ID]", help="Incident; none with --standing.")
    ] = "",
    provider: Annotated[str, typer.Option(help="Whose information it is.")] = "",
    own: Annotated[bool, typer.Option("--own", help="It is the centre's own.")] = False,
    standing: Annotated[
        bool, typer.Option("--standing", help="It counts for all incidents.")
    ] = False,
    item: Annotated[
        list[str] | None,
        typer.Option(help="Only this item (see 'leerp locks explain') or report; repeat it."),
    ] = None,
    purpose: Annotated[
        list[Purpose] | None, typer.Option(help="Only for this purpose; may be repeated.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="For how many days.")] = 30,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Record a provider's word, or a confirmation of the centre's own; the locks count it at once."""
    if standing is bool(incident):
        raise Refused("whose", "name the incident, or say --standing for all incidents")
    if own is bool(provider):
        raise Refused("whose", "name the provider, or say --own for the centre's own word")
    word = Word(
        incident_id=incident or STANDING,
        kind=kind,
        provider=provider,
        recipients=recipient,
        evidence=evidence,
        lasting=timedelta(days=days),
        scope=Scope(items=frozenset(item or ()), purposes=frozenset(purpose or ())),
    )
    with desk(home, officer) as at:
        made = Permitting(at.app.database, officer=officer, channel=CHANNEL).record(word)
    if as_json:
        show_json(document(made, datetime.now(UTC)))
    else:
        until = f"{made.permission.expires_at:%Y-%m-%d %H:%M} UTC"
        out.print(f"permission {made.permission.id} ({kind}) is in force until {until}")


@permissions_app.command("revoke")
def revoke_command(
    number: Number,
    reason: Reason,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take a permission out of force at once: what has not left by now stays here."""
    with desk(home, officer) as at:
        made = Permitting(at.app.database, officer=officer, channel=CHANNEL).revoke(
            number, reason=reason
        )
    if as_json:
        show_json(document(made, datetime.now(UTC)))
    else:
        out.print(
            f"permission {number} is revoked: mails that need it and have not left are held; what "
            "has left cannot be called back, tell its recipients"
        )


def document(each: Recorded, now: datetime) -> dict[str, Any]:
    """A permission as it is listed."""
    given = each.permission
    scope = [*sorted(given.items), *(f"purpose {name}" for name in sorted(given.purposes))]
    revoked = ""
    if each.revoked_at is not None:
        at = f"{each.revoked_at:%Y-%m-%d %H:%M} UTC"
        revoked = f"{at} by {each.revoked_by}: {each.revoked_reason}"
    return {
        "id": given.id,
        "incident": each.incident_id or "all",
        "kind": given.kind,
        "provider": given.provider or "the centre",
        "recipients": sorted(given.recipients),
        "scope": scope or ["everything of this provider"],
        "standing": each.standing(now),
        "given_at": given.given_at.isoformat(),
        "expires_at": given.expires_at.isoformat(),
        "evidence": given.evidence,
        "by": given.by,
        "revoked": revoked,
    }
