"""An act: a command that changes the state, as data. The tables of all acts are joined in chatroom/acts.py.

An act's arguments are plain data that the proposer has made: secrets (hashes) instead of passwords, tokens
and codes, keys instead of names. Their types and lengths are checked here again: no entry may end the server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from chatroom.accounts import Accounts
from chatroom.amendments import Amendments
from chatroom.channels import Channels
from chatroom.classroom import Classroom
from chatroom.codes import Codes
from chatroom.conversations import Conversations
from chatroom.direct import Direct
from chatroom.erasing import Erasing
from chatroom.guard import Guard
from chatroom.holders import Holders
from chatroom.ledger import Ledger
from chatroom.limits import MAX_LABEL, MAX_NUMBER, MAX_SECRET, NAME_BYTES
from chatroom.moderation import Moderation
from chatroom.outcomes import Outcome
from chatroom.packets import Role
from chatroom.people import People
from chatroom.places import Channel
from chatroom.reading import Reading
from chatroom.rights import Rights
from chatroom.sessions import Sessions
from chatroom.speaking import Speaking
from chatroom.speech_pace import SpeechPace


class Parts(NamedTuple):
    """The parts of the state that acts change."""

    ledger: Ledger
    holders: Holders
    channels: Channels
    accounts: Accounts
    rights: Rights
    codes: Codes
    sessions: Sessions
    direct: Direct
    people: People
    reading: Reading
    guard: Guard
    moderation: Moderation
    pace: SpeechPace
    speaking: Speaking
    classroom: Classroom
    conversations: Conversations
    amendments: Amendments
    erasing: Erasing


class Text(NamedTuple):
    """An argument that is text of so many bytes."""

    most: int
    least: int = 1

    def takes(self, value: object) -> bool:
        """Whether the value is such an argument."""
        if not isinstance(value, str):
            return False
        try:
            return self.least <= len(value.encode()) <= self.most
        except UnicodeEncodeError:  # half a character: nothing could store it, or send it
            return False


class Number(NamedTuple):
    """An argument that is a number from 0 on."""

    most: int = MAX_NUMBER

    def takes(self, value: object) -> bool:
        """Whether the value is such an argument."""
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= self.most


SECRET: Final = Text(MAX_SECRET)
KEY: Final = Text(16 * NAME_BYTES)  # a key may be longer than its name
LABEL: Final = Text(MAX_LABEL)


class Where(StrEnum):
    """In which place a command acts, and its role is needed."""

    CHATROOM = "chatroom"
    CHANNEL = "channel"  # that in which it is given; who gives it has to be in, or be its operator
    PLACE = "place"  # likewise, or EVERYWHERE: the whole chatroom


class Scene(NamedTuple):
    """Where an act with Where.PLACE acts.

    place:   its number
    name:    of the channel, or EVERYWHERE
    channel: None: in the whole chatroom
    """

    place: int
    name: str
    channel: Channel | None


class Guarded(Protocol):
    """What not everybody may."""

    @property
    def needs(self) -> Role:
        """The least role."""

    @property
    def login(self) -> bool:
        """Whether only members with an account may."""

    @property
    def where(self) -> Where:
        """In which place."""


@dataclass(frozen=True)
class ActCommand:
    """An act.

    needs: the least role
    login: whether only members with an account may
    takes: its arguments
    run:   changes the state, or refuses and changes nothing. Gets the parts of the state, the session, the
           `Channel` or `Scene` if it acts in one, and the arguments, which are as they must be
    where: in which place the role is needed
    """

    needs: Role
    login: bool
    takes: tuple[Text | Number, ...]
    run: Callable[..., Outcome]
    where: Where = Where.CHATROOM

    def fits(self, arguments: tuple[str | int, ...]) -> bool:
        """Whether the arguments are as they must be."""
        return len(arguments) == len(self.takes) and all(
            kind.takes(value) for kind, value in zip(self.takes, arguments, strict=True)
        )
