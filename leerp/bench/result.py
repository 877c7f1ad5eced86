"""What a bench has found; the JSON of design section 6."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from leerp.bench.chart import Curve
from leerp.bench.ratios import Ratio


@dataclass(slots=True, kw_only=True)
class Result:
    """What the bench of this name has found so far."""

    bench: str
    machine: dict[str, Any]
    ratios: dict[str, Ratio] = field(default_factory=dict)
    absolute: dict[str, Any] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)

    def add(self, *ratios: Ratio) -> None:
        """Take in ratios by their names."""
        self.ratios |= {ratio.measure.name: ratio for ratio in ratios}

    @property
    def holds(self) -> bool:
        """Whether every gate holds."""
        return all(ratio.holds for ratio in self.ratios.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "bench": self.bench,
            "ratios": {name: ratio.to_json() for name, ratio in self.ratios.items()},
            "absolute": self.absolute,
            "machine": self.machine,
        }
