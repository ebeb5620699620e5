"""Waiting for descriptors of any number: select() takes none above 1,023, which a parent may have opened."""

from __future__ import annotations

import errno
import math
import os
import select
from collections.abc import Sequence


def wait_for(
    readers: Sequence[int], writers: Sequence[int] = (), seconds: float | None = None
) -> tuple[set[int], set[int]]:
    """Those that can be read and those that can be written to, or that have failed; waits for one.

    Both are empty after `seconds` (None or infinite: never). Raises OSError when one is not open.
    """
    if seconds is not None and math.isinf(seconds):
        seconds = None
    if os.name == "nt":  # no poll(); there select() takes sockets of any number
        read, written, failed = select.select(readers, writers, writers, seconds)
        return set(read), {*written, *failed}  # failed: could not connect
    wanted = dict.fromkeys(readers, select.POLLIN)
    for writer in writers:
        wanted[writer] = wanted.get(writer, 0) | select.POLLOUT
    poll = select.poll()
    for descriptor, events in wanted.items():
        poll.register(descriptor, events)
    found = poll.poll(None if seconds is None else seconds * 1000)
    if any(events & select.POLLNVAL for _, events in found):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    readable = {descriptor for descriptor, events in found if events & ~select.POLLOUT}
    writable = {descriptor for descriptor, events in found if events & ~select.POLLIN}
    return readable.intersection(readers), writable.intersection(writers)
