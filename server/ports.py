"""The ports on which newcomers are admitted: `--ports any | same | LO-HI`."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass

from chatroom.errors import ConfigError
from server.limits import LISTEN_BACKLOG


@dataclass(frozen=True)
class Ports:
    """The ports for admissions.

    low, high: the range, both ends included; 0 and 0: the system chooses
    same:      no new port: members stay on the lobby's connection (for containers and firewalls)
    """

    low: int = 0
    high: int = 0
    same: bool = False

    @classmethod
    def parse(cls, text: str) -> Ports:
        """From the option's text. Raises ConfigError."""
        if text == "any":
            return cls()
        if text == "same":
            return cls(same=True)
        low, dash, high = text.partition("-")
        if dash and low.isdecimal() and high.isdecimal() and 0 < int(low) <= int(high) <= 65535:
            return cls(int(low), int(high))
        raise ConfigError(f"--ports {text}: must be any, same or LO-HI with ports from 1 to 65535")

    def listen(self, family: int, host: str) -> socket.socket:
        """A socket that listens at `host`, on a port of the range. family: the address family of `host`.

        Raises OSError when no port is free.
        """
        wanted = list(range(self.low, self.high + 1))
        random.shuffle(wanted)  # in order, each admission would try the ports that others have just taken
        last: OSError | None = None
        for port in wanted:
            try:
                return _listen(family, host, port)
            except OSError as error:
                last = error
        reason = last.strerror if last else "an empty range"
        raise OSError(f"no port of {self.low}-{self.high} is free: {reason}") from last


def _listen(family: int, host: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if port:  # not for port 0: with SO_REUSEADDR the kernel searches half of the ports first, and longer
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(LISTEN_BACKLOG)  # strangers must not fill it: then the owner would wait a second
    except OSError:
        listener.close()
        raise
    return listener
