"""A whole server in this process."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chatroom.limits import DEAD_AFTER
from server.app import App
from server.config import Config
from server.ports import Ports
from server.retention import Retention
from server.tls_files import TlsFiles


@contextmanager
def running(
    ports: str = "any",
    data: str = ":memory:",
    dead_after: float = DEAD_AFTER,
    port: int = 0,
    owner: str = "",
    tls: TlsFiles | None = None,
) -> Iterator[App]:
    """A whole server, without `port` on a free one; closed at the end, with the process's thread settings."""
    stack, interval, threshold = threading.stack_size(), sys.getswitchinterval(), gc.get_threshold()
    try:
        places = "127.0.0.1", port, Ports.parse(ports), data
        app = App(Config(*places, dead_after, "normal", Retention(), owner=owner, tls=tls))
        app.start()
        try:
            yield app
        finally:
            app.close()
    finally:
        threading.stack_size(stack)
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)


def port_of(app: App) -> int:
    """The port of the lobby."""
    return int(app.address.rpartition(":")[2])
