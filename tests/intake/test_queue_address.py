"""How the address of a queue is written, and what is said when it is not."""

from __future__ import annotations

import pytest

from intake.bridges.intelmq_queue import QueueAddress
from protocol.errors import Refused


def test_an_address_is_shown_without_its_password_and_used_with_it() -> None:
    address = QueueAddress.parse("redis://user:secret-9@127.0.0.1:6380/2?queue=output")
    assert (address.url, address.queue) == ("redis://user:secret-9@127.0.0.1:6380/2", "output")
    assert str(address) == "redis://127.0.0.1:6380/2?queue=output"


@pytest.mark.parametrize(
    "text", ["redis://127.0.0.1:1/0", "redis://?queue=x", "amqp://h?queue=x", "redis://h?queue="]
)
def test_an_address_without_host_or_queue_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused, match="queue=leerp-output"):
        QueueAddress.parse(text)
