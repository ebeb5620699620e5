"""The client of the chat: `from client import Client`. `python -m client` is a program that uses it."""

from chatroom.errors import (
    ChatroomError,
    Closed,
    ConfigError,
    ConnectionLost,
    NameRefused,
    ProtocolError,
    Refused,
)
from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Info, Present, Resumed
from client.client import Client
from client.pending_lines import Line
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    Missed,
    Retrying,
    Unanswered,
    Update,
)

__all__ = [
    "Answer",
    "CaughtUp",
    "Channel",
    "ChatroomError",
    "Client",
    "Closed",
    "Code",
    "ConfigError",
    "Connected",
    "ConnectionLost",
    "Disconnected",
    "Ended",
    "Event",
    "EventKind",
    "Info",
    "Interrupted",
    "Line",
    "Missed",
    "NameRefused",
    "Present",
    "ProtocolError",
    "Refused",
    "Resumed",
    "Retrying",
    "Unanswered",
    "Update",
]
