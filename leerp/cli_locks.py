"""``leerp locks``: what may go to whom, why not, and what would open it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from leerp.cli_override import override_app
from leerp.home import open_app
from leerp.options import HOME, Home, IncidentId, Json
from leerp.output import out, show_json, show_rows, visible
from notifications.confirmations import Check, Need, best_contact, check_release
from notifications.lock_explanation import Explanation, Line, explain, explain_publication
from notifications.locks import Locks
from notifications.matrix import MATRIX, PUBLIC, Column
from notifications.override import in_words, left_behind
from notifications.permissions import load_permissions
from notifications.products import Product
from protocol.errors import NotFound, Refused
from protocol.stages import NoticeKind
from workflows.releases import DRAFTS, Release, release_of

locks_app = typer.Typer(no_args_is_help=True)
locks_app.add_typer(override_app, name="override")
THE_PUBLIC = "public"
Kind = Annotated[NoticeKind, typer.Argument(help=f"Notice: {', '.join(DRAFTS)}.")]
Proceedings = Annotated[
    bool, typer.Option("--proceedings", help="For use in judicial proceedings (H1).")
]
NEEDS = ("confirmation", "provider", "state", "missing", "evidence")
LINES = ("lock", "rule", "state", "components", "explanation", "what would open it")


@locks_app.command("matrix")
def matrix_command(
    recipient_class: Annotated[
        str | None, typer.Option("--class", help="Of this class only, or 'public'.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What stands between each class of recipient and each marking, with the reason (domain 4.4)."""
    table = {str(name): cells for name, cells in MATRIX.items()} | {THE_PUBLIC: PUBLIC}
    if recipient_class is not None and recipient_class not in table:
        raise Refused("bad-input", f"no class {recipient_class!r}: one of {', '.join(table)}")
    rows = [
        {
            "class": name,
            "marking": str(column),
            "opening": cells[column].opening.name.lower().replace("_", "-"),
            "explanation": cells[column].explanation,
        }
        for name, cells in table.items()
        if recipient_class in {None, name}
        for column in Column
    ]
    columns = ("class", "marking", "opening", "explanation")
    show_rows(rows, as_json=as_json, columns=columns, empty="")


@locks_app.command("check")
def check_command(
    incident_id: IncidentId,
    kind: Kind = NoticeKind.EWN,
    proceedings: Proceedings = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Every confirmation that a release needs, at once, and what each would get as things stand."""
    release, locks, left = _look(home, incident_id, kind, proceedings=proceedings)
    found = check_release(locks, release.recipients)
    if as_json:
        show_json({**_check_document(release, found), "overrides_left_behind": left})
        return
    _say(left)
    out.print(f"{release.draft} to {len(release.recipients)} recipient(s)")
    rows = [_need(need) for need in found.needs]
    show_rows(rows, as_json=False, columns=NEEDS, empty="nothing in it needs a confirmation")
    for need in found.missing:
        out.print(f"  {visible(need.record(incident_id))}", markup=False, soft_wrap=True)
    out.print()
    gets = Counter(
        f"the {each.decision.variant} variant" if each.decision.allowed else "nothing: held"
        for each in found.previews
    )
    for what, number in gets.items():
        out.print(f"{number} would get {what}")
    held = [
        {"recipient": each.recipient.id, "why": list(each.decision.reasons)}
        for each in found.previews
        if not each.decision.allowed
    ]
    if held:
        show_rows(held, as_json=False, columns=("recipient", "why"), empty="")


@locks_app.command("explain")
def explain_command(
    incident_id: IncidentId,
    recipient: Annotated[str, typer.Argument(help="Recipient id, or 'public'.")],
    kind: Kind = NoticeKind.EWN,
    contact: Annotated[
        int | None, typer.Option(min=1, help="Which contact; the best one by default.")
    ] = None,
    proceedings: Proceedings = False,
    everything: Annotated[
        bool, typer.Option("--all", help="What is open too, not only what is closed.")
    ] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """For each lock and component why it is open or closed for one recipient, and what would open it."""
    release, locks, left = _look(home, incident_id, kind, proceedings=proceedings)
    product = release.content.product()
    if recipient == THE_PUBLIC:
        _show_publication(release, explain_publication(product), as_json=as_json)
        return
    number, found = _explained(release, locks, product, recipient, contact)
    if as_json:
        show_json({"incident": incident_id, "draft": release.draft, "recipient": recipient,
                   "contact": number + 1, **asdict(found), "overrides_left_behind": left})  # fmt: skip
        return
    _say(left)
    gets = f"gets the {found.decision.variant} variant" if found.decision.allowed else "is held"
    out.print(f"{recipient}, contact {number + 1}: {gets}")
    for reason in found.decision.reasons:
        out.print(f"  {visible(reason)}", markup=False)
    for each in found.variants:
        out.print(f"\n{each.variant} variant: {'open' if each.open else 'closed'}")
        shown = [line for line in each.lines if everything or not line.open]
        show_rows(_grouped(shown), as_json=False, columns=LINES, empty="every lock is open")
        if each.open:
            break


def _look(
    home: Path, incident_id: str, kind: NoticeKind, *, proceedings: bool
) -> tuple[Release, Locks, list[str]]:
    """The release, its locks, and in words what was granted for incidents that merged into this one."""
    now = datetime.now(UTC)
    with open_app(home) as opened, opened.database.read() as connection:
        release = release_of(connection, incident_id, kind, opened.settings.profile())
        locks = Locks(
            release.content.product(),
            permissions=load_permissions(connection, incident_id),
            now=now,
            proceedings=proceedings,
        )
        left = [in_words(each, incident_id) for each in left_behind(connection, incident_id, now)]
    return release, locks, left


def _say(left: Sequence[str]) -> None:
    for said in left:
        out.print(visible(said), markup=False, soft_wrap=True)


def _explained(
    release: Release, locks: Locks, product: Product, recipient: str, contact: int | None
) -> tuple[int, Explanation]:
    one = next((each for each in release.recipients if each.id == recipient), None)
    if one is None:
        raise NotFound(
            f"{release.draft} is not meant for {recipient!r}: see 'leerp directory list'; a class "
            "that the notice leaves out gets nothing"
        )
    if contact is not None and contact > len(one.contacts):
        raise NotFound(f"{recipient} has {len(one.contacts)} contact(s)")
    number = best_contact(locks, one)[0] if contact is None else contact - 1
    return number, explain(locks, product, one, number)


def _show_publication(release: Release, lines: tuple[Line, ...], *, as_json: bool) -> None:
    if as_json:
        show_json({"draft": release.draft, "recipient": THE_PUBLIC,
                   "lines": [asdict(line) for line in lines]})  # fmt: skip
        return
    show_rows(_grouped(lines), as_json=False, columns=LINES, empty="")


def _grouped(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """One row for all components that get the same answer from a rule."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in lines:
        item = f" (item {line.item})" if line.item else ""
        row = {
            "lock": line.lock,
            "rule": line.rule,
            "state": "open" if line.open else "closed",
            "explanation": line.explanation,
            "what would open it": line.remedy or line.opened_by,
        }
        found = rows.setdefault(tuple(row.values()), {"components": [], **row})
        found["components"].append(f"{line.component}{item}" if line.component else "all of it")
    return list(rows.values())


def _need(need: Need) -> dict[str, Any]:
    evidence = {f"{p.kind} {p.id}: {p.evidence} ({p.by})" for p in need.confirmed.values()}
    return {
        "confirmation": need.rule,
        "kind": need.kind,
        "provider": need.provider or "the centre",
        "state": "missing" if need.missing else "confirmed",
        "missing": sorted(need.missing),
        "confirmed": sorted(need.confirmed),
        "components": sorted(need.components),
        "evidence": sorted(evidence),
    }


def _check_document(release: Release, found: Check) -> dict[str, Any]:
    return {
        "incident": release.content.incident_id,
        "draft": release.draft,
        "ready": not found.missing,
        "confirmations": [
            {**_need(need), "record": need.record(release.content.incident_id)}
            if need.missing
            else _need(need)
            for need in found.needs
        ],
        "recipients": [
            {
                "recipient": each.recipient.id,
                "class": each.recipient.recipient_class,
                "contact": each.contact + 1,
                "gets": each.decision.variant if each.decision.allowed else None,
                "reasons": list(each.decision.reasons),
            }
            for each in found.previews
        ],
    }
