"""The resume state: what a client must remember to go on after a lost connection."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Final

from chatroom.errors import NameRefused
from chatroom.limits import MAX_CHANNELS
from chatroom.names import check_channel, check_name
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Resumed, Welcome
from client.handshaking import Wish
from client.limits import MOST_LINES
from client.since import Since

ANEW: Final = (Resumed.OTHER_HISTORY, Resumed.RESTORED)
"""With these the seqs, times and persons that the client knows mean nothing any more."""


class ResumeState:
    """Who the client is to the server, and up to where its user has been given the events.

    channels: those to join, at least one
    lines:    how many of the latest lines to ask for at the first connection
    since:    the user was given all up to here by an earlier program; None: nothing
    Raises ConfigError for a `since` that cannot be.
    """

    def __init__(self, name: str, channels: Sequence[str], lines: int, since: Since | None = None) -> None:
        self.asked = tuple(dict.fromkeys(map(as_written, channels)))
        self._lines = lines
        # Guards _name, _channel, _wanted, _token and _identity.
        self._lock = Lock()
        self._name = name
        self._wanted = list(self.asked)  # what it asks for, and what it has joined since
        self._channel = self.asked[0]
        self._token = NO_TOKEN
        # Of the history that `seen` belongs to:
        self._identity = since.identity() if since is not None else NO_IDENTITY
        # Confined to the connection thread; during a connection, to the thread whose turn it is:
        self.seen = since.seq if since is not None else 0  # all events up to this seq are in the inbox
        self._time = since.time if since is not None else 0  # of the event `seen`
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
        """Where lines go that name no channel."""
        with self._lock:
            return self._channel

    @channel.setter
    def channel(self, channel: str) -> None:
        with self._lock:
            self._channel = channel

    def rename(self, name: str) -> None:
        """Take another name."""
        with self._lock:
            self._name = name

    @property
    def identity(self) -> bytes:
        """The identity of the history that WELCOME named."""
        with self._lock:
            return self._identity

    def wish(self, lasting: bool = False) -> Wish:
        """What to ask the server for. Raises NameRefused for a name or channel that cannot be.

        lasting: the server keeps the person in its channels, so that only those must be asked for that the
                 client was made for: the person may have left others meanwhile
        """
        with self._lock:
            name, token = check_name(self._name), self._token
            wanted = [each for each in self._wanted if not lasting or as_written(each) in self.asked]
        channels = tuple(check_channel(each) for each in wanted or self.asked[:1])
        # A client that comes back wants all it has missed: also when it has seen no event yet, and when the
        # server has another history meanwhile.
        lines = MOST_LINES if self.live else self._lines
        identity = self.identity if self.seen else NO_IDENTITY
        return Wish(name, token, channels, self.seen, self._time, identity, lines)

    # --- what the server gives: the connection thread, or the thread whose turn it is -------------------

    def welcome(self, welcome: Welcome) -> bool:
        """Take what WELCOME gave; whether the session is the same as before."""
        with self._lock:
            same = self._token == welcome.token
            self._name, self._token = welcome.name, welcome.token
            self._identity = welcome.identity
        if welcome.resumed is not Resumed.EXACT:
            self.exact = False
        if welcome.resumed in ANEW:
            self.seen = self._time = 0
            self._persons.clear()
        self._person = welcome.person
        self._persons.add(welcome.person)
        return same

    def enter(self, channel: str) -> None:
        """The person is in a channel, whose name is written so: the client wants it from now on."""
        if not _is_channel(channel):
            return
        key = as_written(channel)
        with self._lock:
            places = [at for at, each in enumerate(self._wanted) if as_written(each) == key]
            if places:
                self._wanted[places[0]] = channel
            elif len(self._wanted) < MAX_CHANNELS:
                self._wanted.append(channel)
            if as_written(self._channel) == key:
                self._channel = channel

    def moved(self, before: str, after: str) -> None:
        """A place has another name. after: empty: the person is not in it any more

        Lines for it are refused then. They must not go to another channel: others would read them.
        """
        with self._lock:
            if _is_channel(after):
                self._wanted = [after if each == before else each for each in self._wanted]
            else:
                self._wanted = [each for each in self._wanted if each != before]
            if after and self._channel == before:
                self._channel = after

    def only_asked(self) -> bool:
        """A channel is closed to the client: ask only for those it was made for; whether that is fewer."""
        with self._lock:
            fewer = [each for each in self._wanted if as_written(each) in self.asked]
            changed = bool(fewer) and fewer != self._wanted
            self._wanted = fewer or list(self.asked)
            return changed

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


def as_written(channel: str) -> str:
    """The channel as servers write it: lines must name it so. One that cannot be is left as it is."""
    try:
        return check_channel(channel)
    except NameRefused:
        return channel


def _is_channel(name: str) -> bool:
    """Whether it can be asked for: a server may call a place anything."""
    try:
        check_channel(name)
    except NameRefused:
        return False
    return True
