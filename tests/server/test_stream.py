"""The stream: sending never waits, nothing is mixed, and one table and one deadline lead to the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConnectionLost
from chatroom.limits import BEHIND_BYTES
from chatroom.outcomes import Code
from server.backlogs import Backlogs
from server.limits import (
    GOODBYE_SECONDS,
    OWN_BYTES,
    PIECE_BYTES,
    READING_RATE,
    READING_SECONDS,
    REFERENCE_BYTES,
    STALL_BYTES,
    STALL_SECONDS,
)
from server.stream import Phase, Stream
from server.transport import Bytes
from tests.server.fakes import LARGE, Desk, FullDesk, FullTransport, pair, read_all, tls_pair
from tests.support.certificates import Certificates
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

DEAD_AFTER = 45.0


@pytest.fixture(params=["TCP", "TLS"])
def desk(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[Desk]:
    """Over TCP, and over TLS: the bounds and the way to the end are the same."""
    if request.param == "TCP":
        with pair() as (ours, theirs):
            yield Desk(ours, theirs)
    else:
        with tls_pair(certificates.good) as (transport, peer):
            yield Desk(transport, peer)


def tick(desk: Desk | FullDesk, seconds: float) -> bool:
    """Let so many seconds pass, then tick."""
    desk.clock.now += seconds
    return desk.stream.tick(desk.clock.now, DEAD_AFTER)


def phase(desk: Desk | FullDesk) -> Phase:
    """The phase now. A function, because a type checker takes an attribute for unchanged."""
    return desk.stream.phase


# --- sending --------------------------------------------------------------------------------------------


def test_a_peer_that_reads_costs_nothing_more(desk: Desk) -> None:
    """What the socket takes at once is on its way: nothing is buffered, the flusher is not told."""
    desk.stream.send(b"hello")
    assert desk.theirs.recv(100) == b"hello"
    assert desk.stream.buffered == 0 and desk.watched == []


def test_the_rest_is_buffered_and_the_flusher_told_once(desk: Desk) -> None:
    """What the socket does not take waits; the flusher is told when the first bytes wait, and not again."""
    desk.fill()
    assert desk.watched == [desk.stream]
    desk.stream.send(LARGE)
    assert desk.watched == [desk.stream]
    assert desk.stream.buffered > len(LARGE)


def test_a_send_that_fails_leaves_no_circle(desk: Desk) -> None:
    """The stream keeps the reason, and not the error: that knows the frames, and they know the stream."""
    with mock.patch.object(
        type(desk.transport), "send", side_effect=ConnectionLost("reset", "connection lost")
    ):
        desk.stream.send(b"hello")
    assert phase(desk) is Phase.CUT
    with pytest.raises(ConnectionLost, match="reset"):
        desk.stream.receive(100)
    assert desk.stream._why is not None
    assert desk.stream._why.__traceback__ is None and desk.stream._why.__context__ is None


@given(
    sizes=st.lists(st.one_of(st.integers(1, 50), st.integers(1, 60_000)), min_size=1, max_size=20),
    reads=st.lists(st.integers(0, 40_000), max_size=20),
)
def test_bytes_arrive_complete_and_in_order(sizes: list[int], reads: list[int]) -> None:
    """Whatever is taken when, all bytes arrive once and in order, with the goodbye as the last."""
    datas = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    with pair() as (ours, theirs):
        desk = Desk(ours, theirs)
        found, pauses = b"", iter(reads)
        for data in datas:
            desk.stream.send(data)
            if size := next(pauses, 0):
                found += desk.read_some(size)
                desk.stream.flush()
        found += desk.read(sum(sizes) - len(found))
        assert found == b"".join(datas)
        desk.stream.part(Code.STOPPING, "done")
        assert read_all(theirs) == b"goodbye"
        assert phase(desk) is Phase.PARTED


def test_concurrent_senders_do_not_mix(desk: Desk) -> None:
    """Whoever sends at the same time, each send's bytes arrive in one piece, in the order of its sender."""
    senders, sends, size = 4, 50, 700
    start = threading.Barrier(senders)

    def run(number: int) -> None:
        start.wait(PATIENCE)
        for count in range(sends):
            desk.stream.send(bytes([number, count]) * size)

    tasks = [Task(lambda n=number: run(n)) for number in range(senders)]  # type: ignore[misc]
    found = desk.read(senders * sends * 2 * size)
    for task in tasks:
        task.result()
    seen: dict[int, list[int]] = {number: [] for number in range(senders)}
    for place in range(0, len(found), 2 * size):
        number, count = found[place], found[place + 1]
        assert found[place : place + 2 * size] == bytes([number, count]) * size
        seen[number].append(count)
    assert all(counts == list(range(sends)) for counts in seen.values())


def test_a_peer_that_is_gone(desk: Desk) -> None:
    """Sending to a peer that is gone cuts the connection, and raises nothing."""
    desk.theirs.close()
    for _ in range(50):
        desk.stream.send(LARGE)
        desk.stream.flush()
    desk.stream.part(Code.STOPPING, "done")
    assert phase(desk) is Phase.CUT and desk.stream.buffered == 0


def test_a_reset_is_noticed_by_the_first_send(desk: Desk) -> None:
    """A send that finds the connection reset cuts it, and buffers nothing for a flush that would find out."""
    desk.reset()
    desk.stream.send(b"hello")
    assert (phase(desk), desk.stream.buffered) == (Phase.CUT, 0)
    assert tick(desk, 0) is False


def test_flush_tells_whether_bytes_are_left() -> None:
    """The flusher asks the selector about a stream as long as one byte waits, and no longer."""
    desk = FullDesk()
    transport, stream = desk.transport, desk.stream
    assert stream.flush() is False
    stream.send(b"xy")
    assert stream.flush() is True
    transport.room = 1
    assert stream.flush() is True
    transport.room = 1
    assert stream.flush() is False
    assert transport.sent == b"xy"


def test_repr_shows_the_state() -> None:
    """For the debugger, a stream shows its peer, its phase and how much waits."""
    desk = FullDesk()
    desk.stream.send(bytes(100_000))
    assert repr(desk.stream) == "<Stream peer open, 100000 bytes waiting>"


# --- behind ---------------------------------------------------------------------------------------------


def test_falling_behind_and_catching_up(desk: Desk) -> None:
    """A live peer counts as behind from the limit on, once, until half of it is left."""
    desk.stream.live()
    sent = len(desk.fill())
    while desk.stream.buffered <= BEHIND_BYTES:
        assert desk.flow.behind == 0
        desk.stream.send(LARGE, True)
        sent += len(LARGE)
    desk.stream.send(LARGE, True)
    assert desk.flow.behind == 1
    left = sent + len(LARGE)
    while desk.stream.buffered > BEHIND_BYTES // 2:
        assert desk.flow.behind == 1
        left -= len(desk.theirs.recv(65536))
        desk.stream.flush()
    assert desk.flow.behind == 0
    desk.read(left)
    assert desk.flow.behind == 0


def test_behind_means_more_than_the_limit() -> None:
    """A peer with exactly BEHIND_BYTES is not behind, however often it is flushed; one byte more is."""
    desk = FullDesk()
    desk.stream.live()
    desk.stream.send(bytes(BEHIND_BYTES), True)
    desk.stream.flush()
    assert desk.flow.behind == 0
    desk.stream.send(b"x", True)
    assert desk.flow.behind == 1


def test_a_replay_is_not_behind() -> None:
    """A peer counts only after it has read its replay: who asks for much and reads nothing slows nobody."""
    desk = FullDesk()
    desk.stream.send(bytes(3 * BEHIND_BYTES), True)
    desk.stream.live()
    desk.stream.send(b"x")
    assert desk.flow.behind == 0
    desk.transport.room = 3 * BEHIND_BYTES
    desk.stream.flush()
    desk.stream.send(bytes(2 * BEHIND_BYTES), True)
    assert desk.flow.behind == 1


@pytest.mark.parametrize("rate", [0, READING_RATE // 8])
def test_who_hardly_reads_is_not_behind(rate: int) -> None:
    """A peer that has stopped reading, or reads very slowly, does not count, until it reads again."""
    desk = FullDesk()
    desk.stream.live()
    desk.stream.send(bytes(2 * BEHIND_BYTES), True)
    assert desk.flow.behind == 1
    desk.clock.now += READING_SECONDS
    desk.transport.room = int(rate * READING_SECONDS)
    desk.stream.flush()
    assert desk.flow.behind == 0
    desk.stream.send(bytes(BEHIND_BYTES), True)
    assert desk.flow.behind == 0
    desk.clock.now += READING_SECONDS
    desk.transport.room = int(READING_RATE * READING_SECONDS)
    desk.stream.flush()
    assert desk.flow.behind == 1


def test_a_tick_notices_who_stops_reading() -> None:
    """Also when nothing more is sent, a peer that stops reading stops counting."""
    desk = FullDesk()
    desk.stream.live()
    desk.stream.send(bytes(2 * BEHIND_BYTES), True)
    tick(desk, READING_SECONDS)
    assert desk.flow.behind == 0


def test_resting() -> None:
    """A handler that rests goes on after its time, and at once when the connection ends."""
    desk = FullDesk()
    assert desk.stream.rest(0.001) is True
    task = Task(lambda: desk.stream.rest(2 * PATIENCE))
    desk.stream.cut("enough")
    assert task.result() is False


@pytest.mark.parametrize("end", ["part", "cut", "part, cut", "stall", "silence", "release", "reset"])
def test_a_departing_peer_is_not_behind(desk: Desk, end: str) -> None:
    """A peer no longer counts as behind from the beginning of its end on, whatever ends it."""
    desk.stream.live()
    desk.stream.send(b"x" * (BEHIND_BYTES + 500_000), True)
    assert desk.flow.behind == 1
    if "part" in end:
        desk.stream.part(Code.STOPPING, "bye")
        assert desk.flow.behind == 0
    if "cut" in end:
        desk.stream.cut("bye")
    if end == "stall":
        tick(desk, STALL_SECONDS + 1)
    if end == "silence":
        desk.stream.tick(desk.clock.now + 1, 0.5)
    if end == "release":
        desk.stream.release()
    if end == "reset":
        desk.reset()
        assert desk.stream.flush() is False
    assert desk.flow.behind == 0
    desk.stream.flush()
    assert desk.flow.behind == 0


def test_too_far_behind(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A peer for which more than the limit waits is told goodbye; its handler and the log hear why."""
    monkeypatch.setattr("server.stream.BACKLOG_BYTES", BEHIND_BYTES + 10)
    desk = FullDesk()
    desk.stream.send(bytes(BEHIND_BYTES + 10), True)
    assert phase(desk) is Phase.OPEN
    desk.stream.send(b"x", True)
    assert phase(desk) is Phase.PARTING
    assert desk.words.reasons == [(Code.TOO_SLOW, "too far behind")]
    assert "peer: too far behind" in caplog.text
    tick(desk, GOODBYE_SECONDS + 0.1)
    with pytest.raises(ConnectionLost, match="too far behind"):
        desk.stream.receive(10)


def test_waiting_until_it_is_taken(desk: Desk) -> None:
    """A thread that waits for the peer goes on as soon as little enough is buffered."""
    assert desk.stream.wait_until_taken(0) is True
    sent = desk.fill()
    task = Task(lambda: desk.stream.wait_until_taken(0))
    assert task.is_alive()
    desk.read(len(sent))
    assert task.result() is True


def test_several_threads_wait(desk: Desk) -> None:
    """A handler and a thread that catches up may wait for the same peer: both go on."""
    sent = desk.fill()
    tasks = [Task(lambda: desk.stream.wait_until_taken(0)) for _ in range(3)]
    desk.read(len(sent))
    assert [task.result() for task in tasks] == [True] * 3


@pytest.mark.parametrize("end", ["part", "cut"])
def test_waiting_ends_with_the_connection(desk: Desk, end: str) -> None:
    """A thread that waits for a peer whose connection ends is told so."""
    desk.fill()
    task = Task(lambda: desk.stream.wait_until_taken(0))
    if end == "part":
        desk.stream.part(Code.STOPPING, "bye")
    else:
        desk.stream.cut("bye")
    assert task.result() is False
    assert desk.stream.wait_until_taken(10**9) is False


# --- encrypted and not sent -----------------------------------------------------------------------------


class Encrypting(FullTransport):
    """Takes ten bytes at once, and keeps those for which there is no room."""

    encrypted = True

    def __init__(self) -> None:
        super().__init__()
        self._waiting = b""
        self.finished = False

    @property
    def pending(self) -> int:  # type: ignore[override]
        return len(self._waiting)

    def send(self, data: Bytes) -> int:
        self._waiting = self._waiting[super().send(self._waiting) :]
        taken = 0
        while taken < len(data) and not self._waiting:
            chunk = bytes(data[taken : taken + 10])
            taken += len(chunk)
            self._waiting = chunk[super().send(chunk) :]
        return taken

    def finish(self) -> None:
        self._waiting += b"." * (not self.finished)
        self.finished = True


@pytest.fixture
def encrypting() -> FullDesk:
    return FullDesk(transport=Encrypting())


def test_bytes_that_wait_encrypted_are_buffered(encrypting: FullDesk) -> None:
    """What the socket has not taken of the transport is the flusher's business; later bytes wait behind."""
    stream, transport = encrypting.stream, encrypting.transport
    transport.room = 3
    stream.send(b"hello", True)
    assert (stream.buffered, stream.is_idle) == (2, False)
    stream.send(b"world")
    assert stream.buffered == 7
    assert stream.flush() is True
    transport.room = 3
    assert stream.flush() is True
    transport.room = 100
    assert stream.flush() is False
    assert transport.sent == b"helloworld"
    assert (stream.buffered, stream.is_idle, encrypting.backlogs.own) == (0, True, 0)
    assert encrypting.stream.tick(encrypting.clock.now, DEAD_AFTER) is False


def test_no_goodbye_before_all_is_sent(encrypting: FullDesk) -> None:
    """A connection has parted when the socket has the goodbye, and that of TLS follows it."""
    stream, transport = encrypting.stream, encrypting.transport
    assert isinstance(transport, Encrypting)
    transport.room = 3
    stream.part(Code.STOPPING, "done")
    assert phase(encrypting) is Phase.PARTING and not transport.finished
    transport.room = 4
    assert stream.flush() is True
    assert phase(encrypting) is Phase.PARTED and transport.finished
    assert stream.flush() is True
    transport.room = 1
    assert stream.flush() is False
    assert transport.sent == b"goodbye."


@pytest.mark.parametrize("waiting", ["one piece", "several"])
def test_a_stall_of_encrypted_bytes(encrypting: FullDesk, waiting: str) -> None:
    """A peer that takes nothing of what waits encrypted is disconnected as one that reads nothing."""
    if waiting == "one piece":
        encrypting.stream.send(b"hello")
    else:
        encrypting.stream.send_all([b"hello", b"world", b"and", b"others"])
    assert tick(encrypting, STALL_SECONDS - 0.1) is True
    assert phase(encrypting) is Phase.OPEN
    tick(encrypting, 0.2)
    assert encrypting.words.reasons == [(Code.TOO_SLOW, "not reading")]
    tick(encrypting, GOODBYE_SECONDS + 0.1)
    assert phase(encrypting) is Phase.CUT and not encrypting.stream.flush()


def test_encrypted_bytes_that_are_taken_slowly() -> None:
    """What the socket takes of encrypted bytes counts as reading, though no other bytes leave the buffer."""
    desk = FullDesk(transport=Encrypting())
    transport = desk.transport
    assert isinstance(transport, Encrypting)
    desk.stream.submitting(True)
    transport._waiting = bytes(10 * STALL_BYTES)  # as if there were larger chunks
    desk.stream.send(b"x")
    for _ in range(9):
        transport.room = STALL_BYTES
        desk.stream.flush()
        tick(desk, STALL_SECONDS - 0.1)
        assert phase(desk) is Phase.OPEN


def test_waiting_for_encrypted_bytes(encrypting: FullDesk) -> None:
    """Who waits until a peer has taken its own bytes waits for encrypted ones, too; they count as its own."""
    calls: list[bool] = []
    encrypting.stream.send(b"hello", True)
    assert encrypting.backlogs.own == 5
    encrypting.stream.when_taken(calls.append)
    assert encrypting.stream.when_passed(calls.append) == 5
    task = Task(lambda: encrypting.stream.wait_until_taken(0))
    assert calls == [] and task.is_alive()
    encrypting.transport.room = 5
    encrypting.stream.flush()
    assert calls == [True, True] and task.result() is True
    assert encrypting.backlogs.own == 0


# --- memory ---------------------------------------------------------------------------------------------


def test_what_waits_is_reported() -> None:
    """All that waits is in the backlogs, shared pieces once; what was sent, or dropped at the end, is not."""
    backlogs: Backlogs[Stream] = Backlogs()
    desks = [FullDesk(backlogs) for _ in range(10)]
    batch = b"b" * 5000
    for desk in desks:
        desk.stream.send(b"own", False)
        desk.stream.send(batch, True)
        desk.stream.send_all([batch, b"x" * 100])
    assert backlogs.own == 10 * (3 + PIECE_BYTES)
    assert backlogs.shared == 5000 + 100 + 2 * PIECE_BYTES + 30 * REFERENCE_BYTES
    for desk in desks[:4]:
        desk.transport.room = 100_000
        desk.stream.flush()
    for desk in desks[4:7]:
        desk.stream.part(Code.STOPPING, "bye")
    for desk in desks[7:]:
        desk.stream.cut("bye")
    assert (backlogs.own, backlogs.shared) == (0, 0)


def test_what_is_sent_at_once_costs_nothing(desk: Desk) -> None:
    """Pieces that the socket takes at once are never counted, and the flusher is not told."""
    desk.stream.send_all([b"one", b"two"])
    assert desk.theirs.recv(100) == b"onetwo"
    assert (desk.backlogs.own, desk.backlogs.shared, desk.watched) == (0, 0, [])


def test_a_piece_of_its_own_among_shared_ones() -> None:
    """Of several pieces one may be for this peer only; what the socket takes at once is not counted."""
    desk = FullDesk()
    desk.transport.room = 5
    desk.stream.send_all([b"abc", b"defgh", b"ij"], own=0)
    assert desk.transport.sent == b"abcde"
    assert (desk.backlogs.own, desk.backlogs.shared) == (0, 5 + 2 + 2 * (PIECE_BYTES + REFERENCE_BYTES))
    desk.stream.send_all([b"kl", b"mn"], own=1)
    assert desk.backlogs.own == 2 + PIECE_BYTES
    desk.transport.room = 100
    desk.stream.flush()
    assert desk.transport.sent == b"abcdefghijklmn"
    assert (desk.backlogs.own, desk.backlogs.shared) == (0, 0)


def test_several_pieces_to_a_peer_that_is_gone() -> None:
    """A connection that breaks while several pieces are sent is cut."""
    desk = FullDesk()
    with mock.patch.object(desk.transport, "send", side_effect=ConnectionLost("reset")):
        desk.stream.send_all([b"one", b"two"])
    assert phase(desk) is Phase.CUT


def test_several_pieces_arrive_in_order(desk: Desk) -> None:
    """Pieces come behind what waits already, in order; the flusher is told once."""
    sent = desk.fill()
    pieces = [bytes([number]) * 50_000 for number in range(10)]
    desk.stream.send_all(pieces)
    assert desk.read(len(sent) + 500_000) == sent + b"".join(pieces)
    assert desk.watched == [desk.stream] and desk.backlogs.shared == 0
    desk.stream.send_all(pieces)
    assert desk.read(500_000) == b"".join(pieces)
    assert desk.backlogs.shared == 0


def test_too_much_of_its_own() -> None:
    """A peer that leaves more than OWN_BYTES unread that only it gets is told goodbye."""
    desk = FullDesk()
    for _ in range(OWN_BYTES // 1000 - 100):
        desk.stream.send(bytes(900))
    assert phase(desk) is Phase.OPEN
    for _ in range(200):
        desk.stream.send(bytes(900))
    assert phase(desk) is Phase.PARTING
    assert desk.words.reasons == [(Code.TOO_SLOW, "too far behind")]


def test_when_all_together_is_too_much_the_largest_goes() -> None:
    """When all backlogs are too much, the peer with the most is told goodbye, whoever is sent something."""
    backlogs: Backlogs[Stream] = Backlogs(shared_limit=100_000)
    slow, slower, other = (FullDesk(backlogs) for _ in range(3))
    for number in range(9):
        batch = bytes([number]) * 10_000
        slower.stream.send(batch, True)
        if number > 4:
            slow.stream.send(batch, True)
    assert [phase(desk) for desk in (slow, slower)] == [Phase.OPEN, Phase.OPEN]
    other.stream.send(b"x" * 20_000, True)
    assert [phase(desk) for desk in (slow, slower, other)] == [Phase.OPEN, Phase.PARTING, Phase.OPEN]
    assert backlogs.shared < 100_000


def test_it_is_told_when_the_peer_has_taken_its_own() -> None:
    """Who waits for the peer is called once: when its own bytes are sent, or at once when none wait."""
    desk, told = FullDesk(), list[bool]()
    desk.stream.when_taken(told.append)
    assert told == [True]
    desk.stream.send(b"xyz")
    desk.stream.when_taken(told.append)
    desk.transport.room = 2
    desk.stream.flush()
    assert told == [True]
    desk.transport.room = 2
    desk.stream.flush()
    desk.stream.flush()
    assert told == [True, True]


@pytest.mark.parametrize("end", ["part", "cut"])
def test_it_is_told_that_the_connection_ends(end: str) -> None:
    """Who waits for a peer whose connection ends is called with False, and so is who comes later."""
    desk, told = FullDesk(), list[bool]()
    desk.stream.send(b"xyz")
    desk.stream.when_taken(told.append)
    if end == "part":
        desk.stream.part(Code.STOPPING, "bye")
    else:
        desk.stream.cut("bye")
    desk.stream.when_taken(told.append)
    assert told == [False, False]


def test_it_is_told_when_the_peer_has_taken_all_up_to_now() -> None:
    """Who asks behind a send is called once, when these bytes are sent, whatever comes behind them."""
    desk, told = FullDesk(), list[str]()
    desk.transport.room = 3
    desk.stream.send(b"all", True)
    assert desk.stream.when_passed(lambda is_open: told.append(f"all {is_open}")) == 0
    desk.stream.send(b"xyz", True)
    assert desk.stream.when_passed(lambda is_open: told.append(f"xyz {is_open}")) == 3
    desk.stream.send(b"later")
    assert desk.stream.when_passed(lambda is_open: told.append(f"later {is_open}")) == 8
    desk.transport.room = 2
    desk.stream.flush()
    assert told == ["all True"]
    desk.transport.room = 2
    desk.stream.flush()
    desk.stream.flush()
    assert told == ["all True", "xyz True"]
    desk.stream.part(Code.STOPPING, "bye")
    assert told == ["all True", "xyz True", "later False"]
    assert desk.stream.when_passed(lambda is_open: told.append(f"too late {is_open}")) == 0
    assert told[3:] == ["too late False"]


# --- the goodbye ----------------------------------------------------------------------------------------


def test_goodbye_when_nothing_waits(desk: Desk) -> None:
    """A peer that reads gets the goodbye as its last bytes, then the end of the stream; it may still send."""
    desk.stream.send(b"one")
    desk.stream.part(Code.TAKEN_OVER, "bye")
    desk.stream.send(b"two")
    desk.stream.part(Code.STOPPING, "again")
    assert phase(desk) is Phase.PARTED
    assert read_all(desk.theirs) == b"onefarewell"
    desk.theirs.send(b"still talking")
    assert desk.transport.receive(20) == b"still talking"  # a closed socket would have sent a reset


def test_goodbye_behind_a_begun_batch(desk: Desk) -> None:
    """A batch of which some is sent is sent whole; batches not begun are dropped; the goodbye is last."""
    begun = desk.fill()
    for number in range(200):
        desk.stream.send(f"unbegun {number};".encode())
    desk.stream.part(Code.STOPPING, "bye")
    assert phase(desk) is Phase.PARTING
    assert desk.read(len(begun) + 7) == begun + b"goodbye"
    assert phase(desk) is Phase.PARTED
    assert read_all(desk.theirs) == b""


def test_goodbye_when_no_batch_was_begun() -> None:
    """When only whole batches wait, the goodbye takes the place of all of them."""
    desk = FullDesk()
    transport, stream = desk.transport, desk.stream
    stream.send(b"unbegun")
    stream.send(b"unbegun too")
    stream.part(Code.STOPPING, "bye")
    transport.room = 100
    assert stream.flush() is False
    assert (transport.sent, stream.phase) == (b"goodbye", Phase.PARTED)


def test_a_goodbye_is_looked_after_by_the_flusher(desk: Desk) -> None:
    """The flusher is told of every goodbye, since its deadline runs."""
    desk.stream.part(Code.STOPPING, "bye")
    assert desk.watched == [desk.stream]
    assert tick(desk, 0.0) is True


@pytest.mark.parametrize("taken", [True, False])
def test_a_peer_that_does_not_close_is_cut(desk: Desk, taken: bool) -> None:
    """GOODBYE_SECONDS after the goodbye the connection is cut, whether or not the peer has read it."""
    if not taken:
        desk.fill()
    desk.stream.part(Code.STOPPING, "bye")
    assert tick(desk, GOODBYE_SECONDS - 0.1) is True
    assert phase(desk) is (Phase.PARTED if taken else Phase.PARTING)
    assert tick(desk, 0.2) is False
    assert phase(desk) is Phase.CUT


def test_silence_does_not_shorten_the_goodbye(desk: Desk) -> None:
    """A peer that was silent when it was told goodbye has GOODBYE_SECONDS, too."""
    desk.clock.now += DEAD_AFTER
    desk.stream.part(Code.STOPPING, "bye")
    tick(desk, GOODBYE_SECONDS - 0.1)
    assert phase(desk) is Phase.PARTED


# --- stalling and silence -------------------------------------------------------------------------------


def test_a_stalled_peer_is_told_goodbye(desk: Desk) -> None:
    """A peer that takes no byte of its backlog for STALL_SECONDS is told goodbye, and not before."""
    assert tick(desk, 2 * STALL_SECONDS) is False
    desk.fill()
    desk.stream.submitting(True)  # its silence is another matter
    assert tick(desk, STALL_SECONDS - 1) is True
    assert phase(desk) is Phase.OPEN
    tick(desk, 2)
    assert phase(desk) is Phase.PARTING
    assert desk.words.reasons == [(Code.TOO_SLOW, "not reading")]
    came = b""
    while phase(desk) is Phase.PARTING:
        came += desk.theirs.recv(65536)
        desk.stream.flush()
    assert (came + read_all(desk.theirs)).endswith(b"goodbye")  # it may come back at once


def test_a_peer_that_stops_reading_is_stalled() -> None:
    """The time runs from the last STALL_BYTES that were taken: flushing in vain does not prolong it."""
    desk = FullDesk()
    desk.stream.send(LARGE, True)
    desk.stream.submitting(True)
    tick(desk, STALL_SECONDS - 1)
    desk.transport.room = STALL_BYTES
    desk.stream.flush()
    tick(desk, STALL_SECONDS - 1)
    desk.stream.flush()
    assert phase(desk) is Phase.OPEN
    tick(desk, 2)
    assert phase(desk) is Phase.PARTING


def test_one_byte_now_and_then_is_no_reading() -> None:
    """A peer that takes less than STALL_BYTES in STALL_SECONDS is told goodbye."""
    desk = FullDesk()
    desk.stream.send(LARGE)
    desk.stream.submitting(True)
    for _ in range(10):
        desk.transport.room = (STALL_BYTES - 1) // 10
        desk.stream.flush()
        tick(desk, STALL_SECONDS / 10 + 0.01)
    assert phase(desk) is Phase.PARTING


def test_a_slow_peer_is_not_stalled(desk: Desk) -> None:
    """A peer that takes some bytes now and then keeps its connection."""
    left = len(desk.fill())
    desk.stream.submitting(True)
    for _ in range(5):
        waiting = desk.stream.buffered
        while desk.stream.buffered == waiting:
            left -= len(desk.theirs.recv(10_000))
            desk.stream.send(LARGE, True)
            left += len(LARGE)
            waiting += len(LARGE)
            desk.stream.flush()
        tick(desk, STALL_SECONDS - 1)
        assert phase(desk) is Phase.OPEN
    desk.read(left)
    assert tick(desk, 0) is False


def test_a_silent_peer_is_pinged(desk: Desk) -> None:
    """A ping goes out after each third of the time, and a quiet peer stays."""
    tick(desk, 14)
    assert desk.read_some() == b""
    for seconds in (2, 2, 13):  # pinged at 16 and at 31
        tick(desk, seconds)
    assert desk.read(8) == b"pingping" and desk.read_some() == b""
    assert phase(desk) is Phase.OPEN


def test_a_dead_peer_is_cut(desk: Desk) -> None:
    """A peer that was silent for too long is cut, and the handler, which is woken, hears why."""
    task = Task(lambda: desk.stream.receive(10))
    tick(desk, DEAD_AFTER)
    assert phase(desk) is Phase.OPEN
    tick(desk, 1)
    with pytest.raises(ConnectionLost, match="silent for 45 s"):
        task.result()


def test_every_byte_is_a_sign_of_life(desk: Desk) -> None:
    """The time of silence begins anew with whatever comes."""
    for _ in range(3):
        tick(desk, DEAD_AFTER - 1)
        desk.theirs.send(b"x")
        assert desk.stream.receive(10) == b"x"
    assert phase(desk) is Phase.OPEN


def test_waiting_at_the_queue_is_not_silence(desk: Desk) -> None:
    """While the handler waits at the queue nobody reads, and the time of silence begins when it goes on."""
    desk.stream.submitting(True)
    tick(desk, 1000)
    desk.stream.tick(desk.clock.now, 0.5)
    assert phase(desk) is Phase.OPEN
    desk.stream.submitting(False)
    tick(desk, DEAD_AFTER - 1)
    assert phase(desk) is Phase.OPEN
    tick(desk, 2)
    assert phase(desk) is Phase.CUT


def test_a_pause_of_the_process_is_excused(desk: Desk) -> None:
    """After a pause nobody is dead at once: only who is still silent a round later goes."""
    desk.clock.now += 1000
    desk.stream.excuse(1000, desk.clock.now - DEAD_AFTER + 3)
    tick(desk, 0)
    assert phase(desk) is Phase.OPEN
    tick(desk, 4)
    assert phase(desk) is Phase.CUT


def test_a_pause_does_not_stall(desk: Desk) -> None:
    """The time in which the process was stopped does not count as time without reading."""
    desk.fill()
    desk.stream.submitting(True)
    tick(desk, STALL_SECONDS - 1)
    desk.clock.now += 1000
    desk.stream.excuse(1000, desk.clock.now - DEAD_AFTER)
    tick(desk, 0.5)
    assert phase(desk) is Phase.OPEN
    tick(desk, 1)
    assert phase(desk) is Phase.PARTING


def test_a_reset_is_a_lost_connection(desk: Desk) -> None:
    """A handler whose peer resets the connection hears of that, in the system's words."""
    desk.reset()
    with pytest.raises(ConnectionLost, match="reset"):
        desk.stream.receive(10)


# --- the handler's end ----------------------------------------------------------------------------------


def test_the_first_reason_counts(desk: Desk) -> None:
    """The handler learns why the connection was ended: the first reason that was given."""
    desk.stream.part(Code.TAKEN_OVER, "taken over")
    desk.stream.cut("another")
    with pytest.raises(ConnectionLost, match="taken over"):
        desk.stream.receive(10)


def test_a_code_is_reason_enough(desk: Desk) -> None:
    """Where the server gave only a code, the handler hears the code in words."""
    desk.stream.part(Code.TAKEN_OVER)
    assert desk.words.reasons == [(Code.TAKEN_OVER, "")]
    desk.theirs.sendall(b"a line")
    with pytest.raises(ConnectionLost, match=r"^taken over$"):
        desk.stream.receive(10)


def test_bytes_after_the_goodbye_do_not_count(desk: Desk) -> None:
    """Bytes that were on their way when the goodbye was said are dropped; the handler hears of the end."""
    desk.stream.part(Code.STOPPING, "the end")
    desk.theirs.sendall(b"a line")
    with pytest.raises(ConnectionLost, match="the end"):
        desk.stream.receive(10)


def test_release_waits_for_the_peer_to_close(desk: Desk) -> None:
    """release() reads on until the peer, which still talks, has read the goodbye and closed."""
    desk.stream.part(Code.STOPPING, "bye")
    desk.theirs.sendall(LARGE[:5000])
    task = Task(desk.stream.release)
    assert read_all(desk.theirs) == b"goodbye"  # with a reset it would raise
    desk.theirs.sendall(LARGE[:5000])
    assert task.is_alive() and not desk.stream.released
    desk.theirs.close()
    task.result()
    assert desk.stream.released and phase(desk) is Phase.CUT
    assert desk.watched[-1] is desk.stream and desk.stream.fileno() >= 0


def test_release_ends_when_the_peer_is_cut(desk: Desk) -> None:
    """A peer that does not close holds the handler until the flusher cuts the connection."""
    desk.stream.part(Code.STOPPING, "bye")
    task = Task(desk.stream.release)
    tick(desk, GOODBYE_SECONDS + 1)
    task.result()
    assert desk.stream.released


def test_release_without_a_goodbye(desk: Desk) -> None:
    """Without a goodbye the connection is cut at once; the descriptor stays open until the flusher closes."""
    desk.fill()
    desk.stream.release()
    assert (phase(desk), desk.stream.released, desk.stream.buffered) == (Phase.CUT, True, 0)
    assert desk.stream.fileno() >= 0
    desk.stream.close()
    assert desk.stream.fileno() == -1
    desk.stream.send(b"too late")
    desk.stream.part(Code.STOPPING, "too late")
    assert tick(desk, 1000) is False


# --- two threads at once ----------------------------------------------------------------------------------


class YieldingLock:
    """A lock after whose next release another thread comes first: it does `meanwhile`."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self.locked = self._lock.locked

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            Task(meanwhile).result()


def test_a_replay_between_a_flush_and_its_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay that comes before the flusher could report what has left the buffer loses nothing of that."""
    lock = YieldingLock()
    with monkeypatch.context() as patch:
        patch.setattr("server.stream.threading", mock.Mock(wraps=threading, Lock=lambda: lock))
        desk = FullDesk()
    desk.stream.send(b"batch", True)
    assert desk.backlogs.shared > 0
    desk.transport.room = 100
    lock.meanwhile = lambda: desk.stream.send_all([b"replay"])
    desk.stream.flush()
    assert desk.transport.sent == b"batchreplay"
    assert (desk.backlogs.shared, desk.backlogs.own) == (0, 0)
