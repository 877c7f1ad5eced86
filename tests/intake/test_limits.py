from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.limits import decode_json
from protocol.errors import RejectedReport

SECRET = "s3cret-name"


def decode(body: bytes) -> Any:
    return decode_json(body, max_bytes=1_000_000, max_depth=64)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"{", "not-json"),
        (b'{"a": 1,}', "not-json"),
        (b'{"a": 1} {}', "not-json"),
        (b"{'a': 1}", "not-json"),
        (b'["\n"]', "not-json"),
        (b"[01]", "not-json"),
        (b"[NaN]", "not-finite"),
        (b"[-Infinity]", "not-finite"),
        (b"[1e999]", "not-finite"),
        (b"[-1e999]", "not-finite"),
        (b"[" + b"9" * 5_000 + b"]", "number-too-large"),
        (b"[18446744073709551616]", "number-too-large"),
        (b'{"a": 1, "a": 1}', "duplicate-key"),
        (b'[{"x": {"a": 1, "\\u0061": 2}}]', "duplicate-key"),
        (b'["\xff"]', "bad-text"),
        (b'["\xc0\xaf"]', "bad-text"),
        (b'["\\u0000"]', "bad-text"),
        (b'{"\\ud800": 1}', "bad-text"),
        (b'["\\uDFAA"]', "bad-text"),
        ('["text"]'.encode("utf-16"), "bad-text"),
        (b"[" * 65 + b"]" * 65, "too-deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too-deep"),
        (b"[" * 100_000, "too-deep"),
        (b'{"a":' * 100_000, "too-deep"),
        (b'"' + b"a" * 1_000_000 + b'"', "too-large"),
    ],
)
def test_what_is_no_clean_json_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedReport) as refused:
        decode(body)

    assert refused.value.reason == reason
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "body",
    [
        f'{{"{SECRET}": 1, "{SECRET}": 2}}'.encode(),
        f'["{SECRET}\\u0000"]'.encode(),
        f'["{SECRET}"'.encode(),
        f'["{SECRET}", NaN]'.encode(),
        f'["{SECRET}'.encode() + b'\xff"]',
    ],
)
def test_a_refusal_never_quotes_what_was_sent(body: bytes) -> None:
    with pytest.raises(RejectedReport) as refused:
        decode(body)

    assert SECRET not in f"{refused.value}{refused.value.reason}"


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{}",
        b'["\\ud83d\\ude00", "\\\\u0000", "\\\\ud800"]',
        b"[" * 64 + b"]" * 64,
        b'["' + b"[{" * 500 + b'"]',
        b"[1e308, -0.0, 18446744073709551615, -9223372036854775808]",
    ],
)
def test_unusual_but_clean_json_is_accepted(body: bytes) -> None:
    assert decode(body) == json.loads(body.removeprefix(b"\xef\xbb\xbf"))


def test_bottomless_nesting_is_refused_quickly() -> None:
    started = time.process_time()
    for body in (b"[" * 900_000, b'{"a":' * 180_000, b'[{"a":' * 150_000):
        with pytest.raises(RejectedReport):
            decode(body)

    assert time.process_time() - started < 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\x00")), inner)
    ),
    max_leaves=30,
)


@given(JSON)
def test_clean_json_is_decoded_as_the_standard_library_does(document: Any) -> None:
    assert decode(json.dumps(document).encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    try:
        document = decode(body)
    except RejectedReport:
        return

    assert json.loads(json.dumps(document)) == document
