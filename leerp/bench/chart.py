"""A chart of the rate over the reports or mails of a run, in windows and since the beginning, as SVG.

The scale of the rate is logarithmic: a control that only counts is far above everything else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from leerp.bench.progress import Timeline

WINDOWS = 40
WIDTH, HEIGHT = 900, 660
LEFT, RIGHT = 80, 880
PANELS = ((64, 300), (360, 596))
"""Top and bottom of each."""
COLOURS = ("#0969da", "#8c959f", "#1a7f37", "#bf8700", "#cf222e", "#8250df")
LETTER, MARK = 6.7, 40
"""Width of a letter in the legend, and of what stands about a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The rate of one run: in each of its parts, and from the beginning to the end of each."""

    name: str
    windows: Sequence[float]
    cumulative: Sequence[float]

    @classmethod
    def of(cls, name: str, timeline: Timeline) -> Self:
        """The curve of a run."""
        windows = timeline.windows(WINDOWS)
        seconds, cumulative = 0.0, []
        for number, rate in enumerate(windows, start=1):
            seconds += 1 / rate if rate else 0.0
            cumulative.append(number / seconds if seconds else 0.0)
        return cls(name=name, windows=windows, cumulative=cumulative)


def draw(title: str, curves: Sequence[Curve], total: int, *, unit: str = "reports") -> str:
    """The chart as an SVG document; ``total`` is how many of ``unit`` each run was of."""
    rates = [rate for curve in curves for rate in (*curve.windows, *curve.cumulative) if rate > 0]
    lowest, highest = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    scale = (lowest, max(highest, lowest + 1))
    template = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    ).get_template("chart.svg.j2")
    return template.render(
        title=title,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=RIGHT,
        panels=[
            _panel(place, words, scale, [(curve.name, values(curve)) for curve in curves])
            for place, words, values in (
                (PANELS[0], f"{unit}/s in each fortieth of the run", _windows),
                (PANELS[1], f"{unit}/s since the beginning", _cumulative),
            )
        ],
        across=[
            {"at": LEFT + (RIGHT - LEFT) * part / 4, "label": f"{total * part // 4:,}"}
            for part in range(5)
        ],
        legend=_legend([curve.name for curve in curves]),
    )


def _legend(names: Sequence[str]) -> list[dict[str, Any]]:
    entries, at = [], float(LEFT)
    for number, name in enumerate(names):
        entries.append({"x": round(at, 1), "colour": _colour(number), "name": name})
        at += MARK + LETTER * len(name)
    return entries


def _panel(
    place: tuple[int, int],
    title: str,
    scale: tuple[int, int],
    lines: Iterable[tuple[str, Sequence[float]]],
) -> dict[str, Any]:
    top, bottom = place

    def height(rate: float) -> float:
        share = (math.log10(rate) - scale[0]) / (scale[1] - scale[0])
        return round(bottom - share * (bottom - top), 1)

    return {
        "title": title,
        "top": top,
        "bottom": bottom,
        "ticks": [
            {"at": height(10**power), "label": f"{10**power:,}"}
            for power in range(scale[0], scale[1] + 1)
        ],
        "lines": [
            {
                "name": name,
                "colour": _colour(number),
                "points": " ".join(
                    f"{round(LEFT + (RIGHT - LEFT) * (n + 0.5) / len(values), 1)},{height(rate)}"
                    for n, rate in enumerate(values)
                    if rate > 0
                ),
            }
            for number, (name, values) in enumerate(lines)
        ],
    }


def _windows(curve: Curve) -> Sequence[float]:
    return curve.windows


def _cumulative(curve: Curve) -> Sequence[float]:
    return curve.cumulative


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]
