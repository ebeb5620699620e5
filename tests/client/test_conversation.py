"""client/conversation.py and what it is made of: a user with several places, against a server of packets."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from chatroom.errors import Refused
from chatroom.events import BAN_LIST, MUTE_LIST, Event, EventKind, Extra, Setting, extra_number, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Channel, Command, Form, Info, Packet, Present, Replay, Say
from client import Client
from client.updates import OwnInfo
from tests.client.fake_server import ME, FakeServer, live
from tests.client.script import Absent, Gone, Last, Step, play
from tests.support.events import BOB, GENERAL, NOON, said
from tests.support.tasks import Task

TEA, DIRECT, EVE = 9, 30, 44
AT_ANN = extra_row(Extra.TARGET, ME, 4) + extra_row(Extra.TARGET_NAME, "ann")
BOTH = (Present(BOB, 0, "bob"), Present(ME, 0, "ann"))


def tea(seq: int, text: str, author: str = "bob", person: int = BOB, extra: bytes = b"") -> Event:
    return Event(seq, NOON, EventKind.SAID, "#tea", author, text, 0, person, TEA, extra)


def about(
    kind: EventKind, seq: int, message: int, text: str, author: str = "bob", person: int = BOB
) -> Event:
    extra = extra_row(Extra.MESSAGE, message)
    return Event(seq, NOON, kind, "#general", author, text, 0, person, GENERAL, extra)


def conversation(place: int, name: str, person: int) -> Channel:
    """The direct conversation with somebody."""
    return Channel(
        place, f"@{name}", "", Setting.DIRECT, 0, 2, (Present(person, 0, name), Present(ME, 0, "ann"))
    )


class User:
    """Ann, who is in #general and in #tea, and has a conversation with bob."""

    def __init__(self, server: FakeServer, *replayed: Packet) -> None:
        self.server = server
        self.client = Client(port=server.port, name="ann")
        connecting = Task(self.client.connect)
        places = (
            Channel(TEA, "#tea", "hot", 0, 0, 2, BOTH),
            Channel(DIRECT, "@bob", "", Setting.DIRECT, 0, 2, BOTH),
        )
        self.markers: list[tuple[str, str]] = []  # that have come: channel and seq
        self.peer, _ = server.admit(*places, *replayed, live(100), head=100)
        connecting.result()

    def play(self, *steps: Step, is_new: bool = False) -> None:
        """Play the steps once the client has asked whose lines to hide, and which commands there are."""
        no_help = self.answers("/help", "", Code.NO_SUCH_COMMAND, "no help")
        self.play_from_help(no_help, *steps, is_new=is_new)

    def play_from_help(self, *steps: Step, is_new: bool = False) -> None:
        """The same without the second answer."""
        play(self.client, self.answers("/ignored", "[]"), "you are ann", *steps, is_new=is_new)

    def happens(self, *packets: Packet) -> Step:
        """A step: the server sends packets."""

        def send() -> bool:
            self.peer.send(*packets)
            return True

        return send

    def received(self) -> Say | Command | None:
        """The next line or command, if it has come. A read marker that no test asks for is left out."""
        while self.peer.has_more():
            packet = self.peer.receive()
            if isinstance(packet, Say) or (isinstance(packet, Command) and not self.is_marker(packet)):
                return packet
        return None

    def is_marker(self, command: Command) -> bool:
        """Whether it is a read marker; they are noted."""
        if command.text.startswith("/read "):
            self.markers.append((command.channel, command.text.removeprefix("/read ")))
            return True
        return False

    def answers(self, text: str, rows: str = "", code: int = Code.OK, words: str = "", *past: Event) -> Step:
        """A step: a command must come with this text, and is answered."""

        def answer() -> bool:
            command = self.received()
            if command is None:
                return False
            assert isinstance(command, Command) and command.text == text
            bracket: list[Packet] = [Replay(command.id), *past] if past else []
            self.peer.send(*bracket, Answer(command.id, code, words, rows))
            return True

        return answer

    def says(self, text: str, form: int = 0, channel: str = "#general", **numbers: int) -> Step:
        """A step: a SAY like this must come; numbers: of its extra, by key."""

        def look() -> bool:
            say = self.received()
            if say is None:
                return False
            assert isinstance(say, Say) and (say.text, say.form, say.channel) == (text, form, channel)
            for key, number in numbers.items():
                assert extra_number(say.extra, Extra[key]) == number
            return True

        return look

    def refuses(self, text: str, code: int, words: str, rows: str = "", form: int = 0) -> Step:
        """A step: a SAY must come with this text, and is refused."""

        def refuse() -> bool:
            say = self.received()
            if say is None:
                return False
            assert isinstance(say, Say) and (say.text, say.form) == (text, form)
            self.peer.send(Answer(say.id, code, words, rows))
            return True

        return refuse

    def marks(self, channel: str, seq: int) -> Step:
        """A step: the read marker of a channel must come."""

        def look() -> bool:
            while (channel, str(seq)) not in self.markers and self.peer.has_more():
                assert self.is_marker(self.peer.expect(Command))
            return (channel, str(seq)) in self.markers

        return look


@pytest.fixture
def user() -> Iterator[User]:
    with FakeServer() as server:
        user = User(server)
        yield user
        server.dismiss(user.client)


def test_own_lines_are_known_by_the_person(user: User) -> None:
    """A line that was said before a new name is stored, whatever the client is called by now."""
    says: list[Say] = []

    def both() -> bool:
        say = user.received()
        if isinstance(say, Say):
            says.append(say)
            line = Event(101, NOON, EventKind.SAID, "#general", "ann", "hello", say.id, ME, GENERAL)
            renamed = Event(102, NOON, EventKind.RENAMED, "", "ann", "anna", 0, ME)
            user.peer.send(line, renamed)
        return bool(says)

    user.play(
        b"hello\r",
        both,
        "ann is now anna",
        b"/edit hallo\r",
        lambda: user.says("hallo", Form.EDIT, MESSAGE=101)(),
    )


def test_edit_corrects(user: User) -> None:
    """/edit s/wrong/right/ corrects, too; what does not fit, or leaves nothing, changes nothing."""
    mine = said(101, "we meet on Monday", "ann", person=ME)
    user.play(
        user.happens(mine),
        "ann we meet",
        b"/edit s/Monday/Tuesday/\r",
        lambda: user.says("we meet on Tuesday", Form.EDIT, MESSAGE=101)(),
        b"/edit s/Friday/Sunday/\r",
        "-- /edit nothing is changed: your last line has no Friday",
        b"/edit s/we meet on Monday//\r",
        "-- /edit nothing would be left; /delete takes your last line back",
        b"/edit no, on Sunday\r",
        lambda: user.says("no, on Sunday", Form.EDIT, MESSAGE=101)(),
    )


# --- places ------------------------------------------------------------------------------------------------


def test_another_channel_is_counted_until_one_looks(user: User) -> None:
    """Its lines are not shown; going there shows its name, topic and lines, and the server is told."""
    user.play(
        user.happens(said(101, "here"), tea(102, "there"), tea(103, "more")),
        "bob here",
        "unread: #tea 2",
        Absent("there"),
        b"/unread\r",
        "-- /unread you are in 3 places",
        "1 #general here",
        "2 #tea 2 unread",
        "3 @bob",
        b"/go #tea\r",
        user.marks("#general", 101),
        "-- #tea: hot, 2 people, 2 unread",
        "bob there",
        "more",
        Absent("bob here"),
        b"yes\r",
        user.says("yes", channel="#tea"),
        b"/go 1\r",
        user.marks("#tea", 103),
        "bob here",
        Absent("unread:"),
    )


def test_keys_for_places(user: User) -> None:
    """Alt-2 goes to the second place, Alt-A to the next with something unread; both tell if there is none."""
    user.play(
        user.happens(said(101, "private", channel="@ann", place=DIRECT)),
        "@bob 1",
        b"\x1ba",
        "-- @bob: 1 unread",
        "bob to you private",
        b"\x1b2",
        "-- #tea: hot",
        b"\x1b9",
        "there is no place 9",
        b"\x1ba",
        "nothing is unread",
    )


def test_a_place_whose_lines_are_not_known(user: User) -> None:
    """Its latest lines are asked for, and shown when they come; other events meanwhile are no part of it."""
    user.play(
        b"/go tea\r",
        "-- #tea: hot",
        user.answers("/history 50", "", Code.OK, "two lines", tea(7, "long ago"), tea(8, "later")),
        "bob long ago",
        "later",
        Absent("two lines"),
        b"/go #general\r",
        user.answers("/history 50", "", Code.NO_SUCH_COMMAND, "there is no such command"),
        b"/go #tea\r",
        "bob long ago",
        Absent("no such command"),
        b"/go #nowhere\r",
        "you are not in #nowhere",
    )


def test_two_persons_who_had_one_name(user: User) -> None:
    """A conversation is asked for, and marked as read, by its number: another one may be called so, too."""
    line = Event(101, NOON, EventKind.SAID, "@ann", "bob", "from the first", 0, BOB, DIRECT)
    user.play(
        user.happens(conversation(31, "bob", EVE)),
        b"/go 3\r",
        "-- @bob",
        user.answers(f"/history 50 in:{DIRECT}", "", Code.OK, "", line),
        "bob to you from the first",
        b"x",
        b"\x1b2",
        user.marks(str(DIRECT), 101),
    )


def test_what_is_new_since_an_earlier_visit() -> None:
    """Behind the read marker of the greeting stands a divider, once; older lines have none."""
    with FakeServer() as server:
        read = Event(0, NOON, EventKind.READ, "#general", "ann", "50", person=ME, place=GENERAL)
        user = User(server, read, said(50, "old"), said(51, "new"), said(52, "newer"))
        user.play(
            "newer",
            "--------------------- new since you were here",
            user.happens(said(101, "now")),
            "now",
        )
        server.dismiss(user.client)


def test_reading_on_another_computer(user: User) -> None:
    """READ of another program resets the count."""
    read = Event(0, NOON, EventKind.READ, "#tea", "ann", "102", person=ME, place=TEA)
    user.play(
        user.happens(tea(101, "a"), tea(102, "b"), tea(103, "c")),
        "#tea 3",
        user.happens(read),
        "#tea 1",
    )


def test_joining_and_leaving(user: User) -> None:
    """/join goes there when the server agrees; whoever leaves a place or is removed sees another one."""
    cake = Channel(77, "#cake", "sweet", 0, 0, 1, (Present(ME, 0, "ann"),))
    left = Event(102, NOON, EventKind.LEFT, "#cake", "ann", "", 0, ME, 77)
    user.play(
        b"/join #cake secret\r",
        user.answers("/join #cake secret", "", Code.BAD_KEY, "#cake has another key"),
        "-- /join #cake has another key",
        b"/join #Cake key\r",
        user.happens(cake),
        user.answers("/join #Cake key", '[["#cake", 77]]'),
        "-- #cake: sweet, 1 person",
        user.answers("/history 50", ""),
        b"hello\r",
        user.says("hello", channel="#cake"),
        b"/leave\r",
        user.happens(left),
        user.answers("/leave", '[["#cake", 77]]'),
        "-- #general: 2 people",
        "-- /leave you have left #cake; you are in #general now",
        b"/go 3\r",
        "@bob",
        b"/leave\r",
        "-- /leave a talk with one person stays in /unread; you are in #general now",
        b"not for you\x03\x1b[A",
        "ann> not for you",
        b"\x15/help keys\r",
        "> before a name: somebody calls you",
    )


def test_coming_in_is_told_once() -> None:
    """Who one is, and where: neither one's own coming nor a line that stands there already is told again."""
    coming = Event(102, NOON, EventKind.JOINED, "#general", "ann", "", 0, ME, GENERAL)
    with FakeServer() as server:
        user = User(server)
        user.happens(said(101, "hello"), coming, said(103, "how are you?"))()
        user.play(
            "-- #general: 2 people",
            "you are ann in #general; /help lists the commands",
            "how are you?",
            Absent("unread"),
            Absent("ann joined"),
        )
        server.dismiss(user.client)


def test_what_was_told_before_the_chat_stands_in_it_too() -> None:
    """The fingerprint of a new server: it stays below what was said before, and is not painted over."""
    with FakeServer() as server:
        user = User(server, said(50, "hello"))
        below = Last(
            (
                "-- the fingerprint is AB:CD",
                "-- #general: 2 people",
                "you are ann in #general; /help lists the commands, /register keeps your name",
                "and places",
                "#general, 2 here",
                "ann>",
            )
        )
        ignored, commands = (
            user.answers("/ignored", "[]"),
            user.answers("/help", "", Code.NO_SUCH_COMMAND, ""),
        )
        play(user.client, ignored, "you are ann", commands, below, notices=["the fingerprint is AB:CD"])
        server.dismiss(user.client)


def test_who_and_where_one_is_stands_next_to_the_prompt() -> None:
    """However much was said before: below it is who one is, where, and what a guest can do."""
    lines = [said(50 + number, f"line {number}") for number in range(40)]
    with FakeServer() as server:
        user = User(server, *lines)
        user.play(
            Last(
                (
                    "-- #general: 2 people",
                    "you are ann in #general; /help lists the commands, /register keeps your name",
                    "and places",
                    "#general, 2 here",
                    "ann>",
                )
            )
        )
        server.dismiss(user.client)


def test_why_a_line_waits_is_told_in_the_other_place(user: User) -> None:
    """The reason is below the lines of the place that has come meanwhile, not only on the screen before."""
    lines = [Event(60 + n, NOON, EventKind.SAID, "#cake", "bob", f"old {n}", 0, BOB, 77) for n in range(40)]
    cake = Channel(77, "#cake", "sweet", 0, 0, 1, (Present(ME, 0, "ann"),))
    user.play(
        b"/join #cake\r",
        b"too early\r",
        "not sent: the other place is not there yet; press Enter again",
        user.happens(cake),
        user.answers("/join #cake", '[["#cake", 77]]'),
        user.answers("/history 50", "", Code.OK, "", *lines),
        "old 39",
        "not sent: this place was not there yet; press Enter again",
        "ann> too early",
        b"\r",
        user.says("too early", channel="#cake"),
    )


def test_a_place_that_is_taken_away(user: User) -> None:
    """Whoever is removed stays where they were: a half-typed line must not be said elsewhere."""
    kicked = Event(101, NOON, EventKind.KICKED, "#general", "bob", "too loud", 0, BOB, GENERAL, AT_ANN)
    user.play(
        b"half-typed",
        user.happens(kicked),
        "-- bob removed you: too loud",
        "-- you are no longer in #general; /join #general brings you back",
        b"\r",
        user.says("half-typed"),
        user.happens(said(102, place=77, channel="#x"), tea(103, "there")),
        "#tea 1",
        Absent("line 102"),
        b"/go 1\r",
        "-- #tea: hot",
    )


def test_nothing_brings_back_who_is_banned(user: User) -> None:
    """A ban is told before the kick that comes of it."""
    banned = AT_ANN + extra_row(Extra.LIST, BAN_LIST, 1)
    user.play(
        user.happens(
            Event(101, NOON, EventKind.LISTED, "#general", "bob", "", 0, BOB, GENERAL, banned),
            Event(102, NOON, EventKind.KICKED, "#general", "bob", "", 0, BOB, GENERAL, AT_ANN),
        ),
        "-- you are no longer in #general; /go or /join leads elsewhere",
        Absent("brings you back"),
    )


def test_no_command_is_given_in_the_wrong_place(user: User) -> None:
    """A command that was typed for a place that has gone is not carried out in another one."""
    closed = Event(101, NOON, EventKind.CLOSED, "#general", "bob", "", 0, BOB, GENERAL)

    def gives(text: str, channel: str) -> Step:
        def look() -> bool:
            command = user.received()
            if command is None:
                return False
            assert isinstance(command, Command) and (command.text, command.channel) == (text, channel)
            user.peer.send(Answer(command.id, Code.NO_SUCH_CHANNEL, f"there is no channel {channel}", ""))
            return True

        return look

    user.play(
        user.happens(closed),
        "-- you are no longer in #general; /go or /join leads elsewhere",
        b"/slow 5\r",
        gives("/slow 5", "#general"),
        "-- /slow there is no channel #general",
        b"/leave\r",
        gives("/leave", "#general"),
    )


def test_nothing_is_said_in_the_wrong_place(user: User) -> None:
    """What is typed behind /query, before its answer, is not said here: it may be for one person only."""
    user.play(
        b"/query eve\rsecret\r",
        "ann> secret",
        "not sent: the other place is not there yet",
        user.answers("/query eve", f'[{EVE}, "eve", 0]'),
        "-- @eve: nothing was said here yet",
        b"\r",
        user.says("secret", channel="@eve", RECEIVER=EVE),
    )


def test_lines_of_other_channels_may_be_merged(user: User) -> None:
    """/merge on shows them under their names, and they count as seen; /merge off counts them again."""
    user.play(
        b"/merge on\r",
        "are shown under their names",
        user.happens(tea(101, "there")),
        "bob #tea there",
        Absent("lines elsewhere"),
        b"/merge off\r",
        "are counted",
        user.happens(tea(102, "again")),
        "#tea 1",
        b"/merge x\r",
        "/merge on, or /merge off",
    )


def shared(seq: int, kind: EventKind, author: str, person: int, text: str = "") -> Event:
    """An event of no place."""
    return Event(seq, NOON, kind, "", author, text, 0, person, 0)


def test_whoever_is_elsewhere_comes_and_goes_unseen(user: User) -> None:
    """A new name, being away and going are shown where the person is: not on any screen."""
    eve = Event(101, NOON, EventKind.JOINED, "#tea", "eve", "", 0, EVE, TEA)
    user.play(
        user.happens(
            eve,
            shared(102, EventKind.AWAY, "eve", EVE, "lunch"),
            shared(103, EventKind.RENAMED, "eve", EVE, "eva"),
            shared(104, EventKind.AWAY, "bob", BOB, "lunch"),
            shared(105, EventKind.QUIT, "eva", EVE),
            shared(106, EventKind.QUIT, "bob", BOB),
        ),
        "bob is away: lunch",
        "bob left",
        Absent("eve"),
        Absent("eva"),
        b"ev\t",
        Absent("eva"),
        b"\x15",
        user.happens(shared(107, EventKind.RENAMED, "ann", ME, "anna")),
        "ann is now anna",
        b"/go #tea\r",
        user.answers("/history 50", ""),
        user.happens(eve._replace(seq=108), shared(109, EventKind.QUIT, "eve", EVE, "good night")),
        "eve joined; eve left",
        b"/go @bob\r",
        "@bob",
        user.happens(shared(110, EventKind.AWAY, "bob", BOB, "tea")),
        "bob is away: tea",
    )


def test_merged_channels_have_names_that_change(user: User) -> None:
    """A new name of somebody in another channel is shown under that one's name, when its lines are, too."""
    user.play(
        b"/merge on\r",
        "lines of your other channels",
        user.happens(
            Event(101, NOON, EventKind.JOINED, "#tea", "eve", "", 0, EVE, TEA),
            shared(102, EventKind.RENAMED, "eve", EVE, "eva"),
            shared(103, EventKind.QUIT, "eva", EVE),
            said(104, "a mark"),
        ),
        "-- #tea eve is now eva",
        "a mark",
        Absent("eva left"),
    )


def test_an_invitation_is_told_at_once(user: User) -> None:
    """It is in a direct conversation, which may not be on the screen."""
    invited = Event(101, NOON, EventKind.INVITED, "@ann", "bob", "#cake", 0, BOB, DIRECT)
    user.play(
        user.happens(invited),
        "-- @bob bob invites you to #cake: /join #cake",
        "@bob 1",
        Absent("wrote to you alone"),
    )


# --- one person --------------------------------------------------------------------------------------------


def test_writing_to_one_person(user: User) -> None:
    """/msg says a line where the conversation is, and it is shown here when it is stored."""
    user.play(
        b"/msg bob psst\r",
        "(@bob) psst",
        user.says("psst", channel="@bob", RECEIVER=BOB),
        b"/msg eve hello\r",
        user.answers("/query eve", f'[{EVE}, "Eve", 0]'),
        user.says("hello", channel="@Eve", RECEIVER=EVE),
        b"/msg nobody hello\r",
        user.answers("/query nobody", "", Code.NO_SUCH_NAME, "nobody is called nobody"),
        "-- /msg nobody is called nobody",
        b"/msg bob\r",
        "/msg NAME TEXT",
        b"/clear\r/msg , hello\r",
        "/msg NAME TEXT",
    )


@pytest.mark.parametrize("typed", ["bob,", "@bob,", "bob:", "bob\uff0c"])
def test_a_comma_behind_a_name(user: User, typed: str) -> None:
    """It is not part of the name, as people write it."""
    user.play(f"/msg {typed} psst\r".encode(), user.says("psst", channel="@bob", RECEIVER=BOB))


def test_who_begins_to_write_alone_is_told(user: User) -> None:
    """Also in a conversation that was not there: it is counted, and a row says how to get there. It says so
    once, until the user has read it, here or on another computer."""

    def line(seq: int, text: str, person: int = EVE) -> Event:
        return Event(seq, NOON, EventKind.SAID, "@ann", "eve", text, 0, person, 31)

    user.play(
        user.happens(conversation(31, "eve", EVE), line(101, "psst")),
        "@eve 1",
        "-- eve wrote to you alone: Alt-A or /go @eve",
        b"/clear\r",
        user.happens(line(102, "hey")),
        "@eve 2",
        Absent("wrote to you alone"),
        user.happens(line(103, "what?", ME)),
        user.happens(Event(0, NOON, EventKind.READ, "@eve", "ann", "103", person=ME, place=31)),
        Gone("@eve 2"),
        user.happens(line(104, "again")),
        "@eve 1",
        "-- eve wrote to you alone",
        b"\x1ba",
        "-- @eve: 1 unread",
        b"/go 1\r",
        "#general, 2 here",
        Absent("@eve"),
    )


def test_writing_to_an_earlier_name(user: User) -> None:
    """The refusal names the present name, whatever command has named the earlier one."""
    nobody = Code.NO_SUCH_NAME, "nobody is called eve"
    user.play(
        user.happens(Event(101, NOON, EventKind.RENAMED, "", "eve", "evita", 0, EVE), said(102, "hello")),
        "bob hello",
        b"/msg eve hello\r",
        user.answers("/query eve", "", *nobody),
        "-- /msg nobody is called eve; eve is evita now",
        b"/go eve\r",
        user.answers("/query eve", "", *nobody),
        "you can write to is called so; eve is",
        b"/whois eve\r",
        user.answers("/whois eve", '["eve"]', Code.NO_SUCH_NAME, "nobody here is called eve"),
        "-- /whois nobody here is called eve; eve is evita now",
    )


def test_a_conversation_that_has_not_begun(user: User) -> None:
    """/query goes there; it begins with the first line, and its place is on the screen then."""
    answer = Event(102, NOON, EventKind.SAID, "@ann", "eve", "hi", 0, EVE, 31)
    user.play(
        b"/query eve\r",
        user.answers("/query eve", f'[[{EVE}, "eve", 0]]'),
        "-- @eve: nothing was said here yet",
        user.happens(said(101, "elsewhere")),
        "#general 1",
        Absent("bob elsewhere"),
        b"hello\r",
        user.says("hello", channel="@eve", RECEIVER=EVE),
        user.happens(conversation(31, "eve", EVE), answer),
        "eve to you hi",
        b"/query bob\r",
        "-- @bob",
        b"/leave\r",
        "-- #general",
    )


# --- lines -------------------------------------------------------------------------------------------------


def own(seq: int, text: str, minutes: int = 0) -> Event:
    """A line of ann's, said just now."""
    now = int(time.time() * 1000) - minutes * 60_000
    return Event(seq, now, EventKind.SAID, "#general", "ann", text, 0, ME, GENERAL)


def test_correcting_the_last_line(user: User) -> None:
    """s/wrong/right/ edits it when it fits, and is held once when it does not; behind //, and when there is
    nothing to correct, it is said as it is."""
    user.play(
        b"s/a/b/\r",
        user.says("s/a/b/"),
        b"s/s/S/\r",
        "not sent: your line is still on its way",
        "ann> s/s/S/",
        b"\x15",
        user.happens(own(101, "I have sene it")),
        "ann I have sene it",
        b"s/sene/seen/\r",
        user.says("I have seen it", Form.EDIT, MESSAGE=101),
        b"s/other/x/\r",
        "-- not sent: other is not in your last line. To say it as it is: \u2191 and Enter",
        b"\x1b[A",
        "ann> s/other/x/",
        b"\r",
        user.says("s/other/x/"),
        b"//s/sene/seen/\r",
        user.says("s/sene/seen/"),
        b"//x\r",
        user.says("/x"),
    )


def test_a_line_of_the_history_is_corrected() -> None:
    """Also one that was said before this start, as long as it may be changed; /delete takes it back, too."""
    with FakeServer() as server:
        user = User(server, own(90, "I have sene it"))
        user.play(
            "ann I have sene it",
            b"s/sene/seen/\r",
            user.says("I have seen it", Form.EDIT, MESSAGE=90),
            b"/delete\r",
            user.says("", Form.DELETE, MESSAGE=90),
        )
        server.dismiss(user.client)


def test_an_old_line_is_not_corrected(user: User) -> None:
    """Nobody means it any more: the line is said as it is."""
    user.play(
        user.happens(own(102, "an old one", minutes=20)),
        "an old one",
        b"s/old/new/\r",
        user.says("s/old/new/"),
    )


def test_close_is_asked_about(user: User) -> None:
    """The name of the channel confirms: without it the client tells what goes away, and sends nothing."""
    user.play(
        b"/close too late\r",
        "-- /close this ends #general for all",
        "/close #general too late does it",
        b"/close #general too late\r",
        user.answers("/close #general too late", "", Code.NEED_ROLE, "/close needs the role owner"),
        "needs the role owner",
    )


def test_who_founds_a_channel_is_told(user: User) -> None:
    """Also a mistyped name founds one."""
    channel = Channel(77, "#clas", "", 0, 0, 1, (Present(ME, 0, "ann"),))
    user.play(
        b"/join clas\r",
        user.happens(channel),
        user.answers("/join #clas", '["#clas", 77, "new"]', Code.OK, "#clas is new; you are its owner"),
        "-- /join #clas is new; you are its owner",
    )


def test_blanks_before_a_slash(user: User) -> None:
    """They hide no command: what was meant for one person must not be read by all. Pasted lines keep them."""
    user.play(
        b"  /msg bob secret\r",
        user.says("secret", channel="@bob"),
        "\u3000/me waves\r".encode(),
        user.says("waves", Form.ACT),
        b" //x\r",
        user.says("/x"),
        b" x/y\r",
        user.says(" x/y"),
        b"\x1b[200~ /usr\n /bin\x1b[201~\r",
        user.says(" /usr\n /bin"),
    )


def test_commands_for_lines(user: User) -> None:
    """Each is about the last line here: the user's own, or that of somebody else."""
    user.play(
        b"/edit x\r",
        "you have said nothing here",
        b"/react x\r",
        "nobody else has",
        user.happens(own(101, "mine"), said(102, "yours")),
        "bob yours",
        b"/edit better\r",
        user.says("better", Form.EDIT, MESSAGE=101),
        b"/react +1\r",
        user.says("+1", Form.REACT, MESSAGE=102),
        b"/delete\r",
        user.says("", Form.DELETE, MESSAGE=101),
        b"/me waves\r",
        user.says("waves", Form.ACT),
        b"/reply yes\r",
        user.says("yes", REPLY_TO=102),
        b"/delete\r",
        "your line is still on its way",
        b"/me\r",
        "/me TEXT",
        b"/reply\r",
        "/reply TEXT",
        b"/edit\r",
        "/edit TEXT",
        b"/react\r",
        "/react TEXT",
    )


def test_amendments_are_shown(user: User) -> None:
    """An edited line with its new text, a deleted one as such, a reaction with what it is about."""
    amended = said(110, "third")._replace(extra=extra_row(Extra.EDITED, 111))
    user.play(
        user.happens(said(101, "first"), said(102, "second")),
        user.happens(about(EventKind.EDITED, 103, 101, "1st")),
        "1st (edited)",
        user.happens(about(EventKind.DELETED, 104, 102, "", "ann", ME)),
        "-- ann deleted a line of bob",
        user.happens(about(EventKind.REACTED, 105, 101, "+1")),
        "-- bob reacted +1 to bob: 1st",
        user.happens(about(EventKind.REACTED, 106, 7, "+1")),
        "-- bob reacted +1 to an earlier line",
        user.happens(amended, about(EventKind.EDITED, 111, 110, "third, not shown twice")),
        "third (edited)",
        Absent("not shown twice"),
        user.happens(said(112, "because")._replace(extra=extra_row(Extra.REPLY_TO, 101))),
        "because (to bob)",
        user.happens(said(113, "waves")._replace(extra=extra_row(Extra.FORM, Form.ACT, 1))),
        "* bob waves",
        b"/go #tea\r",
        "-- #tea",
        b"/go #general\r",
        "1st (edited)",
        "a line of bob was deleted",
    )


def test_ignored_persons(user: User) -> None:
    """Lines of whom the user ignores are neither shown nor counted, here and elsewhere."""
    user.play(
        b"/ignore bob\r",
        user.answers("/ignore bob", "", Code.OK, "bob is ignored"),
        "-- /ignore bob is ignored",
        user.answers("/ignored", f'[[{BOB}, "bob"], ["bad"]]'),
        user.happens(Answer(1, 0, "a mark")),
        "a mark",
        user.happens(said(101, "hidden"), tea(102, "hidden"), tea(103, "shown", "eve", EVE)),
        "#tea 1",
        Absent("hidden"),
    )


def test_whom_one_reads_again(user: User) -> None:
    """The count is as if nobody had been ignored, and what was said meanwhile is there, too."""
    user.play(
        user.happens(tea(101, "before"), said(102, "here")),
        "#tea 1",
        b"/ignore bob\r",
        user.answers("/ignore bob", "", Code.OK, "bob is ignored"),
        user.answers("/ignored", f'[[{BOB}, "bob"]]'),
        Gone("#tea 1"),
        user.happens(tea(103, "meanwhile"), tea(104, "to all", "eve", EVE)),
        "#tea 1",
        b"/unignore bob\r",
        user.answers("/unignore bob", "", Code.OK, "you read bob again"),
        user.answers("/ignored", "[]"),
        "#tea 3",
        b"/go #tea\r",
        "bob before",
        "meanwhile",
        "eve to all",
        b"/go #general\r",
        Absent("unread:"),
    )


def test_an_invitation_is_read_where_it_was_said(user: User) -> None:
    """It counts as unread, so it is among the lines of the conversation, and looking at them takes it off."""
    invited = Event(101, NOON, EventKind.INVITED, "@ann", "bob", "#cake", 0, BOB, DIRECT, AT_ANN)
    user.play(
        user.happens(invited),
        "@bob 1",
        b"/clear\r/go @bob\r",
        "-- bob invites you to #cake: /join #cake",
        b"/go #general\r",
        "#general, 2 here",
        Absent("unread:"),
    )


def test_ignored_persons_from_before() -> None:
    """What was said lately is not shown before it is known whose lines are hidden; nor counted then."""
    earlier = (tea(96, "hidden"), said(97, "hidden"), said(98, "shown", "eve", person=EVE))
    read = Event(0, NOON, EventKind.READ, "#tea", "", "90", 0, ME, TEA)
    with FakeServer() as server:
        user = User(server, read, *earlier)
        user.happens(said(101, "hidden, too"), said(102, "now", "eve", person=EVE))()
        play(
            user.client,
            "#general, 2 here",
            Absent("shown"),
            user.answers("/ignored", f'[[{BOB}, "bob"]]'),
            "eve shown",
            "you are ann",
            "now",
            Absent("hidden"),
            Absent("in #tea"),
        )
        server.dismiss(user.client)


def test_nothing_is_lost_without_an_answer() -> None:
    """The connection breaks before it is known whose lines are hidden: they are shown."""
    with FakeServer() as server:
        user = User(server, said(98, "shown"))
        user.peer.close()
        play(user.client, "connection lost", "bob shown")
        server.dismiss(user.client)


def test_a_command_of_the_server_that_looks_back(user: User) -> None:
    """What it finds is shown under the names of its channels, and the words below."""
    user.play(
        b"/context 7\r",
        user.answers("/context 7", "", Code.OK, "1 line", tea(7, "tea is ready")),
        "bob 7. #tea tea is ready",
        "-- /context 1 line",
    )


@pytest.mark.parametrize("word", ["/q", "/exit", "/quit"])
def test_leaving(user: User, word: str) -> None:
    """Each of the three words ends the client, which tells how far the user has read. What follows is for the
    shell, and is not said."""
    user.play(
        user.happens(said(101, "a")),
        "bob a",
        b"\x0c",
        user.marks("#general", 101),
        user.happens(said(102, "second")),
        "second",
        word.encode() + b"\rto the shell\r",
        lambda: pytest.fail("it goes on"),
    )
    assert user.peer.expect(Command).text == "/read 102"


# --- moderation and the classroom --------------------------------------------------------------------------


def in_tea(kind: EventKind, seq: int, text: str = "", extra: bytes = b"", author: str = "bob") -> Event:
    return tea(seq, text, author, BOB if author else 0, extra)._replace(kind=kind)


@pytest.mark.parametrize(
    ("code", "rows", "words", "shown"),
    [
        (
            Code.MUTED,
            '["#general", 0, "spam"]',
            "not said: muted",
            "not said: you are muted in #general: spam",
        ),
        (Code.NEED_ROLE, "", "not said: moderated", "not said: moderated"),
        (Code.SLOW_DOWN, "[20000]", "not said: slow", "not said: slow; again in 20 s"),
        (Code.NOT_IN, "", "", "you are not in this channel"),
    ],
)
def test_a_refused_line_is_named(user: User, code: int, rows: str, words: str, shown: str) -> None:
    """The reason has its beginning, and when it may be said; a key brings it back as it was typed."""
    user.play(
        b"//precious\r",
        user.refuses("/precious", code, words, rows),
        f"{shown}: /precious",
        b"\x1b[A",
        "ann> //precious",
    )


def test_what_is_typed_meanwhile_stays_alone(user: User) -> None:
    """The refused line does not come into the input by itself: both would be said together."""
    long = "precious " * 20
    user.play(
        f"{long}\rnew".encode(),
        user.refuses(long, Code.MUTED, "not said: muted"),
        "not said: muted: precious precious",
        "ann> new",
    )


def test_refused_commands_with_a_text(user: User) -> None:
    """/me and /ask come back as they were typed; a change of a line is only named."""
    user.play(
        b"/me waves\r",
        user.refuses("waves", Code.MUTED, "muted", form=Form.ACT),
        "muted: waves (\u2191 brings it back)",
        b"\x1b[A",
        "ann> /me waves",
        b"\x15/ask why?\r",
        user.answers("/ask why?", "[20000]", Code.SLOW_DOWN, "too many questions"),
        "too many questions; again in 20 s: why? (\u2191 brings it back)",
        user.happens(said(101, "own", "ann", person=ME)),
        "ann own",
        b"/edit other\r",
        user.refuses("other", Code.TOO_LATE, "too late", form=Form.EDIT),
        "too late: other",
    )


def test_a_refused_line_of_another_kind_of_code(user: User) -> None:
    """A command that fails without a text of its own is only answered."""
    user.play(
        b"/kick bobb\r",
        user.answers("/kick bobb", "", Code.NO_SUCH_NAME, "nobody is called bobb"),
        "-- /kick nobody is called bobb",
        Absent("ann> /kick"),
    )


def test_it_is_ones_turn(user: User) -> None:
    """Whoever is called is told so, wherever they are; the others' turn is news of that channel only."""
    user.play(
        user.happens(
            in_tea(EventKind.CALLED, 101, extra=extra_row(Extra.TARGET, EVE, 4)),
            in_tea(EventKind.HAND, 102),
            in_tea(EventKind.CALLED, 103, extra=AT_ANN),
        ),
        "*** #tea it is your turn to speak",
        Absent("has the word"),
        Absent("hand"),
    )


def test_an_announcement_is_shown_everywhere(user: User) -> None:
    """Also of somebody whom the user does not want to read."""
    announced = Event(101, NOON, EventKind.ANNOUNCED, "", "bob", "back at noon", 0, BOB, 0)
    user.play(
        b"/ignore bob\r",
        user.answers("/ignore bob", "", words="ignored"),
        user.answers("/ignored", f"[[{BOB}]]"),
        b"/go #tea\r",
        "-- #tea",
        user.happens(announced),
        "*** bob to all: back at noon",
    )


def test_a_poll_of_another_channel(user: User) -> None:
    """It counts as unread, and is there with its options when one comes."""
    votes = extra_row(Extra.VOTES, bytes((0, 2, 0, 1)))
    user.play(
        user.happens(in_tea(EventKind.POLL, 101, "lunch? | yes | no")),
        "unread: #tea 1",
        Absent("lunch"),
        b"/go #tea\r",
        "-- bob asks: lunch?",
        "1 yes",
        "2 no",
        user.happens(
            in_tea(EventKind.ASKED, 102, "why?", author=""),
            in_tea(EventKind.REVEALED, 103, "lunch? | yes | no", votes),
        ),
        "-- somebody asks: why?",
        "-- the result of the poll: lunch? (3 votes)",
        "2 67 %",
        b"/go 1\r",
        "-- #general",
        b"/go #tea\r",
        "bob asks: lunch?",
        "2 67 %",
    )


def test_an_erased_person_has_said_nothing(user: User) -> None:
    """Their lines leave the screen, and are not printed again in other places."""
    erased = Event(104, NOON, EventKind.ERASED, "", "", "", 0, 0, 0, extra_row(Extra.TARGET, BOB, 4))
    user.play(
        user.happens(said(101, "my secret"), tea(102, "another"), said(103, "mine", "eve", person=EVE)),
        "bob my secret",
        "eve mine",
        user.happens(erased),
        "-- all that one person had said is erased",
        "-- this was erased",
        Absent("secret"),
        "eve mine",
        b"/go #tea\r",
        "-- this was erased",
        Absent("another"),
        b"/go 1\r",
        "eve mine",
        Absent("secret"),
    )


def test_raised_hands_are_one_line(user: User) -> None:
    """A class that raises its hands does not drown the talk."""
    hands = [
        Event(101 + n, NOON, EventKind.HAND, "#general", f"p{n}", "", 0, 100 + n, GENERAL) for n in range(30)
    ]
    user.play(
        user.happens(*hands), "-- 30 raised a hand: p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10 and 19 more"
    )


def test_a_lost_role_and_a_mute_are_told(user: User) -> None:
    """What an operator does to the user is told at once, also in another channel, with reason and end."""
    mute = extra_row(Extra.LIST, MUTE_LIST, 1) + AT_ANN + extra_row(Extra.UNTIL, NOON + 600_000)
    user.play(
        user.happens(in_tea(EventKind.LISTED, 101, "too loud", mute)),
        "-- #tea bob muted you for 10 minutes: too loud",
    )


def test_an_operator_ends_the_connection(user: User) -> None:
    """The client says why, keeps what is half-typed on the screen, and does not come back."""
    ended = play(
        user.client,
        user.answers("/ignored", "[]"),
        "you are ann",
        b"half-typed",
        user.happens(Bye(False, Code.KICKED, "killed by bob: spam")),
        lambda: user.client.ended is not None,
        "this never comes",
    )
    assert ended is not None and isinstance(ended.error, Refused) and ended.error.code == Code.KICKED
    assert ended.reason == "you were removed from the chatroom: killed by bob: spam"


# --- half-typed lines --------------------------------------------------------------------------------------


def test_each_place_keeps_its_half_typed_line(user: User) -> None:
    """What was half-typed in one place is not sent in another; it is there again, with the cursor."""
    user.play(
        b"/go @bob\r",
        user.answers(f"/history 50 in:{DIRECT}", ""),
        "ann to bob>",
        b"only for bob\x1b[D\x1b[D\x1b[D",
        "ann to bob> only for bob",
        b"\x1b1",
        "-- #general",
        user.answers("/history 50", ""),
        Absent("only for bob"),
        b"\x1f\x1f\x1b[A\x1b[B",
        b"\x15to all\r",
        user.says("to all", channel="#general"),
        b"a draft\x1b3",
        "ann to bob> only for bob",
        user.answers(f"/history 50 in:{DIRECT}", ""),
        b"X\r",
        user.says("only for Xbob", channel="@bob"),
        b"\x1b1",
        "ann> a draft",
    )


def test_a_long_paste_stays_in_its_place(user: User) -> None:
    """It is one unit there again, and is sent whole."""
    user.play(
        b"\x1b[200~1\n2\n3\n4\n5\n6\n7\x1b[201~",
        "[Pasted 7 lines]",
        b"\x1b2",
        user.answers("/history 50", ""),
        Absent("Pasted"),
        b"hot\r",
        user.says("hot", channel="#tea"),
        b"\x1b1",
        "[Pasted 7 lines]",
        user.answers("/history 50", ""),
        b"\r",
        user.says("1\n2\n3\n4\n5\n6\n7", channel="#general"),
    )


def test_merged_places_keep_theirs_too(user: User) -> None:
    """The screen stays then, and the line goes all the same."""
    user.play(
        b"/merge on\r",
        "are shown under their names",
        b"for general\x1b2",
        "-- #tea",
        user.answers("/history 50", ""),
        Absent("ann> for general"),
        b"\x1b1",
        "ann> for general",
    )


# --- what is meant for one person --------------------------------------------------------------------------


def test_a_reply_that_names_somebody(user: User) -> None:
    """Who writes `/reply bob text` may mean bob alone, so it is not said to all; with a colon it is."""
    user.play(
        user.happens(said(101, "hello")),
        "bob hello",
        b"/reply bob no, tell nobody\r",
        "-- /reply not said: /reply answers in #general, before all; to bob alone: /msg bob",
        b"/reply bob: yes\r",
        user.says("bob: yes", channel="#general", REPLY_TO=101),
    )


def test_a_line_to_all_that_seems_to_be_for_one(user: User) -> None:
    """The first `@bob …` in a channel is held, and says how to write to bob alone; it is never held again."""
    user.play(
        b"@bobby is no member\r",
        user.says("@bobby is no member"),
        b"@ann is who says it\r",
        user.says("@ann is who says it"),
        b"@bob\r",
        user.says("@bob"),
        b"@BOB my password\r",
        "-- not sent: all in #general would read this; /msg bob",
        b"/go @bob\r",
        user.answers(f"/history 50 in:{DIRECT}", ""),
        b"@bob you\r",
        user.says("@bob you", channel="@bob"),
        b"/go 1\r",
        user.answers("/history 50", ""),
        b"@bob yes\r",
        user.says("@bob yes"),
    )


def test_the_held_line_comes_back(user: User) -> None:
    """A key brings it back. It does not stand in the input: who goes on to type would say both together."""
    user.play(
        b"@bob yes\r",
        "would read this",
        b"x",
        "ann> x",
        b"\x15\x1b[A",
        "ann> @bob yes",
        b"\r",
        user.says("@bob yes"),
    )


def test_to_write_to_one_is_not_to_read(user: User) -> None:
    """What bob wrote stays unread when he is written to from another place, until ann goes there."""
    user.play(
        user.happens(said(101, "psst", channel="@ann", place=DIRECT)),
        "unread: @bob 1",
        b"/msg bob are you there\r",
        user.says("are you there", channel="@bob"),
        user.happens(said(102, "are you there", "ann", channel="@bob", person=ME, place=DIRECT)),
        user.happens(said(103, "hello")),
        "bob hello",
        "unread: @bob 1",
        b"\x1ba",
        "@bob: 1 unread",
        "bob to you psst",
        Gone("unread: @bob"),
    )


def test_who_leaves_an_empty_channel_has_read_it(user: User) -> None:
    """Without a marker all that is said there meanwhile would count as old for who comes in again."""
    user.play(
        b"/join new\r",
        user.happens(
            Channel(77, "#new", "", 0, 0, 1, (Present(ME, 0, "ann"),)),
            Event(105, NOON, EventKind.JOINED, "#new", "ann", "", 0, ME, 77),
        ),
        user.answers("/join #new", '["#new", 77]'),
        "-- #new",
        user.answers("/history 50", ""),
        b"/go #general\r",
        "-- #general",
        user.marks("#new", 105),
    )


def test_a_held_line_comes_back_behind_others(user: User) -> None:
    """Who did not see at once that it was not sent sends other lines first."""
    user.play(
        b"@bob yes\r",
        "would read this",
        b"x\r",
        user.says("x"),
        b"\x1b[A",
        "ann> @bob yes",
        b"\x1b[A",
        "ann> x",
        b"\x1b[B\r",
        user.says("@bob yes"),
        b"y\r",
        user.says("y"),
        b"\x1b[A",
        "ann> y",
    )


@pytest.mark.parametrize(("typed", "told"), [("help", "/help lists"), ("Exit ", "/quit"), ("quit", "/quit")])
def test_a_command_without_its_slash(user: User, typed: str, told: str) -> None:
    """It is held once: who takes the chat for a shell does not mean to say it to all."""
    user.play(
        f"{typed}\r".encode(),
        f"-- not sent: {told}",
        b"helping\r",
        user.says("helping"),
        b"\x1b[A\r",
        user.says(typed),
    )


def test_a_reply_while_somebody_waits(user: User) -> None:
    """Whose private line is unread may be the one who is to be answered: /reply before all is held once."""
    user.play(
        user.happens(said(101, "hello", "carla", person=EVE)),
        user.happens(said(102, "psst", channel="@ann", place=DIRECT)),
        "unread: @bob 1",
        b"/reply yes?\r",
        "-- /reply not said: all in #general would read this, as an answer to carla; to bob",
        b"\x1b[A\r",
        user.says("yes?", REPLY_TO=101),
        b"/reply and\r",
        user.says("and", REPLY_TO=101),
        user.happens(said(103, "psst!", channel="@ann", place=DIRECT)),
        "unread: @bob 2",
        b"/clear\r/reply so\r",
        "-- /reply not said",
    )


def test_a_talk_with_one_person_is_not_left(user: User) -> None:
    """Who is elsewhere stays there, and is told."""
    user.play(
        b"/leave @bob\r",
        "-- /leave a talk with one person cannot be left, it stays in /unread; /ignore bob hides",
        Last(("#general, 2 here", "ann>")),
    )


def test_ctrl_c_on_an_empty_line(user: User) -> None:
    """The first one only says how to leave: it may have been pressed to be sure that the line is empty."""
    user.play(b"\x03", "-- Ctrl-C again leaves", b"hello\r", user.says("hello"))


def test_a_poll_in_another_channel(user: User) -> None:
    """The answer names the channel, and a result has its numbers: the event is shown only there."""
    user.play(
        b"/poll #tea Where?|here|there\r",
        user.answers("/poll #tea Where?|here|there", "", Code.OK, "the poll is open; /reveal ends it"),
        "-- /poll #tea: the poll is open; /reveal #tea ends it",
        b"/reveal #tea\r",
        user.answers("/reveal #tea", '["Where?", ["here", 2], ["there", 0]]', 0, "the poll is over: Where?"),
        "-- /reveal #tea: the poll is over: Where?",
        "1 here: 2",
        "2 there: 0",
    )


def test_going_to_a_person(user: User) -> None:
    """/go needs no @ before the name; and who means a whisper by /w is told how to write to one person."""
    user.play(
        b"/go bob\r",
        "ann to bob>",
        user.answers(f"/history 50 in:{DIRECT}", ""),
        b"/go eve\r",
        user.answers("/query eve", f'[{EVE}, "eve", 0]'),
        "ann to eve>",
        b"/go nobody\r",
        user.answers("/query nobody", "", Code.NO_SUCH_NAME, "nobody is called nobody"),
        "-- /go you are not in nobody",
        b"/w bob psst\r",
        user.answers("/w bob psst", "", Code.NO_SUCH_CHANNEL, "there is no channel #bob"),
        "/w is /who. To one person: /msg bob TEXT",
    )


def test_what_was_said_alone_is_not_told_to_all(user: User) -> None:
    """Who corrects the line that was said last does not change an older one, which all read."""
    user.play(
        user.happens(said(101, "good morning", "ann", person=ME, place=GENERAL)),
        "ann good morning",
        user.happens(conversation(31, "eve", EVE)),
        user.happens(said(102, "the kye", "ann", channel="@eve", person=ME, place=31)),
        user.happens(said(103, "hello", "bob", person=BOB, place=GENERAL)),
        "bob hello",
        b"/edit the key\r",
        "-- /edit your last line was to eve alone; /go eve leads there",
        b"s/kye/key/\r",
        "ann> s/kye/key/",
        b"\x15/delete\r",
        "-- /delete your last line was to eve alone",
        b"\x15fine\r",
        user.says("fine"),
    )


def test_a_server_does_not_speak_as_the_program() -> None:
    """While its certificate is still to be compared, whatever it says unasked is told to be its own words."""
    with FakeServer() as server:
        user = User(server)
        said_unasked = user.happens(Info("it is AB:CD"), Answer(77, Code.OK, "it is EF:01", "[]"))
        marked = "the server says: it is AB:CD", "the server says: it is EF:01"
        user.client._inbox.tell(OwnInfo("not kept"))
        user.play("not kept", Absent("says: not kept"), said_unasked, *marked, is_new=True)
        server.dismiss(user.client)
