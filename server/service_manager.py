"""What the server tells the program that runs it as a service (systemd's sd_notify): datagrams to a socket.

The protocol is that of `man sd_notify`: lines of NAME=VALUE to the socket that $NOTIFY_SOCKET names. Without
that variable nobody is told anything.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

from server.limits import STATUS_CHARACTERS

_ABSTRACT: Final = "@"  # begins the name of a Linux socket that is in no folder


class ServiceManager:
    """Confined to the main thread.

    environment: of the process

    alive_every: seconds after which alive() is due again; None: nobody waits for it
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._path = environment.get("NOTIFY_SOCKET", "")
        self.alive_every = self._watchdog(environment)

    def _watchdog(self, environment: Mapping[str, str]) -> float | None:
        """Half of what the service manager allows, as `man sd_watchdog_enabled` advises."""
        microseconds, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        if not (self._path and microseconds.isdecimal() and int(microseconds)):
            return None
        if process and process != str(os.getpid()):  # it means another process
            return None
        return int(microseconds) / 2e6

    def ready(self, status: str) -> None:
        """The server takes connections; or it has reloaded. status: for a person, on one line"""
        self._tell(f"READY=1\nSTATUS={status[:STATUS_CHARACTERS]}")

    def reloading(self) -> None:
        """The server reads its files anew; ready() follows."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The server has begun to stop."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The server works; else the service manager starts it again."""
        self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        if not self._path:
            return
        path = "\0" + self._path[1:] if self._path.startswith(_ABSTRACT) else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)  # nobody waits for a service manager that does not read
                sock.sendto(text.encode(), path)
        except OSError:
            pass  # it is gone, or the path is wrong; the chat goes on
