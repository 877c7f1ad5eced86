"""The attack's reports: the first hours of a simulated WannaCry, some 300 records in four formats.

Up to ``POLICE_FROM`` everything is claimed and nothing confirmed, so that no assessment of what came
before recommends a launch; the reports of law enforcement then confirm it.
Source: issue 4, Build item 10; domain 3.5.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from intake.records import DETECTED_BY_HEADER, FORMAT_HEADER
from leerp.demo import noise, tellings
from leerp.demo.encodings import IDEA, MISP, OWN, STIX, encode
from leerp.demo.tellings import Scene
from protocol.parties import DetectedBy, SourceGroup
from protocol.report import ReportContent

LENGTH = timedelta(hours=6)
"""Nothing is sent later than this after the beginning."""
POLICE_FROM = timedelta(hours=2, minutes=30)
"""From here on law enforcement reports, and the attack is confirmed."""
DUPLICATES = 12


class Part(StrEnum):
    """What a simulated record is in the play."""

    ATTACK = "attack"
    """Belongs to the one incident."""
    UNRELATED = "unrelated"
    DUPLICATE = "duplicate"
    """The same bytes as an earlier record."""
    BROKEN = "broken"
    """Must be quarantined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedReport:
    """One record for Kafka: its group decides the topic, ``headers`` and ``body`` go as they are."""

    group: SourceGroup
    format: str
    headers: dict[str, str]
    body: bytes
    after: timedelta
    """Offset from the beginning of the attack, at least zero."""
    part: Part
    note: str
    """What it is, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wave:
    """So many reports of one kind from one group in one format, at random between two times."""

    group: SourceGroup
    format: str
    count: int
    first: timedelta
    last: timedelta
    write: Callable[[Scene], ReportContent]
    part: Part = Part.ATTACK


def wannacry(begin: datetime, seed: int = 1) -> tuple[SimulatedReport, ...]:
    """The reports of an attack that begins at ``begin`` (aware, UTC), in the order of ``after``.

    The same arguments give the same bytes.
    """
    chance = random.Random(seed)  # noqa: S311  a play, not a secret
    records = [record for wave in _WAVES for record in _of_wave(wave, begin, chance)]
    attack = [r for r in records if r.part is Part.ATTACK]
    for original in chance.sample(attack, DUPLICATES):
        later = original.after + (LENGTH - original.after) * chance.random()
        note = f"exact duplicate: {original.note}"
        records.append(replace(original, after=later, part=Part.DUPLICATE, note=note))
    records += _broken(begin, chance)
    return tuple(sorted(records, key=lambda r: r.after))


def _of_wave(wave: _Wave, begin: datetime, chance: random.Random) -> Iterator[SimulatedReport]:
    spread = sorted(chance.random() for _ in range(wave.count))
    for number, fraction in enumerate(spread):
        after = wave.first + (wave.last - wave.first) * fraction
        scene = Scene(
            source_id=_source_id(wave, number),
            number=number,
            at=_second(begin + after),
            chance=chance,
        )
        content = wave.write(scene)
        yield SimulatedReport(
            group=wave.group,
            format=wave.format,
            headers=_headers(wave.group, wave.format, number),
            body=encode(content, wave.format),
            after=after,
            part=wave.part,
            note=content.title,
        )


def _broken(begin: datetime, chance: random.Random) -> Iterator[SimulatedReport]:
    after = LENGTH * 0.1
    scene = Scene(source_id="sim-broken", number=0, at=_second(begin + after), chance=chance)
    for group, format_name, body, what in noise.broken(scene):
        yield SimulatedReport(
            group=group,
            format=format_name,
            headers={FORMAT_HEADER: format_name},
            body=body,
            after=after + (LENGTH - after) * chance.random(),
            part=Part.BROKEN,
            note=what,
        )


def _headers(group: SourceGroup, format_name: str, number: int) -> dict[str, str]:
    headers = {FORMAT_HEADER: format_name}
    if group is SourceGroup.OSINT:  # R5: the collector says how it came to know
        headers[DETECTED_BY_HEADER] = list(DetectedBy)[number % len(DetectedBy)]
    return headers


def _source_id(wave: _Wave, number: int) -> str:
    """The sender's id; says nothing of the report's part in the play."""
    of_wave = f"{wave.group}/{wave.format}/{wave.write.__name__}/{number}"
    return f"sim-{hashlib.sha256(of_wave.encode()).hexdigest()[:16]}"


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _wave(
    group: SourceGroup,
    format_name: str,
    count: int,
    minutes: tuple[int, int],
    write: Callable[[Scene], ReportContent],
    *,
    part: Part = Part.ATTACK,
) -> _Wave:
    first, last = (timedelta(minutes=m) for m in minutes)
    return _Wave(
        group=group,
        format=format_name,
        count=count,
        first=first,
        last=last,
        write=write,
        part=part,
    )


_POLICE = int(POLICE_FROM / timedelta(minutes=1))
_END = int(LENGTH / timedelta(minutes=1))
_WAVES = (
    # first signs
    _wave(SourceGroup.OSINT, OWN, 8, (0, 50), tellings.public_post),
    _wave(SourceGroup.PRIVATE_SECTOR, STIX, 28, (10, 270), tellings.telemetry),
    _wave(SourceGroup.CSIRT, IDEA, 34, (5, 330), tellings.sensor_alert),
    # it spreads
    _wave(SourceGroup.OSINT, MISP, 12, (40, 300), tellings.public_post),
    _wave(SourceGroup.CSIRT, MISP, 28, (45, 300), tellings.csirt_situation),
    _wave(SourceGroup.CSIRT, OWN, 12, (60, 240), tellings.csirt_situation),
    _wave(SourceGroup.PRIVATE_SECTOR, MISP, 10, (60, 300), tellings.telemetry),
    _wave(SourceGroup.PARTNER_AGENCY, STIX, 10, (70, 300), tellings.partner_notice),
    _wave(SourceGroup.PARTNER_AGENCY, MISP, 10, (80, 330), tellings.partner_notice),
    _wave(SourceGroup.OTHER, OWN, 16, (60, 350), tellings.citizen_complaint),
    _wave(SourceGroup.OTHER, STIX, 6, (90, 350), tellings.citizen_complaint),
    # it is confirmed
    _wave(SourceGroup.LAW_ENFORCEMENT, OWN, 40, (_POLICE, _END), tellings.police_report),
    _wave(SourceGroup.LAW_ENFORCEMENT, MISP, 10, (_POLICE + 20, _END), tellings.police_exchange),
    _wave(SourceGroup.PARTNER_AGENCY, OWN, 8, (_POLICE, _END), tellings.partner_notice),
    # what any day brings
    _wave(SourceGroup.CSIRT, IDEA, 16, (0, _END), noise.scan, part=Part.UNRELATED),
    _wave(SourceGroup.CSIRT, OWN, 8, (0, _END), noise.phishing, part=Part.UNRELATED),
    _wave(SourceGroup.OTHER, MISP, 8, (0, _END), noise.phishing, part=Part.UNRELATED),
    _wave(
        SourceGroup.PRIVATE_SECTOR, STIX, 10, (0, _END), noise.other_malware, part=Part.UNRELATED
    ),
)
