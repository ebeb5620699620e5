"""The error tree. Callers of the program catch `ChatroomError` or one of its subclasses.

ChatroomError
├── ProtocolError        the peer broke the protocol; only its connection ends
│   └── OldVersion       the peer speaks an older version of the protocol
├── NameRefused          the name that was asked for is not given                .reason .code
│   ├── BadName          it cannot be a name, or nobody may have it
│   ├── NameTaken        somebody else has it, or one that looks like it
│   ├── NameHeld         its owner's connection was lost, and it may come back
│   ├── NeedLogin        it belongs to an account: a password or device token is needed
│   ├── BadPassword      wrong name, password or device token; which one is not said
│   ├── BadKey           the server has a password, and none was shown, or another one
│   └── NeedEncryption   a password or device token must not go over this connection
├── Refused              the peer said STATUS FAIL or BYE                        .reason
├── ConnectionLost       the connection ended without a goodbye                  .reason .plain
│   └── CertificateRefused   … because the server's certificate is not the right one; trying again is no use
├── Closed               the object was closed and cannot be used any more
├── HistoryError         the history cannot be opened, read or written           .reason
│   ├── HistoryFull      … at the moment: the disk is full or failing; trying again may help
│   └── HistoryDamaged   … because its file is damaged
└── ConfigError          an option, address or file given by the user is not usable
"""

from enum import Enum

from chatroom.outcomes import Code


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
    """The name is not given. The text says why; the client may ask for another name, or with a password.

    code: for programs; each code that has a subclass below is raised as that one by a client
    """

    def __init__(self, text: str, code: Code = Code.BAD_NAME) -> None:
        super().__init__(text)
        self.code = code


class BadName(NameRefused):
    """The name breaks the rules for names, or nobody may have it."""


class NameTaken(NameRefused):
    """Somebody else has the name, or one that looks like it."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Code.NAME_TAKEN)


class NameHeld(NameRefused):
    """The owner of the name has lost the connection and may come back."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Code.NAME_HELD)


class NeedLogin(NameRefused):
    """The name belongs to an account: its password or a device token is needed."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Code.NEED_LOGIN)


class BadPassword(NameRefused):
    """The name, the password or the device token is wrong. Nobody is told which of them."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Code.BAD_PASSWORD)


class BadKey(NameRefused):
    """The server has a password, and the client has shown none, or another one."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Code.BAD_KEY)


class NeedEncryption(NameRefused):
    """A password or device token must not go over a connection that everybody on the way can read."""

    def __init__(self, text: str) -> None:
        super().__init__(text, Code.NEED_ENCRYPTION)


class Refused(ChatroomError):
    """The peer sent STATUS FAIL or BYE, or it is to get one. The text is the reason.

    code: for programs
    rows: what is known beside it, for words that persons understand
    """

    def __init__(self, text: str, code: int = Code.UNAVAILABLE, rows: tuple[object, ...] = ()) -> None:
        super().__init__(text)
        self.code, self.rows = code, rows


class ConnectionLost(ChatroomError):
    """The connection ended without a goodbye, or the peer was silent for too long.

    plain:  the same without the system's words, for the others in the chat, who know nothing of sockets
    logged: the same for the log, without what an operator wrote
    """

    def __init__(self, text: str, plain: str = "", logged: str = "") -> None:
        super().__init__(text)
        self.plain = plain or text
        self.logged = logged or text


class CertificateFault(Enum):
    """What is wrong with the certificate of a server."""

    UNKNOWN = "unknown"  # no authority that the client knows has signed it
    WRONG_HOST = "wrong host"
    EXPIRED = "expired"  # or not valid yet
    CHANGED = "changed"  # it is another one than before
    OTHER = "other"


class CertificateRefused(ConnectionLost):
    """The server may be another one than it should be: the client has said nothing to it.

    code: for programs
    """

    def __init__(self, text: str, code: CertificateFault) -> None:
        super().__init__(text)
        self.code = code


class Closed(ChatroomError):
    """The queue, chatroom or client was closed."""


class HistoryError(ChatroomError):
    """The history cannot be opened, read or written, and trying again will not help."""


class HistoryFull(HistoryError):
    """The history cannot be written at the moment (disk full, I/O error); trying again may help."""


class HistoryDamaged(HistoryError):
    """The file of the history is damaged: it is cut off, or not what a server has written."""


class ConfigError(ChatroomError):
    """An option, address or file given by the user is not usable."""
