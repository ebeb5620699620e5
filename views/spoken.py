"""Events as lines for somebody who listens: words instead of signs, what matters first, the time at the end.

What somebody says begins with the name and has a colon behind it, or behind a few words that follow the name:

    bob: hello                     bob does: waves
    bob calls you: ann, look       bob in #tea: it is hot
    bob to you: psst               bob (edited): hallo

Nothing else that is printed has this form, so nobody can say what looks like a message of the program.
"""

from __future__ import annotations

from chatroom.moments import LocalTime, local_time
from views.item import Item
from views.sanitize import one_line, sanitize

LINE_END = "\u23ce"
"""Stands for a line end inside of what somebody said."""


def spoken_item(item: Item, under: str = "") -> str:
    """The item for an event as one line. under: as in `View.event`"""
    text = item.text if item.poll is None else item.poll.line
    text = text.replace("\n", LINE_END)
    if not item.author:
        return f"in {one_line(under)}: {text}" if under else text
    name = f"{one_line(item.author)}{item.note}"
    if item.to:
        return f"{name} to {item.to}: {text}"
    if item.act:
        name += " does"
    elif item.mention:
        name += " calls you"
    return f"{name} in {one_line(under)}: {text}" if under else f"{name}: {text}"


def spoken_lines(text: str, command: str = "") -> list[str]:
    """A message of the program or the server: its lines without the blanks of a table.

    command: that it answers; it stands first
    """
    lines = [" ".join(line.split()) for line in sanitize(text).split("\n")]
    lines = [line for line in lines if line] or [""]
    return [f"{one_line(command)}: {lines[0]}", *lines[1:]] if command else lines


def spoken_time(milliseconds: int, now: int, time_of: LocalTime = local_time) -> str:
    """When something of the past was, to be put at the end of its line."""
    then = time_of(milliseconds)
    return f" ({then:%H:%M})" if then.date() == time_of(now).date() else f" ({then:%Y-%m-%d %H:%M})"
