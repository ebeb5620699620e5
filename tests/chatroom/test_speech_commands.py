"""Commands about speaking: their arguments, and what /log finds in the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from chatroom import fetching
from chatroom.commands import COMMANDS
from chatroom.desk import Asker, Prepared
from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.fetching import HandlerLibrary
from chatroom.history import History, MemoryHistory
from chatroom.limits import FETCH_LINES, LISTED_BYTES, LOG_LINES, MAX_ANNOUNCEMENT
from chatroom.outcomes import Code, Outcome
from chatroom.places import AUDIT_PLACE
from chatroom.state import State
from tests.chatroom.test_preparing import FakeDesk, prepare
from tests.chatroom.world import Visit, World
from tests.support.blocks import blocks_of
from tests.support.events import NOON

T = TypeVar("T")

ANN = Asker(1, "#general")
EVERYWHERE = Asker(1, "*")


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("/mute eve", ("name eve", "eve", 0, "")),
        ("/mute +Eve 10m too loud", ("from eve", "+Eve", 600, "too loud")),
        ("/mute", Code.BAD_ARGUMENTS),
        ("/mute two\twords", Code.BAD_NAME),
        ("/unmute eve", ("name eve", "eve")),
        ("/unmute", Code.BAD_ARGUMENTS),
        ("/slow 10", (10,)),
        ("/slow 10s", (10,)),
        ("/slow 0", (0,)),
        ("/slow Off", (0,)),
        ("/slow 3600", (3600,)),
        ("/slow 3601", Code.BAD_ARGUMENTS),
        ("/slow -1", Code.BAD_ARGUMENTS),
        ("/slow soon", Code.BAD_ARGUMENTS),
        ("/slow ١", Code.BAD_ARGUMENTS),
        ("/hush", ("on",)),
        ("/hush OFF", ("off",)),
        ("/hush now", Code.BAD_ARGUMENTS),
        ("/announce tea\x1b is ready", ("tea␛ is ready",)),
        ("/announce", Code.BAD_ARGUMENTS),
        ("/announce " + "ä" * (MAX_ANNOUNCEMENT // 2), ("ä" * (MAX_ANNOUNCEMENT // 2),)),
        ("/announce " + "ä" * (MAX_ANNOUNCEMENT // 2 + 1), Code.TOO_LONG),
    ],
)
def test_arguments(text: str, arguments: tuple[str | int, ...] | Code) -> None:
    """Each command becomes its act, or is refused."""
    made = prepare(FakeDesk(), text, ANN)
    found = made.act.arguments if isinstance(made, Prepared) else made.code
    assert found == arguments


def test_how_slow_it_is() -> None:
    """/slow alone tells how slow the channel is."""
    assert prepare(FakeDesk(), "/slow", ANN) == Outcome(Code.OK, ("#general", 0))
    gone = ANN._replace(channel="#gone")
    assert prepare(FakeDesk(), "/slow", gone) == Outcome(Code.NO_SUCH_CHANNEL, ("#gone",))


# --- /log ---------------------------------------------------------------------------------------------------


class Trail(HandlerLibrary):
    """What a handler lends to /log: a history with acts among lines."""

    def __init__(self, history: History | None = None) -> None:
        self.world = World()
        self.world.enter("ann")
        super().__init__(None, history or MemoryHistory())  # type: ignore[arg-type]
        self.seq = self.world.state.head

    def read(self, look: Callable[[State], T]) -> T:
        self.world.state._ledger.head = self.seq
        return look(self.world.state)

    def add(
        self, *texts: str, place: int = 1, channel: str = "#general", lines: int = 0, about: str = ""
    ) -> None:
        """Acts in a channel, with so many lines before each. They are stored."""
        stored = []
        for text in texts:
            for _ in range(lines):
                self.seq += 1
                stored.append(Event(self.seq, NOON, EventKind.SAID, "#general", "ann", "x", 1, 1, 1))
            self.seq += 1
            extra = extra_row(Extra.TARGET, 2, 4) + extra_row(Extra.TARGET_NAME, about) if about else b""
            extra += extra_row(Extra.FROM, "192.0.2.7") + extra_row(Extra.IN, place, 4)
            stored.append(
                Event(self.seq, NOON, EventKind.AUDITED, channel, "ann", text, 0, 1, AUDIT_PLACE, extra)
            )
        self._history.append(blocks_of(stored), [])

    def act(self, visit: Visit, command: str, *arguments: str) -> None:
        """Somebody does something in the world; the history stays as it is."""
        self.world.state._ledger.head = len(self.world.log)
        assert self.world.act(visit, command, *arguments).code is Code.OK

    def log(self, rest: str = "", asker: Asker = EVERYWHERE) -> Outcome:
        fetch = COMMANDS["/log"].fetch
        assert fetch is not None
        found = fetch(self, asker, rest)
        assert isinstance(found, Outcome)
        return found

    def texts(self, rest: str = "", asker: Asker = EVERYWHERE) -> list[object]:
        """What was done, and the seq before which there is more."""
        return [row[4] if isinstance(row, tuple) else row for row in self.log(rest, asker).rows]


def test_the_latest_acts() -> None:
    """/log lists the latest acts in order; in a channel those of it, without where from."""
    trail = Trail()
    first = trail.seq + 1
    trail.add("/kick eve", "/slow 5"), trail.add("/ban bob", place=7, channel="#tea")
    assert trail.log() == Outcome(
        Code.OK,
        (
            (first, NOON, "ann", "#general", "/kick eve", "192.0.2.7"),
            (first + 1, NOON, "ann", "#general", "/slow 5", "192.0.2.7"),
            (first + 2, NOON, "ann", "#tea", "/ban bob", "192.0.2.7"),
        ),
    )
    assert trail.log("", ANN).rows == (
        (first, NOON, "ann", "#general", "/kick eve", ""),
        (first + 1, NOON, "ann", "#general", "/slow 5", ""),
    )
    assert trail.log("", ANN._replace(channel="#gone")) == Outcome(Code.NO_SUCH_CHANNEL, ("#gone",))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/kick bob", "/kick bob (now bobby)"),
        ("/ban bob 10m: bob again", "/ban bob (now bobby) 10m: bob again"),
        ("/mute +bob: x", "/mute +bob (now bobby): x"),
        ("deleted a line of bob", "deleted a line of bob (now bobby)"),
        ("/next bobo", "/next bobo"),
        ("/recover", "/recover"),
    ],
)
def test_who_has_another_name_now(before: str, after: str) -> None:
    """The trail has the name of then; who may know the present one reads both, of both persons."""
    trail = Trail()
    bob = trail.world.enter("bob", "#quiet")
    trail.seq = trail.world.state.head
    trail.add(before, about="bob")
    assert trail.texts() == trail.texts("", ANN) == [before]
    trail.act(bob, "/nick", "bobby", "bobby", "bobby")
    assert trail.texts("", ANN) == [before]  # ann is not where bobby is
    trail.act(bob, "/join", "#general", "")
    assert trail.texts("", ANN) == [after]
    trail.act(Visit(1, "key1"), "/nick", "anna", "anna", "anna")
    assert [row[2] for row in trail.log("", ANN).rows if isinstance(row, tuple)] == ["ann (now anna)"]


def test_nothing_was_done() -> None:
    """An empty trail is no error."""
    assert Trail().log() == Outcome(Code.OK)


@pytest.mark.parametrize("lines", [0, 3])
def test_pages(lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last row is the seq before which there is more: page by page everything comes, once."""
    monkeypatch.setattr(fetching, "LOG_SPAN", 4)
    trail = Trail()
    trail.add(*map(str, range(10)), lines=lines)
    found, rest = list[object](), "3"
    for _ in range(10):
        *texts, last = [*trail.texts(rest), None]
        if texts and isinstance(texts[-1], int):
            last = texts.pop()
        found[:0] = texts
        if not isinstance(last, int):
            break
        rest = f"3 before:{last}"
    assert found == [str(number) for number in range(10)]


def test_how_many() -> None:
    """Without a number come LOG_LINES; there is a most."""
    trail = Trail()
    trail.add(*map(str, range(FETCH_LINES + 5)))
    *texts, before = trail.texts()
    assert len(texts) == LOG_LINES and texts[-1] == str(FETCH_LINES + 4) and isinstance(before, int)
    *texts, before = trail.texts("100000")
    assert LOG_LINES < len(texts) <= FETCH_LINES and isinstance(before, int)
    for rest in ("0", "x", "-1", "3 4", "before:", "before:x", "3 after:2"):
        assert trail.log(rest) == Outcome(Code.BAD_ARGUMENTS)


def test_long_acts_fit_into_an_answer() -> None:
    """If the rows would be too many bytes, the latest ones come, and the rest is another page."""
    trail = Trail()
    trail.add(*(f"{number} {'x' * 1000}" for number in range(40)))
    *texts, before = trail.texts("40")
    assert 10 < len(texts) < LISTED_BYTES // 1000 and str(texts[-1]).startswith("39 ")
    assert str(trail.texts(f"1 before:{before}")[0]).startswith(f"{39 - len(texts)} ")


def test_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it gives what it has, and where to go on."""
    trail = Trail()
    trail.add("/kick eve")
    monkeypatch.setattr(trail, "_is_over", lambda: True)
    assert trail.log().rows == (trail.seq + 1,)
