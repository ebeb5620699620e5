"""The resume state: what a client must remember to go on after a lost connection."""

from __future__ import annotations

from threading import Lock
from typing import Final

from chatroom.errors import NameRefused
from chatroom.names import check_channel, check_name
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Resumed, Welcome
from client.handshaking import Wish
from client.limits import MOST_LINES

ANEW: Final = (Resumed.OTHER_HISTORY, Resumed.RESTORED)
"""With these the seqs, times and persons that the client knows mean nothing any more."""


class ResumeState:
    """Who the client is to the server, and up to where its user has been given the events.

    lines: how many of the latest lines to ask for at the first connection
    """

    def __init__(self, name: str, channel: str, lines: int) -> None:
        self._lines = lines
        # Guards _name, _channel and _token.
        self._lock = Lock()
        self._name = name
        self._channel = _as_written(channel)
        self._token = NO_TOKEN
        # Confined to the connection thread; during a connection, to the thread whose turn it is:
        self.seen = 0  # all events up to this seq are in the inbox
        self._time = 0  # of the event `seen`
        self._identity = NO_IDENTITY  # of the history that `seen` belongs to
        self.live = False  # whether a replay was complete once
        self.exact = False  # no event since the last LIVE was left out
        self._person = 0
        self._persons: set[int] = set()  # _person, and those that it was since the last LIVE

    @property
    def name(self) -> str:
        with self._lock:
            return self._name

    @property
    def channel(self) -> str:
        with self._lock:
            return self._channel

    def rename(self, name: str) -> None:
        """Take another name."""
        with self._lock:
            self._name = name

    def wish(self) -> Wish:
        """What to ask the server for. Raises NameRefused for a name or channel that cannot be."""
        with self._lock:
            name, channel, token = check_name(self._name), check_channel(self._channel), self._token
        # A client that comes back wants all it has missed: also when it has seen no event yet, and when the
        # server has another history meanwhile.
        lines = MOST_LINES if self.live else self._lines
        identity = self._identity if self.seen else NO_IDENTITY
        return Wish(name, token, (channel,), self.seen, self._time, identity, lines)

    # --- what the server gives: the connection thread, or the thread whose turn it is -------------------

    def welcome(self, welcome: Welcome) -> None:
        """Take what WELCOME gave."""
        with self._lock:
            self._name, self._token = welcome.name, welcome.token
        if welcome.resumed is not Resumed.EXACT:
            self.exact = False
        if welcome.resumed in ANEW:
            self.seen = self._time = 0
            self._persons.clear()
        self._identity = welcome.identity
        self._person = welcome.person
        self._persons.add(welcome.person)

    def enter(self, channel: str) -> bool:
        """Take the server's way of writing the channel that was asked for; whether it is that one."""
        with self._lock:
            own = self._channel
        if _as_written(channel) != _as_written(own):
            return False
        with self._lock:
            self._channel = channel
        return True

    def caught_up(self) -> None:
        """A replay is complete."""
        self.live = self.exact = True
        self._persons = {self._person}

    def move(self, seq: int, time: int) -> None:
        """All events up to `seq`, of this time, are in the inbox."""
        if seq > self.seen:
            self.seen, self._time = seq, time

    def is_own(self, person: int) -> bool:
        """Whether the client is this person, or was it in the session before."""
        return person in self._persons


def _as_written(channel: str) -> str:
    """The channel as servers write it: lines must name it so. One that cannot be is left as it is."""
    try:
        return check_channel(channel)
    except NameRefused:
        return channel
