"""``leerp incidents ewn`` and ``blueprint``: a warning's variants, its check, and its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from leerp.desk import desk
from leerp.files import write_file
from leerp.options import CHANNEL, HOME, As, Home, IncidentId, Json
from leerp.output import DONE, REFUSED, out, show_json, show_rows, visible
from notifications.authority import Attempt
from notifications.ewn_variants import VariantSheet, sheet
from notifications.notices import blueprint_of
from notifications.phrases import DEFAULT, LANGUAGES
from notifications.products import Variant
from protocol.errors import Refused
from workflows.ewn_files import Checked, Warned, check_warning, note_export, read_warning

Version = Annotated[int | None, typer.Option(min=1, help="The newest if not given.")]
Language = Annotated[str, typer.Option(help=f"Of the fixed words: {', '.join(LANGUAGES)}.")]


class Form(StrEnum):
    """What a variant can be written as."""

    PDF = "pdf"
    HTML = "html"
    TEXT = "txt"
    STIX = "stix"
    MISP = "misp"


def add_ewn_commands(incidents: typer.Typer) -> None:
    """Add the commands that look at warnings."""
    incidents.command("ewn")(ewn)
    incidents.command("blueprint")(blueprint)


def ewn(
    incident_id: IncidentId,
    variant: Annotated[Variant, typer.Option(help="What of it.")] = Variant.FULL,
    diff: Annotated[
        bool, typer.Option("--diff", help="What the variant leaves out, and why.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="What the quality gate says.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write it to.", dir_okay=False)
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="By the file's ending if not given.")
    ] = None,
    version: Version = None,
    language: Language = DEFAULT,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Read the warning as a variant's readers will, see what is left out, check it, write it."""
    if language not in LANGUAGES:
        raise Refused("no-language", f"there are templates in {', '.join(LANGUAGES)} only")
    if check:
        raise typer.Exit(_check(incident_id, version, officer, home, as_json=as_json))
    with desk(home, officer) as at:
        attempt = _attempt(officer, "read ewn", incident_id)
        warned = read_warning(at.app.database, attempt, version)
        if diff:
            _show_sheet(warned, sheet(warned.ewn, variant), as_json=as_json)
            return
        if output is None:
            _show(warned, variant, language, as_json=as_json)
            return
        content = _content(warned, variant, language, form or _by_ending(output))
        write_file(output, content)
        files = {output.name: _digest(content)}
        note_export(
            at.app.database,
            _attempt(officer, "export ewn", incident_id),
            warned,
            variant=variant,
            files=files,
        )
    _say_written(warned, variant, [output], as_json=as_json)


def blueprint(
    incident_id: IncidentId,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the files.", file_okay=False)],
    version: Version = None,
    language: Language = DEFAULT,
    officer: As = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Write the warning's hook for the EU Blueprint: JSON, STIX, MISP, PDF and text (R34)."""
    from notifications.attachments import attachments

    if language not in LANGUAGES:
        raise Refused("no-language", f"there are templates in {', '.join(LANGUAGES)} only")
    with desk(home, officer) as at:
        warned = read_warning(at.app.database, _attempt(officer, "read ewn", incident_id), version)
        notice = blueprint_of(warned.ewn)
        made = {each.name: each.data for each in attachments(notice, Variant.FULL, language)}
        made[f"{warned.ewn.header.id}-blueprint.txt"] = _words(notice, Variant.FULL, language)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise Refused("cannot-write", f"{folder}: {exc.strerror}; choose another") from exc
        for name, content in made.items():
            write_file(folder / name, content)
        note_export(
            at.app.database,
            _attempt(officer, "export blueprint", incident_id),
            warned,
            variant=Variant.TECHNICAL,
            files={name: _digest(content) for name, content in made.items()},
        )
    _say_written(warned, Variant.TECHNICAL, [folder / name for name in made], as_json=as_json)


def _check(
    incident_id: str, version: int | None, officer: str, home: Path, *, as_json: bool
) -> int:
    with desk(home, officer) as at:
        attempt = _attempt(officer, "check ewn", incident_id)
        checked = check_warning(at.app.database, attempt, version)
    stopping = [finding for finding in checked.findings if finding.stops]
    if as_json:
        show_json(
            {
                "incident": incident_id,
                "version": checked.draft.version,
                "digest": checked.draft.digest,
                "author": checked.draft.by,
                "passes": not stopping,
                "findings": [asdict(finding) for finding in checked.findings],
                "reach": [asdict(each) for each in checked.reach],
            }
        )
    else:
        _show_check(checked, passes=not stopping)
    return REFUSED if stopping else DONE


def _show_check(checked: Checked, *, passes: bool) -> None:
    draft = checked.draft
    verdict = "passes the gate" if passes else "does NOT pass the gate"
    out.print(f"ewn version {draft.version}, drafted by {draft.by}: {verdict}")
    for finding in checked.findings:
        weight = "STOPS" if finding.stops else "look"
        out.print(visible(f"{weight}: {finding}"), markup=False, soft_wrap=True)
    if checked.reach:
        rows = [
            {
                "class": each.recipient_class,
                **{variant: each.variants.get(variant, 0) for variant in Variant},
                "held": each.held,
                "why held": "; ".join(each.reasons),
            }
            for each in checked.reach
        ]
        columns = ("class", *Variant, "held", "why held")
        show_rows(rows, as_json=False, columns=columns, empty="nobody is on its list")
    out.print(f"another officer than {draft.by} approves it")


def _show_sheet(warned: Warned, made: VariantSheet, *, as_json: bool) -> None:
    rows = [
        {
            "component": each.component,
            "section": each.section,
            "left out": each.what,
            "reason": each.reason,
            "marking": "; ".join(each.marking.lines()),
        }
        for each in made.left_out
    ]
    head: Mapping[str, Any] = {
        "ewn": warned.ewn.header.id,
        "version": warned.draft.version,
        "variant": made.variant,
        "marking": list(made.marking.lines()),
        "readers": list(made.readers),
        "kept": made.kept,
    }
    if as_json:
        show_json({**head, "left_out": rows})
        return
    out.print(f"{head['ewn']} version {head['version']}, {made.variant} variant")
    out.print(f"marked {'; '.join(made.marking.lines())}", markup=False, soft_wrap=True)
    out.print(f"written for {', '.join(made.readers)}; {made.kept} pieces kept")
    columns = ("section", "left out", "reason")
    show_rows(rows, as_json=False, columns=columns, empty="nothing is left out")


def _show(warned: Warned, variant: Variant, language: str, *, as_json: bool) -> None:
    text = _words(warned.ewn, variant, language).decode()
    if as_json:
        marking = list(sheet(warned.ewn, variant).marking.lines())
        show_json(
            {
                "ewn": warned.ewn.header.id,
                "version": warned.draft.version,
                "digest": warned.draft.digest,
                "variant": variant,
                "language": language,
                "marking": marking,
                "text": text,
            }
        )
    else:
        out.print(visible(text), markup=False, soft_wrap=True)


def _content(warned: Warned, variant: Variant, language: str, form: Form) -> bytes:
    from notifications.attachments import machine_files, pdf_of
    from notifications.pages import printed_page

    view = warned.ewn.view(variant)
    match form:
        case Form.PDF:
            return pdf_of(printed_page(warned.ewn, variant, language))
        case Form.HTML:
            return printed_page(warned.ewn, variant, language).encode()
        case Form.TEXT:
            return _words(warned.ewn, variant, language)
        case Form.STIX | Form.MISP:
            found = {each.name.split(".")[-2]: each.data for each in machine_files(view, "ewn")}
            if form not in found:
                raise Refused("no-indicators", f"the {variant} variant has no indicators")
            return found[form]


def _words(content: Any, variant: Variant, language: str) -> bytes:
    from leerp.draft_text import PREVIEW
    from notifications.rendering import render

    made = render(content, PREVIEW, variant, None, language=language)
    return f"Subject: {made.subject}\n\n{made.text}".encode()


def _by_ending(output: Path) -> Form:
    ending = output.suffix.removeprefix(".").lower()
    if ending not in set(Form):
        raise Refused("no-format", f"{output}: say what to write with --format {' | '.join(Form)}")
    return Form(ending)


def _say_written(warned: Warned, variant: Variant, files: list[Path], *, as_json: bool) -> None:
    marking = list(sheet(warned.ewn, variant).marking.lines())
    if as_json:
        show_json(
            {
                "ewn": warned.ewn.header.id,
                "version": warned.draft.version,
                "digest": warned.draft.digest,
                "variant": variant,
                "marking": marking,
                "files": [str(each) for each in files],
            }
        )
        return
    for each in files:
        out.print(f"wrote {each}", markup=False, soft_wrap=True)
    out.print(f"marked {'; '.join(marking)}", markup=False, soft_wrap=True)


def _attempt(officer: str, command: str, incident_id: str) -> Attempt:
    return Attempt(officer=officer, command=command, subject=incident_id, channel=CHANNEL)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
