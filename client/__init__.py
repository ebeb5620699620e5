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
from chatroom.packets import Notice
from client.client import Client
from client.pending_lines import Line
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Missed,
    Retrying,
    Update,
)

__all__ = [
    "CaughtUp",
    "ChatroomError",
    "Client",
    "Closed",
    "ConfigError",
    "Connected",
    "ConnectionLost",
    "Disconnected",
    "Ended",
    "Event",
    "EventKind",
    "Line",
    "Missed",
    "NameRefused",
    "Notice",
    "ProtocolError",
    "Refused",
    "Retrying",
    "Update",
]
