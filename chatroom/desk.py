"""What a command gets: who gives it, what it can read, and what the handler's thread lends to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, TypeVar

from chatroom.effects import Origin
from chatroom.events import Event
from chatroom.finding import Line, Page, Wanted
from chatroom.outcomes import Outcome
from chatroom.picture import Picture
from chatroom.proposals import Act
from chatroom.state import State

T = TypeVar("T")


class Asker(NamedTuple):
    """Who gives a command, in which channel, and on which connection."""

    person: int
    channel: str
    origin: Origin = ("", 0, 0)


class Room(NamedTuple):
    """What commands can read.

    numbers: present values of the counters and gauges, by name
    """

    state: State
    numbers: Mapping[str, object]


class Checked(NamedTuple):
    """A password was right.

    secret: what is stored of it
    known:  whether its account was used before from where it came
    """

    secret: str
    known: bool

    def __repr__(self) -> str:
        return f"Checked(known={self.known})"


class Prepared(NamedTuple):
    """An act that can be proposed.

    told: a row that the answer gets, if the act comes to be: a token or code that no entry may have
    """

    act: Act
    told: tuple[str | int, ...] = ()

    def __repr__(self) -> str:
        return f"Prepared({self.act.command})"


class Fetched(NamedTuple):
    """What a command has fetched from the history.

    packets: of the lines, in order of seq
    """

    outcome: Outcome
    packets: bytes


class Latest(NamedTuple):
    """Events of a place.

    events: in order
    more:   whether there may be earlier ones
    before: no event from this seq on is missing
    """

    events: list[Event]
    more: bool
    before: int


class Library(Protocol):
    """What the handler's thread lends to a command that fetches. Methods may wait, and raise Closed.

    find() and following() raise HistoryError. All of them together have a time limit, after which they give
    what they have found.
    """

    def read(self, look: Callable[[State], T]) -> T:
        """See `Desk.read`."""

    def now(self) -> int:
        """Milliseconds since 1970."""

    def find(self, wanted: Wanted, most: int, size: int) -> Page:
        """The latest lines that are wanted, at most `most` with `size` bytes."""

    def following(self, wanted: Wanted, most: int, size: int) -> tuple[list[Line], bool]:
        """The first lines of one place that are wanted, and whether there are more."""

    def latest(self, place: int, until: int, most: int, is_wanted: Callable[[Event], bool]) -> Latest:
        """The latest events of a place that are wanted, at most `most`, up to the seq `until`."""


class Desk(Protocol):
    """What the handler's thread lends to a command that is prepared. Methods may wait, and raise Closed."""

    def read(self, look: Callable[[State], T]) -> T:
        """What `look` finds in the state; the forwarder runs it between two rounds. It gives plain copies."""

    def random(self, size: int) -> bytes:
        """So many random bytes, which nobody guesses."""

    def now(self) -> int:
        """Milliseconds since 1970."""

    def check(self, name_key: str, password: str) -> Checked | Outcome:
        """Whether the password is that of the account; why not, or that it is not looked at now."""

    def guess(self, what: str, is_right: bool) -> Outcome | None:
        """Count a guess of something else than a password; SLOW_DOWN: it must not count at all, right or not.

        what: whose guess it is, and of what; begins with a character that no name has
        """

    def hash(self, password: str, known: bool) -> str | Outcome:
        """What is stored of a new password; or that there is no time for it now.

        known: whether the account was used before from where the command comes
        """

    def inspect(self) -> Picture | None:
        """A picture of the server's inside; None: nobody can make one."""
