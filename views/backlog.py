"""Items that have come and are not painted yet.

An item costs time only when it is painted: a frame makes as many as FRAME_WORK allows, and the keys are read
between two frames. In a flood only a note is painted, which tells how many items are not shown, and grows.
When the flood is over, the latest items follow, as many as fit below the note.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from chatroom.printable import TAB
from views.folding import Run
from views.formatting import answer_columns
from views.item import Item
from views.limits import (
    BACKLOG_WORK,
    FLOOD_FRAMES,
    FLOOD_SCREENS,
    FLOOD_SECONDS,
    FOOT_LINES,
    FRAME_WORK,
    ITEM_WORK,
    LEAVE_WORK,
)


class _Waiting(NamedTuple):
    """An item that is not painted yet. `make` costs `work` (see FRAME_WORK), formatting included.

    lines:   of its longest part
    columns: of this part, if all its lines were one
    erased:  how many persons had been erased when it came
    """

    work: int
    make: Callable[[], Item]
    lines: int
    columns: int
    erased: int = 0

    def rows(self, room: int) -> int:
        """About how many rows of `room` columns it takes."""
        return self.lines + self.columns // room


class Backlog:
    """These items, in order. Falsy when none waits. columns, lines: of the screen"""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._arrived: list[_Waiting] = []
        self._arrived_work = 0
        self._new = 0  # items that have arrived since it was judged whether this is a flood
        self._judged = float("-inf")  # when
        self._left_out = 0  # items of this flood that had no room among these
        self._told = 0  # how many of them a note has told
        self._notes = 0  # numbers of the notes of all floods: each grows by itself
        self._batch: deque[_Waiting] = deque()  # what had arrived at a frame; it may take several frames
        self._parts: deque[_Waiting] = deque()  # of a long text that the user wants to see
        self._floods = 0  # times in a row that too many items to read had come
        self._erased: dict[
            int, int
        ] = {}  # by person: of the erased ones the number, from 1, while items wait
        self._erasures = 0
        self._run: Run | None = None  # its item is not made yet, so it has all that comes until then

    def __bool__(self) -> bool:
        return bool(self._parts or self._batch or self._arrived)

    @property
    def is_begun(self) -> bool:
        """Whether a frame has taken some of what had come together: the next one must follow at once."""
        return bool(self._parts or self._batch)

    # --- in -----------------------------------------------------------------------------------------

    def add(self, text: str, make: Callable[[], Item]) -> None:
        """One more item. text: its longest part, which tells what it costs"""
        self._add(_waiting(text, make, self._erasures))

    def add_run(self, run: Run) -> None:
        """A run of joins and leaves has begun, or grown: its item is made with all that comes until then."""
        if self._run is not run:
            self._run = run
            self._add(_waiting(run.text, partial(self._make_run, run), self._erasures))

    def print_parts(self, parts: Iterable[str], person: int) -> None:
        """Paint the parts of a long text before all else. person: who said it"""
        self._end_note()
        self._parts = deque(
            _waiting(part, partial(Item, None, "", part, part=True, person=person), self._erasures)
            for part in parts
        )

    def stop_parts(self) -> bool:
        """Paint no more of them; whether there were any."""
        stopped = bool(self._parts)
        self._parts.clear()
        return stopped

    def erase(self, person: int) -> None:
        """Show nothing of what this person has said."""
        if self._run is not None:
            self._run.erase(person)
        if not self:
            self._erased.clear()
            return
        self._erasures += 1
        self._erased[person] = self._erasures

    def clear(self) -> None:
        """Forget all items."""
        self._batch.clear()
        self._parts.clear()
        self._left_out = 0
        self._take_arrived()

    def shorten(self) -> None:
        """Somebody waits for all items to be painted: keep only the latest, if all take too long."""
        self._parts.clear()
        self._floods = 0
        if sum(waiting.work for waiting in [*self._batch, *self._arrived]) > LEAVE_WORK:
            self._arrived = [*self._batch, *self._arrived]
            self._batch.clear()
            self._leave_out()

    # --- out ----------------------------------------------------------------------------------------

    def take(self, now: float) -> list[Item]:
        """The items for one frame, which are FRAME_WORK together, or one."""
        if not self._batch and not self._parts:
            self._begin_batch(now)
        source, work = self._parts or self._batch, 0
        items: list[Item] = []
        while source and (not items or work + source[0].work <= FRAME_WORK):
            waiting = source.popleft()
            items.append(self._made(waiting))
            work += waiting.work
        return items

    def _add(self, waiting: _Waiting) -> None:
        self._arrived.append(waiting)
        self._arrived_work += waiting.work
        self._new += 1
        if self._arrived_work > BACKLOG_WORK:
            self._leave_out()

    def _made(self, waiting: _Waiting) -> Item:
        """The item, without what was erased since it came."""
        item = made = waiting.make()
        for person in {made.person, *made.names} if self._erased else ():
            if self._erased.get(person, 0) > waiting.erased:
                item = item.erased(person)
        return item

    def _make_run(self, run: Run) -> Item:
        self._run = None
        return run.item()

    def _begin_batch(self, now: float) -> None:
        """Take what has arrived; after FLOOD_FRAMES frames in a row with too many items only a note.

        Each key has a frame of its own. Few items come between it and the frame before, and tell nothing.
        """
        if now - self._judged >= FLOOD_SECONDS:
            flood, self._new, self._judged = self._new > FLOOD_SCREENS * self.lines, 0, now
            self._floods = self._floods + 1 if flood else 0
        if self._floods >= FLOOD_FRAMES:
            self._leave_out()
        if self._left_out > self._told:
            self._told = self._left_out
            note = f"{self._left_out:,} line{'s' * (self._left_out > 1)} not shown: /history"
            self._batch.append(
                _waiting(note, partial(Item, None, "", note, run=-1 - self._notes), self._erasures)
            )
        if self._floods < FLOOD_FRAMES:  # else the latest wait for the end of the flood
            self._batch += self._take_arrived()

    def _leave_out(self) -> None:
        """Forget what has arrived, but not the latest items that fit on the screen below the note."""
        room, kept = max(1, self.lines - FOOT_LINES), 0
        columns = max(1, answer_columns(self.columns))
        for waiting in reversed(self._arrived):
            room -= waiting.rows(columns)
            if kept and room < 0:
                break
            kept += 1
        latest = self._arrived[len(self._arrived) - kept :]
        self._run = None  # perhaps it is left out: what comes next of it is shown again
        self._left_out += len(self._arrived) - len(latest)
        self._arrived = latest
        self._arrived_work = sum(waiting.work for waiting in latest)

    def _take_arrived(self) -> list[_Waiting]:
        arrived, self._arrived = self._arrived, []
        self._arrived_work = 0
        self._end_note()
        return arrived

    def _end_note(self) -> None:
        """Something else is painted below the note: another one tells what is left out from now on."""
        if self._told:
            self._notes += 1
        self._left_out -= self._told
        self._told = 0


def _waiting(text: str, make: Callable[[], Item], erased: int) -> _Waiting:
    size = len(text) + (len(TAB) - 1) * text.count("\t")
    work = ITEM_WORK * (1 + text.count("\n")) + size * (1 if text.isascii() else 3)
    return _Waiting(work, make, 1 + text.count("\n"), size * (1 if text.isascii() else 2), erased)
