"""The block at the bottom of the screen: own lines that are not stored yet, the status, the input line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from views.formatting import Theme, format_pending
from views.input_rows import input_rows
from views.limits import PENDING_SHOWN, REASON_COLUMNS, STATUS_LINES, TALL_LINES
from views.sanitize import one_line
from views.text import Cell, Row, Span, cells, clip, row_of, text_width


class Block(NamedTuple):
    """The rows below the transcript.

    row, column: position of the cursor, counted from the block's first row and column (0, 0)
    at_end:      the cursor is at the end of the input
    spare:       so many of the rows go soon: those of a long input after the first, what is shown for a key
    """

    rows: tuple[Row, ...]
    row: int
    column: int
    at_end: bool
    spare: int = 0


_PROMPT = "> "


def prompt_name(name: str, to: str, columns: int) -> str:
    """What stands before the prompt: who speaks and, if only one person reads it, to whom: `ann to bob`.

    On a narrow screen the one who reads it matters more.
    """
    if not to:
        return name
    room = max(1, columns - 1) // 2 - len(_PROMPT)
    return next((each for each in (f"{name} to {to}", f"to {to}") if text_width(each) <= room), f"@{to}")


def layout_input(
    name: Span,
    clusters: Sequence[str],
    cursor: int,
    columns: int,
    most_rows: int,
    above: Sequence[Row] = (),
) -> Block:
    """The input line in at most `most_rows` rows of `columns - 1`, scrolled so that the cursor is visible.

    clusters: its units, see `views.pasted`
    name:  the user's name, shown before the prompt and clipped so that half of the row is left
    above: rows of the block above the input
    """
    # Of a very long line only what is near the cursor is laid out, from a start that stays while one types.
    most = most_rows * max(1, columns - 1)  # clusters that fill the rows
    start = max(0, cursor // most - 1) * most
    part = tuple(clusters[start : cursor + most + 1])
    shown, row, at = _visible_input(name, part, start, cursor, columns, most_rows)
    at_end = cursor >= len(clusters)
    return Block((*above, *shown), len(above) + row, at, at_end, len(shown) - 1)


@lru_cache(maxsize=2)  # most frames have the input line of the frame before
def _visible_input(
    name: Span, part: tuple[str, ...], start: int, cursor: int, columns: int, most_rows: int
) -> tuple[tuple[Row, ...], int, int]:
    """The visible rows of a part of the input line, which begins with the cluster `start`, and the cursor."""
    room = max(1, columns - 1)
    head = [*clip([name], room // 2 - len(_PROMPT)), *cells(Span(_PROMPT, name.style))]
    rows, row, at = input_rows([] if start else head, part, start, cursor, room)
    first = max(0, min(row - most_rows // 2, len(rows) - most_rows))
    shown = tuple(row_of(row_cells) for row_cells in rows[first : first + most_rows])
    return shown, row - first, at


def layout_question(question: Span, columns: int, most_rows: int, above: Sequence[Row] = ()) -> Block:
    """A question in place of the input line, with the cursor behind it. What is typed there is not shown.

    Where there is no room for all of it, its end is shown.
    """
    room = max(1, columns - 1)
    rows: list[list[Cell]] = [[]]
    for number, word in enumerate(question.text.split(" ")):
        of_word = cells(question._replace(text=word))
        if number and _width(rows[-1]) + 1 + _width(of_word) <= room:
            rows[-1] += cells(question._replace(text=" "))
        elif number:
            rows.append([])
        for cell in of_word:
            if rows[-1] and _width(rows[-1]) + cell.width > room:
                rows.append([])
            rows[-1].append(cell)
    if rows[-1] and _width(rows[-1]) == room:
        rows.append([])
    rows[-1] += cells(question._replace(text=" "))
    shown = [row_of(row) for row in rows[-most_rows:]]
    column = min(room, _width(rows[-1]))
    return Block((*above, *shown), len(above) + len(shown) - 1, column, True, len(shown) - 1)


def _width(row: Sequence[Cell]) -> int:
    return sum(cell.width for cell in row)


def pending_rows(texts: Sequence[str], columns: int, lines: int, theme: Theme) -> list[Row]:
    """Rows for own lines that are not stored yet; `texts` are these lines in order.

    The rows take at most a quarter of the screen's `lines`, and at most PENDING_SHOWN. If that is not enough
    for all, the last row says how many lines are hidden.
    """
    most = min(PENDING_SHOWN, lines // 4)
    if not texts or not most:
        return []
    room = 2 * most * columns  # characters that surely fill the rows: the work is bounded, as for each frame
    shown = texts[:most]
    rows = [row for text in shown for row in format_pending(text[:room], columns, theme)]
    hidden = len(texts) - most
    if hidden <= 0 and len(rows) <= most and all(len(text) <= room for text in shown):
        return rows
    rest = f"{hidden:,} more lines wait" if hidden > 0 else "\u2026"
    return [*rows[: most - 1], _dim_row(rest, columns, theme)]


class Waiting(NamedTuple):
    """A place with lines that the reader has not seen, and how many of them call the reader."""

    name: str
    lines: int
    calls: int = 0

    @property
    def words(self) -> str:
        """Such as `#tea 2 (1 calls you)`."""
        return f"{self.name} {self.lines:,}{self.calls_words}"

    @property
    def calls_words(self) -> str:
        """The part about the calls; empty if there are none, or in a conversation, where each line calls."""
        if self.name.startswith("@"):
            return ""
        return f" ({self.calls:,} call{'s' * (self.calls == 1)} you)" if self.calls else ""

    @property
    def short(self) -> str:
        """The same where there is little room: `>` stands before a channel that calls, as before a name."""
        return f"{'>' * bool(self.calls_words)}{self.name} {self.lines:,}"


class Status(NamedTuple):
    """What stands above the input line.

    place:   the channel on the screen
    text:    what else there is to know of it
    trouble: it must not be missed
    silent:  why the reader may only read there; empty: it is not so, or not known
    waiting: other places with something unread; those that call the reader come first
    topic:   of the channel
    to:      the only one who reads what is typed; empty: it is a channel
    """

    place: str = ""
    text: str = ""
    trouble: bool = False
    silent: str = ""
    waiting: tuple[Waiting, ...] = ()
    topic: str = ""
    to: str = ""


def status_rows(status: Status, columns: int, lines: int, theme: Theme) -> list[Row]:
    """The row for the status, on a tall screen with an empty row above it. None on a screen of few lines."""
    if not (status.place or status.text) or lines < STATUS_LINES:
        return []
    if status.trouble and columns < REASON_COLUMNS:
        status = status._replace(text=status.text.partition(": ")[0])  # the reason stands above, in a row
    row = _clipped_row(tuple(_status_spans(status, theme, columns - 1)), columns)
    return [Row(""), row] if lines >= TALL_LINES else [row]


@lru_cache(maxsize=2)  # as the input line
def _clipped_row(spans: tuple[Span, ...], columns: int) -> Row:
    return row_of(clip(spans, columns - 1))


_NEXT = " \u00b7 "


def _status_spans(status: Status, theme: Theme, room: int) -> Iterator[Span]:
    """Words alone tell everything; who is called finds it sooner by the colour. room: in columns"""
    quiet = theme.palette.quiet
    head = [Span(one_line(status.place))]
    head.append(Span(one_line(status.text), theme.palette.notice if status.trouble else quiet))
    if status.silent:
        head.append(Span(f"{_NEXT}read-only: {one_line(status.silent)}", quiet))
    if status.waiting:
        head.append(Span(f"{_NEXT}unread: ", quiet))
    yield from head
    yield from _waiting_spans(status.waiting, theme, room - sum(text_width(span.text) for span in head))
    if status.topic:
        yield Span(f"{_NEXT}{one_line(status.topic)}", quiet)


def _waiting_spans(places: Sequence[Waiting], theme: Theme, room: int) -> Iterator[Span]:
    """What waits elsewhere: in words if all have room, else short, and without the last places."""
    words = [one_line(place.words) for place in places]
    shown = len(words)
    if text_width(", ".join(words)) > room:
        words = [one_line(place.short) for place in places]
        while shown > 1 and text_width(", ".join(words[:shown]) + _others(len(words) - shown)) > room:
            shown -= 1
    for number, word in enumerate(words[:shown]):
        if number:
            yield Span(", ", theme.palette.quiet)
        yield Span(word, theme.palette.mark if places[number].calls else theme.palette.quiet)
    if shown < len(words):
        yield Span(_others(len(words) - shown), theme.palette.quiet)


def _others(number: int) -> str:
    return f", +{number:,}" if number else ""


def _dim_row(text: str, columns: int, theme: Theme) -> Row:
    return row_of(clip([Span(text, theme.palette.quiet)], columns - 1))
