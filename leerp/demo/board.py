"""The live board of the demo: stages, recipients and clock, read from the database."""

from __future__ import annotations

import re
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from rich.align import Align
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from infra.database import Database
from leerp.demo.journal import Journal
from protocol.stages import Stage
from workflows import overview

NOTICE_COLUMNS = ("recipients", "accepted", "held", "acknowledged", "escalated")
LINES_SHOWN = 14
PICTURE_WIDTH = 118
WEB_FONTS = re.compile(r"@font-face\s*{[^}]*}")


class Board:
    """Renders the state of the demo; reading it changes nothing."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def render(self) -> RenderableType:
        """The board as it is now."""
        details = self._details()
        header = Text.assemble(
            ("EXERCISE  EXERCISE  EXERCISE\n", "bold red"),
            ("LEERP: simulated WannaCry\n", "bold"),
            self._progress(details),
            justify="center",
        )
        return Group(
            Panel(Align.center(header), border_style="red"),
            Columns([_stages(details), _assessment(details)], expand=True),
            _notices(details),
            self._lines(),
        )

    def _progress(self, details: dict[str, Any]) -> str:
        journal = self._journal
        return (
            f"{journal.seconds:5.1f} s   incident {journal.incident or '-'}   "
            f"reports published {journal.published} of {journal.planned}, "
            f"in the incident {details.get('reports', 0)}"
        )

    def save_picture(self, path: Path) -> None:
        """Export the board as SVG."""
        console = Console(record=True, width=PICTURE_WIDTH, file=StringIO())
        console.print(self.render())
        svg = console.export_svg(title="leerp demo")
        path.write_text(WEB_FONTS.sub("", svg))  # a picture fetches nothing from anywhere

    def _details(self) -> dict[str, Any]:
        if not self._journal.incident:
            return {}
        with self._database.read() as connection:
            return overview.incident_details(connection, self._journal.incident)

    def _lines(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for seconds, who, what in self._journal.lines[-LINES_SHOWN:]:
            table.add_row(f"[dim]{seconds:6.1f} s[/]", f"[cyan]{who}[/]", Text(what))
        return Panel(table, title="what happens", title_align="left")


def _stages(details: dict[str, Any]) -> RenderableType:
    seen = {row["stage"]: row for row in details.get("stages", [])}
    table = Table(box=None, pad_edge=False)
    for column in ("", "stage", "entered", "seconds", "target"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for number, stage in enumerate(Stage, 1):
        row = seen.get(stage)
        if row is None:
            table.add_row(str(number), f"[dim]{stage}[/]", "", "", "")
            continue
        entered = datetime.fromisoformat(row["entered"])
        left = datetime.fromisoformat(row["left"]) if row["left"] else None
        length = f"{(left - entered).total_seconds():.1f}" if left else "…"
        late = "[yellow]passed[/]" if row["overdue_at"] else "[green]kept[/]" if left else ""
        style = "green" if left else "bold yellow"
        table.add_row(
            str(number), f"[{style}]{stage}[/]", entered.strftime("%H:%M:%S"), length, late
        )
    return Panel(table, title="stages", title_align="left")


def _assessment(details: dict[str, Any]) -> RenderableType:
    found = details.get("assessment")
    if not found:
        return Panel(Text("not assessed yet", style="dim"), title="assessment", title_align="left")
    text = Text.assemble(
        (f"{found['threat_class']}  ", "bold red"),
        f"impact {found['impact']}, reach {found['reach']}\n",
        f"triggers {', '.join(t['id'] for t in found['triggers']) or 'none'}\n",
        f"countries {' '.join(found['countries'])}\n",
        f"sectors {', '.join(found['sectors'])}\n",
        ("recommends ", ""),
        (found["recommendation"], "bold"),
    )
    return Panel(text, title="assessment", title_align="left")


def _notices(details: dict[str, Any]) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for column in ("notice", *NOTICE_COLUMNS):
        table.add_column(column, justify="left" if column == "notice" else "right")
    for row in details.get("notices", []):
        table.add_row(f"{row['kind']} {row['revision']}", *(str(row[c]) for c in NOTICE_COLUMNS))
    return Panel(table, title="notices", title_align="left")
