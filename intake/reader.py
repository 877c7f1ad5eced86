"""A process that reads records: orders come in on standard input, answers go out on standard output.

``python -m intake.reader``. The first message says under which rules to read; every further one is
an order. It imports what reading needs and nothing else, and it ends with whoever feeds it.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Sequence
from typing import IO

import msgspec

from infra.intake_limits import IntakeSettings
from infra.memory import collect_new, collect_seldom, keep_memory_small
from intake.preparing import Preparer
from intake.records import RawRecord
from intake.sheaf import Answer, answer, combined
from intake.standing import Standings
from intake.warning_lists import WarningLists, telling_by
from protocol.profile import Profile

READY = b""
"""The message that comes before the first answer: orders are read from now on."""
LEAST_ROOM = 1_000_000
"""Bytes that must be left under the limit when reading begins."""
BEHIND = 5
"""How far behind others we stand for the processor: who settles, warns and shows goes before who reads."""
PART = 250
"""Records that are read and packed before the next ones are, so that they stay in the processor's cache."""
_LENGTH = 8
"""Bytes before each message that say how many follow."""

_encoder = msgspec.msgpack.Encoder()
_rules = msgspec.msgpack.Decoder(tuple[str, str])
_order = msgspec.msgpack.Decoder(tuple[list[RawRecord], Standings])
_answer = msgspec.msgpack.Decoder(Answer)


def encode_rules(profile: Profile, limits: IntakeSettings) -> bytes:
    """The first message."""
    return _encoder.encode((profile.model_dump_json(), limits.model_dump_json()))


def encode_order(records: Sequence[RawRecord], standings: Standings) -> bytes:
    """A message that asks what becomes of each record."""
    return _encoder.encode((records, standings))


def decode_answer(message: bytes) -> Answer:
    """What became of the records of an order."""
    return _answer.decode(message)


def send(stream: IO[bytes], message: bytes) -> None:
    """Write one message."""
    stream.write(len(message).to_bytes(_LENGTH))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """Read one message.

    Raises:
        EOFError: nobody is there any more.
    """
    length = stream.read(_LENGTH)
    message = stream.read(int.from_bytes(length))
    if len(length) < _LENGTH or len(message) < int.from_bytes(length):
        raise EOFError
    return message


def _preparer(rules: bytes) -> Preparer:
    profile, limits = _rules.decode(rules)
    found = IntakeSettings.model_validate_json(limits)
    resource.setrlimit(resource.RLIMIT_AS, (found.reader_memory_bytes,) * 2)
    bytearray(LEAST_ROOM)  # where there is none, that is said now and not of the first record
    return Preparer(Profile.model_validate_json(profile), telling_by(WarningLists()), found)


def answered(order: bytes, preparer: Preparer) -> bytes:
    """The message that says what becomes of each record of an order; nothing of them stays behind."""
    records, standings = _order.decode(order)
    parts = []
    for begin in range(0, len(records), PART):
        part = records[begin : begin + PART]
        read = [preparer.read(each, standings.of(each.principal, each.group)) for each in part]
        parts.append(answer(part, read))
    collect_new()
    return _encoder.encode(combined(parts))


def main() -> None:
    """Answer orders until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started us
    os.nice(BEHIND)
    keep_memory_small()
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anything prints is no answer
    preparer = _preparer(receive(orders))
    collect_seldom()
    send(answers, READY)
    while True:
        try:
            order = receive(orders)
        except EOFError:
            return
        send(answers, answered(order, preparer))


if __name__ == "__main__":
    main()
