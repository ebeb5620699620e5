"""A view in which one text stands in every place that another user, or a server, can fill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count

from chatroom.events import BAN_LIST, Event, EventKind, Extra, extra_row
from views import Depth, Repaint, Status, View
from views.limits import PASTE_LINES, RUN_SECONDS

_BOB, _EVE = 2, 3


def utc(milliseconds: int) -> datetime:
    """Times as in Greenwich."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def frames(text: str, columns: int = 40, lines: int = 12, repaint: Repaint = "around") -> Iterator[str]:
    """What the view writes while the text comes to all places, one after the other, and when the user leaves.

    Nothing is answered, and the half-typed line goes on, as a user's would.
    """
    view = View(
        columns,
        lines,
        name="ann",
        depth=Depth.MANY,
        repaint=repaint,
        commands=["/help", "/hold"],
        today=date(1970, 1, 1),
        time_of=utc,
    )
    clock = count(1)
    for place in _PLACES:
        place(view, text)
        while view.wait(now := float(next(clock))) is not None:  # a long text takes several frames
            yield view.tick(now)
    yield view.leave(float(next(clock)))


def _event(kind: EventKind, text: str, extra: bytes = b"", said: str | None = None, seq: int = 1) -> Event:
    """Author and channel are the text, and so is what is said, if it is nothing else."""
    return Event(seq, 0, kind, text, text, text if said is None else said, 0, _BOB, 1, extra)


def _whom(text: str) -> bytes:
    """An extra that names a person by this text."""
    name = text.encode()[:255].decode(errors="ignore")
    return (
        extra_row(Extra.LIST, BAN_LIST, 1)
        + extra_row(Extra.TARGET, _EVE, 4)
        + extra_row(Extra.TARGET_NAME, name)
        + extra_row(Extra.WHOM, name)
        + extra_row(Extra.FROM, name)
        + extra_row(Extra.UNTIL, 3_600_000)
    )


def _say(view: View, text: str) -> None:
    """Author, channel, and what is said: in events of all kinds, in the history of another channel."""
    line = _event(EventKind.SAID, text)
    for kind in EventKind:
        if kind is not EventKind.ERASED:
            view.event(_event(kind, text))
            view.event(_event(kind, text, _whom(text)), line, text)
            view.event(_event(kind, text, said=""))


def _fold(view: View, text: str) -> None:
    """The names of those who come and go, are banned and raise a hand, in one row."""
    begin = int(RUN_SECONDS * 10_000)
    for number in range(9):
        for kind in (EventKind.JOINED, EventKind.HAND, EventKind.LISTED):
            name = f"{text}{number}"
            view.event(Event(number, begin, kind, "#general", name, text, 0, 10 + number, 1, _whom(name)))


def _poll(view: View, text: str) -> None:
    """A question and its options, and their result."""
    poll = " | ".join([text] * 4)
    votes = extra_row(Extra.VOTES, b"\0\1\0\2\0\3")
    view.event(_event(EventKind.POLL, text, said=poll))
    view.event(_event(EventKind.REVEALED, text, votes, poll))


def _answer(view: View, text: str) -> None:
    """What the server answers: one line, a table, and what /grep has found; what the program tells."""
    view.system(text, 0)
    view.system("\n".join(f"{text}  {text * number}" for number in range(1, 5)))
    view.event(_event(EventKind.SAID, text, extra_row(Extra.EDITED, 2)), None, text)
    view.rule(text)
    view.missed(gap=True)


def _be_long(view: View, text: str) -> None:
    """A text that is cut, and all of it."""
    view.event(_event(EventKind.SAID, text, said=f"{text}\n" * 99))
    view.show(None)


def _stand_below(view: View, text: str) -> None:
    """The status, lines that are not stored yet, and the name in the prompt."""
    view.status(Status(text, text, True))
    view.pending([text] * 9)
    view.identity(text)


def _complete(view: View, text: str) -> None:
    """What Tab goes through: names, commands and channels that others have chosen."""
    names = [f"zz{text}{number}" for number in range(9)]
    view.members(1, names)
    view.completer.learn([f"/h{text}{number}" for number in range(9)])
    view.completer.learn_channels([f"#zz{text}", f"#zz{text}2"])
    for typed in (b"zz\t", b"\x15/h\t\t", b"\x15/go #\t", b"\x15"):
        _press(view, typed)


def _type(view: View, text: str) -> None:
    """What the user pastes, sends, and looks for: a long text is a mark."""
    data = text.encode("utf-8", "replace")
    _paste(view, data)
    _press(view, b"\r")
    _paste(view, (data + b"\n") * (PASTE_LINES + 1))
    _press(view, b"\x0f\x12")
    _paste(view, data)


def _ask(view: View, text: str) -> None:
    """A question in place of the line."""
    _press(view, b"\x07\x15")
    view.ask(text)


def _go_on(view: View, text: str) -> None:
    """Another channel, and a half-typed line."""
    _press(view, b"\r")
    view.clear()
    view.event(_event(EventKind.SAID, text))
    _paste(view, text.encode("utf-8", "replace"))


def _paste(view: View, data: bytes) -> None:
    _press(view, b"\x1b[200~" + data + b"\x1b[201~")


def _press(view: View, data: bytes) -> None:
    for _ in view.keys(data, 0.0):
        pass


_PLACES = (_say, _fold, _poll, _answer, _be_long, _stand_below, _complete, _type, _ask, _go_on)
