"""What `leerp bridge` refuses before it connects to anything."""

from __future__ import annotations

import pytest

from tests.leerp.typed import DOWN, REFUSED, Run


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("intelmq", "/nowhere/events.txt"), REFUSED, "is no file"),
        (("intelmq", "redis://127.0.0.1:6379/2"), REFUSED, "queue=leerp-output"),
        (("intelmq", "redis://127.0.0.1:6379/2?queue=x"), DOWN, "leerp up"),
        (("misp-feed", "https://feed.invalid/"), REFUSED, "fetch the feed into a folder"),
        (("misp-feed", "/feed", "--client", "/nowhere"), REFUSED, "cannot be read"),
        (
            ("misp-feed", "/feed", "--client", "/x", "--group", "csirt"),
            REFUSED,
            "leave --group out",
        ),
    ],
)
def test_what_cannot_be_bridged_is_said_with_what_to_do(
    run: Run, typed: tuple[str, ...], code: int, said: str
) -> None:
    answer = run("bridge", *typed)
    assert answer.code == code
    assert said in " ".join(answer.err.split())
