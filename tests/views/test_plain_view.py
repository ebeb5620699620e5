"""views/plain_view.py"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.events import Event, EventKind, Extra, extra_row
from tests.support.events import BOB, GENERAL, NOON, said
from tests.views.attacks import DRIVING
from views import (
    Action,
    Cancelled,
    Jump,
    Leave,
    LookBack,
    Secret,
    Status,
    StepFound,
    Submitted,
    Suspend,
    Waiting,
)
from views.draft import Draft
from views.limits import CUT_TEXTS, HELD_LINES, ITEM_CHARACTERS, RUN_MOMENT, RUN_MOST
from views.plain_view import PlainView


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class Reader:
    """Ann at a plain terminal. printed: all that was written"""

    def __init__(self, echoes: bool = True, now: int = NOON) -> None:
        self.view = PlainView(
            name="ann", echoes=echoes, commands=["/join", "/ignore"], clock=lambda: now, time_of=utc
        )
        self.printed = ""
        self.time = 0.0

    def type(self, keys: str) -> list[Action]:
        return list(self.view.keys(keys.encode(), self.time))

    def tick(self, seconds: float = 0.0) -> str:
        """What is written now, after some time."""
        self.time += seconds
        out = self.view.tick(self.time)
        self.printed += out
        return out


def event(kind: EventKind, name: str, person: int, seconds: float = 0) -> Event:
    return Event(1, NOON + int(seconds * 1000), kind, "#general", name, "", 0, person, GENERAL)


# --- the order of what is written --------------------------------------------------------------------------


def test_a_message_does_not_part_what_is_typed() -> None:
    """While a line is half-typed, messages wait; they come below it when it is sent."""
    reader = Reader()
    reader.type("hel")
    assert reader.tick() == "hel"
    reader.view.event(said(1, "hi"))
    reader.view.system("news")
    assert reader.view.wait(0.0) is None and reader.tick() == ""
    assert reader.type("lo\r") == [Submitted("hello")]
    assert reader.tick() == "lo\nbob: hi\nnews\n"
    reader.view.event(said(2, "again"))
    assert reader.view.wait(0.0) == 0.0 and reader.tick() == "bob: again\n"


def test_keys_that_come_at_once() -> None:
    """What was held comes between two lines at the latest when the second one is sent, never within one."""
    reader = Reader()
    reader.type("one")
    reader.view.event(said(1, "hi"))
    assert reader.type("\rtw") == [Submitted("one")]
    assert reader.tick() == "one\ntw"
    reader.type("o\r")
    assert reader.tick() == "o\nbob: hi\n"


@pytest.mark.parametrize("keys", ["\x7f\x7f", "\x15", "\x17", "\x03"])
def test_a_line_that_is_empty_again(keys: str) -> None:
    """Backspace, Ctrl-U, Ctrl-W or Ctrl-C give the way to what waits."""
    reader = Reader()
    reader.type("漢b")
    reader.view.event(said(1, "hi"))
    assert reader.type(keys) == []
    assert reader.tick().endswith("\n" * (keys == "\x03") + "bob: hi\n")


@given(
    st.lists(st.sampled_from(["a", "b ", "漢", "\x7f", "\x15", "\r", "\x03", None, "tick"]), max_size=40),
    st.booleans(),
)
def test_any_typing(steps: list[str | None], echoes: bool) -> None:
    """Each message is a line of its own, whole and once, whatever is typed; nothing that is typed is lost."""
    reader, number, said_lines = Reader(echoes), 0, list[str]()
    for step in steps:
        if step is None:
            number += 1
            reader.view.event(said(number, f"message {number}"))
        elif step == "tick":
            reader.tick()
        elif step == "\x03" and not reader.view.editor:
            continue
        else:
            said_lines += [action.text for action in reader.type(step) if isinstance(action, Submitted)]
    reader.tick()
    reader.printed += reader.view.leave(reader.time)
    lines = [_as_seen(line) for line in reader.printed.split("\n")]
    assert [line for line in lines if line.startswith("bob")] == [
        f"bob: message {n}" for n in range(1, number + 1)
    ]
    assert reader.printed.count("message") == number
    if echoes:
        assert all(line.strip() in [one.strip() for one in lines] for line in said_lines)


def _as_seen(line: str) -> str:
    """A line of the terminal after the backspaces in it: a wide letter has two columns."""
    cells: list[str] = []
    at = 0
    for character in line:
        if character == "\b":
            at -= 1
            continue
        for shown in (character, "")[: 2 if character == "漢" else 1]:
            cells[at : at + 1] = [shown]
            at += 1
    return "".join(cells)


def test_what_is_typed_is_not_printed_twice() -> None:
    """Where the console shows keys itself, the view does not."""
    reader = Reader(echoes=False)
    assert reader.type("hello\r") == [Submitted("hello")]
    assert reader.tick() == ""


def test_too_much_waits() -> None:
    """Of more lines than anybody listens to, the latest are printed."""
    reader = Reader()
    reader.type("x")
    for number in range(HELD_LINES + 5):
        reader.view.event(said(number))
    reader.type("\x15")
    lines = reader.tick().split("\n")
    assert lines[0].endswith("5 lines not shown") and len(lines) == HELD_LINES + 2
    assert lines[1] == "bob: line 5"


# --- questions ---------------------------------------------------------------------------------------------


def test_a_password_is_not_shown() -> None:
    """The question stands alone, messages wait, and nothing of the answer is written."""
    reader = Reader()
    reader.view.ask("a password (not shown):")
    assert reader.view.asks and reader.tick() == "a password (not shown): "
    reader.view.event(said(1, "hi"))
    assert reader.type("secrey\x7ft") == [] and reader.tick() == ""
    assert reader.type("\r") == [Secret("secret")]
    assert reader.tick() == "\nbob: hi\n" and not reader.view.asks


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_a_question_is_not_answered(key: str) -> None:
    """Ctrl-C and Ctrl-D end the question only."""
    reader = Reader()
    reader.view.ask("a password:")
    assert reader.type(f"x\x1a\x1b1{key}") == [Suspend(), Cancelled()]
    assert reader.tick() == "a password: \n"


# --- keys --------------------------------------------------------------------------------------------------


def test_leaving() -> None:
    """Ctrl-C and Ctrl-D on an empty line leave; a half-typed line stays, and what waits comes below it."""
    assert Reader().type("\x03\x04") == [Leave(sure=False), Leave()]
    reader = Reader()
    assert reader.type("half\x04") == []
    reader.view.event(said(1, "hi"))
    reader.tick()
    assert reader.view.leave(0.0) == "\nbob: hi\n"


def test_other_keys() -> None:
    """Alt-2 goes to a place, a blank line is nothing, and keys without a meaning do nothing."""
    reader = Reader()
    assert reader.type("\x1b2 \r\x1b[A") == [Jump(2)]
    assert reader.tick() == " \n"


def test_tab() -> None:
    """Tab adds what all completions have in common: nothing that stands there is replaced."""
    reader = Reader()
    reader.view.members(GENERAL, ["bob", "bo-1", "李雷"])
    reader.type("/j\t")
    assert reader.tick() == "/join "
    reader.type("\x15b\t")
    assert reader.tick().endswith("bo")
    reader.type("x\t\t")
    assert reader.tick() == "x"
    reader.view.unseen(Event(1, NOON, EventKind.QUIT, "", "bob", "", 0, BOB, 0))
    reader.type("\x15b\t")
    assert reader.tick().endswith("bo-1: ")


def test_suspending() -> None:
    """The shell begins on a line of its own; the half-typed line comes again afterwards."""
    reader = Reader()
    assert reader.type("half\x1a") == [Suspend()]
    reader.tick()
    assert reader.view.release() == "\n"
    reader.view.resize(10, 10)
    assert reader.tick() == "half"
    assert Reader().view.release() == ""


# --- what is said ------------------------------------------------------------------------------------------


def test_joins_are_one_line() -> None:
    """Joins and leaves in a row are printed when nobody has come for a moment, or something else comes."""
    reader = Reader()
    for number, name in enumerate("abcd"):
        reader.view.event(event(EventKind.JOINED, name, 10 + number))
    assert reader.view.wait(0.0) == 0.0 and reader.tick() == ""
    assert reader.view.wait(0.0) == RUN_MOMENT
    assert reader.tick(RUN_MOMENT) == "4 joined\n"
    reader.view.event(event(EventKind.QUIT, "a", 10))
    reader.view.event(said(1, "hi"))
    assert reader.tick() == "a left\nbob: hi\n"


def test_a_storm_is_printed_in_pieces() -> None:
    """Whoever listens does not wait for its end."""
    reader, printed = Reader(), ""
    for number in range(20):
        reader.view.event(event(EventKind.JOINED, f"p{number}", 10 + number, number))
        printed = printed or reader.tick(RUN_MOMENT / 2)
    assert reader.time <= RUN_MOST + 20 * RUN_MOMENT and printed.endswith("joined\n")


def test_what_is_old_has_a_time() -> None:
    """Of what just comes everybody knows the time; of the past it stands at the end."""
    reader = Reader(now=NOON + 120_000)
    reader.view.event(said(1, "old"))
    reader.view.event(said(2, "new")._replace(time=NOON + 110_000))
    assert reader.tick() == "bob: old (22:13)\nbob: new\n"


def test_a_long_text_is_cut() -> None:
    """Its beginning is printed, and how to get the rest."""
    reader = Reader()
    reader.view.event(said(1, "x" * (ITEM_CHARACTERS + 10)))
    assert reader.tick() == f"bob: {'x' * ITEM_CHARACTERS} \u2026 10 more characters: /show 1\n"
    reader.view.show(1)
    assert reader.tick() == "  " + "x" * (ITEM_CHARACTERS + 10) + "\n"
    reader.view.show(2)
    assert reader.tick() == "there is no such text any more\n"
    for number in range(CUT_TEXTS):
        reader.view.event(said(number, "y" * 9999))
    reader.tick()
    reader.view.show(1)
    assert "no such text" in reader.tick()


def test_a_long_text_is_shown_whole() -> None:
    """Each of its lines, however many, with its indent; none looks like what somebody else says."""
    reader = Reader()
    text = "\n".join(["carl: I agree", *(f"    line {number}" for number in range(2 * HELD_LINES))])
    reader.view.event(said(1, text))
    reader.tick()
    reader.view.show(None)
    assert reader.tick() == "".join(f"  {line}\n" for line in text.split("\n"))
    reader.type("x")
    reader.view.show(None)
    reader.view.event(
        Event(2, NOON, EventKind.ERASED, "", "op", "", 0, 9, 0, extra_row(Extra.TARGET, BOB, 4))
    )
    reader.type("\x15")
    assert "carl" not in reader.tick()


def test_joins_of_an_erased_person_wait_without_the_name() -> None:
    """They wait because a line is half-typed."""
    reader = Reader()
    reader.type("x")
    reader.view.event(event(EventKind.JOINED, "eve", 7))
    reader.view.system("news")
    reader.view.event(Event(2, NOON, EventKind.ERASED, "", "op", "", 0, 9, 0, extra_row(Extra.TARGET, 7, 4)))
    reader.type("\x15")
    out = reader.tick()
    assert "news" in out and "eve" not in out


def test_what_waits_quotes_no_erased_person() -> None:
    """A reaction to what this person said, a reply, and what somebody did to it: without text and name."""
    reader = Reader()
    reader.type("x")
    reader.tick()
    line = said(1, "my secret", "eve", person=7)
    about = extra_row(Extra.MESSAGE, 1)
    reader.view.event(
        Event(2, NOON, EventKind.REACTED, "#general", "bob", "+1", 0, BOB, GENERAL, about), line
    )
    reader.view.event(said(3, "why?")._replace(extra=extra_row(Extra.REPLY_TO, 1)), line)
    named = extra_row(Extra.TARGET, 7, 4) + extra_row(Extra.TARGET_NAME, "eve")
    reader.view.event(Event(4, NOON, EventKind.CALLED, "#general", "ann", "", 0, 9, GENERAL, named))
    reader.view.event(said(5, "mine", "eve", person=7))
    reader.view.event(Event(6, NOON, EventKind.ERASED, "", "op", "", 0, 9, 0, extra_row(Extra.TARGET, 7, 4)))
    reader.type("\x15")
    assert reader.tick().removeprefix("\b \b").splitlines() == [
        "bob reacted +1 to an earlier line",
        "bob (a reply): why?",
        "somebody has the word",
        "all that one person had said is erased",
    ]


def test_keys_for_looking_back() -> None:
    """PageUp on an empty line, Alt-N and Alt-P; not while a question waits."""
    reader = Reader()
    assert reader.type("\x1b[5~\x1bn\x1bp") == [LookBack(), StepFound(1), StepFound(-1)]
    assert reader.type("half\x1b[5~\x1bP") == []
    reader.tick(1.0)
    assert reader.view.late() == [StepFound(-1)] and reader.view.late() == []
    reader.view.ask("a password:")
    assert reader.type("\x1bn\x1b[5~") == []


def test_lines_of_a_list_have_numbers() -> None:
    """The number comes first; it cannot be part of a name, which has no blanks."""
    reader = Reader()
    reader.view.event(said(1, "exam"), under="#tea", number=2)
    reader.view.event(said(2, "no exam"), number=1)
    assert reader.tick() == "2. bob in #tea: exam\n1. bob: no exam\n"


def test_keywords_call() -> None:
    """As the name does."""
    reader = Reader()
    reader.view.keywords = ("exam",)
    reader.view.event(said(1, "the Exam, an example"))
    reader.view.event(said(2, "an example"))
    assert reader.tick() == "bob calls you: the Exam, an example\nbob: an example\n"


def test_blocks_are_kept_to_be_saved() -> None:
    """As they were said, and not those of an erased person."""
    reader = Reader()
    reader.view.event(said(1, "a\n\tb"))
    block = reader.view.cut_texts.block
    assert block is not None and (block.author, block.text) == ("bob", "a\n\tb")
    erased = Event(2, NOON, EventKind.ERASED, "", "", "", extra=extra_row(Extra.TARGET, BOB, 4))
    reader.view.event(erased)
    assert reader.view.cut_texts.block is None


def test_news_of_the_status() -> None:
    """A place is told when it has something unread or calls, not each line; so is who may not speak."""
    reader = Reader()
    reader.view.status(Status("#general", ", 2 here"))
    assert reader.tick() == ""
    reader.view.status(Status("#general", waiting=(Waiting("#tea", 1),)))
    assert reader.tick() == "1 unread in #tea\n"
    reader.view.status(Status("#general", waiting=(Waiting("#tea", 2),)))
    assert reader.tick() == ""
    reader.view.status(Status("#general", waiting=(Waiting("#tea", 3, 1),)))
    assert reader.tick() == "3 unread in #tea (1 calls you)\n"
    reader.view.status(Status(text="reconnecting in 3 s", trouble=True))
    assert reader.tick() == ""
    reader.view.status(Status("#general", silent="you are muted"))
    assert reader.tick() == "you can only read here: you are muted\n"
    reader.view.status(Status("#general"))
    assert reader.tick() == "you may speak here\n"


def test_messages_of_the_program() -> None:
    """An answer names its command, each of its lines is one; what was missed is told before it."""
    reader = Reader()
    reader.view.system("#tea: 1 here\n  bob", NOON, "/who")
    reader.view.missed(gap=True)
    assert reader.tick() == "/who: #tea: 1 here\nbob\nmissed while you were away; older lines are gone\n"
    for nothing in (reader.view.clear, lambda: reader.view.pending(["x"])):
        nothing()
    reader.view.turn_over(0.0)
    assert reader.tick() == ""


def test_what_was_erased_is_not_printed() -> None:
    """What waits of an erased person does not come any more."""
    reader = Reader()
    reader.type("x")
    reader.view.event(said(1, "secret"))
    target = extra_row(Extra.TARGET, BOB, 4)
    reader.view.event(Event(2, NOON, EventKind.ERASED, "", "", "", 0, 0, 0, target))
    reader.type("\x15")
    assert "secret" not in reader.tick()


def test_no_escape_sequence_is_written() -> None:
    """Whatever others say, type or are called: no control but line end and backspace."""
    reader = Reader()
    for evil in DRIVING:
        reader.view.event(said(1, evil, evil), under=evil)
        reader.view.system(evil, command=evil)
        reader.view.ask(evil)
        reader.type("\r")
        reader.type(f"\x1b[200~{evil}\x1b[201~\x15")
        reader.view.status(Status(evil, silent=evil, waiting=(Waiting(evil, 1),)))
        reader.tick()
    assert not {character for character in reader.printed if ord(character) < 32} - {"\n", "\b"}


def test_each_place_keeps_its_half_typed_line() -> None:
    """It ends where it stands, is not sent elsewhere, and comes again behind what is printed then."""
    view = PlainView(clock=lambda: 0)
    list(view.keys(b"for bob", 0.0))
    assert view.tick(0.0) == "for bob"
    draft = view.exchange(Draft())
    view.system("#general")
    assert view.tick(0.0) == "\n#general\n"
    assert list(view.keys(b"to all\r", 0.0)) == [Submitted("to all")]
    view.tick(0.0)
    view.exchange(draft)
    view.system("@bob")
    assert view.wait(0.0) == 0.0
    assert view.tick(0.0) == "@bob\nfor bob"
    assert list(view.keys(b"\r", 0.0)) == [Submitted("for bob")]
