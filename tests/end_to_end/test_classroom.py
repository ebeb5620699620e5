"""A class over the wire: each command's effect, its refusals, what others see, a restart in the middle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind, Extra, extra_number, extra_rows
from chatroom.limits import MAX_OPTIONS, MAX_POLL, MAX_QUESTION
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Info, Packet, Role
from chatroom.places import AUDIT_PLACE
from tests.end_to_end.host import Host
from tests.support.person import Person

pytestmark = pytest.mark.usefixtures("cheap_hashes")

HAND, CALLED, POLL = EventKind.HAND, EventKind.CALLED, EventKind.POLL
TEA = "Tea? | yes | no"


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


class Class:
    """dora teaches in #class, which she owns; ann and bob, guests, are in. dan is in #general only."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.dora, self.dan = host.account("dora"), host.come("dan")
        self.ann, self.bob = host.come("ann"), host.come("bob")
        for person in self.all:
            person.do("/join #class")
        self.look()

    @property
    def all(self) -> tuple[Person, Person, Person]:
        return self.dora, self.ann, self.bob

    def look(self) -> None:
        """What has come so far is of no interest."""
        for person in self.all:
            person.seen()

    def restart(self) -> None:
        """The server starts again, and all come back: dora logs in, the guests have their tokens."""
        tokens = [person.welcome.token for person in (self.ann, self.bob, self.dan)]
        self.host.restart()
        self.dora = self.host.login("dora")
        self.ann, self.bob, self.dan = (
            self.host.come(name, token=token)
            for name, token in zip(("ann", "bob", "dan"), tokens, strict=True)
        )
        for person in (self.ann, self.bob):  # the ids of lines go on
            person._ids = itertools.count(person.welcome.confirmed + 1)


@pytest.fixture
def of(host: Host) -> Class:
    return Class(host)


def do(person: Person, command: str) -> Answer:
    return person.do(command, channel="#class")


def tell(person: Person, command: str) -> Answer:
    return person.tell(command, channel="#class")


def told(packets: list[Packet]) -> list[tuple[EventKind, str, str]]:
    """Kind, author and text of the events."""
    return [(one.kind, one.author, one.text) for one in packets if isinstance(one, Event)]


def role(person: Person) -> int:
    """The own role in #class, as the greeting told it."""
    return next(one for one in person.packets if isinstance(one, Channel) and one.name == "#class").role


# --- who may ------------------------------------------------------------------------------------------------

COMMANDS = ["/hand", "/hands", "/next", f"/poll {TEA}", "/poll", "/vote 1", "/vote", "/reveal", "/ask why?"]


@pytest.mark.parametrize("command", COMMANDS)
def test_who_is_not_in_is_refused(of: Class, command: str) -> None:
    """Nobody takes part in the class of a channel in which they are not, or that is none."""
    before = of.host.records()
    assert tell(of.dan, command).code == Code.NOT_IN
    assert of.dan.tell(command, channel="#nowhere").code == Code.NO_SUCH_CHANNEL
    assert of.host.records() == before and not told(of.dora.seen())


@pytest.mark.parametrize("command", ["/next", f"/poll {TEA}", "/reveal"])
def test_who_is_no_operator_is_refused(of: Class, command: str) -> None:
    """The turn and the poll are the operators'; whoever owns the chatroom need not even be in."""
    refused = tell(of.ann, command)
    assert refused.code == Code.NEED_ROLE and "needs the role operator" in refused.words
    owner = of.host.owner()
    do(of.ann, "/hand")
    if command == "/reveal":
        do(of.dora, f"/poll {TEA}")
    do(owner, command)


@pytest.mark.parametrize("command", ["/hand", "/vote 1", "/ask why?"])
def test_who_is_muted_is_refused(of: Class, command: str) -> None:
    """Who may say nothing takes no part, and is told so; a member whom /hush silences does take part."""
    do(of.dora, f"/poll {TEA}")
    do(of.dora, "/set moderated on")
    do(of.dora, "/mute ann")
    of.look()
    assert tell(of.ann, command).code == Code.MUTED
    assert not told(of.dora.seen())
    do(of.bob, command)


# --- hands and turns ----------------------------------------------------------------------------------------


def test_hand(of: Class) -> None:
    """All in the channel see who raises a hand and takes it down, and nobody else. It lasts."""
    assert do(of.ann, "/hand").words == "your hand is up in #class: number 1 in the queue"
    do(of.bob, "/hand")
    of.look()
    assert tell(of.ann, "/hand").code == Code.ALREADY and of.ann.rows == ["#class", 1]
    of.restart()
    do(of.dora, "/hands")
    assert of.dora.rows == ["#class", "", "ann", "bob"]
    of.look()
    assert do(of.ann, "/hand down").words == "your hand is down"
    for person in of.all:
        (event,) = [one for one in person.seen() if isinstance(one, Event)]
        assert (event.kind, event.author, event.text) == (HAND, "ann", "")
        assert extra_rows(event.extra) == {Extra.REMOVED: b"\1"}
    assert tell(of.ann, "/hand down").words == "your hand is not up"
    again = tell(of.ann, "/hand")
    assert again.code == Code.SLOW_DOWN and again.words.startswith("one at a time: again in ")
    assert tell(of.ann, "/hand up").code == Code.BAD_ARGUMENTS
    assert not [one for one in told(of.dan.seen()) if one[0] is HAND]


def test_hands(of: Class) -> None:
    """Whose turn it is, and who waits, in order; the same for everybody in the channel. It lasts."""
    assert do(of.bob, "/hands").words == "nobody has raised a hand in #class"
    for person in (of.bob, of.ann, of.dora):
        do(person, "/hand")
    do(of.dora, "/next")
    assert do(of.ann, "/hands").words == "bob has the word; hands in #class: ann, dora"
    assert of.ann.do("/hands #class").rows == do(of.dora, "/hands").rows
    assert tell(of.ann, "/hands x").code == Code.BAD_ARGUMENTS
    do(of.ann, "/nick Zoe")
    of.restart()
    do(of.bob, "/hands")
    assert of.bob.rows == ["#class", "bob", "Zoe", "dora"]


def test_next(of: Class) -> None:
    """The one who is called speaks although the channel is moderated, until the next one is. It lasts."""
    do(of.dora, "/set moderated on")
    for person in (of.ann, of.bob):
        do(person, "/hand")
    of.look()
    assert do(of.dora, "/next").words == "ann has the word in #class now; hands that are left: 1"
    for person in of.all:
        (event,) = [one for one in person.seen() if isinstance(one, Event)]
        assert (event.kind, event.author, event.text) == (CALLED, "dora", "")
        assert extra_number(event.extra, Extra.TARGET) == of.ann.welcome.person
        assert extra_rows(event.extra)[Extra.TARGET_NAME] == b"ann"
    assert isinstance(of.ann.say("#class", "I think"), Event)
    refused = of.bob.say("#class", "me, too")
    assert isinstance(refused, Answer) and refused.code == Code.NEED_ROLE
    of.restart()
    assert role(of.ann) == Role.VOICE and role(of.bob) == Role.MEMBER
    assert isinstance(of.ann.say("#class", "and so"), Event)
    assert do(of.dora, "/next").words == (
        "bob has the word in #class now; ann's turn is over; hands that are left: 0"
    )
    assert isinstance(of.bob.say("#class", "me, too"), Event)
    assert isinstance(of.ann.say("#class", "but"), Answer)
    of.look()
    assert do(of.dora, "/next").words == "nobody has the word in #class now; bob's turn is over"
    assert [(one.kind, one.extra) for one in of.bob.seen() if isinstance(one, Event)] == [(CALLED, b"")]
    assert tell(of.dora, "/next").code == Code.ALREADY
    assert tell(of.dora, "/next ann").code == Code.BAD_ARGUMENTS


def test_a_voice_that_was_given_outlives_the_turn(of: Class) -> None:
    """/voice and a call are two things: the end of the one does not end the other."""
    do(of.dora, "/set moderated on")
    do(of.dora, "/voice ann")
    for person in (of.ann, of.bob):
        do(person, "/hand")
    do(of.dora, "/next")
    do(of.dora, "/next")
    do(of.dora, "/voice bob")
    do(of.dora, "/next")
    for person in (of.ann, of.bob):
        assert isinstance(person.say("#class", "still here"), Event)


@pytest.mark.parametrize("how", ["/leave", "/kick", "goodbye"])
def test_who_goes_loses_hand_and_turn(of: Class, how: str) -> None:
    """Nobody waits for one who has gone; the one who comes back is a member like others."""
    do(of.dora, "/set moderated on")
    for person in (of.ann, of.bob):
        do(person, "/hand")
    do(of.dora, "/next")
    of.ann.do("/stats")
    for person, name in ((of.ann, "ann"), (of.bob, "bob")):
        if how == "/leave":
            do(person, "/leave")
        elif how == "/kick":
            do(of.dora, f"/kick {name}")
        else:
            person.leave()
    do(of.dora, "/hands")
    assert of.dora.rows == ["#class", ""]
    ann = of.ann if how != "goodbye" else of.host.come("ann")
    ann.do("/join #class")
    assert isinstance(ann.say("#class", "I was not done"), Answer)


def test_the_end_of_hush(of: Class) -> None:
    """Nobody has the word, and no hand is up; SET tells it. Everybody speaks."""
    do(of.dora, "/hush")
    for person in (of.ann, of.bob):
        do(person, "/hand")
    do(of.dora, "/next")
    of.look()
    do(of.dora, "/hush off")
    assert [kind for kind, _, _ in told(of.bob.seen())] == [EventKind.SET]
    do(of.bob, "/hands")
    assert of.bob.rows == ["#class", ""]
    do(of.dora, "/hush")
    assert isinstance(of.ann.say("#class", "may I?"), Answer)


# --- polls --------------------------------------------------------------------------------------------------


def test_poll(of: Class) -> None:
    """All in the channel see it, written in one way; one is open at a time. It lasts."""
    assert do(of.ann, "/poll").words == "no poll is open"
    opened = do(of.dora, "/poll  Tea? |yes|  no ")
    assert opened.words == "the poll is open; /reveal ends it, and shows all the result"
    assert told(of.ann.seen()) == told(of.bob.seen()) == [(POLL, "dora", TEA)]
    assert do(of.ann, "/poll").words == (
        "Tea?\n1: yes\n2: no\nyou have not voted yet: /vote NUMBER, or /vote and how an option begins"
    )
    refused = tell(of.dora, "/poll Coffee? | yes | no")
    assert refused.code == Code.ALREADY and refused.words == "a poll is open, /reveal ends it: Tea?"
    for wrong in (
        "Tea?",
        "Tea? | yes",
        "Tea? | yes | yes",
        "a || b",
        "|".join(map(str, range(MAX_OPTIONS + 2))),
    ):
        assert tell(of.dora, f"/poll {wrong}").code == Code.BAD_ARGUMENTS
    assert tell(of.dora, f"/poll {'x' * MAX_POLL} | yes | no").code == Code.TOO_LONG
    of.restart()
    do(of.dora, "/poll")
    assert of.dora.rows == ["Tea?", ["yes", "no"], 0, 0]


def test_vote(of: Class) -> None:
    """Only the voter is told, in its answer, and sees it with /poll; each has one vote. It lasts."""
    assert tell(of.ann, "/vote 1").code == Code.TOO_LATE
    do(of.dora, f"/poll {TEA}")
    of.look()
    packets = [len(person.packets) for person in (of.dora, of.bob)]
    assert do(of.ann, "/vote 2").words == "your vote: 2 no"
    do(of.ann, "/vote 1")
    assert tell(of.ann, "/vote 1").code == Code.ALREADY
    assert do(of.ann, "/vote No").words == "your vote: 2 no" and do(of.ann, "/vote y").rows
    for wrong in ("3", "0", "yesterday", "1 2", "²", "999999"):
        assert tell(of.ann, f"/vote {wrong}").code == Code.BAD_ARGUMENTS
    assert not told(of.dora.seen()) and not told(of.bob.seen()) and not told(of.ann.seen())
    # beside the answer to its own /stats, nobody else got a single packet
    assert [len(person.packets) for person in (of.dora, of.bob)] == [number + 1 for number in packets]
    of.restart()
    do(of.ann, "/poll")
    assert of.ann.rows == ["Tea?", ["yes", "no"], 1]
    do(of.bob, "/poll")
    assert of.bob.rows == ["Tea?", ["yes", "no"], 0]
    do(of.dora, "/poll")
    assert of.dora.rows == ["Tea?", ["yes", "no"], 0, 1]


def test_who_comes_while_a_poll_is_open(of: Class) -> None:
    """One line tells it, to whoever joins and to a new client; not to who has voted, or comes back."""
    do(of.dora, f"/poll {TEA}")
    joined = "you are in #class; a poll is open: Tea? (/vote shows it)"
    told = "a poll is open in #class: Tea? (/vote #class shows it)"
    assert of.dan.do("/join #class").words == joined
    zoe = of.host.come("zoe", channel="#class")
    assert zoe.wait_for(lambda packet: isinstance(packet, Info)) == Info(told)
    do(of.ann, "/vote yes")
    assert not [one for one in of.ann.packets if isinstance(one, Info)]
    assert do(of.dan, "/vote").words.startswith("Tea?\n1: yes\n2: no\nyou have not voted")
    of.restart()
    assert not [one for one in of.ann.packets if isinstance(one, Info)]


def test_what_the_teacher_did_is_in_the_log(of: Class) -> None:
    """Each of her acts, with those of moderation between them; nothing that members did. It lasts."""
    do(of.ann, "/hand")
    for command in ("/hush", "/next", f"/poll {TEA}", "/topic Tea time", "/mute bob 10m", "/reveal"):
        do(of.dora, command)
    of.restart()
    do(of.dora, "/log")
    assert [(row[2], row[4]) for row in of.dora.rows] == [
        ("dora", "founded #class"),
        ("dora", "/hush"),
        ("dora", "/next ann"),
        ("dora", "/poll Tea?"),
        ("dora", "/topic Tea time"),
        ("dora", "/mute bob 10m"),
        ("dora", "/reveal"),
    ]
    assert tell(of.ann, "/log").code == Code.NEED_ROLE


def test_reveal(of: Class) -> None:
    """All see how many have chosen what, of those who are in, and never who. Then the poll is over."""
    assert tell(of.dora, "/reveal").code == Code.ALREADY
    do(of.dora, f"/poll {TEA}")
    for person, choice in ((of.dora, 1), (of.ann, 2), (of.bob, 2)):
        do(person, f"/vote {choice}")
    do(of.bob, "/leave")
    of.restart()
    of.look()
    assert tell(of.dora, "/reveal now").code == Code.BAD_ARGUMENTS
    assert do(of.dora, "/reveal").words == "the poll is over: Tea?"
    for person in (of.dora, of.ann):
        (event,) = [one for one in person.seen() if isinstance(one, Event)]
        assert (event.kind, event.author, event.text) == (EventKind.REVEALED, "dora", TEA)
        assert extra_rows(event.extra) == {Extra.VOTES: b"\0\1\0\1"}
    assert do(of.ann, "/poll").words == "no poll is open"
    do(of.dora, "/poll Again? | yes | no")
    do(of.ann, "/poll")
    assert of.ann.rows == ["Again?", ["yes", "no"], 0]


def test_a_guest_who_comes_again_has_one_vote_that_counts(of: Class) -> None:
    """What one voted under another name before it left does not count, as it is not in any more."""
    do(of.dora, f"/poll {TEA}")
    do(of.ann, "/vote 1")
    of.ann.leave()
    zoe = of.host.come("zoe")
    zoe.do("/join #class")
    do(zoe, "/vote 1")
    do(of.dora, "/reveal")
    assert of.dora.rows == ["Tea?", ["yes", 1], ["no", 0]]


# --- questions ----------------------------------------------------------------------------------------------


def test_ask(of: Class) -> None:
    """All read it, and nobody who asks: not even the asker's own programs. The trail knows it. It lasts."""
    do(of.dora, "/set moderated on")
    of.look()
    head = of.dora.say("#class", "any questions?")
    assert isinstance(head, Event)
    assert do(of.ann, "/ask why \x1b[31mred?").words == "asked in #class, without your name"
    for person in of.all:
        event = [one for one in person.seen() if isinstance(one, Event)][-1]
        assert (event.kind, event.author, event.person, event.id) == (EventKind.ASKED, "", 0, 0)
        assert event.text == "why ␛[31mred?" and event.extra == b"" and event.seq == head.seq + 1
    audited = of.host.app.chatroom._history.event_at(head.seq + 2)
    assert audited is not None and (audited.place, audited.author) == (AUDIT_PLACE, "ann")
    assert audited.text == "asked in #class: why ␛[31mred?" and audited.channel == "*"
    of.restart()
    slow = tell(of.ann, "/ask and why?")
    assert slow.code == Code.SLOW_DOWN and slow.words.startswith("one at a time: again in ")
    assert tell(of.bob, "/ask").code == Code.BAD_ARGUMENTS
    assert tell(of.bob, "/ask " + "x" * (MAX_QUESTION + 1)).code == Code.TOO_LONG
    do(of.bob, "/ask why not?")
    do(of.bob, "/history")
    assert "ann" not in str([one for one in of.dora.packets if isinstance(one, Event) and one.kind == 0x45])


def test_who_finds_out_who_asked(of: Class) -> None:
    """The chatroom's operators read it in the trail; those of the channel, the teacher among them, do not."""
    do(of.ann, "/ask why?")
    of.bob.do("/join #own")
    do(of.dora, "/kick bob")
    do(of.dora, "/log")
    assert "kick" in str(of.dora.rows) and "ann" not in str(of.dora.rows) and "why" not in str(of.dora.rows)
    assert of.dora.tell("/log *").code == Code.NEED_ROLE
    owner = of.host.owner()
    owner.do("/log *")
    assert "asked in #class: why?" in str(owner.rows) and "ann" in str(owner.rows)


def test_the_help_says_what_is_private(host: Host) -> None:
    """Who asks can be found out, and by whom; a vote is not told."""
    ann = host.come("ann")
    assert "operators of the chatroom can find out who asked" in ann.do("/help ask").words
    assert "nobody is told which" in ann.do("/help vote").words
