"""Erasing: of which persons everything is blanked that they said. A part of the state.

The history blanks what is stored (see `History.append`). The state has to know the persons only because a
proposal may carry what its proposer has looked up before: so it remembers the latest ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from chatroom.blanking import blank
from chatroom.bounds import Limits
from chatroom.events import Event
from chatroom.ledger import Ledger
from chatroom.records import Record


class Erasing:
    """The persons that were erased last.

    on_erased: called with each person that is erased, when nobody can be it any more: for parts of the state
               that keep words or names of persons
    """

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._erased: dict[int, int] = {}  # by person: up to which seq; the latest one at the end
        self.on_erased: list[Callable[[int], None]] = []

    def is_erased(self, person: int) -> bool:
        """Whether the person was erased not long ago."""
        return person in self._erased

    def blanked(self, event: Event) -> Event:
        """The event without the words and the names of erased persons."""
        return blank(event, self._erased)

    def erase(self, person: int, until: int) -> None:
        """Blank what the person has said up to the event `until`, wherever it is stored."""
        self._ledger.erased[person] = until
        self._erased[person] = until
        self._ledger.change("erased", str(person), lambda: _record(person, until))
        if len(self._erased) > self._limits.erased:
            oldest = next(iter(self._erased))
            del self._erased[oldest]
            self._ledger.change("erased", str(oldest), None)

    def records(self) -> list[Record]:
        """All that are remembered."""
        return [_record(person, until) for person, until in self._erased.items()]

    def restore(self, records: list[Record]) -> None:
        """Take what was stored."""
        found = [(json.loads(record.value or "{}")["until"], int(record.key)) for record in records]
        self._erased = {person: until for until, person in sorted(found)}


def _record(person: int, until: int) -> Record:
    return Record("erased", str(person), json.dumps({"until": until}, separators=(",", ":")))
