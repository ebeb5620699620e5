"""client/answering.py: what a user at a terminal reads of answers; and what the status says beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.events import MUTE_LIST, Event, EventKind, Extra, Setting, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Command
from tests.client.fake_server import ME, FakeServer
from tests.client.script import Absent, Gone, Step
from tests.client.test_conversation import AT_ANN, TEA, User, tea
from tests.support.events import BOB, GENERAL, NOON, said


@pytest.fixture
def user() -> Iterator[User]:
    with FakeServer() as server:
        user = User(server)
        yield user
        server.dismiss(user.client)


def own(seq: int, kind: EventKind, text: str = "", extra: bytes = b"", place: int = GENERAL) -> Event:
    """An event that ann has caused."""
    channel = "#general" if place == GENERAL else "#tea"
    return Event(seq, NOON, kind, channel, "ann", text, 0, ME, place, extra)


def does(user: User, text: str, words: str, *events: Event, rows: str = "", code: int = Code.OK) -> Step:
    """A step: a command must come; its events come, and then its answer."""

    def act() -> bool:
        command = user.received()
        if command is None:
            return False
        assert isinstance(command, Command) and command.text == text
        user.peer.send(*events, Answer(command.id, code, words, rows), said(events[-1].seq + 1, "a mark"))
        return True

    return act


# --- the command -------------------------------------------------------------------------------------------


def test_who_of_a_person(user: User) -> None:
    """/who lists a channel; whoever names a person is told what tells about one."""
    nowhere = Code.NO_SUCH_CHANNEL, "there is no channel #bob"
    user.play(
        b"/who bob\r",
        user.answers("/who bob", '["#bob"]', *nowhere),
        "-- /who there is no channel #bob; /whois bob tells about one person",
        b"/clear\r/who #bob\r",
        user.answers("/who #bob", '["#bob"]', *nowhere),
        "-- /who there is no channel #bob",
        Absent("/whois"),
    )


def test_answers_name_their_commands(user: User) -> None:
    """Each stands behind its command, also when several come in a row, in another order, and late."""
    asked: list[Command] = []

    def collects() -> bool:
        command = user.received()
        asked.extend([command] if isinstance(command, Command) else [])
        return len(asked) == 3

    def answers() -> bool:
        time, whois, who = asked
        rows = '["#general", ["ann", "here"], ["李雷", "here"]]'
        user.peer.send(
            Answer(who.id, Code.OK, "/who #general: 2 here", rows),
            said(101, "in between"),
            Answer(whois.id, Code.NO_SUCH_NAME, "nobody here is called eve"),
            Answer(time.id, Code.OK, "2026-01-31 12:34:56 UTC"),
        )
        return True

    user.play(
        b"/time\r/whois eve\r/WHO\r",
        collects,
        answers,
        "-- /WHO #general: 2 here",
        "ann, 李雷",
        "bob in between",
        "-- /whois nobody here is called eve",
        "-- /time 2026-01-31 12:34:56 UTC",
    )


def test_what_was_found_is_no_news(user: User) -> None:
    """Lines of the past stand below the command that has found them, and its answer behind them."""
    user.play(
        b"/grep exam from:bob\r",
        user.answers(
            "/grep exam from:bob",
            '[{"more":false}]',
            Code.OK,
            "that is all",
            said(7, "an exam"),
            tea(8, "exams"),
        ),
        "-- /grep exam from:bob: 2 lines",
        "bob 2. an exam",
        "bob 1. #tea exams",
        "-- /grep the key Alt-N shows each with the lines around it",
        Absent("that is all"),
        b"/history\r",
        user.answers("/history", '[{"more":false}]', Code.OK, "that is all", said(7, "an exam")),
        "-- /history 1 line",
        "-- /history that is all",
    )


def test_commands_of_the_client(user: User) -> None:
    """They are named, too, and a refused line is no answer to a command."""
    user.play(
        b"/bell\r/me\r",
        "-- /bell the terminal rings",
        "-- /me TEXT",
        b"hello\r",
        user.refuses("hello", Code.TOO_LONG, "not said: too long"),
        "-- not said: too long: hello",
    )


def test_no_password_is_named(user: User) -> None:
    """Of a command with a secret, nothing but its name is shown."""
    user.play(
        b"/set key secret\r",
        Gone("ann> /set"),
        lambda: user.received() is not None,
        Absent("secret"),
    )


def test_channels_are_learned(user: User) -> None:
    """Tab knows the channels of /channels, from its rows or its words."""
    user.play(
        b"/channels\r",
        user.answers("/channels", '[["#cake", 2, "sweet", 0, false]]', Code.OK, "one"),
        "-- /channels 1 channel",
        "#cake 2 here sweet",
        b"/join #ca\t",
        "ann> /join #cake",
        b"\x15/channels\r",
        user.answers("/channels", "", Code.OK, "/channels: 1\n  #lab  2 here"),
        "#lab 2 here",
        b"/join #la\t",
        "ann> /join #lab",
    )


# --- once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "words", "event", "seen"),
    [
        ("/topic hot", "the topic is: hot", own(101, EventKind.TOPIC, "hot"), "ann set the topic: hot"),
        (
            "/nick anna",
            "you are anna now",
            own(101, EventKind.RENAMED, "anna")._replace(channel="", place=0),
            "ann is now anna",
        ),
        (
            "/away lunch",
            "the others see that you are away",
            own(101, EventKind.AWAY, "lunch")._replace(channel="", place=0),
            "ann is away: lunch",
        ),
        (
            "/hush",
            "only operators and who has the word may speak now",
            own(101, EventKind.SET, extra=extra_row(Setting.MODERATED, 1, 1)),
            "ann made #general quiet: only operators and who has the word may speak",
        ),
        (
            "/kick bob",
            "bob is out",
            own(
                101,
                EventKind.KICKED,
                extra=extra_row(Extra.TARGET, BOB, 4) + extra_row(Extra.TARGET_NAME, "bob"),
            ),
            "ann removed bob",
        ),
        ("/announce x", "everybody is told", own(101, EventKind.ANNOUNCED, "x"), "ann to all: x"),
    ],
)
def test_a_change_is_told_once(user: User, typed: str, words: str, event: Event, seen: str) -> None:
    """The event tells it; the answer, which says the same, is not shown."""
    user.play(typed.encode() + b"\r", does(user, typed, words, event), seen, "a mark", Absent(words))


def test_a_change_elsewhere_is_told_by_its_answer(user: User) -> None:
    """Of a channel that is not on the screen no event is shown."""
    event = own(101, EventKind.TOPIC, "hot", place=TEA)
    user.play(
        b"/topic #tea hot\r",
        does(user, "/topic #tea hot", "the topic is: hot", event),
        "a mark",
        "-- /topic the topic is: hot",
        Absent("ann set the topic"),
    )


def test_an_answer_that_tells_more(user: User) -> None:
    """The number in the queue is in the answer only, so that is what is shown."""
    user.play(
        b"/hand\r",
        does(user, "/hand", "your hand is up: number 3 in the queue", own(101, EventKind.HAND)),
        "a mark",
        "-- /hand your hand is up: number 3",
        Absent("raised a hand"),
    )


def test_what_a_ban_of_a_guest_cannot_do_is_told_once(user: User) -> None:
    """No event tells it. The second time the user knows; a kick with a number is told each time."""
    about = extra_row(Extra.TARGET, BOB, 4) + extra_row(Extra.TARGET_NAME, "bob")
    mute = own(101, EventKind.LISTED, extra=extra_row(Extra.LIST, MUTE_LIST, 1) + about)
    kick = own(105, EventKind.KICKED, "10 spam", about)
    hint = "bob is a guest, who can come back under another name: /mute +bob means the network"
    again = "a kick has no time: /ban bob 10m keeps bob out"
    muted, rows = f"bob is muted in #general; {hint}", '["bob", "#general", 0, "guest"]'
    user.play(
        b"/mute bob\r",
        does(user, "/mute bob", muted, mute, rows=rows),
        "ann muted bob",
        f"-- /mute {hint[:40]}",
        Absent("is muted in"),
        b"/mute eve\r",
        does(
            user,
            "/mute eve",
            muted.replace("bob", "eve"),
            mute._replace(seq=103, extra=mute.extra.replace(b"bob", b"eve")),
            rows=rows.replace("bob", "eve"),
        ),
        "ann muted eve",
        Absent("eve is a guest"),
        b"/kick bob 10 spam\r",
        does(user, "/kick bob 10 spam", f"bob is out; {again}", kick, rows='["bob", "#general", "no time"]'),
        f"-- /kick {again}",
    )


@pytest.mark.parametrize("rows", ["7", '["bob"]', '[{"a": 1}, [], 0, "guest"]', '["b", "#a", "guest", {}]'])
def test_a_hint_of_a_newer_server(user: User, rows: str) -> None:
    """Rows that are otherwise do no harm."""
    user.play(
        b"/ban bob\r",
        user.answers("/ban bob", rows, Code.OK, "bob is banned"),
        "-- /ban",
    )


def test_who_opens_a_poll_reads_how_it_ends(user: User) -> None:
    """Its event has the question, the answer says /reveal."""
    poll = own(101, EventKind.POLL, "Tea? | yes | no")
    user.play(
        b"/poll Tea? | yes | no\r",
        does(user, "/poll Tea? | yes | no", "the poll is open; /reveal ends it", poll),
        "ann asks: Tea?",
        "-- /poll the poll is open; /reveal ends it",
    )


def test_a_number_alone_is_said(user: User) -> None:
    """Also while a poll is open: it may be the answer to a question. /vote votes."""
    poll = own(101, EventKind.POLL, "2 + 1? | 3 | 4")
    user.play(user.happens(poll), "ann asks: 2 + 1?", b"3\r", user.says("3"))


# --- the status --------------------------------------------------------------------------------------------


def test_calls_elsewhere_are_in_the_status(user: User) -> None:
    """A place where the user is called comes first, and says so."""
    direct = said(102, "psst", channel="@ann", place=30)
    user.play(
        user.happens(tea(101, "hello"), direct),
        "unread: @bob 1, #tea 1",
        user.happens(tea(103, "ann?"), tea(104, "Ann!")),
        "unread: #tea 3 (2 call you), @bob 1",
    )


def test_who_may_only_read(user: User) -> None:
    """A mute and a moderated channel are in the status as long as they last."""

    def listed(seq: int, removed: bool) -> Event:
        extra = (
            extra_row(Extra.LIST, MUTE_LIST, 1)
            + AT_ANN
            + (extra_row(Extra.REMOVED, 1, 1) if removed else b"")
        )
        return Event(seq, NOON, EventKind.LISTED, "#general", "bob", "", 0, BOB, GENERAL, extra)

    def moderated(seq: int, on: int) -> Event:
        extra = extra_row(Setting.MODERATED, on, 1)
        return Event(seq, NOON, EventKind.SET, "#general", "bob", "", 0, BOB, GENERAL, extra)

    user.play(
        Absent("read-only"),
        user.happens(listed(101, False)),
        "#general, 2 here \u00b7 read-only: you are muted",
        user.happens(listed(102, True)),
        Gone("read-only"),
        user.happens(moderated(103, 1)),
        "read-only: the channel is quiet (/hand)",
        user.happens(moderated(104, 0)),
        Gone("read-only"),
        b"hello\r",
        user.refuses("hello", Code.MUTED, "not said: you are muted", '["#general", 0, ""]'),
        "read-only: you are muted",
        "not said: you are muted in #general: hello",
        b"again\r",
        user.refuses("again", Code.MUTED, "not said: you are muted", '["#general", 0, ""]'),
        "not said, you are muted: again",
    )


# --- Tab ---------------------------------------------------------------------------------------------------


def test_tab_knows_the_servers_commands(user: User) -> None:
    """The client asks for them by itself; nothing is shown."""
    user.play_from_help(
        user.answers("/help", '[["/whois NAME","who","people","","",""]]', Code.OK, "a long page"),
        user.happens(said(101, "a mark")),
        "a mark",
        b"/whoi\t",
        "ann> /whois",
        Absent("a long page"),
    )


def test_an_old_server_does_not_disturb(user: User) -> None:
    """One that refuses to tell them is left alone."""
    user.play_from_help(
        user.answers("/help", "", Code.NO_SUCH_COMMAND, "/help is no command"),
        user.happens(said(101, "a mark")),
        "a mark",
        b"/whoi\t",
        Absent("ann> /whois"),
        Absent("/help is no command"),
    )


# --- a line that is followed -------------------------------------------------------------------------------

ROWS = (
    '[[0,"handler ann","read"],[90,"forwarder","applied",101],[120,"forwarder","sent",["ann"],1],'
    '[150,"flusher","lost",["bob"],1]]'
)


def test_a_line_that_is_followed(user: User) -> None:
    """Below the server's steps stand those of this program: typed, sent, back again, shown."""

    def acts() -> bool:
        command = user.received()
        if command is None:
            return False
        assert isinstance(command, Command) and command.text == "/trace hello"
        event = Event(101, NOON, EventKind.SAID, "#general", "ann", "hello", command.id, ME, GENERAL, b"")
        user.peer.send(event, Answer(command.id, Code.OK, "/trace: in words", ROWS), said(102, "a mark"))
        return True

    user.play(
        b"/trace hello\r",
        acts,
        "ann hello",
        "-- /trace line 101: 1 of 2 have it in 0.1 ms",
        "90 forwarder applies it: it is line 101",
        "150 flusher loses the connection to bob",
        "this program, by its own clock",
        "0 main reads Enter",
        "client-sender sends it to the server",
        "client-burst-",
        "has it back: so it is stored",
        "main puts it on the screen",
        "bob a mark",
        Absent("in words"),
    )
    assert not user.client._pending._followed


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (Code.NEED_ROLE, "/trace needs the role operator"),
        (Code.NO_SUCH_COMMAND, "/trace: there is no such command"),
        (Code.BAD_ARGUMENTS, "usage: /trace TEXT"),
    ],
)
def test_a_line_that_is_not_followed(user: User, code: int, words: str) -> None:
    """A refusal is told without the steps of this program, with the text and how it comes back."""
    user.play(
        b"/trace hello\r",
        user.answers("/trace hello", "", code, words),
        words.removeprefix("/trace").removeprefix(": ").strip(),
        "hello (\u2191 brings it back)",
        user.happens(said(101, "a mark")),
        "bob a mark",
        Absent("by its own clock"),
    )
    assert not user.client._pending._followed
