"""Memory of a process that handles large buffers now and then."""

from __future__ import annotations

import ctypes
import gc

MMAP_THRESHOLD = -3
"""glibc's number for the size from which a buffer is memory of its own."""
LARGE = 1_000_000
COLLECT_EVERY = 50_000
"""New objects until the collector looks: a batch makes thousands that live as long as it does."""


def return_large_buffers() -> None:
    """Give every buffer of a megabyte and more back to the system when it is freed.

    glibc learns from large buffers to keep them, in as many pools as there are threads; a few records
    of 4 MB then cost a process tens of megabytes for good. Without glibc nothing is changed.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(MMAP_THRESHOLD, LARGE)


def collect_seldom() -> None:
    """Let the collector pass over what is there already, and look after many new objects only."""
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 20)
