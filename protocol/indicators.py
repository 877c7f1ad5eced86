"""Normal form of indicators, so that the same thing written in two ways is one indicator.

Source: domain 6.1, 6.6; design section 3 (correlation).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from functools import partial
from urllib.parse import SplitResult, urlsplit, urlunsplit

from protocol.report import IndicatorType, clean_text

MAX_LENGTH = 2_000
"""Longest value of an indicator, in characters."""

_REFANG = (
    (re.compile(r"\[(:|://|/)\]"), r"\1"),
    (re.compile(r"^hxxp(s?)\s*://", re.IGNORECASE), r"http\1://"),
    (re.compile(r"^fxp://", re.IGNORECASE), "ftp://"),
    (re.compile(r"\s*[\[({](?:\.|dot)[\])}]\s*", re.IGNORECASE), "."),
    (re.compile(r"\s*[\[({](?:@|at)[\])}]\s*", re.IGNORECASE), "@"),
)
_DEFANGED = re.compile(r"[\[({]|^(?:hxxp|fxp)", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_HEX_LENGTH = {IndicatorType.MD5: 32, IndicatorType.SHA1: 40, IndicatorType.SHA256: 64}
_HASH_OF_LENGTH = {length: kind for kind, length in _HEX_LENGTH.items()}
_HEX = re.compile(r"[0-9a-f]+")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}
_WALLET = re.compile(r"[A-Za-z0-9]{20,120}")
_KNOWN_WALLET = re.compile(
    r"0x[0-9a-fA-F]{40}|bc1[0-9a-zA-Z]{20,87}|[13][1-9A-HJ-NP-Za-km-z]{25,34}"
)
_EMAIL_NAME = re.compile(r'[^\s<>@",;]{1,128}')
_HOST_LENGTH = 253
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.){1,6}[a-z]{2,30}"
_PART = r"[1-9a-f][0-9a-f]{0,3}"
_PLAIN_ADDRESS = (
    rf"{_OCTET}(?:\.{_OCTET}){{3}}|{_PART}(?::{_PART}){{7}}"
    rf"|(?=[0-9a-f]+(?::[0-9a-f]*){{2,6}}\Z){_PART}(?::{_PART})*::{_PART}(?::{_PART})*"
)
"""IPv6 without a part of zero: of those, the two that stand for more cannot be anywhere else."""
_PLAIN_URL = re.compile(rf"https?://({_PLAIN_DOMAIN})/[A-Za-z0-9._~/=&%?+-]{{0,1000}}")
_ALREADY_NORMAL = {
    IndicatorType.MD5: re.compile(r"[0-9a-f]{32}"),
    IndicatorType.SHA1: re.compile(r"[0-9a-f]{40}"),
    IndicatorType.SHA256: re.compile(r"[0-9a-f]{64}"),
    IndicatorType.DOMAIN: re.compile(_PLAIN_DOMAIN),
    IndicatorType.URL: _PLAIN_URL,
    IndicatorType.IP: re.compile(_PLAIN_ADDRESS),
    IndicatorType.EMAIL: re.compile(rf"[A-Za-z0-9._+-]{{1,64}}@{_PLAIN_DOMAIN}"),
}
"""Most values as they come: quick to recognise, and normal by every rule below."""
_LAST_PORT = 65_535


def normalise(kind: IndicatorType, value: str) -> str:
    """Return the one spelling of ``value`` that correlation compares.

    Defanging (``hxxp``, ``[.]``, ``(.)``, ``[at]``) is undone; normalising twice changes nothing.

    Raises:
        ValueError: it is not a value of this kind; the message does not quote it.
    """
    normal_already = _ALREADY_NORMAL.get(kind)
    if normal_already and normal_already.fullmatch(value):
        return value
    text = clean_text(value).strip()
    if not text:
        raise ValueError("the indicator is empty")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the indicator is longer than {MAX_LENGTH} characters")
    normal = _NORMAL_FORMS[kind](text)
    if len(normal) > MAX_LENGTH:
        raise ValueError(f"the indicator is longer than {MAX_LENGTH} characters")
    return normal


def guess_type(value: str) -> IndicatorType:
    """The kind that ``value`` looks like, ``OTHER`` if like none; ports are never guessed."""
    text = value.strip()
    hash_kind = _HASH_OF_LENGTH.get(len(text))
    if hash_kind and _HEX.fullmatch(text.lower()):
        return hash_kind
    if _KNOWN_WALLET.fullmatch(text):
        return IndicatorType.WALLET
    for kind in (IndicatorType.IP, IndicatorType.EMAIL, IndicatorType.DOMAIN, IndicatorType.URL):
        try:
            normal = normalise(kind, text)
        except ValueError:
            continue
        if kind is IndicatorType.URL and "://" not in normal and not _is_web_path(normal):
            continue
        return kind
    return IndicatorType.OTHER


def _is_web_path(normal: str) -> bool:
    """Whether a URL without a scheme begins with a domain: ``1.2.0.0/15`` is no URL."""
    host = host_of(normal)
    return host is not None and host[0] is IndicatorType.DOMAIN


def host_of(url: str) -> tuple[IndicatorType, str] | None:
    """The host of a normalised URL as an indicator of its own, or None for a local name."""
    if plain := _PLAIN_URL.fullmatch(url):
        return IndicatorType.DOMAIN, plain[1]
    authority = (url if "://" in url else f"//{url}").split("//", 1)[1]
    authority = re.split(r"[/?#]", authority, maxsplit=1)[0].rsplit("@", 1)[-1]
    host = re.sub(r":\d*$", "", authority)
    for kind in (IndicatorType.IP, IndicatorType.DOMAIN):
        try:
            return kind, normalise(kind, host)
        except ValueError:
            continue
    return None


def _refang(text: str) -> str:
    """Undo defanging, until nothing changes, so that nested brackets cannot hide a second round."""
    while _DEFANGED.search(text):
        plain = text
        for pattern, replacement in _REFANG:
            plain = pattern.sub(replacement, plain)
        plain = plain.strip()
        if plain == text:
            break
        text = plain
    return text


def _hash(kind: IndicatorType, text: str) -> str:
    text = text.lower()
    if len(text) != _HEX_LENGTH[kind] or not _HEX.fullmatch(text):
        raise ValueError(f"a {kind} has {_HEX_LENGTH[kind]} hexadecimal digits")
    return text


def _host(text: str) -> str:
    """A host name in lower-case ASCII without the dot at its end; one label is enough here."""
    name = unicodedata.normalize("NFC", text).rstrip(".")
    if not name or len(name) > _HOST_LENGTH:
        raise ValueError("a host name has 1 to 253 characters")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii").rstrip(".")
        except UnicodeError:
            raise ValueError("the host name is not a valid international name") from None
    name = name.lower()
    if len(name) > _HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError("a host name consists of letters, digits and hyphens between dots")
    return name


def _domain(text: str) -> str:
    name = _host(_refang(text))
    *rest, top = name.split(".")
    if not rest or top.isdigit():
        raise ValueError("a domain has at least two parts and does not end in a number")
    return name


def _address(text: str) -> str:
    text = re.sub(r"^\[(.*)\]$", r"\1", _refang(text))
    if "%" in text:
        raise ValueError("an address with a zone means nothing outside its host")
    address, slash, length = text.partition("/")
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise ValueError("not an IP address") from None
    if slash and length != str(ip.max_prefixlen):
        raise ValueError("a network of addresses is not one address")
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return ip.compressed


def _email(text: str) -> str:
    local, at, domain = _refang(text).rpartition("@")
    if not at or not _EMAIL_NAME.fullmatch(local):
        raise ValueError("an e-mail address is a name, one @ and a domain")
    return f"{local}@{_domain(domain)}"


def _port(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > _LAST_PORT:
        raise ValueError("a port is a number from 0 to 65535")
    return str(int(text))


def _wallet(text: str) -> str:
    if not _WALLET.fullmatch(text):
        raise ValueError("a wallet address has 20 to 120 letters and digits")
    lower = text.lower()
    return lower if lower.startswith(("0x", "bc1")) else text


def _url(text: str) -> str:
    """Scheme and host in lower case, no default port, no fragment; path and query as they are."""
    text = _refang(text)
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("a URL holds no control characters")
    has_scheme = _SCHEME.match(text) is not None
    try:
        parts = urlsplit(text if has_scheme else f"//{text}")
        port = parts.port
    except ValueError:
        raise ValueError("not a URL") from None
    netloc = _netloc(parts, port)
    path = parts.path or "/"
    if not has_scheme and not (path.startswith("/") and (path != "/" or parts.query)):
        raise ValueError("a URL has a scheme such as https or at least a path")
    url = urlunsplit((parts.scheme, netloc, path, parts.query, ""))
    return url if has_scheme else url.removeprefix("//")


def _netloc(parts: SplitResult, port: int | None) -> str:
    host = parts.hostname or ""
    if ":" in host:
        address = _address(host)
        host = f"[{address}]" if ":" in address else address
    else:
        host = _host(host)
    user = parts.netloc.rpartition("@")[0]
    shown_port = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{user}@{host}{shown_port}" if user else f"{host}{shown_port}"


_NORMAL_FORMS: dict[IndicatorType, Callable[[str], str]] = {
    IndicatorType.MD5: partial(_hash, IndicatorType.MD5),
    IndicatorType.SHA1: partial(_hash, IndicatorType.SHA1),
    IndicatorType.SHA256: partial(_hash, IndicatorType.SHA256),
    IndicatorType.DOMAIN: _domain,
    IndicatorType.URL: _url,
    IndicatorType.IP: _address,
    IndicatorType.EMAIL: _email,
    IndicatorType.PORT: _port,
    IndicatorType.WALLET: _wallet,
    IndicatorType.OTHER: str,
}
