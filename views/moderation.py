"""What those with a role do, and what a class does, in words."""

from __future__ import annotations

from typing import Final

from chatroom.events import Event, EventKind
from chatroom.moments import LocalTime, local_time, until_in_words
from views.polls import poll_of

SOMEBODY: Final = "somebody"
"""Stands where no name is told, or none is known any more."""

ERASED: Final = "this was erased"
"""Stands where something stood of a person of whom all is erased."""

_ROLES: Final = ("voice", "operator", "owner")


def describe_act(event: Event, me: str = "", time_of: LocalTime = local_time) -> str | None:
    """One of these events as a sentence; None: it is of another kind.

    me: the reader's name; empty: the sentence is for anybody
    """
    who, text = event.author, event.text
    match event.kind:
        case EventKind.KICKED:
            return f"{who} removed {whom(event, me)}{reason(event)}"
        case EventKind.LISTED:
            return _listed(event, whom(event, me), time_of)
        case EventKind.ANNOUNCED:
            return f"{who} to all: {text}"
        case EventKind.ERASED:
            return "all that one person had said is erased"
        case EventKind.HAND:
            return f"{who} took the hand down" if event.removed else f"{who} raised a hand"
        case EventKind.CALLED if not event.target:
            return "nobody has the word any more"
        case EventKind.CALLED:
            return "it is your turn to speak" if is_about(event, me) else f"{whom(event)} has the word"
        case EventKind.POLL | EventKind.REVEALED:
            return poll_of(event).line
        case EventKind.ASKED:
            return f"{SOMEBODY} asks: {text}"
        case EventKind.AUDITED:
            return f"{who or 'the server'}: {text}"
    return None


def is_about(event: Event, me: str) -> bool:
    """Whether the reader is the one whom an act concerns."""
    return bool(me) and event.target_name == me


def whom(event: Event, me: str = "") -> str:
    """Whom an act concerns."""
    name = event.target_name
    if is_about(event, me):
        return "you"
    return f"the network of {name[1:]}" if name.startswith("+") and len(name) > 1 else name or SOMEBODY


def reason(event: Event) -> str:
    """The end of a sentence that has a reason."""
    return f": {event.text}" if event.text else ""


def until_and_reason(event: Event, time_of: LocalTime = local_time) -> str:
    """The end of the sentence about an entry of a list: how long it counts, and why."""
    until = f" {until_in_words(event.time, event.until, time_of)}" if event.until else ""
    return until + reason(event)


def _listed(event: Event, name: str, time_of: LocalTime) -> str:
    who, which, everywhere = event.author or "the server", event.list, not event.place
    match which, event.removed:
        case "ban", False:
            scope = " from the chatroom" if everywhere else ""
            return f"{who} banned {name}{scope}{until_and_reason(event, time_of)}"
        case "ban", True:
            return f"{who} lifted the ban of {name}"
        case "mute", False:
            return f"{who} muted {name}{until_and_reason(event, time_of)}"
        case "mute", True:
            return f"{who} lets {name} speak again"
        case "exempt", False:
            return f"{who} exempts {name} from bans and mutes{until_and_reason(event, time_of)}"
        case "exempt", True:
            return f"{who} no longer exempts {name} from bans and mutes"
        case "invited", False:
            return f"{who} invited {name}"
        case "invited", True:
            return f"{who} took the invitation back from {name}"
    role = which if which in _ROLES else f"role {which}".rstrip()
    role += " of the chatroom" if everywhere else ""
    if event.removed:
        return f"{name} {'are' if name == 'you' else 'is'} no longer {role}"
    return f"{who} made {name} {role}"
