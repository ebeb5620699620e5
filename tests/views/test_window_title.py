"""The title of the window: set, given back, and no way for a text to do anything else."""

from __future__ import annotations

import pytest
from hypothesis import given

from chatroom.printable import printable_line
from tests.views.attacks import DECEIVING, DRIVING, texts
from tests.views.screen import Screen
from views.limits import TITLE_CHARACTERS
from views.window_title import RESTORE_TITLE, SAVE_TITLE, titled


def obeyed(out: str) -> list[str]:
    """What a terminal does; the text after it must be seen."""
    screen = Screen(40, 3)
    screen.feed(f"{out}after")
    assert screen.rows() == ["after", "", ""]
    return screen.obeyed


@pytest.mark.parametrize("text", [*DRIVING, *DECEIVING], ids=ascii)
def test_attacks_stay_in_the_title(text: str) -> None:
    """Whatever a channel is called, the terminal gets one title without a control or direction character."""
    (done,) = obeyed(titled(f"#{text} x"))
    title = done.removeprefix("title ")
    assert title.startswith("#") and title == printable_line(title)


@given(texts)
def test_any_text_is_one_title(text: str) -> None:
    """It has no character that ends it, and a bounded length."""
    out = titled(text)
    inside = out.removeprefix("\x1b]2;").removesuffix("\x1b\\")
    assert len(inside) <= TITLE_CHARACTERS and inside == printable_line(inside)
    assert out == f"\x1b]2;{inside}\x1b\\"


def test_the_title_is_given_back() -> None:
    """A terminal without a stack of titles has none afterwards."""
    assert obeyed(SAVE_TITLE) == [] and obeyed(titled("#tea")) == ["title #tea"]
    assert obeyed(RESTORE_TITLE) == ["title "]
