"""What intake knows of each source while it stores reports: a snapshot of the registry in memory.

``SourceBook`` reads the registry's version once a batch, and the registry itself only when that has
moved, so that a person's letter holds from the next batch on, in every intake process.
Source: domain 6.2; reliability F-K10.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from infra.tables_sources import source_version
from intake.sources import FirstHandRule, Registered, load_sources
from protocol.grades import SourceReliability
from protocol.markings import Marking, Tlp
from protocol.parties import SourceGroup
from protocol.report import ReportContent


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

    @classmethod
    def of(cls, registered: Registered) -> Standing:
        """The standing of a source of the registry."""
        newest = registered.letters[-1] if registered.letters else None
        return cls(
            source_id=registered.source.id,
            groups=frozenset(registered.source.groups),
            letter=registered.letter,
            set_by=newest.by if newest else "",
            set_at=newest.at if newest else None,
            first_hand=registered.source.first_hand,
            tlp=registered.source.tlp,
            quota=registered.source.quota,
        )

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

    @classmethod
    def of_all(cls, registered: Iterable[Registered]) -> Standings:
        return cls({each.source.principal: Standing.of(each) for each in registered})

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


class SourceBook:
    """Keeps the standings of one process. Not for several threads at once."""

    def __init__(self) -> None:
        self._version = 0
        self.newest = Standings()
        """As they were read last."""

    def standings(self, connection: Connection) -> Standings:
        """The standings as the transaction sees them; one query while nothing has changed."""
        version = connection.scalar(select(source_version.c.version)) or 0
        if version != self._version:
            self.newest = Standings.of_all(load_sources(connection))
            self._version = version
        return self.newest


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
