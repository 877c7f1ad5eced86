"""Says how many changed copies of the rules the tests told from the right ones, and shows the others.

Run by ``make mutate`` after mutmut, whose figures it reads. The exit is 1 when less than 90 % were told;
the copies that no test tells are explained in ``docs/mutation-survivors.md``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATS = ROOT / "mutants" / "mutmut-cicd-stats.json"
MUTMUT = Path(sys.executable).with_name("mutmut")
LEAST = 0.9
KILLED = ("killed", "timeout", "segfault")
LIVED = ("survived", "no_tests", "suspicious")


def main() -> int:
    """Print the survivors and the two numbers; the exit code."""
    mutmut("export-cicd-stats")
    stats = json.loads(STATS.read_text())
    killed = sum(stats[name] for name in KILLED)
    survived = sum(stats[name] for name in LIVED)
    unchecked = stats["total"] - killed - survived - stats["skipped"]
    for line in mutmut("results").splitlines():
        name, _, state = line.strip().partition(": ")
        if state.replace(" ", "_") in LIVED:
            print(f"{state}: {name}")
            print(*changed_lines(mutmut("show", name)), sep="\n")
    print(f"killed {killed}")
    print(f"survived {survived}")
    if unchecked:
        print(f"not tried {unchecked}: run 'make mutate' to its end")
    return 0 if not unchecked and killed >= LEAST * (killed + survived) else 1


def changed_lines(diff: str) -> list[str]:
    """The lines that a diff takes away and puts in."""
    return [
        f"    {line}"
        for line in diff.splitlines()
        if line[:1] in {"-", "+"} and not line.startswith(("---", "+++"))
    ]


def mutmut(*arguments: str) -> str:
    """What mutmut prints."""
    done = subprocess.run(
        [str(MUTMUT), *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
