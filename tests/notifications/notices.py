"""Delivery notices as mail servers write them, and as nobody should."""

from __future__ import annotations

from pathlib import Path

NOTICE = """\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@far.example
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

{text}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; far.example
{envelope}
Final-Recipient: rfc822; poc000-0@example.invalid
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {reason}

--b
Content-Type: text/rfc822-headers

Subject: LEERP notice

--b--
"""


def notice(
    *,
    to: str = "bounces@ec3.example",
    envid: str = "",
    action: str = "failed",
    status: str = "5.1.1",
    reason: str = "550 5.1.1 no such user",
    text: str = "Your mail came back.",
) -> bytes:
    """A notice in the form of RFC 3464."""
    envelope = f"Original-Envelope-Id: {envid}\n" if envid else ""
    made = NOTICE.format(
        to=to, envelope=envelope, action=action, status=status, reason=reason, text=text
    )
    return made.replace("\n", "\r\n").encode()


def maildir(folder: Path, *raws: bytes) -> Path:
    """A Maildir with these as new mails; what is in it already stays."""
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(raws):
        (folder / "new" / f"{number:05}.host").write_bytes(raw)
    return folder
