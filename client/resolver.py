"""Host names: asks the system for their addresses, so that who waits for them can give up."""

from __future__ import annotations

import socket
from concurrent.futures import Future
from threading import Lock, Thread

from client.address import Address, by_turns


class Resolver:
    """Asks the system for the addresses of hosts. Nothing interrupts that call, so it has a thread.

    Who gives up waiting leaves the thread behind. It ends when the system answers or gives up (glibc: after
    some ten seconds). Whoever asks the same meanwhile waits for the same thread: there is one for a host,
    however often a client tries. It is a daemon: it does not keep a program from its end.
    """

    def __init__(self) -> None:
        # Guards _asked.
        self._lock = Lock()
        self._asked: dict[tuple[str, int], Future[list[Address]]] = {}  # not answered yet

    def ask(self, host: str, port: int) -> Future[list[Address]]:
        """The addresses of the host, IPv6 and IPv4 by turns; or why there are none, see look_up()."""
        with self._lock:
            asked = self._asked.get((host, port))
            if asked is not None:
                return asked
            answer = self._asked[host, port] = Future()
        try:
            Thread(target=self._run, args=(host, port, answer), name="client-resolver", daemon=True).start()
        except RuntimeError:
            self._forget(host, port)
            answer.set_exception(OSError("the system has no thread left"))
        return answer

    def _run(self, host: str, port: int, answer: Future[list[Address]]) -> None:
        """The thread."""
        try:
            found = look_up(host, port)
        except Exception as failure:  # noqa: BLE001  whoever waits for the answer raises it
            self._forget(host, port)
            answer.set_exception(failure)
        else:
            self._forget(host, port)
            answer.set_result(found)

    def _forget(self, host: str, port: int) -> None:
        """From now on it is another question."""
        with self._lock:
            del self._asked[host, port]


def look_up(host: str, port: int, flags: int = 0) -> list[Address]:
    """Ask the system now; with AI_NUMERICHOST it answers at once. Raises OSError, UnicodeError (no host)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return by_turns([(family, address) for family, _, _, _, address in found])


RESOLVER = Resolver()
"""For all connections of the process."""
