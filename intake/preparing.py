"""A report made ready for the database: all that can be reckoned from it alone, in plain values.

This is the costly half of intake and a function of the report alone, so it may run in any process;
what is left for the single writer is to compare keys and to write rows. Source: reliability 1.5b.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from classification.claimed import Claimed
from classification.evidence import evidence_in
from infra.originals import packed
from infra.settings import IntakeSettings
from intake.claims import claims_text
from intake.formats.base import UNDATED
from intake.grading import intake_evaluation
from intake.link_keys import Telling, indicator_keys, link_keys
from intake.records import Accepted, RawRecord, Rejected, read_record, report_id, unprocessable
from intake.standings import UNRECOGNISED, Standing, marked
from protocol.profile import Profile
from protocol.report import ReportContent, TimeKind, TimeWindow

LONGEST_ID = 200
"""Of a report or in its sender's words; a longer name names no report."""
VERSIONED = frozenset({"misp", "stix-2.0", "stix-2.1"})
"""Formats in which the same id with a later time stamp is a newer version, without a word of it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode


class Prepared(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One report as the writer needs it. Times are microseconds since 1970, texts of JSON are JSON."""

    id: str
    source_id: str
    title: str
    document: str
    evidence: str
    claimed: str
    """The claims for the major-attack test, as JSON."""
    source_grade: str
    information_grade: str
    evaluation: tuple[str, str, str, str, str]
    """Kind, scheme, original, by and reason of the first grade."""
    keys: dict[int, tuple[str, ...]]
    indicators: bytes
    """Their keys, packed."""
    earliest: int
    latest: int
    retractions: list[tuple[str, str]]
    """Kind and name of each report that this one takes back."""


class Ready(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of one record, apart from the record itself: its reports, or a reason."""

    sha256: str
    format: str
    reports: list[Prepared]
    reason: str = ""
    message: str = ""
    kept: bytes | None = None
    """What to keep of the record, where the record itself may not be kept."""


class Preparer:
    """Reads and prepares under one profile."""

    def __init__(self, profile: Profile, telling: Telling, limits: IntakeSettings) -> None:
        self._profile = profile
        self._telling = telling
        self._limits = limits

    def read(self, record: RawRecord, standing: Standing = UNRECOGNISED) -> Ready:
        """Translate a record and prepare its reports; whatever goes wrong is a reason.

        ``standing`` is that of whoever's topic it came on.
        """
        return self.ready(read_record(record, self._limits), record, standing)

    def ready(
        self, outcome: Accepted | Rejected, given: RawRecord, standing: Standing = UNRECOGNISED
    ) -> Ready:
        """Prepare the reports of a record that was read before; ``given`` is what came."""
        record = outcome.record
        kept = None if record.body is given.body else record.body
        sha256 = record.sha256
        if isinstance(outcome, Accepted):
            try:
                reports = [self._prepare(c, outcome, sha256, standing) for c in outcome.contents]
                return Ready(sha256, outcome.format, reports, kept=kept)
            except Exception as exc:  # noqa: BLE001  a defect of ours, see ``unprocessable``
                outcome = unprocessable(record, exc)
        return Ready(sha256, "", [], outcome.reason, outcome.message, kept)

    def _prepare(
        self, sent: ReportContent, outcome: Accepted, sha256: str, standing: Standing
    ) -> Prepared:
        record = outcome.record
        said = sent.model_dump_json()
        identity = report_id(record.group, record.principal, said)
        content = _dated(marked(sent, standing), record.received_at)
        if content is not sent:
            said = content.model_dump_json()
        delivery = _encode(
            {
                "id": identity,
                "group": record.group.value,
                "principal": record.principal,
                "received_at": record.received_at,
                "format": outcome.format,
                "sha256": sha256,
            }
        ).decode()
        evidence = evidence_in(content, identity, None, principal=record.principal)
        judged = intake_evaluation(content, record.group, standing)
        earliest, latest = content.window()
        rules = self._profile
        return Prepared(
            id=identity,
            source_id=content.source_id,
            title=content.title,
            document=f"{said[:-1]},{delivery[1:]}",  # one object out of two
            evidence=_encode(evidence.to_json()).decode(),
            claimed=claims_text(Claimed.of(evidence, rules.classification)),
            source_grade=judged.grade.source.value,
            information_grade=judged.grade.information.value,
            evaluation=(judged.kind, judged.scheme, judged.original, judged.by, judged.reason),
            keys=link_keys(content, rules.correlation, self._telling),
            indicators=packed(indicator_keys(content)),
            earliest=microseconds(earliest),
            latest=microseconds(latest),
            retractions=_retractions(content, outcome.format),
        )


def microseconds(moment: datetime) -> int:
    """Since the beginning of 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def _dated(content: ReportContent, received_at: datetime) -> ReportContent:
    if not any(map(_is_undated, content.times)):
        return content
    arrived = TimeWindow(kind=TimeKind.REPORTED, earliest=received_at, latest=received_at)
    times = tuple(arrived if _is_undated(time) else time for time in content.times)
    return content.model_copy(update={"times": times})


def _is_undated(time: TimeWindow) -> bool:
    return not time.tz_known and time == UNDATED


def _retractions(content: ReportContent, form: str) -> list[tuple[str, str]]:
    named = {
        (relation.kind, relation.id)
        for relation in content.relations
        if relation.kind in {"withdraws", "replaces"} and len(relation.id) <= LONGEST_ID
    }
    if form in VERSIONED and ("withdraws", content.source_id) not in named:
        named.add(("replaces", content.source_id))
    return sorted(named)
