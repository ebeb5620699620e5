"""views/spoken.py"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import Event, EventKind, Extra, extra_row
from tests.support.events import BOB, GENERAL, NOON, said
from tests.views.attacks import DECEIVING, DRIVING
from views.item import item_of
from views.spoken import spoken_item, spoken_lines, spoken_time

ACT = extra_row(Extra.FORM, 1, 1)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def spoken(event: Event, about: Event | None = None, under: str = "") -> str:
    return spoken_item(item_of(event, "ann", utc, about), under)


def test_what_is_said() -> None:
    """The name, and the text; a mention and a direct line are told by words, before the text."""
    assert spoken(said(1, "hello")) == "bob: hello"
    assert spoken(said(1, "hello", "ann")) == "ann: hello"
    assert spoken(said(1, "Ann, look")) == "bob calls you: Ann, look"
    assert spoken(said(1, "psst", channel="@bob")) == "bob to you: psst"
    assert spoken(said(1, "psst", "ann", channel="@bob")) == "ann to bob: psst"
    assert spoken(said(1, "waves")._replace(extra=ACT)) == "bob does: waves"
    assert spoken(said(1, "one\ntwo")) == "bob: one\u23cetwo"
    assert spoken(said(1, "hot"), under="#tea") == "bob in #tea: hot"
    assert spoken(said(1, "ann?"), under="#tea") == "bob calls you in #tea: ann?"
    reply = said(2, "because")._replace(extra=extra_row(Extra.REPLY_TO, 1))
    assert spoken(reply, said(1, author="eve")) == "bob (to eve): because"


def test_what_happens() -> None:
    """A sentence without a sign before it."""
    joined = Event(1, NOON, EventKind.JOINED, "#general", "bob", "", 0, BOB, GENERAL)
    assert spoken(joined) == "bob joined"
    assert spoken(joined, under="#tea") == "in #tea: bob joined"
    poll = Event(1, NOON, EventKind.POLL, "#general", "bob", "lunch? | yes | no", 0, BOB, GENERAL)
    assert spoken(poll) == "bob asks: lunch? 1 yes, 2 no; /vote N"


def test_answers() -> None:
    """The command stands first, and the blanks of a table are left out."""
    assert spoken_lines("#tea: 2 here\n  ann    bob", "/who") == ["/who: #tea: 2 here", "ann bob"]
    assert spoken_lines("welcome") == ["welcome"]
    assert spoken_lines("", "/x") == ["/x: "]


def test_times() -> None:
    """The time of the day; of another day the date, too."""
    assert spoken_time(NOON, NOON + 3600, utc) == " (22:13)"
    assert spoken_time(NOON, NOON + 86_400_000, utc) == " (2023-11-14 22:13)"


@pytest.mark.parametrize("evil", [*DRIVING, *DECEIVING], ids=ascii)
def test_no_text_drives_the_terminal(evil: str) -> None:
    """An event and a message are lines without controls, whatever is in them."""
    event = said(1, evil, evil, channel=f"@{evil}")
    for line in [spoken(event, under=evil), *spoken_lines(evil, evil)]:
        assert line.isprintable() or "\u23ce" in line
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)


@given(st.text(max_size=30))
def test_a_line_cannot_look_like_a_message(text: str) -> None:
    """What somebody says has the name and a colon before it, on each line that is printed."""
    line = spoken(said(1, text))
    assert line.startswith(("bob: ", "bob calls you: ")) and "\n" not in line
