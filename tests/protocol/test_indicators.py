from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.indicators import guess_type, host_of, normalise
from protocol.report import Indicator
from protocol.report import IndicatorType as Kind

SHA256 = "ED01EBFBC9EB5BBEA545AF4D01BF5F1071661840480439C6E5BABE8E080E41AA"


@pytest.mark.parametrize(
    ("kind", "written", "normal"),
    [
        (Kind.DOMAIN, " Evil[.]Example. ", "evil.example"),
        (Kind.DOMAIN, "evil(.)example", "evil.example"),
        (Kind.DOMAIN, "evil[dot]example", "evil.example"),
        (Kind.DOMAIN, "evil{.}example", "evil.example"),
        (Kind.DOMAIN, "bücher.example", "xn--bcher-kva.example"),
        (Kind.DOMAIN, "XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        (Kind.DOMAIN, "_dmarc.evil.example", "_dmarc.evil.example"),
        (Kind.URL, "hxxp://Evil[.]Example:80/A?b=C#d", "http://evil.example/A?b=C"),
        (Kind.URL, "hXXps://evil[.]example:443", "https://evil.example/"),
        (Kind.URL, "hxxps[://]evil.example/a", "https://evil.example/a"),
        (Kind.URL, "https://evil.example:8443/", "https://evil.example:8443/"),
        (Kind.URL, "http://[2001:DB8:0::1]/x", "http://[2001:db8::1]/x"),
        (Kind.URL, "http://[::ffff:192.0.2.1]/x", "http://192.0.2.1/x"),
        (Kind.URL, "http://user:pw@Evil.example/", "http://user:pw@evil.example/"),
        (Kind.URL, "Evil.example/Path", "evil.example/Path"),
        (Kind.IP, "192.0.2[.]1", "192.0.2.1"),
        (Kind.IP, "192.0.2.1/32", "192.0.2.1"),
        (Kind.IP, "::FFFF:192.0.2.1", "192.0.2.1"),
        (Kind.IP, "2001:0DB8:0000::0001", "2001:db8::1"),
        (Kind.IP, "[2001:db8::1]", "2001:db8::1"),
        (Kind.EMAIL, "Some.One[at]Evil[.]Example", "Some.One@evil.example"),
        (Kind.SHA256, SHA256, SHA256.lower()),
        (Kind.PORT, "0443", "443"),
        (Kind.WALLET, "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ",
         "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
        (Kind.WALLET, "12t9YDPgwueZ9NyMgw519p7AA8isjr6SMw", "12t9YDPgwueZ9NyMgw519p7AA8isjr6SMw"),
        (Kind.OTHER, " mssecsvc.exe ", "mssecsvc.exe"),
    ],
)  # fmt: skip
def test_two_spellings_of_one_thing_become_one(kind: Kind, written: str, normal: str) -> None:
    assert normalise(kind, written) == normal


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (Kind.DOMAIN, "localhost"),
        (Kind.DOMAIN, "192.0.2.1"),
        (Kind.DOMAIN, "evil..example"),
        (Kind.DOMAIN, "-evil.example"),
        (Kind.DOMAIN, "a" * 64 + ".example"),
        (Kind.DOMAIN, "evil .example"),
        (Kind.URL, "javascript:alert(1)"),
        (Kind.URL, "https://"),
        (Kind.URL, "https://evil.example:99999/"),
        (Kind.URL, "https://[::1/"),
        (Kind.URL, "evil.example"),
        (Kind.URL, "http://evil.example/\nBcc: x"),
        (Kind.IP, "999.1.1.1"),
        (Kind.IP, "010.1.1.1"),
        (Kind.IP, "192.0.2.0/24"),
        (Kind.IP, "fe80::1%eth0"),
        (Kind.EMAIL, "nobody"),
        (Kind.EMAIL, "a b@evil.example"),
        (Kind.EMAIL, "a@localhost"),
        (Kind.MD5, "z" * 32),
        (Kind.SHA1, "a" * 32),
        (Kind.PORT, "65536"),
        (Kind.PORT, "-1"),
        (Kind.PORT, "٤٤٣"),
        (Kind.WALLET, "short"),
        (Kind.OTHER, "  "),
        (Kind.OTHER, "a\x00b"),
        (Kind.OTHER, "a" * 2_001),
    ],
)
def test_what_is_no_such_value_is_refused_without_quoting_it(kind: Kind, written: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        normalise(kind, written)

    assert written not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (SHA256, Kind.SHA256),
        ("d41d8cd98f00b204e9800998ecf8427e", Kind.MD5),
        ("192.0.2[.]1", Kind.IP),
        ("2001:db8::1", Kind.IP),
        ("a[at]evil.example", Kind.EMAIL),
        ("evil[.]example", Kind.DOMAIN),
        ("hxxp://evil.example/a", Kind.URL),
        ("evil.example/a", Kind.URL),
        ("12t9YDPgwueZ9NyMgw519p7AA8isjr6SMw", Kind.WALLET),
        ("192.0.2.0/24", Kind.OTHER),
        ("C:\\Windows\\mssecsvc.exe", Kind.OTHER),
        ("443", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_the_kind_of_a_value_is_guessed(written: str, kind: Kind) -> None:
    assert guess_type(written) is kind


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://evil.example:8443/a@b", (Kind.DOMAIN, "evil.example")),
        ("http://user@evil.example/", (Kind.DOMAIN, "evil.example")),
        ("http://[2001:db8::1]:8080/", (Kind.IP, "2001:db8::1")),
        ("http://192.0.2.1/x", (Kind.IP, "192.0.2.1")),
        ("evil.example/x", (Kind.DOMAIN, "evil.example")),
        ("http://intranet/x", None),
    ],
)
def test_a_url_names_its_host(url: str, host: tuple[Kind, str] | None) -> None:
    assert host_of(normalise(Kind.URL, url)) == host


PIECES = ["[", "]", "(", ")", ".", "dot", "at", "@", ":", "/", "hxxp", "a", "B", "é", " "]
DEFANGED = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)
PLAUSIBLE = st.one_of(
    st.text(max_size=60),
    DEFANGED,
    st.from_regex(
        r"h(xx|tt)ps?://[a-zA-Z0-9.\[\]-]{1,20}(:[0-9]{1,5})?(/[!-~]{0,9})?", fullmatch=True
    ),
    st.from_regex(r"[A-Za-z0-9é]{1,8}(\[?\.\]?[A-Za-z]{1,5}){1,3}\.?", fullmatch=True),
    st.ip_addresses().map(str),
    st.from_regex(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}", fullmatch=True),
    st.from_regex(r"[a-zA-Z.+]{1,10}(@|\[at\])[a-zA-Z]{1,9}\.[a-zA-Z]{2,4}", fullmatch=True),
)


def normal_or_none(kind: Kind, written: str) -> str | None:
    try:
        return normalise(kind, written)
    except ValueError:
        return None


@given(st.sampled_from(Kind), PLAUSIBLE)
def test_normalising_twice_changes_nothing_and_the_result_fits_a_report(
    kind: Kind, written: str
) -> None:
    normal = normal_or_none(kind, written)

    assert normal is None or normalise(kind, normal) == normal
    assert normal is None or Indicator(type=kind, value=normal).value == normal


@given(PLAUSIBLE)
def test_a_guessed_kind_can_be_normalised(written: str) -> None:
    kind = guess_type(written)

    assert kind is Kind.OTHER or normalise(kind, written)


@given(st.ip_addresses(v=4))
def test_an_address_is_one_whether_mapped_or_not(address: ipaddress.IPv4Address) -> None:
    assert normalise(Kind.IP, f"::ffff:{address}") == normalise(Kind.IP, str(address))


@given(
    st.lists(
        st.sampled_from(["0", "1", "00", "0a", "ff", "ffff", "a0", ""]), min_size=2, max_size=9
    )
)
def test_an_ipv6_address_has_the_form_of_its_standard_however_it_is_written(
    groups: list[str],
) -> None:
    text = ":".join(groups)
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        with pytest.raises(ValueError, match="not an IP address"):
            normalise(Kind.IP, text)
        return
    if address.ipv4_mapped is None:
        assert normalise(Kind.IP, text) == address.compressed
