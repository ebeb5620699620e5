"""What a thread waits for, by the function in which it stands: the table is that of the real functions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType, FunctionType

import pytest

from chatroom.trace import Trace
from server.waits import KINDS, LOCK, OTHER, RUNS, WAITS, Wait, kind_of, wait_of
from tests.support.patience import PATIENCE, eventually

COLUMNS = 26
"""Of the words, so that they stand whole on a screen of 80 columns."""


@pytest.mark.parametrize(("module", "function"), WAITS, ids=lambda part: part)
def test_every_function_is_there(module: str, function: str) -> None:
    """Each function of the table exists, and has this name in the frames of its thread."""
    found: object = import_module(module)
    for part in function.split("."):
        found = vars(found)[part]
    found = found.fget if isinstance(found, property) else found
    found = getattr(found, "__wrapped__", found)  # of a context manager: the generator
    assert isinstance(found, FunctionType)
    assert (found.__module__, found.__code__.co_qualname) == (module, function)


def test_the_words() -> None:
    """The words of each row are short and printable, and `runs` and `lock` are no way to wait."""
    for how, what in WAITS.values():
        assert how.isascii() and how.isalpha() and what.isascii() and what.isprintable()
        assert len(what) <= COLUMNS and how not in (RUNS, LOCK)


def test_kinds() -> None:
    """A thread's kind is the first word of its name, and nothing else of the name is told."""
    for name, kind in [("handler ann", "handler"), ("connection 192.0.2.1:5", "connection"), ("mine", OTHER)]:
        assert kind_of(threading.Thread(name=name)) == kind
    assert kind_of(threading.main_thread()) == "main"
    assert len(set(KINDS)) == len(KINDS)


class Guarded:
    """Waits in some ways."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.flag = threading.Event()

    def wait(self) -> None:
        self.flag.wait()

    def take(self) -> None:
        with self._lock:
            pass

    def hold(self) -> None:
        with self._lock:
            self.flag.wait()


@contextmanager
def thread(run: Callable[[], object]) -> Iterator[Callable[[], FrameType]]:
    """A thread that does this; gives its frame on top."""
    running = threading.Thread(target=run)
    running.start()
    try:
        yield lambda: sys._current_frames()[running.ident or 0]
    finally:
        running.join(PATIENCE)


def test_the_first_function_of_ours_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the functions of Python's library stands ours, which says for what; one without words runs."""
    ours, known = Guarded(), Wait("flag", "a test")
    with thread(ours.wait) as frame:
        eventually(lambda: wait_of(frame()) == Wait(RUNS, "Guarded.wait"), "it is not there")
        monkeypatch.setitem(WAITS, (__name__, "Guarded.wait"), known)
        assert wait_of(frame()) == known
        ours.flag.set()


def test_a_lock() -> None:
    """A thread that cannot go on for a lock is seen at it; the one that holds it is seen at its work."""
    ours = Guarded()
    with thread(ours.hold) as holder:
        eventually(lambda: wait_of(holder()) == Wait(RUNS, "Guarded.hold"), "it does not hold the lock")
        with thread(ours.take) as taker:
            eventually(lambda: wait_of(taker()) == Wait(LOCK, "Guarded.take"), "it is not seen at the lock")
            ours.flag.set()


def test_who_follows_a_line() -> None:
    """The handler of a line that is followed is seen to wait for those who get it."""
    trace = Trace(1, 1, 0.0)
    with thread(lambda: trace.wait(PATIENCE)) as frame:
        eventually(lambda: wait_of(frame()).how == "condition", "it is not seen to wait")
        trace.stop()
