"""Outcomes: what became of a proposal. A code and rows of data; each door finds its own words for them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

GUEST: Final = "guest"
"""The fourth row of OK to a ban or mute: it means a guest, who can come back under another name."""

GUARD: Final = "guard"
"""The row behind GUEST, if who asks may also close the door to strangers."""

NO_TIME: Final = "no time"
"""The first row of BAD_ARGUMENTS: a kick has none. The others: the name, the seconds, the place's name.

The third row of OK to a kick: its reason begins with a number, as if that were a time.
"""


class Code(IntEnum):
    """What became of a proposal, or why a connection ends. The numbers are part of the protocol.

    A new code may be added; none is changed. Codes that nothing gives yet are listed, so that their numbers
    are not used for something else.
    """

    OK = 0
    ALREADY = 1  # it was so before: nothing has changed
    # What was asked for does not exist, or is not written as it must be.
    NOT_IN = 10
    NO_SUCH_CHANNEL = 11
    NO_SUCH_NAME = 12
    NO_SUCH_COMMAND = 13
    NO_SUCH_MESSAGE = 14
    BAD_ARGUMENTS = 15
    # The one who asks may not.
    NEED_ROLE = 20
    NEED_LOGIN = 21
    NEED_ENCRYPTION = 22
    BAD_PASSWORD = 23
    BANNED = 24
    MUTED = 25
    INVITE_ONLY = 26
    BAD_KEY = 27
    # There is a limit.
    FULL = 30
    SLOW_DOWN = 31
    TOO_LONG = 32
    TOO_MANY = 33
    TOO_LATE = 34
    # Names.
    BAD_NAME = 40
    NAME_TAKEN = 41
    NAME_HELD = 42  # its owner's connection was lost, and it may come back
    # The server cannot.
    UNAVAILABLE = 50
    # The end of a connection.
    BAD_VERSION = 60
    PROTOCOL_ERROR = 61
    EXPIRED = 62
    TAKEN_OVER = 63
    STOPPING = 64
    TOO_SLOW = 65
    SILENT = 66
    KICKED = 67
    GOODBYE = 68

    @property
    def words(self) -> str:
        """The name in lower case, where there are no better words: `taken over`, …"""
        return self.name.lower().replace("_", " ")


class Outcome(NamedTuple):
    """What became of one proposal or question.

    code: of the protocol
    rows: what a command found out: lists of numbers, texts and further lists, as JSON has them
    """

    code: Code
    rows: tuple[object, ...] = ()


RETURNING = frozenset(
    {Code.FULL, Code.SLOW_DOWN, Code.TOO_MANY}
    | {Code.UNAVAILABLE, Code.EXPIRED, Code.STOPPING, Code.TOO_SLOW, Code.SILENT}
)
"""A client whose connection ended for one of these reasons may come back by itself."""
