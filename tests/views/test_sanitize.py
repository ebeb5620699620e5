"""Tests of `sanitize`: text of other people cannot control the terminal."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.printable import is_printable_ascii
from tests.views.attacks import DECEIVING, DRIVING, texts
from views.limits import MARKS
from views.sanitize import one_line, sanitize


@given(texts)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """Sanitized text has no control character but the line end, no direction override and no surrogate."""
    clean = sanitize(text)
    for character in clean:
        assert character == "\n" or unicodedata.category(character) not in ("Cc", "Cs"), ascii(character)
        assert unicodedata.bidirectional(character) not in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI")
    clean.encode()


@given(texts)
def test_sanitized_text_is_not_changed_again(text: str) -> None:
    """Sanitizing sanitized text changes nothing."""
    assert sanitize(sanitize(text)) == sanitize(text)


@given(st.text(alphabet=st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs"))))
def test_printable_ascii_is_not_changed(text: str) -> None:
    """ASCII letters, digits, punctuation and blanks stay as they are."""
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
def test_the_sanitized_form(text: str, shown: str) -> None:
    """Controls become symbols, emoji are split into members, joiners stay between letters that need them."""
    assert sanitize(text) == shown


@given(texts)
def test_limit_marks_stand_on_one_letter(text: str) -> None:
    """At most MARKS combining marks follow each other."""
    run = 0
    for character in sanitize(text):
        run = run + 1 if unicodedata.category(character)[0] == "M" else 0
        assert run <= MARKS


def test_hostile_marks_cost_little() -> None:
    """The longest message of combining marks only, in the worst order for NFC, takes less than a second."""
    marks = "".join(chr(0x0315 if n % 2 else 0x0323) for n in range(32_000))
    begin = time.perf_counter()
    assert len(sanitize("a" + marks)) <= 1 + MARKS
    assert time.perf_counter() - begin < 1.0


@pytest.mark.parametrize("text", DRIVING + DECEIVING)
def test_one_line_has_no_line_end(text: str) -> None:
    """`one_line` removes all line ends, so that a name, reason or topic cannot begin another row."""
    assert "\n" not in one_line(text)


@given(texts)
def test_is_printable_ascii_agrees_with_sanitize(text: str) -> None:
    """`sanitize` does not change text that `is_printable_ascii`."""
    assert not is_printable_ascii(text) or sanitize(text) == text
