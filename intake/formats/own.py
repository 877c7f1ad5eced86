"""``leerp-report/1``: our own format, the fields of ``ReportContent`` as strict JSON.

Source: domain 6.1. Unlike foreign formats nothing is guessed: what does not fit is refused with the
path of the field, in the names of our schema only.
"""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from intake.formats.base import in_turn
from intake.formats.draft import check_count
from protocol.errors import RejectedReport
from protocol.indicators import normalise
from protocol.report import Indicator, ReportContent

NAME = "leerp-report/1"
_SHOWN = 3
_REASONS = {"missing": "missing-field", "extra_forbidden": "unknown-field"}
_RULES = {
    "missing": "is missing",
    "enum": "is none of the values allowed",
    "literal_error": "is none of the values allowed",
    "string_type": "is not a text",
    "string_too_long": "is too long",
    "string_too_short": "is empty",
    "string_pattern_mismatch": "is not in the form asked for",
    "too_short": "is empty",
    "timezone_aware": "is a time without its zone",
    "datetime_type": "is not a time",
    "datetime_parsing": "is not a time such as 2017-05-12T07:44:00Z",
    "datetime_from_date_parsing": "is not a time such as 2017-05-12T07:44:00Z",
    "tuple_type": "is not a list",
    "model_type": "is not an object with fields",
    "bool_type": "is neither true nor false",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "greater_than_equal": "is too small",
}


class Own:
    """The adapter for our own reports, one or a list of them."""

    def recognises(self, document: Any) -> bool:
        """Whether the first report says ``"format": "leerp-report/1"``."""
        first = document[0] if isinstance(document, list) and document else document
        return isinstance(first, dict) and first.get("format") == NAME

    def read(self, document: Any) -> tuple[ReportContent, ...]:
        """Check every field of every report; see ``Adapter.read``.

        Raises:
            RejectedReport: ``missing-field``, ``unknown-field``, ``invalid-field``, ``no-time``,
                ``bad-indicator`` or ``too-many-indicators``.
        """
        return in_turn(document if isinstance(document, list) else [document], _report)


def _report(document: Any) -> ReportContent:
    if not isinstance(document, dict) or document.get("format") != NAME:
        raise RejectedReport("format-mismatch", f"it does not say that its format is {NAME}")
    fields = {name: value for name, value in document.items() if name != "format"}
    if not fields.get("times", True):
        raise RejectedReport("no-time", "times is empty: the report does not say when")
    try:
        content = ReportContent.model_validate_json(msgspec.json.encode(fields), strict=True)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False, include_input=False)) from None
    return _normalised(content)


def _refusal(errors: list[ErrorDetails]) -> RejectedReport:
    first = errors[0]
    if any(error["type"] == "missing" and error["loc"] == ("times",) for error in errors):
        return RejectedReport("no-time", "times is missing: the report does not say when")
    told = "; ".join(dict.fromkeys(_told(error) for error in errors[:_SHOWN]))
    more = len(errors) - _SHOWN
    return RejectedReport(
        _REASONS.get(first["type"], "invalid-field"),
        told + (f"; and {more} more" if more > 0 else ""),
    )


def _told(error: ErrorDetails) -> str:
    """One error in words, without any value or field name of the sender."""
    if error["type"] == "extra_forbidden":
        holder = _path(error["loc"][:-1])
        return f"{holder} has an unknown field" if holder else "the report has an unknown field"
    rule = _RULES.get(error["type"], "breaks the schema")
    if error["type"] == "value_error":
        rule = f"is refused: {error.get('ctx', {}).get('error', 'it breaks the schema')}"
    return f"{_path(error['loc']) or 'the report'} {rule}"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def _normalised(content: ReportContent) -> ReportContent:
    check_count(len(content.indicators))
    indicators: dict[tuple[str, str], Indicator] = {}
    changed = False
    for position, indicator in enumerate(content.indicators):
        try:
            value = normalise(indicator.type, indicator.value)
        except ValueError as error:
            raise RejectedReport(
                "bad-indicator", f"indicators[{position}].value is refused: {error}"
            ) from None
        if value != indicator.value:
            changed = True
            indicator = indicator.model_copy(update={"value": value})  # noqa: PLW2901
        indicators.setdefault((indicator.type, value), indicator)
    if not changed and len(indicators) == len(content.indicators):
        return content
    return content.model_copy(update={"indicators": tuple(indicators.values())})
