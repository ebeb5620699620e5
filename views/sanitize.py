"""Make text of other people safe to print.

All text on the screen goes through `sanitize`, whoever wrote it. So a name, line or reason cannot move the
cursor, change a mode, set the title, write to the clipboard, or reverse the reading direction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from wcwidth import wcwidth

from chatroom.printable import lines_ended, printable
from views.limits import MARKS

_FLAG_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]")
_LETTERS = {0x1F1E6 + number: ord("A") + number for number in range(26)}
# Scripts that are written with zero-width joiner and non-joiner: Arabic to Myanmar, Khmer and Mongolian,
# Balinese to Meetei Mayek. Joiners are removed everywhere else.
_JOINED_SCRIPT = "\u0600-\u109f\u1780-\u18af\u1b00-\u1c4f\ua8e0-\ua8ff\uaa00-\uabff"
_IDLE_JOINER = re.compile(
    f"(?<![{_JOINED_SCRIPT}])[\u200c\u200d]+|[\u200c\u200d]+(?![\u200c\u200d{_JOINED_SCRIPT}])"
)
_JOINERS = re.compile("([\u200c\u200d])[\u200c\u200d]+")
# Blocks without combining marks, and without what `printable` changes: text from these only stays as it is
_NO_MARKS = re.compile(
    "[\n -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20bf\u2100-\u2bff\u3000-\u3029\u3030-\u3098\u309b-\u3163\u3165-\ua48f\uac00-\ud7a3\uf900-\ufaff\uff01-\uff9d"
    "\U0001f300-\U0001f3fa\U0001f400-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff]*\\Z"
)
_NO_BASE = "\u25cc"  # the dotted circle: Unicode's base for a mark that has no letter


def sanitize(text: str) -> str:
    """`printable`, and what is hard to draw left out: idle joiners, more than MARKS marks on one letter."""
    if _NO_MARKS.match(text):
        return text
    text = printable(text)
    if _FLAG_LETTER.search(text):
        text = text.translate(_LETTERS)
    if _NO_MARKS.match(text):
        return text
    text = _JOINERS.sub(r"\1", _IDLE_JOINER.sub("", text))
    # Limit marks before composing (NFC), which takes quadratic time in the number of marks. Limit them again
    # afterwards, because NFC decomposes some characters into several marks.
    return "".join(_limit_marks(unicodedata.normalize("NFC", "".join(_limit_marks(text)))))


def has_no_marks(text: str) -> bool:
    """Whether `sanitize` surely leaves the text as it is, and each character is a cluster: no marks."""
    return _NO_MARKS.match(text) is not None


def one_line(text: str) -> str:
    """`sanitize` for text that must stay on one line: names, channels, topics, reasons."""
    return sanitize(text).replace("\n", " ")


def _limit_marks(text: str) -> Iterator[str]:
    marks, base = 0, False
    for character in text:
        if character in "\u200c\u200d":
            yield character
        elif character != "\n" and is_mark(character):
            if not base:
                yield _NO_BASE
                base, marks = True, 0
            marks += 1
            if marks <= MARKS:
                yield character
        else:
            marks, base = 0, character != "\n"
            yield character


@lru_cache(maxsize=4096)
def is_mark(character: str) -> bool:
    """Whether terminals draw it onto the character before. Each of the two tables knows some marks alone."""
    return unicodedata.category(character)[0] == "M" or wcwidth(character) <= 0


_NOT_TYPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def sanitize_input(text: str) -> str:
    """Typed or pasted text for the input line: without controls (but tab and line end) and surrogates."""
    return _NOT_TYPED.sub("", lines_ended(text))
