"""What others wrote, made safe at every way out: log, terminal, plain lines, JSON.

A name, line or reason may hold characters that drive the reader's terminal, forge a line of a log, or reverse
the reading direction. None of them leaves the program raw. (The screen removes some more, which are only hard
to draw: `views.sanitize` begins with `printable`.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from chatroom.shown import INVISIBLE

LINE_ENDS: Final = "\n\r\v\f\x85\u2028\u2029"
"""Each of them ends a line; so does "\\r\\n"."""
TAB: Final = "    "
"""Shown instead of a tab."""

_ASCII = re.compile(r"[ -~]*\Z")
_LINE_END = re.compile(f"\r\n|[{LINE_ENDS[1:]}]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421, ord("\n"): ord("\n")}
# C1 controls, surrogates, noncharacters: Unicode has no symbols to show them
_BROKEN = re.compile(
    "[\x80-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(17))
    + "]"
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def printable(text: str) -> str:
    """`text` without characters that control a terminal or hide other text. Line ends become "\\n".

    A control character becomes its symbol (U+2400 …), an unprintable one U+FFFD. Invisible characters and
    direction overrides are removed.
    """
    if is_printable_ascii(text):
        return text
    text = lines_ended(text).replace("\t", TAB)
    if _CONTROL.search(text):
        text = text.translate(_PICTURES)
    return _INVISIBLE.sub("", _BROKEN.sub("\ufffd", text))


def printable_line(text: str) -> str:
    """`printable` for text that must stay on one line."""
    return printable(text).replace("\n", " ")


def lines_ended(text: str) -> str:
    """`text` with "\n" for each of its line ends."""
    return _LINE_END.sub("\n", text)


def is_printable_ascii(text: str) -> bool:
    """Whether the text is printable ASCII: `printable` does not change it, each character has one column."""
    return _ASCII.match(text) is not None


def json_line(fields: Mapping[str, object]) -> str:
    """A JSON object on one line, with control characters, line ends and direction marks escaped."""
    return _ESCAPED_IN_JSON.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(fields, ensure_ascii=False)
    )


# json.dumps() escapes below U+0020 only. These are DEL, the C1 controls, and Unicode's line ends and
# direction marks. They occur inside strings only, where an escape means the same (RFC 8259, section 7).
_ESCAPED_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
