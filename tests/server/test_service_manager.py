"""server/service_manager.py"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.service_manager import ServiceManager


class Listener:
    """A service manager, as far as the socket goes."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self.socket.settimeout(10.0)

    def told(self) -> list[str]:
        """The lines of the next datagram."""
        return self.socket.recv(4096).decode().split("\n")


@pytest.fixture(params=["file", "abstract"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Listener]]:
    path = str(tmp_path / "notify") if request.param == "file" else f"@chatroom-test-{os.getpid()}"
    listener = Listener(path)
    yield path, listener
    listener.socket.close()


def test_what_it_is_told(place: tuple[str, Listener]) -> None:
    """As systemd's manual says, to a socket in a folder and to an abstract one."""
    path, listener = place
    manager = ServiceManager({"NOTIFY_SOCKET": path})
    manager.ready("listening on 127.0.0.1:5050")
    assert listener.told() == ["READY=1", "STATUS=listening on 127.0.0.1:5050"]
    manager.reloading()
    first, second = listener.told()
    assert first == "RELOADING=1" and second.startswith("MONOTONIC_USEC=") and second[15:].isdecimal()
    manager.alive()
    assert listener.told() == ["WATCHDOG=1"]
    manager.stopping()
    assert listener.told() == ["STOPPING=1"]


@pytest.mark.parametrize("path", [None, "/nowhere/at/all", "relative", ""])
def test_nobody_is_there(path: str | None) -> None:
    """Then nobody is told anything, and nothing fails."""
    manager = ServiceManager({} if path is None else {"NOTIFY_SOCKET": path})
    manager.ready("x")
    manager.stopping()


def test_a_manager_that_does_not_read(tmp_path: Path) -> None:
    """Nobody waits for it."""
    listener = Listener(str(tmp_path / "notify"))
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    for _ in range(2000):
        manager.alive()
    listener.socket.close()


@pytest.mark.parametrize(
    ("environment", "every"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
    ],
)
def test_the_watchdog(environment: dict[str, str], every: float | None) -> None:
    """Twice as often as it must be; not for another process."""
    assert ServiceManager({"NOTIFY_SOCKET": "/x", **environment}).alive_every == every
    assert ServiceManager(environment).alive_every is None
