"""Commands of the history: their arguments, who finds what, and the rows of the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from chatroom.blocks import Block
from chatroom.commands import COMMANDS
from chatroom.desk import Asker, Fetched, Prepared
from chatroom.events import Extra, extra_row
from chatroom.finding import Line, Page, Wanted, gather_following
from chatroom.history import MemoryHistory
from chatroom.limits import CONTEXT_LINES, FETCH_LINES, GREP_LINES, HISTORY_LINES, SEARCH_WORDS
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst, Decoder
from chatroom.proposals import Act, ProposalKind
from chatroom.state import State
from tests.chatroom.world import Visit, World
from tests.support.blocks import blocks_of
from tests.support.events import NOON

T = TypeVar("T")

HOUR = 3600 * 1000


class Talkers:
    """ann and bob are in #general, bob and eve in #quiet. What is said is stored."""

    def __init__(self) -> None:
        self.world = World()
        self.history = MemoryHistory()
        self.stored = 0
        self.ann, self.bob = self.world.enter("ann"), self.world.enter("Bob", "#general", "#quiet")
        self.eve = self.world.enter("eve", "#quiet")
        self._ids = 0

    def say(self, visit: Visit, text: str, channel: str = "#general", to: int = 0, times: int = 1) -> int:
        """The seq of the line. to: the person to whom it is said directly; times: how often, in one burst"""
        ids = [*range(self._ids + 1, self._ids + 1 + times)]
        self._ids += times
        extra = extra_row(Extra.RECEIVER, to, 4) if to else b""
        burst = Burst("@somebody" if to else channel, ids, [text.encode()] * times, 0, extra)
        self.world.propose(visit.origin, ProposalKind.LINES, burst)
        events = [event for event in self.world.log if event.seq > self.stored]
        self.history.append(blocks_of(list(events)), [])
        self.stored = self.world.state.head
        return self.stored

    # --- as a Library -----------------------------------------------------------------------------------

    def read(self, look: Callable[[State], T]) -> T:
        return look(self.world.state)

    def now(self) -> int:
        return self.world.time

    def find(self, wanted: Wanted, most: int, size: int) -> Page:
        return self.history.find(wanted, most, size, lambda: False)

    def following(self, wanted: Wanted, most: int, size: int) -> tuple[list[Line], bool]:
        blocks: list[Block] = self.history.read(wanted.after, wanted.reach.places, 10**6).blocks
        return gather_following([blocks], wanted, most, size)

    # --- commands ---------------------------------------------------------------------------------------

    def asker(self, name: str, channel: str) -> Asker:
        member = self.world.state.member_named(name)
        assert member is not None
        return Asker(member.person, channel)

    def ask(self, text: str, name: str = "ann", channel: str = "#general") -> Fetched | Outcome:
        command, _, rest = text.partition(" ")
        fetch = COMMANDS[command].fetch
        assert fetch is not None
        return fetch(self, self.asker(name, channel), rest.strip())

    def texts(self, text: str, name: str = "ann", channel: str = "#general") -> list[str]:
        """The lines that are found; the row of the answer is in `row`."""
        fetched = self.ask(text, name, channel)
        assert isinstance(fetched, Fetched), fetched
        assert fetched.outcome.code is Code.OK
        row: Any
        (row,) = fetched.outcome.rows
        self.row = row
        return [packet.text for packet in Decoder().feed(fetched.packets)]  # type: ignore[union-attr]


@pytest.fixture
def talk() -> Talkers:
    return Talkers()


# --- /history -----------------------------------------------------------------------------------------------


def test_the_latest_lines(talk: Talkers) -> None:
    """/history gives the latest lines of the channel, in order; `before` leads to those before them."""
    for number in range(HISTORY_LINES + 3):
        talk.say(talk.ann, str(number))
    assert talk.texts("/history") == [str(number) for number in range(3, HISTORY_LINES + 3)]
    assert talk.row["more"] and talk.row["place"] == 1
    assert talk.texts(f"/history 2 before:{talk.row['before']}") == ["1", "2"]
    assert talk.texts(f"/history 2 before:{talk.row['before']}") == ["0"]
    assert not talk.row["more"]


def test_history_of_where_one_is(talk: Talkers) -> None:
    """It is about the command's channel, or another one that the asker is in, by name or number."""
    talk.say(talk.bob, "here"), talk.say(talk.bob, "there", "#quiet")
    assert talk.texts("/history", "bob", "#quiet") == ["there"]
    assert talk.texts("/history in:#Quiet", "bob") == ["there"]
    assert talk.texts("/history in:2", "bob") == ["there"]
    assert talk.ask("/history in:#quiet") == Outcome(Code.NOT_IN, ("#quiet",))
    assert talk.ask("/history in:2") == Outcome(Code.NOT_IN, ("2",))
    assert talk.ask("/history in:0") == Outcome(Code.NOT_IN, ("0",))
    assert talk.ask("/history in:#nowhere") == Outcome(Code.NO_SUCH_CHANNEL, ("#nowhere",))


def test_history_is_bounded(talk: Talkers) -> None:
    """Whoever asks for more lines than there may be gets as many as there may be."""
    talk.say(talk.ann, "x", times=FETCH_LINES + 1)
    assert len(talk.texts("/history 100000")) == FETCH_LINES and talk.row["more"]


@pytest.mark.parametrize(
    "text",
    [
        "/history x",
        "/history 0",
        "/history -1",
        "/history 1 2",
        "/history before:",
        "/history before:x",
        "/history before:0",
        "/history before:1 before:2",
        "/history 99999999999999999999",
        "/grep",
        "/grep ...",
        "/grep in:#general",
        "/grep from:ann ...",
        "/grep x since:",
        "/grep x since:2",
        "/grep x since:2026-13-01",
        "/grep x since:9999999d",
        "/grep x before:-1",
        "/grep " + " ".join(f"w{number}" for number in range(SEARCH_WORDS + 1)),
        "/context",
        "/context x",
        "/context 1 0",
        "/context 1 2 3",
    ],
)
def test_bad_arguments(talk: Talkers, text: str) -> None:
    """What is not as /help says is refused, and nothing is searched."""
    assert talk.ask(text) == Outcome(Code.BAD_ARGUMENTS)


# --- /grep --------------------------------------------------------------------------------------------------


def test_grep(talk: Talkers) -> None:
    """/grep finds lines with all words in every channel of the asker, and in no other."""
    talk.say(talk.ann, "the exam is in room 7"), talk.say(talk.bob, "Exam? Room?", "#quiet")
    assert talk.texts("/grep ROOM exam") == ["the exam is in room 7"]
    assert talk.row == {"place": 0, "more": False, "before": talk.row["before"], "indexed": 0}
    assert talk.texts("/grep room exam", "bob") == ["the exam is in room 7", "Exam? Room?"]
    assert talk.texts("/grep exam in:#quiet", "bob") == ["Exam? Room?"]
    assert talk.texts("/grep exam", "eve", "#quiet") == ["Exam? Room?"]
    assert talk.ask("/grep exam in:#quiet") == Outcome(Code.NOT_IN, ("#quiet",))


def test_grep_in_pages(talk: Talkers) -> None:
    """A page has GREP_LINES lines; the next ones come with `before`."""
    for number in range(GREP_LINES + 2):
        talk.say(talk.ann, f"exam {number}")
    assert len(talk.texts("/grep exam")) == GREP_LINES and talk.row["more"]
    assert talk.texts(f"/grep exam before:{talk.row['before']}") == ["exam 0", "exam 1"]


def test_grep_by_author(talk: Talkers) -> None:
    """from: is the person that has the name; of those who are gone, the name at their lines."""
    talk.say(talk.ann, "exam of ann"), talk.say(talk.bob, "exam of bob")
    assert talk.texts("/grep exam from:BOB") == ["exam of bob"]
    assert talk.texts("/grep from:bob") == ["exam of bob"]
    talk.world.leave(talk.bob)
    assert talk.texts("/grep from:Bob") == ["exam of bob"]
    talk.bob = talk.world.enter("bob")
    assert talk.texts("/grep from:bob") == []  # it is another one
    assert talk.ask("/grep from:a!b") == Outcome(Code.BAD_NAME, ("a!b",))


def test_grep_since(talk: Talkers) -> None:
    """since: is an age or a date."""
    talk.say(talk.ann, "exam one")
    talk.world.time += 3 * HOUR
    talk.say(talk.ann, "exam two")
    assert talk.texts("/grep exam since:2h") == ["exam two"]
    assert talk.texts("/grep exam since:1d") == ["exam one", "exam two"]
    assert talk.texts("/grep exam since:1970-01-01") == ["exam one", "exam two"]
    assert talk.texts("/grep exam since:9999-12-31") == []
    assert talk.now() == NOON + 3 * HOUR


def test_what_the_channel_had_before_is_found(talk: Talkers) -> None:
    """Who joins later finds what was said before, as in a replay; who has left finds nothing."""
    talk.say(talk.bob, "exam", "#quiet")
    zoe = talk.world.enter("zoe", "#quiet")
    assert talk.texts("/grep exam", "zoe") == ["exam"]
    talk.say(zoe, "x", "#quiet")
    talk.world.leave(zoe)
    talk.world.enter("zoe", "#general", known=zoe.session)
    assert talk.texts("/grep exam", "zoe") == []


def test_direct_conversations(talk: Talkers) -> None:
    """What was said to one person is found by the two, and by nobody else; also by the other one's name."""
    ann, bob = 1, 2
    talk.say(talk.ann, "secret exam", to=bob), talk.say(talk.ann, "exam")
    assert talk.texts("/grep exam", "bob") == talk.texts("/grep exam") == ["secret exam", "exam"]
    assert talk.texts("/grep exam", "eve") == []
    assert talk.texts("/history", "ann", "@Bob") == talk.texts("/history", "bob", "@ann") == ["secret exam"]
    place = talk.row["place"]
    assert talk.texts("/grep exam in:@bob") == talk.texts(f"/grep exam in:{place}") == ["secret exam"]
    assert talk.ask("/history", "eve", "@ann") == Outcome(Code.NOT_IN, ("@ann",))
    assert talk.ask(f"/history in:{place}", "eve") == Outcome(Code.NOT_IN, (str(place),))
    assert talk.ask("/history", "ann", "@!") == Outcome(Code.NOT_IN, ("@!",))
    assert prepare(talk, "3", "@bob") == Prepared(Act("/read", "@bob", (place, 3)))
    assert prepare(talk, "3", str(place)) == Prepared(Act("/read", str(place), (place, 3)))
    assert talk.world.state.conversation_of(ann, bob) == place


def test_a_guest_who_is_out_for_a_while(talk: Talkers) -> None:
    """CHANNEL names the conversation by the name of a guest that may come back: so do commands."""
    talk.say(talk.bob, "see you", to=1)
    talk.world.leave(talk.bob)
    assert talk.texts("/history", "ann", "@bob") == ["see you"]
    bob = talk.world.enter("bob")
    talk.say(bob, "to the second", to=1)
    assert talk.texts("/history", "ann", "@bob") == ["to the second"]


def test_somebody_who_is_gone(talk: Talkers) -> None:
    """A conversation is found by the name that the other one had, until somebody else has a conversation."""
    talk.say(talk.ann, "x"), talk.say(talk.bob, "to the first", to=1)
    talk.world.leave(talk.bob)
    talk.world.tick(8 * 24 * 3600)
    assert talk.texts("/history", "ann", "@bob") == ["to the first"]
    bob = talk.world.enter("bob")
    assert talk.texts("/history", "ann", "@bob") == ["to the first"]
    talk.say(bob, "to the second", to=1)
    assert talk.texts("/history", "ann", "@bob") == ["to the second"]


# --- /context -----------------------------------------------------------------------------------------------


def test_context(talk: Talkers) -> None:
    """/context gives the lines around one of the same channel."""
    seqs = []
    for number in range(30):
        seqs.append(talk.say(talk.bob, str(number)))
        talk.say(talk.bob, "other", "#quiet")
    middle = seqs[15]
    around = range(15 - CONTEXT_LINES, 16 + CONTEXT_LINES)
    assert talk.texts(f"/context {middle}") == [str(number) for number in around]
    assert talk.row["place"] == 1 and talk.row["more"]
    assert talk.texts(f"/context {middle} 1") == ["14", "15", "16"]
    assert talk.row["after"] == seqs[16]
    assert talk.texts(f"/context {seqs[0]} 1") == ["0", "1"] and not talk.row["more"]
    assert talk.texts(f"/context {seqs[29]} 1") == ["28", "29"]


def test_context_of_what_one_does_not_see(talk: Talkers) -> None:
    """A line of another channel, a joining, or one that is not there yet: none of them is a message."""
    hidden = talk.say(talk.bob, "other", "#quiet")
    for seq in (hidden, 2, talk.world.state.head + 1, 10**18):
        assert talk.ask(f"/context {seq}") == Outcome(Code.NO_SUCH_MESSAGE, (seq,))


# --- /read --------------------------------------------------------------------------------------------------


def prepare(talk: Talkers, rest: str, channel: str = "#general") -> Prepared | Outcome:
    command = COMMANDS["/read"].prepare
    assert command is not None
    return command(talk, talk.asker("ann", channel), rest)  # type: ignore[arg-type]


def test_read_is_about_where_one_is(talk: Talkers) -> None:
    """/read becomes an act with the number of the place."""
    assert prepare(talk, "3") == Prepared(Act("/read", "#general", (1, 3)))
    assert prepare(talk, "3", "#quiet") == Outcome(Code.NOT_IN, ("#quiet",))
    assert prepare(talk, "x") == prepare(talk, "") == prepare(talk, "0") == Outcome(Code.BAD_ARGUMENTS)
