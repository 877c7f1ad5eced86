"""Runs a command that dies with its parent, even when the parent is killed outright.

Run by file, not by module, so that it starts in milliseconds: ``python -I -S child.py PARENT
COMMAND [ARGUMENT...]``. Asks Linux for SIGKILL at the parent's death, then becomes the command. The
request holds for the thread that started us, so services are started from the process's main
thread.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def dying_with_us(*command: str) -> tuple[str, ...]:
    """The command line that runs ``command`` so that it dies with this process."""
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *command)


def main(parent: int, command: list[str]) -> None:
    """Become ``command``, to be killed when the process ``parent`` ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) was refused")
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  the command is our own, and no shell is wanted
    except OSError as exc:
        sys.exit(f"cannot start {command[0]}: {exc.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
