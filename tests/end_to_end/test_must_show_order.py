"""One order for all, while members talk, come and go; a newcomer's replay and live events fit together."""

from __future__ import annotations

import random
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Bye, Live, Packet, Ping, Resumed
from tests.end_to_end.programs import ServerProcess, server
from tests.support.patience import eventually
from tests.support.peer import Peer, lines, reading
from tests.support.tasks import run_all

TALKERS, LINES, BURST, GUESTS = 16, 1000, 25, 3
COME_BACK_LINES = 5000

Line = tuple[int, str, str, str]


def events_of(packets: list[Packet]) -> list[Line]:
    """Seq, kind, author and text of the events, in the order in which they came."""
    return [(p.seq, p.kind.word, p.author, p.text) for p in packets if isinstance(p, Event)]


@pytest.mark.slow
@pytest.mark.parametrize("ports", ["any", "same"])
def test_sixteen_talkers_while_members_come_and_go(ports: str, tmp_path: Path) -> None:
    """Members see one sequence, newcomers a suffix of it without gap or double; each talker's order holds."""
    with server(tmp_path, "--ports", ports, data=str(tmp_path / "history")) as program, ExitStack() as stack:
        stayers = [stack.enter_context(Peer.come_in(program.port, f"stayer{number}")) for number in range(2)]
        talkers = [
            stack.enter_context(Peer.come_in(program.port, f"talker{number}")) for number in range(TALKERS)
        ]
        seen = [stack.enter_context(reading(peer)) for peer in (*stayers, *talkers)]
        over, gone = threading.Event(), threading.Semaphore(0)
        joined: list[list[Packet]] = []
        run_all(
            *(lambda talker=talker: talk(talker) for talker in talkers),
            *(
                lambda number=number: come_and_go(program, number, stayers[0], joined, over, gone)
                for number in range(GUESTS)
            ),
            lambda: keep_talking(stayers[0], gone),
            lambda: wait_for_the_last(seen, over),
            seconds=60,
        )
        program.stop()
    sequence = events_of(seen[0])
    print(f"{len(sequence)} events; {len(joined)} came and went and saw {sum(map(len, joined))} packets")
    assert_one_sequence(seen, sequence)
    for number in range(TALKERS):
        own = [text for _, kind, author, text in sequence if (kind, author) == ("said", f"talker{number}")]
        assert own == [f"line {count}" for count in range(1, LINES + 1)]
    assert len(joined) >= 6
    for packets in joined:
        assert_suffix(packets, sequence)


def talk(talker: Peer) -> None:
    """All lines, in bursts."""
    for start in range(1, LINES + 1, BURST):
        talker.send(*lines(BURST, start))


def keep_talking(stayer: Peer, gone: threading.Semaphore) -> None:
    """Say a line now and then until all guests have gone, so that none of them waits for ever."""
    left, number = GUESTS, 0
    while left:
        number += 1
        stayer.send(*lines(1, number, "still here"))
        left -= gone.acquire(timeout=0.01)


def wait_for_the_last(seen: list[list[Packet]], over: threading.Event) -> None:
    """Wait until every member has every line."""
    try:
        end = threading.Event()
        for _ in range(3000):
            if all(len(packets) > TALKERS * LINES and said(packets) >= TALKERS * LINES for packets in seen):
                return
            end.wait(0.02)
        raise AssertionError([said(packets) for packets in seen])
    finally:
        over.set()


def said(packets: list[Packet]) -> int:
    return sum(
        type(packet) is Event and packet.kind is EventKind.SAID and packet.author != "stayer0"
        for packet in packets
    )


def come_and_go(
    program: ServerProcess,
    number: int,
    stayer: Peer,
    joined: list[list[Packet]],
    over: threading.Event,
    gone: threading.Semaphore,
) -> None:
    """Come, ask for history in all possible ways, leave in all possible ways, again and again.

    stayer: what it has seen can be named as the last event seen
    """
    choose = random.Random(number)
    turn = 0
    try:
        while not over.is_set() or turn < 2:
            turn += 1
            packets: list[Packet] = []
            wish = choose.choice(
                [
                    {"lines": 0},
                    {"lines": 50},
                    {"lines": 3000},
                    since(stayer, 1),
                    since(stayer, choose.randrange(1, 3000)),
                ]
            )
            with Peer.come_in(program.port, f"guest{number}-{turn}", replayed=packets, **wish) as guest:
                assert guest.welcome.resumed is (Resumed.EXACT if "since" in wish else Resumed.FRESH)
                for _ in range(choose.randrange(1, 1500)):
                    packets.append(next_of(guest))
                    if over.is_set():
                        break
                if choose.random() < 0.5:
                    guest.send(Bye(False, Code.GOODBYE, "enough"))
            joined.append(packets)
    finally:
        gone.release()


def since(peer: Peer, seq: int) -> dict[str, Any]:
    """What a client says that has seen what `peer` has seen, up to `seq` or a little less or more."""
    events = [packet for packet in list(peer.packets) if isinstance(packet, Event)]
    latest = next((event for event in events if event.seq >= seq), events[-1])
    return {"since": latest.seq, "time": latest.time, "identity": peer.welcome.identity}


def next_of(peer: Peer) -> Packet:
    """The next packet, without PING."""
    while isinstance(packet := peer.receive(), Ping):
        pass
    assert packet is not None
    return packet


def assert_one_sequence(seen: list[list[Packet]], sequence: list[Line]) -> None:
    """From its first event on, a later member saw the same; members that saw the end saw the same end."""
    first = sequence[0][0]
    assert [line[0] for line in sequence] == list(range(first, first + len(sequence)))
    for packets in seen:
        mine = events_of(packets)
        start = mine[0][0] - first
        assert mine == sequence[start : start + len(mine)]


def assert_suffix(packets: list[Packet], sequence: list[Line]) -> None:
    """From its first seq on, replay and live events together are one stretch of the others' sequence."""
    mine = [line for line in events_of(packets) if line[0] >= sequence[0][0]]
    if mine:
        start = mine[0][0] - sequence[0][0]
        assert mine == sequence[start : start + len(mine)]
    assert sum(isinstance(packet, Live) for packet in packets) == 1


@pytest.mark.slow
def test_a_member_that_comes_back_again_and_again_gets_each_line_once(tmp_path: Path) -> None:
    """A member that loses its connection and names the last event that it saw gets all later ones, once."""
    with server(tmp_path) as program, ExitStack() as stack:
        talker = stack.enter_context(Peer.come_in(program.port, "talker"))
        own = stack.enter_context(reading(talker))
        with Peer.enter(program.port, "guest") as first:
            token = first.welcome.token
            wish = since(first, 1)
        got: list[Packet] = []

        def come_back() -> None:
            nonlocal wish
            while (count := said(got)) < COME_BACK_LINES:
                with Peer.come_in(program.port, "guest", replayed=got, token=token, **wish) as guest:
                    count = said(got)
                    for _ in range(400):
                        if count >= COME_BACK_LINES:
                            break
                        got.append(next_of(guest))
                        count += said(got[-1:])
                for packet in got[::-1]:
                    if isinstance(packet, Event):
                        wish |= {"since": packet.seq, "time": packet.time}
                        break

        def talk_on() -> None:
            for start in range(1, COME_BACK_LINES + 1, BURST):
                talker.send(*lines(BURST, start))

        run_all(come_back, talk_on, seconds=40)
        eventually(lambda: said(own) == COME_BACK_LINES, "the talker did not see all its lines")
        program.stop()
    others = [kind for _, kind, author, _ in events_of(own) if author == "guest"]
    assert others == ["joined"], "coming back must be silent"
    mine = events_of(got)
    assert [line[0] for line in mine] == list(range(mine[0][0], mine[0][0] + len(mine)))
    assert [line[3] for line in mine if line[1] == "said"] == [
        f"line {count}" for count in range(1, COME_BACK_LINES + 1)
    ]
