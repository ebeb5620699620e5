"""What was said, as it is shown: entries, how each is formatted, and the rows of the latest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from colorama import Fore

from chatroom.events import Event, EventKind
from chatroom.names import name_key
from views.harmless import one_line, sanitize
from views.limits import TRANSCRIPT_ENTRIES
from views.text import Piece, Row, Style, flow, text_width

LocalTime = Callable[[int], datetime]
"""Milliseconds since 1970 to the time on the reader's wall."""

NO_TIME = "--:--"
"""Stands where the time will be while a line is not stored yet."""

_COLOURS = (
    Fore.RED,
    Fore.GREEN,
    Fore.YELLOW,
    Fore.MAGENTA,
    Fore.CYAN,
    Fore.LIGHTRED_EX,
    Fore.LIGHTGREEN_EX,
    Fore.LIGHTYELLOW_EX,
    Fore.LIGHTBLUE_EX,
    Fore.LIGHTMAGENTA_EX,
    Fore.LIGHTCYAN_EX,
)
_NARROW = 24  # columns below which there is no room for the time


class Entry(NamedTuple):
    """One thing in the transcript, formatted for no width yet.

    moment: when, None where no time is shown;  author: who said `text`, empty when the program says it
    """

    moment: datetime | None
    author: str
    text: str
    mention: bool = False


class Theme(NamedTuple):
    """How much is drawn beside plain text."""

    colour: bool

    def name(self, name: str) -> str:
        """The style of a name: always the same one for the same name, everywhere."""
        return name_colour(name) if self.colour else ""

    def style(self, style: str) -> str:
        """The style, unless there shall be none."""
        return style if self.colour else ""


@lru_cache(maxsize=1024)
def name_colour(name: str) -> str:
    """The colour of a name, by what counts as the same name; the same in every client and every session."""
    return str(_COLOURS[crc32(name_key(name).encode("utf-8", "replace")) % len(_COLOURS)])


def local_time(milliseconds: int) -> datetime:
    """The time in this computer's time zone; a time beyond the calendar is its last or first day."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone()
    except (OverflowError, OSError, ValueError):
        return datetime.max if milliseconds > 0 else datetime.min


def describe(event: Event) -> str:
    """What happened, in words, where it is not a line that somebody said."""
    who, text = event.author, event.text
    if event.kind is EventKind.JOINED:
        return f"{who} joined"
    if event.kind is EventKind.LEFT:
        return f"{who} left ({text})" if text else f"{who} left"
    if event.kind is EventKind.RENAMED:
        return f"{who} is now {text}"
    if event.kind is EventKind.TOPIC:
        return f"{who} set the topic: {text}" if text else f"{who} removed the topic"
    if event.kind is EventKind.KICKED:
        name, _, reason = text.partition(" ")
        return f"{who} removed {name}: {reason}" if reason else f"{who} removed {name}"
    return text


def entry_of(event: Event, own_name: str, time_of: LocalTime = local_time) -> Entry:
    """The entry for an event; a line of somebody else that calls `own_name` is a mention."""
    moment = time_of(event.time)
    if event.kind is not EventKind.SAID:
        return Entry(moment, "", one_line(describe(event)))
    text = sanitize(event.text)
    return Entry(moment, event.author, text, event.author != own_name and mentions(text, own_name))


def mentions(text: str, name: str) -> bool:
    """Whether the name stands in the (harmless) text as a word of its own, in any case."""
    key, found = name_key(name), -1
    folded = name_key(text)
    while key and (found := folded.find(key, found + 1)) >= 0:
        before, after = folded[:found][-1:], folded[found + len(key) :][:1]
        if not _in_name(before) and not _in_name(after):
            return True
    return False


def _in_name(character: str) -> bool:
    return character.isalnum() or character == "_"


def plain_line(event: Event, time_of: LocalTime = local_time) -> str:
    """An event as one line of text without any escape sequence, for everything that is not a terminal.

    A line end inside a said text is shown as U+23CE: one event is always one line.
    """
    entry = entry_of(event, "", time_of)
    text = sanitize(entry.text).replace("\n", "\u23ce")
    said = f"{one_line(entry.author)}: {text}" if entry.author else f"-- {text}"
    return f"{_clock(entry.moment)} {said}"


def format_entry(entry: Entry, columns: int, theme: Theme) -> list[Row]:
    """The entry as rows; what does not fit the first goes on below where the text began."""
    dim, pieces = theme.style(Style.DIM), []
    if entry.moment is not None and columns >= _NARROW:
        pieces.append(Piece(f"{_clock(entry.moment)} ", dim))
    if entry.author:
        pieces.append(Piece(one_line(entry.author), theme.name(entry.author)))
        pieces.append(Piece(": "))
        pieces.append(Piece(entry.text, theme.style(Style.BOLD) if entry.mention else ""))
    else:
        pieces.append(Piece("-- ", dim))
        pieces.append(Piece(entry.text, dim))
    return flow(pieces, columns, _indent(pieces, columns))


def format_pending(name: str, text: str, columns: int, theme: Theme) -> list[Row]:
    """An own line that is not stored yet: as it will look, but dim and with its time still open."""
    dim = theme.style(Style.DIM)
    pieces = [Piece(f"{NO_TIME} ", dim)] if columns >= _NARROW else []
    pieces += [Piece(f"{one_line(name)}: ", dim), Piece(text, dim)]
    return flow(pieces, columns, _indent(pieces, columns))


def _indent(pieces: Sequence[Piece], columns: int) -> int:
    """Below the start of the text where that leaves two thirds of the screen, else below the author."""
    head = sum(text_width(piece.text) for piece in pieces[:-1])
    if head <= columns // 3:
        return head
    return len(NO_TIME) + 1 if columns >= _NARROW else 1


def _clock(moment: datetime | None) -> str:
    return f"{moment:%H:%M}" if moment else NO_TIME


def day_name(day: date) -> str:
    """A day as the separator shows it. English as everything here, whatever the locale."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return f"{days[day.weekday()]}, {day.isoformat()}"


class Transcript:
    """The latest entries, with the rows of those that were formatted for the present width."""

    def __init__(self, columns: int, theme: Theme, today: date | None = None) -> None:
        """today: the day that needs no separator when it is the first."""
        self._columns = columns
        self._theme = theme
        self._entries: deque[_Formatted] = deque(maxlen=TRANSCRIPT_ENTRIES)
        self._day = today

    def resize(self, columns: int) -> None:
        """Rows are wanted for another width from now on."""
        self._columns = columns

    def clear(self) -> None:
        """Forget the entries; the day they were of stays known."""
        self._entries.clear()

    def append(self, entry: Entry) -> list[Row]:
        """Add an entry; its rows, with the day before them when it is another one than before."""
        rows: list[Row] = []
        day = entry.moment.date() if entry.moment else self._day
        if day != self._day:
            self._day = day
            if day is not None:
                rows += self._add(Entry(None, "", day_name(day)))
        return rows + self._add(entry)

    def tail(self, room: int) -> list[Row]:
        """The latest rows, at most `room`, formatted for the present width."""
        parts: list[list[Row]] = []
        for formatted in reversed(self._entries):
            if room <= 0:
                break
            if formatted.columns != self._columns:
                formatted.rows = format_entry(formatted.entry, self._columns, self._theme)
                formatted.columns = self._columns
            part = formatted.rows[-room:]
            parts.append(part)
            room -= len(part)
        return [row for part in reversed(parts) for row in part]

    def _add(self, entry: Entry) -> list[Row]:
        rows = format_entry(entry, self._columns, self._theme)
        self._entries.append(_Formatted(entry, self._columns, rows))
        return rows


class _Formatted:
    __slots__ = ("columns", "entry", "rows")

    def __init__(self, entry: Entry, columns: int, rows: list[Row]) -> None:
        self.entry, self.columns, self.rows = entry, columns, rows
