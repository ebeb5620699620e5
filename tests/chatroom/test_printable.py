"""chatroom/printable.py"""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.printable import json_line, printable, printable_line

HARMFUL = frozenset(chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)) | frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Characters that drive a terminal, end a line or turn the reading direction."""

texts = st.text(st.one_of(st.characters(), st.sampled_from(sorted(HARMFUL))))


@given(texts)
def test_nothing_harmful_is_left(text: str) -> None:
    """Only line ends are left of the characters that do harm, and not even they on one line."""
    assert not HARMFUL & set(printable(text)) - {"\n"}
    assert not HARMFUL & set(printable_line(text))
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in printable_line(text))


@given(texts)
def test_printing_twice_changes_nothing(text: str) -> None:
    """What is printable stays as it is."""
    assert printable(printable(text)) == printable(text)
    assert printable_line(printable_line(text)) == printable_line(text)


@given(texts)
def test_json_is_one_harmless_line_and_the_same_text(text: str) -> None:
    """JSON escapes what does harm, and gives the same text back."""
    line = json_line({"text": text})
    assert not HARMFUL & set(line)
    assert json.loads(line) == {"text": text}


@pytest.mark.parametrize("character", ["\u200b", "\ufeff", "\u00ad", "\U000e0041"])
def test_what_nobody_sees_is_removed(character: str) -> None:
    """Invisible characters cannot make two names look the same."""
    assert printable(f"a{character}b") == "ab"


def test_plain_ascii_is_not_copied() -> None:
    """The usual text costs nothing."""
    text = "usual text" * sys.getrecursionlimit()
    assert printable(text) is text
