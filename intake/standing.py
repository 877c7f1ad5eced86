"""What the registry says of the source of a report, as far as reading the report asks for it.

Apart from the registry itself, so that a process that only reads needs no database.
Source: domain 6.2; reliability F-K10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from protocol.grades import SourceReliability
from protocol.markings import Marking, Tlp
from protocol.parties import SourceGroup
from protocol.report import ReportContent


class FirstHandRule(StrEnum):
    """Whether what a source says counts as known to it personally, whatever the report states."""

    ALWAYS = "always"
    """Automated sensors, and victims that report their own systems."""
    NEVER = "never"
    """Relays."""
    AS_STATED = "as-stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the registry says of the source of a report. The default: nobody that it knows."""

    source_id: str = ""
    groups: frozenset[SourceGroup] = frozenset()
    letter: SourceReliability = SourceReliability.X
    set_by: str = ""
    """The officer who set the letter; empty while nobody has."""
    set_at: datetime | None = None
    first_hand: FirstHandRule = FirstHandRule.AS_STATED
    tlp: Tlp | None = None
    quota: int | None = None

    def is_first_hand(self, stated: bool | None) -> bool:
        """Whether information counts as first-hand, where the report states ``stated``."""
        match self.first_hand:
            case FirstHandRule.ALWAYS:
                return True
            case FirstHandRule.NEVER:
                return False
            case FirstHandRule.AS_STATED:
                return bool(stated)


UNRECOGNISED = Standing()
_UNMARKED = Marking()
_LABELLED = {tlp: Marking(tlp=tlp) for tlp in Tlp}


@dataclass(frozen=True, slots=True)
class Standings:
    """Every source in service, by its principal."""

    by_principal: Mapping[str, Standing] = field(default_factory=dict)

    def among(self, principals: Iterable[str]) -> Standings:
        """Only those of these principals."""
        known = self.by_principal
        return Standings({who: known[who] for who in principals if who in known})

    def of(self, principal: str, group: SourceGroup) -> Standing:
        """The source that sent on its own topic of this group; ``UNRECOGNISED`` for anybody else.

        ``principal`` is whom the topic belongs to, never what a report says of itself.
        """
        standing = self.by_principal.get(principal, UNRECOGNISED)
        return standing if group in standing.groups else UNRECOGNISED


def marked(report: ReportContent, standing: Standing) -> ReportContent:
    """The report with its source's TLP where it brings none; a label that it brings stays.

    Where it brings another marking, such as a handling code, the stricter of the source's TLP and
    ours counts. The id of the report is that of what was sent.
    """
    brought = report.marking
    if standing.tlp is None or brought.states_tlp:
        return report
    labelled = (
        _LABELLED[standing.tlp]
        if brought == _UNMARKED
        else brought.with_tlp({standing.tlp, brought.tlp})
    )
    return report.model_copy(update={"marking": labelled})
