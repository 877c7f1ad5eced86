from __future__ import annotations

import pytest

from intake.warning_lists import WarningLists
from protocol.report import IndicatorType as Kind

LISTS = WarningLists()
WANNACRY = "ed01ebfbc9eb5bbea545af4d01bf5f1071661840480439c6e5babe8e080e41aa"


def names(kind: Kind, value: str) -> tuple[str, ...]:
    return LISTS.names(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "part_of_a_name"),
    [
        (Kind.IP, "8.8.8.8", "public DNS resolvers"),
        (Kind.IP, "2001:4860:4860::8888", "public DNS resolvers"),
        (Kind.IP, "10.20.30.40", "RFC 1918"),
        (Kind.IP, "127.0.0.1", "RFC 5735"),
        (Kind.IP, "203.0.113.5", "RFC 5735"),
        (Kind.IP, "100.64.0.1", "RFC 6598"),
        (Kind.IP, "2606:4700::1", "Cloudflare"),
        (Kind.DOMAIN, "google.com", "google"),
        (Kind.DOMAIN, "www.google.com", "google"),
        (Kind.DOMAIN, "com", "TLDs"),
        (Kind.DOMAIN, "co.uk", "Second level TLDs"),
        (Kind.URL, "https://www.google.com/", "google"),
        (Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e", "empty files"),
        (Kind.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "empty"),
        (Kind.EMAIL, "abuse@hoster.example", "contact"),
    ],
)
def test_what_everybody_has_in_common_is_named(kind: Kind, value: str, part_of_a_name: str) -> None:
    assert any(part_of_a_name in name for name in names(kind, value))


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
    assert names(kind, value) == ()
