"""The native door: what comes in, what is answered, and how everything is worded."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from threading import Semaphore

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, ProtocolError
from chatroom.flow import Flow
from chatroom.limits import MAX_REASON, RECEIVE_LARGE, TEXT_PART
from chatroom.outcomes import RETURNING, Code, Outcome
from chatroom.packets import (
    HEADER,
    MAGIC,
    VERSION,
    Answer,
    Burst,
    Bye,
    Channel,
    Command,
    Decoder,
    Form,
    Info,
    Live,
    Packet,
    Ping,
    Pong,
    Present,
    Replay,
    Resumed,
    Role,
    Say,
    Welcome,
    encode,
)
from server.backlogs import Backlogs
from server.connection import NativeDoor
from server.guest import Guest
from server.limits import RECEIVE_SMALL
from server.stream import Phase, Stream
from server.transport import TcpTransport
from tests.server.fakes import pair
from tests.support.blocks import in_bursts
from tests.support.events import said
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.tasks import Task

ONE, TWO = Say(1, "#general", "one"), Say(2, "#general", "two")
FIRST, SECOND, BOTH = in_bursts([ONE]), in_bursts([TWO]), in_bursts([ONE, TWO])
WELCOME = Welcome("ann", b"t" * 16, b"i" * 16, 5, 7, 9, Resumed.GAP)
CHANNEL = Channel(1, "#general", "", 0, Role.MEMBER, 1, (Present(5, Role.MEMBER, "ann"),))


class Line:
    """A connection with a peer of the test's at the other end."""

    def __init__(self, guest: Guest, peer: Peer, rate: float | None = None) -> None:
        self.streams: list[Stream] = []
        self.door = NativeDoor(self.streams.append, Flow(), Backlogs(), rate)
        self.connection = self.door.open(guest.transport, guest.exchange)
        self.peer = peer

    @property
    def stream(self) -> Stream:
        return self.streams[0]


@pytest.fixture
def line() -> Iterator[Line]:
    with pair(small=False) as (ours, theirs):
        yield Line(Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE)), Peer(theirs))


def apart(packets: Sequence[Packet]) -> list[Packet]:
    """The lines of bursts one by one, and the other packets as they are."""
    found: list[Packet] = []
    for packet in packets:
        if isinstance(packet, Burst):
            both = zip(packet.ids, packet.texts, strict=True)
            found += [Say(id, packet.channel, text.decode(), packet.form) for id, text in both]
        else:
            found.append(packet)
    return found


def test_a_burst_is_what_came_together(line: Line) -> None:
    """All lines of one segment come as one burst, in order; the next segment is the next burst."""
    line.peer.send(ONE, TWO)
    assert line.connection.receive() == BOTH
    line.peer.send(Command(3, "#general", "/who"), Bye(False, Code.GOODBYE, "so long"))
    assert line.connection.receive() == [Command(3, "#general", "/who"), Bye(False, Code.GOODBYE, "so long")]
    line.peer.socket.close()
    assert list(line.connection.receive()) == []


@pytest.mark.parametrize(
    ("sent", "said"), [("a\r\nb\rc\n\rd", "a\nb\nc\n\nd"), ("a\0b", "a b"), ("\r", "\n"), ("a\nb", "a\nb")]
)
def test_every_line_end_is_a_line_feed(line: Line, sent: str, said: str) -> None:
    """CR LF and a lone CR become LF, and NUL a space: texts are the same for every program."""
    line.peer.send(ONE, Say(2, "#general", sent))
    assert line.connection.receive() == in_bursts([ONE, Say(2, "#general", said)])


def test_a_line_end_belongs_to_one_line(line: Line) -> None:
    """A CR at the end of a line and an LF at the beginning of the next are two line ends."""
    line.peer.send(Say(1, "#general", "a\r"), Say(2, "#general", "\nb"), Say(3, "#general", "é"))
    assert line.connection.receive() == [Burst("#general", [1, 2, 3], [b"a\n", b"\nb", "é".encode()])]


def test_a_line_that_is_not_plain(line: Line) -> None:
    """A line with an extra, of another form or in parts comes by itself, tidied as all; its extra stays."""
    long = "x" * TEXT_PART + "\r\0"
    for sent, taken in (
        (Say(2, "#general", "b\r", 0, b"\1\0"), Burst("#general", [2], [b"b\n"], 0, b"\1\0")),
        (Say(3, "#general", "c", Form.ACT), Burst("#general", [3], [b"c"], Form.ACT)),
        (Say(4, "#general", "", Form.DELETE), Burst("#general", [4], [b""], Form.DELETE)),
        (Say(5, "#general", long), Burst("#general", [5], [b"x" * TEXT_PART + b"\n "])),
    ):
        line.peer.send(ONE, sent, Say(6, "#general", "end"))
        found: list[Packet] = []
        while len(apart(found)) < 3:
            found += line.connection.receive()
        assert found == [*FIRST, taken, Burst("#general", [6], [b"end"])]


def test_cut_in_the_middle_of_a_packet(line: Line) -> None:
    """A packet that comes in two segments is one packet."""
    data = encode(ONE)
    line.peer.socket.sendall(data[:7])
    task = Task(line.connection.receive)
    line.peer.socket.sendall(data[7:])
    assert task.result() == FIRST


def test_a_ping_is_answered(line: Line) -> None:
    """A ping gets a pong with its id, and the chatroom never hears of either."""
    line.peer.send(ONE, Ping(7), Pong(8), TWO)
    assert line.connection.receive() == [*FIRST, *SECOND]
    assert line.peer.receive() == Pong(7)


def test_what_came_with_the_handshake() -> None:
    """Lines that came right behind ADMIT count: whole packets, half ones, and the error of a wrong one."""
    for behind, then in ((encode(ONE) + encode(TWO)[:9], encode(TWO)[9:]), (encode(ONE) + b"GET /", b"")):
        with pair(small=False) as (ours, theirs):
            guest = Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE))
            theirs.sendall(encode(Ping(0)) + behind)
            assert guest.exchange.receive() == Ping(0)
            line = Line(guest, Peer(theirs))
            assert line.connection.receive() == FIRST
            theirs.sendall(then)
            if then:
                assert line.connection.receive() == SECOND
            else:
                with pytest.raises(ProtocolError):
                    line.connection.receive()


@pytest.mark.parametrize(
    "wrong",
    [b"GET / HTTP/1.1\r\n\r\n", encode(Live(5, 0)), encode(WELCOME)],
    ids=["not ours", "LIVE", "WELCOME"],
)
def test_good_packets_before_a_wrong_one_count(line: Line, wrong: bytes) -> None:
    """What was said before the protocol was broken counts, though it came in the same segment."""
    line.peer.socket.sendall(encode(ONE) + encode(Ping(1)) + encode(TWO) + wrong + encode(ONE))
    assert line.connection.receive() == [*FIRST, *SECOND]
    for _ in range(2):
        with pytest.raises(ProtocolError):
            line.connection.receive()


def test_what_may_not_come_from_a_member(line: Line) -> None:
    """A packet that only a server sends ends the connection, with a reason that names it."""
    line.peer.send(Live(5, 0))
    with pytest.raises(ProtocolError, match=r"^LIVE cannot come from a member$"):
        line.connection.receive()


@pytest.mark.parametrize("kind", [0x20, 0x26, 0x7F])
def test_no_event_may_come_from_a_member(line: Line, kind: int) -> None:
    """Events come from servers only: one of an unknown kind without a seq ends the connection, too."""
    payload = bytes(28)
    line.peer.socket.sendall(HEADER.pack(MAGIC, VERSION, kind, 0, len(payload), 0, 0, 1) + payload)
    with pytest.raises(ProtocolError, match=r"cannot come from a member$"):
        line.connection.receive()


def test_everything_is_worded_in_packets(line: Line) -> None:
    """What the chatroom says arrives in order, as the packets of our protocol, the goodbye last."""
    connection = line.connection
    connection.greet(WELCOME, [connection.door.encode_channel(CHANNEL)])
    connection.live([encode(said(9))], 9, 77, [encode(said(10))])
    connection.answer(7, Outcome(Code.NOT_IN))
    connection.answer(8, Outcome(Code.OK, ("#general", ("ann", "here"))), "/who")
    connection.inform("note")
    connection.part(Code.STOPPING)
    connection.inform("too late")
    assert line.peer.rest() == [
        WELCOME,
        CHANNEL,
        Replay(0),
        said(9),
        Live(9, 77),
        said(10),
        Answer(7, Code.NOT_IN, "not said: you are not in this channel"),
        Answer(8, Code.OK, "/who #general: 1 here\n  ann", '["#general",["ann","here"]]'),
        Info("note"),
        Bye(True, Code.STOPPING, "the server is shutting down"),
    ]


@pytest.mark.parametrize("code", [Code.TAKEN_OVER, Code.PROTOCOL_ERROR, Code.GOODBYE, *sorted(RETURNING)])
def test_whether_a_peer_may_come_back(line: Line, code: Code) -> None:
    """The goodbye has the code and says whether the peer may come back; the detail is for a person."""
    line.connection.part(code, "because")
    (bye,) = line.peer.rest()
    assert isinstance(bye, Bye) and "because" in bye.reason
    assert (bye.again, bye.code) == (code in RETURNING, code)


def test_the_native_door_echoes(line: Line) -> None:
    """An author gets its own line back: that is how it learns that the line is stored."""
    assert line.connection.door.echoes is True


def test_a_new_connection_is_watched(line: Line) -> None:
    """The flusher is told of a connection when it is made, and of its release."""
    assert len(line.streams) == 1
    line.connection.release()
    assert line.streams == [line.stream] * 2 and line.stream.released
    with pytest.raises(ConnectionLost):
        line.connection.receive()


def test_pings_are_the_doors_words(line: Line) -> None:
    """A silent peer gets the PING of our protocol."""
    line.stream.tick(line.streams[0].clock() + 20, 45)
    assert line.peer.receive() == Ping(0)


def test_a_long_answer_is_whole(line: Line) -> None:
    """An answer that is longer than a packet comes in several, and is one answer with words and rows."""
    members = tuple((f"é-{number}", "here") for number in range(1000))
    line.connection.answer(9, Outcome(Code.OK, ("#general", *members)), "/who")
    answer = line.peer.receive()
    assert isinstance(answer, Answer) and len(answer.words.encode()) > TEXT_PART
    assert answer.words.endswith("é-999") and json.loads(answer.rows)[-1] == ["é-999", "here"]


def test_lines_of_the_past_are_in_one_send(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's lines come between REPLAY and ANSWER with its id; other threads send before or behind."""
    sent: list[bytes] = []
    monkeypatch.setattr(line.connection, "send", sent.append)
    events = [said(1, "one"), said(2, "x" * 2 * TEXT_PART)]
    outcome = Outcome(Code.OK, ({"more": False},))
    line.connection.answer_with(7, b"".join(map(encode, events)), outcome, "/history")
    (data,) = sent
    begin, *found, answer = Decoder().feed(data)
    assert (begin, found) == (Replay(7), events)
    assert answer == Answer(7, Code.OK, "that is all", '[{"more":false}]')


def test_long_texts_are_shortened(line: Line) -> None:
    """A text that is longer than its packet may be is cut between characters, and one sees that."""
    line.connection.inform("é" * TEXT_PART)
    line.connection.part(Code.UNAVAILABLE, "é" * MAX_REASON)
    info, bye = line.peer.rest()
    assert isinstance(info, Info) and isinstance(bye, Bye)
    for text, limit in ((info.words, TEXT_PART), (bye.reason, MAX_REASON)):
        assert limit - 4 < len(text.encode()) <= limit and text.strip("é") == "…"


# --- answers that are not read --------------------------------------------------------------------------


def ping(line: Line) -> None:
    line.peer.send(Ping(1), ONE)
    assert line.connection.receive() == FIRST


def give_a_command(line: Line) -> None:
    command = Command(1, "#general", "/who")
    line.peer.send(command)
    assert line.connection.receive() == [command]
    line.connection.answer(1, Outcome(Code.OK, ("#general",)), "/who")


def repeat_a_line(line: Line) -> None:
    line.peer.send(ONE)
    assert line.connection.receive() == FIRST
    line.connection.answer(1, Outcome(Code.ALREADY))


@pytest.mark.parametrize("ask", [ping, give_a_command, repeat_a_line])
def test_a_peer_that_asks_and_does_not_read_is_not_read(ask: Callable[[Line], None]) -> None:
    """While more than ANSWERS_BYTES of its own wait for a peer that was answered, nothing more is read."""
    with pair() as (ours, theirs):
        line = Line(Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE)), Peer(theirs))
        ask(line)
        line.connection.send(b"x" * 900_000)
        line.peer.send(TWO)
        task = Task(line.connection.receive)
        eventually(lambda: line.stream.is_submitting, "the handler does not wait for the peer")
        assert task.is_alive()
        line.stream.cut("enough")
        with pytest.raises(ConnectionLost, match="enough"):
            task.result()
        assert line.stream.phase is Phase.CUT


def test_a_peer_that_has_read_its_answers_is_read_again() -> None:
    """When little enough waits for the peer, the handler receives, and silence is the peer's own again."""
    with pair() as (ours, theirs):
        line = Line(Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE)), Peer(theirs))
        line.peer.send(Ping(1), ONE)
        assert line.connection.receive() == FIRST
        line.connection.send(b"x" * 900_000)
        line.peer.send(TWO)
        task = Task(line.connection.receive)
        eventually(lambda: line.stream.is_submitting, "the handler does not wait for the peer")
        while line.stream.buffered:
            theirs.recv(65536)
            line.stream.flush()
        assert task.result() == SECOND
        assert not line.stream.is_submitting


def test_an_old_question_does_not_count(line: Line) -> None:
    """A peer that has read its answers and only talks since then is read however much waits for it."""
    line.peer.send(Ping(1), ONE)
    assert line.connection.receive() == FIRST
    line.peer.send(ONE)
    assert line.connection.receive() == FIRST  # nothing waited for the peer
    line.connection.send(b"x" * 8_000_000, True)
    line.peer.send(TWO)
    task = Task(line.connection.receive)
    assert task.result() == SECOND


def test_a_busy_peer_is_read_in_large_pieces() -> None:
    """An idle connection holds a small buffer; after a full one the next is large, and small again later."""
    sizes = []

    class Transport(TcpTransport):
        def receive(self, size: int, timeout: float | None = None) -> bytes:
            sizes.append(size)
            return super().receive(size, timeout)

    with pair(small=False) as (ours, theirs):
        line = Line(Guest(Transport(ours, "peer"), Deadline(PATIENCE)), Peer(theirs))
        says = [Say(id, "#general", "x" * 1000) for id in range(1, 10)]
        line.peer.send(*says)
        theirs.shutdown(socket.SHUT_WR)
        found: list[Packet] = []
        while burst := line.connection.receive():
            found += burst
    assert apart(found) == says
    assert sizes[0] == sizes[-1] == RECEIVE_SMALL and RECEIVE_LARGE in sizes


def test_repr_shows_the_stream(line: Line) -> None:
    """For the debugger, a connection shows the state of its stream."""
    assert repr(line.connection) == f"<NativeConnection {line.stream!r}>"


def test_a_connection_names_its_peer(line: Line) -> None:
    """The chatroom's log names the peer as the transport does."""
    assert line.connection.peer == line.stream.peer == "peer"


def test_what_waits_for_the_peer_to_take_its_bytes() -> None:
    """The chatroom can go on when the peer has taken its own bytes; it is told when the connection ends."""
    told: list[bool] = []
    with pair() as (ours, theirs):
        line = Line(Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE)), Peer(theirs))
        line.connection.when_taken(told.append)
        line.connection.send(b"x" * 900_000)
        line.connection.when_taken(told.append)
        line.stream.cut("enough")
    assert told == [True, False]


def test_a_peer_that_only_talks_is_read(line: Line) -> None:
    """A peer that has asked for nothing is read however much waits for it: those bytes are shared."""
    line.connection.send(b"x" * 8_000_000, True)
    line.peer.send(ONE)
    assert line.connection.receive() == FIRST


def test_a_pong_asks_for_nothing(line: Line) -> None:
    """A peer that answers our PING is read however much waits for it."""
    line.peer.send(Pong(0), ONE)
    assert line.connection.receive() == FIRST
    line.connection.send(b"x" * 8_000_000, True)
    line.peer.send(TWO)
    assert Task(line.connection.receive).result() == SECOND


# --- tokens ---------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packets that are no lines at once, then one a minute."""
    monkeypatch.setattr("server.connection.CONTROL_BURST", 2)
    monkeypatch.setattr("server.connection.CONTROL_RATE", 1 / 60)


def held(line: Line) -> Task[Sequence[Burst | Command | Bye]]:
    """A handler that rests when this returns."""
    task = Task(line.connection.receive)
    eventually(lambda: line.stream.is_submitting, "the handler does not rest")
    assert task.is_alive()
    return task


def scrap(part: int) -> bytes:
    """A part of a long line that carries nothing."""
    whole = encode(Say(9, "#general", "x"))
    return whole[:16] + part.to_bytes(2, "big") + (30).to_bytes(2, "big") + whole[20:]


@pytest.mark.parametrize(
    "flood",
    [
        [encode(Ping(7))],
        [encode(Pong(7))],
        [encode(Command(5, "#general", "/who"))],
        [scrap(part) for part in range(20)],
    ],
    ids=["PING", "PONG", "COMMAND", "scraps"],
)
@pytest.mark.usefixtures("few")
def test_what_is_no_line_is_rationed(line: Line, flood: list[bytes]) -> None:
    """Beyond the burst, a peer that sends what is no line is read no more for a while."""
    line.peer.socket.sendall(b"".join(flood if len(flood) > 1 else flood * 20))
    taken: list[Packet] = []
    task = Task(line.connection.receive)
    while not line.stream.is_submitting:
        if not task.is_alive():
            taken += task.result()
            task = Task(line.connection.receive)
    assert len(taken) <= 2 and task.is_alive()
    line.stream.cut("enough")
    with pytest.raises(ConnectionLost):
        task.result()


@pytest.mark.usefixtures("few")
def test_refused_lines_are_rationed(line: Line) -> None:
    """A line that is refused costs a token, as its answer goes to this peer only."""
    line.peer.send(*[Say(id, "#general", "x") for id in range(1, 6)])
    assert len(apart(line.connection.receive())) == 5
    for id in range(1, 6):
        line.connection.answer(id, Outcome(Code.NOT_IN))
    line.peer.send(ONE)
    task = held(line)
    line.stream.cut("enough")
    with pytest.raises(ConnectionLost, match="enough"):
        task.result()


@pytest.mark.usefixtures("few")
def test_pages_of_the_past_are_rationed(line: Line) -> None:
    """Who asks for long pages again and again is read more slowly: TEXT_PART bytes of lines cost a token."""
    line.connection.answer_with(1, b"x" * 5 * TEXT_PART, Outcome(Code.OK), "/history")
    line.peer.send(ONE)
    task = held(line)
    line.stream.cut("enough")
    with pytest.raises(ConnectionLost, match="enough"):
        task.result()


@pytest.mark.usefixtures("few")
def test_long_answers_are_rationed(line: Line) -> None:
    """Who asks for long lists again and again waits longer: making one takes as long as many commands."""
    line.connection.answer(1, Outcome(Code.OK, ("#x", ("ann", "here"))), "/who")
    assert line.connection._control.wait() == 0
    line.connection.answer(1, Outcome(Code.OK, ("#x", *[("x" * 90, "here")] * 600)), "/who")
    assert line.connection._control.wait() > 0


def test_lines_need_no_tokens(line: Line, few: None) -> None:
    """However many lines come, they are taken at once."""
    wanted = [Say(id, "#general", "x") for id in range(1, 2001)]
    task = Task(lambda: line.peer.send(*wanted))
    taken: list[Packet] = []
    while len(taken) < len(wanted):
        taken += apart(line.connection.receive())
    assert taken == wanted
    task.result()


def test_what_waited_keeps_its_order(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """When tokens have come back, the rest of the bytes follows in order: nothing is lost."""
    monkeypatch.setattr("server.connection.CONTROL_BURST", 2)
    monkeypatch.setattr("server.connection.CONTROL_RATE", 1000)
    wanted: list[Say | Command] = []
    for id in range(1, 21):
        wanted += [Command(2 * id, "#general", "/who"), Say(2 * id + 1, "#general", "x")]
    line.peer.send(*wanted)
    taken: list[Packet] = []
    while len(taken) < len(wanted):
        taken += apart(line.connection.receive())
    assert taken == wanted


def test_a_rate_of_lines() -> None:
    """With a rate, a member's lines beyond it wait, and come in order later."""
    with pair(small=False) as (ours, theirs):
        line = Line(Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE)), Peer(theirs), rate=10.0)
        wanted = [Say(id, "#general", "x") for id in range(1, 13)]
        line.peer.send(*wanted)
        assert line.connection.receive() == in_bursts(wanted[:10])
        taken = apart(held(line).result())
        while len(taken) < 2:
            taken += apart(line.connection.receive())
        assert taken == wanted[10:]


def test_a_rate_keeps_the_order_of_what_is_behind() -> None:
    """What comes behind the lines that wait for the rate waits, too: other channels and commands."""
    who, quiet = Command(13, "#general", "/who"), Say(14, "#quiet", "x")
    with pair(small=False) as (ours, theirs):
        line = Line(Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE)), Peer(theirs), rate=10.0)
        wanted = [Say(id, "#general", "x") for id in range(1, 13)]
        line.peer.send(*wanted, who, quiet)
        found = apart(line.connection.receive())
        assert found == wanted[:10]
        while len(found) < 14:
            found += apart(line.connection.receive())
        assert found == [*wanted, who, quiet]


@pytest.mark.parametrize("size", [1, 7, 31, 100, 1000])
def test_a_burst_that_is_decoded_in_pieces_stays_one(
    line: Line, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """However the bytes are cut for decoding: lines go on a burst for their channel while their ids rise."""
    monkeypatch.setattr("server.connection.DECODE_BYTES", size)
    lines = [(1, "#general"), (2, "#general"), (5, "#general"), (6, "#quiet"), (9, "#quiet"), (9, "#quiet")]
    line.peer.socket.sendall(b"".join(encode(Say(id, channel, f"text {id}")) for id, channel in lines))
    assert line.connection.receive() == [
        Burst("#general", [1, 2, 5], [b"text 1", b"text 2", b"text 5"]),
        Burst("#quiet", [6, 9], [b"text 6", b"text 9"]),
        Burst("#quiet", [9], [b"text 9"]),
    ]


def test_long_bursts_are_decoded_in_pieces(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the bytes are cut for decoding, the packets are the same, and an error comes behind them."""
    monkeypatch.setattr("server.connection.DECODE_BYTES", 7)
    monkeypatch.setattr("server.connection.DECODE_SECONDS", 0.0)
    line.peer.socket.sendall(encode(ONE) + encode(TWO) + b"GET / HTTP/1.1")
    taken: list[Packet] = []
    while len(taken) < 2:
        taken += apart(line.connection.receive())
    assert taken == [ONE, TWO]
    with pytest.raises(ProtocolError):
        line.connection.receive()


class Turns(Semaphore):
    """Counts how often a turn was asked for."""

    asked = 0

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        self.asked += 1
        return super().acquire(blocking, timeout)

    __enter__ = acquire


def test_who_decodes_much_waits_for_a_turn(line: Line) -> None:
    """A handler that has much to decode takes a turn and gives it back; one with little does not wait."""
    turns = line.door.decoding = Turns(1)
    line.peer.send(ONE)
    assert line.connection.receive() == FIRST
    assert turns.asked == 0
    sent = [Say(id, "#general", "x" * 100) for id in range(1, 200)]
    line.peer.send(*sent)
    found: list[Packet] = []
    while len(found) < len(sent):
        found += apart(line.connection.receive())
    assert found == sent and turns.asked > 0
    assert turns.acquire(blocking=False)
