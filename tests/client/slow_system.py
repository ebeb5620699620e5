"""A system whose name servers do not answer until the test says so."""

from __future__ import annotations

import socket
import threading
from typing import Self
from unittest import mock

from tests.support.patience import PATIENCE

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 5050))]


class SlowSystem:
    """In its block, each host has the address of FOUND, or is unknown.

    asked:   the hosts, in order
    answers: to be set by the test; the end of the block sets it, too
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = threading.Event()
        self.unknown = False
        self._patch = mock.patch.object(socket, "getaddrinfo", self._getaddrinfo)

    def __enter__(self) -> Self:
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.set()
        self._patch.stop()

    def _getaddrinfo(self, host: str, port: int, type: int = 0, flags: int = 0) -> object:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        self.asked.append(host)
        assert self.answers.wait(PATIENCE)
        if self.unknown:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return FOUND
