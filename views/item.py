"""One item of the transcript: its words, colours and mentions, and the rows that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from colorama import Fore

from chatroom.events import SET_COUNTED, Event, EventKind
from chatroom.names import name_key
from views.mentions import mentions
from views.sanitize import one_line, sanitize
from views.text import Row, Span, Style, text_width, wrap

LocalTime = Callable[[int], datetime]
"""Converts milliseconds since 1970 (UTC) to the reader's local time."""

NO_TIME = "--:--"
"""Shown instead of the time while a line is not stored yet."""

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
_NARROW = 24  # below this many columns the time is left out


class Item(NamedTuple):
    """One item of the transcript, independent of the screen's width.

    moment:  local time, None for an item without a time
    author:  name of the person who said `text`; empty for a message of the program
    mention: another person's text contains the reader's name
    more:    how much of the text is left out, in words; empty if nothing is
    part:    a part of a long text that is shown in parts: neither time nor author, but the same indent
    """

    moment: datetime | None
    author: str
    text: str
    mention: bool = False
    more: str = ""
    part: bool = False


class Theme(NamedTuple):
    """Which styles are used: all of them, or none when `colour` is False."""

    colour: bool

    def name(self, name: str) -> str:
        """The style of a name: the same name always has the same colour."""
        return name_colour(name) if self.colour else ""

    def style(self, style: str) -> str:
        """`style`, or no style when the theme has no colours."""
        return style if self.colour else ""


@lru_cache(maxsize=1024)
def name_colour(name: str) -> str:
    """The colour of a name. It ignores case (see `name_key`) and is the same in every client and process."""
    return str(_COLOURS[crc32(name_key(name).encode("utf-8", "replace")) % len(_COLOURS)])


def local_time(milliseconds: int) -> datetime:
    """`milliseconds` since 1970 in the local time zone, clamped to the years that `datetime` supports."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone()
    except (OverflowError, OSError, ValueError):
        return datetime.max if milliseconds > 0 else datetime.min


def describe(event: Event) -> str:
    """An event as a short sentence; for SAID the said text itself."""
    who, text = event.author, event.text
    if event.kind is EventKind.JOINED:
        return f"{who} joined"
    if event.kind in (EventKind.LEFT, EventKind.QUIT):
        return f"{who} left ({text})" if text else f"{who} left"
    if event.kind is EventKind.RENAMED:
        return f"{who} is now {text}"
    if event.kind is EventKind.TOPIC:
        return f"{who} set the topic: {text}" if text else f"{who} removed the topic"
    if event.kind is EventKind.KICKED:
        name, _, reason = text.partition(" ")
        return f"{who} removed {name}: {reason}" if reason else f"{who} removed {name}"
    if event.kind is EventKind.SET:
        if event.extra == SET_COUNTED:
            return f"{event.channel} is large: from now on its members are only counted; see /who"
        return f"the settings of {event.channel} have changed"
    if event.kind is EventKind.RESTARTED:
        return "the server was restarted"
    return text


def item_of(event: Event, own_name: str, time_of: LocalTime = local_time) -> Item:
    """The item for an event; its text is sanitized. `own_name` in another person's line is a mention."""
    moment = time_of(event.time)
    if event.kind is not EventKind.SAID:
        return Item(moment, "", one_line(describe(event)))
    text = sanitize(event.text)
    return Item(moment, event.author, text, event.author != own_name and mentions(text, own_name))


def plain_line(event: Event, time_of: LocalTime = local_time) -> str:
    """An event as exactly one line without escape sequences, for pipes and files.

    A line end inside a said text is shown as U+23CE.
    """
    item = item_of(event, "", time_of)
    text = item.text.replace("\n", "\u23ce")
    said = f"{one_line(item.author)}: {text}" if item.author else f"-- {text}"
    return f"{time_of(event.time):%H:%M} {said}"


def format_item(item: Item, columns: int, theme: Theme) -> list[Row]:
    """The item as rows for a screen of `columns`. Later rows are indented to the start of the text."""
    dim, spans = theme.style(Style.DIM), []
    if item.part:
        margin = _margin(columns)
        return wrap([Span(" " * margin), Span(item.text)], columns, margin)
    if item.moment is not None and columns >= _NARROW:
        spans.append(Span(f"{item.moment:%H:%M} ", dim))
    if item.author:
        spans.append(Span(one_line(item.author), theme.name(item.author)))
        spans.append(Span(": "))
        spans.append(Span(item.text, theme.style(Style.BOLD) if item.mention else ""))
    else:
        spans.append(Span("-- ", dim))
        spans.append(Span(item.text, dim))
    indent = _indent(spans, columns)
    if item.more:
        spans.append(Span(f"\n\u2026 {item.more}", dim))
    return wrap(spans, columns, indent)


def format_pending(name: str, text: str, columns: int, theme: Theme) -> list[Row]:
    """The reader's own line before it is stored: the same layout, but dim and without a time."""
    dim = theme.style(Style.DIM)
    spans = [Span(f"{NO_TIME} ", dim)] if columns >= _NARROW else []
    spans += [Span(f"{one_line(name)}: ", dim), Span(text, dim)]
    return wrap(spans, columns, _indent(spans, columns))


def _indent(spans: Sequence[Span], columns: int) -> int:
    """Later rows start below the text if that leaves two thirds of the screen, else below the author."""
    head = sum(text_width(span.text) for span in spans[:-1])
    if head <= columns // 3:
        return head
    return _margin(columns)


def _margin(columns: int) -> int:
    """The width of the time, where it is shown."""
    return len(NO_TIME) + 1 if columns >= _NARROW else 1


def day_name(day: date) -> str:
    """The text of a day separator. It is English in every locale, like all texts of the program."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return f"{days[day.weekday()]}, {day.isoformat()}"
