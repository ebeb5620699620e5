"""Tests of text as columns: the short way gives what the long way through cells gives."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.attacks import texts
from tests.views.screen import readable
from views import columns, text
from views.columns import HALF, columns_of, text_at
from views.limits import KNOWN_WIDTHS
from views.sanitize import has_no_marks, sanitize
from views.text import Span, cell_width, cells, clusters, row_of, wrap

BOLD, DIM = "\x1b[1m", "\x1b[2m"
UNMARKED = [chr(code) for code in range(32, sys.maxunicode) if has_no_marks(chr(code))]

unmarked = st.text(
    st.one_of(st.sampled_from(" \n aé漢字👩🫨…\u2603ＡΩ"), st.sampled_from(UNMARKED)), max_size=90
)
styles = st.sampled_from(["", BOLD, DIM])
spans = st.lists(st.builds(Span, unmarked | texts, styles), max_size=5)


@given(spans, st.integers(2, 50), st.integers(0, 30))
def test_both_ways_give_the_same_rows(parts: list[Span], width: int, indent: int) -> None:
    """Rows of any spans are equal, to the byte, whether they were made of columns or of cells."""
    room = max(1, width - 1)
    margin = min(indent, room // 2) if room > 4 else 0
    assert wrap(parts, width, indent) == text._rows_of_cells(parts, room, margin)


def test_unmarked_characters_are_clusters() -> None:
    """Each is one cluster beside any other, has the same width in both ways, and is not changed."""
    assert len(UNMARKED) > 40_000
    for character in UNMARKED:
        assert sanitize(character) == character
        assert len(columns_of(character)) == cell_width(character)
        assert columns_of(character).removesuffix(HALF) == character
    for start in range(0, len(UNMARKED), 100):
        part = UNMARKED[start : start + 100]
        assert clusters("".join(part)) == part


@pytest.mark.parametrize(
    "character", ["\xad", "\u3164", "\U0001f3fb", "\u2028", "\x9b", "\t", "\0", "\u0301"]
)
def test_what_is_changed_is_not_unmarked(character: str) -> None:
    """What `sanitize` changes or drops goes the longer way."""
    assert not has_no_marks(f"漢{character}字")


@given(unmarked.map(lambda text: text.replace("\n", " ")))
def test_columns_have_the_columns_of_the_text(given_text: str) -> None:
    """There is a character for each column, and the text comes back, with its pins, at any column."""
    shown = columns_of(given_text)
    assert len(shown) == sum(map(cell_width, given_text))
    assert text_at(shown, 0) == row_of(cells(Span(given_text)))
    assert readable(text_at(shown, 0)) == given_text.rstrip()


def test_few_widths_are_remembered() -> None:
    """Somebody who uses all characters fills no memory."""
    columns_of("".join(UNMARKED[: 3 * KNOWN_WIDTHS]))
    assert len(columns._COLUMNS) <= KNOWN_WIDTHS
