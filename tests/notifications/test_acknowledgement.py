from __future__ import annotations

import random
import string
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from infra import audit
from infra.database import Database
from infra.tables import acknowledgement, campaign, relay
from notifications.acknowledgement import acknowledge, acknowledged_at
from notifications.acknowledgement_book import Acknowledged
from notifications.tokens import InvalidToken, make_token, read_token
from tests.notifications.mailroom import CAMPAIGN, add_row, make_database, make_recipient, row_id
from tests.notifications.samples import NOW

KEY = bytes(range(32))
LIFE = timedelta(days=7)


def database_of(folder: Path, number: int = 2) -> Database:
    return make_database(folder, [make_recipient(n, certificate="") for n in range(number)])


def token_for(owner: str, **changes: Any) -> str:
    contact, revision = changes.get("contact", 0), changes.get("revision", 0)
    values: dict[str, Any] = {
        "notification_id": row_id(owner, contact, revision),
        "campaign_id": CAMPAIGN,
        "recipient_id": owner,
        "contact": contact,
        "revision": revision,
        "expires_at": NOW + LIFE,
    }
    return make_token(changes.pop("key", KEY), **values | changes)


def use(database: Database, token: str, now: datetime = NOW) -> Acknowledged:
    return acknowledge(database, KEY, token, now)


def stored(database: Database) -> list[tuple[str, int, int]]:
    with database.read() as connection:
        found = connection.execute(select(acknowledgement))
        return [(row.recipient_id, row.contact, row.repeats) for row in found]


def events(database: Database) -> list[str]:
    with database.read() as connection:
        assert audit.verify(connection).verified
        return [row["event"] for row in audit.export(connection)]


def relayed(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(row.kind, row.target) for row in connection.execute(select(relay))]


def test_the_first_use_is_stored_audited_and_relayed(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    done = use(database, token_for("poc-000"))
    assert (done.first, done.at, done.recipient_id) == (True, NOW, "poc-000")
    assert stored(database) == [("poc-000", 0, 0)]
    assert events(database) == ["notice_acknowledged"]
    assert relayed(database) == [("campaign", CAMPAIGN)]


def test_it_counts_before_the_mail_is_marked_as_accepted(tmp_path: Path) -> None:
    database = database_of(tmp_path)  # its rows are queued still
    assert use(database, token_for("poc-001")).first


def test_a_thousand_replays_from_fifty_threads_are_one_acknowledgement(tmp_path: Path) -> None:
    database, token = database_of(tmp_path), token_for("poc-000")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: use(database, token), range(1_000)))
    assert sum(answer.first for answer in answers) == 1
    assert {answer.at for answer in answers} == {NOW}
    assert stored(database) == [("poc-000", 0, 999)]
    assert events(database).count("acknowledgement_repeated") == 999
    assert len(relayed(database)) == 1


def test_a_repeat_keeps_the_time_of_the_first(tmp_path: Path) -> None:
    database, token = database_of(tmp_path), token_for("poc-000")
    use(database, token)
    again = use(database, token, NOW + timedelta(hours=1))
    assert (again.first, again.at) == (False, NOW)


@pytest.mark.parametrize(("contact", "revision"), [(0, 1), (1, 0)])
@pytest.mark.requirement("R72")
def test_a_reminders_token_and_a_second_contacts_count_for_the_recipient(
    tmp_path: Path, contact: int, revision: int
) -> None:
    database = database_of(tmp_path)
    add_row(database, 0, "poc-000", contact=contact, revision=revision)
    assert use(database, token_for("poc-000", contact=contact, revision=revision)).first
    assert not use(database, token_for("poc-000")).first
    assert stored(database) == [("poc-000", contact, 1)]


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient_id": "poc-001"},
        {"notification_id": row_id("poc-001")},
        {"notification_id": "0" * 32},
        {"campaign_id": CAMPAIGN + "0"},
        {"contact": 1, "notification_id": row_id("poc-000")},
        {"revision": 1, "notification_id": row_id("poc-000")},
        {"key": bytes(32)},
        {"expires_at": NOW},
    ],
)
def test_a_token_made_for_anything_else_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    database = database_of(tmp_path)
    with pytest.raises(InvalidToken):
        use(database, token_for("poc-000", **changes))
    assert stored(database) == []


def mutate(token: str, chance: random.Random) -> str:
    letters = string.ascii_letters + string.digits + "-_.= %\u0661\n"
    at = chance.randrange(len(token))
    match chance.randrange(5):
        case 0:
            return token[:at] + chance.choice(letters) + token[at + 1 :]
        case 1:
            return token[:at] + token[at + 1 :]
        case 2:
            return token[:at] + chance.choice(letters) + token[at:]
        case 3:
            return token[:at]
        case _:
            tag, start, expiry, mac = token.split(".")
            return f"{tag}.{start}.{int(expiry) + chance.randrange(-9999, 9999)}.{mac}"


@pytest.mark.parametrize("seed", range(4))
def test_none_of_ten_thousand_altered_tokens_is_accepted(tmp_path: Path, seed: int) -> None:
    database, token = database_of(tmp_path), token_for("poc-000")
    chance = random.Random(seed)
    mutants: set[str] = set()
    while len(mutants) < 2_500:
        mutants |= {mutate(token, chance)} - {token}
    refused = 0
    with database.read() as connection:
        assert read_token(connection, KEY, token, NOW).recipient_id == "poc-000"
        for mutant in mutants:
            with pytest.raises(InvalidToken):
                read_token(connection, KEY, mutant, NOW)
            refused += 1
    assert refused == 2_500


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("known", [row_id("poc-000"), "0" * 32, "no token at all"])
def test_of_a_guess_nothing_is_looked_up_so_that_time_tells_nothing_of_what_there_is(
    tmp_path: Path, known: str
) -> None:
    tag, _, expiry, seals = token_for("poc-000").split(".")
    guess = f"{tag}.{known}.{expiry}.{seals[::-1]}"
    asked: list[str] = []
    with database_of(tmp_path).read() as connection:

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        with pytest.raises(InvalidToken):
            read_token(connection, KEY, guess, NOW)
        assert asked == []
        assert read_token(connection, KEY, token_for("poc-000"), NOW).recipient_id == "poc-000"
        assert any("FROM notification" in each for each in asked)


def test_every_wrong_token_gets_the_same_words(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    words = set()
    for wrong in ("", "x", token_for("poc-000")[:-1] + "!", token_for("poc-000", expires_at=NOW)):
        with pytest.raises(InvalidToken) as caught:
            use(database, wrong)
        words.add(str(caught.value))
    assert len(words) == 1


def test_a_short_key_makes_no_tokens() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        token_for("poc-000", key=b"short")


def test_the_same_recipient_acknowledges_each_campaign_on_its_own(tmp_path: Path) -> None:
    database = database_of(tmp_path)
    use(database, token_for("poc-000"))
    with database.write() as connection:
        row = connection.execute(select(campaign)).mappings().one()
        connection.execute(insert(campaign).values(**dict(row) | {"id": "campaign/INC-1/ewn/1"}))
    with database.read() as connection:
        assert acknowledged_at(connection, CAMPAIGN, "poc-000") == NOW
        assert acknowledged_at(connection, "campaign/INC-1/ewn/1", "poc-000") is None
