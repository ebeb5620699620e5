"""Where the server's time goes: the cost of each step from the bytes received to the bytes sent.

`python -m tests.bench.stages` runs the real classes in one thread, without a load program, so that the
figures are the CPU time of the steps alone, and other load on the machine changes them little. A step that
cannot be called alone is the difference of two runs, with it and without it.
"""

from __future__ import annotations

import argparse
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.batch import Batch
from chatroom.blanking import NOTHING_ERASED, Erased
from chatroom.blocks import Block
from chatroom.catch_up import CatchUp
from chatroom.events import Talk
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.history import NOTHING_AMENDED, History, MemoryHistory
from chatroom.limits import RECEIVE_LARGE
from chatroom.order import Taken
from chatroom.pace import Pace
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Burst, Decoder, Resumed, Say, encode
from chatroom.presence import Presence
from chatroom.proposals import Arrive, Body, Enter, Proposal, ProposalKind
from chatroom.queue import WaitingQueue
from chatroom.records import Record
from server.backlogs import Backlogs
from server.connection import NativeDoor
from server.storage import SqliteHistory

CHANNEL = "#general"
PLACE = 1
"""The number of CHANNEL: it is the first."""
SCOPES = ((PLACE,),)
RUNS = 31


NATIVE = NativeDoor(lambda _stream: None, Flow(), Backlogs())


class Stub:
    """A connection that drops the bytes it is given."""

    door = NATIVE
    peer = "stub"

    def send(self, _data: bytes, shared: bool = False) -> None: ...

    def greet(self, _welcome: object, _channels: object) -> None: ...

    def live(self, _missed: object, _seq: int, _time: int, _later: object) -> None: ...


class NoHistory(MemoryHistory):
    """Stores nothing: a round with it costs all steps but storing."""

    def append(
        self,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
        amended: Mapping[int, bytes] = NOTHING_AMENDED,
        erased: Erased = NOTHING_ERASED,
    ) -> None: ...


class Room:
    """A forwarder with members, driven by hand.

    origins: numbers of the members' connections
    """

    def __init__(self, history: History, connections: Iterable[Stub]) -> None:
        self._queue, self._presence = WaitingQueue(), Presence()
        flow = Flow()
        catch_up = CatchUp(history, lambda seat, seq: self.forwarder.go_live(seat, seq))
        self.forwarder = Forwarder(self._queue, history, self._presence, flow, catch_up, time.monotonic)
        self.forwarder.recover()
        self.origins = [self._admit(connection) for connection in connections]

    def taken(self, origin: int, kind: ProposalKind, body: Body) -> Taken:
        """What the forwarder takes for a round with one proposal."""
        self._queue.put(Proposal(origin, 0, kind, body))
        taken = self._queue.take()
        assert taken is not None
        return taken

    def _admit(self, connection: Stub) -> int:
        origin, answer = self._presence.ask()
        name, session = f"m{origin}", f"{origin:032x}"
        arrive = Arrive(name, name, "", session, connection.peer)
        self.forwarder.forward(self.taken(origin, ProposalKind.ARRIVE, arrive))
        answer.result(0)
        reservation = Reservation(origin, name, NO_TOKEN, session)
        join = Join(reservation, connection, (CHANNEL,), 0, 0, NO_IDENTITY, 0)  # type: ignore[arg-type]
        self._presence.come(join, Missed(0, 0, Resumed.FRESH))
        self.forwarder.forward(self.taken(origin, ProposalKind.ENTER, Enter(session, (CHANNEL,))))
        return origin


def say_bytes(count: int, size: int, first_id: int = 1) -> bytes:
    """The bytes that a talker sends for `count` lines."""
    return b"".join(encode(Say(id, CHANNEL, "x" * size)) for id in range(first_id, first_id + count))


def decode(data: bytes) -> list[Burst]:
    """As a handler does: one recv() after the other, each gives a burst."""
    decoder, found = Decoder(), []
    decoder.bursts = True
    for start in range(0, len(data), RECEIVE_LARGE):
        found += decoder.feed(data[start : start + RECEIVE_LARGE])
    return found  # type: ignore[return-value]  # say_bytes makes nothing else


def lines(data: bytes) -> Burst:
    """All lines in one burst, however many recv() they took."""
    bursts = decode(data)
    ids = [id for burst in bursts for id in burst.ids]
    return Burst(CHANNEL, ids, [text for burst in bursts for text in burst.texts])


def cpu(act: Callable[[], object]) -> float:
    """Median CPU seconds of this thread in `act`, which is called RUNS times."""
    found = []
    for _ in range(RUNS):
        begin = time.thread_time()
        act()
        found.append(time.thread_time() - begin)
    return median(found)


def rounds(room: Room, count: int, size: int) -> float:
    """CPU seconds of one round of the forwarder with `count` lines of one talker."""
    data = lines(say_bytes(count * RUNS, size))
    bursts = [data.part(start, start + count) for start in range(0, count * RUNS, count)]
    waiting = [room.taken(room.origins[0], ProposalKind.LINES, burst) for burst in bursts]
    return cpu(lambda: room.forwarder.forward(waiting.pop(0)))


class _Endless(Pace):
    """There is always room."""

    @property
    def room(self) -> int:
        return 10**12


def measure(count: int, size: int, members: int) -> dict[str, float]:
    """CPU seconds of each step for a batch of `count` lines."""
    data = say_bytes(count, size)
    burst = lines(data)
    queue = WaitingQueue(pace=_Endless())

    def hand_over() -> None:
        queue.put(Proposal(1, 0, ProposalKind.LINES, burst))
        queue.take()

    found = {"decode": cpu(lambda: decode(data)), "queue": cpu(hand_over)}
    talk = Talk(1, 1, CHANNEL, "m1", 1, PLACE, burst.ids, burst.texts)
    found["encode, join"] = cpu(lambda: Batch([talk]).bytes_for(NATIVE, SCOPES))
    alone = rounds(Room(NoHistory(), [Stub()]), count, size)
    found["decide, apply, keep the tail"] = alone - found["encode, join"]
    with tempfile.TemporaryDirectory() as folder:
        history = SqliteHistory(Path(folder) / "history.db")
        batches = [Batch([talk._replace(first=1 + run * count)]).blocks() for run in range(RUNS)]
        found["store"] = cpu(lambda: history.append(batches.pop(0), []))
        history.close()
    crowd = [Stub() for _ in range(members + 1)]
    found["hand to members (no socket)"] = rounds(Room(NoHistory(), crowd), 1, size) - rounds(
        Room(NoHistory(), [Stub()]), 1, size
    )
    found["send (system call)"] = sending(sum(map(len, Batch([talk]).bytes_for(NATIVE, SCOPES))), members)
    return found


def sending(size: int, members: int) -> float:
    """CPU seconds of sending `size` bytes once into each of `members` loopback sockets that are emptied."""
    pairs = [_pair() for _ in range(members)]
    data, pieces = b"x" * size, []
    for _ in range(5):
        begin = time.thread_time()
        for sender, _receiver in pairs:
            sender.send(data, socket.MSG_DONTWAIT)
        pieces.append(time.thread_time() - begin)
        for _sender, receiver in pairs:
            receiver.recv(size * 2)
    for pair in pairs:
        for end in pair:
            end.close()
    return median(pieces)


def _pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        return sender, listener.accept()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--lines", type=int, default=1000, help="in one batch")
    options = parser.parse_args()
    one = measure(1, options.size, options.members)
    many = measure(options.lines, options.size, options.members)
    print(f"{options.members} members, {options.size} bytes; CPU µs")
    print(f"{'step':32}{'batch of 1':>12}{f'batch of {options.lines}':>16}{'per message':>14}")
    for step in many:
        each = (many[step] - one[step]) / (options.lines - 1)
        print(f"{step:32}{one[step] * 1e6:12.1f}{many[step] * 1e6:16.1f}{each * 1e6:14.2f}")
    total = (sum(many.values()) - sum(one.values())) / (options.lines - 1)
    print(f"{'sum':32}{sum(one.values()) * 1e6:12.1f}{sum(many.values()) * 1e6:16.1f}{total * 1e6:14.2f}")


if __name__ == "__main__":
    main()
