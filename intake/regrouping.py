"""What officers say of clusters outlives later reports: merge, split, detach, attach, undo.

Each act is one transaction with a row of its own, a row of history for every report that it moved
and an audit row. Source: design section 3; docs/decisions/009.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import (
    Connection,
    ScalarSelect,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from infra import audit
from infra.database import Database
from infra.tables import incident, link, report
from infra.tables_regrouping import regrouping, regrouping_move, triage_view
from intake import apart, followers
from intake.acts import Act, Kind, find_act
from intake.chains import rebuild_keys
from intake.correlation import incident_id_of
from intake.detection import detect_in
from intake.link_keys import Telling
from intake.merging import carry_over
from intake.moving import move_reports
from intake.regrouping_checks import CHUNK, check_members, check_target, incident_of
from intake.store import WRITER
from notifications.authority import WORKING, Attempt, acting, attempted
from protocol.errors import Refused
from protocol.profile import Profile
from workflows.open_incident import require_workable


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an officer wants: reports of ``source``, or all, in ``target``, or in a new cluster."""

    kind: Kind
    source: str
    target: str | None = None
    reports: tuple[str, ...] | None = None
    reason: str


class Regrouping:
    """Acts of one officer, over one channel, on the incidents of one home.

    All acts raise ``Refused`` (``unknown-officer``, ``wrong-role``, ``no-reason``,
    ``incident-merged``, ``incident-ended``, ``running-workflow``) and ``NotFound`` (no such report or
    incident), besides what they name themselves. What is refused changes nothing but the audit trail.
    """

    def __init__(
        self,
        database: Database,
        profile: Profile,
        telling: Telling,
        *,
        officer: str,
        channel: str,
    ) -> None:
        self._database = database
        self.profile = profile
        self._telling = telling
        self.officer = officer
        self.channel = channel

    def merge(self, source: str, into: str, *, reason: str) -> Act:
        """Let cluster ``source``, under triage, be part of ``into`` from now on.

        Raises:
            Refused: ``same-incident``.
        """
        with self.opened(Kind.MERGE, source, reason) as connection:
            order = Order(kind=Kind.MERGE, source=source, target=into, reason=reason)
            return self._act(connection, order)

    def split(self, incident_id: str, report_ids: Sequence[str], *, reason: str) -> Act:
        """Make these reports of an incident a cluster of their own.

        Raises:
            Refused: ``nothing-left``; they are all that the incident has.
        """
        with self.opened(Kind.SPLIT, incident_id, reason) as connection:
            moved = tuple(sorted(set(report_ids)))
            order = Order(kind=Kind.SPLIT, source=incident_id, reports=moved, reason=reason)
            return self._act(connection, order)

    def detach(self, report_id: str, *, reason: str) -> Act:
        """Make one report a cluster of its own.

        Raises:
            Refused: ``nothing-left``; it is alone already.
        """
        with self.opened(Kind.DETACH, report_id, reason) as connection:
            source = incident_of(connection, report_id)
            order = Order(kind=Kind.DETACH, source=source, reports=(report_id,), reason=reason)
            return self._act(connection, order)

    def attach(self, report_id: str, incident_id: str, *, reason: str) -> Act:
        """Move one report to another incident.

        Raises:
            Refused: ``same-incident``; it is there already.
        """
        with self.opened(Kind.ATTACH, report_id, reason) as connection:
            source = incident_of(connection, report_id)
            order = Order(
                kind=Kind.ATTACH,
                source=source,
                target=incident_id,
                reports=(report_id,),
                reason=reason,
            )
            return self._act(connection, order)

    @contextmanager
    def opened(self, command: str, subject: str, reason: str) -> Iterator[Connection]:
        """The writer's transaction, once officer and reason are seen to be there."""
        attempt = Attempt(
            officer=self.officer, command=command, subject=subject, channel=self.channel
        )
        with attempted(self._database, attempt) as connection:
            self._database.serialise(connection, WRITER)
            acting(connection, self.officer, WORKING, command)
            if not reason.strip():
                raise Refused("no-reason", "say why with --reason: it outlives later reports")
            yield connection

    def refresh(
        self, connection: Connection, *incident_ids: str, without: Collection[str] = ()
    ) -> None:
        """Make the keys of incidents anew, and forget what the triage list knows of them.

        As if the reports ``without`` were not there.
        """
        left_out = frozenset(without)
        for incident_id in incident_ids:
            rebuild_keys(
                connection,
                incident_id,
                self.profile.correlation,
                self._telling,
                without=left_out,
            )
        connection.execute(delete(triage_view).where(triage_view.c.incident_id.in_(incident_ids)))

    def _act(self, connection: Connection, order: Order) -> Act:
        source = order.source
        status = require_workable(connection, source)
        if order.target is not None:
            check_target(connection, source, order.target)
        if order.reports is not None:
            check_members(connection, source, order.reports)
        into = order.target or self._open_cluster(connection, source)
        followers.dissolve(connection, {source, into})
        act = self._record(connection, order, into)
        self._move(connection, act, order, into)
        if connection.scalar(select(exists().where(report.c.incident_id == source))):
            self._keep_apart(connection, act, source, into, inherit=order.target is None)
        elif order.target is None:
            raise Refused(
                "nothing-left",
                f"these are all the reports that {source} has: there is nothing to set them apart "
                "from",
            )
        else:
            self._absorb(connection, act, source, into, status)
        self.refresh(connection, source, into)
        detect_in(connection, {source, into}, self.profile)
        self._note_statuses(connection, act, source, into)
        made = find_act(connection, act)
        audit.append(
            connection,
            "reports_regrouped",
            actor=self.officer,
            subject=source,
            channel=self.channel,
            act=act,
            kind=order.kind,
            into=into,
            reports=made.reports,
            reason=order.reason,
        )
        return made

    def _record(self, connection: Connection, order: Order, target: str) -> int:
        inserted = connection.execute(
            insert(regrouping)
            .values(
                kind=order.kind,
                officer=self.officer,
                at=datetime.now(UTC),
                reason=order.reason,
                source=order.source,
                target=target,
                source_status="",
                target_status="",
                last_link=connection.scalar(select(func.max(link.c.id))) or 0,
                last_report=connection.scalar(select(func.max(report.c.seq))) or 0,
            )
            .returning(regrouping.c.id)
        )
        return int(inserted.scalar_one())

    def _move(self, connection: Connection, act: int, order: Order, target: str) -> None:
        words = {
            "opens": False,
            "shared": [],
            "act": act,
            "kind": str(order.kind),
            "from": order.source,
            "words": order.reason,
        }
        ids = order.reports
        some = (
            [true()]
            if ids is None
            else [
                report.c.id.in_(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)
            ]
        )
        for which in some:
            mine = which & (report.c.incident_id == order.source)
            connection.execute(
                insert(regrouping_move).from_select(
                    ["act", "report_id"], select(literal(act), report.c.id).where(mine)
                )
            )
            move_reports(
                connection, mine, target, by=self.officer, reason=words, at=datetime.now(UTC)
            )

    def _open_cluster(self, connection: Connection, like: str) -> str:
        """A new cluster under triage, in the same exercise or none."""
        opened = incident_id_of(uuid4().hex)
        row = connection.execute(select(incident).where(incident.c.id == like)).one()
        connection.execute(
            insert(incident).values(
                id=opened,
                created_at=datetime.now(UTC),
                status="triage",
                exercise=row.exercise,
                profile=row.profile,
            )
        )
        return opened

    def _keep_apart(
        self, connection: Connection, act: int, source: str, into: str, *, inherit: bool
    ) -> None:
        """What was set apart from others stays apart from them in its new cluster too."""
        others = apart.partners(connection, source) if inherit else set()
        for other in sorted({source, *others}):
            apart.keep_apart(connection, act, into, other)

    def _absorb(
        self, connection: Connection, act: int, source: str, into: str, status: str
    ) -> None:
        if status != "triage":
            raise Refused(
                "running-workflow",
                f"{source} is {status}: its workflow runs, so it is never absorbed. Merge {into} "
                f"into it instead ('leerp triage merge {into} {source}'), or close it",
            )
        connection.execute(
            update(incident)
            .where(incident.c.id == source)
            .values(status="merged", merged_into=into)
        )
        apart.hand_over(connection, act, source, into)
        carry_over(connection, source, into, actor=self.officer, channel=self.channel)

    def _note_statuses(self, connection: Connection, act: int, source: str, target: str) -> None:
        def status(incident_id: str) -> ScalarSelect[str]:
            return select(incident.c.status).where(incident.c.id == incident_id).scalar_subquery()

        connection.execute(
            update(regrouping)
            .where(regrouping.c.id == act)
            .values(source_status=status(source), target_status=status(target))
        )
