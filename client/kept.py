"""The latest lines of one place, kept to be shown when the user comes to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from chatroom.events import ERASED_NAME, Event, EventKind, Extra, extra_number, extra_row
from client.limits import KEPT_CHARACTERS, KEPT_LINES

KEPT: Final = (
    *(EventKind.SAID, EventKind.INVITED, EventKind.POLL),
    *(EventKind.REVEALED, EventKind.ASKED),
)
"""What is kept, as it counts as unread: what people say, to what they invite, and what a class is asked."""

_MARKS = {EventKind.EDITED: Extra.EDITED, EventKind.DELETED: Extra.DELETED}


class Kept:
    """Lines, questions and polls in the order of their seqs, as they are now: edited, deleted ones, too."""

    def __init__(self) -> None:
        self._lines: deque[Event] = deque()
        self._characters = 0

    def __iter__(self) -> Iterator[Event]:
        return iter(self._lines)

    def __reversed__(self) -> Iterator[Event]:
        return reversed(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: Event) -> None:
        """Keep one more line, the latest."""
        if self._lines and line.seq <= self._lines[-1].seq:
            self.merge([line])
            return
        self._lines.append(line)
        self._characters += len(line.text)
        self._shorten()

    def merge(self, lines: Iterable[Event]) -> None:
        """Keep lines of the past, too. One that is kept already is taken as it is now."""
        found = {line.seq: line for line in (*self._lines, *lines) if line.kind in KEPT}
        self._lines = deque(found[seq] for seq in sorted(found))
        self._characters = sum(len(line.text) for line in self._lines)
        self._shorten()

    def find(self, seq: int) -> Event | None:
        """The line with this seq, if it is kept."""
        return next((line for line in self._lines if line.seq == seq), None) if seq else None

    def amend(self, event: Event) -> Event | None:
        """Take an EDITED or DELETED; the line as it was before, if it is kept."""
        seq = extra_number(event.extra, Extra.MESSAGE)
        before, mark = self.find(seq), _MARKS.get(event.kind)
        if before is not None and mark is not None:
            extra = extra_row(mark, event.seq) + before.extra  # of several rows with a key the first counts
            self._lines[self._lines.index(before)] = before._replace(text=event.text, extra=extra)
            self._characters += len(event.text) - len(before.text)
            self._shorten()
        return before

    def erase(self, erased: Event) -> None:
        """Keep nothing of what the person of an ERASED has said, nor the name: as the server sends it now."""
        extra = extra_row(Extra.DELETED, erased.seq)
        for number, line in enumerate(self._lines):
            if line.person == erased.target:
                self._characters -= len(line.text)
                self._lines[number] = line._replace(author=ERASED_NAME, text="", extra=extra)

    def last(self, own: bool, person: int, without: frozenset[int] = frozenset()) -> Event | None:
        """The latest line that is not deleted, of this person, or (own: False) of anybody else.

        without: not of these persons
        """
        for line in reversed(self._lines):
            said = line.kind is EventKind.SAID and line.person not in without
            if said and (line.person == person) == own and not extra_number(line.extra, Extra.DELETED):
                return line
        return None

    def _shorten(self) -> None:
        while len(self._lines) > KEPT_LINES or (self._characters > KEPT_CHARACTERS and len(self._lines) > 1):
            self._characters -= len(self._lines.popleft().text)


def tells_news(event: Event, line: Event | None) -> bool:
    """Whether an EDITED or DELETED says more than the line, which may have come as it was after it."""
    mark = _MARKS.get(event.kind)
    return line is None or mark is None or extra_number(line.extra, mark) < event.seq
