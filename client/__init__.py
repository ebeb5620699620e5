"""The client of the chat: `from client import Client`. `python -m client` is a program that uses it."""

from chatroom.errors import (
    BadName,
    BadPassword,
    CertificateFault,
    CertificateRefused,
    ChatroomError,
    Closed,
    ConfigError,
    ConnectionLost,
    NameHeld,
    NameRefused,
    NameTaken,
    NeedEncryption,
    NeedLogin,
    ProtocolError,
    Refused,
)
from chatroom.events import Event, EventKind, Setting
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Form, Info, Present, Resumed, Role
from client.client import Client
from client.line import Line
from client.program import as_program
from client.requests import Answered
from client.rooms import Room
from client.since import Since
from client.talking import Listing, Member
from client.tls import TlsOptions
from client.tokens import TokenFile
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    LoggedIn,
    Missed,
    NotLoggedIn,
    Past,
    Retrying,
    Unanswered,
    Update,
)

__all__ = [
    "Answer",
    "Answered",
    "BadName",
    "BadPassword",
    "CaughtUp",
    "CertificateFault",
    "CertificateRefused",
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
    "Form",
    "Info",
    "Interrupted",
    "Line",
    "Listing",
    "LoggedIn",
    "Member",
    "Missed",
    "NameHeld",
    "NameRefused",
    "NameTaken",
    "NeedEncryption",
    "NeedLogin",
    "NotLoggedIn",
    "Past",
    "Present",
    "ProtocolError",
    "Refused",
    "Resumed",
    "Retrying",
    "Role",
    "Room",
    "Setting",
    "Since",
    "TlsOptions",
    "TokenFile",
    "Unanswered",
    "Update",
    "as_program",
]
