"""Costs: memory and processor time of idle members, and the time of the server's start."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chatroom.events import Event
from tests.end_to_end.programs import CROWDED, ROOT, ServerProcess, processor_seconds, server
from tests.support.patience import eventually
from tests.support.peer import Peer

MEMBER_KIB = 40
START_SECONDS = 0.3
IDLE_SHARE = 0.005
IDLE_SECONDS = 6.0


@pytest.mark.slow
def test_memory_of_an_idle_member(tmp_path: Path) -> None:
    """A thousand members, admitted through the whole handshake, cost at most 40 KiB each."""
    data = str(tmp_path / "history")
    # They answer no PING. On a busy machine the last one comes after the first one would count as dead.
    with server(tmp_path, "--dead-after", "3600", *CROWDED, data=data) as program, ExitStack() as stack:
        for number in range(10):
            Peer.come_in(program.port, f"early{number}").socket.close()
        before = program.resident()
        for number in range(1000):
            stack.enter_context(Peer.come_in(program.port, f"member{number}"))
        eventually(lambda: program.threads() >= 1000, "not all have a handler")
        each = (program.resident() - before) / 1000
        print(f"{each:.1f} KiB for each idle member")
        assert each <= MEMBER_KIB


@pytest.mark.slow
def test_start_until_listening(tmp_path: Path) -> None:
    """From its start to `listening on`, the server needs at most 0.3 s of processor time (best of five).

    As an installed program does: with the bytecode of its modules cached, from its second start on.
    """
    times = []
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path / "bytecode")
    for _ in range(5):
        program = ServerProcess(tmp_path / "log", "--data", str(tmp_path / "history"), env=env)
        try:
            times.append(program.processor_seconds())
        finally:
            program.kill()
        if min(times) <= START_SECONDS:
            break
    print("seconds:", *(f"{seconds:.2f}" for seconds in times))
    assert min(times) <= START_SECONDS


@pytest.mark.slow
def test_idle_programs_need_no_processor(tmp_path: Path) -> None:
    """With 100 idle members, the server and a client need less than half a percent of a core each."""
    with server(tmp_path, data=str(tmp_path / "history")) as program, ExitStack() as stack:
        for number in range(99):
            stack.enter_context(Peer.come_in(program.port, f"member{number}"))
        client = stack.enter_context(watching(program))
        server_share, client_share = (
            share / IDLE_SECONDS for share in used(program.process.pid, client, IDLE_SECONDS)
        )
    print(f"server {server_share:.2%}, client {client_share:.2%} of a core")
    assert server_share < IDLE_SHARE
    assert client_share < IDLE_SHARE


@contextmanager
def watching(program: ServerProcess) -> Iterator[int]:
    """A client program that follows the conversation; its process id."""
    with (
        Peer.come_in(program.port, "watch") as watch,
        subprocess.Popen(
            [sys.executable, "-m", "client", f"127.0.0.1:{program.port}", "--name", "ann", "--follow"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
        ) as client,
    ):
        try:
            while watch.expect(Event).author != "ann":
                pass
            yield client.pid
        finally:
            client.kill()


def used(server_pid: int, client_pid: int, seconds: float) -> tuple[float, float]:
    """Processor time that two processes use within `seconds`."""
    pause = threading.Event()
    pause.wait(1.0)  # until the work for the last member is done
    before = processor_seconds(server_pid), processor_seconds(client_pid)
    pause.wait(seconds)
    return processor_seconds(server_pid) - before[0], processor_seconds(client_pid) - before[1]
