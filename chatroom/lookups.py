"""What a handler's thread looks up in the history before it proposes: the forwarder must not read it."""

from __future__ import annotations

from functools import partial

from chatroom.arrivals import Join, Missed
from chatroom.events import Event, Extra, extra_number
from chatroom.history import History
from chatroom.packets import Resumed


def missed(history: History, identity: bytes, join: Join) -> Missed:
    """What a newcomer is to get. identity: of the history. Raises HistoryError."""
    fresh = partial(Missed, 0, join.lines)
    if not join.since:
        return fresh(Resumed.FRESH)
    if join.identity != identity:
        return fresh(Resumed.OTHER_HISTORY)
    located = history.locate(join.since)
    if located.time and located.time == join.time:
        return Missed(join.since, 0, Resumed.EXACT)
    if parted := history.parted(join.since, join.time):  # a copy, with which a server went on
        return Missed(parted - 1, 0, Resumed.RESTORED)
    if located.time or join.since >= located.oldest:  # another event, or one that is not there yet
        return fresh(Resumed.RESTORED)
    return Missed(join.since, 0, Resumed.EXACT if join.since + 1 >= located.oldest else Resumed.GAP)


def message_at(history: History, seq: int) -> tuple[Event | None, Event | None]:
    """The message `seq` and the latest EDITED of it, as an amendment carries them. Raises HistoryError.

    Their texts are left out: they may be long, and nothing needs them.
    """
    message = history.event_at(seq)
    latest = extra_number(message.extra, Extra.EDITED) if message is not None else 0
    edit = history.event_at(latest) if latest else None
    return _without_text(message), _without_text(edit)


def _without_text(event: Event | None) -> Event | None:
    return None if event is None else event._replace(text="")
