"""The pass that turns digit 4 into 3 where independent reports bear a report out, and back.

It follows intake at its own pace, beside it and never in its transaction: each chunk reads and
compares without a lock and then writes briefly. Its place and what is left to do stand in the
database, so that it may be killed at any point and goes on where it was. The digits in the end are
those of the rule over the whole set of reports (``classification.corroboration``).
Source: domain 2.1 (E3, E6, E7), 6.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import structlog
from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from infra.bootstrap import App
from infra.database import Database
from infra.tables_corroboration import borne_out, fallen, progress, quiet, sweep, voice, witness
from intake.judging import judge, judge_again
from intake.link_keys import Telling
from intake.store import WRITER
from intake.verdicts import write_verdicts
from intake.voices import load_voices, silence
from intake.warning_lists import WarningLists, telling_by
from intake.witnesses import Witness, among, load, newly_withdrawn, read_new
from protocol.profile import CorrelationRules

log = structlog.get_logger()

CHUNK = 400
"""Reports in one write transaction, at most."""
HELD_SECONDS = 0.1
"""A transaction that holds the others up for longer makes the next ones smaller."""
KEYS = 5_000
"""Indicators and victims in one; a report that has more goes alone."""
GROWTH = 10
FALLEN = 10
"""Withdrawn reports in one."""
SWEPT = 500
"""Indicators that are looked at again in one."""
IDLE_SECONDS = 1.0
REST = 4
"""Times as long as a chunk took, nothing is done after it: in a storm, intake comes first."""


class _Overtaken(Exception):
    """Another process did the same work and was quicker; nothing of ours was written."""


class Corroborator:
    """Brings the grades of one home up to date; several may run, only one gets on at a time."""

    def __init__(
        self,
        database: Database,
        rules: CorrelationRules,
        telling: Telling,
        *,
        chunk: int = CHUNK,
    ) -> None:
        self._database = database
        self._rules = rules
        self._telling = telling
        self._most = self._chunk = chunk

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; a database that is away is tried again."""
        now = asyncio.get_running_loop().time
        while not stop.is_set():
            began = now()
            try:
                busy = await asyncio.to_thread(self.step)
            except (OperationalError, InterfaceError) as exc:
                log.warning("corroboration_waits", error=type(exc).__name__)
                busy = False
            try:
                await asyncio.wait_for(
                    stop.wait(), REST * (now() - began) if busy else IDLE_SECONDS
                )
            except TimeoutError:
                continue

    def step(self) -> bool:
        """One chunk of each kind of work; return whether there was any.

        Raises:
            OperationalError, InterfaceError: the database does not answer; nothing is half done.
        """
        try:
            return any([self._take_in(), self._silence(), self._look_again(), self._sweep()])
        except _Overtaken:
            return False

    def _take_in(self) -> bool:
        """Keep the next reports, and judge them by what is known."""
        with self._database.read() as connection:
            place, turn = _place(connection)
            new = _bounded(read_new(connection, place, self._chunk, self._rules, self._telling))
            if not new:
                return False
            withdrawn = newly_withdrawn(connection, new)
            voices = load_voices(connection, {key for each in new for key in each.item.keys})
            for each in new:
                if not each.item.retracted:
                    voices.offer(each)
            judged = [each for each in new if each.awaits and not each.item.retracted]
            verdicts = judge(connection, judged, voices, known=new, gone=withdrawn)
        with self._writing(turn) as connection:
            _move_to(connection, new[-1].seq)
            connection.execute(insert(witness), [each.row() for each in new])
            voices.save(connection)
            _mark_fallen(connection, withdrawn)
            write_verdicts(connection, [each for each in verdicts if each.by])
        return True

    def _silence(self) -> bool:
        """Take withdrawn reports out of those that speak for others."""
        with self._database.read() as connection:
            _, turn = _place(connection)
            numbers = _fallen(connection, silenced=False)
            gone = load(connection, numbers)
        if not gone:
            return False
        with self._writing(turn) as connection:
            silence(connection, gone)
            connection.execute(
                update(fallen).where(fallen.c.report_seq.in_(numbers)).values(silenced=True)
            )
        return True

    def _look_again(self) -> bool:
        """Judge anew what was withdrawn, and the grades that name it."""
        with self._database.read() as connection:
            _, turn = _place(connection)
            numbers = _fallen(connection, silenced=True)
            if not numbers:
                return False
            rows = connection.scalars(
                select(borne_out.c.report_seq)
                .where(or_(borne_out.c.by_seq.in_(numbers), borne_out.c.report_seq.in_(numbers)))
                .distinct()
                .order_by(borne_out.c.report_seq)
                .limit(self._chunk + 1)
            ).all()
            judged = load(connection, rows[: self._chunk])
            verdicts = judge_again(connection, judged)
        with self._writing(turn) as connection:
            write_verdicts(connection, verdicts)
            if len(rows) <= self._chunk:
                connection.execute(delete(fallen).where(fallen.c.report_seq.in_(numbers)))
        return True

    def _sweep(self) -> bool:
        """Judge older reports again whose indicators others have told of since."""
        with self._database.read() as connection:
            _, turn = _place(connection)
            taken = connection.execute(
                select(sweep).order_by(sweep.c.key, sweep.c.origin).limit(SWEPT)
            ).all()
            if not taken:
                return False
            waiting = self._waiting(connection, taken[-1].key)
            done, rest = waiting[: self._chunk], waiting[self._chunk :]
            judged = load(connection, {number for _, _, number in done})
            verdicts = [each for each in judge_again(connection, judged) if each.by]
        with self._writing(turn) as connection:
            write_verdicts(connection, verdicts)
            if rest:
                key, origin, number = done[-1]
                _strike_off(connection, key, origin, keep=number)
            else:
                _strike_off(connection, taken[-1].key, taken[-1].origin)
        return True

    @contextmanager
    def _writing(self, turn: int) -> Iterator[Connection]:
        """A write transaction, unless another process wrote since ``turn`` was read."""
        with self._database.write() as connection:
            self._database.serialise(connection, WRITER)
            begun = monotonic()
            if _place(connection)[1] != turn:
                raise _Overtaken
            if turn == 0:
                connection.execute(insert(progress).values(id=1, report_seq=0, turn=1))
            else:
                connection.execute(update(progress).values(turn=turn + 1))
            yield connection
        held = monotonic() - begun
        self._chunk = max(1, self._chunk // 2) if held > HELD_SECONDS else self._chunk + GROWTH
        self._chunk = min(self._chunk, self._most)

    def _waiting(self, connection: Connection, last_key: int) -> list[tuple[int, int, int]]:
        """Key, origin of the new voice, and number of reports to look at, one more than a chunk."""
        found: set[tuple[int, int, int]] = set()
        for table in (voice, quiet):
            rows = connection.execute(
                select(sweep.c.key, sweep.c.origin, table.c.report_seq)
                .join(
                    table,
                    (table.c.key == sweep.c.key)
                    & (table.c.report_seq > sweep.c.after)
                    & (table.c.origin != sweep.c.origin),
                )
                .join(witness, witness.c.report_seq == table.c.report_seq)
                .where(sweep.c.key <= last_key, witness.c.awaits, ~witness.c.retracted)
                .order_by(sweep.c.key, sweep.c.origin, table.c.report_seq)
                .limit(self._chunk + 1)
            )
            found |= {(row.key, row.origin, row.report_seq) for row in rows}
        return sorted(found)[: self._chunk + 1]


def corroborator_of(app: App) -> Corroborator:
    """The pass of this home, with the public warning lists."""
    return Corroborator(
        app.database,
        app.settings.profile().correlation,
        telling=telling_by(WarningLists()),
    )


def _bounded(new: list[Witness]) -> list[Witness]:
    """The first of ``new``, as many as one transaction takes."""
    keys = 0
    for position, each in enumerate(new):
        keys += len(each.item.keys)
        if keys > KEYS and position:
            return new[:position]
    return new


def _place(connection: Connection) -> tuple[int, int]:
    """The number of the last report that was taken in, and the count of transactions."""
    row = connection.execute(select(progress.c.report_seq, progress.c.turn)).one_or_none()
    return (row.report_seq, row.turn) if row else (0, 0)


def _move_to(connection: Connection, place: int) -> None:
    connection.execute(update(progress).values(report_seq=place))


def _fallen(connection: Connection, *, silenced: bool) -> Sequence[int]:
    return connection.scalars(
        select(fallen.c.report_seq)
        .where(fallen.c.silenced.is_(silenced))
        .order_by(fallen.c.report_seq)
        .limit(FALLEN)
    ).all()


def _mark_fallen(connection: Connection, withdrawn: Sequence[Witness]) -> None:
    if not withdrawn:
        return
    for condition in among(witness.c.report_seq, [each.seq for each in withdrawn]):
        connection.execute(update(witness).where(condition).values(retracted=True))
    connection.execute(
        insert(fallen), [{"report_seq": each.seq, "silenced": False} for each in withdrawn]
    )


def _strike_off(connection: Connection, key: int, origin: int, *, keep: int | None = None) -> None:
    """Remove what was looked at, up to this key and origin; ``keep`` notes how far that one came."""
    this = (sweep.c.key == key) & (sweep.c.origin == origin)
    before = or_(sweep.c.key < key, (sweep.c.key == key) & (sweep.c.origin < origin))
    if keep is None:
        connection.execute(delete(sweep).where(or_(before, this)))
    else:
        connection.execute(delete(sweep).where(before))
        connection.execute(update(sweep).where(this).values(after=keep))
