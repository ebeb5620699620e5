"""One item of the transcript: its words, and whom they call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from chatroom.events import Event, EventKind, Extra, extra_number, extra_row, extra_rows
from chatroom.moments import LocalTime, local_time
from chatroom.table import clipped
from views.describe import ACT, describe, is_said, note_of
from views.limits import COMMAND_COLUMNS
from views.mentions import calls
from views.moderation import ERASED, is_about
from views.polls import Poll, poll_of
from views.sanitize import one_line, sanitize
from views.told import Told

NO_TIME = "--:--"
"""Shown instead of the time while a line is not stored yet."""

YOU: Final = "you"
"""Stands for the name of the reader."""

DELETED: Final = "(deleted)"
"""Stands on the screen where a line stood that was deleted."""

_ABOUT_LINES: Final = (EventKind.EDITED, EventKind.DELETED, EventKind.REACTED)
_POLLS: Final = (EventKind.POLL, EventKind.REVEALED)


class Tone(Enum):
    """How loud an item without an author is."""

    NOTE = 0  # quiet
    TALK = 1  # as what people say
    APART = 2  # nobody overlooks it


class Item(NamedTuple):
    """One item of the transcript, independent of the screen's width.

    moment:  local time, None for an item without a time
    author:  name of the person who said `text`; empty for a message of the program
    mention: another person's text contains the reader's name, or a keyword of the reader's
    more:    how much of the text is left out, in words; empty if nothing is
    part:    a part of a long text that is shown in parts: neither time nor author, but the same indent
    note:    stands behind the author, as ` (edited)`
    act:     the text says what the author does
    under:   the channel to name, empty for none
    run:     number of the run of joins and leaves that it shows, which may grow; 0: none
    own:     the reader is its author
    called:  these words: the name, and the keywords
    rule:    no message, but a line across the screen with these words
    notice:  the words of the rule must not be missed
    tone:    of an item without an author
    poll:    a question or a result, whose rows stand below the text
    person:  whose item it is, by number; 0: nobody's
    names:   persons whom it names or quotes besides
    without: when one of those is erased: what stands instead of the note or, without an author, of the text
    told:    the same as the text, with names as far as a row has room for them
    command: that the text answers, as `/who`; empty: it answers none
    line:    place and seq of the line that it shows, or quotes; (0, 0): none
    amends:  the same of the line that it gives another text, or deletes
    to:      of a private line: who reads it, "you" or a name; empty: it is for all who are there
    """

    moment: datetime | None
    author: str
    text: str
    mention: bool = False
    more: str = ""
    part: bool = False
    note: str = ""
    act: bool = False
    under: str = ""
    run: int = 0
    own: bool = False
    called: tuple[str, ...] = ()
    rule: bool = False
    notice: bool = False
    tone: Tone = Tone.NOTE
    poll: Poll | None = None
    person: int = 0
    names: tuple[int, ...] = ()
    without: str = ""
    told: tuple[Told, ...] = ()
    command: str = ""
    line: tuple[int, int] = (0, 0)
    amends: tuple[int, int] = (0, 0)
    to: str = ""

    @property
    def sign(self) -> str:
        """What stands in the place of the name where nobody speaks. No name begins like that."""
        sign = "*" if self.author else "***" if self.tone is Tone.APART else "--"
        return f"{sign} {clipped(one_line(self.command), COMMAND_COLUMNS)}" if self.command else sign

    def erased(self, person: int) -> Item:
        """The item when nothing may be seen any more of what this person has said, nor the name."""
        if person and person == self.person:
            return Item(self.moment, "", ERASED, under=self.under)
        if person not in self.names:
            return self
        known = tuple(each for each in self.names if each != person)
        if self.author:
            return self._replace(note=self.without, names=known)
        return self._replace(text=self.without, names=known, told=())

    def amended(self, by: Item) -> Item:
        """The item after its line was changed by an item that amends it. It keeps its time and its author."""
        if not self.author:
            return self if by.author or not self.without else self._replace(text=self.without)
        if not by.author:
            return self._replace(text="", more="", mention=False, note=DELETED, names=())
        return self._replace(
            text=by.text,
            more=by.more,
            mention=by.mention,
            note=_edited(self.note),
            without=_edited(self.without),
        )


def _edited(note: str) -> str:
    """The note of a line that was edited just now."""
    if note.startswith(" (edited"):
        return note
    return f" (edited, {note.removeprefix(' (')}" if note else " (edited)"


def item_of(
    event: Event,
    own_name: str,
    time_of: LocalTime = local_time,
    about: Event | None = None,
    keywords: Sequence[str] = (),
    me: int = 0,
) -> Item:
    """The item for an event; its text is sanitized.

    own_name: in another person's line it is a mention, and so is each of the keywords
    about: the line that it edits, deletes, reacts to or answers, if that is known
    me:    number of the reader's person, 0: not known
    """
    moment, person = time_of(event.time), event.person
    names: tuple[int, ...] = (about.person,) if about is not None else ()
    if is_said(event):
        text = sanitize(event.text)
        own = event.author == own_name
        called = (own_name, *keywords)
        to = private_to(event, own_name, me)
        item = Item(
            moment,
            event.author,
            text,
            to == YOU or (not own and calls(text, called)),
            note=note_of(event, about),
            act=event.form == ACT,
            own=own,
            called=called,
            person=person,
            line=_line_of(event),
            amends=_line_of(event) if event.kind is EventKind.EDITED else (0, 0),
            to=to,
        )
        return item._replace(names=names, without=note_of(event, None)) if names else item
    if event.kind in _POLLS:
        poll = poll_of(event)
        return Item(moment, "", poll.head, tone=Tone.TALK, poll=poll, person=person)
    text, without = one_line(describe(event, about, own_name, time_of)), ""
    if event.target or names:
        names += (event.target,) if event.target else ()
        without = one_line(describe(event._replace(extra=_nameless(event.extra)), None, "", time_of))
    item = Item(moment, "", text, tone=_tone(event, own_name), person=person, names=names, without=without)
    line = _line_of(event)
    return item._replace(line=line, amends=line if event.kind is EventKind.DELETED else (0, 0))


def private_to(event: Event, own_name: str, me: int = 0) -> str:
    """Who reads a line of a direct conversation: YOU, or the name of the other one.

    Empty: it is none, or nothing is known of the reader.

    Both had other names, perhaps, so the number of the person tells whose line it is, where it is known.
    """
    if not event.channel.startswith("@") or not (own_name or me):
        return ""
    own = event.person == me if me and event.person else event.author == own_name
    return one_line(event.channel[1:]) if own else YOU


def _line_of(event: Event) -> tuple[int, int]:
    """Place and seq of the line that an event shows, changes or reacts to; (0, 0): it is about none."""
    if event.kind is EventKind.SAID:
        return event.place, event.seq
    seq = extra_number(event.extra, Extra.MESSAGE) if event.kind in _ABOUT_LINES else 0
    return (event.place, seq) if seq else (0, 0)


def _tone(event: Event, own_name: str) -> Tone:
    if event.kind is EventKind.ANNOUNCED or (event.kind is EventKind.CALLED and is_about(event, own_name)):
        return Tone.APART
    if event.kind is EventKind.ASKED or (own_name and is_about(event, own_name)):
        return Tone.TALK
    return Tone.NOTE


def _nameless(extra: bytes) -> bytes:
    """The rows without the name of the person whom it is about."""
    rows = extra_rows(extra)
    return b"".join(extra_row(key, value) for key, value in rows.items() if key != Extra.TARGET_NAME)


def plain_line(event: Event, time_of: LocalTime = local_time, under: bool = False, own_name: str = "") -> str:
    """An event as exactly one line without escape sequences, for pipes and files.

    A line end inside a said text is shown as U+23CE.
    under:    write the event's channel before it
    own_name: of the reader, if somebody reads it at once
    """
    item = item_of(event, own_name, time_of)
    text = (item.text if item.poll is None else item.poll.line).replace("\n", "\u23ce")
    if item.author:
        author = one_line(item.author)
        author += f" to {item.to}" * bool(item.to)
        said = f"* {author} {text}" if item.act else f"{author}{item.note}: {text}"
    else:
        said = f"{item.sign} {text}"
    channel = f"{one_line(event.channel)} " if under and event.channel else ""
    return f"{time_of(event.time):%H:%M} {channel}{said}"
