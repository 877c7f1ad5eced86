"""Writes headers of mails on any Python, with its standard library alone: ``python -m ...``.

Each line of input is a JSON list of texts that may be hostile. The answer is one line too: the bytes
that were written with them as values, what this Python's own reader sees in them, and the values as
they are to be read.
"""

from __future__ import annotations

import json
import platform
import sys
from email import message_from_bytes, policy

from notifications.headers import header_lines, header_value, safe_header

TO = "poc@example.invalid"
HOSTILE = ("Subject", "Message-ID", "References", "X-LEERP-Notification")


def main() -> None:
    sys.stdout.write(platform.python_version() + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        texts = json.loads(line)
        values = [("From", "leerp@ec3.invalid"), ("To", TO), *zip(HOSTILE, texts, strict=True)]
        raw = header_lines((name, header_value(value)) for name, value in values) + b"\r\n"
        seen = message_from_bytes(raw, policy=policy.default)
        answer = {
            "raw": raw.decode("ascii"),
            "names": list(seen.keys()),
            "body": seen.get_content(),
            "to": [address.addr_spec for address in seen["To"].addresses],
            "subject": " ".join(str(seen["Subject"]).split()),
            "wanted": safe_header(texts[0]),
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
