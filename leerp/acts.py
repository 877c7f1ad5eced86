"""How an officer's command becomes a draft and a word to the workflow, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra import casefile
from infra.casefile import Artefact
from leerp.desk import Desk, with_commands
from leerp.output import out, show_json
from protocol.stages import Containment, Gate, Recommendation
from workflows.commands import Commands
from workflows.messages import Answer

Draft = Callable[[Desk], Artefact]


def record(home: Path, officer: str, incident_id: str, draft: Draft, *, as_json: bool) -> None:
    """Make a draft, note it in the workflow as done by this officer, and print the answer."""

    async def work(at: Desk, commands: Commands) -> Answer:
        return await commands.record(incident_id, draft(at))

    show_answer(with_commands(home, officer, work), as_json=as_json)


def propose(
    home: Path,
    officer: str,
    incident_id: str,
    gate: Gate,
    draft: Draft,
    *,
    as_json: bool,
    reason: str = "",
    containment: Containment | None = None,
    outcome: Recommendation | None = None,
    beside: Callable[[Artefact], Mapping[str, Any]] = lambda _: {},
) -> None:
    """Make a draft, put it before a second person, and print the answer with what is ``beside`` it."""

    async def work(at: Desk, commands: Commands) -> tuple[Answer, Artefact]:
        made = draft(at)
        answer = await commands.propose(
            incident_id, gate, made, reason=reason, containment=containment, outcome=outcome
        )
        return answer, made

    answer, made = with_commands(home, officer, work)
    show_answer(answer, as_json=as_json, beside=beside(made))


def newest_draft(at: Desk, incident_id: str, kind: str) -> Artefact:
    """The newest version of a draft.

    Raises:
        NotFound: there is none yet.
    """
    with at.app.database.read() as connection:
        return casefile.get_artefact(connection, incident_id, kind)


def show_answer(answer: Answer, *, as_json: bool, beside: Mapping[str, Any] | None = None) -> None:
    """Print what a command led to, and what comes next."""
    beside = beside or {}
    if as_json:
        show_json({**answer.model_dump(mode="json"), **beside})
        return
    where = f" at {answer.gate}" if answer.gate else ""
    out.print(f"{answer.state}{where} (stage {answer.stage})")
    for name, value in beside.items():
        out.print(f"{name}: {value}", markup=False)
    if answer.state == "proposed":
        out.print(
            f"draft {answer.digest[:12]}; a second person reads it (leerp incidents draft ID "
            f"{answer.gate}) and agrees (leerp incidents approve ID {answer.gate})"
        )
