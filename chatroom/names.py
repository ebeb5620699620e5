"""Rules for names and channels: which are allowed, and which count as the same."""

from __future__ import annotations

import unicodedata

from chatroom.errors import NameRefused
from chatroom.limits import CHANNEL_BYTES, NAME_BYTES, NAME_COLUMNS

_MARKS_PER_LETTER = 2  # some scripts need two, a vowel sign and a tone; more would overprint other lines


def check_name(name: str) -> str:
    """Check a name and return it in Unicode NFC. Raises NameRefused with the reason.

    Allowed are letters and digits of any script and `_ - .`, at most NAME_COLUMNS terminal columns. Control,
    format and other invisible characters are refused, not removed: the screen shows the whole name.
    """
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise NameRefused("a name is needed")
    if len(name.encode("utf-8", "replace")) > NAME_BYTES or columns(name) > NAME_COLUMNS:
        raise NameRefused(f"the name is longer than {NAME_COLUMNS} columns")
    if unicodedata.category(name[0])[0] not in "LN":
        raise NameRefused("a name begins with a letter or a digit")
    marks = 0
    for character in name:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if not _is_name_character(character) or marks > _MARKS_PER_LETTER:
            raise NameRefused(f"{character!a} cannot be in a name: use letters, digits, '_', '-', '.'")
    return name


def name_key(name: str) -> str:
    """The key of a name: two names with equal keys count as the same (compatibility form, without case).

    NFKC twice around casefold() is the Unicode rule for caseless compatibility matching (Unicode 3.13,
    D146), so that `Ann`, `ann` and full-width `Ａｎｎ` cannot be three people.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", name).casefold())
    return unicodedata.normalize("NFKC", folded.casefold())


def check_channel(channel: str) -> str:
    """Check a channel and return it in lower case, with its '#'. Raises NameRefused with the reason."""
    if not channel.startswith("#"):
        raise NameRefused("a channel begins with '#'")
    try:
        # Checked again after folding: compatibility forms can hold more (U+FDFA is four words with spaces).
        checked = "#" + check_name(name_key(check_name(channel[1:])))
    except NameRefused as refused:
        raise NameRefused(f"channel: {refused}") from None
    if len(checked.encode()) > CHANNEL_BYTES:
        raise NameRefused(f"channel: the name is longer than {CHANNEL_BYTES} bytes")
    return checked


def columns(text: str) -> int:
    """Terminal columns of a name, by the standard library's tables: marks 0, East Asian wide 2."""
    return sum(
        0 if unicodedata.category(c)[0] == "M" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _is_name_character(character: str) -> bool:
    """Letters, marks, numbers and `_ - .`; but no letters that are shown as blanks."""
    if character in "_-.":
        return True
    if character in _INVISIBLE_LETTERS:
        return False
    return unicodedata.category(character)[0] in "LMN"


# Letters and marks by category that are drawn as blanks: Hangul fillers, combining grapheme joiner, Mongolian
# and general variation selectors, Khmer inherent vowels, braille has its own category already (Unicode
# Default_Ignorable_Code_Point, DerivedCoreProperties.txt).
_INVISIBLE_LETTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "\U00013441\U00013442\U00016fe4"  # Egyptian blanks, Khitan filler
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
