"""The C library's allocator: how it is to keep memory that is free."""

from __future__ import annotations

from typing import Final

from server.limits import HEAPS, KEPT_BYTES, LARGE_BYTES

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""Parameters of mallopt(3), as in glibc's malloc.h."""


def keep_little() -> bool:
    """Let the allocator keep little of what is free; False: it cannot (it is not glibc's, or Python has no
    ctypes).

    glibc gives threads heaps of their own, up to eight for each core, and a piece goes back to the heap that
    it came from. After the first hash of a password it would take the 16 MiB of each later one from such a
    heap, and keep them: 270 MB on two cores, a gigabyte on eight. To set the sizes also ends that they grow
    by themselves (mallopt(3)). And with thousands of threads, which begin and end, more and more of each heap
    would be free, and of no use for the others.
    """
    try:
        import ctypes

        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, ImportError, OSError, TypeError):  # TypeError: on Windows a library has a name
        return False
    options = ((_MMAP_THRESHOLD, LARGE_BYTES), (_TRIM_THRESHOLD, KEPT_BYTES), (_ARENA_MAX, HEAPS))
    done = [set_option(option, value) for option, value in options]  # all three, also when one fails
    return all(done)
