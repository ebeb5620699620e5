"""The figures of the runs become one table: medians, and ours divided by each of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

OURS: Final = "ours"


@dataclass
class Figures:
    """What the runs have found: by row of the table, then by program, one value for each run."""

    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, row: str, program: str, value: float) -> None:
        """One more run of a program."""
        self.rows.setdefault(row, {}).setdefault(program, []).append(value)

    def median(self, row: str, program: str) -> float | None:
        """Of all runs; None if there was none."""
        values = self.rows.get(row, {}).get(program)
        return median(values) if values else None


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values is."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(figures: Figures, programs: Sequence[str]) -> str:
    """In Markdown, a row for each figure; behind that of another program, how many times ours it is."""
    lines = [f"| | {' | '.join(programs)} |", "|---" * (len(programs) + 1) + "|"]
    for row in figures.rows:
        ours = figures.median(row, OURS)
        cells = (_cell(figures.median(row, program), ours, program) for program in programs)
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: float | None, ours: float | None, program: str) -> str:
    if value is None:
        return "–"
    ratio = f" (×{number(value / ours)})" if ours and not program.startswith(OURS) else ""
    return number(value) + ratio


def number(value: float) -> str:
    """Two significant digits, three from 100 on."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def spread(figures: Figures) -> Iterable[str]:
    """Of each figure of ours, the lowest and the highest value."""
    for row, programs in figures.rows.items():
        if values := programs.get(OURS):
            yield f"{row}: {number(min(values))} to {number(max(values))}"
