"""The errors that people and callers are meant to tell apart.

Every message says what is wrong and, where somebody can do something, what to do.
"""

from __future__ import annotations


class LeerpError(Exception):
    """Root of the project's own errors."""


class Refused(LeerpError):
    """The rules of the protocol forbid it. ``reason`` is a stable code, the message is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RejectedReport(LeerpError):
    """A record that can never be accepted; ``reason`` is the code that statistics are made of."""

    kept: bytes | None = None
    """What to keep of the record where the record itself may not be kept."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ServiceDown(LeerpError):
    """A service that is needed does not answer; the message names it and the way to start it."""


class NotFound(LeerpError):
    """No such incident, report, recipient or officer."""
