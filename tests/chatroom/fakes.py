"""Fakes that stand for sockets and disks in the tests of the chatroom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from time import monotonic
from typing import Any

from chatroom.blanking import NOTHING_ERASED, Erased, blank
from chatroom.blocks import Block
from chatroom.errors import HistoryError, HistoryFull
from chatroom.events import Event, EventKind
from chatroom.history import NOTHING_AMENDED, MemoryHistory
from chatroom.outcomes import Code, Outcome
from chatroom.packets import (
    Answer,
    Burst,
    Bye,
    Channel,
    Command,
    Decoder,
    Info,
    Live,
    Packet,
    Replay,
    Say,
    Welcome,
    encode,
)
from chatroom.records import Record
from tests.support.blocks import flat, in_bursts
from tests.support.patience import PATIENCE


class WatchedCondition(threading.Condition):
    """Sets `waiting` when a thread begins to wait. A test that then takes the lock knows that it waits."""

    def __init__(self, lock: Any) -> None:
        super().__init__(lock)
        self.waiting = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.waiting.set()
        return super().wait(timeout)


class FakeDoor:
    """A native door that counts its translate() calls. echoes: whether authors get their own lines back."""

    def __init__(self, echoes: bool = True) -> None:
        self.echoes = echoes
        self.translated = 0
        self.described = 0

    def translate(self, packets: bytes) -> bytes:
        self.translated += 1
        return packets

    def encode_channel(self, channel: Channel) -> bytes:
        self.described += 1
        return encode(channel)


DOOR = FakeDoor()


class RecordingHistory(MemoryHistory):
    """A history that records the stored events, and fails on demand.

    full:   append raises HistoryFull while it is set
    broken: append raises HistoryError
    tried:  set by every append
    """

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[int, Event] = {}
        self.erased: dict[int, int] = {}
        self.full = False
        self.broken = False
        self.tried = threading.Event()
        self.closed = False

    def append(
        self,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
        amended: Mapping[int, bytes] = NOTHING_AMENDED,
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        try:
            if self.full:
                raise HistoryFull("no space")
            if self.broken:
                raise HistoryError("the disk is gone")
            super().append(blocks, records, position, noted, amended, erased)
            self.stored.update((event.seq, event) for event in flat(blocks))
            self.erased |= erased
        finally:
            self.tried.set()

    def remove(self, last: int) -> None:
        """Remove the events up to seq `last`, as retention does."""
        with self._lock:
            assert all(block.first > last for block in self._after(last)), "a block is removed whole"
            self._blocks, self._removed = self._after(last), last

    @property
    def log(self) -> list[Event]:
        return list(self.stored.values())

    def close(self) -> None:
        self.closed = True


class FakeConnection:
    """A peer that receives and decodes everything, and checks that each event it gets is stored.

    says:   the test puts in the bursts that the peer sends
    taking: False when the peer takes no bytes; what waits for it then is in `waits`
    datas:  the bytes of each send; `sizes` has their lengths
    shared: the bytes that other connections get, too
    ended:  with which code and detail the server has said goodbye
    """

    def __init__(
        self, history: RecordingHistory | None = None, peer: str = "peer", door: FakeDoor = DOOR
    ) -> None:
        self.peer = peer
        self.encrypted = False
        self.door = door
        self.heard = monotonic()
        self.packets: list[Packet] = []
        self.ended: tuple[Code, str] | None = None
        self.released = False
        self.taking = True
        self.busy: list[bool] = []
        self.sizes: list[int] = []
        self.datas: list[bytes] = []
        self.shared: list[bytes] = []
        self.waits: Callable[[bool], None] | None = None
        self.changed = threading.Condition()
        self.says: SimpleQueue[Sequence[Say | Command | Bye] | Exception] = SimpleQueue()
        self.backlog = 0
        self._history = history
        self._decoder = Decoder()

    def receive(self) -> Sequence[Burst | Command | Bye]:
        said = self.says.get(timeout=PATIENCE)
        if isinstance(said, Exception):
            raise said
        return in_bursts(said)

    def submitting(self, submitting: bool) -> None:
        with self.changed:
            self.busy.append(submitting)
            self.changed.notify_all()

    def send(self, data: bytes, shared: bool = False) -> None:
        with self.changed:
            if self.ended is not None:
                return
            self.sizes.append(len(data))
            self.datas.append(data)
            if shared:
                self.shared.append(data)
            for packet in self._decoder.feed(data):
                if isinstance(packet, Event) and packet.seq and self._history is not None:
                    stored = self._history.stored[packet.seq]._replace(places=())
                    left = blank(stored, self._history.erased)
                    if stored.kind is EventKind.ASKED and self._history.erased:
                        trail = self._history.stored[stored.seq + 1]  # who asked
                        left = left._replace(text="" if trail.person in self._history.erased else left.text)
                    assert packet in (stored, left), "seen before it was stored"
                self.packets.append(packet)
            self.changed.notify_all()

    def greet(self, welcome: Welcome, channels: Sequence[bytes]) -> None:
        self.send(encode(welcome))
        for channel in channels:
            self.send(channel, True)
        self.send(encode(Replay(0)))

    def live(self, missed: Sequence[bytes], seq: int, time: int, later: Sequence[bytes]) -> None:
        for data in missed:
            self.send(data, True)
        self.send(encode(Live(seq, time)))
        for data in later:
            self.send(data, True)

    def answer(self, request: int, outcome: Outcome, command: str = "") -> None:
        """The words are the command's name and the rows, so that tests need no door to read them."""
        self.send(encode(Answer(request, outcome.code, f"{command} {outcome.rows}")))

    def answer_with(self, request: int, packets: bytes, outcome: Outcome, command: str) -> None:
        self.send(encode(Replay(request)) + packets)
        self.answer(request, outcome, command)

    def inform(self, text: str) -> None:
        self.send(encode(Info(text)))

    def when_taken(self, call: Callable[[bool], None]) -> None:
        if self.taking or self.ended is not None:
            call(self.ended is None)
        else:
            self.waits = call

    def when_passed(self, call: Callable[[bool], None]) -> int:
        self.when_taken(call)
        return 0 if self.waits is None else sum(self.sizes)

    def part(self, code: Code, detail: str = "") -> None:
        with self.changed:
            if self.ended is None:
                self.ended = (code, detail)
                self.says.put([])
            self.changed.notify_all()

    def release(self) -> None:
        self.released = True

    # --- for the test -----------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        return [packet for packet in self.packets if isinstance(packet, Event)]

    def of(self, kind: type) -> list[Any]:
        return [packet for packet in self.packets if type(packet) is kind]

    def wait_for(self, wanted: Callable[[FakeConnection], bool]) -> None:
        """Until `wanted` is true of this connection."""
        with self.changed:
            assert self.changed.wait_for(lambda: wanted(self), PATIENCE), self.packets[-3:]
