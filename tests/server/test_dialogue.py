"""What a client may rely on, over real connections: greeting, replay, answers, and coming back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from chatroom.events import Event, EventKind, Setting
from chatroom.history import MemoryHistory
from chatroom.limits import MAX_CHANNELS
from chatroom.names import check_channel
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Form,
    Live,
    Packet,
    Present,
    Replay,
    Resumed,
    Role,
    Say,
    Verdict,
    Welcome,
)
from tests.server.test_app import Running
from tests.support.patience import eventually
from tests.support.peer import Peer, lines
from tests.support.tasks import Task

OTHER_IDENTITY = b"other history..."


@pytest.fixture
def server() -> Iterator[Running]:
    running = Running()
    yield running
    running.stop()


def come_in(server: Running, name: str, *channels: str, lines: int = 0) -> Peer:
    """A newcomer that has asked for these channels and has got nothing yet."""
    with Peer.connect(server.address) as lobby:
        assert lobby.ask(name).verdict is Verdict.PASS
        port = lobby.take_port()
    peer = Peer.connect(server.address, port.number)
    peer.send(Admit(name, port.ticket, channels, 0, 0, NO_IDENTITY, lines))
    return peer


def shape(packets: list[Packet]) -> list[tuple[str, str, str]]:
    """Kind, author and text of each event."""
    return [(p.kind.word, p.author, p.text) for p in packets if isinstance(p, Event)]


def is_from(author: str) -> Callable[[Packet], bool]:
    """Whether a packet is an event of this author."""
    return lambda packet: isinstance(packet, Event) and packet.author == author


# --- the greeting ---------------------------------------------------------------------------------------


def test_the_greeting(server: Running) -> None:
    """WELCOME, a CHANNEL for each channel, REPLAY, LIVE, then one's own JOINED of each channel, in order."""
    with come_in(server, "ann", "#Tea", "#general", "#tea") as ann:
        kinds = [type(ann.receive()) for _ in range(7)]
        assert [kind.__name__ for kind in kinds] == [
            "Welcome",
            *["Channel"] * 2,
            "Replay",
            "Live",
            *["Event"] * 2,
        ]
        tea, general, replay, live, *joins = ann.packets[1:]
        assert replay == Replay(0) and live == Live(0, 0)
        assert [(e.kind, e.channel, e.place, e.seq) for e in joins if isinstance(e, Event)] == [
            (EventKind.JOINED, "#tea", 1, 1),
            (EventKind.JOINED, "#general", 2, 3),  # 2 is in the trail: who has founded #tea
        ]
        mine, me = (Present(1, role, "ann") for role in (Role.OWNER, Role.MEMBER))
        assert tea == Channel(1, "#tea", "", 0, Role.OWNER, 1, (mine,))  # she has founded it
        assert general == Channel(2, "#general", "", Setting.KEPT, Role.MEMBER, 1, (me,))


def test_members_are_listed(server: Running) -> None:
    """CHANNEL lists everybody who is in that channel, and nobody else."""
    with come_in(server, "ann", "#tea", "#general") as ann, come_in(server, "bob", "#tea") as bob:
        ann.receive_until(lambda packet: isinstance(packet, Live))
        bob.receive_until(lambda packet: isinstance(packet, Live))
        with come_in(server, "eve", "#general") as eve:
            channel = eve.receive_until(lambda packet: isinstance(packet, Channel))
            assert [member.name for member in channel.members] == ["ann", "eve"]


def test_each_channel_has_its_lines(server: Running) -> None:
    """A member gets the lines of its channels only, all with the numbers of person and place."""
    with ExitStack() as peers:
        ann = peers.enter_context(come_in(server, "ann", "#tea", "#general"))
        ann.receive_until(lambda packet: isinstance(packet, Live))
        bob = peers.enter_context(Peer.enter(server.address, "bob"))
        ann.send(Say(1, "#tea", "only tea"), Say(2, "#general", "all"))
        (tea, general), (heard,) = ann.said(2), bob.said(1)
        assert (tea.channel, tea.place, tea.text) == ("#tea", 1, "only tea")
        assert (general.channel, general.place, general.text) == ("#general", 2, "all")
        assert heard == general and heard.person == tea.person == 1
        assert not [p for p in bob.packets if isinstance(p, Event) and p.channel == "#tea"]


def test_as_many_channels_as_are_allowed(server: Running) -> None:
    """MAX_CHANNELS channels with the longest names can be asked for at once."""
    gothic = [chr(0x10330 + number) for number in range(10)]  # four bytes and one column each
    channels = [
        f"#{gothic[number // 10]}{gothic[number % 10]}{gothic[0] * 21}000" for number in range(MAX_CHANNELS)
    ]
    assert all(check_channel(channel) == channel for channel in channels)
    with come_in(server, "ann", *channels) as ann:
        ann.receive_until(lambda packet: isinstance(packet, Live))
        assert [packet.name for packet in ann.packets if isinstance(packet, Channel)] == channels


# --- what was missed ------------------------------------------------------------------------------------


def talk(server: Running, count: int) -> Live:
    """A member says so many lines, one a round, and leaves; the cursor in front of them."""
    before: list[Packet] = []
    with Peer.come_in(server.address, "bob", replayed=before) as bob:
        for line in lines(count):
            bob.send(line)
            bob.said(1)
        bob.send(Bye(False, Code.GOODBYE, ""))
        bob.bye()
    (live,) = before
    assert isinstance(live, Live)
    return live


def replay(
    server: Running, since: int, time: int, identity: bytes, lines: int = 2
) -> tuple[Peer, list[Packet]]:
    """Who comes in as ann with that cursor, and what is replayed to it up to LIVE."""
    found: list[Packet] = []
    with Peer.come_in(server.address, "ann", since, lines, found, time=time, identity=identity) as ann:
        ann.send(Bye(False, Code.GOODBYE, ""))
        ann.bye()
    return ann, found


def test_a_fresh_start(server: Running) -> None:
    """Who has no cursor gets the latest lines of each channel; head says where the history stands."""
    talk(server, 5)
    ann, found = replay(server, 0, 0, NO_IDENTITY)
    assert ann.welcome.resumed is Resumed.FRESH
    assert [text for kind, _, text in shape(found) if kind == "said"] == ["line 4", "line 5"]
    assert isinstance(found[-1], Live) and found[-1].seq == ann.welcome.head


def test_the_latest_lines_of_each_channel(server: Running) -> None:
    """The lines are counted for each channel, and come in one order."""
    with come_in(server, "ann", "#tea", "#general") as ann:
        ann.receive_until(lambda packet: isinstance(packet, Live))
        places = ["#tea", "#tea", "#general", "#general", "#general", "#tea"]
        ann.send(*[Say(id, channel, f"{id}") for id, channel in enumerate(places, 1)])
        ann.said(len(places))
        with come_in(server, "bob", "#general", "#tea", lines=2) as bob:
            bob.receive_until(lambda packet: isinstance(packet, Live))
            said = [text for kind, _, text in shape(bob.packets) if kind == "said"]
            assert said == ["2", "4", "5", "6"]


def test_exact(server: Running) -> None:
    """Who was away gets exactly what came after its cursor, be it from LIVE or from an event, each once."""
    talk(server, 1)
    live = talk(server, 3)
    first, found = replay(server, live.seq, live.time, server_identity(server))
    assert first.welcome.resumed is Resumed.EXACT
    expected = [
        ("joined", "bob", ""),
        *[("said", "bob", f"line {n}") for n in (1, 2, 3)],
        ("quit", "bob", ""),
    ]
    assert shape(found) == expected
    line = next(p for p in found if isinstance(p, Event) and p.text == "line 2")
    second, found = replay(server, line.seq, line.time, first.welcome.identity)
    assert second.welcome.resumed is Resumed.EXACT
    assert shape(found)[:2] == expected[3:]
    assert shape(found)[2:] == [("joined", "ann", ""), ("quit", "ann", "")]


def server_identity(server: Running) -> bytes:
    with Peer.come_in(server.address, "asker", channel="#elsewhere") as peer:
        return peer.welcome.identity


def test_another_history(server: Running) -> None:
    """Whose cursor belongs to another history hears that, and gets the latest lines instead."""
    live = talk(server, 5)
    ann, found = replay(server, live.seq + 1, live.time, OTHER_IDENTITY)
    assert ann.welcome.resumed is Resumed.OTHER_HISTORY
    assert ann.welcome.identity == server_identity(server) != OTHER_IDENTITY
    assert [text for kind, _, text in shape(found) if kind == "said"] == ["line 4", "line 5"]


@pytest.mark.parametrize(("later", "other_time"), [(1000, 0), (0, 1)], ids=["not there yet", "another time"])
def test_a_restored_copy(server: Running, later: int, other_time: int) -> None:
    """Whose cursor is not in this history, or is another event there, hears that it is an older copy."""
    talk(server, 1)
    live = talk(server, 5)
    ann, found = replay(server, live.seq + later, live.time + other_time, server_identity(server))
    assert ann.welcome.resumed is Resumed.RESTORED
    assert [text for kind, _, text in shape(found) if kind == "said"] == ["line 4", "line 5"]


def test_a_gap() -> None:
    """Whose next event is gone by retention hears that, and gets everything from the oldest event on."""
    history = MemoryHistory(max_events=10)
    first = Running(history=history)
    live = talk(first, 1)
    identity = server_identity(first)
    talk(first, 30)
    first.stop()
    second = Running(history=history)
    oldest = history.locate(1).oldest
    assert oldest > 2
    ann, found = replay(second, live.seq + 1, live.time, identity)
    assert ann.welcome.resumed is Resumed.GAP and ann.welcome.identity == identity
    said = [packet for packet in found if isinstance(packet, Event)]
    assert [event.seq for event in said] == list(range(oldest, said[-1].seq + 1))
    assert said[-2].kind is EventKind.RESTARTED and shape(found)[-1] == ("joined", "ann", "")
    second.stop()


def test_just_before_the_oldest_event_is_no_gap() -> None:
    """Who has seen all that is gone by retention misses nothing: its cursor is accepted by the identity."""
    history = MemoryHistory(max_events=10)
    server = Running(history=history)
    talk(server, 31)
    identity = server_identity(server)
    oldest = history.locate(1).oldest
    assert oldest > 2
    ann, found = replay(server, oldest - 1, 1, identity)
    assert ann.welcome.resumed is Resumed.EXACT
    assert isinstance(found[0], Event) and found[0].seq == oldest
    server.stop()


# --- answers --------------------------------------------------------------------------------------------


def test_refused_lines(server: Running) -> None:
    """Each refused line gets one ANSWER with its id, each accepted one its event, and no line both."""
    with Peer.enter(server.address, "ann") as ann:
        says = [
            Say(5, "#general", "five"),
            Say(5, "#general", "five"),
            Say(4, "#general", "late"),
            Say(6, "#other", "not in"),
            Say(7, "#general", "edited", Form.EDIT),
            Say(8, "#general", "unknown", 200),
            Say(6, "#general", "six"),
            Say(9, "#general", "nine"),
        ]
        ann.send(*says, Command(10, "#general", "/stats"))
        ann.receive_until(lambda packet: isinstance(packet, Answer) and packet.id == 10)
        events = [(p.id, p.text) for p in ann.packets if isinstance(p, Event) and p.kind is EventKind.SAID]
        answers = [(p.id, p.code) for p in ann.packets if isinstance(p, Answer)]
    assert events == [(5, "five"), (6, "six"), (9, "nine")]
    assert answers == [
        (5, Code.ALREADY),
        (4, Code.ALREADY),
        (6, Code.NOT_IN),
        (7, Code.BAD_ARGUMENTS),
        (8, Code.BAD_ARGUMENTS),
        (10, Code.OK),
    ]


def test_a_refused_line_is_told_nobody_else(server: Running) -> None:
    """The others get neither a refused line nor its answer."""
    with Peer.enter(server.address, "ann") as ann, Peer.enter(server.address, "bob") as bob:
        ann.send(Say(1, "#general", "unknown", 200), Say(2, "#elsewhere", "away"), Say(3, "#general", "end"))
        (event,) = bob.said(1)
        assert event.text == "end"
        assert not any(isinstance(packet, Answer) for packet in bob.packets)


def test_each_command_has_one_answer(server: Running) -> None:
    """Commands are answered once each, in order, whether they are known or not, with code, words and rows."""
    texts = ["/who", "/waltz", "/help who", "/who #nowhere", "/who"]
    with Peer.enter(server.address, "ann") as ann:
        ann.send(*[Command(10 + n, "#general", text) for n, text in enumerate(texts)])
        answers = [ann.expect(Answer) for _ in texts]
        ann.send(Say(1, "#general", "end"))
        ann.said(1)
        assert [packet for packet in ann.packets if isinstance(packet, Answer)] == answers
    codes = [Code.OK, Code.NO_SUCH_COMMAND, Code.OK, Code.NO_SUCH_CHANNEL, Code.OK]
    assert [(answer.id, answer.code) for answer in answers] == list(zip(range(10, 15), codes, strict=True))
    assert [json.loads(answer.rows) for answer in answers] == [
        ["#general", ["ann", "here"]],
        ["/waltz", ""],
        [["/who [#CHANNEL]", "list the members of a channel", "people", "/who #general", "/names /w", ""]],
        ["#nowhere"],
        ["#general", ["ann", "here"]],
    ]
    assert answers[1].words == "/waltz is no command; /help lists the commands"


def test_what_was_repeated_after_a_return(server: Running) -> None:
    """WELCOME says which lines of the session were applied; one that is sent again is not said twice."""
    with Peer.enter(server.address, "ann") as ann:
        ann.send(Say(41, "#general", "once"))
        (once,) = ann.said(1)
    with Peer.enter(server.address, "ann", ann.welcome.token) as back:
        assert back.welcome.confirmed == 41 and back.welcome.person == ann.welcome.person == once.person
        back.send(Say(41, "#general", "once"))
        assert back.expect(Answer).code == Code.ALREADY
        back.send(Say(42, "#general", "twice"))
        assert [event.text for event in back.said(1)] == ["twice"]


# --- leaving and coming back ----------------------------------------------------------------------------


def test_a_return_after_an_unclean_end_is_silent(server: Running) -> None:
    """The others hear neither of the lost connection nor of the return; the member is in its channels."""
    with Peer.enter(server.address, "bob") as bob, come_in(server, "ann", "#tea", "#general") as ann:
        bob.receive_until(is_from("ann"))
        token = ann.expect(Welcome).token
        ann.close()

        def who() -> str:
            bob.send(Command(1, "#general", "/who"))
            return str(bob.receive_until(lambda packet: isinstance(packet, Answer)).words)

        eventually(lambda: who().endswith("bob\n  connection lost: ann"), "the loss was not noticed")
        with Peer.come_in(server.address, "ann", token=token) as back:
            assert [channel.name for channel in back.channels] == ["#tea", "#general"]
            assert who() == "/who #general: 2 here\n  ann, bob"
            back.send(Say(1, "#general", "here again"))
            bob.said(1)
            assert shape([p for p in bob.packets if is_from("ann")(p)]) == [
                ("joined", "ann", ""),
                ("said", "ann", "here again"),
            ]


def test_what_was_said_meanwhile(server: Running) -> None:
    """A member whose connection was lost gets at its return what was said meanwhile, and nothing else."""
    found: list[Packet] = []
    with Peer.enter(server.address, "bob") as bob:
        with Peer.come_in(server.address, "ann") as ann:
            joined = ann.expect(Event)
        bob.send(*lines(2))
        bob.said(2)
        with Peer.come_in(
            server.address,
            "ann",
            joined.seq,
            replayed=found,
            token=ann.welcome.token,
            time=joined.time,
            identity=ann.welcome.identity,
        ) as back:
            assert back.welcome.resumed is Resumed.EXACT
            assert shape(found) == [("said", "bob", "line 1"), ("said", "bob", "line 2")]
            bob.send(Say(3, "#general", "live"))
            assert [event.text for event in back.said(1)] == ["live"]


def test_a_goodbye_quits_at_once(server: Running) -> None:
    """BYE is one QUIT with its reason for all who share a channel; the name is free, a return is a JOINED."""
    with ExitStack() as peers:
        bob = peers.enter_context(come_in(server, "bob", "#tea", "#general"))
        bob.receive_until(lambda packet: isinstance(packet, Live))  # else ann may overtake him
        ann = peers.enter_context(come_in(server, "ann", "#tea", "#general"))
        welcome = ann.expect(Welcome)
        bob.receive_until(is_from("ann"))
        ann.send(Bye(False, Code.GOODBYE, "so long"))
        assert ann.bye() == Bye(False, Code.GOODBYE, "goodbye")
        left = bob.receive_until(lambda p: isinstance(p, Event) and p.kind is EventKind.QUIT)
        assert (left.author, left.text, left.person) == ("ann", "so long", welcome.person)
        assert (left.place, left.channel) == (0, "")
        with Peer.enter(server.address, "ann") as other:
            assert other.welcome.person != welcome.person
            back = bob.receive_until(is_from("ann"))
            assert (back.kind, back.person) == (EventKind.JOINED, other.welcome.person)
        heard = [word for word, *_ in shape([p for p in bob.packets if is_from("ann")(p)])]
        assert heard == ["joined", "joined", "quit", "joined"]


def test_a_restart_is_one_event() -> None:
    """A member that comes back to a restarted server hears of the restart, and nobody of its return."""
    first = Running()
    with Peer.enter(first.address, "ann") as ann:
        live = next(p for p in ann.packets if isinstance(p, Event))
        stopping = Task(first.stop)
        ann.bye()
    stopping.result()
    second = Running(history=first.history)
    found: list[Packet] = []
    with Peer.come_in(
        second.address,
        "ann",
        live.seq,
        replayed=found,
        token=ann.welcome.token,
        time=live.time,
        identity=ann.welcome.identity,
    ) as back:
        assert back.welcome.resumed is Resumed.EXACT and back.welcome.person == ann.welcome.person
        assert shape(found) == [("restarted", "", "")]
    second.stop()
    assert [event.kind for event in first.history.log] == [EventKind.JOINED, EventKind.RESTARTED]
