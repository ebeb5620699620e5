"""Rules for names and channels: which are allowed, and which count as the same.

`chatroom/lookalikes.py` says which look alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from chatroom.errors import BadName, NameRefused
from chatroom.limits import CHANNEL_BYTES, CHANNEL_COLUMNS, NAME_BYTES, NAME_COLUMNS
from chatroom.lookalikes import COMMON, one_writing_system, scripts_of, skeletons
from chatroom.shown import INVISIBLE, ZERO_WIDTH

RESERVED: Final = ("server", "system", "chatroom", "admin", "operator", "moderator", "everyone")
"""Names that nobody has: readers would take the lines of such a member for the program's own, or for those of
its operators; `everyone` stands for all members."""

_MARKS_PER_LETTER = 2  # some scripts need two, a vowel sign and a tone; more would overprint other lines
_NOT_SHOWN = re.compile(f"[{INVISIBLE}{ZERO_WIDTH}]")
# Tatweel and lajanyalan only make the letter before longer: a name is read the same without them. Counting
# rods: terminals disagree on their width.
_REFUSED = re.compile("[\u0640\u07fa\U0001d360-\U0001d376]")


def check_name(name: str) -> str:
    """Check a name and return it in Unicode NFC. Raises BadName with the reason.

    Allowed are letters and digits of one writing system and `_ - .`, at most NAME_COLUMNS terminal columns.
    What a screen does not show is refused, not removed: a name is what the screen shows of it.
    """
    name = _check(name, NAME_COLUMNS, NAME_BYTES)
    shape = name.strip("_-.")
    if not _RESERVED.isdisjoint(skeletons(shape, name_key(shape))):
        raise BadName("this name is reserved, or looks like one that is")
    return name


def name_key(name: str) -> str:
    """The key of a name: two names with equal keys count as the same (compatibility form, without case).

    NFKC twice around casefold() is the Unicode rule for caseless compatibility matching (Unicode 3.13,
    D146), so that `Ann`, `ann` and full-width `Ａｎｎ` cannot be three people.
    """
    if name.isascii():
        return name.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", name).casefold())
    return unicodedata.normalize("NFKC", folded.casefold())


def channel_as_typed(text: str) -> str:
    """A channel, perhaps with more behind it, as somebody has typed it: `lunch` is meant as `#lunch`."""
    return text if not text or text.startswith("#") else f"#{text}"


@lru_cache(1024)  # in a storm of newcomers all ask for the same few channels
def check_channel(channel: str) -> str:
    """Check a channel and return it in lower case, with its '#'. Raises BadName with the reason."""
    if not channel.startswith("#"):
        raise BadName("a channel begins with '#'")
    columns, size = CHANNEL_COLUMNS - 1, CHANNEL_BYTES - 1
    try:
        # Checked again after folding: compatibility forms can hold more (U+FDFA is four words with spaces).
        return "#" + _check(name_key(_check(channel[1:], columns, size)), columns, size)
    except NameRefused as refused:
        raise BadName(f"channel: {refused}") from None


def columns(text: str) -> int:
    """Terminal columns of a name, by the standard library's tables.

    A mark that is drawn onto its letter has none, an East Asian wide character two.
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _check(name: str, most_columns: int, most_bytes: int) -> str:
    if len(name) > most_bytes:  # first of all: the other checks take their time
        raise BadName(f"the name is longer than {most_columns} columns")
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise BadName("a name is needed")
    size = len(name.encode("utf-8", "replace"))
    if size > most_bytes or columns(name) > most_columns:
        raise BadName(f"the name is longer than {most_columns} columns, or than {most_bytes} bytes")
    if unicodedata.category(name[0])[0] not in "LN":
        raise BadName("a name begins with a letter or a digit")
    _check_characters(name)
    if not one_writing_system(name):
        raise BadName("the name mixes letters of different scripts, such as Latin and Cyrillic")
    if len({ord(c) - unicodedata.decimal(c) for c in name if c.isdecimal()}) > 1:
        raise BadName("the name mixes digits of different scripts")
    return name


def _check_characters(name: str) -> None:
    marks = ""
    for character in name:
        marks = marks + character if unicodedata.category(character)[0] == "M" else ""
        if (
            not _is_name_character(character)
            or len(marks) > _MARKS_PER_LETTER
            or len(marks) > len(set(marks))
        ):
            raise BadName(f"{character!a} cannot be in a name: use letters, digits, '_', '-', '.'")


def _is_name_character(character: str) -> bool:
    """Whether it is one of `_ - .`, a decimal digit, or a letter, mark or number of a script.

    So no symbols that look like letters: U+02D0 looks like a colon, U+1D44E like an italic a. And no marks
    that enclose other characters (category Me).
    """
    if character in "_-.":
        return True
    category, scripts = unicodedata.category(character), scripts_of(character)
    if category[0] not in "LMN" or category == "Me" or not scripts:
        return False
    if _NOT_SHOWN.match(character) or _REFUSED.match(character):
        return False
    return category == "Nd" or COMMON not in scripts


_RESERVED = frozenset(
    skeleton
    for word in RESERVED
    for written in (word, word.upper(), word.replace("i", "I"))  # a capital I looks like `l` and `1`
    for skeleton in skeletons(written, word)
)


def typed_key(name: str) -> str:
    """The key of a name as somebody has typed it; "" of what cannot be a name."""
    try:
        return name_key(check_name(name))
    except NameRefused:
        return ""
