"""Polls: a question with numbered options, and bars of how many have chosen each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

from chatroom.events import Event, EventKind
from views.limits import BAR_COLUMNS, POLL_OPTIONS
from views.sanitize import one_line
from views.text import Cell, Row, Span, cells, row_of, text_width, width_of, wrap

_BETWEEN: Final = " | "
_BAR: Final = "#"  # every terminal shows it one column wide, also without colours
_LEAST_BAR: Final = 4
HOW_TO_VOTE: Final = "/vote N; you may change it until the result comes"


class Poll(NamedTuple):
    """A poll, or its result. votes: how many have chosen each option; None: it is open"""

    author: str
    question: str
    options: tuple[str, ...]
    votes: tuple[int, ...] | None

    @property
    def head(self) -> str:
        """The question, and who asks."""
        if self.votes is None:
            return f"{self.author} asks: {self.question}"
        total = sum(self.votes)
        return f"the result of the poll: {self.question} ({total:,} vote{'' if total == 1 else 's'})"

    @property
    def line(self) -> str:
        """All of it on one line."""
        if self.votes is None:
            options = ", ".join(f"{number} {text}" for number, text in enumerate(self.options, 1))
            return f"{self.head} {options}; /vote N"
        rows = zip(self.options, self.votes, _percents(self.votes), strict=True)
        found = [f"{n} {text}: {votes} ({share} %)" for n, (text, votes, share) in enumerate(rows, 1)]
        return f"{self.head} {', '.join(found)}"


def poll_of(event: Event) -> Poll:
    """The poll of a POLL or REVEALED. A server may send anything: what is missing counts as empty."""
    question, *options = [one_line(part).strip() for part in event.text.split(_BETWEEN)]
    shown = tuple(options[:POLL_OPTIONS])
    votes = None
    if event.kind is EventKind.REVEALED:
        votes = tuple(count or 0 for _, count in zip_longest(shown, event.votes[: len(shown)]))
    return Poll(one_line(event.author), question, shown, votes)


def poll_rows(poll: Poll, columns: int, margin: int, quiet: str) -> list[Row]:
    """The rows below the question.

    margin: columns left free at the left side
    quiet:  style of what is less important
    """
    labels = [f"{number} {text}" for number, text in enumerate(poll.options, 1)]
    if poll.votes is None:
        spans = [*map(Span, labels), Span(HOW_TO_VOTE, quiet)]
        return [row for span in spans for row in _indented(span, columns, margin)]
    counts = [f"{votes:,}" for votes in poll.votes]
    wide = max(map(len, counts), default=0)
    shares = [f"{share} %" for share in _percents(poll.votes)]
    most = max(map(len, shares), default=0)
    tails = [f"{count:>{wide}}  {share:>{most}}" for count, share in zip(counts, shares, strict=True)]
    return _bars(labels, poll.votes, tails, columns, margin)


def _bars(
    labels: Sequence[str], votes: Sequence[int], tails: Sequence[str], columns: int, margin: int
) -> list[Row]:
    room = columns - 1 - margin
    tail = max(map(len, tails), default=0)
    label = max(map(text_width, labels), default=0)
    beside = label <= room // 2 and room - label - tail - 2 >= _LEAST_BAR
    size = min(BAR_COLUMNS, room - tail - 1 - (label + 1 if beside else 2))
    rows: list[Row] = []
    for text, number, figures in zip(labels, votes, tails, strict=True):
        if size < _LEAST_BAR:
            count, share = figures.split(None, 1)
            rows += _indented(Span(f"{text}: {count} ({share.strip()})"), columns, margin)
            continue
        length = max(min(number, 1), round(size * number / max(1, *votes)))
        drawn = cells(Span(_BAR * length + " " * (size - length + 1) + figures))
        if beside:
            rows.append(row_of(_padded(cells(Span(text)), label + 1, margin) + drawn))
        else:
            rows += _indented(Span(text), columns, margin)
            rows.append(row_of(_padded([], 2, margin) + drawn))
    return rows


def _padded(shown: list[Cell], columns: int, margin: int) -> list[Cell]:
    """Cells, with spaces before them and behind them, so that they are `columns` wide."""
    space = Cell(" ", 1)
    return [space] * margin + shown + [space] * (columns - width_of(shown))


def _indented(span: Span, columns: int, margin: int) -> list[Row]:
    return wrap([Span(" " * margin), span], columns, margin)


def _percents(votes: Sequence[int]) -> list[int]:
    total = sum(votes)
    return [(200 * each + total) // (2 * total) if total else 0 for each in votes]
