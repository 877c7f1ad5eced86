"""A Postfix of our own as judge: what it queued is what we wrote down (F-M2, F-M4, F-K7)."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.services.ports import LOOPBACK, Ports
from infra.settings import SmtpSettings
from notifications.envelopes import Letter
from notifications.submission import Submission
from tests.e2e.support import until
from tests.faults.scale import Scale
from tests.notifications.mailroom import rows
from tests.notifications.post import A_DAY, Post
from tests.notifications.samples import ewn, fact

POSTFIX = shutil.which("postfix")
pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.requirement("R33"),
    pytest.mark.skipif(POSTFIX is None, reason="Postfix is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix starts as root only"),
]

MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/mail.log
maillog_file_prefixes = {home}
command_directory = /usr/sbin
daemon_directory = {daemons}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = judge.invalid
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
default_transport = hold:
defer_transports = hold
smtpd_forbid_bare_newline = yes
smtpd_forbid_unauth_pipelining = yes
smtpd_recipient_restrictions = check_recipient_access regexp:{home}/etc/access, permit
"""
MASTER = """\
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
hold unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Judge:
    """A running Postfix that keeps what it takes."""

    home: Path
    port: int

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [command[0], "-c", str(self.home / "etc"), *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout

    def queued(self) -> dict[str, str]:
        """Queue id to recipient."""
        lines = self.run("postqueue", "-j").splitlines()
        return {
            mail["queue_id"]: recipient["address"]
            for mail in map(json.loads, lines)
            for recipient in mail["recipients"]
        }

    def answer(self, *lines: str) -> None:
        """What it says of recipients from now on, as lines of a regexp table."""
        (self.home / "etc" / "access").write_text("\n".join([*lines, ""]))
        self.run("postfix", "reload")

    def greets(self) -> bool:
        with suppress(OSError, smtplib.SMTPException), smtplib.SMTP(LOOPBACK, self.port, timeout=5):
            return True
        return False


@contextmanager
def postfix(settings: str = "") -> Iterator[Judge]:
    """One of our own, with these settings beside the usual ones."""
    home = Path(
        tempfile.mkdtemp(prefix="leerp-postfix-")
    )  # its users cannot enter pytest's folders
    home.chmod(0o755)
    before = os.umask(0o022)  # nor read what is for its owner only, as a home that was up is
    made = Judge(home, Ports(home).pick("smtp"))
    try:
        for name in ("etc", "queue", "data"):
            (home / name).mkdir()
        shutil.chown(home / "data", "postfix")
        daemons = subprocess.run(
            ["postconf", "-dh", "daemon_directory"], capture_output=True, text=True, check=True
        ).stdout.strip()
        (home / "etc" / "main.cf").write_text(MAIN.format(home=home, daemons=daemons) + settings)
        (home / "etc" / "master.cf").write_text(MASTER.format(port=made.port))
        (home / "etc" / "access").write_text("")
        made.run("postfix", "start")
        yield made
    finally:
        made.run("postfix", "stop")
        shutil.rmtree(home)
        os.umask(before)


@pytest.fixture
def judge() -> Iterator[Judge]:
    with postfix() as made:
        yield made


@pytest.fixture
def lenient() -> Iterator[Judge]:
    """Takes line ends as servers did that could be made to see two mails where one was sent."""
    with postfix("smtpd_forbid_bare_newline = no\nsmtpd_forbid_unauth_pipelining = no\n") as made:
        yield made


def queue_ids(post: Post) -> dict[str, str]:
    """What our rows say of Postfix's queue: its ids, each with the address."""
    return {
        row.reply.rpartition(" ")[2]: f"poc{row.cursor:03}-0@example.invalid"
        for row in rows(post.database)
        if row.state == "accepted"
    }


async def test_what_postfix_queued_is_what_we_wrote_down(
    tmp_path: Path, judge: Judge, scale: Scale
) -> None:
    await until(judge.greets)
    judge.answer("/^poc00[37]-/ 550 5.1.1 no such user", "/^poc01/ DEFER_IF_PERMIT greylisted")
    post = Post(tmp_path, scale.campaign)
    first = await post.send(judge.port)
    assert (first.refused, first.retry_due) == (2, 10)
    assert judge.queued() == queue_ids(post)
    judge.answer("/^poc00[37]-/ 550 5.1.1 no such user")
    post.clock.move(A_DAY)
    second = await post.send(judge.port)
    assert (second.refused, second.accepted) == (2, scale.campaign - 2)
    assert second.next_due is None
    assert judge.queued() == queue_ids(post)
    assert len(judge.queued()) == scale.campaign - 2
    log = (judge.home / "mail.log").read_text()
    assert "improper command pipelining" not in log


async def test_a_mail_with_dots_and_line_ends_is_one_mail_to_postfix(
    tmp_path: Path, judge: Judge
) -> None:
    await until(judge.greets)
    post = Post(tmp_path, 1)
    assert (await post.send(judge.port)).accepted == 1
    ((queue_id, _),) = judge.queued().items()
    content = judge.run("postcat", "-bhq", queue_id)
    (row,) = rows(post.database)
    assert row.raw is not None
    assert content.splitlines()[-3:] == row.raw.decode().splitlines()[-3:]
    assert row.raw.decode().replace("\r\n", "\n").strip() in content


SECOND = "MAIL FROM:<evil@example.invalid>{0}RCPT TO:<victim@example.invalid>{0}DATA{0}x{0}.{0}"
ENDS = ("\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r\n", "\r\n.\r")
"""What some server or other has taken for the end of a mail."""
SMUGGLED = [f"x{end}{SECOND.format(end.replace('.', ''))}" for end in ENDS]
SMUGGLED += [f"x{end}{SECOND.format(chr(13) + chr(10))}" for end in ENDS]


async def test_fk7_a_forgiving_postfix_can_be_made_to_see_two_mails_in_one(lenient: Judge) -> None:
    """The control: without it the next two tests would pass before any server."""
    await until(lenient.greets)
    with smtplib.SMTP(LOOPBACK, lenient.port, timeout=30) as by_hand:
        by_hand.ehlo()
        by_hand.mail("leerp@ec3.invalid")
        by_hand.rcpt("poc@example.invalid")
        by_hand.docmd("DATA")
        by_hand.send(f"Subject: x\r\n\r\nx\n.\r\n{SECOND.format(chr(13) + chr(10))}".encode())
        for _ in range(5):  # the end of the first, then what was smuggled in
            by_hand.getreply()
    assert sorted(lenient.queued().values()) == ["poc@example.invalid", "victim@example.invalid"]


async def test_fk7_texts_that_end_a_mail_before_its_end_smuggle_nothing_past_a_forgiving_postfix(
    tmp_path: Path, lenient: Judge
) -> None:
    await until(lenient.greets)
    hostile = ewn(tuple(fact(text) for text in SMUGGLED), bottom_line=tuple(SMUGGLED[:5]))
    post = Post(tmp_path, 3, content=hostile)
    assert (await post.send(lenient.port)).accepted == 3
    assert lenient.queued() == queue_ids(post)
    assert len(lenient.queued()) == 3


async def test_fk7_lines_that_begin_with_dots_arrive_as_they_were_sent(lenient: Judge) -> None:
    """No mail of ours has such a line, as its parts are base64; the sender does not lean on that."""
    await until(lenient.greets)
    dotted = "..\r\n.\r\n" + SECOND.format("\r\n") + "end\r\n.\r\n..x\r\n"
    raw = f"From: leerp@ec3.invalid\r\nSubject: x\r\n\r\n{dotted}".encode()
    submission = Submission(SmtpSettings(host=LOOPBACK, port=lenient.port))
    await submission.open()
    letter = Letter(to="poc@example.invalid", raw=raw, token="x")

    async def may_send() -> bool:
        return True

    submitted = await submission.submit(letter, may_send)
    await submission.close()
    assert submitted is not None
    assert submitted.state == "accepted"
    ((queue_id, to),) = lenient.queued().items()
    assert to == letter.to
    assert lenient.run("postcat", "-bq", queue_id) == "\n" + dotted.replace("\r\n", "\n")
