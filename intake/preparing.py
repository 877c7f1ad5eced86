"""A report made ready for the database: all that can be reckoned from it alone, in plain values.

This is the costly half of intake and a function of the report alone, so it may run in any process;
what is left for the single writer is to compare keys and to write rows. Source: reliability 1.5b.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from classification.claimed import Claimed
from classification.evidence import evidence_in, origin_of
from infra.intake_limits import IntakeSettings
from infra.packing import packed
from infra.stored import Original
from intake.claims import claims_text
from intake.formats.base import UNDATED
from intake.formats.own import NAME as OWN
from intake.formats.own_shapes import Report, Statement, statement_of
from intake.grading import IntakeEvaluation, intake_evaluation
from intake.link_keys import Linker, Telling, packed_words
from intake.records import (
    Accepted,
    RawRecord,
    Rejected,
    quick_report,
    read_record,
    report_id,
    unprocessable,
)
from intake.standing import UNRECOGNISED, Standing, marked
from protocol.profile import Profile
from protocol.report import ReportContent, TimeKind, TimeWindow
from protocol.statement import Naming

LONGEST_ID = 200
"""Of a report or in its sender's words; a longer name names no report."""
VERSIONED = frozenset({"misp", "stix-2.0", "stix-2.1"})
"""Formats in which the same id with a later time stamp is a newer version, without a word of it."""
REMEMBERED = 2_048
"""Statements kept with what they claim."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode
_NAMELESS = '{"report":"","origin":""'


class Prepared(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One report as the writer needs it. Times are microseconds since 1970, texts of JSON are JSON."""

    id: str
    source_id: str
    title: str
    evidence: str
    claimed: str
    """The claims for the major-attack test, as JSON."""
    source_grade: str
    information_grade: str
    provider_graded: bool
    """Whether the first grade is the provider's own."""
    keys: list[int]
    words: str
    """Of the link keys, see ``intake.link_keys.PackedKeys``."""
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
    originals: list[Original] = []
    """Of the reports, in their order; elsewhere once they are packed, see ``intake.sheaf``."""


class Preparer:
    """Reads and prepares under one profile."""

    def __init__(self, profile: Profile, telling: Telling, limits: IntakeSettings) -> None:
        self._profile = profile
        self._linker = Linker(profile.correlation, telling)
        self._limits = limits
        self._claims = lru_cache(REMEMBERED)(self._claimed)

    def read(self, record: RawRecord, standing: Standing = UNRECOGNISED) -> Ready:
        """Translate a record and prepare its reports; whatever goes wrong is a reason.

        ``standing`` is that of whoever's topic it came on.
        """
        try:
            quick = self._read_quickly(record, standing)
        except Exception as exc:  # noqa: BLE001  a defect of ours, see ``unprocessable``
            return _refused(unprocessable(record, exc), record.sha256)
        return quick or self.ready(read_record(record, self._limits), record, standing)

    def _read_quickly(self, record: RawRecord, standing: Standing) -> Ready | None:
        """The record if it holds one usual report of our own format; the same as the long way."""
        quick = quick_report(record, self._limits)
        if quick is None or (standing.tlp is not None and quick.marked):
            return None
        sha256, report = record.sha256, quick.fields
        identity = report_id(record.group, record.principal, quick.said)
        said = quick.said if standing.tlp is None else quick.marked_with(standing.tlp)
        evidence, claimed = self._claims(statement_of(report))
        origin = _origin(report.reporter.name, record.principal)
        evaluation = intake_evaluation(report, record.group, standing)
        prepared = self._prepared(
            report,
            identity=identity,
            evidence=f'{{"report":"{identity}","origin":{origin}{evidence}',
            claimed=claimed,
            evaluation=evaluation,
            retractions=_retractions(report, OWN),
        )
        document = _delivered(said, identity, record, OWN, sha256)
        return Ready(sha256, OWN, [prepared], originals=[_original(document, evaluation)])

    def ready(
        self, outcome: Accepted | Rejected, given: RawRecord, standing: Standing = UNRECOGNISED
    ) -> Ready:
        """Prepare the reports of a record that was read before; ``given`` is what came."""
        record = outcome.record
        kept = None if record.body is given.body else record.body
        sha256 = record.sha256
        if isinstance(outcome, Accepted):
            try:
                prepared = [self._prepare(c, outcome, sha256, standing) for c in outcome.contents]
                return Ready(
                    sha256,
                    outcome.format,
                    [each for each, _ in prepared],
                    kept=kept,
                    originals=[original for _, original in prepared],
                )
            except Exception as exc:  # noqa: BLE001  a defect of ours, see ``unprocessable``
                outcome = unprocessable(record, exc)
        return _refused(outcome, sha256, kept)

    def _claimed(self, statement: Statement) -> tuple[str, str]:
        """Evidence after its id and origin, and claims, as JSON: many reports state the same."""
        evidence = evidence_in(statement, "", None, principal="")
        claimed = Claimed.of(evidence, self._profile.classification)
        said = _encode(evidence.to_json()).decode()
        return said.removeprefix(_NAMELESS), claims_text(claimed)

    def _prepare(
        self, sent: ReportContent, outcome: Accepted, sha256: str, standing: Standing
    ) -> tuple[Prepared, Original]:
        record = outcome.record
        said = sent.model_dump_json()
        identity = report_id(record.group, record.principal, said)
        content = _dated(marked(sent, standing), record.received_at)
        if content is not sent:
            said = content.model_dump_json()
        evidence = evidence_in(content, identity, None, principal=record.principal)
        claimed = Claimed.of(evidence, self._profile.classification)
        evaluation = intake_evaluation(content, record.group, standing)
        prepared = self._prepared(
            content,
            identity=identity,
            evidence=_encode(evidence.to_json()).decode(),
            claimed=claims_text(claimed),
            evaluation=evaluation,
            retractions=_retractions(content, outcome.format),
        )
        document = _delivered(said, identity, record, outcome.format, sha256)
        return prepared, _original(document, evaluation)

    def _prepared(
        self,
        content: ReportContent | Report,
        *,
        identity: str,
        evidence: str,
        claimed: str,
        evaluation: IntakeEvaluation,
        retractions: list[tuple[str, str]],
    ) -> Prepared:
        earliest, latest = content.window()
        named = self._linker.named_in(content)
        keys = self._linker.keys_of(content, named)
        return Prepared(
            id=identity,
            source_id=content.source_id,
            title=content.title,
            evidence=evidence,
            claimed=claimed,
            source_grade=evaluation.grade.source.value,
            information_grade=evaluation.grade.information.value,
            provider_graded=evaluation.kind == "provider",
            keys=list(keys),
            words=packed_words(keys),
            indicators=packed(list({trait.key: None for trait in named})),
            earliest=microseconds(earliest),
            latest=microseconds(latest),
            retractions=retractions,
        )


def _original(document: str, evaluation: IntakeEvaluation) -> Original:
    return Original(
        document=document,
        kind=evaluation.kind,
        scheme=evaluation.scheme,
        original=evaluation.original,
        source_grade=evaluation.grade.source.value,
        information_grade=evaluation.grade.information.value,
        by=evaluation.by,
        grounds=evaluation.reason,
    )


@lru_cache(REMEMBERED)
def _origin(reporter: str, principal: str) -> str:
    """As JSON."""
    return _encode(origin_of(reporter, principal)).decode()


def _refused(outcome: Rejected, sha256: str, kept: bytes | None = None) -> Ready:
    return Ready(sha256, "", [], outcome.reason, outcome.message, kept)


def _delivered(said: str, identity: str, record: RawRecord, form: str, sha256: str) -> str:
    """The document of a report: one object out of what it says and what is known of its delivery."""
    delivery = _encode(
        {
            "id": identity,
            "group": record.group.value,
            "principal": record.principal,
            "received_at": record.received_at,
            "format": form,
            "sha256": sha256,
        }
    ).decode()
    return f"{said[:-1]},{delivery[1:]}"


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


def _retractions(content: Naming, form: str) -> list[tuple[str, str]]:
    named = {
        (relation.kind, relation.id)
        for relation in content.relations
        if relation.kind in {"withdraws", "replaces"} and len(relation.id) <= LONGEST_ID
    }
    if form in VERSIONED and ("withdraws", content.source_id) not in named:
        named.add(("replaces", content.source_id))
    return sorted(named)
