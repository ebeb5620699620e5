"""What repeated Tabs go through, and the row that shows it."""

from __future__ import annotations

from collections.abc import Sequence

from views.sanitize import one_line
from views.text import Span, text_width

_GAP, _MORE = "  ", "\u2026"


class Cycle:
    """The completions that repeated Tabs go through: the last of the choices is the word as it was typed.

    start: of the word, as a unit of the line; at: the choice that stands in the line
    """

    def __init__(self, start: int, found: Sequence[str], word: str, step: int) -> None:
        self.start = start
        self.found = list(found)
        self._word = word
        self.at = -1 if step > 0 else len(self.found)

    def turn(self, step: int) -> str:
        """The next choice, or the one before."""
        self.at = (self.at + step) % (len(self.found) + 1)
        return self.found[self.at] if self.at < len(self.found) else self._word


def candidate_spans(found: Sequence[str], at: int, columns: int, quiet: str, strong: str) -> list[Span]:
    """The candidates in one row of `columns`: the page with number `at`, which has the style `strong`."""
    names = [one_line(each).strip().removesuffix(":") for each in found]
    first, end = _page(
        [text_width(name) + len(_GAP) for name in names], at, columns - 2 * len(_MORE) - len(_GAP)
    )
    spans = [Span(f"{_MORE}{_GAP}", quiet)] if first else []
    for number in range(first, end):
        if number > first:
            spans.append(Span(_GAP, quiet))
        spans.append(Span(names[number], strong if number == at else quiet))
    return [*spans, Span(f"{_GAP}{_MORE}", quiet)] if end < len(names) else spans


def _page(widths: Sequence[int], at: int, columns: int) -> tuple[int, int]:
    """The first and the last number (exclusive) of the page with number `at`, or of the last page."""
    first = used = 0
    for number, width in enumerate(widths):
        if used and used + width > columns:
            if at < number:
                return first, number
            first, used = number, 0
        used += width
    return first, len(widths)
