"""The latest items and their rows: the part of the conversation that can be painted again."""

from __future__ import annotations

from collections import deque
from datetime import date, datetime
from typing import NamedTuple

from views.formatting import Lead, Theme, day_name, format_item
from views.item import Item
from views.limits import GROUP_ITEMS, GROUP_SECONDS, TRANSCRIPT_CHARACTERS, TRANSCRIPT_ITEMS
from views.text import Row


class Amended(NamedTuple):
    """A line was changed where it stood.

    room:  of the latest rows as they are now so many stand for those that were looked at
    tells: whether the change is to be told in a row of its own, too: somebody else has made it
    """

    room: int
    tells: bool


class Transcript:
    """The latest items: at most TRANSCRIPT_ITEMS, and TRANSCRIPT_CHARACTERS with their rows.

    Rows are formatted once and again only for another width.
    """

    def __init__(self, columns: int, theme: Theme, today: date | None = None) -> None:
        """columns: width of the screen; today: items of this day need no day separator above them."""
        self._columns = columns
        self._theme = theme
        self._items: deque[_Formatted] = deque()
        self._size = 0  # characters of all of them
        self._day = today
        self._last: Item | None = None
        self._named: datetime | None = None  # when the latest name was written
        self._unnamed = 0  # lines since then

    def resize(self, columns: int) -> None:
        """Format rows for a screen of `columns` from now on."""
        self._columns = columns

    def clear(self) -> None:
        """Forget all items. The transcript still knows their day, so the next item repeats no separator."""
        self._items.clear()
        self._size = 0
        self._last = None

    def append(self, item: Item) -> list[Row]:
        """Add an item and return its rows. A separator comes first when the item begins another day."""
        rows: list[Row] = []
        day = item.moment.date() if item.moment else self._day
        if day is not None and day != self._day:
            self._day = day
            rows += self._add(Item(None, "", day_name(day)))
        return rows + self._add(item)

    def _lead(self, item: Item) -> Lead:
        """What the item shows before its text: who goes on to speak is named once, and each minute is told
        once. A row without a name must never be far from the name."""
        last, self._last = self._last, item
        if last is None or last.moment is None or item.moment is None or not item.author or item.act:
            return Lead()
        seconds = (item.moment - self._named).total_seconds() if self._named is not None else 0.0
        same = (last.author, last.to, last.under, last.act) == (item.author, item.to, item.under, False)
        if (
            not same
            or (item.mention and not item.to)
            or not 0 <= seconds <= GROUP_SECONDS
            or self._unnamed >= GROUP_ITEMS
        ):
            return Lead()
        before, now = last.moment, item.moment
        return Lead((before.hour, before.minute) != (now.hour, now.minute), False)

    def take_back(self, run: int) -> int:
        """Remove the latest item if it shows this run of joins and leaves; how many rows it had."""
        if not run or not self._items or self._items[-1].item.run != run:
            return 0
        formatted = self._items.pop()
        self._size -= formatted.size
        return len(formatted.rows)

    def amend(self, by: Item, room: int) -> Amended | None:
        """Change the line that this item amends where it is among the latest `room` rows; None: nowhere."""
        below, shown, tells, found = 0, room, True, False
        for formatted in reversed(self._items):
            if below >= shown:
                break
            self._format(formatted)
            if formatted.item.line == by.amends:
                in_sight = min(len(formatted.rows), shown - below)
                tells = tells and not (formatted.item.author and formatted.item.person == by.person)
                formatted.item, formatted.columns = formatted.item.amended(by), 0
                self._format(formatted)
                shown += len(formatted.rows) - in_sight
                found = True
            below += len(formatted.rows)
        return Amended(shown, tells) if found else None

    def erase(self, person: int) -> None:
        """Show nothing of this person any more, see `Item.erased`."""
        items = [formatted.item.erased(person) for formatted in self._items]
        if all(item is formatted.item for item, formatted in zip(items, self._items, strict=True)):
            return
        self._items.clear()  # whoever spoke after an erased person is to be named again
        self._size, self._last = 0, None
        for item in items:
            self._add(item)

    def tail(self, room: int) -> list[Row]:
        """The latest rows, at most `room` of them, formatted for the present width."""
        parts: list[list[Row]] = []
        for formatted in reversed(self._items):
            if room <= 0:
                break
            self._format(formatted)
            part = formatted.rows[-room:]
            parts.append(part)
            room -= len(part)
        return [row for part in reversed(parts) for row in part]

    def _format(self, formatted: _Formatted) -> None:
        """Make the rows again, if they are for another width."""
        if formatted.columns != self._columns:
            self._size -= formatted.size
            rows = format_item(formatted.item, self._columns, self._theme, formatted.lead)
            formatted.set(self._columns, rows)
            self._size += formatted.size

    def _add(self, item: Item) -> list[Row]:
        lead = self._lead(item)
        self._unnamed += 1
        if lead.named:
            self._named, self._unnamed = item.moment, 1
        rows = format_item(item, self._columns, self._theme, lead)
        formatted = _Formatted(item, lead)
        formatted.set(self._columns, rows)
        self._items.append(formatted)
        self._size += formatted.size
        while len(self._items) > TRANSCRIPT_ITEMS or (
            self._size > TRANSCRIPT_CHARACTERS and len(self._items) > 1
        ):
            self._size -= self._items.popleft().size
        return rows


class _Formatted:
    """An item and its rows for a screen of `columns`. size: the characters of both."""

    __slots__ = ("columns", "item", "lead", "rows", "size")

    def __init__(self, item: Item, lead: Lead) -> None:
        self.item = item
        self.lead = lead

    def set(self, columns: int, rows: list[Row]) -> None:
        """Take other rows."""
        self.columns, self.rows = columns, rows
        self.size = len(self.item.text) + sum(map(len, rows))
