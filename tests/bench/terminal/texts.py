"""The lines that are said: of one width, different each time, the same in each run."""

from __future__ import annotations

from random import Random
from typing import Final

COLUMNS: Final = 60
"""Columns of every line. One that says its number is not longer than one that does not."""

TYPED: Final = "here is what I had typed before you came"
"""The half-typed line: 40 characters."""

_EMOJI: Final = (*range(0x1F600, 0x1F640), *range(0x1F400, 0x1F43D), *range(0x1F680, 0x1F6A5))
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def lines(kind: str, count: int) -> list[str]:
    """So many lines of a kind."""
    random = Random(kind)
    return [_KINDS[kind](random) for _ in range(count)]


def _ascii(random: Random) -> str:
    """English-looking words of lower-case letters."""
    text = ""
    while len(text) < COLUMNS:
        text += "".join(random.choices(_LETTERS, k=random.randint(2, 9))) + " "
    return text[: COLUMNS - 1] + "."


def _cjk(random: Random) -> str:
    """Two columns for each character, of the first 3,000 Chinese ones."""
    return "".join(chr(0x4E00 + random.randrange(3000)) for _ in range(COLUMNS // 2))


def _emoji(random: Random) -> str:
    """Words of three letters, each followed by two emoji: two thirds of the columns are emoji or blanks."""
    words = ("".join(random.choices(_LETTERS, k=3)) for _ in range(COLUMNS // 10))
    return "".join(f"{word} {chr(random.choice(_EMOJI))} {chr(random.choice(_EMOJI))} " for word in words)[
        :-1
    ]


_KINDS: Final = {"ASCII": _ascii, "CJK": _cjk, "emoji": _emoji}
KINDS: Final = tuple(_KINDS)
