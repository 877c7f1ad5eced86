"""``leerp templates``: notices in an organisation's own words and layout, agreed by two officers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from leerp.desk import desk
from leerp.files import write_file
from leerp.home import open_app
from leerp.options import CHANNEL, HOME, As, Home, Json
from leerp.output import DONE, REFUSED, out, show_fields, show_json, show_rows, visible
from leerp.template_files import beginning, read_template
from notifications.phrases import DEFAULT, LANGUAGES
from notifications.products import Variant
from notifications.template_book import confirm, propose, remove
from notifications.template_names import WORDS, Part, blocks_of
from notifications.template_rows import Act, Entry, Place, entries, entry
from notifications.template_trial import faults, previewed
from protocol.errors import Refused
from protocol.stages import NoticeKind

templates_app = typer.Typer(no_args_is_help=True)

Number = Annotated[int, typer.Argument(metavar="N", help="Number of the template, from the list.")]
Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="One .txt and one .html.", exists=True, dir_okay=False),
]
Kind = Annotated[NoticeKind, typer.Option("--kind", help="Of notice.")]
Language = Annotated[str, typer.Option("--language", help=f"One of {', '.join(LANGUAGES)}.")]
COLUMNS = (
    *("number", "standing", "act", "kind", "language", "organisation", "by", "settled_by"),
    *("version", "sha256"),
)
NONE_YET = (
    "no template of your own: all notices are set in the built-in ones. Write 'leerp templates show "
    "--part txt' and '--part html' into two files, change them, and see 'leerp templates check'"
)


@templates_app.command("list")
def list_command(
    history: Annotated[
        bool, typer.Option("--all", help="Also those that are past or were declined.")
    ] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Templates that are in force or wait for a second officer."""
    with open_app(home) as opened, opened.database.read() as connection:
        rows = [_row(each) for each in entries(connection, history=history)]
    if not as_json:
        rows = [{**row, "sha256": row["sha256"][:12]} for row in rows]
    show_rows(rows, as_json=as_json, columns=COLUMNS, empty=NONE_YET)


@templates_app.command("show")
def show_command(
    number: Annotated[
        int | None, typer.Argument(metavar="[N]", help="One of the list; else one to begin with.")
    ] = None,
    part: Annotated[
        Part | None, typer.Option("--part", help="Only this text, as it goes into a file.")
    ] = None,
    kind: Kind = NoticeKind.EWN,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Who wanted a template and who agreed, with its texts; without a number one to begin with."""
    about: dict[str, Any] = {"kind": kind}
    own = beginning()
    if number is not None:
        with open_app(home) as opened, opened.database.read() as connection:
            found, own = entry(connection, number)
        about, kind = _row(found), found.place.kind
    about |= {"lines": WORDS, "blocks": blocks_of(kind)}
    if part is not None:
        typer.echo(own.source(part), nl=False)
    elif as_json:
        show_json({**about, **{str(each): own.source(each) for each in Part}})
    else:
        show_fields(about, as_json=False)
        for each in Part:
            out.print(f"\n[bold]{each}[/]")
            out.print(visible(own.source(each)), markup=False, soft_wrap=True)


@templates_app.command("check")
def check_command(
    files: Files,
    kind: Kind = NoticeKind.EWN,
    language: Language = DEFAULT,
    as_json: Json = False,
) -> None:
    """Check files without any service: what may not be written, by line, and what would be missing."""
    own = read_template(files, instead=beginning())
    found = faults(own, kind, _known(language))
    if as_json:
        show_json({"kind": kind, "language": language, "sound": not found, "faults": found})
    else:
        for each in found:
            out.print(visible(each), markup=False, soft_wrap=True)
        out.print(f"{len(found)} to put right" if found else f"sound for notices of kind {kind}")
    raise typer.Exit(REFUSED if found else DONE)


@templates_app.command("preview")
def preview_command(
    what: Annotated[
        list[str], typer.Argument(metavar="N|FILE...", help="Number from the list, or files.")
    ],
    kind: Kind = NoticeKind.EWN,
    language: Language = DEFAULT,
    variant: Annotated[Variant, typer.Option("--variant", help="Of the notice.")] = Variant.FULL,
    exercise: Annotated[bool, typer.Option("--exercise", help="As in an exercise.")] = False,
    reminder: Annotated[int, typer.Option("--reminder", min=0, help="As this reminder.")] = 0,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the page here.", dir_okay=False)
    ] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """A sample notice as its reader will see it: as text here, as a page with --html."""
    if len(what) == 1 and what[0].isdecimal():
        with open_app(home) as opened, opened.database.read() as connection:
            found, own = entry(connection, int(what[0]))
        if found.act is Act.REMOVE:
            raise Refused("a-removal", f"{what[0]} is a removal: 'leerp templates show {what[0]}'")
        kind, language = found.place.kind, found.place.language
    else:
        own = read_template([Path(each) for each in what], instead=beginning())
    made = previewed(own, kind, _known(language), variant, exercise=exercise, reminder=reminder)
    if html is not None:
        write_file(html, made.html.encode())
    if as_json:
        show_json({"subject": made.subject, "txt": made.text, "html": made.html})
        return
    out.print(visible(f"Subject: {made.subject}\n\n{made.text}"), markup=False, soft_wrap=True)
    if html is not None:
        out.print(f"wrote the page to {html}", markup=False, soft_wrap=True)


@templates_app.command("install")
def install_command(
    files: Files,
    kind: Kind = NoticeKind.EWN,
    language: Language = DEFAULT,
    organisation: Annotated[
        str, typer.Option("--for", help="Id of an organisation; all that have none of their own.")
    ] = "",
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Propose a template, a .txt and a .html, to be confirmed by another officer."""
    own = read_template(files)
    place = Place(organisation=organisation, kind=kind, language=_known(language))
    with desk(home, officer) as at:
        number = propose(at.app.database, place, own, by=officer, channel=CHANNEL)
    if as_json:
        show_json({"number": number, "state": "open", "sha256": own.sha256})
    else:
        _say_waiting(number, f"{place}", look=f"preview {number}")


@templates_app.command("confirm")
def confirm_command(
    number: Number, officer: As = "", home: Home = HOME, as_json: Json = False
) -> None:
    """Put what waits in force, as another officer than its proposer; see its preview first."""
    with desk(home, officer) as at:
        found = confirm(at.app.database, number, by=officer, channel=CHANNEL)
    if as_json:
        show_json(_row(found))
        return
    said = "is in force" if found.act is Act.INSTALL else "has removed the template"
    out.print(f"{number} {said}, version {found.version}, for {found.place}", soft_wrap=True)
    out.print("campaigns that are frozen keep what they were frozen with")


@templates_app.command("remove")
def remove_command(
    number: Number, officer: As = "", home: Home = HOME, as_json: Json = False
) -> None:
    """Take what waits off the list; of what is in force propose the removal."""
    with desk(home, officer) as at:
        proposed = remove(at.app.database, number, by=officer, channel=CHANNEL)
    if as_json:
        show_json({"number": number, "removed": proposed is None, "proposal": proposed})
    elif proposed is None:
        out.print(f"{number} is off the list")
    else:
        _say_waiting(proposed, f"the removal of {number}", look=f"show {number}")


def _say_waiting(number: int, what: str, *, look: str) -> None:
    out.print(f"{number}, {what}, waits for another officer:", soft_wrap=True)
    out.print(f"leerp templates {look}; leerp templates confirm {number} --as OFFICER")


def _row(found: Entry) -> dict[str, Any]:
    row = found.model_dump(mode="json")
    place = row.pop("place")
    return {**row, **place, "organisation": place["organisation"] or "all"}


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise Refused("no-language", f"there are phrases in {', '.join(LANGUAGES)} only")
    return language
