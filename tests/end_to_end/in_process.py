"""A whole server in this process."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chatroom.limits import DEAD_AFTER
from server.app import App, Config
from server.ports import Ports
from server.retention import Retention


@contextmanager
def running(ports: str = "any", data: str = ":memory:", dead_after: float = DEAD_AFTER) -> Iterator[App]:
    """A whole server on a free port; closed at the end, and the process's thread settings with it."""
    stack, interval, threshold = threading.stack_size(), sys.getswitchinterval(), gc.get_threshold()
    try:
        app = App(Config("127.0.0.1", 0, Ports.parse(ports), data, dead_after, "normal", Retention()))
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
    """Where the lobby is."""
    return int(app.address.rpartition(":")[2])
