"""A half-typed line that is put away, until the user comes back to the place where it was typed."""

from __future__ import annotations

from typing import NamedTuple


class Snapshot(NamedTuple):
    """A state of the line: its units, and the cursor as an index into them."""

    units: tuple[str, ...]
    cursor: int


class Draft(NamedTuple):
    """The line of one place. undo: earlier states; those of another place must not come back here"""

    line: Snapshot = Snapshot((), 0)
    undo: tuple[Snapshot, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.line.units)
