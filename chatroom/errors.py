"""The error tree. Whoever calls into the program catches `ChatroomError` or one of its leaves.

ChatroomError
├── ProtocolError        the peer broke the protocol; only its connection ends
├── NameRefused          a name cannot be given: bad, taken or reserved          .reason
├── Refused              the other side said STATUS FAIL or BYE                  .reason
├── ConnectionLost       the connection ended without a goodbye                  .reason
├── Closed               the object was closed; nothing more can be done with it
├── HistoryError         the history cannot be opened, read or written           .reason
│   └── HistoryFull      … for now: the disk is full or failing; trying again may help
└── ConfigError          a value from outside (option, address) is not usable
"""


class ChatroomError(Exception):
    """Base of all errors of this program; its text is one line for a person."""

    @property
    def reason(self) -> str:
        """The same line, under the name that the protocol uses."""
        return str(self)


class ProtocolError(ChatroomError):
    """The peer sent bytes that the protocol does not allow at this point."""


class NameRefused(ChatroomError):
    """The name cannot be given; the text says why and the asker may try another."""


class Refused(ChatroomError):
    """The other side said no (STATUS FAIL) or goodbye (BYE), with the reason that it gave."""


class ConnectionLost(ChatroomError):
    """The connection ended without a goodbye, or the peer was silent for too long."""


class Closed(ChatroomError):
    """The queue, chatroom or client was closed."""


class HistoryError(ChatroomError):
    """The history cannot be opened, read or written, and trying again will not help."""


class HistoryFull(HistoryError):
    """The history cannot be written at the moment (disk full, I/O error); trying again may help."""


class ConfigError(ChatroomError):
    """An option, address or file given by the user is not usable."""
