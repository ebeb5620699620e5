"""Whether a text has a name or another word as a whole word: the boundaries of Unicode Standard Annex 29."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from chatroom.lookalikes import scripts_of
from chatroom.names import name_key

_LETTER, _KATAKANA, _CONNECTOR, _MARK, _OTHER = range(5)
# Scripts that are written without spaces, so that any two letters may belong to two words
_WITHOUT_SPACES = {
    "Ahom",
    "Hani",
    "Hira",
    "Khmr",
    "Kits",
    "Lana",
    "Laoo",
    "Mymr",
    "Nshu",
    "Tale",
    "Talu",
    "Tang",
}
_WITHOUT_SPACES |= {"Tavt", "Thai"}
_JOINS_WORDS = "-."


def mentions(text: str, name: str) -> bool:
    """Whether the sanitized text contains the name as a whole word, ignoring case.

    Where words end is a matter of Annex 29, with two changes: a single `-` or `.` between two letters or
    digits joins them, because `ann-marie` and `ann.2` are names; an apostrophe or a colon does not, because
    no name has one and people write `ann's` and `ann:yes`.
    """
    return calls(text, (name,))


def calls(text: str, words: Sequence[str]) -> bool:
    """Whether the sanitized text mentions one of the words, see `mentions`."""
    folded = name_key(text)
    return any(next(_places(folded, name_key(word)), -1) >= 0 for word in words)


def called_at(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where `calls` finds the words: pairs of the first character, and of that behind the last one, in order.

    Nowhere in a text that is not as long when case is ignored: there the places are not those on the screen.
    Words may lie in each other (`exam`, `exam room`); the places do not.
    """
    folded = name_key(text)
    if len(folded) != len(text):
        return []
    found = list[tuple[int, int]]()
    for word in words:
        key = name_key(word)
        places = ((at, at + len(key)) for at in _places(folded, key))
        found += ((start, end) for start, end in places if name_key(text[start:end]) == key)
    apart = list[tuple[int, int]]()
    for start, end in sorted(found):
        if apart and start < apart[-1][1]:
            apart[-1] = apart[-1][0], max(end, apart[-1][1])
        else:
            apart.append((start, end))
    return apart


def _places(folded: str, key: str) -> Iterator[int]:
    found = -1
    while key and (found := folded.find(key, found + 1)) >= 0:
        if _is_boundary(folded, found) and _is_boundary(folded, found + len(key)):
            yield found


def _is_boundary(text: str, at: int) -> bool:
    """Whether a word ends, and another one or none begins, before the character at this place."""
    if at in (0, len(text)):
        return True
    before, after = text[at - 1], text[at]
    if _joined(_base(text, at - 1), after):
        return False
    if after in _JOINS_WORDS:
        return not (at + 1 < len(text) and _joins(_base(text, at - 1)) and _joins(text[at + 1]))
    if before in _JOINS_WORDS:
        return not (at > 1 and _joins(_base(text, at - 2)) and _joins(after))
    return True


def _base(text: str, at: int) -> str:
    """The character, or the one that its marks are on (rule WB4); the mark itself at the text's beginning."""
    while at > 0 and _kind(text[at]) == _MARK:
        at -= 1
    return text[at]


def _joined(before: str, after: str) -> bool:
    """Whether two characters that stand side by side belong to one word (WB4, WB5, WB8 to WB10, WB13)."""
    one, other = _kind(before), _kind(after)
    if other == _MARK:
        return True
    if _CONNECTOR in (one, other):
        return one != _OTHER and other != _OTHER
    return one == other and one in (_LETTER, _KATAKANA)


def _joins(character: str) -> bool:
    """Whether a hyphen or a full stop may join it to another one of its kind (WB6, WB7, WB11, WB12)."""
    return _kind(character) == _LETTER


@lru_cache(maxsize=4096)
def _kind(character: str) -> int:
    """What the character is for word boundaries; letters and digits are one kind."""
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return _MARK
    if category == "Pc":
        return _CONNECTOR
    if category[0] not in "LN":
        return _OTHER
    scripts = scripts_of(character)
    if "Kana" in scripts:
        return _KATAKANA
    if category != "Nd" and scripts & _WITHOUT_SPACES:
        return _OTHER
    return _LETTER
