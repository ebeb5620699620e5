"""Events in words."""

from __future__ import annotations

from typing import Final

from chatroom.events import (
    ERASED_NAME,
    SET_COUNTED,
    Event,
    EventKind,
    Extra,
    Setting,
    extra_number,
    extra_rows,
)
from chatroom.moments import LocalTime, local_time
from views.limits import QUOTED_CHARACTERS
from views.moderation import ERASED, describe_act
from views.sanitize import one_line

ACT: Final = 1
"""The form of a line that says what its author does: `Form.ACT` of the protocol, which views do not know."""

_AWAY: Final = "away"
"""The text of who tells none: an empty one means that somebody is back."""

_SETTINGS: Final = {
    Setting.KEYED: "key",
    Setting.INVITE_ONLY: "invite-only",
    Setting.MODERATED: "quiet",
    Setting.FROM_JOINING: "history from joining only",
    Setting.KEPT: "kept",
}

_QUIET: Final = "only operators and who has the word may speak; /hand asks for it"

_WORDS: Final[dict[int, str]] = {int(setting): words for setting, words in _SETTINGS.items()}


def is_erased(event: Event) -> bool:
    """Whether it is what is left of a line of an erased person, or has lost the name of its author."""
    if event.kind is EventKind.SAID and event.author == ERASED_NAME:
        return bool(extra_number(event.extra, Extra.DELETED))
    return bool(event.person) and not event.author


def is_said(event: Event) -> bool:
    """Whether an event shows what its author says: a line that is not deleted, or the new text of one."""
    if is_erased(event):
        return False
    if event.kind is EventKind.EDITED:
        return bool(event.text)
    return event.kind is EventKind.SAID and not extra_number(event.extra, Extra.DELETED)


def note_of(event: Event, about: Event | None) -> str:
    """What stands behind the author of a line: whether it was edited, and whom it answers."""
    notes = []
    if event.kind is EventKind.EDITED or (event.extra and extra_number(event.extra, Extra.EDITED)):
        notes.append("edited")
    if event.kind is EventKind.SAID and event.extra and extra_number(event.extra, Extra.REPLY_TO):
        notes.append(
            f"to {one_line(about.author)}" if about is not None and not is_erased(about) else "a reply"
        )
    return f" ({', '.join(notes)})" if notes else ""


def describe(event: Event, about: Event | None = None, me: str = "", time_of: LocalTime = local_time) -> str:
    """An event as a short sentence; for a line the text itself.

    about: the line that it deletes or reacts to, if that is known
    me:    the reader's name; empty: the sentence is for anybody
    """
    who, text = event.author, event.text
    if about is not None and is_erased(about):
        about = None
    if is_erased(event):
        return ERASED
    match event.kind:
        case EventKind.SAID if not is_said(event):
            return f"a line of {who} was deleted"
        case EventKind.JOINED:
            return f"{who} joined"
        case EventKind.LEFT | EventKind.QUIT:
            return f"{who} left ({text})" if text else f"{who} left"
        case EventKind.RENAMED:
            return f"{who} is now {text}"
        case EventKind.TOPIC:
            return f"{who} set the topic: {text}" if text else f"{who} removed the topic"
        case EventKind.SET:
            return _describe_settings(event)
        case EventKind.INVITED:
            whom = "you " if me and who != me else ""  # nobody else than these two is told
            return f"{who} invites {whom}to {text}: /join {text}"
        case EventKind.AWAY:
            why = "" if text == _AWAY else f": {text}"
            return f"{who} is away{why}" if text else f"{who} is back"
        case EventKind.ACCOUNT:
            return (
                f"{who} has registered the name {text}" if text else f"{who} has no registered name any more"
            )
        case EventKind.EDITED:
            return f"{who} edited a line"
        case EventKind.DELETED:
            owner = f" of {about.author}" if about is not None and about.author != who else ""
            return f"{who} deleted a line{owner}"
        case EventKind.REACTED:
            line = f"{about.author}: {quoted(about.text)}" if about is not None else "an earlier line"
            return f"{who} reacted {text} to {line}"
        case EventKind.CLOSED:
            return f"{who} closed {event.channel}" + (f": {text}" if text else "")
        case EventKind.MOVED:
            return f"{who} renamed {event.channel} to {text}"
        case EventKind.RESTARTED:
            return "the server was restarted"
        case _:
            act = describe_act(event, me, time_of)
            return text if act is None else act


def _describe_settings(event: Event) -> str:
    if event.extra == SET_COUNTED:
        return f"{event.channel} is large: from now on its members are only counted; see /who"
    rows = extra_rows(event.extra)
    if [*rows] == [Setting.MODERATED]:
        if not any(rows[Setting.MODERATED]):
            return f"{event.author} lets everybody speak again in {event.channel}"
        return f"{event.author} made {event.channel} quiet: {_QUIET}"
    changed = [
        f"{words} {'on' if any(value) else 'off'}"
        for key, value in rows.items()
        if (words := _WORDS.get(key))
    ]
    if Setting.SLOW in rows:
        seconds = int.from_bytes(rows[Setting.SLOW][:2], "big")
        changed.append(f"slow, one line in {seconds} s" if seconds else "slow off")
    if not changed:
        return f"the settings of {event.channel} have changed"
    return f"{event.author} set {event.channel}: {', '.join(changed)}"


def quoted(text: str) -> str:
    """The beginning of a line, on one row."""
    text = one_line(text)
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}\u2026"
