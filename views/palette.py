"""The colours of the screen: three sets, because none is readable on dark and on light grounds.

Each colour of a set has a contrast of at least 4.5 to its grounds (WCAG 2.2, section 1.4.3): `dark` on
#000000 and #1e1e1e, `light` on #ffffff and #fdf6e3. On both kinds no colour has more than 3.9. So `either`,
for a ground that nobody knows, has 3.5 at least, and writes names bold: large letters need 3. Only the
colours 16 to 255 are the same in every terminal; those from 0 to 15 are chosen by the terminal's theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple
from zlib import crc32

from chatroom.names import name_key
from views.limits import COLOURED_NAMES


class Ground(StrEnum):
    """The background of the terminal."""

    DARK = "dark"
    LIGHT = "light"
    EITHER = "either"


class Depth(StrEnum):
    """How many colours the terminal has."""

    NONE = "none"
    FEW = "16"
    MANY = "256"


class Palette(NamedTuple):
    """SGR sequences; an empty one is the terminal's own colour.

    names:  of other persons
    own:    the reader's name and prompt
    quiet:  what nobody has to read: times, joins, lines that are not stored yet
    called: the reader's name in what others say
    mark:   the sign before the name of whoever calls the reader
    notice: what must not be missed: the new lines begin, the connection is lost
    code:   what people write between backticks; the backticks are quiet
    """

    names: tuple[str, ...]
    own: str
    quiet: str
    called: str
    mark: str
    notice: str
    code: str


_BOLD: Final = "\x1b[1m"


def _many(*numbers: int, bold: bool = False) -> tuple[str, ...]:
    return tuple(f"\x1b[{'1;' if bold else ''}38;5;{number}m" for number in numbers)


def _palette_of(names: tuple[str, ...], quiet: int, notice: int) -> Palette:
    (dim,), (told,), (mark,) = _many(quiet), _many(notice), _many(notice, bold=True)
    return Palette(names, _BOLD, dim, "\x1b[1;38;5;16;48;5;221m", mark, told, _BOLD)


def _few(*numbers: int | None) -> Palette:
    """Of the colours of the theme: bright ones are 90 to 97. None: bold, in the terminal's own colour."""
    codes = (None if number is None else 30 + number if number < 8 else 82 + number for number in numbers)
    names = tuple(_BOLD if code is None else f"\x1b[{code}m" for code in codes)
    return Palette(names, _BOLD, "\x1b[2m", "\x1b[7m", _BOLD, _BOLD, _BOLD)


_NONE: Final = Palette(("",), "", "", "", "", "", "")

_PALETTES: Final[Mapping[tuple[Ground, Depth], Palette]] = {
    (Ground.DARK, Depth.MANY): _palette_of(
        _many(210, 172, 178, 149, 71, 43, 37, 153, 105, 147, 176, 218), 246, 221
    ),
    (Ground.LIGHT, Depth.MANY): _palette_of(
        _many(88, 160, 94, 125, 90, 23, 25, 27, 62, 56, 127, 162), 242, 94
    ),
    (Ground.EITHER, Depth.MANY): _palette_of(
        _many(197, 166, 130, 100, 65, 163, 30, 32, 63, 134, 165, 132, bold=True), 244, 130
    ),
    (Ground.DARK, Depth.FEW): _few(9, 3, 11, 10, 2, 14, 6, 14, 12, 12, 13, 13),
    (Ground.LIGHT, Depth.FEW): _few(1, 1, None, 1, 5, None, 4, 4, 4, 5, 5, 1),
    (Ground.EITHER, Depth.FEW): _few(None),
}


def palette_of(ground: Ground, depth: Depth) -> Palette:
    """The colours for a terminal."""
    return _PALETTES.get((ground, depth), _NONE)


def ground_of(colorfgbg: str) -> Ground:
    """What the variable COLORFGBG tells, as rxvt and others set it: `15;0`, or `0;default;15`.

    The last number is the background: 7 and 15 are the light ones of the 16 colours.
    """
    last = colorfgbg.rpartition(";")[2]
    if not (last.isascii() and last.isdecimal()) or int(last) > 15:
        return Ground.EITHER
    return Ground.LIGHT if int(last) in (7, 15) else Ground.DARK


def depth_of(environment: Mapping[str, str]) -> Depth:
    """What TERM and COLORTERM tell. Terminals without colours are painted without; NO_COLOR: no-color.org."""
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR") or term in ("", "dumb") or term.startswith("vt"):
        return Depth.NONE
    many = "256color" in term or environment.get("COLORTERM") in ("truecolor", "24bit")
    return Depth.MANY if many or "direct" in term else Depth.FEW


_STRIDE: Final = 5
"""From a taken colour to the next that is tried: neighbours look alike. No set's size is a multiple of it."""


class NameColours:
    """The colours of names. A name has the same colour in every client, unless somebody near has that one.

    A name gets its colour when it is first seen, and keeps it: that of its checksum, or another one that none
    of the names has that were seen last.
    """

    def __init__(self, palette: Palette) -> None:
        self._colours = palette.names
        self._slots: dict[str, int] = {}  # by key, the one that was seen last comes last

    def of(self, name: str) -> str:
        """The SGR sequence of a name, however it is written."""
        key = name_key(name)
        slot = self._slots.pop(key, None)
        if slot is None:
            slot = self._free(crc32(key.encode("utf-8", "replace")) % len(self._colours))
        self._slots[key] = slot
        if len(self._slots) > COLOURED_NAMES:
            del self._slots[next(iter(self._slots))]
        return self._colours[slot]

    def _free(self, wanted: int) -> int:
        """The wanted slot, or another one that is free among the latest names; the wanted one if none is."""
        count = len(self._colours)
        near = set([*self._slots.values()][1 - count :]) if count > 1 else set()
        others = ((wanted + _STRIDE * step) % count for step in range(count))
        return next((slot for slot in others if slot not in near), wanted)
