"""Tests of the whole view on a model of a terminal, with both kinds of repaint."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from wcwidth import wcwidth

from chatroom.events import Event, EventKind
from tests.views.attacks import DRIVING, texts
from tests.views.screen import Screen, code_points, readable
from views import Leave, Repaint, Submitted, Suspend, View
from views.item import Item, Theme, format_pending, item_of
from views.layout import layout_input
from views.limits import FLOOD_FRAMES, FLOOD_SCREENS, FRAMES_PER_SECOND, PASTE_SECONDS
from views.text import Span, clip, row_of
from views.transcript import Transcript

TODAY = date(1970, 1, 1)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def said(text: str, author: str = "bob", seq: int = 1) -> Event:
    return Event(seq, seq, EventKind.SAID, "#general", author, text)


def view_of(columns: int = 40, lines: int = 10, repaint: Repaint = "around", *, colour: bool = False) -> View:
    return View(
        columns,
        lines,
        name="ann",
        colour=colour,
        repaint=repaint,
        commands=["/help"],
        today=TODAY,
        time_of=utc,
    )


TYPED = st.text(alphabet="ab 漢é👩\u200d\u0301", max_size=12).map(str.encode)
KEYS = [
    *(b"\x1b[D", b"\x1b[D\x1b[D", b"\x1b[C", b"\x1b[H", b"\x1b[F", b"\x1b[A", b"\x1b[B", b"\x1b\r"),
    *(b"\x7f", b"\x17", b"\x15", b"\x19", b"\x0c", b"\t", b"\x1f", b"x", b"typed plainly"),
    b"\x1b[200~one\ntwo \x1b[2J\x1b[201~",
]
NAMES = st.sampled_from(["bob", "Ærøskøbing", "漢字", "x\x1b[2Jy"])


class Watched:
    """A view, the screen that it paints on, and all its output."""

    def __init__(self, columns: int, lines: int, repaint: Repaint, width: object = wcwidth) -> None:
        self.view = view_of(columns, lines, repaint, colour=True)
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

    @initialize(columns=st.integers(10, 34), lines=st.integers(5, 9))
    def start(self, columns: int, lines: int) -> None:
        self.now = 0.0
        self.columns, self.lines = columns, lines
        self.right = [Watched(columns, lines, "inline"), Watched(columns, lines, "around")]
        self.wrong = Watched(columns, lines, "around", code_points)
        self.all = [*self.right, self.wrong]
        self.transcript = Transcript(columns, Theme(True), TODAY)
        self.shown: list[str] = []  # every row since the last resize, in order
        self.pending: list[str] = []
        self.status = ""
        self.resized = False
        self.paint()

    def paint(self) -> None:
        self.now += 1.0
        for watched in self.all:
            watched.tick(self.now)

    @rule(lines=st.lists(st.tuples(NAMES, texts), max_size=4))
    def others_say(self, lines: list[tuple[str, str]]) -> None:
        for author, text in lines:
            event = said(text, author)
            for watched in self.all:
                watched.view.event(event)
            self.shown += map(readable, self.transcript.append(item_of(event, "ann", utc)))
        self.paint()

    @rule(text=texts)
    def the_program_says(self, text: str) -> None:
        for watched in self.all:
            watched.view.system(text)
        self.shown += map(readable, self.transcript.append(Item(None, "", text)))
        self.paint()

    @rule(data=st.one_of(TYPED, st.sampled_from(KEYS)))
    def keys(self, data: bytes) -> None:
        for watched in self.all:
            assert watched.view.keys(data, self.now) == []
        self.paint()

    @rule()
    def enter(self) -> None:
        actions = [watched.view.keys(b"\r", self.now) for watched in self.all]
        assert actions[0] == actions[1] == actions[2]
        self.paint()

    @rule(count=st.integers(0, 3), status=st.sampled_from(["", "reconnecting", "漢字 \x1b[2J" * 9]))
    def states(self, count: int, status: str) -> None:
        self.pending, self.status = [f"own {n}" for n in range(count)], status
        for watched in self.all:
            watched.view.pending(self.pending)
            watched.view.status(status)
        self.paint()

    @rule(columns=st.integers(10, 34), lines=st.integers(5, 9))
    def resize(self, columns: int, lines: int) -> None:
        if (columns, lines) == (self.columns, self.lines):
            return
        self.columns, self.lines = columns, lines
        for watched in self.all:
            watched.resize(columns, lines)
        self.transcript.resize(columns)
        self.paint()
        self.shown = [readable(row) for row in self.transcript.tail(self.lines - len(self.block()[0]))]
        self.resized = True

    def block(self) -> tuple[list[str], int, int]:
        """The expected rows of the block, and the cursor's row and column in it."""
        most = min(4, self.lines // 4)
        own = [
            row
            for text in self.pending[:most]
            for row in format_pending("ann", text, self.columns, Theme(False))
        ]
        hidden = len(self.pending) - most
        if hidden > 0 or len(own) > most:
            rest = f"{hidden} more lines wait" if hidden > 0 else "…"
            own = [*own[: most - 1], row_of(clip([Span(rest)], self.columns - 1))]
        editor = self.right[0].view.editor
        block = layout_input(Span("ann"), editor.clusters, editor.cursor, self.columns, self.lines // 2)
        above = [*map(readable, own), *(["status"] if self.status else [])]
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
                assert found.startswith("-- ") if wanted == "status" else found == wanted.rstrip()
            assert screen.cursor.x == column
            assert not any(screen.rows()[top + len(rows) :])
            if self.resized:  # each terminal handles its scrollback in its own way
                assert screen.rows()[:top] == self.shown[len(self.shown) - top :]
            else:
                assert [*screen.scrollback, *screen.rows()[:top]] == self.shown

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


class ManyPaintings(Painting):
    pass


TestManyPaintings = pytest.mark.slow(ManyPaintings.TestCase)
TestManyPaintings.settings = settings(max_examples=20, stateful_step_count=25)


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
    view.status(text)
    view.pending([text])
    view.identity(text)
    view.keys(b"\x1b[200~" + text.encode("utf-8", "replace") + b"\x1b[201~", 1.0)
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


# --- writes --------------------------------------------------------------------------------------------


def test_a_burst_is_one_write() -> None:
    """All changes since the last frame are one string."""
    view = view_of()
    view.tick(0.0)
    for n in range(5):
        view.event(said(f"line {n}"))
    view.status("reconnecting")
    assert view.wait(1.0) == 0.0
    assert "line 4" in view.tick(1.0)
    assert view.tick(1.0) == ""


def test_idle_writes_nothing() -> None:
    """Without a change there is no wait and no output."""
    view = view_of()
    view.tick(0.0)
    assert view.wait(1.0) is None
    assert all(view.tick(float(now)) == "" for now in range(1, 60))
    view.pending([])
    view.status("")
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
    assert view.keys(b"x", 0.001) == []
    assert view.wait(0.001) == 0.0
    assert view.tick(0.001) == "x"


def test_colours_can_be_left_out() -> None:
    """A view without colour writes no SGR sequence; one with colour does."""
    for colour, found in ((False, False), (True, True)):
        view = view_of(colour=colour)
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
    assert view.keys("héllo\r".encode(), 0.0) == [Submitted("héllo")]
    assert view.keys(b"  \r\r", 0.0) == []
    assert view.editor.text == ""


def test_ctrl_c_clears_then_leaves() -> None:
    """Ctrl-C empties a half-typed line, and on an empty line it leaves."""
    view = view_of()
    assert view.keys(b"half\x03", 0.0) == []
    assert view.editor.text == ""
    assert view.keys(b"\x03", 0.0) == [Leave()]


def test_ctrl_d_deletes_or_leaves() -> None:
    """Ctrl-D deletes a character, and on an empty line it leaves."""
    view = view_of()
    assert view.keys(b"ab\x01\x04", 0.0) == []
    assert view.editor.text == "b"
    assert view.keys(b"\x04\x04", 0.0) == [Leave()]


def test_ctrl_z_suspends() -> None:
    """Ctrl-Z suspends and keeps the half-typed line."""
    view = view_of()
    assert view.keys(b"half\x1a", 0.0) == [Suspend()]
    assert view.editor.text == "half"


def test_a_paste_never_sends() -> None:
    """A paste with line ends goes into the input line; only Enter sends it, as one message."""
    view = view_of()
    assert view.keys(b"\x1b[200~one\r\ntwo\r\x1b[201~", 0.0) == []
    assert "one⏎" in view.tick(0.0)
    assert view.keys(b"\r", 0.0) == [Submitted("one\ntwo\n")]


def test_tab_completes_present_members() -> None:
    """Tab completes members who spoke or joined, but not members who left."""
    view = view_of()
    view.event(said("hi", "bob"))
    view.event(Event(2, 0, EventKind.JOINED, "#general", "bea", ""))
    view.event(Event(3, 0, EventKind.LEFT, "#general", "bob", ""))
    view.keys(b"b\t", 0.0)
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
    view.keys(b"b\t", 0.0)
    assert view.editor.text == "bea: "
    view.keys(b"\t", 0.0)
    assert view.editor.text == "bert: "
    view.keys(b"\t", 0.0)
    assert view.editor.text == "b"


def test_a_full_line_says_so() -> None:
    """If a paste does not fit into the line, the view says so."""
    view = view_of()
    view.keys(b"\x1b[200~" + b"x" * 70_000 + b"\x1b[201~" + b"y", 0.0)
    assert "the line is full" in view.tick(0.0)


# --- states --------------------------------------------------------------------------------------------


def shown(view: View, screen: Screen, now: float) -> list[str]:
    screen.feed(view.tick(now))
    return [row for row in screen.rows() if row]


def test_a_pending_line_keeps_its_place() -> None:
    """An own line keeps its place when it is stored, and gets its time."""
    view, screen = view_of(), Screen(40, 10)
    view.pending(["on its way"])
    assert shown(view, screen, 0.0) == ["--:-- ann: on its way", "ann>"]
    view.event(said("on its way", "ann"))
    view.pending([])
    assert shown(view, screen, 1.0) == ["00:00 ann: on its way", "ann>"]


def test_many_pending_lines_are_a_number() -> None:
    """Of many pending lines a few are shown, and a number stands for the others."""
    view, screen = view_of(40, 16), Screen(40, 16)
    view.pending([f"line {n}" for n in range(1000)])
    rows = shown(view, screen, 0.0)
    assert rows == [
        "--:-- ann: line 0",
        "--:-- ann: line 1",
        "--:-- ann: line 2",
        "996 more lines wait",
        "ann>",
    ]


def test_a_reconnect_keeps_the_line() -> None:
    """A reconnect keeps the half-typed line and its cursor, and shows missed lines below a divider."""
    view, screen = view_of(), Screen(40, 10)
    view.keys(b"half-typed\x1b[D\x1b[D", 0.0)
    view.system("connection lost: reset")
    view.status("retrying in 2 s")
    assert shown(view, screen, 0.0) == ["-- connection lost: reset", "-- retrying in 2 s", "ann> half-typed"]
    view.status("")
    view.system("back again")
    view.missed()
    view.event(said("news"))
    assert shown(view, screen, 1.0) == [
        "-- connection lost: reset",
        "-- back again",
        "-- ---- missed while you were away ----",
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
        "-- ---- missed while you were away;",
        "   older lines are gone ----",
        "00:00 bob: news",
        "ann>",
    ]


def test_clear_empties_the_screen() -> None:
    """After /clear only the input line is on the screen; each old row is in the scrollback once."""
    view, screen = view_of(), Screen(40, 10)
    view.event(said("one"))
    shown(view, screen, 0.0)
    view.keys(b"half", 1.0)
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


@pytest.mark.parametrize("repaint", ["inline", "around"])
def test_a_redraw_repeats_no_row_that_has_scrolled_away(repaint: Repaint) -> None:
    """Ctrl-L paints the rows that were on the screen: the scrollback and the screen hold each row once."""
    watched = Watched(10, 5, repaint)
    watched.view.pending(["one", "two"])
    watched.view.status("reconnecting")
    watched.tick(1.0)
    for number in range(4):
        watched.view.event(said(f"n{number}"))
    watched.tick(2.0)
    watched.view.pending([])
    watched.view.status("")
    watched.tick(3.0)
    watched.view.keys(b"\x0c", 4.0)
    assert watched.tick(4.0)
    rows = [*watched.screen.scrollback, *watched.screen.rows()]
    assert [row for row in rows if "n" in row and "bob" in row] == [f"bob: n{number}" for number in range(4)]


def test_a_system_line_shows_its_time_if_it_has_one() -> None:
    """The program's own lines begin with the time of the event that they report; other lines have no time."""
    view, screen = view_of(), Screen(40, 10)
    view.system("connection lost", 3_600_000)
    view.system("not sent")
    rows = shown(view, screen, 0.0)
    assert [row for row in rows if "--" in row] == ["01:00 -- connection lost", "-- not sent"]


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
    view.keys(b"half", 0.0)
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
    view.status("reconnecting")
    view.event(said("last words"))
    screen.feed(view.leave(0.0))
    assert [row for row in screen.rows() if row] == ["00:00 bob: last words"]
    assert (screen.cursor.x, screen.cursor.y) == (0, 1)


def test_leaving_leaves_a_half_typed_line() -> None:
    """Leaving keeps a half-typed line on the screen."""
    view, screen = view_of(), Screen(40, 10)
    view.keys(b"half", 0.0)
    shown(view, screen, 0.0)
    screen.feed(view.leave(0.0))
    assert [row for row in screen.rows() if row] == ["ann> half"]
    assert screen.cursor.y == 1


def test_leaving_removes_pending_lines_and_status() -> None:
    """Leaving erases the pending lines and the status, and keeps the half-typed line only."""
    view, screen = view_of(), Screen(40, 10)
    view.pending(["on its way"])
    view.status("reconnecting")
    view.keys(b"half", 0.0)
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
    view.keys(b"\x0c", 1.0)
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
    view.keys(typed, 0.0)
    view.tick(0.0)
    view.event(said("new"))
    out = view.tick(1.0)
    assert "new" in out
    assert ("old" in out) is again


def test_a_paste_without_end_is_shown_in_time() -> None:
    """`wait` and `tick` end an unfinished paste after PASTE_SECONDS, without more bytes."""
    view = view_of()
    view.tick(0.0)
    assert view.keys(b"\x1b[200~never ends", 1.0) == []
    assert view.wait(1.0) == PASTE_SECONDS
    assert "never ends" in view.tick(1.0 + PASTE_SECONDS)


def test_a_view_has_colour_and_no_name_by_default() -> None:
    """Without options a view uses colours, and its prompt has no name."""
    view, screen = View(40, 10), Screen(40, 10)
    view.system("notice")
    out = view.tick(0.0)
    screen.feed(out)
    assert "\x1b[2m" in out
    assert [row for row in screen.rows() if row] == ["-- notice", ">"]


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
    assert lines == [f"00:00 bob: line {n}" for n in range(500)]


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


def test_a_flood_shows_the_latest_lines() -> None:
    """After FLOOD_FRAMES floods in a row only the latest lines are shown, with the number of the others."""
    view, screen = view_of(), Screen(40, 10)
    for frame in range(FLOOD_FRAMES):
        for n in range(500):
            view.event(said(f"line {n}"))
        out = view.tick(float(frame))
    assert "490 lines not shown" in out
    assert "line 499" in out
    screen.feed(out)
    assert screen.rows()[-1] == "ann>"


@pytest.mark.parametrize("before", [15, 16, 17])
@pytest.mark.parametrize("after", [15, 16, 17])
def test_resizing_around_a_full_row(before: int, after: int) -> None:
    """An input about as wide as the screen is whole after a resize."""
    view, screen = view_of(before, 8), Screen(before, 8)
    view.keys(b"0123456789", 0.0)
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
    view.keys(b"\x1b", 0.0)
    waits = [view.wait(now / 100) for now in range(10)]
    assert all(wait is not None and wait >= 0 for wait in waits)
    assert all(a >= b for a, b in pairwise(wait for wait in waits if wait is not None))
