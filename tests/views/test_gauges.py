"""The numbers of `--watch` as texts: short, and in their places."""

from __future__ import annotations

import pytest

from chatroom.limits import SIZE_STEPS
from chatroom.picture import Lately, Numbers
from views.gauges import about, ago, fitting, size, sizes_of, values_of

QUIET = Lately(1.0, 0, 9, 0, 0, 0, 0.0, 1.5, 0.0, 0.0, ())
LOUD = Lately(1.0, 9999, 999_999, 9e7, 999, 0, 999.9, 0.0, 9.9, 9.9, ())


@pytest.mark.parametrize("other", [LOUD, None])
def test_what_keeps_its_place(other: Lately | None) -> None:
    """Whatever the rates are, also before they are known, each part stands where it stood."""
    for before, after in zip(values_of(Numbers(), QUIET), values_of(Numbers(), other), strict=True):
        assert list(map(len, before)) == list(map(len, after))


def test_sizes_of_batches() -> None:
    """Each step has its place, whatever came; what is missing is none."""
    counts = range(len(SIZE_STEPS) + 1)
    assert list(map(len, sizes_of(counts))) == list(map(len, sizes_of(()))) == list(map(len, sizes_of((7,))))
    assert [text.rstrip() for text in sizes_of((60, 20))[:3]] == ["1: 60", "2-3: 20", "4-10: –"]


def test_a_history_that_cannot_be_written() -> None:
    """It stands before the numbers of people, so that a narrow screen has it, too."""
    assert about(Numbers(up=5.0, holding=1))[:2] == ["up 5.0 s", "the history cannot be written"]


def test_what_fits() -> None:
    """Whole values only, and the first one in any case."""
    values = ["one", "two", "three"]
    assert [fitting(values, room) for room in (0, 7, 8, 15)] == ["one", "one", "one  two", "one  two  three"]
    assert fitting([], 5) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (1e12, "99999 d")],
)
def test_times(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (123_456, "123 kB"),
        (3.4e6, "3.4 MB"),
        (2e14, "99,999 GB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text
