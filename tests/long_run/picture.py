"""The curves of a long run, as one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from tests.bench.svg import Panel, curves
from tests.long_run.samples import Sample

_POINTS: Final = 120
"""Points of one curve, each the median of what it stands for: a picture is a text that people keep."""


def draw(title: str, samples: Sequence[Sample]) -> str:
    """The picture as SVG."""
    pieces = _pieces(samples)
    minutes = [piece[len(piece) // 2].at / 60 for piece in pieces]

    def curve(value: Callable[[Sample], float]) -> list[float]:
        return [sorted(map(value, piece))[len(piece) // 2] for piece in pieces]

    panels = [
        Panel("memory, MB", {"resident": curve(lambda one: one.resident / 1024)}),
        Panel(
            "people",
            {
                "connections": curve(lambda one: one.connections),
                "threads": curve(lambda one: one.threads),
                "descriptors": curve(lambda one: one.descriptors),
            },
        ),
        Panel(
            "files, MB",
            {"history": curve(lambda one: one.data / 1e6), "its log": curve(lambda one: one.log / 1e6)},
        ),
        Panel(
            "thousands",
            {"events": curve(lambda one: one.events / 1000), "lines": curve(lambda one: one.lines / 1000)},
        ),
        Panel("a line, ms", {"p50": curve(lambda one: one.p50), "p99": curve(lambda one: one.p99)}),
        Panel("load of the machine", {"load": curve(lambda one: one.load)}),
    ]
    return curves(title, "minutes", minutes, panels)


def _pieces(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    """At most _POINTS pieces of about the same length."""
    count = min(_POINTS, len(samples))
    edges = [len(samples) * number // count for number in range(count + 1)]
    return [samples[begin:end] for begin, end in pairwise(edges)]
