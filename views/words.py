"""Where words begin and end in the units of an input line. A long paste is a word of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from views.pasted import Pasted


def is_gap(unit: str) -> bool:
    """Whether the unit is no part of a word."""
    return not (unit[0].isalnum() or unit[0] == "_")


def word_start(units: Sequence[str], at: int, gap: Callable[[str], bool] = is_gap) -> int:
    """The start of the word that ends at `at`; `at` itself if there is none."""
    while at and not isinstance(units[at - 1], Pasted) and not gap(units[at - 1]):
        at -= 1
    return at


def word_left(units: Sequence[str], at: int, gap: Callable[[str], bool] = is_gap) -> int:
    """The start of the word before `at`, over the gap between."""
    while at and not isinstance(units[at - 1], Pasted) and gap(units[at - 1]):
        at -= 1
    return at - 1 if at and isinstance(units[at - 1], Pasted) else word_start(units, at, gap)


def word_right(units: Sequence[str], at: int) -> int:
    """The end of the word behind `at`, over the gap between."""
    end = len(units)
    while at < end and not isinstance(units[at], Pasted) and is_gap(units[at]):
        at += 1
    if at < end and isinstance(units[at], Pasted):
        return at + 1
    while at < end and not isinstance(units[at], Pasted) and not is_gap(units[at]):
        at += 1
    return at
