"""Commands that are imported when they are used: all of them together take seconds to import.

The list of commands and its help need their names and a sentence only.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


class Elsewhere(NamedTuple):
    """Where a command or a group of commands is, as ``module:name``, and what it is for."""

    place: str
    help: str


class _Named(TyperGroup):
    """Stands in the list of commands for one that is elsewhere."""

    def __init__(self, name: str, where: Elsewhere) -> None:
        super().__init__(name=name, help=where.help)
        self._where = where

    def brought(self) -> Any:
        """The command itself."""
        module, _, name = self._where.place.partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            command: Any = get_group(found)
            command.help = self._where.help
        else:
            alone = typer.Typer(add_completion=False)
            alone.command(self.name)(found)
            command = get_command(alone)
        command.name = self.name
        return command


def with_elsewhere(commands: Mapping[str, Elsewhere]) -> type[TyperGroup]:
    """The class of a group that has ``commands`` besides its own."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for name, where in commands.items():
                self.add_command(_Named(name, where))

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, command, rest = super().resolve_command(ctx, args)
            return name, command.brought() if isinstance(command, _Named) else command, rest

    return Group
