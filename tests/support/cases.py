"""Many small cases in one test: an item of pytest costs more than most of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def case(name: object) -> Iterator[None]:
    """Whatever fails in the block names the case."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"the case: {name!r}")
        raise
