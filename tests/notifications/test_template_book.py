"""Templates come into force by two officers, version by version, and nothing is forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra import audit
from infra.database import Database
from notifications.template_book import confirm, propose, remove
from notifications.template_names import OperatorTemplate
from notifications.template_rows import Act, Place, Standing, entries, entry, newest
from protocol.errors import NotFound, Refused
from protocol.stages import NoticeKind
from tests.notifications.own_templates import STARTER, headed, install
from tests.notifications.samples import make_database, recipient

HEAD = headed("OFFICE CENTRAL")
FOR_ALL = Place(kind=NoticeKind.DRILL, language="fr")
FOR_ONE = Place(organisation="le-poc-1", kind=NoticeKind.DRILL, language="fr")


@pytest.fixture
def home(tmp_path: Path) -> Database:
    return make_database(tmp_path, [recipient()])


def standings(home: Database) -> list[tuple[int, Standing]]:
    with home.read() as connection:
        return [(each.number, each.standing) for each in entries(connection, history=True)]


def audited(home: Database) -> list[dict[str, Any]]:
    with home.read() as connection:
        assert audit.verify(connection).verified
        return list(audit.export(connection))


def test_a_template_waits_for_a_second_officer_and_is_in_force_after_her_word(
    home: Database,
) -> None:
    number = propose(home, FOR_ONE, HEAD, by="o.admin")
    assert standings(home) == [(number, Standing.OPEN)]
    with home.read() as connection:
        assert newest(connection) == 0
    found = confirm(home, number, by="o.one")
    assert (found.standing, found.version, found.by, found.settled_by) == (
        Standing.IN_FORCE,
        1,
        "o.admin",
        "o.one",
    )
    with home.read() as connection:
        kept, own = entry(connection, number)
    assert kept == found
    assert (own.text, own.html) == (HEAD.text, HEAD.html)
    assert found.sha256 == HEAD.sha256
    *_, proposed, confirmed = audited(home)
    assert proposed["event"] == "template_proposed"
    assert proposed["detail"]["organisation"] == "le-poc-1"
    assert (confirmed["event"], confirmed["detail"]["version"]) == ("template_confirmed", 1)
    assert confirmed["detail"]["proposer"] == "o.admin"
    assert confirmed["detail"]["sha256"] == HEAD.sha256
    assert "OFFICE CENTRAL" not in str(audited(home))


@pytest.mark.parametrize(
    ("by", "reason"),
    [("o.admin", "same-officer"), ("o.two", "wrong-role"), ("o.nobody", "unknown-officer")],
)
def test_who_may_not_confirm_is_refused_and_that_is_noted(
    home: Database, by: str, reason: str
) -> None:
    number = propose(home, FOR_ONE, HEAD, by="o.admin")
    with pytest.raises(Refused) as refused:
        confirm(home, number, by=by)
    assert refused.value.reason == reason
    assert standings(home) == [(number, Standing.OPEN)]
    last = audited(home)[-1]
    assert (last["event"], last["detail"]["reason"]) == ("command_refused", reason)


@pytest.mark.parametrize(("by", "reason"), [("o.one", "wrong-role"), ("x", "unknown-officer")])
def test_who_may_not_propose_is_refused(home: Database, by: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        propose(home, FOR_ONE, HEAD, by=by)
    assert refused.value.reason == reason
    assert standings(home) == []


def test_an_unfit_template_is_not_kept_and_every_fault_is_named(home: Database) -> None:
    bad = OperatorTemplate(text="{{ top }}\n{{ ''.__class__ }}\n{{ x }}", html=STARTER.html)
    with pytest.raises(Refused, match=r"line 2: attributes.*line 3: x is no name"):
        propose(home, FOR_ONE, bad, by="o.admin")
    lacking = OperatorTemplate(text="{{ top }}\n{{ bottom }}", html=STARTER.html)
    with pytest.raises(Refused, match=r"the notice itself.*how to acknowledge") as refused:
        propose(home, FOR_ONE, lacking, by="o.admin")
    assert refused.value.reason == "template-unfit"
    assert standings(home) == []


def test_an_organisation_that_nobody_knows_gets_no_template(home: Database) -> None:
    place = FOR_ONE.model_copy(update={"organisation": "nobody"})
    with pytest.raises(NotFound, match="leerp directory list"):
        propose(home, place, HEAD, by="o.admin")


def test_the_same_template_again_is_the_same_proposal_and_in_force_it_is_refused(
    home: Database,
) -> None:
    first = propose(home, FOR_ONE, HEAD, by="o.admin")
    assert propose(home, FOR_ONE, HEAD, by="o.admin") == first
    assert propose(home, FOR_ALL, HEAD, by="o.admin") != first
    confirm(home, first, by="o.one")
    with pytest.raises(Refused, match="in force already"):
        propose(home, FOR_ONE, HEAD, by="o.admin")


def test_of_two_proposals_for_one_place_the_second_is_stale_once_the_first_is_in_force(
    home: Database,
) -> None:
    one = propose(home, FOR_ONE, HEAD, by="o.admin")
    other = propose(home, FOR_ONE, headed("Bureau"), by="o.admin")
    elsewhere = propose(home, FOR_ALL, headed("Bureau"), by="o.admin")
    confirm(home, one, by="o.one")
    with pytest.raises(Refused) as refused:
        confirm(home, other, by="o.one")
    assert refused.value.reason == "stale"
    with pytest.raises(Refused, match=r"settled by o\.one already"):
        confirm(home, one, by="o.one")
    assert confirm(home, elsewhere, by="o.one").version == 2
    assert remove(home, other, by="o.admin") is None
    assert dict(standings(home)) == {
        one: Standing.IN_FORCE,
        other: Standing.DECLINED,
        elsewhere: Standing.IN_FORCE,
    }


def test_a_newer_one_takes_the_place_and_the_older_one_is_past(home: Database) -> None:
    old = install(home, HEAD, kind=NoticeKind.DRILL, language="fr")
    new = install(home, headed("Bureau"), kind=NoticeKind.DRILL, language="fr")
    assert standings(home) == [(old, Standing.PAST), (new, Standing.IN_FORCE)]
    again = install(home, HEAD, kind=NoticeKind.DRILL, language="fr")
    with home.read() as connection:
        assert [each.number for each in entries(connection)] == [again]


def test_a_template_in_force_is_removed_by_two_officers_too(home: Database) -> None:
    number = install(home, HEAD, kind=NoticeKind.DRILL, language="fr")
    proposal = remove(home, number, by="o.admin")
    assert proposal is not None
    assert remove(home, number, by="o.admin") == proposal
    assert dict(standings(home))[number] is Standing.IN_FORCE
    with pytest.raises(Refused, match="another officer"):
        confirm(home, proposal, by="o.admin")
    assert confirm(home, proposal, by="o.one").act is Act.REMOVE
    assert dict(standings(home)) == {number: Standing.PAST, proposal: Standing.PAST}
    with home.read() as connection:
        assert entries(connection) == []
    for gone in (number, proposal):
        with pytest.raises(Refused, match="nothing is to be removed"):
            remove(home, gone, by="o.admin")


def test_a_number_that_nobody_gave_is_said_to_be_none(home: Database) -> None:
    for act in (confirm, remove):
        with pytest.raises(NotFound, match="leerp templates list --all"):
            act(home, 7, by="o.admin")
