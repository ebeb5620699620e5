"""Code in what people say: between backticks, and in blocks between two fences of three backticks.

The backticks stay, so that a reader without colours sees the same text, and a copy has it. The rules are from
CommonMark (sections 4.5 and 6.1), as far as they help in a chat: no character is left out. The work is linear
in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

from views.sanitize import is_mark

_RUN: Final = re.compile("`+")
_FENCE: Final = re.compile(" *(`{3,})[^`]*\\Z")
_IN_WORD: Final = frozenset("/=&?%#")  # behind these, as behind letters, a backtick belongs to a link


class Kind(Enum):
    """What a part of a text is."""

    TICKS = auto()  # the backticks, or a whole fence
    CODE = auto()  # what is between them, on one line


class Part(NamedTuple):
    """The characters from `start` on, before `end`."""

    start: int
    end: int
    kind: Kind


def is_block(text: str) -> bool:
    """Whether the place of each line matters: several of them, with an indent or a fence."""
    return "\n" in text and (text.startswith((" ", "```")) or "\n " in text or "\n```" in text)


def code_in(text: str) -> Iterator[Part]:
    """The parts of a sanitized text that are code, in order. Between two fences only these are parts."""
    at, fence = 0, ""
    for line in text.split("\n") if "`" in text else ():
        found = _FENCE.match(line)
        if fence:
            ends = found is not None and line.strip() == found[1] and len(found[1]) >= len(fence)
            fence = "" if ends else fence
        elif found is not None:
            ends, fence = True, found[1]
        else:
            ends = False
            yield from _in_line(line, at)
        if ends:
            yield Part(at, at + len(line), Kind.TICKS)
        at += len(line) + 1


def _in_line(line: str, at: int) -> Iterator[Part]:
    """The parts of a line that begins at this place of the text: a run of backticks ends at the next one of
    the same length."""
    runs = [found.span() for found in _RUN.finditer(line)]
    ends: dict[int, list[int]] = {}  # by length, the numbers of the runs that may end code, the next one last
    for number in range(len(runs) - 1, -1, -1):
        start, end = runs[number]
        if end == len(line) or not (_is_letter(line[end]) or is_mark(line[end])):
            ends.setdefault(end - start, []).append(number)
    number = 0
    while number < len(runs):
        start, end = runs[number]
        later = ends.get(end - start, [])
        while later and later[-1] <= number:
            later.pop()
        number += 1
        if later and _may_begin(line, start, end):
            number = later[-1] + 1
            last, after = runs[later[-1]]
            yield Part(at + start, at + end, Kind.TICKS)
            yield Part(at + end, at + last, Kind.CODE)
            yield Part(at + last, at + after, Kind.TICKS)


def _may_begin(line: str, start: int, end: int) -> bool:
    """Whether a run of backticks may begin code: it is no apostrophe, not in a link, and no mark is drawn
    onto its last one."""
    before = line[start - 1 : start]
    return not (_is_letter(before) or before in _IN_WORD or is_mark(line[end]))


def _is_letter(character: str) -> bool:
    """Whether it is a letter or digit of ASCII: Chinese has no space before code."""
    return character.isascii() and character.isalnum()
