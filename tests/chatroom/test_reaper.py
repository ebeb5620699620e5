"""The reaper: it owns each thread from before its start until it was joined."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from chatroom.errors import Closed
from chatroom.reaper import Reaper
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task


class HeldStart:
    """Holds Thread.start of the thread named "held" between its registration and its start."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = threading.Event()
        self.gate = threading.Semaphore(0)  # lets one thread through for each release
        real = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if thread.name == "held":
                self.reached.set()
                assert self.gate.acquire(timeout=PATIENCE)
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldStart]:
    hold = HeldStart(monkeypatch)
    yield hold
    hold.gate.release(10)


def test_an_ended_thread_is_joined_once() -> None:
    """A thread that has returned is joined by the next round, and then leaves the register."""
    reaper = Reaper("test")
    thread = reaper.spawn(lambda: None, "short")
    thread.join(PATIENCE)
    assert reaper.reap() == 1
    assert reaper.reap() == 0
    assert reaper.names == []


def test_a_thread_not_started_yet_is_not_taken_for_a_dead_one(held: HeldStart) -> None:
    """Between its registration and its start a thread survives any number of rounds."""
    reaper = Reaper("test")
    ran = threading.Event()
    spawning = Task(lambda: reaper.spawn(ran.set, "held"))
    assert held.reached.wait(PATIENCE)
    assert [reaper.reap() for _ in range(3)] == [0, 0, 0]
    assert reaper.names == ["held"]
    assert repr(reaper) == "<Reaper test: 1 threads, 0 ended>"
    held.gate.release()
    spawning.result().join(PATIENCE)
    assert ran.is_set()
    assert reaper.reap() == 1


def test_close_waits_for_a_thread_that_is_just_starting(held: HeldStart) -> None:
    """close() does not return before a thread that was registered when it came has run and was joined."""
    reaper = Reaper("test")
    spawning = Task(lambda: reaper.spawn(lambda: None, "held"))
    assert held.reached.wait(PATIENCE)
    closing = Task(lambda: reaper.close(PATIENCE))
    held.gate.release()
    assert closing.result() == []
    assert not spawning.result().is_alive()


def test_close_waits_for_all_threads_that_are_just_starting(held: HeldStart) -> None:
    """close() waits until the last of several threads has started, and no longer."""
    reaper = Reaper("test")
    spawning = [Task(lambda: reaper.spawn(lambda: None, "held")) for _ in range(2)]
    eventually(lambda: reaper.names == ["held", "held"], "the threads were not registered")
    closing = Task(lambda: reaper.close(PATIENCE))
    closing.join(0.05)
    held.gate.release()
    eventually(lambda: not all(task.is_alive() for task in spawning), "no thread was started")
    closing.join(0.05)
    assert closing.is_alive()
    held.gate.release()
    assert closing.result(PATIENCE / 2) == []
    for task in spawning:
        task.result()


def test_close_names_a_thread_that_never_got_to_start(held: HeldStart) -> None:
    """A thread that is still not started at the deadline is named, not forgotten."""
    reaper = Reaper("test")
    spawning = Task(lambda: reaper.spawn(lambda: None, "held"))
    assert held.reached.wait(PATIENCE)
    assert reaper.close(0.01) == ["held"]
    held.gate.release()
    spawning.result()
    assert reaper.close(PATIENCE) == []


def test_a_thread_that_ends_before_its_start_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is faster than the return of its own start() is joined like any other."""
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        real(thread)
        thread.join(PATIENCE)

    reaper = Reaper("test")
    monkeypatch.setattr(threading.Thread, "start", start)
    reaper.spawn(lambda: None, "fast")
    assert reaper.reap() == 1
    assert reaper.close(PATIENCE) == []


def test_close_names_threads_that_did_not_end() -> None:
    """At the deadline, close() returns the names of the threads that still run, and no others."""
    reaper = Reaper("test")
    release = threading.Event()
    reaper.spawn(lambda: None, "good")
    reaper.spawn(lambda: wait(release), "stuck")
    assert reaper.close(0.05) == ["stuck"]
    release.set()
    assert reaper.close(PATIENCE) == []


def test_one_deadline_for_all() -> None:
    """Ten threads that do not end take one deadline, not ten."""
    reaper = Reaper("test")
    release = threading.Event()
    for number in range(10):
        reaper.spawn(lambda: wait(release), f"stuck {number}")
    closing = Task(lambda: reaper.close(0.2))
    assert len(closing.result(1.9)) == 10  # ten deadlines would be 2.0
    release.set()
    assert reaper.close(PATIENCE) == []


def test_nothing_starts_after_close() -> None:
    """After close(), spawn() raises Closed instead of starting a thread that nobody would join."""
    reaper = Reaper("test")
    assert reaper.close(PATIENCE) == []
    with pytest.raises(Closed):
        reaper.spawn(lambda: None, "late")


def test_a_failed_thread_is_logged_and_joined(caplog: pytest.LogCaptureFixture) -> None:
    """An error in a thread is logged with the thread's name, and the thread is joined."""

    def fail() -> None:
        raise ValueError("what went wrong")

    reaper = Reaper("test")
    with caplog.at_level(logging.ERROR):
        reaper.spawn(fail, "unlucky").join(PATIENCE)
    assert "unlucky" in caplog.text and "what went wrong" in caplog.text
    assert reaper.reap() == 1


def test_a_failed_vital_thread_is_told() -> None:
    """Of a vital thread that fails, and of no other, name and error are told, before its last act."""
    told: list[str] = []
    reaper = Reaper("test", lambda name, error: told.append(f"{name}: {error}"))

    def fail() -> None:
        raise ValueError("what went wrong")

    for name, vital in (("handler", False), ("accept", True)):
        reaper.spawn(fail, name, vital, lambda: told.append("last")).join(PATIENCE)
    reaper.spawn(lambda: None, "catch-up", True, lambda: told.append("last")).join(PATIENCE)
    assert told == ["last", "accept: what went wrong", "last", "last"]
    assert reaper.close(PATIENCE) == []


def test_a_failed_last_act_is_told() -> None:
    """The last act of a vital thread counts as the thread."""
    told: list[str] = []
    reaper = Reaper("test", lambda name, error: told.append(f"{name}: {error}"))
    reaper.spawn(lambda: None, "flusher", True, lambda: told.remove("no such thing")).join(PATIENCE)
    assert len(told) == 1 and told[0].startswith("flusher: ")
    assert reaper.reap() == 1


def test_no_thread_left_in_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system has no thread left, spawn() raises RuntimeError and registers nothing."""
    reaper = Reaper("test")
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(threading.Thread, "start", lambda thread: _no_thread())
        reaper.spawn(lambda: None, "never")
    assert reaper.close(PATIENCE) == []


def wait(release: threading.Event) -> None:
    release.wait(PATIENCE)


def _no_thread() -> None:
    raise RuntimeError("can't start new thread")


def test_living_threads_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round touches only the threads that have reported their end, however many others are alive."""
    reaper = Reaper("test")
    release = threading.Event()
    for number in range(50):
        reaper.spawn(lambda: wait(release), f"alive {number}")
    reaper.spawn(lambda: None, "ended").join(PATIENCE)
    touched: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", lambda thread, timeout=None: touched.append(thread.name))
        patch.setattr(threading.Thread, "is_alive", lambda thread: touched.append(thread.name))
        assert reaper.reap() == 1
    assert touched == ["ended"]
    release.set()
    assert reaper.close(PATIENCE) == []


def test_it_reaps_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once started, it joins ended threads by itself, round after round."""
    monkeypatch.setattr("chatroom.reaper.REAP_SECONDS", 0.001)
    reaper = Reaper("test")
    reaper.start()
    for _ in range(3):
        reaper.spawn(lambda: None, "short")
        eventually(lambda: not reaper.names, "the thread was not joined")
    assert reaper.close(PATIENCE) == []


def test_close_ends_the_reapers_own_thread() -> None:
    """When close() returns, the thread that reaps has ended, too."""
    for _ in range(20):
        reaper = Reaper("test")
        reaper.start()
        assert reaper.close(PATIENCE) == []
        assert "test-reaper" not in [thread.name for thread in threading.enumerate()]


def test_a_thread_that_hangs_does_not_keep_the_program() -> None:
    """A thread that close() had to leave behind does not keep the interpreter from exiting."""
    reaper = Reaper("test")
    assert reaper.spawn(lambda: None, "short").daemon
    assert reaper.close(PATIENCE) == []


def test_one_of_its_threads_may_close_it() -> None:
    """A thread that closes its own reaper does not join itself."""
    reaper = Reaper("test")
    left: list[str] = []
    thread = reaper.spawn(lambda: left.extend(reaper.close(PATIENCE)), "closer")
    thread.join(PATIENCE)
    assert left == ["closer"]
    assert reaper.close(PATIENCE) == []


def live_until(gate: threading.Event) -> None:
    """A thread that lives until the gate opens."""
    gate.wait()


def test_what_it_has_done_can_be_read() -> None:
    """How many threads it owns, how many of them have ended, how many it has joined, and when the last."""
    reaper, gate = Reaper("test"), threading.Event()
    assert reaper.read() == (0, 0, 0, -1.0)
    living, short = reaper.spawn(lambda: live_until(gate), "living"), reaper.spawn(lambda: None, "short")
    short.join(PATIENCE)
    assert reaper.read() == (2, 1, 0, -1.0)
    reaper.reap()
    assert reaper.read()[:3] == (1, 0, 1) and 0 <= reaper.read().ago < PATIENCE
    gate.set()
    living.join(PATIENCE)
    assert reaper.close(PATIENCE) == [] and reaper.read()[:3] == (0, 0, 2)
