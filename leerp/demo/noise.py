"""What comes in at the same time and has nothing to do with the attack, and what nobody can read.

Unrelated reports must stay apart from the attack and from each other, so each has traces of its own.
"""

from __future__ import annotations

import json
from datetime import timedelta

from leerp.demo import cast
from leerp.demo.encodings import MISP, OWN, encode
from leerp.demo.tellings import Scene, citizen_complaint, csirt_situation, public_post
from protocol.parties import SourceGroup
from protocol.report import Affected, Indicator, IndicatorType, ReportContent, Reporter

NESTING = 100
"""Levels of brackets, more than intake reads."""

Broken = tuple[SourceGroup, str, bytes, str]
"""Group, declared format, body, and what is wrong with it."""


def phishing(scene: Scene) -> ReportContent:
    """One of the false parcel messages of any day."""
    name = f"parcel-{cast.sha256_of(scene.source_id)[:12]}.invalid"
    country = scene.chance.choice(("AT", "DK", "EE", "IE", "LU", "MT", "SI"))
    return ReportContent(
        source_id=scene.source_id,
        title="False parcel notice asks for card details",
        description="Seen in a mailbox for suspicious messages; nobody is known to have paid.",
        reporter=Reporter(name=cast.csirt_of(country), country=country),
        first_hand=False,
        times=scene.times(timedelta(hours=3)),
        rsit="fraud:phishing",
        indicators=(
            Indicator(type=IndicatorType.URL, value=f"https://{name}/pay", role="page"),
            Indicator(type=IndicatorType.EMAIL, value=f"parcels@{name}", role="sender"),
        ),
    )


def scan(scene: Scene) -> ReportContent:
    """One of the scans of any day: SSH, not file sharing."""
    return ReportContent(
        source_id=scene.source_id,
        title="Scan for SSH servers",
        description="Port 22 on all addresses of one network, once each.",
        reporter=Reporter(name=f"Sensor {scene.number + 1} of {cast.csirt_of('IE')}"),
        first_hand=True,
        times=scene.times(timedelta(minutes=10)),
        rsit="information-gathering:scanner",
        indicators=(
            Indicator(type=IndicatorType.IP, value=f"198.51.100.{scene.number + 1}", role="source"),
            Indicator(
                type=IndicatorType.IP, value=f"2001:db8::{scene.number + 1:x}", role="target"
            ),
            Indicator(type=IndicatorType.PORT, value="22", role="target"),
        ),
    )


def other_malware(scene: Scene) -> ReportContent:
    """A banking trojan that is not new."""
    sample = cast.sha256_of(f"other sample {scene.source_id}")
    return ReportContent(
        source_id=scene.source_id,
        title="Banking trojan, known family",
        description="Found and removed on one workstation.",
        reporter=Reporter(name=cast.PRIVATE_SENDERS[scene.number % len(cast.PRIVATE_SENDERS)]),
        first_hand=True,
        times=scene.times(),
        rsit="malicious-code:infected-system",
        affected=(Affected(kind="country", value="DK"),),
        indicators=(Indicator(type=IndicatorType.SHA256, value=sample, role="sample"),),
    )


def broken(scene: Scene) -> tuple[Broken, ...]:
    """Records that can never be accepted, one of each kind; all go into quarantine."""
    complaint, situation = encode(citizen_complaint(scene), OWN), csirt_situation(scene)
    without_number, without_list = (json.loads(encode(situation, OWN)) for _ in range(2))
    without_number["impact"]["loss_eur_min"] = float("nan")
    without_list["times"] = "this morning"
    without_time = json.loads(encode(situation, MISP))
    for name in ("date", "timestamp", "publish_timestamp"):
        del without_time["Event"][name]
    return (
        (SourceGroup.OTHER, OWN, complaint[: len(complaint) // 2], "not JSON: it breaks off"),
        (
            SourceGroup.CSIRT,
            OWN,
            json.dumps(without_number).encode(),
            "NaN is not a number in JSON",
        ),
        (SourceGroup.OTHER, OWN, b"[" * NESTING + b"]" * NESTING, "nested too deep"),
        (
            SourceGroup.OSINT,
            OWN,
            encode(public_post(scene), OWN),
            "group 1 without primary or secondary (R5)",
        ),
        (SourceGroup.PARTNER_AGENCY, MISP, json.dumps(without_time).encode(), "no time at all"),
        (
            SourceGroup.LAW_ENFORCEMENT,
            OWN,
            json.dumps(without_list).encode(),
            "times is not a list",
        ),
    )
