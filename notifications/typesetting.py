"""The environment that notices are set in: all text is literal, and nothing comes out blank.

Its filters are all that a template can do besides Jinja's own. Source: R31, R67; reliability 5.4.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from jinja2 import BaseLoader, FileSystemLoader, StrictUndefined, pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from notifications.headers import literal
from notifications.phrases import DEFAULT, filled, phrases, places

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 76
VOCABULARIES = (
    *("malicious", "yesno", "outlooks", "likelihoods", "confidences"),
    *("sectors", "classes", "root_causes", "severities"),
)
DEFANGED = frozenset({"url", "domain", "ip", "email"})


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """The project's own templates."""
    return environment_of(FileSystemLoader(TEMPLATES))


def environment_of(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    """Templates in which all text is shown literally, escaped in HTML, and nothing comes out blank."""
    made = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    return made


def shown(value: Any) -> Any:
    """What an expression of a template puts out: never blank, no control or invisible characters."""
    text = value if isinstance(value, Markup) else literal("" if value is None else str(value))
    if not text.strip():
        raise ValueError("a template puts out a blank field: say that it is unknown (R67)")
    return text


def css_text(text: str) -> str:
    """The inside of a CSS string in which nothing but letters and digits stands for itself."""
    return re.sub(r"[^0-9A-Za-z]", lambda found: f"\\{ord(found[0]):06x}", text)


def tidy(text: str) -> str:
    """Plain text without blanks at the end of lines, and at most one empty line in a row."""
    lines = (line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@pass_context
def _day(context: Context, at: datetime) -> str:
    """A time in words, in the reader's language."""
    at, language = at.astimezone(UTC), context["language"]
    locale = Locale.parse("en_GB" if language == "en" else language)
    return f"{format_date(at, 'full', locale=locale)}, {at:%H:%M} UTC"


@pass_context
def _land(context: Context, code: str) -> str:
    """A country by its name and code; anything that is no country as it is."""
    name = Locale.parse(context["language"]).territories.get(code)
    return _in_language(context, f"{name} ({code})") if name else code


@pass_context
def _own(context: Context, value: Any) -> str:
    """Words that somebody wrote: as they are, marked with their language where it is another one.

    Sentences that the software itself puts into a draft are said in the reader's language; what is
    said in it already stays.
    """
    if isinstance(value, Markup):
        return value
    text = literal(str(value))
    if said := _fixed(context["t"]["fixed"], text):
        return said
    if context["foreign"] and context.eval_ctx.autoescape:
        return Markup('<span lang="{}">{}</span>').format(context["foreign"], text)
    return text


@pass_context
def _named(context: Context, value: Any, table: str) -> str:
    """A value of a closed vocabulary in the reader's language; what the table lacks as it is."""
    said = context["t"][table].get(str(value))
    return _in_language(context, said) if said else str(value)


@pass_context
def _coded(context: Context, value: Any, table: str) -> str:
    """A code with what it means, such as ``C4 (emergency)``; what the table lacks as it is."""
    said = context["t"][table].get(str(value))
    return f"{value} ({said})" if said else str(value)


@pass_context
def _draft(context: Context, name: str) -> str:
    """A draft by kind and version, such as ``ewn/1``, in words; what is no such name as it is."""
    kind, _, version = name.partition("/")
    said = context["t"]["kinds"].get(kind)
    return f"{said}, {context['t']['ewn']['version'].lower()} {version}" if said else name


@pass_context
def _worded(context: Context, value: Any) -> str:
    """A value that may belong to any vocabulary: in the reader's language, else as written."""
    for table in VOCABULARIES:
        if said := context["t"][table].get(str(value)):
            return str(said)
    return _own(context, value)


def _in_language(context: Context, said: str) -> str:
    """Words in the reader's language, which ``own`` then leaves alone."""
    return escape(said) if context.eval_ctx.autoescape else said


def _fixed(table: Mapping[str, str], text: str) -> str | None:
    """A sentence of the software's own as the table has it, with the same codes and numbers in it."""
    if text in table:
        return table[text]
    for pattern, sentence in _sentences():
        if found := pattern.fullmatch(text):
            return filled(table[sentence], found.groupdict())
    return None


@cache
def _sentences() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The software's sentences with places in them; only codes and numbers stand in a place."""
    return tuple(
        (
            re.compile(re.sub(r"\\{([a-z]+)\\}", r"(?P<\1>[A-Z]?[0-9]+)", re.escape(sentence))),
            sentence,
        )
        for sentence in phrases(DEFAULT)["fixed"]
        if places(sentence)
    )


@pass_eval_context
def _fill(eval_ctx: EvalContext, phrase: str, **values: Any) -> str:
    """A phrase with its places filled in; values are text, never templates or markup."""
    if not eval_ctx.autoescape:
        return filled(phrase, {name: literal(str(value)) for name, value in values.items()})
    safe = {
        name: str(value if isinstance(value, Markup) else escape(literal(str(value))))
        for name, value in values.items()
    }
    return Markup(filled(str(escape(phrase)), safe))  # noqa: S704 (every part is escaped)


def _line(text: str) -> str:
    """In one line; a no-break space, as French has before a colon, stays one."""
    return " ".join(re.split(r"[^\S\N{NO-BREAK SPACE}]+", text)).strip()


def _para(text: str, first: str = "  ", rest: str = "  ") -> str:
    """Wrapped and indented, so that no value can begin a line of the frame; long words stay whole."""
    return textwrap.fill(
        _line(str(text)),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def defang(value: str, indicator_type: str) -> str:
    """An indicator that no mail program turns into a link."""
    if indicator_type not in DEFANGED:
        return value
    return re.sub("^http", "hxxp", value, flags=re.IGNORECASE).replace(".", "[.]")


FILTERS: dict[str, Callable[..., Any]] = {
    "utc": utc,
    "day": _day,
    "land": _land,
    "own": _own,
    "named": _named,
    "coded": _coded,
    "draft": _draft,
    "worded": _worded,
    "fill": _fill,
    "para": _para,
    "line": _line,
    "defang": defang,
}
"""What templates can do besides Jinja's own filters."""
