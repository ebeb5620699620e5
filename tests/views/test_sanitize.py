"""Nothing that was written by somebody can do anything but be read."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.views.attacks import DECEIVING, DRIVING, texts
from views.limits import MARKS
from views.sanitize import is_printable_ascii, one_line, sanitize


@given(texts)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Harmless text holds no control character but the line end, no override, no half character."""
    harmless = sanitize(text)
    for character in harmless:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cs"), ascii(character)
        assert unicodedata.bidirectional(character) not in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI")
    harmless.encode()


@given(texts)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Sanitising twice is sanitising once: text may pass several hands."""
    assert sanitize(sanitize(text)) == sanitize(text)


@given(st.text(alphabet=st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs"))))
def test_plain_text_is_not_touched(text: str) -> None:
    """ASCII letters, digits, punctuation and blanks come through unchanged."""
    assert sanitize(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("\x07\x7f", "␇␡"),
        ("\x9b2J", "\ufffd2J"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\tx", "    x"),
        ("\u202etxt.exe", "txt.exe"),
        ("a\u200bb\u200dc", "abc"),
        ("🇩🇪", "DE"),
        ("👩🏽‍🚀", "👩🚀"),
        ("❤️ 1️⃣", "❤ 1"),
        ("سلام\u200cها", "سلام\u200cها"),
        ("क्\u200dष", "क्\u200dष"),
        ("e\u0301", "é"),
        ("\u0301", "\u25cc\u0301"),
        ("\ud800", "\ufffd"),
    ],
)
def test_the_shown_form(text: str, shown: str) -> None:
    """Controls have pictures, emoji fall into their members, joiners stay where scripts need them."""
    assert sanitize(text) == shown


@given(texts)
def test_limit_marks_stand_on_one_letter(text: str) -> None:
    """However many marks are sent, at most MARKS follow each other."""
    run = 0
    for character in sanitize(text):
        run = run + 1 if unicodedata.category(character)[0] == "M" else 0
        assert run <= MARKS


def test_hostile_marks_cost_little() -> None:
    """A longest message of nothing but marks, in the worst order for composing them, is done in a blink."""
    marks = "".join(chr(0x0315 if n % 2 else 0x0323) for n in range(32_000))
    begin = time.perf_counter()
    assert len(sanitize("a" + marks)) <= 1 + MARKS
    assert time.perf_counter() - begin < 1.0


@pytest.mark.parametrize("text", DRIVING + DECEIVING)
def test_one_line_is_one_line(text: str) -> None:
    """Names, reasons and topics cannot begin another row."""
    assert "\n" not in one_line(text)


@given(texts)
def test_plain_needs_nothing(text: str) -> None:
    """What counts as plain is not changed, and what was changed did not count as plain."""
    assert not is_printable_ascii(text) or sanitize(text) == text
