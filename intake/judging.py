"""By whom reports are borne out, among those that speak for their indicators and victims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from sqlalchemy import Connection

from classification.corroboration import NAMED, corroborates
from intake.verdicts import Verdict
from intake.voices import OF_ALL, Voices, load_voices
from intake.witnesses import Witness, load

FIRST_ASKED = NAMED + 1
"""Voices of each key that are looked at first; mostly they suffice, and they are the same for many."""


def judge(
    connection: Connection,
    judged: Sequence[Witness],
    voices: Voices,
    *,
    known: Iterable[Witness] = (),
    gone: Iterable[Witness] = (),
) -> list[Verdict]:
    """Whom each is borne out by, among the voices; ``known`` are not stored yet.

    ``gone`` are withdrawn, though the database does not say so yet.
    """
    heard = {each.seq: each for each in known}
    heard |= {each.seq: replace(each, item=replace(each.item, retracted=True)) for each in gone}
    found = _judge(connection, judged, voices, heard, most=FIRST_ASKED)
    alone = [each for each in judged if not found[each.seq].by]
    found |= _judge(connection, alone, voices, heard, most=OF_ALL)
    return [found[each.seq] for each in judged]


def judge_again(connection: Connection, judged: Sequence[Witness]) -> list[Verdict]:
    """As ``judge``, for reports that are stored."""
    keys = {key for each in judged for key in each.item.keys}
    return judge(connection, judged, load_voices(connection, keys))


def _judge(
    connection: Connection,
    judged: Sequence[Witness],
    voices: Voices,
    heard: dict[int, Witness],
    *,
    most: int,
) -> dict[int, Verdict]:
    """By running number; adds those whom it reads to ``heard``."""
    wanted = {
        each.seq: voices.numbers(each.item.keys, origin=each.item.origin, most=most)
        for each in judged
    }
    unheard = {number for numbers in wanted.values() for number in numbers} - heard.keys()
    heard |= {each.seq: each for each in load(connection, unheard)}
    return {
        each.seq: Verdict(seq=each.seq, by=_first(each, wanted[each.seq], heard)) for each in judged
    }


def _first(
    each: Witness, numbers: Iterable[int], heard: Mapping[int, Witness]
) -> tuple[tuple[int, str], ...]:
    bearing_out = (
        (number, heard[number].item.report_id)
        for number in sorted(numbers)
        if corroborates(each.item, heard[number].item)
    )
    return tuple(islice(bearing_out, NAMED))
