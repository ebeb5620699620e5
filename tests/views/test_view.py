"""Tests of the whole view on a model of a terminal, with both kinds of repaint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from wcwidth import wcwidth

from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.limits import MAX_TEXT
from tests.views.attacks import DRIVING, texts
from tests.views.screen import Screen, any_width, code_points, readable
from views import (
    Action,
    Cancelled,
    Depth,
    Jump,
    Leave,
    LookBack,
    Repaint,
    Secret,
    Status,
    StepFound,
    Submitted,
    Suspend,
    View,
    one_line,
)
from views.folding import Folding
from views.formatting import Lead, Theme, format_item, format_pending
from views.item import Item, item_of
from views.layout import layout_input, layout_question
from views.limits import (
    BACKLOG_WORK,
    CUT_TEXTS,
    FLOOD_FRAMES,
    FLOOD_SCREENS,
    FRAMES_PER_SECOND,
    GROUP_ITEMS,
    ITEM_CHARACTERS,
    ITEM_LINES,
    PASTE_SECONDS,
    TALL_LINES,
)
from views.text import Row, Span, clip, row_of
from views.transcript import Transcript

TODAY = date(1970, 1, 1)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def said(text: str, author: str = "bob", seq: int = 1) -> Event:
    return Event(seq, seq, EventKind.SAID, "#general", author, text)


def view_of(
    columns: int = 40, lines: int = 10, repaint: Repaint = "around", *, depth: Depth = Depth.NONE
) -> View:
    return View(
        columns,
        lines,
        name="ann",
        depth=depth,
        repaint=repaint,
        commands=["/help"],
        today=TODAY,
        time_of=utc,
    )


TYPED = st.text(alphabet="ab 漢é👩\u200d\u0301", max_size=12).map(str.encode)
KEYS = [
    *(b"\x1b[D", b"\x1b[D\x1b[D", b"\x1b[C", b"\x1b[H", b"\x1b[F", b"\x1b[A", b"\x1b[B", b"\x1b\r"),
    *(b"\x7f", b"\x17", b"\x15", b"\x19", b"\x0c", b"\t", b"\x1f", b"x", b"typed plainly"),
    *(b"\x12", b"\x12e", b"\x07", b"\x0f", b"\x1b[200~" + b"pasted\n" * 9 + b"\x1b[201~"),
    *(b"/h\t", b"long words and " * 6),
    b"\x1b[200~one\ntwo \x1b[2J\x1b[201~",
]
COLUMNS = st.integers(10, 34) | st.integers(60, 64)
LINES = st.integers(5, 9) | st.just(TALL_LINES)
KEYWORDS = ("code", "漢字")
CODED = st.lists(
    st.sampled_from(
        ["`", "``", "```", "\n", "    ", "x = 1", "漢字", "\u0301", "code", "ann", " ", "\x1b[2J"]
    ),
    max_size=12,
).map("".join)
LINKS = st.builds("https://{}".format, st.text("abc/?&=%", min_size=1, max_size=150))
LINKED = st.builds(
    "".join, st.lists(st.one_of(LINKS, st.sampled_from(["see ", " ", "\n", "漢字", ")"]), texts))
)
PLACES = st.sampled_from(["", "#general", "#漢字", "#x\x1b[2Jy"])
NAMES = st.sampled_from(["bob", "Ærøskøbing", "漢字", "x\x1b[2Jy"])


def one_speaker(texts: Sequence[str]) -> list[str]:
    """The rows of lines that bob says within a minute: he is named again after some of them."""
    return [f"{' ' * 6 if n % GROUP_ITEMS else '00:00 bob: '}{text}" for n, text in enumerate(texts)]


def pressed(view: View, data: bytes, now: float) -> list[Action]:
    """All actions of keys to which nothing is done before the next key."""
    return list(view.keys(data, now))


class Watched:
    """A view, the screen that it paints on, and all its output."""

    def __init__(self, columns: int, lines: int, repaint: Repaint, width: object = wcwidth) -> None:
        self.view = view_of(columns, lines, repaint, depth=Depth.MANY)
        self.view.keywords = KEYWORDS
        self.screen = Screen(columns, lines, width)  # type: ignore[arg-type]
        self.writes: list[str] = []

    def tick(self, now: float) -> str:
        out = self.view.tick(now)
        if out:
            self.screen.feed(out)
            self.writes.append(out)
        return out

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        self.screen.scrollback.clear()
        self.screen.obeyed.clear()  # pyte resets its margins in a resize
        self.view.resize(columns, lines)


class Painting(RuleBasedStateMachine):
    """Lines, keys and resizes for three views: inline, around, and one on a terminal with other widths."""

    @initialize(columns=COLUMNS, lines=LINES, width=st.sampled_from([code_points, any_width]))
    def start(self, columns: int, lines: int, width: object) -> None:
        self.now = 0.0
        self.columns, self.lines = columns, lines
        self.right = [Watched(columns, lines, "inline"), Watched(columns, lines, "around")]
        self.wrong = Watched(columns, lines, "around", width)
        self.all = [*self.right, self.wrong]
        self.transcript = Transcript(columns, Theme(), TODAY)
        self.shown: list[str] = []  # every row since the last resize, in order
        self.folding = Folding(utc)
        self.said: list[Event] = []
        self.pending: list[str] = []
        self.status = Status()
        self.resized = False
        self.paint()

    def paint(self) -> None:
        self.now += 1.0
        for watched in self.all:
            watched.tick(self.now)

    @rule(lines=st.lists(st.tuples(NAMES, texts | LINKED | CODED), max_size=4))
    def others_say(self, lines: list[tuple[str, str]]) -> None:
        for author, text in lines:
            event = said(text, author, len(self.said) + 1)
            self.said.append(event)
            for watched in self.all:
                watched.view.event(event)
            self.folding.take(event, "ann")
            item = item_of(event, "ann", utc, keywords=KEYWORDS)
            self.shown += map(readable, self.transcript.append(item))
        self.paint()

    @rule(people=st.lists(st.tuples(NAMES, st.integers(1, 9), st.booleans()), min_size=1, max_size=3))
    def others_come_and_go(self, people: list[tuple[str, int, bool]]) -> None:
        """The rows of a run are replaced; those that are in the scrollback already stay there."""
        for name, person, comes in people:
            kind = EventKind.JOINED if comes else EventKind.QUIT
            event = Event(1, 1, kind, "#general" if comes else "", name, "", 0, person, int(comes))
            for watched in self.all:
                watched.view.event(event)
            run = self.folding.take(event, "ann")
            assert run is not None
            drawn = self.right[0].view._painter.drawn
            assert drawn is not None
            kept = drawn.hidden + drawn.transcript_rows
            taken = min(self.transcript.take_back(run.number), kept)
            del self.shown[len(self.shown) - taken :]
            self.shown += map(readable, self.transcript.append(run.item()))
            self.paint()

    @precondition(lambda self: self.said)
    @rule(back=st.integers(0, 5), text=st.one_of(st.none(), texts, LINKED), other=st.booleans())
    def a_line_changes(self, back: int, text: str | None, other: bool) -> None:
        """What is on the screen changes there; for what is in the scrollback a row tells the change."""
        line = self.said[max(0, len(self.said) - 1 - back)]
        kind = EventKind.EDITED if text else EventKind.DELETED
        event = change(kind, line, text or "", int(other and not text), line.author)
        drawn = self.right[0].view._painter.drawn
        assert drawn is not None
        kept = drawn.hidden + drawn.transcript_rows
        for watched in self.all:
            watched.view.event(event, line)
        self.folding.take(event, "ann")
        item = item_of(event, "ann", utc, line, KEYWORDS)
        amended = self.transcript.amend(item, kept)
        if amended is not None:
            self.shown[len(self.shown) - min(kept, len(self.shown)) :] = map(
                readable, self.transcript.tail(amended.room)
            )
        if amended is None or amended.tells:
            self.shown += map(readable, self.transcript.append(item))
        self.paint()

    @rule(text=texts | LINKED)
    def the_program_says(self, text: str) -> None:
        self.folding.end()
        for watched in self.all:
            watched.view.system(text)
        self.shown += map(readable, self.transcript.append(Item(None, "", text)))
        self.paint()

    @rule(text=st.sampled_from(["looking back", "漢字 \x1b[2J" * 9]))
    def a_rule_is_drawn(self, text: str) -> None:
        self.folding.end()
        for watched in self.all:
            watched.view.rule(text)
        item = Item(None, "", one_line(text), rule=True, notice=True)
        self.shown += map(readable, self.transcript.append(item))
        self.paint()

    @rule(data=st.one_of(TYPED, st.sampled_from(KEYS)))
    def keys(self, data: bytes) -> None:
        for watched in self.all:
            assert pressed(watched.view, data, self.now) == []
        self.paint()

    @rule()
    def enter(self) -> None:
        actions = [pressed(watched.view, b"\r", self.now) for watched in self.all]
        assert actions[0] == actions[1] == actions[2]
        self.paint()

    @rule(question=st.sampled_from(["password", "password of \x1b[2Jdora " * 9, "漢字"]))
    def ask(self, question: str) -> None:
        self.question = question
        for watched in self.all:
            watched.view.ask(question)
        self.paint()

    @rule(
        count=st.integers(0, 3),
        place=PLACES,
        text=st.sampled_from(["", "reconnecting", "漢字 \x1b[2J" * 9]),
        trouble=st.booleans(),
    )
    def states(self, count: int, place: str, text: str, trouble: bool) -> None:
        self.pending, self.status = [f"own {n}" for n in range(count)], Status(place, text, trouble)
        for watched in self.all:
            watched.view.pending(self.pending)
            watched.view.status(self.status)
        self.paint()

    @rule(columns=COLUMNS, lines=LINES)
    def resize(self, columns: int, lines: int) -> None:
        if (columns, lines) == (self.columns, self.lines):
            return
        self.columns, self.lines = columns, lines
        for watched in self.all:
            watched.resize(columns, lines)
        self.transcript.resize(columns)
        self.paint()
        block = self.right[0].view._block()
        kept = self.lines - len(block.rows) + block.spare
        self.shown = [readable(row) for row in self.transcript.tail(kept)]
        self.resized = True

    def block(self) -> tuple[list[str], int, int]:
        """The expected rows of the block, and the cursor's row and column in it."""
        most = min(4, self.lines // 4)
        own = [
            row
            for text in self.pending[:most]
            for row in format_pending(text, self.columns, Theme(depth=Depth.NONE))
        ]
        hidden = len(self.pending) - most
        if hidden > 0 or len(own) > most:
            rest = f"{hidden} more lines wait" if hidden > 0 else "…"
            own = [*own[: most - 1], row_of(clip([Span(rest)], self.columns - 1))]
        view, most_rows = self.right[0].view, self.lines // 2
        editor = view.editor
        block = layout_input(Span("ann"), editor.clusters, editor.cursor, self.columns, most_rows)
        if view._keyboard.question is not None:
            block = layout_question(Span(one_line(self.question)), self.columns, most_rows)
        place, text, *_ = self.status
        status = [row_of(clip([Span(one_line(place)), Span(one_line(text))], self.columns - 1))]
        status = [Row(""), *status] if self.lines == TALL_LINES else status
        above = [*map(readable, own), *(map(readable, status) if place or text else [])]
        quiet = [] if view._keyboard.question else view._foot.quiet_rows(self.columns, self.lines)
        above[len(above) - bool((place or text) and quiet) :] = map(readable, quiet)
        return [*above, *map(readable, block.rows)], len(above) + block.row, block.column

    @precondition(lambda self: hasattr(self, "all"))
    @invariant()
    def the_screen_is_right(self) -> None:
        rows, row, column = self.block()
        for watched in self.right:
            screen = watched.screen
            top = screen.cursor.y - row
            assert top >= 0
            block = screen.rows()[top : top + len(rows)]
            for found, wanted in zip(block, rows, strict=True):
                assert found == wanted.rstrip()
            assert screen.cursor.x == column
            assert not any(screen.rows()[top + len(rows) :])
            if self.resized:  # each terminal handles its scrollback in its own way
                assert screen.rows()[:top] == self.shown[len(self.shown) - top :]
            else:
                gone = len(screen.scrollback)
                assert screen.scrollback == self.shown[:gone]
                assert screen.rows()[:top] == self.shown[len(self.shown) - top :]
                hidden = len(self.shown) - gone - top
                block = watched.view._block()
                assert 0 <= hidden <= block.spare
                if hidden or gone:  # a long input is no reason for empty rows
                    low = self.lines - top - len(rows)
                    assert low == 0 if hidden else low <= 3

    @precondition(lambda self: hasattr(self, "all"))
    @invariant()
    def both_repaints_agree(self) -> None:
        inline, around = (watched.screen for watched in self.right)
        assert inline.rows() == around.rows()
        assert inline.scrollback == around.scrollback
        assert (inline.cursor.x, inline.cursor.y) == (around.cursor.x, around.cursor.y)

    @precondition(lambda self: hasattr(self, "all"))
    @invariant()
    def other_widths_move_neither_rows_nor_cursor(self) -> None:
        right, wrong = self.right[1].screen, self.wrong.screen
        assert (wrong.cursor.x, wrong.cursor.y) == (right.cursor.x, right.cursor.y)
        assert len(wrong.scrollback) == len(right.scrollback)
        for found, wanted in zip(wrong.rows(), right.rows(), strict=True):
            assert found[:3] == wanted[:3] or not wanted[:3].isascii()

    @precondition(lambda self: hasattr(self, "all"))
    @invariant()
    def no_text_controlled_the_terminal(self) -> None:
        for watched in self.all:
            assert watched.screen.obeyed == []


TestPainting = Painting.TestCase
TestPainting.settings = settings(max_examples=12, stateful_step_count=12)


# --- attacks -------------------------------------------------------------------------------------------


def attacked(text: str, *, raw: bool = False) -> Screen:
    """A screen on which `text` is everything that another user can choose; raw: printed without a view."""
    watched = Watched(40, 10, "around")
    watched.tick(0.0)
    if raw:
        watched.screen.feed(text.encode("utf-8", "replace").decode())
        return watched.screen
    view = watched.view
    for number, kind in enumerate(EventKind):
        view.event(Event(number, 0, kind, text, text, text))
    view.system(text)
    view.status(Status(text, text))
    view.pending([text])
    view.identity(text)
    pressed(view, b"\x1b[200~" + text.encode("utf-8", "replace") + b"\x1b[201~", 1.0)
    watched.tick(2.0)
    return watched.screen


@pytest.mark.parametrize("text", DRIVING)
def test_no_text_controls_the_terminal(text: str) -> None:
    """No sequence in a name, line, topic, reason, channel, notice, status or paste controls the terminal."""
    screen = attacked(text)
    assert screen.obeyed == []
    assert screen.cursor.hidden is False


def test_the_attacks_are_real() -> None:
    """Printed raw, many of the same texts do control the screen, so the test above can fail."""
    assert sum(bool(attacked(text, raw=True).obeyed) for text in DRIVING) >= 10


# --- joins and leaves ----------------------------------------------------------------------------------


def came(person: int, kind: EventKind = EventKind.JOINED, minute: int = 0, name: str = "") -> Event:
    place, channel = (1, "#general") if kind is EventKind.JOINED else (0, "")
    return Event(person, minute * 60_000, kind, channel, name or f"p{person}", "", 0, person, place)


@pytest.mark.parametrize("repaint", ["around", "inline"])
@pytest.mark.parametrize("typed", [b"", b"half a line"])
def test_a_run_of_joins_grows_in_its_row(repaint: Repaint, typed: bytes) -> None:
    """However many come and go, one row says so, also while the user types; a line begins another run."""
    watched = Watched(40, 10, repaint)
    view = watched.view
    pressed(view, typed, 0.0)
    view.event(said("hello"))
    for number in range(1, 10):
        view.event(came(number, EventKind.JOINED if number < 8 else EventKind.QUIT))
        watched.tick(float(number))
    view.event(said("so many"))
    view.event(came(20, name="zoe"))
    watched.tick(20.0)
    rows = [row for row in (*watched.screen.scrollback, *watched.screen.rows()) if row]
    assert rows[:4] == [
        "00:00 bob: hello",
        "00:00 -- 7 joined, 2 left",
        "00:00 bob: so many",
        "00:00 -- zoe joined",
    ]
    assert rows[4:] == [f"ann> {typed.decode()}".rstrip()]


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_a_run_with_more_rows_than_the_screen(repaint: Repaint) -> None:
    """What is in the scrollback stays there; what is on the screen is replaced, and nothing else is lost."""
    watched = Watched(10, 5, repaint)
    view = watched.view
    view.status(Status("", "trouble"))
    view.event(came(1, EventKind.QUIT, name="a" * 32))
    watched.tick(1.0)
    first = [*watched.screen.scrollback, *watched.screen.rows()]
    assert len(watched.screen.scrollback) == 3
    view.event(came(1, name="bob"))
    view.event(came(1, EventKind.QUIT, name="bob"))
    watched.tick(2.0)
    shown = [*watched.screen.scrollback, *watched.screen.rows()]
    assert shown[:6] == [*first[:3], "-- bob", " joined;", " bob left"]


def test_a_run_that_is_not_painted_yet_is_one_item() -> None:
    """A storm between two frames is one row, and costs no more than one."""
    view = view_of()
    view.tick(0.0)
    for number in range(1, 1001):
        view.event(came(number))
    assert view.tick(1.0).count("joined") == 1 and not view._backlog


def test_what_is_shown_between_ends_a_run() -> None:
    """What the program says, or shows of a long text, is not overwritten by the next join."""
    watched = Watched(40, 10, "around")
    view = watched.view
    view.event(came(1))
    view.system("something")
    view.event(came(2))
    view.event(said("x\n" * 60))
    watched.tick(1.0)
    view.event(came(3))
    watched.tick(2.0)
    view.show(None)
    view.event(came(4))
    for now in range(3, 9):
        watched.tick(float(now))
    text = "\n".join([*watched.screen.scrollback, *watched.screen.rows()])
    assert [f"p{number} joined" in text for number in (1, 2, 3, 4)] == [True] * 4


# --- lines that change ---------------------------------------------------------------------------------


def change(kind: EventKind, line: Event, text: str = "", by: int = 2, name: str = "bob") -> Event:
    """An EDITED or DELETED of a line, or a reaction to it."""
    return Event(9, 9, kind, "#general", name, text, 0, by, line.place, extra_row(Extra.MESSAGE, line.seq))


def line_of_bob(text: str, seq: int = 1) -> Event:
    return said(text, seq=seq)._replace(person=2, place=1)


@pytest.mark.parametrize("repaint", ["around", "inline"])
@pytest.mark.parametrize("painted", [True, False])
@pytest.mark.parametrize("columns", [40, 80])
def test_a_line_changes_where_it_stands(repaint: Repaint, painted: bool, columns: int) -> None:
    """A deleted text is not on the screen any more, nor quoted; an edited one is there once, as it is now."""
    watched = Watched(columns, 12, repaint)
    view = watched.view
    secret, day, last = (line_of_bob(text, seq) for seq, text in enumerate(("4711", "Thrusday", "so"), 1))
    for event in (secret, day, last):
        view.event(event)
    view.event(change(EventKind.REACTED, secret, "+1", 3, "eve"), secret)
    if painted:
        watched.tick(1.0)
        pressed(view, b"half", 1.5)
    view.event(change(EventKind.DELETED, secret), secret)
    view.event(change(EventKind.EDITED, day, "Thursday"), day)
    watched.screen.feed(frames(view, 2.0))
    rows = [" ".join(row.split()).replace("bob: ", "bob ") for row in watched.screen.rows() if row]
    assert rows[:3] == ["00:00 bob (deleted)", "Thursday (edited)", "so"]
    assert " ".join(rows[3:-1]) == "00:00 -- eve reacted +1 to an earlier line"
    assert rows[-1] == ("ann> half" if painted else "ann>")
    view.event(change(EventKind.EDITED, day, "Friday"), day)
    watched.screen.feed(frames(view, 3.0))
    assert [row.strip() for row in watched.screen.rows()][1] == "Friday (edited)"


def test_who_deletes_a_line_of_somebody_else_is_told() -> None:
    """The line is gone from the screen, and a row says whose act that was."""
    watched = Watched(60, 10, "around")
    line = line_of_bob("spam")
    watched.view.event(line)
    watched.tick(1.0)
    watched.view.event(change(EventKind.DELETED, line, "", 3, "eve"), line)
    watched.tick(2.0)
    rows = [" ".join(row.split()) for row in watched.screen.rows() if row]
    assert rows[:2] == ["00:00 bob (deleted)", "00:00 -- eve deleted a line of bob"]


def test_what_changes_in_the_scrollback_is_told() -> None:
    """The scrollback stays as it is, so a row tells what has become of the line."""
    watched = Watched(40, 10, "around")
    view, line = watched.view, line_of_bob("Thrusday")
    view.event(line)
    for number in range(9):
        view.event(said(f"later {number}", "eve", 10 + number))
    watched.tick(1.0)
    view.event(change(EventKind.EDITED, line, "Thursday"), line)
    view.event(change(EventKind.DELETED, line_of_bob("unknown", 77)))
    watched.tick(2.0)
    assert "00:00 bob: Thrusday" in watched.screen.scrollback
    rows = [row for row in watched.screen.rows() if row]
    assert rows[-3:-1] == ["00:00 bob: Thursday (edited)", "00:00 -- bob deleted a line"]
    view.event(change(EventKind.DELETED, line), line)
    watched.tick(3.0)
    assert "00:00 bob: (deleted)" in watched.screen.rows()


# --- writes --------------------------------------------------------------------------------------------


def test_a_burst_is_one_write() -> None:
    """All changes since the last frame are one string."""
    view = view_of()
    view.tick(0.0)
    for n in range(5):
        view.event(said(f"line {n}"))
    view.status(Status("", "reconnecting", True))
    assert view.wait(1.0) == 0.0
    assert "line 4" in view.tick(1.0)
    assert view.tick(1.0) == ""


def test_counting_down_does_not_flicker() -> None:
    """A status that changes each second writes its own row and the input, not the chat above them."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("chat"))
    pressed(view, b"half-typed\x1b[D", 0.0)
    for left in (3, 2, 1):
        view.status(Status(text=f"reconnecting in {left} s", trouble=True))
        out = view.tick(10.0 - left)
        screen.feed(out)
        assert "chat" not in out or left == 3
        assert screen.rows()[:3] == ["00:00 bob: chat", f"reconnecting in {left} s", "ann> half-typed"]
        assert (screen.cursor.y, screen.cursor.x) == (2, len("ann> half-type"))


def test_idle_writes_nothing() -> None:
    """Without a change there is no wait and no output."""
    view = view_of()
    view.tick(0.0)
    assert view.wait(1.0) is None
    assert all(view.tick(float(now)) == "" for now in range(1, 60))
    view.pending([])
    view.status(Status("", ""))
    view.identity("ann")
    view.resize(40, 10)
    assert view.wait(100.0) is None


def test_frames_a_second_are_bounded() -> None:
    """Lines at any rate cause at most FRAMES_PER_SECOND frames a second, and the last line is shown."""
    view = view_of()
    writes = []
    for step in range(1000):
        view.event(said(f"line {step}"))
        writes.append(view.tick(step / 1000))
    wait = view.wait(0.999)
    assert wait is not None
    writes.append(view.tick(0.999 + wait))
    assert sum(map(bool, writes)) <= FRAMES_PER_SECOND + 2
    assert "line 999" in "".join(writes)


def test_keys_are_echoed_at_once() -> None:
    """A typed character is echoed at once, even right after a frame, and costs one byte."""
    view = view_of()
    view.event(said("something"))
    view.tick(0.0)
    assert pressed(view, b"x", 0.001) == []
    assert view.wait(0.001) == 0.0
    assert view.tick(0.001) == "x"


def test_colours_can_be_left_out() -> None:
    """A view without colour writes no SGR sequence; one with colour does."""
    for depth, found in ((Depth.NONE, False), (Depth.FEW, True), (Depth.MANY, True)):
        view = view_of(depth=depth)
        view.event(said("hello ann"))
        view.pending(["x"])
        view.system("notice")
        out = view.tick(0.0)
        assert ("m" in {part[-1:] for part in _sequences(out)}) is found


def _sequences(out: str) -> list[str]:
    import re

    return re.findall(r"\x1b\[[?0-9;]*[A-Za-z]", out)


# --- keys and actions ----------------------------------------------------------------------------------


def test_enter_submits() -> None:
    """Enter submits a line unless it is blank; the line is empty afterwards."""
    view = view_of()
    assert pressed(view, "héllo\r".encode(), 0.0) == [Submitted("héllo")]
    assert pressed(view, b"  \r\r", 0.0) == []
    assert view.editor.text == ""


# --- secrets -------------------------------------------------------------------------------------------

TYPINGS = [
    b"correct horse",
    b"\x1b[200~correct horse\x1b[201~",
    b"\x1b[200~correct horse\r\n\x1b[201~",
    b"wrong\x15correct hos\x7frse",
    b"\x1b[D\tcorrect\x1b[A horse\x1b[B",
]


@pytest.mark.parametrize("typing", TYPINGS)
@pytest.mark.parametrize("repaint", ["inline", "around"])
def test_a_secret_is_never_shown(typing: bytes, repaint: Repaint) -> None:
    """However it is typed: nothing of it is written, it is in no history, and no key brings it back."""
    watched = Watched(40, 10, repaint)
    view = watched.view
    pressed(view, b"half\x1b[D", 0.0)
    watched.tick(0.0)
    view.ask("password of dora (not shown):")
    watched.tick(1.0)
    assert "password of dora (not shown):" in watched.screen.rows()
    before = len(watched.writes)
    assert pressed(view, typing, 2.0) == []
    watched.tick(2.0)
    assert watched.writes[before:] == [], "keys that are not shown write nothing"
    view.event(said("hello"))
    view.resize(41, 10)
    watched.screen.resize(10, 41)
    watched.tick(3.0)
    (action,) = pressed(view, b"\r", 4.0)
    assert action == Secret("correct horse")
    assert "horse" not in repr(action) + repr(view.editor)
    watched.tick(5.0)
    assert watched.screen.rows()[watched.screen.cursor.y] == "ann> half"
    assert watched.screen.cursor.x == len("ann> hal")
    for key in (b"\x1b[A", b"\x1f", b"\x19", b"\x1by"):
        pressed(view, key * 3, 6.0)
        watched.tick(6.0)
    watched.screen.feed(view.leave(7.0))
    assert "horse" not in "".join(watched.writes) + "".join(watched.screen.rows() + watched.screen.scrollback)


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_a_question_can_be_left(key: bytes) -> None:
    """Ctrl-C or Ctrl-D: the half-typed line is there again, and what was typed is gone."""
    view = view_of()
    pressed(view, b"half", 0.0)
    view.ask("password")
    assert pressed(view, b"secret" + key, 0.0) == [Cancelled()]
    assert pressed(view, b"-typed\r", 0.0) == [Submitted("half-typed")]


def test_what_is_typed_ahead_answers_the_question() -> None:
    """Whoever types the password before the question is painted does not say it to everybody."""
    view = view_of()
    actions: list[Action] = []
    for action in view.keys(b"/register\rsecret\rhello\r", 0.0):
        if action == Submitted("/register"):
            view.ask("password")
        actions.append(action)
    assert actions == [Submitted("/register"), Secret("secret"), Submitted("hello")]


def test_other_keys_during_a_question() -> None:
    """Ctrl-Z suspends, Ctrl-L repaints, an empty answer is an answer."""
    watched = Watched(40, 10, "around")
    view = watched.view
    view.ask("password")
    watched.tick(0.0)
    assert pressed(view, b"\x1a", 1.0) == [Suspend()]
    pressed(view, b"\x0c", 2.0)
    watched.screen.feed("\x1b[2J")
    assert "password" in watched.tick(2.0)
    assert pressed(view, b"\x1b", 3.0) == []
    watched.tick(9.0)
    assert pressed(view, b"\r", 9.0) == [Secret("")]


def test_a_line_with_a_secret_is_not_kept() -> None:
    """Up, undo and paste do not bring it back, nor parts of it that were deleted; other lines are kept."""
    view = View(40, 10, private=lambda line: line.startswith("/register "))
    pressed(view, b"hello\r/register secret\x17secret\r", 0.0)
    assert view.editor.text == ""
    for key in (b"\x1f", b"\x19", b"\x1b[B"):
        pressed(view, key, 0.0)
        assert view.editor.text == ""
    pressed(view, b"\x1b[A", 0.0)
    assert view.editor.text == "hello"


def test_ctrl_c_clears_then_leaves() -> None:
    """Ctrl-C empties a half-typed line, and on an empty line it leaves."""
    view = view_of()
    assert pressed(view, b"half\x03", 0.0) == []
    assert view.editor.text == ""
    assert pressed(view, b"\x03", 0.0) == [Leave(sure=False)]


def test_ctrl_d_deletes_or_leaves() -> None:
    """Ctrl-D deletes a character, and on an empty line it leaves."""
    view = view_of()
    assert pressed(view, b"ab\x01\x04", 0.0) == []
    assert view.editor.text == "b"
    assert pressed(view, b"\x04\x04", 0.0) == [Leave()]


def test_ctrl_z_suspends() -> None:
    """Ctrl-Z suspends and keeps the half-typed line."""
    view = view_of()
    assert pressed(view, b"half\x1a", 0.0) == [Suspend()]
    assert view.editor.text == "half"


def test_a_paste_never_sends() -> None:
    """A paste with line ends goes into the input line; only Enter sends it, as one message."""
    view = view_of()
    assert pressed(view, b"\x1b[200~one\r\ntwo\r\x1b[201~", 0.0) == []
    assert "one⏎" in view.tick(0.0)
    assert pressed(view, b"\r", 0.0) == [Submitted("one\ntwo")]


def test_tab_completes_present_members() -> None:
    """Tab completes members who spoke or joined, but not members who left."""
    view = view_of()
    view.event(said("hi", "bob"))
    view.event(Event(2, 0, EventKind.JOINED, "#general", "bea", ""))
    view.event(Event(3, 0, EventKind.LEFT, "#general", "bob", ""))
    pressed(view, b"b\t", 0.0)
    assert view.editor.text == "bea: "


def test_tab_completes_who_is_in_any_place() -> None:
    """Who leaves one of two places is still there, who quits is not; the server is nobody."""
    view = view_of()
    for place in (1, 2):
        view.members(place, ["bob", "bea", "bill"])
    view.event(Event(1, 0, EventKind.LEFT, "#tea", "bea", "", place=2))
    view.event(Event(2, 0, EventKind.QUIT, "", "bob", ""))
    view.event(Event(3, 0, EventKind.RESTARTED, "", "", ""))
    assert view.completer("b", False) == ["bill ", "bea "]
    assert view.completer("@", False) == ["@bill ", "@bea "]


def test_tab_completes_the_new_name_of_a_member() -> None:
    """After a rename Tab completes the new name only; other events complete their author, not their text."""
    view = view_of()
    view.event(Event(1, 0, EventKind.RENAMED, "#general", "bob", "bert"))
    view.event(Event(2, 0, EventKind.TOPIC, "#general", "bea", "bread"))
    pressed(view, b"b\t", 0.0)
    assert view.editor.text == "bea: "
    pressed(view, b"\t", 0.0)
    assert view.editor.text == "bert: "
    pressed(view, b"\t", 0.0)
    assert view.editor.text == "b"


def test_a_full_line_says_so() -> None:
    """If a paste does not fit into the line, the view says so."""
    view = view_of()
    pressed(view, b"\x1b[200~" + b"x" * 70_000 + b"\x1b[201~" + b"y", 0.0)
    assert "the line is full" in view.tick(0.0)


# --- states --------------------------------------------------------------------------------------------


def frames(view: View, now: float) -> str:
    """All frames for now: a frame that could not format all that waits is followed by another one at once."""
    out = view.tick(now)
    while view.wait(now) == 0.0:
        out += view.tick(now)
    return out


def shown(view: View, screen: Screen, now: float) -> list[str]:
    screen.feed(frames(view, now))
    return [row for row in screen.rows() if row]


def test_a_pending_line_keeps_its_place() -> None:
    """An own line keeps its place when it is stored, and gets its time."""
    view, screen = view_of(), Screen(40, 10)
    view.pending(["on its way"])
    assert shown(view, screen, 0.0) == ["--:-- on its way", "ann>"]
    view.event(said("on its way", "ann"))
    view.pending([])
    assert shown(view, screen, 1.0) == ["00:00 ann: on its way", "ann>"]


def test_many_pending_lines_are_a_number() -> None:
    """Of many pending lines a few are shown, and a number stands for the others."""
    view, screen = view_of(40, 16), Screen(40, 16)
    view.pending([f"line {n}" for n in range(1000)])
    rows = shown(view, screen, 0.0)
    assert rows == [
        "--:-- line 0",
        "--:-- line 1",
        "--:-- line 2",
        "996 more lines wait",
        "ann>",
    ]


def test_a_reconnect_keeps_the_line() -> None:
    """A reconnect keeps the half-typed line and its cursor, and shows missed lines below a divider."""
    view, screen = view_of(), Screen(40, 10)
    pressed(view, b"half-typed\x1b[D\x1b[D", 0.0)
    view.system("connection lost: reset")
    view.status(Status("", "retrying in 2 s"))
    told = ["      -- connection lost: reset", "retrying in 2 s", "ann> half-typed"]
    assert shown(view, screen, 0.0) == told
    view.status(Status("", ""))
    view.system("back again")
    view.missed()
    view.event(said("news"))
    assert shown(view, screen, 1.0) == [
        "      -- connection lost: reset",
        "      -- back again",
        "----- missed while you were away",
        "00:00 bob: news",
        "ann> half-typed",
    ]
    assert (screen.cursor.x, screen.cursor.y) == (13, 4)


def test_the_divider_says_that_lines_are_gone() -> None:
    """When the server does not keep lines as long as the user was away, the divider says so."""
    view, screen = view_of(), Screen(40, 10)
    view.missed(gap=True)
    view.event(said("news"))
    assert shown(view, screen, 0.0) == [
        "----- missed while you were away; older",
        "      lines are gone",
        "00:00 bob: news",
        "ann>",
    ]


def test_clear_empties_the_screen() -> None:
    """After /clear only the input line is on the screen; each old row is in the scrollback once."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("one"))
    shown(view, screen, 0.0)
    pressed(view, b"half", 1.0)
    shown(view, screen, 1.0)
    view.clear()
    assert shown(view, screen, 1.0) == ["ann> half"]
    view.event(said("two"))
    assert shown(view, screen, 2.0) == ["00:00 bob: two", "ann> half"]
    assert [row for row in screen.scrollback if row] == ["00:00 bob: one"]


def test_clear_drops_unpainted_items() -> None:
    """/clear shows none of the items that came before it, even before the first frame."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("one"))
    view.clear()
    assert shown(view, screen, 0.0) == ["ann>"]
    view.event(said("two"))
    view.clear()
    assert shown(view, screen, 1.0) == ["ann>"]


@pytest.mark.parametrize("count", [1, 3, 30])
def test_turning_over_loses_nothing(count: int) -> None:
    """Another channel begins on an empty screen; what was not painted yet is in the scrollback, once."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("painted"))
    shown(view, screen, 0.0)
    pressed(view, b"half", 0.5)
    for number in range(count):
        view.event(said(f"late {number}"))
    view.turn_over(1.0)
    view.event(said("other", "eve"), under="#tea")
    assert shown(view, screen, 1.0) == ["00:00 #tea eve: other", "ann> half"]
    texts = ["painted", *(f"late {number}" for number in range(count))]
    assert [row for row in screen.scrollback if row] == one_speaker(texts)


def test_turning_over_in_a_flood() -> None:
    """Of more lines than the user would wait for only the latest go to the scrollback."""
    view, screen = view_of(), Screen(40, 10)
    for number in range(9000):
        view.event(said(f"late {number}"))
    view.turn_over(0.0)
    assert shown(view, screen, 0.0) == ["ann>"]
    rows = [row for row in screen.scrollback if row]
    assert "8,995 lines not shown" in rows[0] and rows[-1] == "      late 8999" and len(rows) < 20


def test_keys_for_channels() -> None:
    """They are actions, but not while a question waits for its answer."""
    view = view_of()
    assert pressed(view, b"\x1b3half", 0.0) == [Jump(3)]
    view.ask("password?")
    assert pressed(view, b"\x1b3\x1ba", 1.0) == []
    assert view.lines == 10


def test_keys_for_looking_back() -> None:
    """PageUp on an empty line, Alt-N and Alt-P always are actions; but not while a question waits. Alt and a
    capital P is one only when nothing follows."""
    view = view_of()
    assert pressed(view, b"\x1b[5~", 0.0) == [LookBack()]
    assert pressed(view, b"half\x1b[5~\x1bn\x1bp", 0.0) == [StepFound(1), StepFound(-1)]
    assert view.editor.text == "half"
    assert pressed(view, b"\x1bP", 0.0) == [] == view.late()
    view.tick(1.0)
    assert view.late() == [StepFound(-1)] and view.late() == []
    view.ask("password?")
    assert pressed(view, b"\x1b[5~\x1bn\x1bp", 1.0) == []


@pytest.mark.parametrize("repaint", ["inline", "around"])
def test_a_redraw_repeats_no_row_that_has_scrolled_away(repaint: Repaint) -> None:
    """Ctrl-L paints the rows that were on the screen: the scrollback and the screen hold each row once."""
    watched = Watched(10, 5, repaint)
    watched.view.pending(["one", "two"])
    watched.view.status(Status("", "reconnecting", True))
    watched.tick(1.0)
    for number in range(4):
        watched.view.event(said(f"n{number}"))
    watched.tick(2.0)
    watched.view.pending([])
    watched.view.status(Status("", ""))
    watched.tick(3.0)
    pressed(watched.view, b"\x0c", 4.0)
    assert watched.tick(4.0)
    rows = [*watched.screen.scrollback, *watched.screen.rows()]
    assert [row.strip() for row in rows if "n" in row and ">" not in row] == ["bob: n0", "n1", "n2", "n3"]


def test_a_system_line_shows_its_time_if_it_has_one() -> None:
    """The program's own lines begin with the time of the event that they report; other lines have no time."""
    view, screen = view_of(), Screen(40, 10)
    view.system("connection lost", 3_600_000)
    view.system("not sent")
    rows = shown(view, screen, 0.0)
    assert [row for row in rows if "--" in row] == ["01:00 -- connection lost", "      -- not sent"]


def test_a_new_name_is_shown() -> None:
    """A change of the user's name requests a frame with the new prompt."""
    view, screen = view_of(), Screen(40, 10)
    shown(view, screen, 0.0)
    view.identity("anna")
    assert view.wait(1.0) == 0.0
    assert shown(view, screen, 1.0) == ["anna>"]


def test_suspend_and_resume() -> None:
    """The block is erased before the shell gets the screen; afterwards all is painted again."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("one"))
    pressed(view, b"half", 0.0)
    shown(view, screen, 0.0)
    screen.feed(view.release())
    assert [row for row in screen.rows() if row] == ["00:00 bob: one"]
    screen.feed("[1]+ Stopped\r\n$ fg\r\n")
    assert shown(view, screen, 1.0) == ["00:00 bob: one", "ann> half"]
    assert [row for row in screen.scrollback if row] == ["00:00 bob: one", "[1]+ Stopped", "$ fg"]


def test_leaving_shows_unpainted_items() -> None:
    """Leaving paints the last items and erases the block."""
    view, screen = view_of(), Screen(40, 10)
    shown(view, screen, 0.0)
    view.status(Status("", "reconnecting", True))
    view.event(said("last words"))
    screen.feed(view.leave(0.0))
    assert [row for row in screen.rows() if row] == ["00:00 bob: last words"]
    assert (screen.cursor.x, screen.cursor.y) == (0, 1)


def test_leaving_leaves_a_half_typed_line() -> None:
    """Leaving keeps a half-typed line on the screen."""
    view, screen = view_of(), Screen(40, 10)
    pressed(view, b"half", 0.0)
    shown(view, screen, 0.0)
    screen.feed(view.leave(0.0))
    assert [row for row in screen.rows() if row] == ["ann> half"]
    assert screen.cursor.y == 1


def test_leaving_removes_pending_lines_and_status() -> None:
    """Leaving erases the pending lines and the status, and keeps the half-typed line only."""
    view, screen = view_of(), Screen(40, 10)
    view.pending(["on its way"])
    view.status(Status("", "reconnecting", True))
    pressed(view, b"half", 0.0)
    shown(view, screen, 0.0)
    screen.feed(view.leave(0.0))
    assert [row for row in screen.rows() if row] == ["ann> half"]


def test_the_first_frame_keeps_the_old_screen() -> None:
    """Nothing is written before the first frame, which moves the old screen into the scrollback."""
    view, screen = view_of(), Screen(40, 10)
    screen.feed("$ chatroom-client\r\n")
    assert view.release() == ""
    assert shown(view, screen, 0.0) == ["ann>"]
    assert screen.scrollback[0] == "$ chatroom-client"


def test_redraw_repairs_the_screen() -> None:
    """Ctrl-L removes text that another program wrote on the screen."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("one"))
    rows = shown(view, screen, 0.0)
    screen.feed("\x1b[HBroadcast message\r\n")
    pressed(view, b"\x0c", 1.0)
    assert shown(view, screen, 1.0) == rows


@pytest.mark.parametrize(
    ("repaint", "typed", "again"), [("around", b"", False), ("inline", b"x", False), ("around", b"x", True)]
)
def test_old_rows_are_written_again_only_around_a_half_typed_line(
    repaint: Repaint, typed: bytes, again: bool
) -> None:
    """A new line is printed directly, except around a half-typed line with the repaint "around"."""
    view = view_of(repaint=repaint)
    view.event(said("old"))
    pressed(view, typed, 0.0)
    view.tick(0.0)
    view.event(said("new"))
    out = view.tick(1.0)
    assert "new" in out
    assert ("old" in out) is again


def test_a_paste_without_end_is_shown_in_time() -> None:
    """`wait` and `tick` end an unfinished paste after PASTE_SECONDS, without more bytes."""
    view = view_of()
    view.tick(0.0)
    assert pressed(view, b"\x1b[200~never ends", 1.0) == []
    assert view.wait(1.0) == PASTE_SECONDS
    assert "never ends" in view.tick(1.0 + PASTE_SECONDS)
    assert "Ctrl-C ends it" in view.tick(2.0 + PASTE_SECONDS)
    assert pressed(view, b"\r", 9.0) == []
    assert pressed(view, b"\x03", 9.0) == []
    assert pressed(view, b"sent\r", 9.0) == [Submitted("sent")]


def test_a_view_has_colour_and_no_name_by_default() -> None:
    """Without options a view uses colours, and its prompt has no name."""
    view, screen = View(40, 10), Screen(40, 10)
    view.system("notice")
    out = view.tick(0.0)
    screen.feed(out)
    assert Theme().palette.quiet in out
    assert [row for row in screen.rows() if row] == ["      -- notice", ">"]


def test_leaving_before_anything_was_painted_writes_nothing() -> None:
    """Leaving before the first frame and without items writes nothing."""
    assert view_of().leave(0.0) == ""


# --- floods --------------------------------------------------------------------------------------------


def test_a_burst_is_shown_whole() -> None:
    """Each line of one large burst is shown once, on the screen or in the scrollback."""
    view, screen = view_of(), Screen(40, 10)
    for n in range(500):
        view.event(said(f"line {n}"))
    shown(view, screen, 0.0)
    lines = [row for row in [*screen.scrollback, *screen.rows()] if "line" in row]
    assert lines == one_speaker([f"line {n}" for n in range(500)])


LINES = 10
FLOOD = FLOOD_SCREENS * LINES + 1  # the fewest items in one frame that are a flood


def left_out(view: View, counts: list[int]) -> list[bool]:
    """Whether the view leaves lines out, for frames with so many new items each."""
    found = []
    for count in counts:
        for n in range(count):
            view.event(said(f"line {n}"))
        wait = view.wait(0.0)
        assert wait is not None
        out = view.tick(wait)
        assert ("line 0" not in out) is ("lines not shown" in out)
        found.append("lines not shown" in out)
    return found


def test_lines_are_left_out_from_the_last_of_flood_frames_on() -> None:
    """The view leaves lines out as soon as FLOOD_FRAMES floods follow each other, and in later ones, too."""
    view = view_of(lines=LINES)
    assert left_out(view, [FLOOD] * (FLOOD_FRAMES + 2)) == [False] * (FLOOD_FRAMES - 1) + [True] * 3


def test_a_quiet_frame_interrupts_a_flood() -> None:
    """After a frame that is no flood, the view counts floods from the start again."""
    view = view_of(lines=LINES)
    before = [False] * (FLOOD_FRAMES - 1)
    floods = [FLOOD] * (FLOOD_FRAMES - 1)
    assert left_out(view, [*floods, FLOOD - 1, *floods, FLOOD]) == [*before, False, *before, True]
    assert left_out(view, [1, FLOOD]) == [False, False]


@pytest.mark.parametrize(("columns", "lines"), [(40, 12), (80, 24), (120, 40)])
def test_a_flood_is_one_note_that_grows(columns: int, lines: int) -> None:
    """While lines come faster than anybody reads, one row tells how many are not shown, and how to see them.

    Afterwards the latest follow, and the row is still on the screen.
    """
    watched = Watched(columns, lines, "around")
    view, screen = watched.view, watched.screen
    view.status(Status("#general", ", 2 here"))
    for frame in range(FLOOD_FRAMES + 10):
        for n in range(500):
            view.event(said(f"line {n}"))
        screen.feed(frames(view, float(frame)))
        rows = [row for row in (*screen.scrollback, *screen.rows()) if "lines not shown" in row]
        assert len(rows) == (frame >= FLOOD_FRAMES - 1)
        assert frame < FLOOD_FRAMES or any("lines not shown" in row for row in screen.rows())
    rows = shown(view, screen, 20.0)
    first = next(number for number, row in enumerate(rows) if "lines not shown:" in row)
    told = int(rows[first].split(" lines")[0].split()[-1].replace(",", ""))
    latest = [int(row.split()[-1]) for row in rows[first + 1 :] if " line " in f" {row}"]
    assert latest == [*range(500 - len(latest), 500)] and len(latest) >= lines - 6
    assert told + len(latest) == 500 * 11
    assert len([row for row in screen.scrollback if "not shown" in row]) == 0


def test_another_flood_has_another_note() -> None:
    """A note tells only what was left out above it."""
    view, screen = view_of(80, 24), Screen(80, 24)
    for flood in range(2):
        for frame in range(FLOOD_FRAMES):
            for n in range(100):
                view.event(said(f"line {n}"))
            screen.feed(frames(view, 10.0 * flood + frame))
        shown(view, screen, 10.0 * flood + 5)
    notes = [row.split()[1] for row in (*screen.scrollback, *screen.rows()) if "lines not shown" in row]
    assert notes == ["81", "81"]


def test_of_long_lines_fewer_follow_a_flood() -> None:
    """The note is in sight also when the latest lines take several rows each."""
    view, screen = view_of(80, 24), Screen(80, 24)
    for frame in range(FLOOD_FRAMES):
        for n in range(100):
            view.event(said(f"{n} {'word ' * 40}\nand more"))
        screen.feed(frames(view, float(frame)))
    rows = shown(view, screen, 9.0)
    assert any("lines not shown" in row for row in rows) and any(" 99 word" in row for row in rows)


# --- long texts ----------------------------------------------------------------------------------------


LONG = {
    "words": "some words ",
    "one word": "w",
    "tabs": "\t",
    "newlines": "\n",
    "marks": "e\u0301\u0302\u0303\u0304\u0305",
    "wide": "\u6f22",
    "emoji": "\U0001f468\u200d\U0001f469",
    "invisible": "\u200b",
    "controls": "\x1b",
    "name": "ann-",
    "code": "`a` ",
}
"""A unit of each kind of text that costs much to format."""


def wall(kind: str) -> str:
    """A text of MAX_TEXT bytes."""
    return LONG[kind] * (MAX_TEXT // len(LONG[kind].encode()))


@pytest.mark.parametrize("kind", LONG)
def test_a_frame_formats_a_bounded_part_of_a_long_text(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One frame formats one long text, and of that text only what an excerpt holds."""
    formatted: list[Item] = []

    def counted(item: Item, columns: int, theme: Theme, lead: Lead) -> list[Row]:
        formatted.append(item)
        return format_item(item, columns, theme, lead)

    monkeypatch.setattr("views.transcript.format_item", counted)
    view = view_of(80, 24)
    view.tick(0.0)
    for _ in range(10):
        view.event(said(wall(kind)))
    assert formatted == []  # what waits costs nothing
    rows = view.tick(1.0).count("\r\n")
    assert len(formatted) in (1, 2, 3, 4)
    assert all(len(item.text) <= ITEM_CHARACTERS for item in formatted)
    assert rows <= 5 * ITEM_LINES
    assert view.wait(1.0) == 0.0
    frames(view, 1.0)
    assert len(formatted) == 10
    view.resize(81, 24)  # only the rows that are on the screen are formatted again
    view.tick(2.0)
    assert len(formatted) <= 10 + 10
    assert sum("more" in item.more for item in formatted[:10]) == 10


@pytest.mark.parametrize("kind", LONG)
def test_a_key_is_echoed_before_the_items_that_wait(kind: str) -> None:
    """A key between two frames is echoed by the next one, which formats nothing."""
    view = view_of(80, 24)
    view.tick(0.0)
    for _ in range(10):
        view.event(said(wall(kind)))
    view.tick(1.0)
    pressed(view, b"x", 1.0)
    assert view.tick(1.0) == "x"
    assert view.wait(1.0) == 0.0
    assert pressed(view, b"\x03\x03", 1.0) == [Leave(sure=False)]


def test_a_cut_text_says_how_much_is_missing() -> None:
    """Below the beginning of a long text stands how many lines follow, and the command that shows them."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("line\n" * 1000))
    assert shown(view, screen, 0.0)[-2:] == ["      … 951 more lines: /show 1", "ann>"]
    view.system("x" * 9000)
    assert shown(view, screen, 1.0)[-2:] == ["      … 7,000 more characters: /show 2", "ann>"]


def test_a_cut_text_can_be_shown_whole() -> None:
    """`show` prints all lines once, in several frames, indented so that none looks like another message."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("\n".join(f"12:00 eve: {n}" for n in range(1000))))
    shown(view, screen, 0.0)
    screen.scrollback.clear()
    view.show(None)
    view.event(said("later"))
    screen.feed(view.tick(1.0))
    assert view.wait(1.0) == 0.0
    screen.feed(frames(view, 2.0))
    rows = shown(view, screen, 3.0)
    every = [row for row in [*screen.scrollback, *rows] if row.startswith("      12:00 eve")]
    assert [row.strip() for row in every][-1000:] == [f"12:00 eve: {n}" for n in range(1000)]
    assert rows[-2].endswith("bob: later")
    view.show(7)
    assert "      -- there is no such text any more" in shown(view, screen, 4.0)


def test_ctrl_c_stops_showing() -> None:
    """Ctrl-C ends the output of a long text, and leaves the line and the chatroom alone."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("\n" * 60_000))
    pressed(view, b"half", 0.0)
    shown(view, screen, 0.0)
    view.show(1)
    view.tick(1.0)
    assert pressed(view, b"\x03", 1.0) == []
    assert view.tick(1.0) == ""
    assert view.wait(1.0) is None
    assert view.editor.text == "half"


def test_few_cut_texts_are_kept() -> None:
    """The latest CUT_TEXTS long texts can be shown whole; without one, `show` says so."""
    view, screen = view_of(), Screen(40, 10)
    view.show(None)
    assert "      -- no text was cut" in shown(view, screen, 0.0)
    for n in range(CUT_TEXTS + 1):
        view.event(said(f"{n}" + "\n" * 99))
    frames(view, 1.0)
    view.show(1)
    assert "      -- there is no such text any more" in shown(view, screen, 2.0)
    view.show(2)
    frames(view, 3.0)


def test_a_long_own_line_costs_a_frame_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an own line that is not stored yet, a frame formats no more than fills its rows."""
    sizes: list[int] = []

    def counted(text: str, columns: int, theme: Theme) -> list[Row]:
        sizes.append(len(text))
        return format_pending(text, columns, theme)

    monkeypatch.setattr("views.layout.format_pending", counted)
    view, screen = view_of(40, 16), Screen(40, 16)
    view.pending(["w" * MAX_TEXT] * 3)
    assert shown(view, screen, 0.0)[-2] == "…"
    assert max(sizes) <= 16 * 40


def test_what_waits_is_bounded() -> None:
    """When more waits than anybody will read, the oldest is left out and counted before it is formatted."""
    view, screen = view_of(), Screen(40, 10)
    count = BACKLOG_WORK // ITEM_CHARACTERS + 5
    for _ in range(count):
        view.event(said("w" * ITEM_CHARACTERS))
    frames(view, 0.0)
    view.system("end")
    rows = shown(view, screen, 1.0)
    assert rows[-2] == "      -- end"
    assert count > 1000


def test_who_leaves_does_not_wait_for_a_flood() -> None:
    """On leaving, only the latest items are shown if many wait."""
    view = view_of()
    view.tick(0.0)
    for n in range(10_000):
        view.event(said(f"line {n}"))
    out = view.leave(1.0)
    assert "9,995 lines not shown" in out
    assert "line 9999" in out
    assert len(out) < 2000


@pytest.mark.parametrize("before", [15, 16, 17])
@pytest.mark.parametrize("after", [15, 16, 17])
def test_resizing_around_a_full_row(before: int, after: int) -> None:
    """An input about as wide as the screen is whole after a resize."""
    view, screen = view_of(before, 8), Screen(before, 8)
    pressed(view, b"0123456789", 0.0)
    shown(view, screen, 0.0)
    screen.resize(8, after)
    view.resize(after, 8)
    assert "".join(shown(view, screen, 1.0)) == "ann> " + "0123456789"


def test_a_tiny_screen_is_painted_like_four_columns_and_two_lines() -> None:
    """The view never uses a screen of fewer than 4 columns and 2 lines, also after a resize."""

    def first_frame(columns: int, lines: int) -> str:
        view = view_of(columns, lines)
        view.system("some words")
        return view.tick(0.0)

    tiny = {first_frame(*size) for size in ((0, 0), (1, 2), (4, 1), (4, 2))}
    assert len(tiny) == 1
    assert first_frame(5, 2) not in tiny
    assert first_frame(4, 3) not in tiny
    view = view_of(4, 2)
    view.tick(0.0)
    view.resize(1, 1)
    assert view.wait(1.0) is None


def test_waits_shrink_to_zero() -> None:
    """Waits are never negative and never grow while time passes."""
    view = view_of()
    pressed(view, b"\x1b", 0.0)
    waits = [view.wait(now / 100) for now in range(10)]
    assert all(wait is not None and wait >= 0 for wait in waits)
    assert all(a >= b for a, b in pairwise(wait for wait in waits if wait is not None))


# --- erased ------------------------------------------------------------------------------------------------


def erased(person: int) -> Event:
    return Event(99, 99, EventKind.ERASED, "", "", "", extra=extra_row(Extra.TARGET, person, 4))


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_what_an_erased_person_has_said_leaves_the_screen(repaint: Repaint) -> None:
    """Their lines, answers to them and reactions, also those that are not painted yet; one line says so."""
    watched = Watched(59, 14, repaint)
    view, bob, eve = watched.view, 2, 3
    line = said("my secret")._replace(person=bob)
    answer = said("aha", "eve")._replace(person=eve, extra=extra_row(Extra.REPLY_TO, 1))
    react = Event(3, 3, EventKind.REACTED, "#general", "eve", "+1", 0, eve, 1)
    view.event(Event(1, 1, EventKind.JOINED, "#general", "bob", "", 0, bob, 1))
    view.event(line)
    view.event(answer, line)
    view.event(react, line)
    watched.tick(1.0)
    shown = "\n".join(watched.screen.rows())
    assert "bob joined" in shown and "my secret" in shown and "eve: aha (to bob)" in shown
    pressed(view, b"half-typed", 1.5)
    view.event(line)
    view.event(erased(bob))
    view.event(said("hello", "eve")._replace(person=eve))
    watched.tick(2.0)
    assert [row[6:] for row in watched.screen.rows() if row][:-1] == [
        "-- 1 joined",
        "-- this was erased",
        "eve: aha (a reply)",
        "-- eve reacted +1 to an earlier line",
        "-- this was erased",
        "-- all that one person had said is erased",
        "eve: hello",
    ]
    assert watched.screen.rows()[7] == "ann> half-typed"
    assert "secret" not in "".join(watched.screen.scrollback)


def test_erased_texts_cannot_be_shown_again() -> None:
    """Neither the rest of a long text, nor what /show is printing; those of others can."""
    watched = Watched(40, 10, "around")
    view = watched.view
    for person, name in ((2, "bob"), (3, "eve")):
        view.event(said(f"{name}\n" * (ITEM_LINES + 1), name)._replace(person=person))
    view.show(1)
    view.event(erased(2))
    watched.tick(1.0)
    view.show(1)
    view.show(2)
    for second in range(2, 9):
        watched.tick(float(second))
    rows = [*watched.screen.scrollback, *watched.screen.rows()]
    assert any("there is no such text any more" in row for row in rows)
    assert any(row.strip() == "eve" for row in rows) and not any("bob" in row for row in rows)


def test_who_is_removed_is_not_completed() -> None:
    """Tab knows that a removed member is not there any more."""
    view = view_of()
    for name in ("bob", "eve"):
        view.event(Event(1, 1, EventKind.JOINED, "#general", name, "", 0, 5, 1))
    extra = extra_row(Extra.TARGET, 6, 4) + extra_row(Extra.TARGET_NAME, "bob")
    view.event(Event(2, 2, EventKind.KICKED, "#general", "eve", "", 0, 5, 1, extra))
    assert view.completer("bo", True) == [] and view.completer("ev", True) == ["eve: "]
