"""What each kind of sender tells in the first hours of the simulated attack.

The course follows what is generally known of 12 May 2017: a worm that spread by a flaw in a file
sharing service, encrypted what it found, and asked for a ransom; hospitals had to turn patients away.
Everybody and everything in it is invented.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from classification.conversion import AdmiraltyGrade, to_4x4
from leerp.demo import cast
from leerp.demo.cast import Victim
from protocol.grades import Grade
from protocol.markings import Classification, Marking, Pap, Tlp
from protocol.report import (
    Affected,
    Cause,
    CauseClaim,
    Disruption,
    Evaluation,
    Impact,
    Indicator,
    IndicatorType,
    ReportContent,
    Reporter,
    TimeKind,
    TimeWindow,
)

PUBLIC = Marking(classification=Classification.PUBLIC, tlp=Tlp.CLEAR, pap=Pap.CLEAR)
COMMUNITY = Marking(tlp=Tlp.GREEN, pap=Pap.GREEN)
MALICIOUS = CauseClaim(value=Cause.MALICIOUS, clear=True, statement="ransom is demanded")
SUSTAINED = ("essential-service-sustained-denial", "risk-to-life")
EARLY_POSTS = 3
POLICE_GRADES = ("B2", "A2", "B2", "B1", "A2", "B4")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One report about to be written."""

    source_id: str
    number: int
    """Of the wave's reports, from 0."""
    at: datetime
    """When it is sent."""
    chance: random.Random

    def traces(self, least: int = 1) -> tuple[Indicator, ...]:
        """The worm's hash and some of its other traces."""
        count = self.chance.randint(least, len(cast.TRACES))
        return (cast.WORM, *self.chance.sample(cast.TRACES, count))

    def times(self, longest: timedelta = timedelta(minutes=40)) -> tuple[TimeWindow, ...]:
        """Seen for some minutes, and reported a little later."""
        last = self.at - timedelta(seconds=self.chance.randint(60, 900))
        first = last - self.chance.random() * longest
        first, last = (moment.replace(microsecond=0) for moment in (first, last))
        return (
            TimeWindow(kind=TimeKind.OBSERVED, earliest=first, latest=last),
            TimeWindow(kind=TimeKind.REPORTED, earliest=self.at, latest=self.at),
        )


def public_post(scene: Scene) -> ReportContent:
    """What the centre's collectors find in public: much is claimed, nothing is sure."""
    victim = _nth(cast.HOSPITALS + cast.OTHER_ESSENTIAL, scene.number)
    # One machine in one place, before anybody sees how far it goes.
    early = scene.number < EARLY_POSTS
    criteria = ("non-critical-degraded",) if early else ("essential-service-disrupted",)
    return ReportContent(
        source_id=scene.source_id,
        title=f"Public posts: screens of {victim.name} show a demand for ransom",
        description="Photographs of locked screens are passed on; staff write that machines restart"
        " one after the other. Not verified.",
        reporter=Reporter(name=_nth(cast.MONITORS, scene.number)),
        first_hand=False,
        times=scene.times(),
        rsit="malicious-code:infected-system",
        affected=_hit(victim, count=1),
        impact=Impact(
            criteria=criteria,
            disruption=Disruption.OBSERVED,
            self_propagating=scene.chance.random() < 0.5,
        ),
        indicators=(cast.WORM, _nth(cast.WALLETS, scene.number), cast.ENCRYPTOR),
        marking=PUBLIC,
    )


def sensor_alert(scene: Scene) -> ReportContent:
    """A honeypot that was attacked and kept the sample."""
    state = _nth(cast.CSIRT_STATES, scene.number)
    return ReportContent(
        source_id=scene.source_id,
        title="Exploit of the file sharing service on port 445, sample kept",
        description=f"{scene.chance.randint(40, 900)} attempts in the window, all alike; the sample"
        " scans for further machines by itself. CVE-2017-0144.",
        reporter=Reporter(name=f"Sensor {scene.number + 1} of {cast.csirt_of(state)}"),
        first_hand=True,
        times=scene.times(timedelta(minutes=15)),
        rsit="malicious-code:infected-system",
        indicators=(
            cast.WORM,
            _address(scene, "203.0.113", "source"),
            _address(scene, "192.0.2", "target"),
            Indicator(type=IndicatorType.PORT, value="445", role="target"),
        ),
    )


def csirt_situation(scene: Scene) -> ReportContent:
    """A national CSIRT on what its constituents tell it."""
    state = _nth(cast.CSIRT_STATES, scene.number)
    victim = _of_state(state, scene.number)
    return ReportContent(
        source_id=scene.source_id,
        title=f"Ransomware worm in networks of {state}: {victim.sector}",
        description=f"{victim.name} and others have taken systems off the network. The worm uses"
        " CVE-2017-0144 and needs nobody to open anything. Update to MS17-010; do not block the kill"
        " switch domain.",
        reporter=Reporter(name=cast.csirt_of(state), country=state),
        first_hand=False,
        times=scene.times(timedelta(hours=1)),
        cause=MALICIOUS,
        rsit="malicious-code:malware-distribution",
        affected=_hit(victim),
        impact=_effect(victim),
        indicators=scene.traces(2),
        references=("CVE-2017-0144", "MS17-010"),
    )


def telemetry(scene: Scene) -> ReportContent:
    """A security firm on what its products see at customers."""
    victim = _nth(cast.VICTIMS, scene.number)
    return ReportContent(
        source_id=scene.source_id,
        title=f"Telemetry: wave of one ransomware family, first seen in {victim.country}",
        description=f"{scene.chance.randint(200, 9_000)} machines in the last hour try to reach the"
        " same domain before they begin to encrypt. Samples are alike but for their packing.",
        reporter=Reporter(name=_nth(cast.PRIVATE_SENDERS, scene.number)),
        first_hand=True,
        times=scene.times(timedelta(hours=1)),
        rsit="malicious-code:malware-distribution",
        affected=_hit(victim),
        impact=_effect(victim, certain=False),
        indicators=scene.traces(2),
        marking=COMMUNITY,
    )


def partner_notice(scene: Scene) -> ReportContent:
    """An agency or body of the Union on what reaches it."""
    victim = _nth(cast.HOSPITALS[3:] + cast.OTHER_ESSENTIAL, scene.number)
    return ReportContent(
        source_id=scene.source_id,
        title=f"Partner notice: {victim.sector} operators in {victim.country} ask for help",
        description=f"{victim.name} reports to its network that it works on paper. Further operators"
        " of the sector have asked for indicators.",
        reporter=Reporter(name=_nth(cast.PARTNER_AGENCIES, scene.number)),
        first_hand=False,
        evaluation=to_4x4(AdmiraltyGrade.parse("b3")).evaluation(),
        times=scene.times(timedelta(hours=2)),
        rsit="malicious-code:infected-system",
        affected=_hit(victim),
        impact=_effect(victim, certain=False),
        indicators=scene.traces(),
    )


def police_report(scene: Scene) -> ReportContent:
    """A national cybercrime unit that was at the victim, with its own evaluation."""
    state = _nth(cast.POLICE_STATES, scene.number)
    turn, _ = divmod(scene.number, len(cast.POLICE_STATES))
    victim = _of_state(state, turn)
    grade = _nth(POLICE_GRADES, scene.number)
    return ReportContent(
        source_id=scene.source_id,
        title=f"Criminal complaint: {victim.name}",
        description=f"Officers are with the operator. {victim.sites} sites are without systems; the"
        " disks of two machines are secured. The ransom demanded is the worth of 300 dollars for each"
        " machine.",
        reporter=Reporter(
            name=cast.police_of(state),
            country=state,
            contact=f"duty@le-poc-{state.lower()}.invalid",
        ),
        first_hand=True,
        evaluation=Evaluation(scheme="europol4x4", original=grade, grade=Grade.parse(grade)),
        times=scene.times(timedelta(hours=2)),
        cause=MALICIOUS,
        rsit="malicious-code:infected-system",
        affected=_hit(victim),
        impact=_effect(victim),
        indicators=scene.traces(3),
    )


def police_exchange(scene: Scene) -> ReportContent:
    """The same by a unit's sharing platform, which knows the Admiralty code only."""
    content = police_report(scene)
    evaluation = to_4x4(AdmiraltyGrade.parse("b2"), first_hand=True).evaluation()
    return content.model_copy(update={"evaluation": evaluation})


def citizen_complaint(scene: Scene) -> ReportContent:
    """A small victim that writes by itself."""
    victim = _nth(cast.FIRMS, scene.number)
    return ReportContent(
        source_id=scene.source_id,
        title=f"We are locked out: {victim.name}",
        description="All our machines show the same red window with a clock. What shall we do? We have"
        " not paid.",
        reporter=Reporter(name=f"{victim.name}, office {scene.number + 1}", country=victim.country),
        first_hand=True,
        times=scene.times(),
        rsit="malicious-code:infected-system",
        affected=_hit(victim, count=1),
        impact=Impact(criteria=("non-critical-denied",), disruption=Disruption.OBSERVED),
        indicators=(cast.WORM, _nth(cast.WALLETS, scene.number)),
    )


def _nth(things: Sequence[T], number: int) -> T:
    """The things one after the other, and again from the first."""
    return things[number % len(things)]


def _of_state(state: str, turn: int) -> Victim:
    """The victims of this state in turn, a hospital first."""
    return _nth([v for v in cast.VICTIMS if v.country == state], turn)


def _hit(victim: Victim, *, count: int | None = None) -> tuple[Affected, ...]:
    return (
        Affected(
            kind="organisation",
            value=victim.name,
            count_min=victim.sites if count is None else count,
        ),
        Affected(kind="sector", value=victim.sector),
        Affected(kind="country", value=victim.country),
    )


def _effect(victim: Victim, *, certain: bool = True) -> Impact:
    """What the loss of this victim's services means; ``certain`` where the sender was there."""
    if victim.sector == "health":
        criteria = SUSTAINED if certain else SUSTAINED[:1]
    elif victim in cast.OTHER_ESSENTIAL:
        criteria = ("essential-service-disrupted",)
    else:
        criteria = ("significant-incident",)
    return Impact(
        criteria=criteria,
        disruption=Disruption.OBSERVED,
        services=(f"{victim.sector} services of {victim.name}",),
        risk_to_life=certain and victim.sector == "health",
        self_propagating=True,
    )


def _address(scene: Scene, network: str, role: str) -> Indicator:
    value = f"{network}.{scene.chance.randint(1, 254)}"
    return Indicator(type=IndicatorType.IP, value=value, role=role)
