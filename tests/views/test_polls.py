"""views/polls.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import Event, EventKind, Extra, extra_row
from tests.support.events import NOON
from tests.views.screen import readable
from views import plain_line
from views.formatting import Theme, format_item
from views.item import item_of
from views.limits import POLL_OPTIONS
from views.palette import Depth
from views.polls import HOW_TO_VOTE, poll_of
from views.text import text_width

TEXT = "lunch? | yes | no, never"
PLAIN, COLOURED = Theme(depth=Depth.NONE), Theme()


def event(kind: EventKind, text: str = TEXT, *votes: int) -> Event:
    extra = extra_row(Extra.VOTES, b"".join(vote.to_bytes(2, "big") for vote in votes)) if votes else b""
    return Event(9, NOON, kind, "#lab", "ann", text, 0, 1, 3, extra)


SIGN, EDGE = "--".ljust(16), " " * 22


def rows(event: Event, columns: int = 80, theme: Theme = PLAIN) -> list[str]:
    """Rows as a person reads them, without the time of the first."""
    first, *later = (readable(row).rstrip() for row in format_item(item_of(event, "me"), columns, theme))
    return [first[6:], *later]


def test_an_open_poll() -> None:
    """The question, the options with their numbers, and how to vote."""
    assert rows(event(EventKind.POLL), 100) == [
        f"{SIGN}ann asks: lunch?",
        f"{EDGE}1 yes",
        f"{EDGE}2 no, never",
        f"{EDGE}{HOW_TO_VOTE}",
    ]
    assert plain_line(event(EventKind.POLL)).endswith(" -- ann asks: lunch? 1 yes, 2 no, never; /vote N")


def test_a_result() -> None:
    """A bar for each option, with the number of votes and the percent; the same without colours."""
    revealed = event(EventKind.REVEALED, TEXT, 3, 1)
    expected = [
        f"{SIGN}the result of the poll: lunch? (4 votes)",
        f"{EDGE}1 yes       ##################################### 3  75 %",
        f"{EDGE}2 no, never ############                          1  25 %",
    ]
    assert rows(revealed) == expected == rows(revealed, theme=COLOURED)
    assert plain_line(revealed).endswith("lunch? (4 votes) 1 yes: 3 (75 %), 2 no, never: 1 (25 %)")


def test_bars_are_aligned_below_wide_characters() -> None:
    """Chinese options take two columns for each character, and the bars still begin in one column."""
    shown = rows(event(EventKind.REVEALED, "午饭? | 好 | 不要 | ok", 1, 2, 0))[1:]
    starts = {text_width(row[: row.index("#")]) for row in shown if "#" in row}
    assert starts == {22 + len("2 ") + 4 + 1}
    assert len({text_width(row) for row in shown}) == 1


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (40, ["      1 yes", "        ####################### 3  75 %"]),
        (14, [" 1 yes: 3 (75", " %)"]),
    ],
)
def test_where_there_is_little_room(columns: int, expected: list[str]) -> None:
    """Long options stand above their bars; where no bar fits, only the numbers are there."""
    text = "lunch? | yes | no, never, not even when it rains"
    shown = rows(event(EventKind.REVEALED, text, 3, 1), columns)
    start = shown.index(expected[0])
    assert shown[start : start + 2] == expected


def test_nobody_has_voted() -> None:
    """No bar, and no division by zero."""
    assert rows(event(EventKind.REVEALED, TEXT, 0, 0))[1].endswith(" 0  0 %")


def test_what_a_server_may_send() -> None:
    """Options without votes count as empty, votes without options are left out, and rows are bounded."""
    assert poll_of(event(EventKind.REVEALED, TEXT)).votes == (0, 0)
    assert poll_of(event(EventKind.REVEALED, "q | a", 1, 2, 3)).votes == (1,)
    assert len(poll_of(event(EventKind.POLL, "q" + " | x" * 99)).options) == POLL_OPTIONS
    assert rows(event(EventKind.POLL, ""))[0] == f"{SIGN}ann asks:"


@given(
    st.text("ab 漢é|\x1b\n", max_size=60),
    st.lists(st.integers(0, 0xFFFF), max_size=4),
    st.integers(4, 90),
    st.sampled_from([PLAIN, COLOURED]),
)
def test_every_row_fits(text: str, votes: list[int], columns: int, theme: Theme) -> None:
    """Whatever the text, no row is as wide as the screen."""
    for kind in (EventKind.POLL, EventKind.REVEALED):
        for row in format_item(item_of(event(kind, f"{text} | {text}", *votes), ""), columns, theme):
            assert text_width(readable(row)) < columns
