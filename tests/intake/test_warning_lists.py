from __future__ import annotations

import ipaddress
import json
from functools import cache
from pathlib import Path

import pymispwarninglists
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.warning_lists import ADDRESSES, WarningLists
from protocol.report import IndicatorType as Kind

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LISTS = WarningLists()
WANNACRY = "ed01ebfbc9eb5bbea545af4d01bf5f1071661840480439c6e5babe8e080e41aa"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.IP, "8.8.8.8"),
        (Kind.IP, "2001:4860:4860::8888"),
        (Kind.IP, "10.20.30.40"),
        (Kind.IP, "127.0.0.1"),
        (Kind.IP, "203.0.113.5"),
        (Kind.IP, "100.64.0.1"),
        (Kind.IP, "2606:4700::1"),
        (Kind.DOMAIN, "google.com"),
        (Kind.DOMAIN, "www.google.com"),
        (Kind.DOMAIN, "com"),
        (Kind.DOMAIN, "co.uk"),
        (Kind.URL, "https://www.google.com/"),
        (Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e"),
        (Kind.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Kind.EMAIL, "abuse@hoster.example"),
    ],
)
def test_what_everybody_has_in_common_is_held(kind: Kind, value: str) -> None:
    assert LISTS.hold(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.IP, "45.77.160.195"),
        (Kind.DOMAIN, "www.iuqerfsodp9ifjaposdfjhgosurijfaewrwergwea.com"),
        (Kind.DOMAIN, "phish.blogspot.com"),
        (Kind.URL, "https://raw.githubusercontent.com/a/b/c.ps1"),
        (Kind.URL, "http://8.8.8.8/gate.php"),
        (Kind.SHA256, WANNACRY),
        (Kind.MD5, "84c82835a5d21bbcf75a61706d8ab549"),
        (Kind.EMAIL, "wowsmith123456@posteo.net"),
        (Kind.PORT, "445"),
        (Kind.OTHER, "google.com"),
    ],
)
def test_what_is_telling_is_on_no_list(kind: Kind, value: str) -> None:
    assert not LISTS.hold(kind, value)


@given(st.data())
def test_an_address_is_held_exactly_if_a_listed_network_holds_it(data: st.DataObject) -> None:
    wide, single = networks()
    chosen = data.draw(st.sampled_from(wide))
    last = 2**chosen.max_prefixlen - 1
    edges = (int(chosen.network_address) - 1, int(chosen.broadcast_address) + 1)
    number = data.draw(st.sampled_from(edges) | st.integers(0, last)) % (last + 1)
    address = type(chosen.network_address)(number)

    among = any(address in network for network in wide if network.version == address.version)
    assert LISTS.hold(Kind.IP, str(address)) is (among or address in single)


@pytest.mark.parametrize(("kind", "folder"), [(Kind.DOMAIN, "alexa"), (Kind.SHA256, "mozilla-CA")])
def test_every_value_of_a_list_is_held_and_none_that_is_longer(kind: Kind, folder: str) -> None:
    values = [value.lower() for value in listed(folder)]
    assert len(values) > 100
    assert all(LISTS.hold(kind, value) for value in values)
    assert not any(LISTS.hold(kind, f"{value}0") for value in values)


@cache
def networks() -> tuple[list[Network], set[Address]]:
    """The networks of the lists, and their single addresses."""
    wide, single = [], set()
    for folder in ADDRESSES:
        for value in listed(folder):
            try:
                network = ipaddress.ip_network(value, strict=False)
            except ValueError:
                continue
            if network.num_addresses > 1:
                wide.append(network)
            else:
                single.add(network.network_address)
    return wide, single


def listed(folder: str) -> list[str]:
    home = Path(pymispwarninglists.__file__).parent / "data" / "misp-warninglists" / "lists"
    values: list[str] = json.loads((home / folder / "list.json").read_text())["list"]
    return values
