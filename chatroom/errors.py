"""The error tree. Callers of the program catch `ChatroomError` or one of its subclasses.

ChatroomError
├── ProtocolError        the peer broke the protocol; only its connection ends
│   └── OldVersion       the peer speaks an older version of the protocol
├── NameRefused          a name cannot be given: bad, taken or reserved          .reason
├── Refused              the peer said STATUS FAIL or BYE                        .reason
├── ConnectionLost       the connection ended without a goodbye                  .reason
├── Closed               the object was closed and cannot be used any more
├── HistoryError         the history cannot be opened, read or written           .reason
│   └── HistoryFull      … at the moment: the disk is full or failing; trying again may help
└── ConfigError          an option, address or file given by the user is not usable
"""


class ChatroomError(Exception):
    """Base of all errors of this program. Its text is one line that a user can read."""

    @property
    def reason(self) -> str:
        """The same line, under the name that the protocol uses."""
        return str(self)


class ProtocolError(ChatroomError):
    """The peer sent bytes that the protocol does not allow at this point."""


class OldVersion(ProtocolError):
    """The peer sent a header of an older version of the protocol."""


class NameRefused(ChatroomError):
    """The name cannot be given. The text says why; the client may ask for another name."""


class Refused(ChatroomError):
    """The peer sent STATUS FAIL or BYE. The text is the peer's reason."""


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
