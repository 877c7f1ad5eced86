"""What the machine tags of a MISP event say: marking, evaluation, cause, class, sectors.

Source: domain 2.2, 2.5, 4.1 to 4.3, 6.6, 6.10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from classification.conversion import AdmiraltyGrade, to_4x4
from intake.formats.draft import Draft
from intake.formats.vocabulary import EUCI_LABELS, PAP_LABELS, TLP_LABELS, country, sector
from protocol.grades import AdmiraltyCredibility, AdmiraltySource
from protocol.markings import Classification, HandlingCode, Marking, Pap, Tlp
from protocol.report import Cause, CauseClaim, Evaluation

_TAG = re.compile(r"(?P<space>[^:=]+):(?P<predicate>[^=]+)(?:=\"?(?P<value>[^\"]*)\"?)?")
_HANDLING_SPACES = {"handling-code", "handling-codes", "europol-handling-code"}
_ROOT_CAUSES = {
    "system-failures": Cause.TECHNICAL_FAILURE,
    "natural-phenomena": Cause.NATURAL,
    "human-errors": Cause.HUMAN_ERROR,
    "malicious-actions": Cause.MALICIOUS,
    "third-party-failures": Cause.THIRD_PARTY,
}
_ADMIRALTY: dict[str, frozenset[str]] = {
    "source-reliability": frozenset(AdmiraltySource),
    "information-credibility": frozenset(AdmiraltyCredibility),
}
_SEVERITIES = {"red", "yellow", "green"}
_DISTRIBUTION = {"0": Tlp.RED, "1": Tlp.AMBER, "2": Tlp.AMBER, "3": Tlp.GREEN, "4": Tlp.AMBER}
_SHARING_GROUP = "4"
_NO_CLAIM: set[Cause | None] = {None, Cause.PRESUMED_MALICIOUS}


@dataclass(slots=True)
class TagFindings:
    """What tags said so far; the strictest of each marking counts."""

    tlp: set[Tlp] = field(default_factory=set)
    pap: set[Pap] = field(default_factory=set)
    levels: set[Classification] = field(default_factory=set)
    codes: set[HandlingCode] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    admiralty: dict[str, str] = field(default_factory=dict)
    cause: Cause | None = None
    rsit: str = ""
    criteria: set[str] = field(default_factory=set)
    unread: int = 0

    def read(self, names: Iterable[str], draft: Draft) -> None:
        """Take up machine tags; free labels and foreign taxonomies are only counted."""
        for name in names:
            match = _TAG.fullmatch(name.strip())
            reader = _READERS.get(match["space"].strip().lower()) if match else None
            if match is None or reader is None:
                self.unread += 1
                continue
            reader(self, match["predicate"].strip().strip('"'), match["value"] or "", draft)

    def marking(self, distribution: str, draft: Draft) -> Marking:
        """The strictest marking stated; without TLP the distribution level stands in for it."""
        if not self.tlp and distribution:
            self.tlp.add(_DISTRIBUTION.get(distribution, Tlp.AMBER))
            if distribution == _SHARING_GROUP:
                draft.warn("shared with a sharing group: a person must see who may have it")
        if HandlingCode.H3 in self.codes and not self.texts:
            self.texts.add("handling code H3 came without its text; ask the provider")
        return Marking(
            classification=max(self.levels, default=Classification.BPL),
            pap=max(self.pap, key=list(Pap).index, default=Pap.AMBER),
            handling_codes=frozenset(self.codes or {HandlingCode.H0}),
            handling_text="; ".join(sorted(self.texts)),
        ).with_tlp(self.tlp)

    def evaluation(self, first_hand: bool | None, draft: Draft) -> Evaluation | None:
        """The provider's Admiralty grade; a half that is missing cannot be judged."""
        if not self.admiralty:
            return None
        if len(self.admiralty) == 1:
            draft.warn(
                "only half of an Admiralty grade is given; the other half counts as unjudged"
            )
        grade = AdmiraltyGrade(
            source=AdmiraltySource(self.admiralty.get("source-reliability", "f")),
            credibility=AdmiraltyCredibility(self.admiralty.get("information-credibility", "6")),
        )
        return to_4x4(grade, first_hand=first_hand).evaluation()

    def cause_claim(self) -> CauseClaim:
        """The cause as tagged; without a tag it is presumed malicious (R8)."""
        if self.cause in _NO_CLAIM:
            return CauseClaim()
        return CauseClaim(value=self.cause or Cause.PRESUMED_MALICIOUS, clear=True)

    @property
    def technical_failure(self) -> bool:
        """Whether a root cause other than a malicious action is stated (domain 6.10)."""
        return self.cause not in _NO_CLAIM | {Cause.MALICIOUS}


def _tlp(found: TagFindings, predicate: str, _value: str, draft: Draft) -> None:
    label = TLP_LABELS.get(predicate.lower())
    if label is None:
        draft.warn("a TLP tag is none of TLP 2.0 and is treated as RED")
    found.tlp.add(label or Tlp.RED)


def _pap(found: TagFindings, predicate: str, _value: str, draft: Draft) -> None:
    label = PAP_LABELS.get(predicate.lower())
    if label is None:
        draft.warn("a PAP tag is unknown and is treated as RED")
    found.pap.add(label or Pap.RED)


def _euci(found: TagFindings, predicate: str, _value: str, draft: Draft) -> None:
    level = EUCI_LABELS.get(predicate.lower())
    if level is None:
        draft.warn("an EU classification tag is unknown and is treated as TOP SECRET")
    found.levels.add(Classification.TOP_SECRET if level is None else level)


def _handling(found: TagFindings, predicate: str, value: str, draft: Draft) -> None:
    code = predicate.upper()
    if code not in set(HandlingCode):
        draft.warn("a handling code is unknown; a person must read it")
        found.codes.add(HandlingCode.H3)
        found.texts.add(draft.line(f"unknown handling code {predicate}", "a handling code"))
        return
    found.codes.add(HandlingCode(code))
    if text := draft.line(value, "the text of a handling code"):
        found.texts.add(text)


def _admiralty(found: TagFindings, predicate: str, value: str, draft: Draft) -> None:
    key, wanted = predicate.lower(), value.lower()
    if wanted not in _ADMIRALTY.get(key, frozenset()):
        draft.warn("an Admiralty tag is not a letter a to g or a digit 1 to 6")
    elif found.admiralty.setdefault(key, wanted) != wanted:
        found.admiralty[key] = "f" if key == "source-reliability" else "6"
        draft.warn("two Admiralty grades contradict each other; that half counts as unjudged")


def _nis(found: TagFindings, predicate: str, value: str, draft: Draft) -> None:
    match predicate.lower(), value.lower():
        case "nature-root-cause", cause if cause in _ROOT_CAUSES:
            if found.cause not in {None, _ROOT_CAUSES[cause]}:
                draft.warn("the root causes stated contradict each other; none is taken over")
                found.cause = Cause.PRESUMED_MALICIOUS
            else:
                found.cause = _ROOT_CAUSES[cause]
        case "impact-sectors-impacted", name if name:
            draft.affected("sector", sector(name))
        case "impact-severity", severity if severity in _SEVERITIES:
            found.criteria.add(f"nis-severity-{severity}")
        case _:
            found.unread += 1


def _rsit(found: TagFindings, predicate: str, value: str, draft: Draft) -> None:
    stated = f"{predicate}:{value}" if value else predicate
    if found.rsit:
        draft.warn("more than one RSIT class is stated; the first counts")
    else:
        found.rsit = draft.line(stated, "the RSIT class")


def _europol_incident(found: TagFindings, predicate: str, value: str, draft: Draft) -> None:
    if not found.rsit:
        stated = f"europol-incident:{predicate}" + (f"={value}" if value else "")
        draft.warn(draft.line(f"class stated as {stated}", "the class"))


def _galaxy(found: TagFindings, predicate: str, value: str, draft: Draft) -> None:
    match predicate.lower():
        case "sector" if value:
            draft.affected("sector", sector(value), derived=True)
        case "target-information" if code := country(value):
            draft.affected("country", code, derived=True)
        case _:
            found.unread += 1


_Reader = Callable[[TagFindings, str, str, Draft], None]
_READERS: dict[str, _Reader] = {
    "tlp": _tlp,
    "pap": _pap,
    "euci": _euci,
    **dict.fromkeys(_HANDLING_SPACES, _handling),
    "admiralty-scale": _admiralty,
    "nis": _nis,
    "nis2": _nis,
    "rsit": _rsit,
    "europol-incident": _europol_incident,
    "misp-galaxy": _galaxy,
}
