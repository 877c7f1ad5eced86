"""``leerp directory``: who is warned, with which keys and rights, as it stands and as it stood."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from leerp.cli_directory_drill import drill_app
from leerp.cli_directory_import import import_command
from leerp.cli_directory_proposals import confirm_command, decline_command, proposals_command
from leerp.directory_words import CHANGE_COLUMNS, change_rows, organisation
from leerp.home import open_app
from leerp.options import HOME, Home, Json
from leerp.output import out, show_fields, show_rows
from notifications.directory import Directory, officers
from notifications.directory_check import Finding, check, own_findings
from notifications.directory_dns import check_domains, resolver
from notifications.directory_document import in_force
from notifications.directory_formats import FileFormat, format_of, template, write_file
from notifications.directory_versions import differences_between, versions
from notifications.trust_folders import TrustFolders
from protocol.errors import NotFound, Refused

directory_app = typer.Typer(no_args_is_help=True)
directory_app.command("import")(import_command)
directory_app.command("proposals")(proposals_command)
directory_app.command("confirm")(confirm_command)
directory_app.command("decline")(decline_command)
directory_app.add_typer(drill_app, name="drill")

OWNER_ONLY = 0o600
NO_DIRECTORY = "the directory is empty: 'leerp directory import FILE'"

Output = Annotated[Path, typer.Option("--output", "-o", help="File to write; its ending decides.")]


@directory_app.command("list")
def list_command(home: Home = HOME, as_json: Json = False) -> None:
    """The recipients of the newest version."""
    with open_app(home) as opened, opened.database.read() as connection:
        directory = Directory.load(connection)
    show_rows(
        [
            {
                "id": r.id,
                "class": r.recipient_class,
                "country": r.country,
                "organisation": r.organisation,
                "contacts": len(r.contacts),
                "keys": sum(1 for c in r.contacts if c.certificate or c.openpgp_key),
            }
            for r in directory.recipients
        ],
        as_json=as_json,
        columns=("id", "class", "country", "organisation", "contacts", "keys"),
        empty=NO_DIRECTORY,
    )


@directory_app.command("show")
def show_command(
    recipient: Annotated[str, typer.Argument(metavar="ID", help="Recipient id.")],
    version: Annotated[
        int | None, typer.Option(help="Of this version; the newest if none.")
    ] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """One organisation with its contacts in the order in which they are tried; no secrets."""
    with open_app(home) as opened, opened.database.read() as connection:
        found = Directory.load(connection, version).by_id().get(recipient)
    if found is None:
        raise NotFound(f"no organisation {recipient!r}: see 'leerp directory list'")
    said = organisation(found, datetime.now(UTC))
    if as_json:
        show_fields(said, as_json=True)
        return
    contacts = said.pop("contacts")
    show_fields(said, as_json=False)
    for number, contact in enumerate(contacts, start=1):
        out.print(f"\n[bold]contact {number}[/]")
        show_fields(contact, as_json=False)


@directory_app.command("officers")
def officers_command(home: Home = HOME, as_json: Json = False) -> None:
    """Who may act with --as, and in which roles."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = [found.model_dump(mode="json") for found in officers(connection)]
    show_rows(
        rows,
        as_json=as_json,
        columns=("id", "name", "organisation", "roles"),
        empty="no officers yet: 'leerp directory import FILE'",
    )


@directory_app.command("versions")
def versions_command(home: Home = HOME, as_json: Json = False) -> None:
    """Every version, the newest first: when, by whom, and who confirmed it."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = versions(connection)
    show_rows(
        rows,
        as_json=as_json,
        columns=("version", "at", "by", "confirmed_by", "proposal", "recipients"),
        empty=NO_DIRECTORY,
    )


@directory_app.command("diff")
def diff_command(
    a: Annotated[int | None, typer.Argument(help="Version; the one before B if none.")] = None,
    b: Annotated[int | None, typer.Argument(help="Version; the newest if none.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """How the organisations of one version differ from those of another."""
    with open_app(home) as opened, opened.database.read() as connection:
        newest = Directory.load(connection).version
        later = newest if b is None else b
        earlier = max(1, later - 1) if a is None else a
        changes = differences_between(connection, earlier, later)
    show_rows(
        change_rows(changes),
        as_json=as_json,
        columns=CHANGE_COLUMNS,
        empty=f"versions {earlier} and {later} hold the same organisations",
    )


@directory_app.command("export")
def export_command(file: Output, home: Home = HOME) -> None:
    """Write the directory as .json, .csv, .xlsx or .vcf, to be edited and imported again.

    The file holds all that there is, secrets of nudges included: only you may read it.
    """
    file_format = format_of(file)
    with open_app(home) as opened, opened.database.read() as connection:
        version, document = in_force(connection)
    if document is None:
        raise NotFound("no directory yet: import one with 'leerp directory import FILE'")
    _write(file, write_file(document, file_format))
    out.print(f"directory version {version}: {len(document.recipients)} recipients in {file}")


@directory_app.command("template")
def template_command(
    file: Output,
    file_format: Annotated[
        FileFormat | None, typer.Option("--format", help="csv or xlsx; by the file's name if none.")
    ] = None,
) -> None:
    """Write an empty form: the columns of a directory and one row as an example."""
    _write(file, template(file_format or format_of(file)))
    out.print(f"a form with one example in {file}")


@directory_app.command("check")
def check_command(
    dns: Annotated[
        bool, typer.Option("--dns", help="Also ask name servers whether the domains take mail.")
    ] = False,
    nameserver: Annotated[
        str, typer.Option(help="ADDRESS or ADDRESS:PORT to ask; the system's if none.")
    ] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """What would keep somebody from being warned: keys, ours too, contacts, hours, languages."""
    with open_app(home) as opened, opened.database.read() as connection:
        directory = Directory.load(connection)
        trust = TrustFolders(opened.settings.smime).current()
        own = own_findings(opened.settings, datetime.now(UTC))
    findings: Sequence[Finding] = [*own, *check(directory, datetime.now(UTC), trust=trust)]
    if dns:
        findings = [*findings, *asyncio.run(check_domains(directory, resolver(nameserver)))]
    rows: list[dict[str, Any]] = [finding.model_dump(mode="json") for finding in findings]
    show_rows(rows, as_json=as_json, columns=tuple(rows[0]) if rows else (), empty="nothing found")


def _write(file: Path, data: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as output:
            os.fchmod(descriptor, OWNER_ONLY)
            output.write(data)
    except OSError as exc:
        raise Refused("unwritable", f"{file}: {exc.strerror}") from exc
