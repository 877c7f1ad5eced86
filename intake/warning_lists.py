"""Values that everybody has in common, out of the public MISP warning lists.

They are kept on reports but link nothing: without them two incidents that both name a public
resolver would become one. Only lists of shared things are used; a list of cloud addresses is not,
since a rented machine is as telling as any other. Source: design section 3 (correlation).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path

import msgspec
import pymispwarninglists

from protocol.indicators import host_of
from protocol.report import IndicatorType

_ADDRESSES = (
    "rfc1918", "rfc5735", "rfc6598", "rfc3849", "multicast", "ipv6-linklocal",
    "public-dns-v4", "public-dns-v6", "akamai", "cloudflare", "fastly", "stackpath", "sinkholes",
    "umbrella-blockpage-v4", "umbrella-blockpage-v6", "google-gmail-sending-ips",
    "microsoft-office365-ip", "parking-domain", "censys-scanning", "shodan-scanning",
    "shadowserver", "onyphe-scanner",
)  # fmt: skip
_NAMES = (
    "alexa", "moz-top500", "majestic_million", "cisco_top20k", "tranco10k", "tlds",
    "second-level-tlds", "rfc6761", "public-dns-hostname", "url-shortener", "link-in-bio",
    "whats-my-ip", "findip-host", "automated-malware-analysis", "captive-portals", "google",
    "microsoft", "microsoft-office365", "security-provider-blogpost", "dynamic-dns",
    "disposable-email", "umbrella-blockpage-hostname", "parking-domain-ns", "digitalside",
    "lots-project",
)  # fmt: skip
_HASHES = (
    "empty-hashes", "eicar.com", "common-ioc-false-positive", "ti-falsepositives", "mozilla-CA",
)  # fmt: skip
_EMAILS = ("common-contact-emails",)
_HASH_KINDS = {IndicatorType.MD5, IndicatorType.SHA1, IndicatorType.SHA256}
_FRONT_PAGE = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?[^/?#]+/?")
_PATTERN = re.compile(r"/(.*)/([gi]*)", re.DOTALL)

Names = tuple[str, ...]


class _File(msgspec.Struct):
    """A warning list as its project publishes it."""

    name: str
    values: list[str] = msgspec.field(name="list")


class WarningLists:
    """Looks values up in the lists; they are read at the first look-up, in about a tenth of a second.

    Domains match exactly or with ``www.`` before them: a name below a well-known one, such as a
    free web space, is telling.
    """

    def names(self, kind: IndicatorType, value: str) -> Names:
        """Names of the lists that hold this normalised value; none for a telling one."""
        if kind is IndicatorType.IP:
            return self._networks.names(value)
        if kind is IndicatorType.DOMAIN:
            return self._domains.get(value.removeprefix("www."), ())
        if kind is IndicatorType.EMAIL:
            if not self._any_email.search(value):
                return ()
            return tuple(name for pattern, name in self._emails if pattern.search(value))
        if kind is IndicatorType.URL:
            return self._front_page(value)
        return self._hashes.get(value, ()) if kind in _HASH_KINDS else ()

    def _front_page(self, url: str) -> Names:
        """A URL that says no more than its host is as common as the host."""
        if not _FRONT_PAGE.fullmatch(url):
            return ()
        host = host_of(url)
        return self.names(*host) if host else ()

    @cached_property
    def _networks(self) -> _Networks:
        networks = _Networks()
        for listed in _read(_ADDRESSES):
            for value in listed.values:
                networks.add(value, listed.name)
        return networks

    @cached_property
    def _domains(self) -> dict[str, Names]:
        return _index(_NAMES, lambda value: value.lower().lstrip(".").removeprefix("www."))

    @cached_property
    def _hashes(self) -> dict[str, Names]:
        return _index(_HASHES, str.lower)

    @cached_property
    def _any_email(self) -> re.Pattern[str]:
        """Found wherever one of ``_emails`` is, and perhaps elsewhere too."""
        return re.compile("|".join(f"(?:{p.pattern})" for p, _ in self._emails), re.IGNORECASE)

    @cached_property
    def _emails(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (re.compile(match[1], re.IGNORECASE if "i" in match[2] else 0), listed.name)
            for listed in _read(_EMAILS)
            for value in listed.values
            if (match := _PATTERN.fullmatch(value))
        ]


def telling_by(lists: WarningLists) -> Callable[[tuple[IndicatorType, str]], bool]:
    """Whether an indicator tells something, since it stands on none of the lists."""
    return lambda known: not lists.names(*known)


@cache
def top_level_domains() -> frozenset[str]:
    """The names that domains on the internet end in, in lower case."""
    return frozenset(value.lower() for listed in _read(("tlds",)) for value in listed.values)


class _Networks:
    """Networks by family and length, so that a look-up is one dictionary access per length."""

    def __init__(self) -> None:
        self._addresses: dict[str, Names] = {}
        self._by_length: dict[int, dict[int, dict[int, Names]]] = {4: {}, 6: {}}

    def add(self, value: str, name: str) -> None:
        """Add an address or network as the lists write it; what is neither is passed over."""
        if "/" not in value and ":" not in value:  # most entries: a plain IPv4 address
            self._addresses[value] = (*self._addresses.get(value, ()), name)
            return
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return
        shift = network.max_prefixlen - network.prefixlen
        known = self._by_length[network.version].setdefault(shift, {})
        prefix = int(network.network_address) >> shift
        known[prefix] = (*known.get(prefix, ()), name)

    def names(self, value: str) -> Names:
        """Lists that hold an address in normal form."""
        if ":" in value:
            version, number = 6, int(ipaddress.IPv6Address(value))
        else:
            one, two, three, four = value.split(".")
            version, number = 4, int(one) << 24 | int(two) << 16 | int(three) << 8 | int(four)
        found = self._addresses.get(value, ())
        for shift, known in self._by_length[version].items():
            if listed := known.get(number >> shift):
                found = (*found, *listed)
        return tuple(dict.fromkeys(found)) if found else ()


def _index(folders: tuple[str, ...], normal: Callable[[str], str]) -> dict[str, Names]:
    index: dict[str, Names] = {}
    for listed in _read(folders):
        for value in listed.values:
            key = normal(value)
            known = index.get(key, ())
            if listed.name not in known:
                index[key] = (*known, listed.name)
    return index


def _read(folders: tuple[str, ...]) -> Iterator[_File]:
    home = Path(pymispwarninglists.__file__).parent / "data" / "misp-warninglists" / "lists"
    for folder in folders:
        yield msgspec.json.decode((home / folder / "list.json").read_bytes(), type=_File)
