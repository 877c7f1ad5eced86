"""The subject of R6 as a process: what lies ready in the outbox of a home goes to the relay.

``python -m leerp.bench.campaign_sender HOME CAMPAIGN RECIPIENTS``; writes mails a second, and when each
was accepted, as JSON to standard output. Source: reliability 1.6.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

import uvloop

from infra.bootstrap import App, app, configure_logging
from infra.memory import keep_memory_small
from notifications.delivery import Delivery
from notifications.smime import Signer
from protocol.errors import ServiceDown


async def send(opened: App, campaign_id: str, recipients: int) -> float:
    """Send it all through ``Delivery``, as a worker does; mails a second.

    Raises:
        ServiceDown: a mail was not accepted.
    """
    keys = opened.keys
    delivery = Delivery(
        opened.database,
        opened.settings,
        signer=Signer.load(keys.signer_certificate_file, keys.signer_key_file),
        ack_key=keys.acknowledgement,
    )
    begun = time.perf_counter()
    result = await delivery.send_range(campaign_id, 0, recipients, heartbeat=lambda: None)
    spent = time.perf_counter() - begun
    if result.accepted != recipients:
        raise ServiceDown(f"{result.accepted} of {recipients} mails were accepted: {result}")
    return recipients / spent


def main(home: Path, campaign_id: str, recipients: int) -> None:
    """Send once."""
    keep_memory_small()
    configure_logging(logging.ERROR)
    with app(home) as opened:
        json.dump(uvloop.run(send(opened, campaign_id, recipients)), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
