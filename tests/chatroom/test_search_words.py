"""The words of a text, as a search compares them."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.limits import MAX_MARKS, MAX_TEXT, SEARCH_WORD
from chatroom.search_words import _LEAST_ACCENT, _folded, query_words, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world!", {"hello", "world"}),
        ("foo-bar_baz", {"foo", "bar", "baz"}),
        ("GRÜSSE aus Zürich", {"grusse", "aus", "zurich"}),
        ("Straße", {"strasse"}),
        ("e\u0301te\u0301", {"ete"}),
        ("ＡＢＣ ①", {"abc", "1"}),
        ("考试", {"考试", "考", "试"}),
        ("room 12考", {"room", "12", "考"}),
        ("ガス", {"ガス", "ガ", "ス"}),
        ("हिन्दी।", {"हिन्दी"}),
        ("... -- !", set()),
        ("", set()),
        ("x" * 100, {"x" * SEARCH_WORD}),
    ],
)
def test_words(text: str, words: set[str]) -> None:
    """Case, accents and punctuation make no difference; of unspaced scripts any part is found."""
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("考试", "明天的考试在哪里", True),
        ("考", "明天的考试在哪里", True),
        ("天考", "明天的考试在哪里", False),
        ("zurich", "ZÜRICH", True),
        ("hell", "hello", False),
        ("สวัสดี", "ขอสวัสดีครับ", True),
    ],
)
def test_a_query(wanted: str, text: str, found: bool) -> None:
    """A line matches when it has all words of the query."""
    assert (query_words(wanted) <= words_of(text)) is found


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_what_is_in_a_text_is_found_by_it(before: str, text: str, after: str) -> None:
    """Every text is found by itself, and by a part of it that stands between spaces."""
    assert query_words(text) <= words_of(f"{before} {text} {after}")


@given(st.text(max_size=50))
def test_words_have_no_separators(text: str) -> None:
    """The index parts words at ASCII characters; none of ours has one that is no letter or digit."""
    for word in words_of(text):
        assert word and not any(one.isascii() and not one.isalnum() for one in word)
        assert word == word.lower() or not word.isascii()


@pytest.mark.parametrize("marks", ["\u0300\u0323", "\u093c\u094d", "\u0345\u3099", "\u0344"])
def test_a_pile_of_marks_stops_nobody(marks: str) -> None:
    """The longest text of marks takes some ten milliseconds; putting all in order would take a second."""
    text = "a" + marks * (MAX_TEXT // len(marks.encode()))
    began = time.thread_time()
    words_of(text)
    assert time.thread_time() - began < 0.3


@given(
    st.text(
        st.sampled_from("aAαΑ\u0345\u0301\u0323\u0344\u1fb3\u1fbc\u3099\u30ab\u0915\u093c\u094d\ufdfa "),
        max_size=MAX_MARKS,
    )
)
def test_that_changes_no_words(text: str) -> None:
    """Leaving accents out first gives the same as leaving them out in the end, and so do both ways to write
    a letter with an accent."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join([one for one in apart if unicodedata.combining(one) < _LEAST_ACCENT])
    assert _folded(text) == unicodedata.normalize("NFC", kept) or text.isascii()
    assert words_of(unicodedata.normalize("NFC", text)) == words_of(unicodedata.normalize("NFD", text))
