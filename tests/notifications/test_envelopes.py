from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.envelopes import (
    Letter,
    bounce_address,
    commands,
    make_token,
    read_token,
    require_plain,
    require_whole_lines,
    token_of_address,
)
from protocol.errors import Refused

KEY = bytes(range(32))
ROW = "0123456789abcdef" * 2
IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)


@given(row=IDS)
def test_a_token_names_its_row_also_after_servers_changed_its_case(row: str) -> None:
    token = make_token(KEY, row)
    address = bounce_address("bounces@ec3.example", token)
    assert len(address.partition("@")[0]) <= 64
    assert read_token(KEY, token_of_address(address.upper())) == row


@given(
    row=IDS, place=st.integers(0, 51), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567")
)
def test_a_token_with_another_letter_anywhere_names_nothing_else(
    row: str, place: int, letter: str
) -> None:
    token = make_token(KEY, row)
    altered = token[:place] + letter + token[place + 1 :]
    named = read_token(KEY, altered)
    assert named in ({row} if altered == token else {None, row} if place == 51 else {None})


@given(row=IDS)
def test_another_key_makes_no_token_of_ours(row: str) -> None:
    assert read_token(KEY, make_token(bytes(32), row)) is None


@given(text=st.text(max_size=80))
def test_any_other_text_is_no_token(text: str) -> None:
    assert read_token(KEY, text) is None


def letter(**changes: object) -> Letter:
    values: dict[str, object] = {"to": "poc+1@example.org", "raw": b"", "token": "t" * 52}
    return Letter(**{**values, **changes})  # type: ignore[arg-type]


def said(offers: set[str], bounces: str = "", **changes: object) -> tuple[str, str]:
    mail, rcpt = commands(
        letter(**changes), sender="leerp@ec3.example", bounces=bounces, offers=offers
    )
    return mail.decode(), rcpt.decode()


@pytest.mark.requirement("R33")
def test_bounces_come_back_to_an_address_of_the_mails_own() -> None:
    mail, rcpt = said(set(), "bounces@ec3.example")
    assert mail == f"MAIL FROM:<bounces+{'t' * 52}@ec3.example>"
    assert rcpt == "RCPT TO:<poc+1@example.org>"


@pytest.mark.requirement("R33")
def test_delivery_notices_are_asked_for_where_they_are_offered() -> None:
    mail, rcpt = said({"DSN"})
    assert mail == f"MAIL FROM:<leerp@ec3.example> RET=HDRS ENVID={'t' * 52}"
    assert rcpt == (
        "RCPT TO:<poc+1@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;poc+2B1@example.org"
    )


def test_requiretls_is_said_for_who_needs_it() -> None:
    assert said({"REQUIRETLS"}, requiretls=True)[0].endswith(" REQUIRETLS")
    assert "REQUIRETLS" not in said({"REQUIRETLS"})[0]


@pytest.mark.parametrize(
    "address",
    [
        "a@b>\r\nRCPT TO:<c@d",
        "a b@c",
        "<a@b>",
        "a@b c",
        '"a"@b',
        "a@@b",
        "nobody",
        "a" * 250 + "@b",
    ],
)
def test_an_address_that_says_more_than_where_to_send_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="correct it"):
        require_plain(address)
    with pytest.raises(Refused):
        said(set(), to=address)


@pytest.mark.parametrize("raw", [b"a\n.\nb\r\n", b"a\r.\r\n", b"a\r\n.\n", b"a", b"a\n"])
def test_a_broken_line_end_is_refused_as_some_server_might_see_an_end_there(raw: bytes) -> None:
    with pytest.raises(Refused, match="line end"):
        require_whole_lines(raw)


@given(parts=st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"text"])))
def test_a_break_that_stands_alone_is_found_wherever_it_is(parts: list[bytes]) -> None:
    raw = b"".join(parts) + b"\r\n"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        with pytest.raises(Refused):
            require_whole_lines(raw)
    else:
        require_whole_lines(raw)


def test_whole_lines_pass() -> None:
    raw = b"a\r\n.\r\n..b\r\n"
    require_whole_lines(raw)
    assert raw.endswith(b"\r\n")
