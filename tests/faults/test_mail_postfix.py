"""A Postfix of our own as judge: what it queued is what we wrote down (F-M2, F-M4, F-K7)."""

from __future__ import annotations

import json
import os
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.services.ports import LOOPBACK, Ports
from tests.e2e.support import until
from tests.faults.scale import Scale
from tests.notifications.mailroom import rows
from tests.notifications.post import A_DAY, Post

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


@pytest.fixture
def judge() -> Iterator[Judge]:
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
        (home / "etc" / "main.cf").write_text(MAIN.format(home=home, daemons=daemons))
        (home / "etc" / "master.cf").write_text(MASTER.format(port=made.port))
        (home / "etc" / "access").write_text("")
        made.run("postfix", "start")
        yield made
    finally:
        made.run("postfix", "stop")
        shutil.rmtree(home)
        os.umask(before)


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
