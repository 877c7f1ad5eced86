"""What an officer names as bearing a report out: recorded, in force, and of independent origin.

Whether it is about the same matter is the officer's judgement; that it is not the same source over
again is checked, by the rule that intake goes by. Source: domain 2.1 (E7); R11.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from activities.standing import taken_back
from classification.corroboration import Item, independent, item_of
from infra.originals import documents_of
from infra.tables import report
from protocol.errors import NotFound, Refused
from protocol.grades import Grade, InformationAccuracy
from protocol.profile import CorrelationRules
from protocol.report import IncidentReport

MOST_NAMED = 50


def bearing_out(
    connection: Connection,
    report_id: str,
    grade: Grade,
    named: Collection[str],
    rules: CorrelationRules,
) -> tuple[str, ...]:
    """The ids that a grade of ``report_id`` rests on, ascending; none unless its digit is 3.

    Raises:
        NotFound: there is no report of one of these ids.
        Refused: ``needs-corroboration``, digit 3 without ids; ``no-digit-3``, ids without it;
            ``not-independent``, naming each that is not and why; ``too-many-items``.
    """
    ids = tuple(sorted(set(named)))
    if grade.information is not InformationAccuracy.CORROBORATED:
        if ids:
            raise Refused(
                "no-digit-3", f"only digit 3 rests on other reports; {grade} names none of them"
            )
        return ()
    if not ids:
        raise Refused(
            "needs-corroboration",
            "digit 3 is for items that independent ones corroborate, and their ids are needed: name "
            "them with --by; grade 2 for first-hand or 4 for uncorroborated information",
        )
    if len(ids) > MOST_NAMED:
        raise Refused("too-many-items", f"name at most {MOST_NAMED} reports: the best will do")
    _check(connection, report_id, ids, rules)
    return ids


def _check(
    connection: Connection, report_id: str, ids: tuple[str, ...], rules: CorrelationRules
) -> None:
    known = _items(connection, {report_id, *ids}, rules)
    if unknown := sorted({*ids} - known.keys()):
        raise NotFound(f"no report {', '.join(unknown)}: see 'leerp reports list'")
    gone = taken_back(connection, report.c.id.in_(ids))
    problems = [
        f"{each} {why}"
        for each in ids
        if (why := _objection(known[report_id], known[each], taken_back=each in gone))
    ]
    if problems:
        raise Refused(
            "not-independent", f"these do not bear {report_id} out: {'; '.join(problems)}"
        )


def _items(
    connection: Connection, ids: Collection[str], rules: CorrelationRules
) -> dict[str, Item]:
    told = documents_of(connection, report.c.id.in_(sorted(ids)))
    read = (IncidentReport.model_validate(document) for document in told)
    # What everybody has in common tells nothing of independence, so no warning list is asked.
    return {each.id: item_of(each, rules, lambda _: True) for each in read}


def _objection(graded: Item, other: Item, *, taken_back: bool) -> str:
    """Why ``other`` does not bear ``graded`` out, in words; empty where it may."""
    if graded.report_id == other.report_id:
        return "is the report itself"
    if other.retracted or taken_back:
        return "was taken back by its sender"
    if graded.origin == other.origin:
        return "is of the same source"
    if graded.creator is not None and graded.creator == other.creator:
        return "passes on the same organisation's word"
    return "" if independent(graded, other) else "is a re-publication, or one names the other"
