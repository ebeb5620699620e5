"""client/link.py: what happens on one connection. A client drives it, a fake server is the other end."""

from __future__ import annotations

import itertools
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue

import pytest

from chatroom.errors import Closed, ConnectionLost, NeedEncryption
from chatroom.events import Event, EventKind, Setting
from chatroom.outcomes import Code
from chatroom.packets import (
    HEADER,
    MAGIC,
    VERSION,
    Answer,
    Bye,
    Channel,
    Command,
    Decoder,
    Info,
    Ping,
    Pong,
    Present,
    Replay,
    Resumed,
    Say,
    encode,
)
from chatroom.packets.kinds import EVENT_FIXED
from chatroom.reaper import Reaper
from client import (
    Answered,
    CaughtUp,
    Client,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    Line,
    Missed,
    Past,
    Retrying,
    Unanswered,
    link,
)
from client.account import Account
from client.answers import COMMAND_UNKNOWN, NOT_REMEMBERED, Lasting
from client.attempt import Attempt
from client.connection import Connection
from client.handshaking import Admission
from client.inbox import Inbox
from client.link import (
    LINE_UNKNOWN,
    NOT_STORED,
    READ_LATE,
    Ending,
    Link,
    sift,
)
from client.pending_lines import PendingLines
from client.resume import ResumeState
from client.rooms import Rooms
from client.updates import Update
from tests.client.fake_server import IDENTITY, ME, FakeServer, channel, live, own, welcome
from tests.client.test_account import TOKEN, Drawer
from tests.support.events import BOB, GENERAL, NOON, said
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task


class Stage:
    """A fake server with one client that is connected and live."""

    def __init__(self, server: FakeServer, **options: object) -> None:
        self.server = server
        self.client = Client(port=server.port, name="ann", **options)  # type: ignore[arg-type]
        connecting = Task(self.client.connect)
        self.peer, _ = server.admit(live())
        connecting.result()
        assert self.update() == Connected("ann", "#general", False)
        assert self.update() == CaughtUp(0, False)

    def update(self) -> Update:
        """The client's next update that is no Channel: those have a test of their own."""
        updates = self.client.updates(PATIENCE)
        update = next((update for update in updates if not isinstance(update, Channel)), None)
        assert update is not None, "no update came"
        return update

    def events(self, count: int) -> list[int]:
        """The seqs of the next updates, which must be events."""
        found = [self.update() for _ in range(count)]
        assert all(type(update) is Event for update in found), found
        return [update.seq for update in found]  # type: ignore[union-attr]

    def lose(self) -> None:
        """End the connection without a goodbye."""
        self.peer.close()
        assert isinstance(self.update(), Disconnected)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with FakeServer() as server:
        made = Stage(server)
        yield made
        server.dismiss(made.client)


def mine(seq: int, kind: EventKind = EventKind.SAID, text: str = "own") -> Event:
    """An event of the client that answers no line."""
    return Event(seq, NOON, kind, "#general", "ann", text, person=ME, place=GENERAL)


def unknown(seq: int) -> bytes:
    """An event of a kind that this client does not know."""
    payload = EVENT_FIXED.pack(seq, NOON, ME, GENERAL, 0, 0, 0)
    return HEADER.pack(MAGIC, VERSION, 0x7F, 0, len(payload), 0, 0, 1) + payload


# --- settling ----------------------------------------------------------------------------------------------


def test_the_own_event_settles_a_line(stage: Stage) -> None:
    """A line is pending until its own event comes back; when it is stored, its event can be polled."""
    line = stage.client.say("hello")
    say = stage.peer.expect(Say)
    assert (say.channel, say.text, say.id) == ("#general", "hello", line.id)
    assert not line.stored
    assert stage.client.pending() == [line]
    stage.peer.send(own(1, say))
    assert line.wait(PATIENCE)
    assert stage.client.poll()[-1:] == [own(1, say)]
    assert stage.client.flush(0)


def test_a_line_is_in_the_inbox_before_it_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the event of a line cannot be polled yet, the line is not stored."""
    putting, go_on = threading.Event(), threading.Event()

    class SlowInbox(Inbox):
        def put(self, updates, size, when_room):  # type: ignore[no-untyped-def, override]
            if updates == [own(1, say)]:
                putting.set()
                go_on.wait(PATIENCE)
            return super().put(updates, size, when_room)

    monkeypatch.setattr("client.client.Inbox", SlowInbox)
    say = Say(0, "", "")
    with FakeServer() as server:
        stage = Stage(server)
        line = stage.client.say("hello")
        say = stage.peer.expect(Say)
        stage.peer.send(own(1, say))
        assert putting.wait(PATIENCE)
        stored = line.wait(0.05)
        go_on.set()
        assert not stored
        assert line.wait(PATIENCE)
        assert stage.client.poll() == [own(1, say)]
        server.dismiss(stage.client)


def test_already_settles_a_line(stage: Stage) -> None:
    """ANSWER ALREADY, to a line that was stored before, says that it is stored."""
    line = stage.client.say("hello")
    answer = Answer(stage.peer.expect(Say).id, Code.ALREADY, "")
    stage.peer.send(answer)
    assert line.wait(PATIENCE)
    assert stage.update() == answer


@pytest.mark.parametrize("author", ["bob", "ann"])
def test_somebody_elses_event_with_our_id_settles_nothing(stage: Stage, author: str) -> None:
    """Ids are visible to everybody; only the own person's event counts, whatever the name in it."""
    line = stage.client.say("hello")
    say = stage.peer.expect(Say)
    stage.peer.send(said(1, "hello", author, say.id))
    assert stage.events(1) == [1]
    assert not line.stored


def test_a_line_settles_no_line_before_it(stage: Stage) -> None:
    """The server may store the second line and then answer the first one, which it refuses."""
    first, second = stage.client.say("one"), stage.client.say("two")
    says = [stage.peer.expect(Say) for _ in range(2)]
    stage.peer.send(own(1, says[1]))
    assert second.wait(PATIENCE)
    assert stage.client.pending() == [first]
    stage.peer.send(Answer(says[0].id, Code.SLOW_DOWN, "too fast"))
    assert not first.wait(PATIENCE)
    assert first.refused == "too fast"


def test_an_event_of_an_earlier_holder_of_the_name_confirms_nothing(stage: Stage) -> None:
    """An id that this client has not given is another client's, also under the own name."""
    line = stage.client.say("hello")
    say = stage.peer.expect(Say)
    stage.peer.send(said(1, "hello", "ann", say.id + 1), Ping(7))
    assert stage.peer.expect(Pong) == Pong(7)
    assert not line.stored


def test_a_line_under_a_new_name_is_still_ours(stage: Stage) -> None:
    """After a rename, own events come under the new name, in the same burst already."""
    line = stage.client.say("hello")
    say = stage.peer.expect(Say)
    stage.peer.send(mine(1, EventKind.RENAMED, "anna"), own(2, say, "anna"))
    assert line.wait(PATIENCE)
    assert stage.client.name == "anna"


def test_a_rename_of_an_earlier_visit_is_old(stage: Stage) -> None:
    """WELCOME tells the name; a replay may have a RENAMED from before somebody came back as it was."""
    stage.lose()
    peer, _ = stage.server.admit(mine(1, EventKind.RENAMED, "anna"), live(2), head=2)
    assert isinstance(stage.update(), Connected)
    assert stage.events(1) == [1]
    assert isinstance(stage.update(), CaughtUp)
    assert stage.client.name == "ann"
    peer.send(mine(3, EventKind.RENAMED, "anna"))
    assert stage.events(1) == [3]
    assert stage.client.name == "anna"


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        (Code.MUTED, "you are muted", "you are muted"),
        (Code.FULL, "", "there is no room"),
        (999, "", "refused (code 999)"),
    ],
)
def test_an_answer_to_a_line_says_why_it_is_not_stored(
    stage: Stage, code: int, words: str, told: str
) -> None:
    """The line is settled, and the answer is an update, never without words; new codes are refusals, too."""
    line = stage.client.say("hello")
    id = stage.peer.expect(Say).id
    stage.peer.send(Answer(id, code, words))
    assert stage.update() == Answer(id, code, told)
    assert not line.wait(PATIENCE)
    assert line.refused == told


def test_commands_and_their_answers(stage: Stage) -> None:
    """A slash command goes out as such; its answer has its id, words for persons, and rows for programs."""
    id = stage.client.command("/who")
    command = stage.peer.expect(Command)
    assert (command.id, command.channel, command.text) == (id, "#general", "/who")
    answer = Answer(id, Code.OK, "ann\nbob", '["ann","bob"]')
    stage.peer.send(answer, Info("the server stops in 5 minutes"))
    assert stage.update() == answer
    assert stage.update() == Info("the server stops in 5 minutes")


def test_a_command_whose_answer_was_lost(stage: Stage) -> None:
    """It is not sent again, and the user learns that its outcome is unknown; one that waits is sent later."""
    answered, lost = stage.client.command("/who"), stage.client.command("/topic tea")
    stage.peer.expect(Command), stage.peer.expect(Command)
    stage.peer.send(Answer(answered, Code.OK, ""))
    assert stage.update() == Answer(answered, Code.OK, "")
    stage.peer.close()
    assert stage.update() == Unanswered(lost, "/topic tea", COMMAND_UNKNOWN)
    assert isinstance(stage.update(), Disconnected)
    waits = stage.client.command("/stats")
    peer, _ = stage.server.admit(live())
    assert peer.expect(Command).id == waits


def test_a_refusal_is_told_even_to_a_full_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sees that a line is settled finds the reason by polling."""
    monkeypatch.setattr("client.client.Inbox", lambda _: Inbox(bound=1, patience=0.01))
    with FakeServer() as server:
        stage = Stage(server)
        stage.peer.send(said(1, "a"), Info("not so important"))
        line = stage.client.say("hello")
        answer = Answer(stage.peer.expect(Say).id, Code.MUTED, "muted")
        stage.peer.send(answer)
        assert not line.wait(PATIENCE)
        assert stage.client.poll() == [said(1, "a"), answer]
        server.dismiss(stage.client)


# --- accounts ----------------------------------------------------------------------------------------------


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def keeper(drawer: Drawer) -> Iterator[Stage]:
    """A stage whose client keeps device tokens."""
    with FakeServer() as server:
        made = Stage(server, tokens=drawer)
        yield made
        server.dismiss(made.client)


def remembered(id: int) -> Answer:
    return Answer(id, Code.OK, "this program is remembered", f'[["token", "dora", "{TOKEN.hex()}"]]')


@pytest.mark.parametrize("text", ["/register secret", "/passwd old new"])
def test_a_new_password_is_followed_by_a_device_token(keeper: Stage, drawer: Drawer, text: str) -> None:
    """The client asks for it when the command has succeeded; the user sees only the answer to the command."""
    id = keeper.client.command(text)
    assert keeper.peer.expect(Command).text == text
    keeper.peer.send(Answer(id, Code.OK, "done"))
    device = keeper.peer.expect(Command)
    keeper.peer.send(remembered(device.id), said(1))
    assert keeper.update() == Answer(id, Code.OK, "done")
    assert keeper.events(1) == [1]
    assert drawer.kept == [("dora", IDENTITY, TOKEN)]


def test_a_command_that_fails_is_followed_by_nothing(keeper: Stage) -> None:
    """The account has no new password."""
    id = keeper.client.command("/register secret")
    keeper.peer.expect(Command)
    keeper.peer.send(Answer(id, Code.NAME_TAKEN, "taken"))
    assert keeper.update() == Answer(id, Code.NAME_TAKEN, "taken")
    waits = keeper.client.command("/who")
    assert keeper.peer.expect(Command).id == waits


@pytest.mark.parametrize("why", ["refused", "not kept", "lost"])
def test_a_token_that_is_not_kept(keeper: Stage, drawer: Drawer, why: str) -> None:
    """The user is told in one line that the password is needed again, but not for a lost connection."""
    keeper.peer.send(Answer(keeper.client.command("/register secret"), Code.OK, "done"))
    keeper.peer.expect(Command)
    id = keeper.peer.expect(Command).id
    assert isinstance(keeper.update(), Answer)
    if why == "lost":
        keeper.peer.close()
        assert isinstance(keeper.update(), Disconnected)
        return
    drawer.broken = why == "not kept"
    keeper.peer.send(remembered(id) if drawer.broken else Answer(id, Code.TOO_MANY, "too many"))
    told = keeper.update()
    assert isinstance(told, Info)
    reason = "the file is damaged" if drawer.broken else "too many"
    assert told.words.startswith(NOT_REMEMBERED) and told.words.endswith(reason)


def test_a_token_that_the_user_asks_for_is_kept_and_not_shown(keeper: Stage, drawer: Drawer) -> None:
    """With a file of tokens; without one the rows are the user's."""
    id = keeper.client.command("/device laptop")
    keeper.peer.expect(Command)
    keeper.peer.send(remembered(id))
    assert keeper.update() == Answer(id, Code.OK, "this program is remembered")
    assert drawer.kept == [("dora", IDENTITY, TOKEN)]


def test_without_a_file_of_tokens_the_answer_has_it(stage: Stage) -> None:
    """Nothing is asked for by itself."""
    id = stage.client.command("/register secret")
    stage.peer.expect(Command)
    stage.peer.send(Answer(id, Code.OK, "done"))
    assert stage.update() == Answer(id, Code.OK, "done")
    id = stage.client.command("/device laptop")
    assert stage.peer.expect(Command).id == id
    stage.peer.send(remembered(id))
    assert stage.update() == remembered(id)


def test_the_account_follows_the_own_events(stage: Stage) -> None:
    """ACCOUNT of the own person changes it, that of others does not."""
    registered = Event(1, NOON, EventKind.ACCOUNT, "", "ann", "ann", person=ME)
    stage.peer.send(registered, registered._replace(seq=2, person=99, text="eve"))
    assert stage.events(2) == [1, 2]
    assert stage.client.account == "ann"
    stage.peer.send(registered._replace(seq=3, text=""))
    assert stage.events(1) == [3]
    assert stage.client.account == ""


def test_a_lost_command_shows_no_password(stage: Stage) -> None:
    """What is told about it has the command without its secrets."""
    id = stage.client.command("/passwd old new")
    stage.peer.expect(Command)
    stage.peer.close()
    assert stage.update() == Unanswered(id, "/passwd \u2026 \u2026", COMMAND_UNKNOWN)


def test_a_password_over_an_open_connection(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command with a password is refused by the client itself, and nothing is sent."""
    monkeypatch.setattr("client.attempt.is_loopback", lambda _host: False)
    stage.lose()
    with pytest.raises(ConnectionLost, match="no connection"):
        stage.client.command("/register secret")
    peer, _ = stage.server.admit(live())
    assert stage.update() == Connected("ann", "#general", True)
    eventually(lambda: stage.client._pending._attached, "no link")
    with pytest.raises(NeedEncryption):
        stage.client.command("/register secret")
    id = stage.client.command("/who")
    assert peer.expect(Command).id == id


# --- order -------------------------------------------------------------------------------------------------


def test_order_is_kept_whatever_processing_thread_finishes_first(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three bursts whose threads finish sifting in the reverse order come out in the order of arrival."""
    sifting = {seq: threading.Event() for seq in (1, 2, 3)}
    sifted = {seq: threading.Event() for seq in (1, 2, 3, 4)}
    sifted[4].set()

    def reversed_sift(packets):  # type: ignore[no-untyped-def]
        seq = packets[0].seq
        sifting[seq].set()
        assert sifted[seq + 1].wait(PATIENCE)
        sifted[seq].set()
        return sift(packets)

    monkeypatch.setattr(link, "sift", reversed_sift)
    for seq in (1, 2, 3):
        stage.peer.send(said(seq, str(seq)))
        assert sifting[seq].wait(PATIENCE)  # so that each is a burst of its own
    assert stage.events(3) == [1, 2, 3]


@pytest.mark.parametrize("seed", range(5))
def test_bursts_may_be_cut_anywhere(stage: Stage, seed: int) -> None:
    """Any number of packets in one segment, one packet over any number of segments: the same events."""
    chance = random.Random(seed)
    events = [said(seq, "é" * chance.choice([1, 10, 3000])) for seq in range(1, 31)]
    data = b"".join(map(encode, events))
    while data:
        size = chance.choice([1, 2, 19, 20, 21, 1000, 10000])
        stage.peer.socket.sendall(data[:size])
        data = data[size:]
    assert [stage.update() for _ in events] == events


def test_what_a_server_repeats_is_dropped(stage: Stage) -> None:
    """An event whose seq was there already is not shown again."""
    stage.peer.send(said(1, "a"), said(2, "b"))
    assert stage.events(2) == [1, 2]
    stage.peer.send(said(1, "a"), said(2, "b"), said(3, "c"))
    assert stage.events(1) == [3]
    stage.peer.send(said(3, "c"), Ping(1), said(4, "d"))  # PING: the repeat is a run of its own
    assert stage.events(1) == [4]
    stage.peer.send(live(2), said(4, "d"), said(5, "e"))  # a LIVE that comes too late takes nothing back
    assert stage.update() == CaughtUp(2, False)
    assert stage.events(1) == [5]


def test_what_came_before_garbage_is_shown(stage: Stage) -> None:
    """A broken stream ends the connection, not the client; whole packets before the break count."""
    stage.peer.socket.sendall(encode(said(1, "a")) + b"garbage of more than twenty bytes")
    assert stage.events(1) == [1]
    lost = stage.update()
    assert isinstance(lost, Disconnected)
    assert "protocol" in lost.reason
    assert stage.server.admit(live(1), head=1)[1].since == 1


def test_garbage_right_behind_welcome_ends_the_connection(stage: Stage) -> None:
    """Wrong bytes in the segment of WELCOME are noticed without waiting for more."""
    stage.lose()
    member, _ = stage.server.offer(stage.server.named()[0])
    member.socket.sendall(encode(welcome()) + b"garbage of more than twenty bytes")
    assert stage.update() == Connected("ann", "#general", True)
    lost = stage.update()
    assert isinstance(lost, Disconnected)
    assert "protocol" in lost.reason


def test_a_packet_at_the_wrong_time_ends_the_connection(stage: Stage) -> None:
    """A packet that only a client may send ends the connection with its name."""
    stage.peer.send(Say(1, "#general", "x"))
    assert stage.update() == Disconnected("SAY cannot come now")


@pytest.mark.parametrize("moment", ["sifting", "delivering"])
def test_a_bug_in_processing_loses_no_event(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """No burst behind one that failed is shown, though it was received; the next connection fetches both."""
    both = threading.Barrier(2)
    sifting, delivered = threading.Event(), threading.Event()

    def fail_first(packets):  # type: ignore[no-untyped-def]
        if packets[0].seq == 1:
            sifting.set()
            both.wait(PATIENCE)  # the second burst was received before the first one fails
            return [None / 0] if moment == "sifting" else [[None]]
        both.wait(PATIENCE)
        delivered.set()
        return sift(packets)

    monkeypatch.setattr(link, "sift", fail_first)
    stage.peer.send(said(1, "a"))
    assert sifting.wait(PATIENCE)  # so that each is a burst of its own
    stage.peer.send(said(2, "b"))
    assert delivered.wait(PATIENCE)
    monkeypatch.setattr(link, "sift", sift)
    assert isinstance(stage.update(), Disconnected)
    _, wanted = stage.server.admit(said(1, "a"), said(2, "b"), live(2), head=2)
    assert wanted.since == 0
    assert stage.update() == Connected("ann", "#general", True)
    assert stage.update() == Missed()
    assert stage.events(2) == [1, 2]


# --- coming back -------------------------------------------------------------------------------------------


def test_coming_back_sends_exactly_what_is_not_stored_in_order(stage: Stage) -> None:
    """Events before and after the break settle lines; the rest goes out again after LIVE, in order."""
    lines = [stage.client.say(f"{number}") for number in range(6)]
    says = [stage.peer.expect(Say) for _ in lines]
    stage.peer.send(own(1, says[0]))
    assert lines[0].wait(PATIENCE)
    assert stage.events(1) == [1]
    stage.lose()
    late = stage.client.say("late")
    peer, wanted = stage.server.admit(own(2, says[1]), own(3, says[2]), confirmed=says[2].id, head=3)
    assert wanted.since == 1
    assert lines[2].wait(PATIENCE)  # the replay was processed
    peer.send(Ping(7))
    assert peer.expect(Pong) == Pong(7)  # and nothing was said before LIVE
    peer.send(live(3))
    again = [peer.expect(Say) for _ in range(4)]
    assert [(say.id, say.text) for say in again] == [(line.id, line.text) for line in [*lines[3:], late]]
    peer.send(*(own(seq, say) for seq, say in enumerate(again, 4)))
    assert stage.client.flush(PATIENCE)
    assert not stage.client.pending()


def test_the_token_is_shown_and_a_new_one_kept(stage: Stage) -> None:
    """A client that reconnects shows its token, and takes a new one from a server that has forgotten it."""
    stage.lose()
    lobby, asked = stage.server.named()
    assert asked.token == b"T" * 16
    lobby.close()
    stage.server.admit(live(), token=b"U" * 16)[0].close()
    _, asked = stage.server.named()
    assert asked.token == b"U" * 16


def test_missed_events_come_under_a_divider(stage: Stage) -> None:
    """Missed comes once after a reconnect, before the first burst in which somebody else did something."""
    stage.peer.send(said(1, "a"))
    assert stage.events(1) == [1]
    stage.lose()
    renamed, restarted = mine(2, EventKind.RENAMED, "anna"), Event(3, 0, EventKind.RESTARTED, "", "", "")
    peer, wanted = stage.server.admit(renamed, restarted, said(4, "b"), said(5, "c"), head=6)
    assert wanted.since == 1
    assert stage.update() == Connected("ann", "#general", True)
    assert stage.update() == Missed()
    assert stage.events(4) == [2, 3, 4, 5]
    peer.send(said(6, "d"), live(6), said(7, "e"))
    assert stage.events(1) == [6]
    assert stage.update() == CaughtUp(6, True)
    assert stage.events(1) == [7]


def test_nothing_missed_no_divider(stage: Stage) -> None:
    """Own events and the server's in the replay, and what comes after it, bring no divider."""
    stage.lose()
    stage.server.admit(mine(1), Event(2, 0, EventKind.RESTARTED, "", "", ""), live(2), said(3, "b"), head=2)
    assert stage.update() == Connected("ann", "#general", True)
    assert stage.events(2) == [1, 2]
    assert stage.update() == CaughtUp(2, True)
    assert stage.events(1) == [3]


def test_an_own_rename_is_nothing_missed(stage: Stage) -> None:
    """Events before and after the client's own new name are all its own."""
    stage.lose()
    renamed = Event(2, 0, EventKind.RENAMED, "#general", "ann", "anna", person=ME)
    before, after = said(1, "own", "ann", person=ME), said(3, "own", "anna", person=ME)
    stage.server.admit(before, renamed, after, live(3), head=3)
    assert stage.update() == Connected("ann", "#general", True)
    assert stage.events(3) == [1, 2, 3]
    assert stage.update() == CaughtUp(3, True)


def test_a_connection_lost_within_the_replay_loses_and_doubles_nothing(stage: Stage) -> None:
    """The next connection asks for what follows the last event that was shown."""
    stage.lose()
    peer, _ = stage.server.admit(said(1, "a"), said(2, "b"), head=3)
    assert stage.update() == Connected("ann", "#general", True)
    assert stage.update() == Missed()
    assert stage.events(2) == [1, 2]
    peer.socket.shutdown(socket.SHUT_WR)
    assert isinstance(stage.update(), Disconnected)
    _, wanted = stage.server.admit(said(3, "c"), live(3), head=3)
    assert wanted.since == 2
    assert isinstance(stage.update(), Retrying)
    assert stage.update() == Connected("ann", "#general", True)
    assert stage.update() == Missed()
    assert stage.events(1) == [3]


@pytest.mark.parametrize("how", [Resumed.OTHER_HISTORY, Resumed.RESTORED])
def test_a_server_with_another_history(stage: Stage, how: Resumed) -> None:
    """The user is told in one line; the latest lines come without a divider, and the cursor starts anew."""
    stage.peer.send(said(500, "old"))
    assert stage.events(1) == [500]
    stage.lose()
    line = stage.client.say("hello")
    peer, _ = stage.server.admit(said(2, "b"), live(2), head=2, resumed=how, identity=b"J" * 16)
    assert stage.update() == Connected("ann", "#general", True)
    told = stage.update()
    assert isinstance(told, Interrupted) and told.how is how and "\n" not in told.words
    assert stage.events(1) == [2]
    assert stage.update() == CaughtUp(2, True)
    peer.send(own(3, peer.expect(Say)))
    assert line.wait(PATIENCE)
    peer.close()
    _, wanted = stage.server.admit()
    assert (wanted.since, wanted.time, wanted.identity) == (3, NOON, b"J" * 16)


@pytest.mark.parametrize("how", [Resumed.OTHER_HISTORY, Resumed.RESTORED])
def test_numbers_of_another_history_are_not_sent(stage: Stage, how: Resumed) -> None:
    """A line to one person, and a change of a message, name numbers: in another history those of others."""
    stage.lose()
    client = stage.client
    secret = client.say("for bob only", "@bob", receiver=BOB)
    edit, answer, plain = client.edit(5, "better"), client.say("yes", reply_to=5), client.say("hello")
    peer, _ = stage.server.admit(live(2), head=2, resumed=how, identity=b"J" * 16)
    assert isinstance(stage.update(), Connected) and isinstance(stage.update(), Interrupted)
    told = [stage.update() for _ in range(3)]
    assert [update.id for update in told if isinstance(update, Unanswered)] == [
        line.id for line in (secret, edit, answer)
    ]
    assert isinstance(stage.update(), CaughtUp)
    say = peer.expect(Say)
    assert (say.id, say.text) == (plain.id, "hello")
    assert secret.refused and edit.refused and answer.refused and not plain.refused


def test_a_gap_is_told(stage: Stage) -> None:
    """When missed lines are gone by retention, the rest comes as ever, below one line about it."""
    stage.peer.send(said(1, "a"))
    assert stage.events(1) == [1]
    stage.lose()
    stage.server.admit(said(7, "b"), live(7), resumed=Resumed.GAP)
    assert stage.update() == Connected("ann", "#general", True)
    told = stage.update()
    assert isinstance(told, Interrupted) and told.how is Resumed.GAP
    assert [stage.update(), *stage.events(1)] == [Missed(gap=True), 7]


def lose_three_lines(stage: Stage) -> tuple[list[Line], list[Say]]:
    """Three lines that the server got, and a lost connection; the cursor stands behind the event 1."""
    stage.peer.send(said(1, "a"))
    assert stage.events(1) == [1]
    lines = [stage.client.say(f"{number}") for number in range(3)]
    says = [stage.peer.expect(Say) for _ in lines]
    stage.lose()
    return lines, says


def test_what_the_replay_does_not_show_is_not_stored(stage: Stage) -> None:
    """An id up to WELCOME's `confirmed` without its event was refused; one above it is sent again."""
    lines, says = lose_three_lines(stage)
    peer, _ = stage.server.admit(own(2, says[1]), confirmed=says[1].id, head=2)
    assert lines[1].wait(PATIENCE)
    assert not lines[0].wait(0.01) and lines[0].refused is None  # LIVE has not come
    peer.send(live(2))
    assert not lines[0].wait(PATIENCE)
    assert lines[0].refused == NOT_STORED
    assert peer.expect(Say) == says[2]
    assert [stage.update() for _ in range(4)] == [
        Connected("ann", "#general", True),
        own(2, says[1]),
        CaughtUp(2, True),
        Unanswered(lines[0].id, "0", NOT_STORED),
    ]
    assert stage.client.pending() == [lines[2]]


def test_a_lost_refusal_makes_no_line_said(stage: Stage) -> None:
    """A line is refused, the next one is said, and the connection breaks before the answer has come. Then the
    first one is not stored, and nothing sends it again: the server would answer ALREADY, as for a repeat."""
    stage.peer.send(said(1, "a"))
    assert stage.events(1) == [1]
    muted, heard = (stage.client.say(text) for text in ("while muted", "later"))
    says = [stage.peer.expect(Say) for _ in (muted, heard)]
    stage.lose()
    peer, _ = stage.server.admit(own(2, says[1]), live(2), confirmed=says[1].id, head=2)
    assert heard.wait(PATIENCE) and not muted.wait(PATIENCE)
    assert muted.refused == NOT_STORED and heard.stored
    stage.client.say("the last one")
    assert peer.expect(Say).text == "the last one"
    assert Unanswered(muted.id, "while muted", NOT_STORED) in stage.client.poll()


def test_what_a_broken_replay_does_not_show_is_not_known(stage: Stage) -> None:
    """With a gap, also one of a try before, nobody knows; the line is not sent again."""
    lines, says = lose_three_lines(stage)
    peer, _ = stage.server.admit(said(7, "b"), confirmed=says[1].id, resumed=Resumed.GAP)
    assert isinstance(stage.update(), Connected)
    assert isinstance(stage.update(), Interrupted)
    assert [stage.update(), *stage.events(1)] == [Missed(gap=True), 7]
    peer.close()
    peer, wanted = stage.server.admit(own(8, says[1]), live(8), confirmed=says[1].id)
    assert wanted.since == 7
    assert not lines[0].wait(PATIENCE)
    assert lines[0].refused == LINE_UNKNOWN
    assert lines[1].stored
    assert peer.expect(Say) == says[2]
    assert Unanswered(lines[0].id, "0", LINE_UNKNOWN) in stage.client.poll()


def test_a_new_session_gets_all_lines_again_but_those_of_the_replay(stage: Stage) -> None:
    """A client whose session is forgotten becomes another person, and knows the lines of the earlier one."""
    lines, says = lose_three_lines(stage)
    peer, _ = stage.server.admit(own(2, says[0]), live(2), person=ME + 1, token=b"U" * 16)
    assert lines[0].wait(PATIENCE)
    assert [peer.expect(Say), peer.expect(Say)] == says[1:]
    peer.send(own(3, says[1]), own(4, says[2], person=ME + 1))
    assert lines[2].wait(PATIENCE)
    assert not lines[1].stored  # the earlier person cannot say anything any more


def test_a_bug_in_the_replay_settles_no_line(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """LIVE behind a burst that failed says nothing about the lines: their events may be in that burst."""
    lines, says = lose_three_lines(stage)
    failed = threading.Event()

    def fail(packets):  # type: ignore[no-untyped-def]
        if any(type(packet) is Event for packet in packets):
            failed.set()
            return [None / 0]
        assert failed.wait(PATIENCE)
        return sift(packets)

    monkeypatch.setattr(link, "sift", fail)
    peer, _ = stage.server.admit(own(2, says[0]))
    failed.wait(PATIENCE)
    with suppress(OSError):  # the client may have hung up
        peer.send(live(2))
    monkeypatch.setattr(link, "sift", sift)
    peer, _ = stage.server.admit(own(2, says[0]), live(2), confirmed=says[0].id)
    assert lines[0].wait(PATIENCE)
    assert [peer.expect(Say), peer.expect(Say)] == says[1:]


# --- the cursor, channels ----------------------------------------------------------------------------------


def test_an_unknown_event_moves_the_cursor(stage: Stage) -> None:
    """A kind of a newer server is not shown; its seq counts, so that it is not asked for again."""
    stage.peer.send(said(1, "a"))
    stage.peer.socket.sendall(unknown(2))
    stage.peer.send(Ping(5))
    stage.peer.expect(Pong)
    assert stage.events(1) == [1]
    stage.lose()
    _, wanted = stage.server.admit()
    assert (wanted.since, wanted.time) == (2, NOON)


def test_live_moves_the_cursor(stage: Stage) -> None:
    """Without an event, too: the history may end with what the member does not get."""
    stage.lose()
    stage.server.admit(live(9))[0].close()
    _, wanted = stage.server.admit()
    assert (wanted.since, wanted.time) == (9, NOON)


def test_the_past_that_a_request_asked_for_is_no_news(stage: Stage) -> None:
    """Between REPLAY and ANSWER with an id the events are not shown and do not move the cursor."""
    stage.peer.send(said(5, "e"), Replay(3), said(6, "old"), Answer(3, Code.OK, "that was all"), said(7, "g"))
    assert stage.events(1) == [5]
    assert stage.update() == Answer(3, Code.OK, "that was all")
    assert stage.events(1) == [7]
    stage.peer.send(Replay(4), said(8, "old"))
    stage.peer.socket.sendall(unknown(9))
    stage.peer.send(Ping(1))
    stage.peer.expect(Pong)
    stage.lose()
    assert stage.server.admit()[1].since == 7


def test_channels_are_told(stage: Stage) -> None:
    """CHANNEL, in the greeting and later, is an update; it says how the own channel is written."""
    stage.lose()
    tea = Channel(9, "#tea", "", 0, 0, 0, ())
    peer, _ = stage.server.admit(channel("#General"), tea, live())
    updates = itertools.takewhile(
        lambda update: not isinstance(update, CaughtUp), stage.client.updates(PATIENCE)
    )
    assert [update for update in updates if isinstance(update, Channel)] == [
        channel("#general"),
        channel("#General"),
        tea,
    ]
    assert stage.client.channel == "#General"
    assert [room.name for room in stage.client.rooms] == ["#General", "#tea"]
    peer.close()
    assert stage.server.admit()[1].channels == ("#general", "#tea")


def counted(members: int, seq: int = 0) -> Event:
    return Event(seq, NOON, EventKind.COUNTED, "#general", "", str(members), place=GENERAL)


def test_a_signal_is_no_event(stage: Stage) -> None:
    """Signals are no updates and move no cursor, wherever they come; COUNTED tells the number."""
    assert stage.client.people == 2
    stage.peer.send(
        said(5, "e"), counted(4000), said(6, "f"), said(0, "a signal of a kind that is none"), said(7)
    )
    assert stage.events(3) == [5, 6, 7]
    assert stage.client.people == 4000
    stage.lose()
    assert stage.server.admit()[1].since == 7


def test_the_own_channel_is_counted(stage: Stage) -> None:
    """The number is that of the client's channel, whatever other channels the server describes."""
    stage.peer.send(channel("#general"), Channel(9, "#tea", "", 0, 0, 500, ()), said(5, "e"))
    assert stage.events(1) == [5]
    assert stage.client.people == 2


def test_events_of_all_channels_are_updates(stage: Stage) -> None:
    """They come in one order, are counted until somebody looks, and move the cursor."""
    stage.peer.send(Channel(9, "#tea", "", 0, 0, 0, ()), said(5), said(6, channel="#tea", place=9), said(7))
    assert stage.events(3) == [5, 6, 7]
    assert stage.client.unread == {"#general": 2, "#tea": 1}
    stage.client.mark_read(9)
    assert stage.client.unread == {"#general": 2}
    stage.lose()
    assert stage.server.admit()[1].since == 7


def test_the_read_marker_is_told_and_taken(stage: Stage) -> None:
    """mark_read sends /read, whose answer nobody sees; READ of another program resets the count."""
    stage.peer.send(Channel(9, "#tea", "", 0, 0, 0, ()), *(said(n, channel="#tea", place=9) for n in (5, 6)))
    assert stage.events(2) == [5, 6]
    stage.client.mark_read(9, 5, tell=True)
    command = stage.peer.expect(Command)
    assert (command.channel, command.text) == ("#tea", "/read 5")
    stage.peer.send(Answer(command.id, Code.NO_SUCH_COMMAND, "no such command"))
    assert stage.client.unread == {"#tea": 1}
    stage.peer.send(Event(0, NOON, EventKind.READ, "#tea", "ann", "6", person=ME, place=9), said(7))
    assert stage.events(1) == [7]
    assert stage.client.unread == {"#general": 1}


def test_a_direct_conversation_has_the_name_of_the_other(stage: Stage) -> None:
    """On the wire both persons get the receiver's name; each client shows the other one's."""
    members = (Present(BOB, 0, "bob"), Present(ME, 0, "ann"))
    stage.peer.send(Channel(30, "@bob", "", Setting.DIRECT, 0, 2, members))
    stage.peer.send(said(5, channel="@ann", place=30), said(6, "own", "ann", 0, "@bob", ME, 30))
    assert [update.channel for update in (stage.update(), stage.update())] == ["@bob", "@bob"]  # type: ignore[union-attr]


def test_left_channels_are_not_asked_for_again(stage: Stage) -> None:
    """Whoever leaves a channel, or is removed, does not come back to it after a lost connection."""
    tea, lunch = (Channel(place, name, "", 0, 0, 0, ()) for place, name in ((9, "#tea"), (10, "#lunch")))
    stage.peer.send(tea, lunch, Event(5, NOON, EventKind.LEFT, "#tea", "ann", "", person=ME, place=9))
    stage.peer.send(Event(6, NOON, EventKind.MOVED, "#lunch", "bob", "#dinner", person=BOB, place=10))
    assert stage.events(2) == [5, 6]
    stage.lose()
    assert stage.server.admit()[1].channels == ("#general", "#dinner")


def test_leaving_a_counted_channel_is_a_signal(stage: Stage) -> None:
    """LEFT with seq 0 ends the own place as any LEFT does; that of somebody else changes nothing."""
    left = Event(0, NOON, EventKind.LEFT, "#tea", "ann", "", person=ME, place=9)
    stage.peer.send(Channel(9, "#tea", "", Setting.COUNTED, 0, 900, ()), left._replace(person=BOB), said(5))
    assert stage.events(1) == [5]
    assert [room.name for room in stage.client.rooms] == ["#general", "#tea"]
    stage.peer.send(left, said(6))
    assert stage.events(1) == [6]
    assert [room.name for room in stage.client.rooms] == ["#general"]
    stage.lose()
    assert stage.server.admit()[1].channels == ("#general",)


def test_an_own_name_may_come_as_a_signal(stage: Stage) -> None:
    """RENAMED with seq 0, where all channels are counted; nobody else's name comes so."""
    renamed = Event(0, NOON, EventKind.RENAMED, "", "ann", "anna", person=ME)
    stage.peer.send(renamed._replace(person=BOB), said(5))
    assert stage.events(1) == [5] and stage.client.name == "ann"
    stage.peer.send(renamed, said(6))
    assert stage.events(1) == [6] and stage.client.name == "anna"


def test_a_channel_that_is_closed_meanwhile(stage: Stage) -> None:
    """When the server refuses the channels of before, the client asks for those it was made for."""
    stage.peer.send(Channel(9, "#tea", "", 0, 0, 0, ()), said(5))
    assert stage.events(1) == [5]
    stage.lose()
    peer, admit = stage.server.offer(stage.server.named()[0], same=True)
    assert admit.channels == ("#general", "#tea")
    peer.send(welcome(), Bye(False, Code.BAD_KEY, "#tea has another key"))
    assert stage.server.admit(live(5))[1].channels == ("#general",)


def test_an_answer_behind_events_of_the_past(stage: Stage) -> None:
    """ask() gives both; they are no updates. A command gives them as Past, before its Answer."""
    asking = Task(lambda: stage.client.ask("/history 2", channel="#general"))
    command = stage.peer.expect(Command)
    stage.peer.send(Replay(command.id), said(1), said(2), Answer(command.id, 0, "two", '[["a", 1]]'), said(9))
    assert asking.result() == Answered(0, "two", (["a", 1],), (said(1), said(2)))
    assert stage.events(1) == [9]
    id = stage.client.command("/history 1")
    assert stage.peer.expect(Command).id == id
    stage.peer.send(Replay(id), said(1), Answer(id, 0, "one"))
    assert stage.update() == Past(id, (said(1),))
    assert stage.update() == Answer(id, 0, "one")


def test_the_past_without_an_end(stage: Stage) -> None:
    """A server that answers a command with events without end is no chatroom."""
    id = stage.client.command("/history")
    stage.peer.expect(Command)
    stage.peer.send(Replay(id), *(said(n, "x" * 60_000) for n in range(1, 20)))
    assert isinstance(stage.update(), Unanswered)
    lost = stage.update()
    assert isinstance(lost, Disconnected) and "answer one command" in lost.reason


def test_a_question_whose_answer_does_not_come(stage: Stage) -> None:
    """ask() ends with the time, the connection or the client, and none of that is an update."""
    with pytest.raises(TimeoutError):
        stage.client.ask("/who", timeout=0.01)
    asking = Task(lambda: stage.client.ask("/who"))
    stage.peer.expect(Command), stage.peer.expect(Command)
    stage.lose()
    with pytest.raises(ConnectionLost):
        asking.result()
    stage.server.admit(live())
    assert isinstance(stage.update(), Connected) and isinstance(stage.update(), CaughtUp)
    asking = Task(lambda: stage.client.ask("/who"))
    stage.server.dismiss(stage.client)
    with pytest.raises((Closed, ConnectionLost)):
        asking.result()


# --- signs of life -----------------------------------------------------------------------------------------


def test_a_ping_is_answered_with_its_id(stage: Stage) -> None:
    """PONG carries the id of the PING."""
    stage.peer.send(Ping(42))
    assert stage.peer.expect(Pong) == Pong(42)


def test_a_server_that_vanished_is_noticed() -> None:
    """To a silent server PINGs go out; then the connection is lost, and the client reconnects."""
    with FakeServer() as server:
        stage = Stage(server, dead_after=0.15)
        assert stage.peer.expect(Ping)
        lost = stage.update()
        assert lost == Disconnected("the server was silent for 0.15 seconds")
        server.admit(live())
        assert stage.update() == Connected("ann", "#general", True)
        server.dismiss(stage.client)


def test_a_server_that_answers_pings_is_not_lost() -> None:
    """An idle connection lives for as long as both sides give signs of life."""
    with FakeServer() as server:
        stage = Stage(server, dead_after=0.6)
        for _ in range(4):
            stage.peer.expect(Ping)
            stage.peer.send(Pong(0))
        assert stage.client.connected
        assert stage.client.poll() == []
        server.dismiss(stage.client)


def test_a_client_that_talks_asks_a_silent_server_too() -> None:
    """PINGs go out while lines do, and each answer makes the server alive again."""
    with FakeServer() as server:
        stage = Stage(server, dead_after=0.3)
        answered = threading.Event()

        def talk() -> None:
            while not answered.wait(0.02):
                stage.client.say("hello")

        talking = Task(talk)
        try:
            for _ in range(5):
                stage.peer.receive_until(lambda packet: isinstance(packet, Ping))
                stage.peer.send(Pong(0))
        finally:
            answered.set()
        talking.result()
        assert stage.client.connected
        assert stage.client.poll() == []
        server.dismiss(stage.client)


def test_a_server_that_reads_nothing_does_not_block_the_client() -> None:
    """While the server reads nothing, lines wait, events still arrive, and close() is not delayed."""
    with FakeServer() as server:
        stage = Stage(server)
        for _ in range(100):
            stage.client.say("x" * 60_000)
        stage.peer.send(said(1, "a"))
        assert stage.events(1) == [1]
        stage.peer.send(Bye(False, Code.KICKED, "enough"))
        assert isinstance(stage.update(), Ended)
        server.dismiss(stage.client)


# --- bursts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x" * 200, "", "ann\x1b[2J"])
def test_a_new_name_that_the_client_cannot_use_ends_the_connection(stage: Stage, name: str) -> None:
    """An own RENAMED with a name that cannot be one is not taken."""
    stage.peer.send(Event(1, NOON, EventKind.RENAMED, "", "ann", name, 0, ME))
    assert isinstance(lost := stage.update(), Disconnected)
    assert "cannot be a name" in lost.reason
    assert stage.client.name == "ann"


def test_whatever_is_told_counts_in_the_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words and LIVEs fill the inbox like lines: a reader that stops does not cost more memory."""
    monkeypatch.setattr("client.inbox.UNREAD_BYTES", 5000)
    sizes: list[int] = []
    put = Inbox.put

    def counted(self: Inbox, updates: list[Update], size: int, when_room: Callable[[], None]) -> bool:
        sizes.append(size)
        return put(self, updates, size, when_room)

    monkeypatch.setattr(Inbox, "put", counted)
    with FakeServer() as server:
        stage = Stage(server)
        stage.peer.send(*[live(1)] * 3, *[Info("w" * 900)] * 50, said(2, "end"))
        while not isinstance(update := stage.update(), Event):
            assert isinstance(update, CaughtUp | Info)
        assert update.text == "end"
        server.dismiss(stage.client)
    assert all(sizes)


def test_sifting() -> None:
    """Runs of events stay together, other packets stand alone, the order is that of the burst."""
    a, b, c = said(1, "a"), said(2, "b"), said(3, "c")
    assert sift([a, b, Ping(1), live(2), c]) == [[a, b], Ping(1), live(2), [c]]
    assert sift([]) == []


def test_nothing_is_shown_behind_a_burst_that_the_inbox_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later events only confirm lines, even when there is room again; the next connection fetches all."""
    refused: SimpleQueue[Callable[[], None]] = SimpleQueue()

    class RefusingOnce(Inbox):
        def put(self, updates, size, when_room):  # type: ignore[no-untyped-def, override]
            if updates == [said(2, "b")]:
                refused.put(when_room)
                return False
            return super().put(updates, size, when_room)

    monkeypatch.setattr("client.client.Inbox", RefusingOnce)
    with FakeServer() as server:
        stage = Stage(server)
        stage.peer.send(said(1, "a"))
        assert stage.events(1) == [1]
        stage.peer.send(said(2, "b"))
        when_room = refused.get(timeout=PATIENCE)
        line = stage.client.say("hello")
        stage.peer.send(own(3, stage.peer.expect(Say)))
        assert line.wait(PATIENCE)
        assert stage.client.poll() == []
        when_room()
        assert stage.update() == Disconnected(READ_LATE)
        assert server.admit(head=3)[1].since == 1
        server.dismiss(stage.client)


def test_a_program_that_never_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines are confirmed although the inbox is full; once it reads, no event is missing or double."""
    monkeypatch.setattr("client.client.Inbox", lambda _: Inbox(bound=300, patience=0.01))
    with FakeServer() as server:
        stage = Stage(server)
        events: list[Event] = []
        for number in range(20):
            stage.client.say(f"{number}")
            events.append(own(number + 1, stage.peer.expect(Say)))
            stage.peer.send(events[-1])
            assert stage.client.flush(PATIENCE)
        read: list[Update] = []
        while len(read) < len(events):
            update = stage.update()
            if type(update) is Event:
                read.append(update)
            elif isinstance(update, Disconnected):
                assert update.reason == READ_LATE
                peer, wanted = server.admit(head=20)
                peer.send(*events[wanted.since :], live(20))
        assert read == events
        server.dismiss(stage.client)


# --- a link alone ------------------------------------------------------------------------------------------


class Scripted(Connection):
    """A connection whose bytes the test gives, and which notes what the link does; then it is lost."""

    def __init__(self, *script: bytes | Callable[[], bytes]) -> None:
        super().__init__()
        self.script = iter(script)
        self.waits: list[float] = []
        self.sent: SimpleQueue[bytes] = SimpleQueue()
        self.finished, self.ended, self.closed = threading.Event(), threading.Event(), threading.Event()

    def receive(self, seconds: float) -> bytes:
        self.waits.append(seconds)
        step = next(self.script, None)
        if step is None:
            raise ConnectionLost("the script is over")
        return step if isinstance(step, bytes) else step()

    def send(self, data: bytes, seconds: float = PATIENCE) -> None:
        self.sent.put(data)

    def finish(self) -> None:
        self.finished.set()

    def shutdown(self) -> None:
        self.ended.set()

    def close(self) -> None:
        self.closed.set()


class Alone:
    """One link over a scripted connection, with everything around it in the test's hands."""

    def __init__(
        self, connection: Connection, dead_after: float = PATIENCE, reaper: Reaper | None = None
    ) -> None:
        self.pending, self.inbox, self.reaper = PendingLines(), Inbox(), reaper or Reaper("client")
        admission = Admission(connection, welcome(), [], Decoder(), Attempt("ann"))
        resume = ResumeState("ann", ("#general",), 0)
        lasting = Lasting(resume, self.pending, self.inbox, Rooms(resume.asked), Account())
        self.link = Link(admission, lasting, self.reaper, dead_after, threading.Event())

    def run(self) -> Ending:
        """How the link ended. All its threads have ended, too."""
        try:
            return self.link.run()
        finally:
            assert self.reaper.close(PATIENCE) == []


class FewThreads(Reaper):
    """Has only `count` threads to give; then spawn() raises the error."""

    def __init__(self, count: int, error: Exception) -> None:
        super().__init__("client")
        self.count, self.error = count, error

    def spawn(
        self,
        target: Callable[[], None],
        name: str,
        vital: bool = False,
        last: Callable[[], None] = lambda: None,
    ) -> threading.Thread:
        self.count -= 1
        if self.count < 0:
            raise self.error
        return super().spawn(target, name, vital, last)


def test_a_server_is_dead_after_three_silent_thirds() -> None:
    """The link waits three times a third of dead_after, and begins anew with each byte that comes."""
    silent = Scripted(*[b""] * 9)
    assert Alone(silent, 0.3).run() == Ending("the server was silent for 0.3 seconds", again=True)
    assert silent.waits == pytest.approx([0.1] * 3)
    late = Scripted(b"", b"", encode(Pong(0))[:5], *[b""] * 9)
    assert Alone(late, 0.3).run() == Ending("the server was silent for 0.3 seconds", again=True)
    assert late.waits == pytest.approx([0.1] * 6)


def test_an_idle_client_says_that_it_is_alive() -> None:
    """When the client has nothing to send for a third of dead_after, a PING with id 0 goes out."""
    found: list[bytes] = []

    def take_one() -> bytes:
        found.append(connection.sent.get(timeout=PATIENCE))
        return b""

    connection = Scripted(take_one)
    Alone(connection, 0.03).run()
    assert found == [encode(Ping(0))]


def test_after_the_goodbye_the_client_only_listens() -> None:
    """A client that is closed sends BYE and nothing more, and still takes what the server sends."""

    def answer() -> bytes:
        assert connection.finished.wait(PATIENCE)
        return encode(said(1, "a"))

    connection = Scripted(answer)
    alone = Alone(connection)
    alone.pending.close()
    alone.run()
    assert connection.sent.get(timeout=PATIENCE) == encode(Bye(False, Code.GOODBYE, ""))
    assert connection.sent.empty()
    assert alone.inbox.poll() == [said(1, "a")]


def test_a_connection_that_breaks_in_send_is_lost() -> None:
    """The sender's error is the reason of the end, and wakes the receiver."""

    class Broken(Scripted):
        def send(self, data: bytes, seconds: float = PATIENCE) -> None:
            raise ConnectionLost("the pipe broke")

    def wait_for_the_end() -> bytes:
        assert connection.ended.wait(PATIENCE)
        return b""

    connection = Broken(wait_for_the_end)
    assert Alone(connection, 0.03).run() == Ending("the pipe broke", again=True)


def test_the_first_reason_counts_but_a_goodbye_counts_more() -> None:
    """A link ends with the first reason to lose it, or with the words of BYE."""
    alone = Alone(Scripted())
    alone.link.lose("first")
    alone.link.lose("second")
    assert alone.run() == Ending("first", again=True)
    alone = Alone(Scripted(encode(Bye(False, Code.GOODBYE, "enough"))))
    alone.link.lose("first")
    assert alone.run() == Ending("enough", again=False, code=Code.GOODBYE)
    assert Alone(Scripted(encode(Bye(True, Code.STOPPING, "")))).run() == Ending(
        "the server said goodbye", again=True, code=Code.STOPPING
    )


@pytest.mark.parametrize(("code", "words"), [(Code.KICKED, "removed"), (Code.BANNED, "enough")])
def test_who_is_removed_does_not_come_back(code: Code, words: str) -> None:
    """An operator has ended the connection: whatever else the server says, the client does not reconnect."""
    ending = Alone(Scripted(encode(Bye(True, code, "enough")))).run()
    assert not ending.again and ending.code == code and words in ending.reason


@pytest.mark.parametrize("error", [RuntimeError("no thread"), Closed("no thread")], ids=["system", "closing"])
def test_a_system_without_threads(error: Exception) -> None:
    """Without a sender the link ends; without a thread for a burst, the receiver processes it itself."""
    connection = Scripted(encode(said(1, "a")))
    assert Alone(connection, reaper=FewThreads(0, error)).run() == Ending("no thread", again=True)
    assert connection.closed.is_set()
    alone = Alone(Scripted(encode(said(1, "a"))), reaper=FewThreads(1, error))
    assert alone.run() == Ending("the script is over", again=True)
    assert alone.inbox.poll() == [said(1, "a")]


def test_threads_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender and the thread of each burst are told apart by their names."""
    names: list[str] = []

    class Named(Scripted):
        def send(self, data: bytes, seconds: float = PATIENCE) -> None:
            names.append(threading.current_thread().name)
            super().send(data)

    def named_sift(packets):  # type: ignore[no-untyped-def]
        names.append(threading.current_thread().name)
        return sift(packets)

    def wait_for_the_sender() -> bytes:
        connection.sent.get(timeout=PATIENCE)
        return encode(said(1, "a"))

    monkeypatch.setattr(link, "sift", named_sift)
    connection = Named(wait_for_the_sender, encode(said(2, "b")))
    alone = Alone(connection)
    alone.pending.close()
    alone.run()
    assert sorted(names) == ["client-burst-0", "client-burst-1", "client-sender"]


@pytest.mark.parametrize("slow", ["sender", "burst"])
def test_the_socket_outlives_the_threads_that_use_it(monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    """The connection is closed when the sender and all bursts have ended, and the last burst is delivered."""
    too_early: list[bool] = []
    sending = threading.Event()

    class Slow(Scripted):
        def send(self, data: bytes, seconds: float = PATIENCE) -> None:
            sending.set()
            if slow == "sender":
                too_early.append(self.closed.wait(0.05))

    def slow_sift(packets):  # type: ignore[no-untyped-def]
        if slow == "burst":
            too_early.append(connection.closed.wait(0.05))
        return sift(packets)

    def wait_for_the_sender() -> bytes:
        assert sending.wait(PATIENCE)
        return encode(said(1, "a"))

    monkeypatch.setattr(link, "sift", slow_sift)
    connection = Slow(wait_for_the_sender)
    alone = Alone(connection)
    alone.pending.close()
    alone.run()
    assert too_early == [False]
    assert connection.closed.is_set()
    assert alone.inbox.poll() == [said(1, "a")]


def test_a_bug_in_receiving_leaves_nothing_behind() -> None:
    """An error that nobody expects reaches the caller, and the connection is shut down and closed."""

    def fail() -> bytes:
        raise ValueError("a bug")

    connection = Scripted(fail)
    with pytest.raises(ValueError, match="a bug"):
        Alone(connection).run()
    assert connection.ended.is_set()
    assert connection.closed.is_set()


def test_half_a_packet_is_no_update() -> None:
    """on_update is called for whole packets only."""
    calls: list[str] = []
    data = encode(said(1, "a"))
    alone = Alone(Scripted(data[:7], data[7:]))
    alone.inbox.on_update = lambda: calls.append("updated")
    alone.run()
    assert calls == ["updated"]


def test_a_burst_that_fails_early_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came before a burst that fails is delivered, however early it fails."""
    failing = threading.Event()

    def fail_second(packets):  # type: ignore[no-untyped-def]
        if packets[0].seq == 2:
            failing.set()
            raise ValueError("a bug")
        assert failing.wait(PATIENCE)
        connection.ended.wait(0.05)  # time in which a burst that does not wait ends the connection
        return sift(packets)

    monkeypatch.setattr(link, "sift", fail_second)
    connection = Scripted(encode(said(1, "a")), encode(said(2, "b")))
    alone = Alone(connection)
    alone.run()
    assert alone.inbox.poll() == [said(1, "a")]


def test_the_log_says_how_a_link_ended(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reason is logged for debugging, with its cause if it has one; a bug is logged as an error."""
    caplog.set_level("DEBUG")
    alone = Alone(Scripted())
    alone.link.lose("no cause")
    alone.run()
    first, second = (record for record in caplog.records if record.name == link.__name__)
    assert first.getMessage().endswith("no cause") and first.exc_info is None
    assert second.getMessage().endswith("the script is over") and second.exc_info
    assert all(record.levelname == "DEBUG" for record in caplog.records)

    monkeypatch.setattr(link, "sift", lambda _packets: [[None]])

    def silence() -> bytes:
        assert connection.ended.wait(PATIENCE)  # until the burst has failed
        return b""

    connection = Scripted(encode(Ping(1)), silence)
    assert Alone(connection).run().reason.startswith("processing failed: AttributeError")
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


# --- channels that this program has joined ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "asked"),
    [
        ("/join #tea", Code.OK, True),
        ("/JOIN  #TEA word", Code.ALREADY, True),
        ("/join #tea", Code.BAD_KEY, False),
        ("/topic #tea", Code.OK, False),
        ("/join", Code.OK, False),
    ],
)
def test_a_join_of_this_program(stage: Stage, text: str, code: Code, asked: bool) -> None:
    """A channel counts as asked for when a /join of this program has succeeded, not when another's has."""
    stage.peer.send(channel("#tea", 9))
    id = stage.client.command(text)
    stage.peer.expect(Command)
    stage.peer.send(Answer(id, code, "so"))
    assert stage.update() == Answer(id, code, "so")
    room = stage.client.room(9)
    assert room is not None and room.asked is asked
