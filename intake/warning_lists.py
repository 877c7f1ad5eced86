"""Values that everybody has in common, out of the public MISP warning lists.

They are kept on reports but link nothing: without them two incidents that both name a public
resolver would become one. Only lists of shared things are used; a list of cloud addresses is not,
since a rented machine is as telling as any other. All intake asks is whether a value stands on any of
them, so 200,000 values take 3 MB: of texts a digest is kept, of addresses the spans that they lie in.
Source: design section 3 (correlation).
"""

from __future__ import annotations

import ipaddress
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton

import msgspec

from protocol.indicators import host_of
from protocol.report import IndicatorType

_PACKAGE = "pymispwarninglists"
ADDRESSES = (
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
_SPARSE = 5
"""Places for each text, of which most stay empty."""
_FRONT_PAGE = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?[^/?#]+/?")
_BITS = {4: 32, 6: 128}
"""Of an address, by family."""
_PATTERN = re.compile(r"/(.*)/([gi]*)", re.DOTALL)


class _File(msgspec.Struct):
    """A warning list as its project publishes it."""

    values: list[str] = msgspec.field(name="list")


class WarningLists:
    """Looks values up in the lists; each kind is read at its first look-up.

    Domains match exactly or with ``www.`` before them: a name below a well-known one, such as a
    free web space, is telling.
    """

    def hold(self, kind: IndicatorType, value: str) -> bool:
        """Whether any of the lists holds this normalised value, which tells nothing then."""
        if kind is IndicatorType.DOMAIN:
            return value.removeprefix("www.") in self._domains
        if kind is IndicatorType.IP:
            return value in self._networks
        if kind is IndicatorType.EMAIL:
            return any(pattern.search(value) for pattern in self._emails)
        if kind is IndicatorType.URL:
            return self._holds_front_page(value)
        return kind in _HASH_KINDS and value in self._hashes

    def _holds_front_page(self, url: str) -> bool:
        """A URL that says no more than its host is as common as the host."""
        if not _FRONT_PAGE.fullmatch(url):
            return False
        host = host_of(url)
        return host is not None and self.hold(*host)

    @cached_property
    def _networks(self) -> _Networks:
        return _Networks(_read(ADDRESSES))

    @cached_property
    def _domains(self) -> _Texts:
        return _Texts(value.lower().lstrip(".").removeprefix("www.") for value in _read(_NAMES))

    @cached_property
    def _hashes(self) -> _Texts:
        return _Texts(map(str.lower, _read(_HASHES)))

    @cached_property
    def _emails(self) -> list[re.Pattern[str]]:
        return [
            re.compile(match[1], re.IGNORECASE if "i" in match[2] else 0)
            for value in _read(_EMAILS)
            if (match := _PATTERN.fullmatch(value))
        ]


def telling_by(lists: WarningLists) -> Callable[[tuple[IndicatorType, str]], bool]:
    """Whether an indicator tells something, since it stands on none of the lists."""

    hold = lists.hold
    return lambda known: not hold(*known)


@cache
def top_level_domains() -> frozenset[str]:
    """The names that domains on the internet end in, in lower case."""
    return frozenset(value.lower() for value in _read(("tlds",)))


class _Texts:
    """A set of texts by their digests: 64 bits, Python's own, which nobody outside can foresee."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._digests = array("q", sorted(map(hash, texts)))
        self._mask = (1 << (_SPARSE * len(self._digests)).bit_length()) - 1
        self._some = bytearray(self._mask + 1)
        """Whether any digest ends like this: one look that most values, which are on no list, need."""
        for digest in self._digests:
            self._some[digest & self._mask] = 1

    def __contains__(self, text: str) -> bool:
        digest = hash(text)
        if not self._some[digest & self._mask]:
            return False
        found = bisect_left(self._digests, digest)
        return found < len(self._digests) and self._digests[found] == digest


class _Networks:
    """Addresses and networks as spans of numbers that do not touch, for each family."""

    def __init__(self, values: Iterable[str]) -> None:
        spans: dict[int, set[int]] = {4: set(), 6: set()}
        for value in values:
            if span := _span(value):
                family, first, last = span
                spans[family].add(
                    first << _BITS[family] | last
                )  # less than half of a pair's memory
        firsts, lasts = _joined(spans.pop(4), _BITS[4])
        self._firsts, self._lasts = array("I", firsts), array("I", lasts)
        self._wide_firsts, self._wide_lasts = _joined(spans.pop(6), _BITS[6])

    def __contains__(self, address: str) -> bool:
        """Whether an address in normal form lies in one of them."""
        if ":" in address:
            number = int.from_bytes(inet_pton(AF_INET6, address))
            found = bisect_right(self._wide_firsts, number)
            return found > 0 and number <= self._wide_lasts[found - 1]
        number = int.from_bytes(inet_pton(AF_INET, address))
        found = bisect_right(self._firsts, number)
        return found > 0 and number <= self._lasts[found - 1]


def _span(value: str) -> tuple[int, int, int] | None:
    """Family, first and last number of an address or network as the lists write it; None for others."""
    if "/" not in value and ":" not in value:  # most entries: a plain IPv4 address
        try:
            number = int.from_bytes(inet_pton(AF_INET, value))
        except OSError:
            return None
        return 4, number, number
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


def _joined(spans: Iterable[int], bits: int) -> tuple[list[int], list[int]]:
    """First and last numbers of spans, each ``first << bits | last``; in order, none inside another."""
    firsts: list[int] = []
    lasts: list[int] = []
    for span in sorted(spans):
        first, last = span >> bits, span & ((1 << bits) - 1)
        if lasts and first <= lasts[-1]:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return firsts, lasts


def _read(folders: tuple[str, ...]) -> Iterator[str]:
    """The values of these lists; of the package that brings them only the data is wanted."""
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise ModuleNotFoundError(f"{_PACKAGE} is not installed", name=_PACKAGE)
    home = Path(package.origin).parent / "data" / "misp-warninglists" / "lists"
    for folder in folders:
        yield from msgspec.json.decode(
            (home / folder / "list.json").read_bytes(), type=_File
        ).values
