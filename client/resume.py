"""The resume state: what a client must remember to go on after a lost connection."""

from __future__ import annotations

from threading import Lock

from chatroom.names import check_channel, check_name
from chatroom.packets import NO_TOKEN, Welcome
from client.handshaking import Wish
from client.limits import MOST_LINES


class ResumeState:
    """Who the client is to the server, and up to where its user has been given the events.

    lines: how many of the latest lines to ask for at the first connection
    """

    def __init__(self, name: str, channel: str, lines: int) -> None:
        self._lines = lines
        # Guards _name, _channel and _token.
        self._lock = Lock()
        self._name = name
        self._channel = channel
        self._token = NO_TOKEN
        # Confined to the connection thread; during a connection, to the thread whose turn it is:
        self.seen = 0  # all events up to this seq are in the inbox
        self.live = False  # whether a replay was complete once

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
            name, channel, token = self._name, self._channel, self._token
        # A client that comes back wants all it has missed. That also holds when it has seen no event yet.
        lines = MOST_LINES if self.live else self._lines
        return Wish(check_name(name), token, check_channel(channel), self.seen, lines)

    def welcome(self, welcome: Welcome) -> None:
        """Take what WELCOME gave."""
        with self._lock:
            self._name, self._channel, self._token = welcome.name, welcome.channel, welcome.token
        # A shorter history than the one seen so far is another history: go on from its end.
        self.seen = min(self.seen, welcome.head)
