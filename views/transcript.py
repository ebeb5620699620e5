"""The latest items and their rows: the part of the conversation that can be painted again."""

from __future__ import annotations

from collections import deque
from datetime import date

from views.item import Item, Theme, day_name, format_item
from views.limits import TRANSCRIPT_CHARACTERS, TRANSCRIPT_ITEMS
from views.text import Row


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

    def resize(self, columns: int) -> None:
        """Format rows for a screen of `columns` from now on."""
        self._columns = columns

    def clear(self) -> None:
        """Forget all items. The transcript still knows their day, so the next item repeats no separator."""
        self._items.clear()
        self._size = 0

    def append(self, item: Item) -> list[Row]:
        """Add an item and return its rows. A separator comes first when the item begins another day."""
        rows: list[Row] = []
        day = item.moment.date() if item.moment else self._day
        if day is not None and day != self._day:
            self._day = day
            rows += self._add(Item(None, "", day_name(day)))
        return rows + self._add(item)

    def tail(self, room: int) -> list[Row]:
        """The latest rows, at most `room` of them, formatted for the present width."""
        parts: list[list[Row]] = []
        for formatted in reversed(self._items):
            if room <= 0:
                break
            if formatted.columns != self._columns:
                self._size -= formatted.size
                formatted.set(self._columns, format_item(formatted.item, self._columns, self._theme))
                self._size += formatted.size
            part = formatted.rows[-room:]
            parts.append(part)
            room -= len(part)
        return [row for part in reversed(parts) for row in part]

    def _add(self, item: Item) -> list[Row]:
        rows = format_item(item, self._columns, self._theme)
        formatted = _Formatted(item)
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

    __slots__ = ("columns", "item", "rows", "size")

    def __init__(self, item: Item) -> None:
        self.item = item

    def set(self, columns: int, rows: list[Row]) -> None:
        """Take other rows."""
        self.columns, self.rows = columns, rows
        self.size = len(self.item.text) + sum(map(len, rows))
