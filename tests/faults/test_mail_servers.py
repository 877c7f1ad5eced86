"""Mail relays that are down, slow, greedy, lying or broken: F-M1 to F-M10, F-M12."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from infra.settings import BounceSettings, SmtpSettings
from notifications.bounce_inbox import read_inbox
from notifications.bounces import Read
from notifications.delivery import utc_now
from notifications.directory import Recipient
from notifications.envelopes import bounce_address, make_token
from protocol.errors import ServiceDown
from tests.faults.scale import Scale
from tests.notifications.hostile import RCPT_OK, Sink, listening
from tests.notifications.mailroom import identity, make_recipient, row_id, rows
from tests.notifications.notices import maildir, notice
from tests.notifications.post import A_DAY, ACK_KEY, RETRY_AFTER, Post
from tests.notifications.samples import NOW
from tests.notifications.scripted import HANG_UP, Relay, relaying
from tests.notifications.tls import server_tls

pytestmark = pytest.mark.asyncio
SECRET = b"multipart"  # stands in no header of an encrypted mail, and in each clear text


def states(post: Post) -> Counter[str]:
    return Counter(row.state for row in rows(post.database))


@pytest.mark.requirement("R33")
async def test_fm1_a_relay_that_is_down_is_tried_ever_more_seldom_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    step = 0.02
    post = Post(tmp_path, 12, smtp={"reconnect": timedelta(seconds=step)}, clock=utc_now,
                delivery={"first_retry": timedelta()})  # fmt: skip
    relay = Relay(script=lambda word, _line, _before: HANG_UP if word == "CONNECT" else None)
    async with relaying(relay) as port:
        delivery = post.delivery(port)
        for _ in range(5):
            with pytest.raises(ServiceDown):
                await delivery.send_range("campaign/INC-1/initial/1", 0, 12, heartbeat=lambda: None)
        assert len(relay.connects) == 5
        # The relay sees each attempt late, and surely before the next begins: between an attempt
        # and the last but one lies the whole pause before it, on a machine however slow.
        for n, (before, after) in enumerate(zip(relay.connects, relay.connects[2:], strict=False)):
            assert after - before >= step * 2 ** (n + 1)
        relay.script = lambda *_: None
        result = await delivery.send_range(
            "campaign/INC-1/initial/1", 0, 12, heartbeat=lambda: None
        )
    assert result.accepted == 12
    assert len(relay.mails) == 12


async def test_fm1_by_default_a_relay_is_not_tried_more_than_once_a_second() -> None:
    assert SmtpSettings().reconnect >= timedelta(seconds=1)


@pytest.mark.requirement("R33")
async def test_fm2_greylisting_of_all_costs_one_more_attempt_and_no_earlier_one(
    tmp_path: Path, scale: Scale
) -> None:
    post = Post(tmp_path, scale.campaign)
    relay = Relay()
    relay.script = lambda word, line, _before: (
        b"451 4.7.1 greylisted" if word == "RCPT" and relay.commands.count(line) == 1 else None
    )
    async with relaying(relay) as port:
        assert (await post.send(port)).retry_due == scale.campaign
        post.clock.move(RETRY_AFTER - timedelta(seconds=1))
        assert (await post.send(port)).accepted == 0
        post.clock.move(RETRY_AFTER)
        assert (await post.send(port)).accepted == scale.campaign
    assert {row.attempt for row in rows(post.database)} == {2}
    assert len(relay.mails) == scale.campaign


@pytest.mark.requirement("R33")
async def test_fm3_a_relay_that_lets_few_through_and_hangs_up_gets_everything_in_the_end(
    tmp_path: Path, scale: Scale, seed: int
) -> None:
    chance = random.Random(seed)
    post = Post(tmp_path, scale.campaign, delivery={"destination_concurrency": 8})
    trouble = {"RCPT": b"450 4.7.0 slow down", "BODY": b"452 full", "MAIL": b"421 shutting down"}
    relay = Relay()
    relay.script = lambda word, _line, _before: trouble.get(word) if chance.random() < 0.1 else None
    post.smtp = {"reconnect": timedelta(milliseconds=1)}
    async with relaying(relay) as port:
        for _ in range(60):
            result = await post.send(port)
            if result.next_due is None:
                break
            post.clock.move(A_DAY)
    assert states(post) == {"accepted": scale.campaign}
    assert len({to for _, to, _ in relay.mails}) == len(relay.mails) == scale.campaign


@pytest.mark.requirement("R33")
async def test_fm4_a_twentieth_refused_is_no_trouble_for_the_rest(
    tmp_path: Path, scale: Scale
) -> None:
    post = Post(tmp_path, scale.campaign)
    doomed = {f"poc{n:03}-0@example.invalid" for n in range(0, scale.campaign, 20)}
    sink = Sink(rcpt=lambda to, _before: "550 5.1.1 no such user" if to in doomed else RCPT_OK)
    async with listening(sink) as port:
        result = await post.send(port)
    assert (result.refused, result.accepted) == (len(doomed), scale.campaign - len(doomed))
    assert result.next_due is None


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
@pytest.mark.requirement("R33")
async def test_fm5_a_connection_lost_before_the_body_makes_no_second_copy(
    tmp_path: Path, word: str
) -> None:
    post = Post(tmp_path, 20, smtp={"reconnect": timedelta(milliseconds=1)})
    relay = Relay(
        script=lambda said, _line, before: HANG_UP if said == word and before % 5 == 2 else None
    )
    async with relaying(relay) as port:
        first = await post.send(port)
        assert first.unknown == 0
        relay.script = lambda *_: None
        post.clock.move(A_DAY)
        assert (await post.send(port)).accepted == 20
    assert len({to for _, to, _ in relay.mails}) == len(relay.mails) == 20


@pytest.mark.requirement("R33")
async def test_fm6_what_was_dropped_after_the_dot_is_unknown_and_its_copy_is_the_same_mail(
    tmp_path: Path, scale: Scale
) -> None:
    post = Post(tmp_path, scale.campaign, smtp={"reconnect": timedelta(milliseconds=1)})
    every = 20
    relay = Relay(
        script=lambda said, _line, before: (
            HANG_UP if said == "BODY" and before % every == 3 else None
        )
    )
    async with relaying(relay) as port:
        first = await post.send(port)
        dropped = first.unknown
        assert dropped == len(range(3, scale.campaign, every))
        relay.script = lambda *_: None
        post.clock.move(A_DAY)
        assert (await post.send(port)).accepted == scale.campaign
    assert len(relay.mails) == scale.campaign + dropped
    assert len({body for _, _, body in relay.mails}) == scale.campaign


@pytest.mark.requirement("R33")
async def test_fm7_an_answer_that_takes_longer_than_any_lease_makes_no_second_copy(
    tmp_path: Path,
) -> None:
    post = Post(
        tmp_path,
        3,
        lease=timedelta(seconds=0.3),
        smtp={"reply_timeout": timedelta(seconds=5)},
    )
    relay = Relay(held=asyncio.Event())
    async with relaying(relay) as port:
        slow = asyncio.create_task(post.send(port))
        await post.send_beside(port, leases=3)
        assert relay.held is not None
        relay.held.set()
        assert (await slow).accepted == 3
    assert len(relay.mails) == 3


async def test_fm7_by_default_an_answer_may_take_ten_minutes() -> None:
    assert SmtpSettings().body_reply_timeout > timedelta(minutes=10)


SLOW = {
    "a byte now and then": (b"250 " + b"x" * 400, 0.05),
    "lines without end": (b"\r\n".join([b"250-more"] * 5_000), 0.0),
    "a line without end": (b"250-" + b"x" * 1_000_000, 0.0),
    "no reply at all": (b"hello?", 0.0),
}


@pytest.mark.parametrize("what", SLOW)
@pytest.mark.requirement("R33")
async def test_fm8_a_relay_that_never_comes_to_an_end_is_left_and_others_go_on(
    tmp_path: Path, what: str
) -> None:
    answer, drip = SLOW[what]
    post = Post(
        tmp_path,
        12,
        smtp={
            "reply_timeout": timedelta(seconds=0.5),
            "reconnect": timedelta(milliseconds=1),
        },
    )
    relay = Relay(
        drip_s=drip,
        script=lambda word, line, _before: answer if word == "RCPT" and "poc003" in line else None,
    )
    async with relaying(relay) as port:
        result = await post.send(port)
        while result.accepted < 11:  # a machine that stood still made others look as slow
            post.clock.move(A_DAY)
            result = await post.send(port)
    assert (result.accepted, result.retry_due) == (11, 1)
    (put_off,) = [row for row in rows(post.database) if row.state == "retry_due"]
    assert (put_off.recipient_id, len(put_off.reason) < 300) == ("poc-003", True)


@pytest.mark.requirement("R33")
async def test_fm9_stripped_starttls_gets_no_byte_of_any_mail(tmp_path: Path) -> None:
    post, relay = Post(tmp_path, 3, smtp={"starttls": True}), Relay()
    async with relaying(relay) as port:
        with pytest.raises(ServiceDown, match="STARTTLS"):
            await post.send(port)
    assert relay.mails == []
    assert {line.split()[0] for line in relay.commands} <= {"EHLO", "STARTTLS", "QUIT"}


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.requirement("R33")
async def test_fm9_what_was_slipped_in_before_tls_is_not_listened_to(
    tmp_path: Path, trusted: bool
) -> None:
    context, ca_file = server_tls(tmp_path)
    smtp = {"starttls": True, "ca_file": ca_file if trusted else None}
    post = Post(tmp_path, 3, smtp=smtp, recipients=[demanding(n) for n in range(3)])
    relay = Relay(tls=context, after_starttls=b"250-evil\r\n250 REQUIRETLS\r\n")
    async with relaying(relay) as port:
        try:
            result = await post.send(port)
        except ServiceDown:
            held = 0  # TLS itself did not take what was slipped in
        else:
            held = result.held
    assert relay.mails == []
    assert held in {0, 3}
    assert not [line for line in relay.commands if line.startswith(("MAIL", "RCPT", "DATA"))]


def demanding(number: int, *, requiretls: bool = True) -> Recipient:
    one = make_recipient(number)
    contacts = tuple(
        contact.model_copy(update={"requiretls": requiretls}) for contact in one.contacts
    )
    return one.model_copy(update={"contacts": contacts})


@pytest.mark.requirement("R33")
async def test_fm9_who_needs_tls_on_every_hop_is_held_where_that_is_not_offered(
    tmp_path: Path,
) -> None:
    context, ca_file = server_tls(tmp_path)
    people = [demanding(n, requiretls=n == 1) for n in range(3)]
    post = Post(tmp_path, 3, smtp={"starttls": True, "ca_file": ca_file}, recipients=people)
    relay = Relay(tls=context)
    async with relaying(relay) as port:
        result = await post.send(port)
    assert (result.accepted, result.held) == (2, 1)
    (held,) = [row for row in rows(post.database) if row.state == "held"]
    assert (held.recipient_id, "REQUIRETLS" in held.reason) == ("poc-001", True)
    assert not [to for _, to, _ in relay.mails if "poc001" in to]


@pytest.mark.requirement("R33")
async def test_fm9_requiretls_is_asked_for_where_it_is_offered_inside_tls(tmp_path: Path) -> None:
    context, ca_file = server_tls(tmp_path)
    people = [demanding(n, requiretls=n == 1) for n in range(3)]
    post = Post(tmp_path, 3, smtp={"starttls": True, "ca_file": ca_file}, recipients=people)
    relay = Relay(tls=context, offers_in_tls=("REQUIRETLS", "DSN"))
    async with relaying(relay) as port:
        assert (await post.send(port)).accepted == 3
    asked = {to.split(">")[0][-27:]: "REQUIRETLS" in mail for mail, to, _ in relay.mails}
    assert Counter(asked.values()) == {False: 2, True: 1}
    assert all("NOTIFY=FAILURE,DELAY" in to for _, to, _ in relay.mails)


async def test_fm9_an_offer_in_clear_of_tls_on_every_hop_is_not_believed(tmp_path: Path) -> None:
    post = Post(tmp_path, 1, recipients=[demanding(0)])
    relay = Relay(offers=("PIPELINING", "REQUIRETLS"))
    async with relaying(relay) as port:
        assert (await post.send(port)).held == 1
    assert relay.mails == []


@pytest.mark.requirement("R33")
async def test_fm10_poisoned_recipients_stop_nobody_else(tmp_path: Path, scale: Scale) -> None:
    expired = identity("poc").certificate_pem()
    poison = {3: "", 7: "", 11: ""}
    people = [make_recipient(n, certificate=poison.get(n, expired)) for n in range(scale.campaign)]
    post = Post(tmp_path, scale.campaign, recipients=people)
    sink = Sink(rcpt=lambda to, _before: "501 5.1.3 bad address" if "poc013" in to else RCPT_OK)
    async with listening(sink) as port:
        result = await post.send(port)
    assert (result.held, result.refused) == (3, 1)
    assert result.accepted == scale.campaign - 4


@pytest.mark.requirement("R33")
async def test_fm12_a_flood_of_forged_notices_changes_nothing_and_a_true_one_among_them_counts(
    tmp_path: Path, scale: Scale
) -> None:
    post, sink = Post(tmp_path, 5), Sink()
    async with listening(sink) as port:
        await post.send(port)
    before = [tuple(row) for row in rows(post.database)]
    chance = random.Random(12)
    ids = [row_id(f"poc-{n:03}") for n in range(5)]

    def forged(number: int) -> bytes:
        token = make_token(chance.randbytes(32), chance.choice(ids))
        address = bounce_address("bounces@ec3.example", token)
        row = ids[number % 5]
        text = f"{row} {message_from_bytes(sink.mails[number % 5][1])['Message-ID']}"
        return notice(to=address, envid=token if number % 2 else row, text=text, reason=text)

    inbox = maildir(tmp_path / "inbox", *(forged(n) for n in range(scale.notices)))
    settings = BounceSettings(maildir=inbox)
    audited = len(post.audited())
    assert read_inbox(post.database, ACK_KEY, settings, lambda: NOW) == Read(foreign=scale.notices)
    assert [tuple(row) for row in rows(post.database)] == before
    assert len(post.audited()) == audited
    true = bounce_address("bounces@ec3.example", make_token(ACK_KEY, ids[2]))
    maildir(tmp_path / "inbox", notice(to=true))
    assert read_inbox(post.database, ACK_KEY, settings, lambda: NOW) == Read(bounced=1)
    assert states(post) == {"accepted": 4, "bounced": 1}
