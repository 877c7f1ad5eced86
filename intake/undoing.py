"""An officer's act is taken back: its reports are where they were, with the keys that they had.

Where the ground has moved since, it is refused. Reports that came since go where correlation puts
them. Source: design section 3; docs/decisions/009.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from infra import audit
from infra.originals import FIRST_PLACES, documents_of
from infra.tables import incident, link, report
from infra.tables_regrouping import regrouping, regrouping_move
from intake import apart, followers
from intake.acts import Act, Kind, find_act, moved_reports, standing_after
from intake.detection import detect_in
from intake.moving import move_reports
from intake.regrouping import Regrouping
from intake.regrouping_checks import CHUNK
from intake.store import Store
from protocol.errors import Refused
from protocol.report import IncidentReport

OPENING = frozenset({Kind.SPLIT, Kind.DETACH})
"""Acts that made a cluster, which goes again."""


class Undoing:
    """Takes acts back, with the rights and the transaction of an officer's ``Regrouping``."""

    def __init__(self, regrouping: Regrouping, store: Store) -> None:
        self._desk = regrouping
        self._store = store

    def undo(self, act_id: int, *, reason: str) -> Act:
        """Put the reports that the act moved back, and return the act as undone.

        Findings and permissions that a merge carried over stay where they came to as well.

        Raises:
            NotFound: no such act.
            Refused: ``already-undone``, ``later-acts``, ``ground-moved``, ``joined-since``, and as for
                any act.
        """
        with self._desk.opened("undo", f"act {act_id}", reason) as connection:
            act = find_act(connection, act_id)
            moved = moved_reports(connection, act)
            _check_ground(connection, act, moved)
            followers.dissolve(connection, {act.source, act.target})
            since = _came_since(connection, act)
            _check_unshaped(connection, act, since)
            apart.take_back(connection, act.id)
            self._put_back(connection, act, reason)
            if act.kind in OPENING:
                touched = self._close_cluster(connection, act, since, reason)
            else:
                touched = self._place_since(connection, act, since)
            detect_in(connection, touched, self._desk.profile)
            self._note(connection, act, reason, len(moved))
            return find_act(connection, act.id)

    def _put_back(self, connection: Connection, act: Act, reason: str) -> None:
        ids = select(regrouping_move.c.report_id).where(regrouping_move.c.act == act.id)
        if act.emptied:
            _revive(connection, [act.source])
        self._move(connection, act, report.c.id.in_(ids), reason)

    def _close_cluster(
        self, connection: Connection, act: Act, since: Collection[str], reason: str
    ) -> set[str]:
        """What came to the cluster since came by the reports that go back, so it goes with them."""
        if since:
            self._move(connection, act, report.c.incident_id == act.target, reason)
        connection.execute(
            update(incident)
            .where(incident.c.id == act.target)
            .values(status="merged", merged_into=act.source)
        )
        self._desk.refresh(connection, act.source, act.target)
        return {act.source}

    def _place_since(self, connection: Connection, act: Act, since: Collection[str]) -> set[str]:
        """Correlate what came since anew; it must not lead to the two incidents being one again."""
        self._desk.refresh(connection, act.source, act.target, without=since)
        touched = {act.source, act.target}
        if not since:
            return touched
        again = self._store.place_again(connection, _documents(connection, since), continues="")
        _revive(connection, sorted(again))
        statuses = _statuses(connection, act)
        if "merged" in statuses.values():
            raise Refused(
                "joined-since",
                f"reports that came since act {act.id} share indicators with {act.source} and with "
                f"{act.target}, so they are one without it: set the reports apart that should be, "
                f"with 'leerp triage split {act.target} REPORT...'",
            )
        return touched | again

    def _move(
        self, connection: Connection, act: Act, which: ColumnElement[bool], reason: str
    ) -> None:
        move_reports(
            connection,
            which,
            act.source,
            by=self._desk.officer,
            reason={
                "opens": False,
                "shared": [],
                "act": act.id,
                "kind": f"undo {act.kind}",
                "from": act.target,
                "words": reason,
            },
            at=datetime.now(UTC),
        )

    def _note(self, connection: Connection, act: Act, reason: str, reports: int) -> None:
        connection.execute(
            update(regrouping)
            .where(regrouping.c.id == act.id)
            .values(undone_by=self._desk.officer, undone_at=datetime.now(UTC), undone_reason=reason)
        )
        audit.append(
            connection,
            "regrouping_undone",
            actor=self._desk.officer,
            subject=act.source,
            channel=self._desk.channel,
            act=act.id,
            kind=act.kind,
            out_of=act.target,
            reports=reports,
            reason=reason,
        )


def _check_ground(connection: Connection, act: Act, moved: Collection[str]) -> None:
    if act.undone_at is not None:
        raise Refused("already-undone", f"act {act.id} was undone by {act.undone_by} already")
    if later := standing_after(connection, act):
        raise Refused(
            "later-acts",
            f"later acts rest on act {act.id}: undo {', '.join(map(str, later))} first, in this order",
        )
    now = _statuses(connection, act)
    for incident_id, then in ((act.source, act.source_status), (act.target, act.target_status)):
        if now[incident_id] != then:
            raise Refused(
                "ground-moved",
                f"{incident_id} was {then} after act {act.id} and is {now[incident_id]} now: look "
                f"with 'leerp incidents links {incident_id}', and move with 'leerp triage' what "
                "should be elsewhere",
            )
    if act.kind in OPENING and act.target_status != "triage":
        raise Refused(
            "running-workflow",
            f"{act.target} is {act.target_status}: its workflow runs, so it is never absorbed. Merge "
            f"{act.source} into it, or attach single reports to {act.source}",
        )
    there = connection.scalar(
        select(func.count())
        .select_from(regrouping_move.join(report, report.c.id == regrouping_move.c.report_id))
        .where(regrouping_move.c.act == act.id, report.c.incident_id == act.target)
    )
    if there != len(moved):
        raise Refused(
            "ground-moved",
            f"{len(moved) - (there or 0)} of the reports of act {act.id} went elsewhere since: see "
            "'leerp reports show ID', and attach them one by one",
        )


def _check_unshaped(connection: Connection, act: Act, since: Collection[str]) -> None:
    """Refuse to place reports anew that stand where an officer put them by another act."""
    for some in _chunks(since):
        other = connection.scalar(
            select(func.min(regrouping.c.id))
            .join(regrouping_move, regrouping_move.c.act == regrouping.c.id)
            .where(regrouping.c.undone_at.is_(None), regrouping_move.c.report_id.in_(some))
        )
        if other is not None:
            raise Refused(
                "ground-moved",
                f"reports of act {other} came to these incidents since act {act.id}: undo act "
                f"{other} first, or move reports one by one",
            )


def _came_since(connection: Connection, act: Act) -> list[str]:
    """Reports of the two incidents that were in neither when the act was done."""
    both = (act.source, act.target)
    mine = report.c.incident_id.in_(both)
    now = connection.execute(
        select(report.c.seq, report.c.id).where(mine).order_by(report.c.seq)
    ).all()
    newest = (
        select(func.max(link.c.id))
        .where(link.c.id <= act.last_link, link.c.report_id.in_(select(report.c.id).where(mine)))
        .group_by(link.c.report_id)
    )
    rows = connection.execute(
        select(link.c.report_id, link.c.incident_id).where(link.c.id.in_(newest))
    )
    then = {row.report_id: row.incident_id for row in rows}
    unmoved = {row.seq: row.id for row in now if row.seq <= act.last_report and row.id not in then}
    for seq, place in FIRST_PLACES.read(connection, unmoved):
        then[unmoved[seq]] = place.incident_id
    return [row.id for row in now if then.get(row.id) not in both]


def _documents(connection: Connection, report_ids: Collection[str]) -> list[IncidentReport]:
    """In the order of their arrival, as ``report_ids`` are."""
    found: dict[str, IncidentReport] = {}
    for some in _chunks(report_ids):
        found |= {
            document["id"]: IncidentReport.model_validate(document)
            for document in documents_of(connection, report.c.id.in_(some))
        }
    return [found[report_id] for report_id in report_ids]


def _statuses(connection: Connection, act: Act) -> dict[str, str]:
    rows = connection.execute(
        select(incident.c.id, incident.c.status).where(incident.c.id.in_((act.source, act.target)))
    )
    return {row.id: row.status for row in rows}


def _revive(connection: Connection, incident_ids: Collection[str]) -> None:
    """Clusters that were part of others are under triage by themselves again."""
    connection.execute(
        update(incident)
        .where(incident.c.id.in_(incident_ids), incident.c.status == "merged")
        .values(status="triage", merged_into=None)
    )


def _chunks(ids: Collection[str]) -> list[list[str]]:
    listed = list(ids)
    return [listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK)]
