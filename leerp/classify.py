"""``leerp classify``: evidence to a class, a recommendation and its reasons, without any service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from classification.assessment import Assessment, assess
from classification.scores.result import SideScore
from classification.scores.side_scores import side_scores
from infra.documents import FORMS
from leerp.evidence_file import EvidenceFile, Expectation, read_evidence
from protocol.errors import LeerpError, Refused
from protocol.matrix import Matrix
from protocol.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """All that the rules say of an evidence file."""

    file: EvidenceFile
    profile: Profile
    """The profile that it was assessed by, with the matrix that was asked for."""
    assessment: Assessment
    scores: tuple[SideScore, ...]
    compared: tuple[Assessment, ...] = ()
    """By the other matrices that it was to be compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file of a folder: what came of it, or what is wrong with it."""

    path: Path
    classified: Classified | None = None
    trouble: str = ""

    @property
    def name(self) -> str:
        """As its author calls it, or else the file."""
        named = self.classified.file.name if self.classified else ""
        return named or self.path.stem

    @property
    def differs(self) -> tuple[str, ...]:
        """What did not come out as its author expects; a file that cannot be read never does."""
        if self.classified is None:
            return (self.trouble,)
        expected = self.classified.file.expect
        return differences(expected, self.classified) if expected else ()


def classify(file: EvidenceFile, profile: Profile, matrix: Matrix | None = None) -> Classified:
    """Assess evidence by the profile, or by another matrix and then by the profile's own too.

    Raises:
        Refused: see ``assess``.
    """
    used = profile.with_matrix(matrix) if matrix else profile
    items = file.items()
    assessed = assess(items, file.findings, used)
    own = () if used.matrix == profile.matrix else (profile.matrix_in_force(),)
    return Classified(
        file=file,
        profile=used,
        assessment=assessed,
        scores=side_scores(assessed, items, file.facts),
        compared=by_each_matrix(file, own, profile),
    )


def by_each_matrix(
    file: EvidenceFile, matrices: Iterable[Matrix], profile: Profile
) -> tuple[Assessment, ...]:
    """What the same evidence comes to by each of the matrices; all else stays the profile's."""
    items = file.items()
    return tuple(assess(items, file.findings, profile.with_matrix(each)) for each in matrices)


def classify_folder(folder: Path, profile: Profile, matrix: Matrix | None = None) -> list[Case]:
    """Classify every evidence file of a folder, by name; files of other kinds are passed over.

    Raises:
        Refused: ``no-cases``, there is no folder or no evidence file in it.
    """
    if not folder.is_dir():
        raise Refused("no-cases", f"{folder} is no folder: --table runs a folder of evidence files")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in FORMS)
    if not files:
        raise Refused("no-cases", f"{folder} holds no evidence file ({', '.join(FORMS)})")
    return [_case(path, profile, matrix) for path in files]


def _case(path: Path, profile: Profile, matrix: Matrix | None) -> Case:
    try:
        found = classify(read_evidence(path, profile), profile, matrix)
    except LeerpError as exc:
        return Case(path=path, trouble=str(exc))
    return Case(path=path, classified=found)


def differences(expected: Expectation, found: Classified) -> tuple[str, ...]:
    """What is expected and did not come out, each in words."""
    result = found.assessment
    pairs: Sequence[tuple[str, object, object]] = (
        ("class", expected.threat_class, result.threat_class),
        ("recommendation", expected.recommendation, result.recommendation),
        ("impact", expected.impact, result.impact),
        ("reach", expected.reach, result.reach),
        ("triggers", expected.triggers, frozenset(t.id for t in result.triggers)),
        ("not passed", expected.not_passed, frozenset(g.id for g in result.gates if not g.passed)),
    )
    differing = [
        f"{name}: {_words(wanted)} expected, {_words(came)} found"
        for name, wanted, came in pairs
        if wanted is not None and wanted != came
    ]
    values = {score.id: score.value for score in found.scores}
    differing += [
        f"{score}: {wanted or 'not enough known'} expected, {values[score] or 'not enough known'} found"
        for score, wanted in expected.scores.items()
        if values[score] != wanted
    ]
    return tuple(differing)


def _words(value: object) -> str:
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)
