"""A thousand peers come and go, in all possible ways; the server then holds no more than before."""

from __future__ import annotations

import random
import resource
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.limits import DEFAULT_CHANNEL
from chatroom.outcomes import Code
from chatroom.packets import VERSION, Bye, Hello, Say, Username, Verdict, encode
from tests.end_to_end.programs import CROWDED, ServerProcess, server
from tests.support.patience import eventually
from tests.support.peer import Peer, lines
from tests.support.tasks import run_all

CONNECTS, AT_ONCE = 1000, 4
BACK_SECONDS = 2.0


def come_and_go(program: ServerProcess, chance: random.Random, name: str) -> set[Code]:
    """Connect, and leave at some step of the handshake, by BYE, end of stream, or reset.

    What the next one gets who asks for the name: it is held for a member who left without goodbye.
    """
    code, reset = Code.OK, chance.random() < 0.3
    match chance.randrange(6):
        case 0:
            peer = Peer.connect(program.port)
        case 1:
            peer = Peer.connect(program.port)
            peer.socket.sendall(encode(Hello(VERSION, "x" * 50))[: chance.randrange(1, 60)])
        case 2:
            peer = Peer.connect(program.port)
            peer.send(Hello(VERSION, "x"), Username(name, bytes(16)))  # hang up before the answer
        case 3:
            peer = Peer.connect(program.port)
            peer.ask(name)
        case 4:
            peer = Peer.come_in(program.port, name)
            peer.send(*lines(2))
            peer.socket.sendall(encode(Say(3, DEFAULT_CHANNEL, "x" * 9000))[: chance.randrange(1, 9000)])
            code = Code.NAME_HELD
        case _:
            peer = Peer.come_in(program.port, name)
            peer.send(*lines(1), Bye(False, Code.GOODBYE, "enough"))
            if not reset:
                peer.rest()  # closing with unread bytes would be a reset, too
    if reset:  # instead of an end
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.socket.close()
    # The reset of a member may overtake its goodbye.
    return {code, Code.NAME_HELD} if reset and peer.channels else {code}


@pytest.mark.slow
@pytest.mark.parametrize("ports", ["any", "same"])
def test_a_thousand_connects_and_disconnects(ports: str, tmp_path: Path) -> None:
    """Threads, sockets and descriptors are back within 2 s of the last one; names are free, or held."""
    with server(tmp_path, "--ports", ports, *CROWDED, data=str(tmp_path / "history")) as program:
        at_rest = program.threads()
        Peer.come_in(program.port, "first").socket.close()
        eventually(lambda: program.threads() <= at_rest, "the first one is still there")
        threads, descriptors = program.threads(), len(program.descriptors())
        memory = program.resident()
        expected: dict[str, set[Code]] = {}

        def some(part: int) -> None:
            chance = random.Random(part)
            for number in range(part, CONNECTS, AT_ONCE):
                name = f"guest{number}"
                expected[name] = come_and_go(program, chance, name)

        run_all(*(lambda part=part: some(part) for part in range(AT_ONCE)), seconds=60)
        eventually(
            lambda: program.threads() <= threads and len(program.descriptors()) <= descriptors,
            f"before {threads} threads and {descriptors} descriptors",
            BACK_SECONDS,
        )
        print(
            f"{program.threads()} threads (before: {threads}), {len(program.descriptors())} descriptors"
            f" (before: {descriptors}), {program.resident() - memory} KiB more"
        )
        for name, codes in expected.items():
            with Peer.connect(program.port) as lobby:
                answer = lobby.ask(name)
                assert answer.code in codes, f"{name}: {answer.reason}"
        assert program.resident() - memory < 20 * 1024


@pytest.mark.slow
def test_a_name_is_free_again_as_soon_as_its_owner_is_gone(tmp_path: Path) -> None:
    """A name is free again at once when its newcomer hangs up, and when its member says goodbye."""
    with server(tmp_path, *CROWDED) as program, Peer.come_in(program.port, "watch") as watch:
        for _ in range(50):
            eventually(lambda: free(program, "ann"), "the name was not given back")
            with Peer.come_in(program.port, "bob") as bob:
                bob.send(Bye(False, Code.GOODBYE, ""))
                while (event := watch.expect(Event)).kind is not EventKind.QUIT:
                    assert event.author in ("bob", "watch")


def free(program: ServerProcess, name: str) -> bool:
    """Whether the server reserves the name; the newcomer then hangs up."""
    with Peer.connect(program.port) as lobby:
        return lobby.ask(name).verdict is Verdict.PASS


@pytest.mark.slow
def test_few_descriptors(tmp_path: Path) -> None:
    """With few descriptors some stay free: silent peers and a crowd are refused, the others talk on."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, limits[1]))
    try:
        program = ServerProcess(tmp_path / "log", "--data", str(tmp_path / "history"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    try:
        with ExitStack() as stack:
            ann, bob = (stack.enter_context(Peer.come_in(program.port, name)) for name in ("ann", "bob"))
            for _ in range(60):
                stack.enter_context(Peer.connect(program.port, source="127.0.0.2"))
            codes = []
            for number in range(60):
                with Peer.connect(program.port, source="127.0.0.3") as lobby:
                    answer = lobby.ask(f"member{number}")
                    codes.append(answer.code)
                    if answer.verdict is Verdict.FAIL:
                        continue
                    port = lobby.take_port()
                peer = stack.enter_context(Peer.connect(port.number, source="127.0.0.3"))
                peer.admit(f"member{number}", port.ticket)
            assert codes[0] == Code.OK and codes[-1] == Code.TOO_MANY
            assert len(program.descriptors()) < 95
            stack.enter_context(Peer.come_in(program.port, "late"))
            before = program.processor_seconds()
            threading.Event().wait(1)
            assert program.processor_seconds() - before < 0.5
            ann.send(*lines(100))
            assert len(bob.said(100)) == 100
        assert program.stop()[0] == 0
        assert "Traceback" not in program.errors() and "Too many open files" not in program.errors()
    finally:
        program.kill()
