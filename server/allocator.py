"""The C library's allocator: large pieces of memory go back to the system as soon as they are free."""

from __future__ import annotations

import ctypes
from typing import Final

from server.limits import KEPT_BYTES, LARGE_BYTES

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""Parameters of mallopt(3), as in glibc's malloc.h."""


def give_back_large_pieces() -> bool:
    """Let the allocator keep nothing of a large piece that is free; False: it cannot (it is not glibc's).

    glibc gives a new thread a heap of its own, up to eight for each core. After the first hash of a password
    it would take the 16 MiB of each later one from such a heap, and keep them: 270 MB on two cores, a
    gigabyte on eight. To set the sizes also ends that they grow by themselves (mallopt(3)).
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(set_option(_MMAP_THRESHOLD, LARGE_BYTES) and set_option(_TRIM_THRESHOLD, KEPT_BYTES))
