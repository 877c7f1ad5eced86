"""What a failure means to the person at the terminal: one sentence, and an exit code."""

from __future__ import annotations

from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import OperationalError
from temporalio.service import RPCError

from leerp.home import settings_advice
from protocol.errors import LeerpError, Refused, ServiceDown
from protocol.wording import in_words


def explained(exc: BaseException) -> LeerpError | None:
    """The failure in words, or None for a defect of ours, whose traceback is wanted."""
    if isinstance(exc, LeerpError):
        return exc
    if down := _of_a_service(exc):
        return ServiceDown(f"{down}: see 'leerp doctor'")
    if wrong := _of_the_input(exc):
        return Refused("bad-input", wrong)
    return None


def all_explained(group: BaseExceptionGroup[BaseException]) -> list[LeerpError] | None:
    """Every failure of the group in words, or None when one of them is a defect."""
    found: list[LeerpError] = []
    for each in group.exceptions:
        inner = all_explained(each) if isinstance(each, BaseExceptionGroup) else [explained(each)]
        if inner is None or None in inner:
            return None
        found += [said for said in inner if said is not None]
    return found


def _of_a_service(exc: BaseException) -> str:
    match exc:
        case OperationalError():
            return f"the database does not answer ({type(exc.orig).__name__})"
        case RPCError():
            return f"Temporal does not do what it is asked ({exc.status.name})"
        case KafkaError():
            return f"Kafka does not do what it is asked ({type(exc).__name__})"
        case ConnectionError() | TimeoutError():
            return f"a service does not answer ({exc or type(exc).__name__})"
        case _:
            return ""


def _of_the_input(exc: BaseException) -> str:
    match exc:
        case ValidationError(title="Settings"):
            return settings_advice(exc)
        case ValidationError():
            return f"{exc.title}: {in_words(exc)}: correct the input"
        case SettingsError():
            return f"{exc}: correct it in the environment"
        case UnicodeDecodeError():
            return f"the input is not UTF-8 text ({exc.reason}): convert it"
        case OSError():
            place = f"{exc.filename}: " if exc.filename else ""
            return f"{place}{exc.strerror or exc}: see to the path and its rights"
        case _:
            return ""
