"""Mentions: a name in a text as a whole word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import MAX_TEXT
from views.mentions import called_at, calls, mentions
from views.sanitize import sanitize


@pytest.mark.parametrize(
    ("text", "name", "is_one"),
    [
        ("hello ann", "ann", True),
        ("Ann: hi", "ann", True),
        ("@ann!", "Ann", True),
        ("annual", "ann", False),
        ("joann", "ann", False),
        ("annual ann", "ann", True),
        ("", "ann", False),
        ("anything", "", False),
        ("ann's", "ann", True),
        ("ann\u2019s", "ann", True),
        ("ann:yes", "ann", True),
        ("(ann)", "ann", True),
        ("ann\nbob", "ann", True),
        ("thanks, ann.", "ann", True),
        ("ann-marie", "ann", False),  # another name
        ("marie-ann", "ann", False),
        ("ann-marie", "ann-marie", True),
        ("ann-marie-lou", "ann-marie", False),
        ("ann--she is late", "ann", True),
        ("so - ann - is late", "ann", True),
        ("-ann-", "ann", True),
        ("ann...", "ann", True),
        ("hm...ann", "ann", True),
        ("ann.b", "ann", False),
        ("ann_b", "ann", False),
        ("_ann_", "ann", False),
        ("ann1", "ann", False),
        ("1ann", "ann", False),
        ("ann", "ann-", False),
        ("ann- hi", "ann-", True),
        ("ann-b", "ann-", False),
        ("ann\u0301", "ann", False),  # another letter
        ("a\u0301nn", "\u00e1nn", True),
        ("रामा आया", "राम", False),
        ("राम आया", "राम", True),
        ("राम\u200dआया", "राम", False),  # a joiner belongs to the letter before it
        ("李雷你好", "李雷", True),  # Chinese has no spaces
        ("你好李雷hello", "李雷", True),
        ("ひろしです", "ひろし", True),
        ("カナダ", "カナ", False),  # katakana letters make one word
        ("カナさん", "カナ", True),
        ("สวัสดีไก่ครับ", "ไก่", True),
        ("철수야", "철수", False),
        ("철수 안녕", "철수", True),
        ("אן־מרי", "אן", True),
        ("STRASSE", "straße", True),
        ("😀ann😀", "ann", True),
    ],
    ids=ascii,
)
def test_mentions(text: str, name: str, is_one: bool) -> None:
    """A text mentions a name only as a whole word, in any case."""
    assert mentions(sanitize(text), name) is is_one


@pytest.mark.parametrize(
    ("text", "words", "places"),
    [
        ("exam room", ("exam", "exam room"), [(0, 9)]),
        ("exam room", ("exam room", "room 4"), [(0, 9)]),
        ("exam Exam", ("EXAM",), [(0, 4), (5, 9)]),
        ("exams", ("exam",), []),
        ("a b", ("b", "a"), [(0, 1), (2, 3)]),
        ("a", (), []),
        ("a", ("",), []),
        ("stra\u00dfe exam", ("exam",), []),  # without case it is longer
    ],
    ids=ascii,
)
def test_where_words_call(text: str, words: tuple[str, ...], places: list[tuple[int, int]]) -> None:
    """In order, without overlaps; and `calls` says whether there is one."""
    assert called_at(text, words) == places
    assert calls(text, words) is (bool(places) or "\u00df" in text)


@given(st.text(max_size=30), st.text(max_size=5), st.text(max_size=30))
def test_any_text(before: str, name: str, after: str) -> None:
    """Whatever the text and the name are, spaces around a name make it a word of its own."""
    assert mentions(sanitize(f"{before} ann {after}"), "ann")
    assert mentions(sanitize(before + name + after), name) in (True, False)


@pytest.mark.parametrize("text", ["ann", "ann-", "annann ", "a\u0301nn", "ann\u200d", "ａｎｎ"], ids=ascii)
def test_the_longest_texts(text: str) -> None:
    """The longest text, full of what is nearly the name, is searched from its beginning to its end."""
    long = sanitize(text * (MAX_TEXT // len(text.encode()))) + "n"
    assert not mentions(long, "ann") and mentions(f"{long} ann", "ann")
