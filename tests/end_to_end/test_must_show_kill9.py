"""kill -9 of the server while members talk: history has every line that any client showed, in order."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.packets import Packet, Resumed
from tests.end_to_end.programs import run_program, server
from tests.support.blocks import stored_in
from tests.support.patience import eventually
from tests.support.peer import Peer, lines, reading

TALKERS = 8


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 2000, 10_000])
def test_what_was_shown_survives_kill_9(after: int, tmp_path: Path) -> None:
    """After a restart, history is whole and has all events that any member got; RESTARTED follows them."""
    history = tmp_path / "history"
    with server(tmp_path, data=str(history)) as program, ExitStack() as stack:
        members = [
            stack.enter_context(Peer.come_in(program.port, f"member{number}")) for number in range(TALKERS)
        ]
        seen = [stack.enter_context(reading(member)) for member in members]
        talkers = [threading.Thread(target=lambda member=member: talk(member)) for member in members]
        for talker in talkers:
            talker.start()
        eventually(lambda: max(map(len, seen)) >= after, "no member got enough events")
        program.kill()
        for talker in talkers:
            talker.join()
    shown = [[packet for packet in packets if isinstance(packet, Event)] for packets in seen]
    assert run_program("server", "--check", str(history)).returncode == 0
    replayed: list[Packet] = []
    time = stored_in(history)[0].time
    identity = members[0].welcome.identity
    with server(tmp_path, data=str(history)) as program:
        again = Peer.come_in(program.port, "again", 1, 0, replayed, time=time, identity=identity)
        assert again.welcome.resumed is Resumed.EXACT
        again.socket.close()
        program.stop()
    stored = {event.seq: (event.author, event.text) for event in stored_in(history)}
    assert sorted(stored) == list(range(1, len(stored) + 1))
    told = {event.seq: event for event in replayed if isinstance(event, Event)}
    assert list(told) == list(range(2, len(told) + 2))
    (restart,) = (event.seq for event in told.values() if event.kind is EventKind.RESTARTED)
    assert {event.author for seq, event in told.items() if seq > restart} <= {"again"}
    assert max(event.seq for events in shown for event in events) < restart
    for events in shown:
        assert [event.seq for event in events] == list(range(events[0].seq, events[0].seq + len(events)))
        for event in events:
            assert stored[event.seq] == (event.author, event.text)
            assert event.seq == 1 or told[event.seq] == event
    print(f"shown {[len(events) for events in shown]}, stored {len(stored)}")


def talk(member: Peer) -> None:
    """Say lines as fast as possible, until the server is gone."""
    try:
        for start in range(1, 20_001, 100):
            member.send(*lines(100, start))
    except OSError:
        pass  # killed
