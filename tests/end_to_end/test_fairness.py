"""Whoever talks, pings or does not read how much: the others' lines arrive, all of them and in order.

Short forms of the attacks of `tests/attacks`, which measure milliseconds. Here only order and counts matter.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.packets import Ping, Pong, Say
from tests.attacks import fairness
from tests.end_to_end.in_process import port_of, running
from tests.end_to_end.programs import server
from tests.support.peer import Peer
from tests.support.tasks import Task


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few attackers in a small room."""
    monkeypatch.setattr(fairness, "CROWD", 2)
    monkeypatch.setattr(fairness, "FLOODERS", 3)


@pytest.mark.parametrize(
    "attack",
    [
        fairness.slow_readers,
        fairness.rejoining_readers,
        fairness.eight_flooders,
        fairness.eight_ponging,
        fairness.eight_pinging,
        fairness.eight_commanding,
        fairness.eight_refused,
    ],
)
def test_others_talk_during_an_attack(attack: Callable[[int, float], None]) -> None:
    """During each attack, lines of another come back to it, each once and in order."""
    with running() as app, Peer.come_in(port_of(app), "ann") as ann:
        task = Task(lambda: attack(port_of(app), 0.3))
        ids: list[int] = []
        for id in range(1, 11):
            ann.send(Say(id, "#general", f"line {id}"))
            event = ann.receive_until(
                lambda packet: (
                    isinstance(packet, Event)
                    and packet.person == ann.welcome.person
                    and packet.kind is EventKind.SAID
                )
            )
            ann.packets.clear()
            ids.append(event.id)
        assert ids == list(range(1, 11))
        task.result()


def test_a_stopped_server_takes_nobody_for_dead(tmp_path: Path) -> None:
    """After SIGSTOP for longer than --dead-after, whose ping waits in the socket stays; the silent goes."""
    with (
        server(tmp_path, "--dead-after", "0.4") as program,
        Peer.enter(program.port, "ann") as ann,
        Peer.enter(program.port, "bob") as bob,
    ):
        os.kill(program.process.pid, signal.SIGSTOP)
        time.sleep(0.5)  # the time in which the server is stopped
        ann.send(Ping(1))
        os.kill(program.process.pid, signal.SIGCONT)
        ann.receive_until(lambda packet: isinstance(packet, Pong))
        bob.expect_end()
        ann.send(Say(1, "#general", "still here"))
        ann.receive_until(lambda packet: isinstance(packet, Event) and packet.text == "still here")
