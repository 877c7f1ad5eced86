"""By whom reports are borne out, among those that speak for their indicators and victims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from sqlalchemy import Connection

from classification.corroboration import NAMED, corroborates
from intake.verdicts import Verdict
from intake.voices import Voices, load_voices
from intake.witnesses import Witness, load


def judge(
    connection: Connection,
    judged: Sequence[Witness],
    voices: Voices,
    *,
    known: Iterable[Witness] = (),
    gone: Iterable[Witness] = (),
) -> list[Verdict]:
    """Whom each is borne out by, among the voices; ``known`` are not stored yet."""
    wanted = {each.seq: voices.numbers(each.item.keys, origin=each.item.origin) for each in judged}
    heard = {each.seq: each for each in known}
    stored = {number for numbers in wanted.values() for number in numbers} - heard.keys()
    heard |= {each.seq: each for each in load(connection, stored)}
    heard |= {each.seq: replace(each, item=replace(each.item, retracted=True)) for each in gone}
    return [
        Verdict(
            seq=each.seq,
            by=tuple(
                (other.seq, other.item.report_id)
                for other in islice(_bearing_out(each, wanted[each.seq], heard), NAMED)
            ),
        )
        for each in judged
    ]


def _bearing_out(
    each: Witness, numbers: Iterable[int], heard: dict[int, Witness]
) -> Iterator[Witness]:
    return (
        heard[number] for number in sorted(numbers) if corroborates(each.item, heard[number].item)
    )


def judge_again(connection: Connection, judged: Sequence[Witness]) -> list[Verdict]:
    keys = {key for each in judged for key in each.item.keys}
    return judge(connection, judged, load_voices(connection, keys))
