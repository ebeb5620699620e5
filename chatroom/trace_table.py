"""The way of one line as a table: when, which thread, and what it did. As `chatroom.answer_tables`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from chatroom.table import TABLE_COLUMNS, table

Rows = Sequence[Any]

_LEAST: Final = 46
"""Columns of a screen on which times, threads and what these did stand below each other."""

_SECOND: Final = 1_000_000


def trace(rows: Rows, columns: int | None = TABLE_COLUMNS) -> str:
    """The way of a line in the server. rows: see `chatroom.trace.Trace.rows`; columns: as for `table`"""
    return "\n".join([_through(rows), *_steps(rows, columns)])


def own_steps(rows: Rows, columns: int | None = TABLE_COLUMNS) -> str:
    """The way of the same line in a client, which has another clock."""
    return "\n".join(["this program, by its own clock, µs since Enter:", *_steps(rows, columns)])


def _through(rows: Rows) -> str:
    """Which line it was, and who has it by now."""
    found: dict[str, list[Any]] = {}
    for _, _, step, *details in rows:
        found.setdefault(step, []).append(details)
    since, line = "; µs since it was read:", "your line"
    if "applied" in found:
        line = f"line {found['applied'][0][0]:,}"
    if "unfinished" in found:
        return f"{line} is not through after {_span(rows[-1][0])}{since}"
    has = sum(given for (given,) in found.get("given", []))
    has += sum(count for step in ("sent", "rest") for _, count in found.get(step, []))
    late = sum(count for step in ("unsent", "lost") for _, count in found.get(step, []))
    whoever = f"{has:,} of {has + late:,}" if late else "all"
    return f"{line}: {whoever} have it in {_span(rows[-1][0])}{since}"


def _span(microseconds: int) -> str:
    if microseconds > _SECOND / 10:
        return f"{microseconds / _SECOND:,.1f} s"
    return f"{microseconds / 1000:.1f} ms"


def _steps(rows: Rows, columns: int | None) -> list[str]:
    times = [f"{at:,}" if at < _SECOND else _span(at) for at, *_ in rows]
    width = max(map(len, times), default=0)
    cells = []
    for time, (_, thread, step, *details) in zip(times, rows, strict=True):
        words = _STEPS[step](*details) if step in _STEPS else step
        who = "main" if thread == "MainThread" else thread
        wide = columns is not None and columns >= _LEAST
        cells.append((f"{time:>{width}}", *((who, words) if wide else (f"{who} {words}",))))
    return table(cells, columns)


def _whom(names: Sequence[str], count: int) -> str:
    """Those that are named, and how many more there are."""
    unnamed = count - len(names)
    if not unnamed:
        return ", ".join(names)
    if names:
        return f"{', '.join(names)} and {unnamed:,} more"
    return f"{unnamed:,} connection{'s' * (unnamed != 1)}"


def _beside(lines: int) -> str:
    return f", with {lines:,} other line{'s' * (lines != 1)}" if lines else ""


def _size(number: int) -> str:
    for unit, size in ("MB", 1_000_000), ("kB", 1000):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number} bytes"


_STEPS: Final[dict[str, Callable[..., str]]] = {
    "read": lambda: "reads its bytes from the socket",
    "allowed": lambda: "lets you follow it",
    "queued": lambda: "puts it into the queue",
    "taken": lambda waited, lines: f"takes it after {waited:,} in the queue{_beside(lines - 1)}",
    "applied": lambda seq: f"applies it: it is line {seq:,}",
    "encoded": lambda size: f"encodes it once for all: {_size(size)}",
    "stored": lambda took: f"stores it, which takes {took:,}",
    "sent": lambda names, count: f"sends it to {_whom(names, count)}",
    "waits": lambda names, count, size: f"sends it to {_whom(names, count)}, behind {_size(size)}",
    "rest": lambda names, count: f"sends the rest to {_whom(names, count)}",
    "given": lambda count: f"sends it to {count:,} more, who are only counted",
    "lost": lambda names, count: f"loses {'the connection to ' * bool(names)}{_whom(names, count)}",
    "unsent": lambda names, count: f"waits no longer for {_whom(names, count)}",
    "unfinished": lambda: "waits no longer",
    "typed": lambda: "reads Enter",
    "handed": lambda: "sends it to the server",
    "came": lambda: "has it back: so it is stored",
    "shown": lambda: "puts it on the screen",
}
"""What the thread does in a step; the last four are steps of a client."""
