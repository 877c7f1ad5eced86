from __future__ import annotations

import asyncio
import re
import socket
import ssl
import sys
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from notifications.acknowledgement import acknowledge
from notifications.smime import unseal
from protocol.errors import NotFound, ServiceDown
from tests.e2e.support import until
from tests.notifications.hostile import RCPT_OK, Sink, listening
from tests.notifications.mailroom import (
    CAMPAIGN,
    add_row,
    identity,
    make_content,
    make_recipient,
    rows,
)
from tests.notifications.post import A_DAY, ACK_KEY, RETRY_AFTER, Post
from tests.notifications.samples import ewn

pytestmark = pytest.mark.asyncio


def refuse_some(address: str, _before: int) -> str:
    return "550 no such user" if address.startswith("poc003") else RCPT_OK


async def test_each_recipient_gets_one_mail_that_only_it_can_read(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 120), Sink()
    async with listening(sink) as port:
        result = await post.send(port)
    assert (result.accepted, result.next_due) == (120, None)
    assert sorted(sink.count().items()) == [(f"poc{n:03}-0@example.invalid", 1) for n in range(120)]
    poc = identity("poc")
    for _, raw in sink.mails[:5]:
        assert b"triggered" not in raw
        subject = message_from_bytes(raw)["Subject"]
        assert subject == "EXERCISE - TLP:AMBER - LEERP notice INC-1"
        assert "INC-1" in unseal(raw, poc.key, poc.certificate).subject
    assert sink.sessions <= 4
    assert 1 <= post.audited().count("mail_accepted") <= 120


async def test_a_second_run_sends_nothing_again(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 5), Sink()
    async with listening(sink) as port:
        await post.send(port)
        assert (await post.send(port)).accepted == 5
    assert len(sink.mails) == 5


async def test_two_runs_at_once_send_each_mail_once(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 60), Sink()
    async with listening(sink) as port:
        await asyncio.gather(post.send(port), post.send(port))
    assert set(sink.count().values()) == {1}
    assert len(sink.mails) == 60


async def test_greylisted_mails_go_out_after_the_pause_and_not_before(tmp_path: Path) -> None:
    post = Post(tmp_path, 10)
    sink = Sink(rcpt=lambda _address, before: RCPT_OK if before else "451 come back later")
    async with listening(sink) as port:
        first = await post.send(port)
        post.clock.move(RETRY_AFTER - timedelta(seconds=1))
        early = await post.send(port)
        post.clock.move(RETRY_AFTER)
        last = await post.send(port)
    assert (first.accepted, first.retry_due) == (0, 10)
    assert first.next_due is not None
    assert (early.accepted, last.accepted) == (0, 10)
    assert set(sink.asked.values()) == {2}
    assert {row.attempt for row in rows(post.database)} == {2}


async def test_refused_recipients_do_not_stop_the_others(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 10), Sink(rcpt=refuse_some)
    async with listening(sink) as port:
        result = await post.send(port)
    assert (result.accepted, result.refused, result.next_due) == (9, 1, None)
    refused = [row for row in rows(post.database) if row.state == "refused"]
    assert [(row.recipient_id, row.reply) for row in refused] == [("poc-003", "550 no such user")]


async def test_a_connection_lost_after_the_dot_is_unknown_and_then_sent_again_alike(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, 6)
    sink = Sink(drop_after_dot=lambda address, before: address.startswith("poc002") and not before)
    async with listening(sink) as port:
        first = await post.send(port)
        assert (first.accepted, first.unknown) == (5, 1)
        assert first.next_due is not None
        post.clock.move(A_DAY)
        second = await post.send(port)
    assert (second.accepted, second.unknown, second.next_due) == (6, 0, None)
    copies = [raw for address, raw in sink.mails if address.startswith("poc002")]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    assert len(sink.mails) == 7
    assert "mail_unknown" in post.audited()


async def test_an_unknown_mail_is_kept_for_a_person_where_the_policy_says_hold(
    tmp_path: Path,
) -> None:
    post = Post(tmp_path, 1, policy="hold")
    sink = Sink(drop_after_dot=lambda _address, _before: True)
    async with listening(sink) as port:
        await post.send(port)
        post.clock.move(A_DAY)
        result = await post.send(port)
    assert (result.unknown, result.next_due) == (1, None)
    assert len(sink.mails) == 1


async def test_a_connection_lost_before_the_body_makes_no_second_copy(tmp_path: Path) -> None:
    post = Post(tmp_path, 4)
    sink = Sink(drop_at_data=lambda address, before: address.startswith("poc001") and not before)
    async with listening(sink) as port:
        first = await post.send(port)
        assert (first.accepted, first.retry_due, first.unknown) == (3, 1, 0)
        post.clock.move(A_DAY)
        second = await post.send(port)
    assert second.accepted == 4
    assert set(sink.count().values()) == {1}


async def test_a_body_that_is_put_off_is_due_again_and_one_refused_is_not(tmp_path: Path) -> None:
    post = Post(tmp_path, 2)
    sink = Sink(data=lambda address, _: "452 full" if "poc000" in address else "554 unwanted")
    async with listening(sink) as port:
        result = await post.send(port)
    assert (result.retry_due, result.refused) == (1, 1)
    assert sink.mails == []


async def test_without_starttls_nothing_is_sent_where_it_is_required(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 3, smtp={"starttls": True}), Sink()
    async with listening(sink) as port:
        with pytest.raises(ServiceDown, match="STARTTLS"):
            await post.send(port)
    assert (sink.mails, sink.asked) == ([], {})
    assert {row.state for row in rows(post.database)} == {"retry_due"}


def server_tls(folder: Path) -> ssl.SSLContext:
    own = identity("127.0.0.1")
    (folder / "tls.pem").write_bytes(own.key_pem() + own.certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    return context


async def test_a_relay_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 3, smtp={"starttls": True}), Sink()
    async with listening(sink, server_tls(tmp_path)) as port:
        with pytest.raises(ServiceDown, match="valid certificate"):
            await post.send(port)
    assert (sink.mails, sink.asked) == ([], {})


async def test_a_relay_that_is_down_loses_nothing(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 3), Sink()
    with socket.socket() as deaf:  # bound, so that nobody else gets the port, and not listening
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with pytest.raises(ServiceDown, match=str(port)):
            await post.send(port)
    post.clock.move(A_DAY)
    async with listening(sink) as port:
        result = await post.send(port)
    assert result.accepted == 3
    assert set(sink.count().values()) == {1}


async def test_a_poisoned_recipient_is_held_with_a_reason_and_the_rest_goes_out(
    tmp_path: Path,
) -> None:
    recipients = [make_recipient(n, certificate="" if n == 2 else None) for n in range(5)]
    post, sink = Post(tmp_path, 5, recipients=recipients), Sink()
    async with listening(sink) as port:
        result = await post.send(port)
    assert (result.accepted, result.held) == (4, 1)
    (held,) = [row for row in rows(post.database) if row.state == "held"]
    assert held.recipient_id == "poc-002"
    assert "in clear" in held.reason
    assert "mail_held" in post.audited()


async def test_a_lock_that_closed_since_the_freeze_holds_the_mail(tmp_path: Path) -> None:
    def closed_for_one(parcel: Any, _locks: Any) -> str:
        return "permission withdrawn" if parcel.claim.recipient_id == "poc-001" else ""

    post, sink = Post(tmp_path, 3, recheck=closed_for_one), Sink()
    async with listening(sink) as port:
        result = await post.send(port)
    assert (result.accepted, result.held) == (2, 1)
    assert sorted(sink.count()) == ["poc000-0@example.invalid", "poc002-0@example.invalid"]


async def test_a_certificate_that_expired_since_the_freeze_holds_the_mail(tmp_path: Path) -> None:
    post = Post(tmp_path, 2)
    sink = Sink(rcpt=lambda _address, before: RCPT_OK if before else "451 later")
    async with listening(sink) as port:
        await post.send(port)  # built while the certificate was good
        post.clock.move(timedelta(days=366))
        result = await post.send(port)
    assert (result.held, len(sink.mails)) == (2, 0)
    assert all("certificate is valid" in row.reason for row in rows(post.database))


async def test_a_reminder_refers_to_the_first_mail(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 1), Sink()
    add_row(post.database, 0, "poc-000", revision=1)
    async with listening(sink) as port:
        await post.send(port)
    mails = [message_from_bytes(raw) for _, raw in sink.mails]
    (reminder,) = [mail for mail in mails if mail["References"]]
    (first,) = [mail for mail in mails if not mail["References"]]
    assert reminder["References"] == reminder["In-Reply-To"] == first["Message-ID"]
    assert reminder["Message-ID"] != first["Message-ID"]


async def test_a_warning_carries_a_link_that_acknowledges_for_its_recipient(
    tmp_path: Path,
) -> None:
    post, sink = Post(tmp_path, 1, content=ewn()), Sink()
    async with listening(sink) as port:
        await post.send(port)
    poc = identity("poc")
    inner = unseal(sink.mails[0][1], poc.key, poc.certificate).inner
    body = message_from_bytes(inner, policy=policy.default).get_body(("plain",))
    assert body is not None
    text = body.get_content()
    (token,) = set(re.findall(r"https://leerp\.invalid/a/([\w.-]+)", text))
    done = acknowledge(post.database, ACK_KEY, token, post.clock())
    assert (done.first, done.recipient_id) == (True, "poc-000")


async def test_a_warning_is_not_sent_while_the_console_has_no_address(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 1, content=ewn(), console=""), Sink()
    async with listening(sink) as port:
        with pytest.raises(ServiceDown, match="console"):
            await post.send(port)
    assert {row.state for row in rows(post.database)} == {"queued"}


async def test_ranges_that_are_sent_at_once_share_the_connections(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 90), Sink(limit=4, answer=asyncio.Event())

    def all_have_begun() -> bool:
        begun = {row.cursor // 30 for row in rows(post.database) if row.state == "sending"}
        return begun == {0, 1, 2}

    async with listening(sink) as port:
        delivery = post.delivery(port)
        sending = asyncio.gather(
            *(
                delivery.send_range(CAMPAIGN, start, start + 30, heartbeat=lambda: None)
                for start in (0, 30, 60)
            )
        )
        await until(all_have_begun)
        assert sink.answer is not None
        sink.answer.set()
        results = await sending
        later = await post.send(port)
    assert [result.accepted for result in results] == [30, 30, 30]
    assert later.accepted == 90
    assert sink.sessions <= 4
    assert set(sink.count().values()) == {1}


async def test_fewer_connections_than_wanted_still_send_everything(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 20), Sink(limit=2)
    async with listening(sink) as port:
        result = await post.send(port)
    assert result.accepted == 20
    assert sink.sessions == 2
    assert set(sink.count().values()) == {1}


async def test_being_told_to_stop_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 150), Sink(patience=10)
    async with listening(sink) as port:
        run = asyncio.create_task(post.send(port))
        await sink.reached.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        states = {row.state for row in rows(post.database)}
        assert states <= {"accepted", "retry_due", "queued"}
        post.clock.move(A_DAY)
        result = await post.send(port)
    assert result.accepted == 150
    assert set(sink.count().values()) == {1}


async def test_a_relay_that_answers_late_gets_no_second_copy(tmp_path: Path) -> None:
    post, sink = Post(tmp_path, 2, lease=timedelta(seconds=0.3)), Sink(answer=asyncio.Event())
    async with listening(sink) as port:
        slow = asyncio.create_task(post.send(port))
        await post.send_beside(port, leases=3)
        assert sink.answer is not None
        sink.answer.set()
        assert (await slow).accepted == 2
    assert set(sink.count().values()) == {1}


@pytest.mark.services
@pytest.mark.parametrize("moment", [1, 7, 23])
async def test_a_killed_sender_loses_nothing_and_doubles_at_most_its_open_connections(
    tmp_path: Path, moment: int
) -> None:
    post, sink = Post(tmp_path, 60), Sink(patience=moment, answer=asyncio.Event())
    (tmp_path / "signer.pem").write_text(identity("ec3").certificate_pem())
    (tmp_path / "signer.key").write_bytes(identity("ec3").key_pem())
    async with listening(sink) as port:
        module = ("-m", "tests.notifications.crashing", str(tmp_path), str(port), "60")
        sender = await asyncio.create_subprocess_exec(sys.executable, *module)
        await sink.reached.wait()
        sender.kill()
        await sender.wait()
        assert sink.answer is not None
        sink.answer.set()
        post.clock.move(A_DAY)
        result = await post.send(port)
    assert (result.accepted, result.next_due) == (60, None)
    assert len(sink.count()) == 60
    assert len(sink.mails) - 60 <= 4
    assert len({raw for _, raw in sink.mails}) == 60  # a second copy is the same bytes


async def test_a_campaign_that_does_not_exist_is_named(tmp_path: Path) -> None:
    post = Post(tmp_path, 1, content=make_content())
    with post.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM campaign")
    with pytest.raises(NotFound, match="campaign/INC-1"):
        await post.send(1)
