"""The resolver: one thread asks the system for a host, however many wait for it and give up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from client.resolver import Resolver
from tests.client.slow_system import SlowSystem
from tests.support.patience import PATIENCE, eventually


@pytest.fixture
def system() -> Iterator[SlowSystem]:
    with SlowSystem() as slow:
        yield slow


def test_one_question_for_one_host(system: SlowSystem) -> None:
    """Whoever asks for a host that is being asked for waits for the same answer; later it is asked anew."""
    resolver = Resolver()
    first, second, other = (resolver.ask(host, 5050) for host in ("a.example", "a.example", "b.example"))
    assert first is second and first is not other and not first.done()
    system.answers.set()
    assert first.result(PATIENCE) == other.result(PATIENCE) == [(socket.AF_INET, ("192.0.2.7", 5050))]
    assert resolver.ask("a.example", 5050).result(PATIENCE) == first.result()
    assert sorted(system.asked) == ["a.example", "a.example", "b.example"]


def test_an_unknown_host(system: SlowSystem) -> None:
    """The error of the system is that of the answer."""
    system.unknown = True
    system.answers.set()
    with pytest.raises(socket.gaierror, match="unknown"):
        Resolver().ask("a.example", 5050).result(PATIENCE)


def test_no_thread_left(system: SlowSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a thread the answer is an error, and the next question is asked anew."""
    resolver = Resolver()

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(OSError, match="no thread left"):
            resolver.ask("a.example", 5050).result(0)
    system.answers.set()
    assert resolver.ask("a.example", 5050).result(PATIENCE)


def test_its_threads_end(system: SlowSystem) -> None:
    """A thread that nobody waits for ends with the answer of the system."""
    Resolver().ask("a.example", 5050)
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "client-resolver"] == [True]
    system.answers.set()
    eventually(
        lambda: "client-resolver" not in [thread.name for thread in threading.enumerate()], "it goes on"
    )
