"""The services that nudges go over, by apprise: Signal, SMS, Teams, ntfy and a hundred others."""

from __future__ import annotations

import logging

from apprise import Apprise

TITLE = "LEERP"
TALKATIVE = ("apprise", "urllib3", "requests")
"""Libraries whose logs name addresses."""


def quieten() -> None:
    """Keep the libraries from writing addresses into our logs."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def notify(address: str, text: str) -> bool:
    """Send a text to one address; whether the service took it. Blocks, for some seconds at most.

    Raises:
        Exception: of the service's library, as it comes.
    """
    service = Apprise()
    return service.add(address) and bool(service.notify(body=text, title=TITLE))
