"""Long pastes in the input line: each is one unit there, shown as a mark until the line is sent.

The units of a line are grapheme clusters and `Pasted` texts. Its pieces are the same with the clusters
between two pastes joined: a line that is kept for later is kept as pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from views.limits import PASTE_CHARACTERS, PASTE_LINES
from views.text import clusters

Pieces = tuple[str, ...]


class Pasted(str):
    """A long pasted text. The line holds all of it, and shows `mark`."""

    __slots__ = ()

    @property
    def mark(self) -> str:
        """What stands for it in the line."""
        lines = self.count("\n") + 1
        return f"[Pasted {lines:,} lines]" if lines > 1 else f"[Pasted {len(self):,} characters]"


def pasted(text: str) -> str:
    """A text that was pasted: `Pasted` if it is too long to be read in the line."""
    if text.count("\n") >= PASTE_LINES or len(text) > PASTE_CHARACTERS:
        return Pasted(text)
    return text


def pieces(units: Sequence[str]) -> Pieces:
    """The pieces of a line with these units, which may be longer strings, too."""
    if Pasted not in map(type, units):  # most lines: nothing to group
        text = "".join(units)
        return (text,) if text else ()
    runs = ((kind, list(run)) for kind, run in groupby(units, type))
    out = [piece for kind, run in runs for piece in (run if kind is Pasted else ["".join(run)])]
    return tuple(piece for piece in out if piece)


def units(parts: Sequence[str]) -> list[str]:
    """The units of a line with these pieces."""
    out: list[str] = []
    for part in parts:
        if isinstance(part, Pasted):
            out.append(part)
        else:
            out += clusters(part)
    return out
