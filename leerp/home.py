"""Opening a home for a command: what is wrong with its settings is said in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from infra import endpoints
from infra.bootstrap import App, app
from infra.settings import ENDPOINTS_FILE, Settings
from protocol.errors import Refused, ServiceDown
from protocol.wording import Location, in_words


@contextmanager
def open_app(home: Path) -> Iterator[App]:
    """As ``infra.bootstrap.app``, once the settings are seen to be sound.

    Raises:
        Refused: ``bad-settings``; a value of the environment, of the home or of the profile is wrong.
        ServiceDown: what ``leerp up`` wrote cannot be read, keys are missing, or the database is away.
    """
    _check(home.absolute())
    with app(home) as opened:
        yield opened


def settings_advice(exc: ValidationError) -> str:
    """Which settings are wrong, by the names under which they are set."""
    return in_words(exc, _variable) + ": correct it in the environment"


def _check(home: Path) -> None:
    try:
        endpoints.read(home)
    except ValidationError as exc:
        raise ServiceDown(
            f"{home / ENDPOINTS_FILE} is not as 'leerp up' writes it: stop 'leerp up' and start it "
            "again"
        ) from exc
    try:
        Settings.load(home).profile()
    except ValidationError as exc:
        raise Refused("bad-settings", settings_advice(exc)) from exc
    except SettingsError as exc:
        raise Refused("bad-settings", f"{exc}: correct it in the environment") from exc
    except ValueError as exc:
        raise Refused("bad-settings", f"settings of {home}: {exc}") from exc


def _variable(location: Location) -> str:
    return "LEERP_" + "__".join(str(part).upper() for part in location)
