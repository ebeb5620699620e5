"""The ports on which newcomers are admitted: `--ports any | same | LO-HI`."""

from __future__ import annotations

import errno
import random
import re
import socket
from dataclasses import dataclass
from typing import Any, Final

from chatroom.errors import ConfigError
from chatroom.limits import LOWEST_PORT
from server.limits import LISTEN_BACKLOG

_PORT: Final = re.compile("[0-9]{1,5}")


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
        low, _, high = text.partition("-")
        if _PORT.fullmatch(low) and _PORT.fullmatch(high) and LOWEST_PORT <= int(low) <= int(high) <= 65535:
            return cls(int(low), int(high))
        raise ConfigError(
            f"--ports {text}: must be any, same or LO-HI with ports from {LOWEST_PORT} to 65535"
        )

    def listen(self, family: int, host: tuple[Any, ...]) -> socket.socket:
        """A socket that listens at the host of a socket address, on a port of the range.

        family, host: the address family and the whole address, since a link-local one needs its interface;
                      its port is of no importance
        Raises OSError, with a text for a person.
        """
        wanted = list(range(self.low, self.high + 1))
        random.shuffle(wanted)  # in order, each admission would try the ports that others have just taken
        for port in wanted:
            try:
                return _listen(family, (host[0], port, *host[2:]))
            except OSError as error:
                last = error
                if error.errno not in _OF_ONE_PORT:
                    break
        if last.errno in _OF_ONE_PORT and self.low:
            raise OSError(f"no port of {self.low}-{self.high} is free: {last.strerror}") from last
        raise OSError(f"no port can be opened: {last.strerror}") from last


_OF_ONE_PORT = (errno.EADDRINUSE, errno.EACCES)
"""With these another port may do: it is in use, or the system keeps it for itself. Any other error is the
same for every port."""


def _listen(family: int, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if address[
            1
        ]:  # not for port 0: with SO_REUSEADDR the kernel searches half of the ports first, and longer
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(LISTEN_BACKLOG)  # strangers must not fill it: then the owner would wait a second
    except OSError:
        listener.close()
        raise
    return listener
