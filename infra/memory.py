"""Memory of a process that handles large buffers in several threads."""

from __future__ import annotations

import ctypes
import gc

MMAP_THRESHOLD = -3
"""glibc's number for the size from which a buffer is memory of its own."""
ARENA_MAX = -8
"""glibc's number for the most pools that threads take memory from."""
LARGE = 256_000
COLLECT_EVERY = 500_000
"""New objects until the collector looks: more than a batch makes, which live as long as it does."""


def keep_memory_small() -> None:
    """Give large buffers back to the system when they are freed, and take small ones from one pool.

    glibc learns from large buffers to keep them, in as many pools as there are threads; a few records
    of 4 MB, or many batches that are made in one thread and freed in another, then cost a process
    tens of megabytes for good. Call it before threads start. Without glibc nothing is changed.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(MMAP_THRESHOLD, LARGE)
        libc.mallopt(ARENA_MAX, 1)


def collect_seldom() -> None:
    """Let the collector pass over what is there already, and look after many new objects only.

    Whoever works in batches calls ``collect_new`` after each.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 20)


def collect_new() -> None:
    """Free what has come since the last time and refers to itself, such as SQLAlchemy's statements.

    Those hold the values that they were made with: all the keys of a batch.
    """
    gc.collect(0)
