"""The words of a text, as a search compares them: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from chatroom.limits import MAX_MARKS, SEARCH_WORD

_UNSPACED: Final = (
    "\u0e01-\u0eff\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3"  # Thai, Lao, Tibetan, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Of the scripts that are written without spaces between words, or (Korean) with endings at them."""

_WORD: Final = re.compile(rf"([{_UNSPACED}]+)|(?:[^\W_{_UNSPACED}]|[\u0900-\u0963\u0966-\u0dff])+")
"""A run of an unspaced script, or a word. The vowel signs of Indian scripts are no letters: named apart."""

_SMALL_IOTA: Final = "\u0345"
"""The accent that becomes a letter when case is folded."""

_LEAST_ACCENT: Final = 10
"""The lowest combining class of an accent. Lower ones make other letters: Japanese voice marks, viramas."""


def words_of(text: str) -> frozenset[str]:
    """All words of a line. Of a run without spaces each character and each pair of neighbours is a word."""
    return frozenset(_words(text, for_query=False))


def query_words(text: str) -> frozenset[str]:
    """The words that a line must have to match: a subset of words_of() of every text with this text in it,
    where that begins and ends between two words."""
    return frozenset(_words(text, for_query=True))


def _words(text: str, for_query: bool) -> Iterator[str]:
    for match in _WORD.finditer(_folded(text)):
        run = match[1]
        if run is None:
            yield match[0][:SEARCH_WORD]
            continue
        yield from (run[start : start + 2] for start in range(len(run) - 1))
        if len(run) == 1 or not for_query:
            yield from run


def _folded(text: str) -> str:
    """The text in one form for all that count as equal; ASCII in small letters."""
    if text.isascii():
        return text.lower()
    text = _without_piles(text)
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join([one for one in apart if unicodedata.combining(one) < _LEAST_ACCENT])
    return unicodedata.normalize("NFC", kept)


def _without_piles(text: str) -> str:
    """The text without most of its accents, and with at most MAX_MARKS of other marks one after the other.

    Unicode puts a run of marks in order, in a time that rises with the square of its length: 64 KiB of marks
    would stop all threads for most of a second. Accents are left out of words in any case.
    """
    kept, marks = list[str](), 0
    for one in text:
        order = unicodedata.combining(one)
        if order >= _LEAST_ACCENT and one != _SMALL_IOTA:
            continue
        marks = marks + 1 if order else 0
        if marks <= MAX_MARKS:
            kept.append(one)
    return "".join(kept)
