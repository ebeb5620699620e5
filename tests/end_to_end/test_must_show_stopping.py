"""SIGINT and SIGTERM: members get BYE, the server stores what it accepted, and exits with 0 within 2 s."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import VERSION, Bye, Hello, Packet, encode
from tests.end_to_end.programs import ServerProcess, server
from tests.support.blocks import stored_in
from tests.support.peer import Peer, lines, reading

STOP_SECONDS = 2.0
GOODBYE = Bye(True, Code.STOPPING, "the server is shutting down")

Scene = Callable[[ServerProcess, ExitStack], object]
"""Brings a server into a situation; what must last is given to the stack."""


def nobody(_server: ServerProcess, _stack: ExitStack) -> None:
    pass


def silent_in_the_lobby(server: ServerProcess, stack: ExitStack) -> None:
    for _ in range(5):
        stack.enter_context(Peer.connect(server.port))


def mid_packet_in_the_lobby(server: ServerProcess, stack: ExitStack) -> None:
    stack.enter_context(Peer.connect(server.port)).socket.sendall(encode(Hello(VERSION, "test"))[:-2])


def with_a_name(server: ServerProcess, stack: ExitStack) -> Peer:
    lobby = stack.enter_context(Peer.connect(server.port))
    lobby.ask("ann")
    return lobby


def awaited_at_the_admission_port(server: ServerProcess, stack: ExitStack) -> None:
    with_a_name(server, stack).take_port()


def silent_at_the_admission_port(server: ServerProcess, stack: ExitStack) -> None:
    stack.enter_context(Peer.connect(with_a_name(server, stack).take_port().number))


def member_mid_packet(server: ServerProcess, stack: ExitStack) -> None:
    member = stack.enter_context(Peer.come_in(server.port, "ann"))
    member.socket.sendall(b"".join(map(encode, lines(3)))[:-4])
    member.said(2)


def member_that_never_reads(server: ServerProcess, stack: ExitStack) -> None:
    stack.enter_context(Peer.come_in(server.port, "deaf"))
    with Peer.come_in(server.port, "bob") as bob:
        for start in range(1, 400, 40):  # 12 MB, far more than the system's buffers
            bob.send(*lines(40, start, "x" * 30_000))
            bob.said(40)


def member_that_does_not_read_its_catching_up(server: ServerProcess, stack: ExitStack) -> None:
    with Peer.come_in(server.port, "bob") as bob:
        for start in range(1, 400, 40):
            bob.send(*lines(40, start, "x" * 30_000))
            bob.said(40)
    lobby = with_a_name(server, stack)
    offer = lobby.take_port()
    slow = stack.enter_context(Peer.connect(offer.number))
    slow.admit("ann", offer.ticket, lines=65535)
    slow.receive_until(lambda packet: isinstance(packet, Event))


def talkers_that_never_read(server: ServerProcess, stack: ExitStack) -> None:
    """Most of the members: the server slows these talkers, or disconnects them when too far behind."""
    for number in range(6):
        talker = stack.enter_context(Peer.come_in(server.port, f"deaf{number}"))
        talker.socket.settimeout(0.2)
        with suppress(OSError):
            for start in range(1, 4000, 40):
                talker.send(*lines(40, start, "x" * 30_000))


SCENES: list[Scene] = [
    nobody,
    silent_in_the_lobby,
    mid_packet_in_the_lobby,
    with_a_name,
    awaited_at_the_admission_port,
    silent_at_the_admission_port,
    member_mid_packet,
    member_that_never_reads,
    talkers_that_never_read,
    member_that_does_not_read_its_catching_up,
]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_ends_in_time_whatever_its_guests_do(scene: Scene, number: signal.Signals, tmp_path: Path) -> None:
    """The server ends within 2 s with exit code 0, and a member that reads gets BYE before the end."""
    with server(tmp_path, data=str(tmp_path / "history")) as program, ExitStack() as stack:
        good = stack.enter_context(Peer.come_in(program.port, "good"))
        with reading(good) as packets:
            scene(program, stack)
            code, seconds = program.stop(number)
        assert (code, seconds < STOP_SECONDS) == (0, True), f"exit code {code} after {seconds:.2f} s"
        assert [packet for packet in packets if isinstance(packet, Bye)] == [GOODBYE]
        assert "did not end" not in program.errors()
    assert_shown_is_stored(tmp_path / "history", [packets])


@pytest.mark.slow
def test_a_signal_in_any_moment_after_the_first_line_ends_it(tmp_path: Path) -> None:
    """The server obeys a signal right after `listening on`, while newcomers keep its threads busy."""
    for _ in range(3):
        with server(tmp_path) as program, ExitStack() as stack:
            silent_in_the_lobby(program, stack)
            code, seconds = program.stop()
            assert (code, seconds < STOP_SECONDS) == (0, True), f"exit code {code} after {seconds:.2f} s"


@pytest.mark.slow
def test_talkers_at_full_speed_are_told_and_what_they_saw_is_stored(tmp_path: Path) -> None:
    """While eight members talk as fast as they can: all get BYE, and history has every event that any got."""
    with server(tmp_path, data=str(tmp_path / "history")) as program, ExitStack() as stack:
        talkers = [stack.enter_context(Peer.come_in(program.port, f"talker{number}")) for number in range(8)]
        started = threading.Barrier(len(talkers) + 1)
        listeners = [
            stack.enter_context(Peer.come_in(program.port, f"listener{number}")) for number in range(2)
        ]
        seen = [stack.enter_context(reading(member)) for member in (*listeners, *talkers)]

        def talk(talker: Peer) -> None:
            data = b"".join(map(encode, lines(20_000)))
            talker.socket.sendall(data[:100_000])
            started.wait(10)
            try:
                talker.socket.sendall(data[100_000:])
            except OSError:
                pass  # the server ended in the middle, as it should

        threads = [threading.Thread(target=talk, args=(talker,)) for talker in talkers]
        for thread in threads:
            thread.start()
        started.wait(10)
        code, seconds = program.stop()
        for thread in threads:
            thread.join()
        assert (code, seconds < STOP_SECONDS) == (0, True), f"exit code {code} after {seconds:.2f} s"
    told = [packets[-1:] == [GOODBYE] for packets in seen]
    print(f"stopped in {seconds:.2f} s, shown {[len(packets) for packets in seen]}, told {told}")
    assert all(told)
    assert_shown_is_stored(tmp_path / "history", seen)


# --- helpers --------------------------------------------------------------------------------------------


def assert_shown_is_stored(history: Path, seen: list[list[Packet]]) -> None:
    """The events of each member are one stretch of the history, without gap or double."""
    stored = {event.seq: (int(event.kind), event.author, event.text) for event in stored_in(history)}
    for packets in seen:
        events = [packet for packet in packets if isinstance(packet, Event)]
        seqs = [event.seq for event in events]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else True
        for event in events:
            assert stored[event.seq] == (int(event.kind), event.author, event.text)
    assert stored or not seen
    assert any(kind == int(EventKind.JOINED) for kind, _, _ in stored.values())
