"""STIX observables: what a pattern or a cyber-observable object names, as path and value.

Only equality names an indicator; negations, ranges, regular expressions and the like are counted,
not read. Source: domain 6.5; STIX 2.1 part 9 (patterning).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from intake.formats.draft import items, text_of
from protocol.indicators import guess_type
from protocol.report import IndicatorType

_TOKEN = re.compile(
    r"""\s+
    |(?P<path>[a-zA-Z][a-zA-Z0-9-]*:(?:[\w-]+|'(?:[^'\\]|\\.)*')
        (?:[.:](?:[\w-]+|'(?:[^'\\]|\\.)*')|\[(?:[0-9]+|\*)\])*)
    |(?P<string>[a-z]?'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<number>[-+]?[0-9]+(?:\.[0-9]+)?)
    |(?P<sign>==|!=|<>|<=|>=|[=<>\[\](),])
    |(?P<word>[A-Za-z]+)""",
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "ipv4-addr:value": IndicatorType.IP,
    "ipv6-addr:value": IndicatorType.IP,
    "domain-name:value": IndicatorType.DOMAIN,
    "hostname:value": IndicatorType.DOMAIN,
    "url:value": IndicatorType.URL,
    "email-addr:value": IndicatorType.EMAIL,
    "network-traffic:dst_port": IndicatorType.PORT,
    "network-traffic:src_port": IndicatorType.PORT,
    "cryptocurrency-wallet:value": IndicatorType.WALLET,
    "cryptocurrency-wallet:address": IndicatorType.WALLET,
}
_LITERALS = {"string", "number"}
_ASIDE = {"created_by_ref", "object_marking_refs", "x_mitre_modified_by_ref"}
_HASHES = {"SHA256": IndicatorType.SHA256, "SHA1": IndicatorType.SHA1, "MD5": IndicatorType.MD5}
_VALUES = {
    "autonomous-system": "number",
    "mutex": "name",
    "windows-registry-key": "key",
    "directory": "path",
    "process": "command_line",
    "mac-addr": "value",
    "user-account": "account_login",
    "software": "name",
    "email-message": "subject",
    "user-agent": "value",
    "phone-number": "value",
    "bank-account": "iban",
}
"""Observable types without a kind of ours, and the property that identifies them."""

_ALSO = {"file": ("file:name", "name"), "artifact": ("url:value", "url")}
"""What identifies them beside their hashes."""

_OBSERVABLES = frozenset(
    {path.split(":")[0] for path in _KINDS}
    | _VALUES.keys()
    | {"file", "artifact", "x509-certificate"}
)

Observable = tuple[str, Any]
"""Object path, as patterns write it, and value."""


@dataclass(slots=True)
class PatternReading:
    """What equality comparisons name, and how many comparisons could not be read."""

    found: list[Observable] = field(default_factory=list)
    unread: int = 0


def read_pattern(pattern: str) -> PatternReading:
    """Read the comparisons of a STIX pattern; linear in its length, never raises."""
    reading = PatternReading()
    tokens, whole = _tokens(pattern)
    reading.unread += not whole
    for at, (kind, written) in enumerate(tokens):
        if kind != "path" or written.endswith(".type"):
            continue
        text = written.replace(":", ".").replace(".", ":", 1)  # file:hashes:MD5 of drafts
        negated = at > 0 and tokens[at - 1][1].upper() in {"NOT", "EXISTS"}
        values = [] if negated else _values(tokens, at + 1)
        reading.found.extend((text, value) for value in values)
        reading.unread += not values
    return reading


def kind_of(path: str, value: object) -> IndicatorType:
    """The kind of indicator that an object path stands for."""
    if known := _KINDS.get(path):
        return known
    last = path.rpartition(".")[2]
    if "hashes." in path:
        algorithm = re.sub(r"[^A-Z0-9]", "", last.upper())
        return _HASHES.get(algorithm, IndicatorType.OTHER)
    if last == "value" and isinstance(value, str):  # reached by reference, such as dst_ref.value
        return guess_type(value)
    return IndicatorType.OTHER


def observables_of(thing: dict[str, Any]) -> Iterator[Observable]:
    """What a cyber-observable object names."""
    kind = text_of(thing.get("type")) or ""
    hashes = thing.get("hashes")
    if isinstance(hashes, dict):
        for algorithm, digest in hashes.items():
            yield f"{kind}:hashes.{algorithm}", digest
    if kind in _ALSO:
        path, beside = _ALSO[kind]
        if beside in thing:
            yield path, thing[beside]
    elif f"{kind}:value" in _KINDS or f"{kind}:address" in _KINDS:
        yield f"{kind}:value", thing.get("value", thing.get("address"))
    elif kind == "network-traffic":
        for port in ("dst_port", "src_port"):
            if port in thing:
                yield f"{kind}:{port}", thing[port]
    elif (name := _VALUES.get(kind)) and name in thing:
        yield f"{kind}:{name}", thing[name]


def is_observable(thing: dict[str, Any]) -> bool:
    """Whether the object is a cyber-observable, known or by its extension."""
    return thing.get("type") in _OBSERVABLES


def _tokens(pattern: str) -> tuple[list[tuple[str, str]], bool]:
    """Tokens up to the first character that fits none, and whether that was all."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(pattern):
        match = _TOKEN.match(pattern, at)
        if not match:
            return tokens, False
        if match.lastgroup:
            tokens.append((match.lastgroup, match[0]))
        at = match.end()
    return tokens, True


def _values(tokens: list[tuple[str, str]], at: int) -> list[str]:
    """The literals that the path before ``at`` is said to equal; none for other comparisons."""
    operator = tokens[at][1].upper() if at < len(tokens) else ""
    if operator in {"=", "=="}:
        return [_literal(kind, text) for kind, text in tokens[at + 1 : at + 2] if kind in _LITERALS]
    values: list[str] = []
    if operator == "IN":
        for position in range(at + 1, len(tokens)):
            kind, text = tokens[position]
            if kind in _LITERALS:
                values.append(_literal(kind, text))
            elif text not in {"(", ","}:  # the list ends, well or badly
                break
    return values


def _literal(kind: str, text: str) -> str:
    if kind != "string":
        return text
    inner = text[text.index(text[-1]) + 1 : -1]  # without quotes and the letter of h'', b'' or t''
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)


def refs(thing: dict[str, Any]) -> Iterator[str]:
    """Ids of the objects that this one is made of or speaks of; not of its author or markings."""
    for name, value in thing.items():
        if name.endswith(("_ref", "_refs")) and name not in _ASIDE:
            yield from (ref for ref in items(value) if isinstance(ref, str))
