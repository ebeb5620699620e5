"""Looking back at a terminal: pages of earlier lines, and what /grep has found."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from chatroom.events import Extra, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Command
from client.looking_back import HOW_TO_STEP, Page, page_of
from tests.client.fake_server import FakeServer
from tests.client.script import Absent, Last, Step
from tests.client.test_conversation import DIRECT, EVE, GENERAL, TEA, User, conversation, tea
from tests.support.events import said

PAGE_UP, NEXT, BEFORE = b"\x1b[5~", b"\x1bn", b"\x1bp"
SIZE = 19  # of a page on the screen of these tests


def row(more: bool, before: int, place: int = GENERAL) -> str:
    return json.dumps([{"place": place, "more": more, "before": before}])


@pytest.fixture
def user() -> Iterator[User]:
    """Who sees line 100 at first."""
    with FakeServer() as server:
        user = User(server, said(100))
        yield user
        server.dismiss(user.client)


def play(user: User, *steps: Step) -> None:
    """Play the steps when all that was before is shown."""
    user.play("line 100", "/help lists the commands", *steps)


# --- pages ------------------------------------------------------------------------------------------


def test_page_up_shows_the_page_before(user: User) -> None:
    """Between two rules; a second one goes further, to the beginning, and no page comes twice."""
    play(
        user,
        PAGE_UP,
        user.answers(f"/history {SIZE} before:100", row(True, 98), Code.OK, "words", said(98), said(99)),
        "--------------------- looking back: 2 earlier lines",
        "bob line 98",
        "line 99",
        "--------------------- end of looking back; PageUp goes further",
        Absent("words"),
        user.happens(said(101)),
        "bob line 101",
        PAGE_UP,
        user.answers(f"/history {SIZE} before:98", row(False, 97), Code.OK, "", said(97)),
        "looking back: 1 earlier line, from the beginning",
        "bob line 97",
        PAGE_UP,
        "nothing is earlier: the rest is above, in the scrollback of your terminal",
        PAGE_UP * 3,
        b"/merge x\r",
        Last(("nothing is earlier", "", "-- /merge on, or /merge off", "#general", "ann>")),
    )


def test_pressed_twice(user: User) -> None:
    """A page that is on its way is not asked for again."""
    play(
        user,
        PAGE_UP + PAGE_UP,
        user.answers(f"/history {SIZE} before:100", row(True, 99), Code.OK, "", said(99)),
        "bob line 99",
        PAGE_UP,
        user.answers(f"/history {SIZE} before:99", row(False, 99)),
        "nothing is earlier",
    )


def test_page_up_while_typing_does_nothing(user: User) -> None:
    """It is for an empty line."""
    play(user, b"half" + PAGE_UP, "ann> half", b"\r", user.says("half"))


def test_each_place_has_its_pages(user: User) -> None:
    """A place that comes on the screen again begins with what is shown of it; a late answer is dropped."""
    late: list[int] = []

    def ask_late() -> bool:
        command = user.received()
        if isinstance(command, Command):
            assert command.text == f"/history {SIZE} before:100"
            late.append(command.id)
        return bool(late)

    def answer_late() -> bool:
        user.peer.send(Answer(late[0], Code.OK, "late words", row(True, 98)))
        return True

    play(
        user,
        user.happens(tea(101, "tea time")),
        "#tea 1",
        PAGE_UP,
        ask_late,
        b"/go #tea\r",
        "tea time",
        answer_late,
        user.happens(tea(102, "more tea")),
        "more tea",
        Absent("looking back"),
        PAGE_UP,
        user.answers(f"/history {SIZE} before:101", row(False, 90, TEA), Code.OK, "", tea(90, "old tea")),
        "bob old tea",
        b"/go #general\r",
        "bob line 100",
        PAGE_UP,
        user.answers(f"/history {SIZE} before:100", row(True, 99), Code.OK, "", said(99)),
        "bob line 99",
    )


def test_a_conversation_is_named_by_its_number(user: User) -> None:
    """Two persons may have had one name."""
    play(
        user,
        user.happens(conversation(31, "bob", EVE), said(101, "psst", channel="@ann", place=DIRECT)),
        "@bob 1",
        b"/go 3\r",
        "psst",
        PAGE_UP,
        user.answers(f"/history {SIZE} before:101 in:{DIRECT}", row(False, 101, DIRECT)),
        "nothing is earlier",
    )


def test_what_history_has_printed_is_not_printed_again(user: User) -> None:
    """PageUp goes on before the lines of /history; those of another page of it count for nothing."""
    play(
        user,
        b"/history 3\r",
        user.answers("/history 3", row(True, 98), Code.OK, "more", said(98), said(99), said(100)),
        "bob line 98",
        b"/history 1 before:50\r",
        user.answers("/history 1 before:50", row(True, 49), Code.OK, "more", said(49)),
        "bob line 49",
        PAGE_UP,
        user.answers(f"/history {SIZE} before:98", row(False, 97), Code.OK, "", said(97)),
        "line 97",
    )


def test_after_clear_the_latest_page_comes(user: User) -> None:
    """Nothing is shown: so PageUp begins at the end."""
    play(
        user,
        b"/clear\r",
        PAGE_UP,
        user.answers(f"/history {SIZE}", row(False, 99), Code.OK, "", said(99), said(100)),
        "looking back: 2 earlier lines, from the beginning",
        "line 100",
    )


def test_a_place_where_nothing_was_said(user: User) -> None:
    """What is said there later can be looked at again."""
    play(
        user,
        user.happens(conversation(31, "eve", EVE)),
        lambda: user.client.room("@eve") is not None,
        b"/go @eve\r",
        "-- @eve",
        user.answers("/history 50 in:31", row(False, 101)),
        PAGE_UP,
        user.answers(f"/history {SIZE} in:31", row(False, 101)),
        "nothing is earlier",
        user.happens(said(101, "psst", "eve", channel="@ann", person=EVE, place=31)),
        ">eve to you psst",
        b"/clear\r",
        PAGE_UP,
        user.answers(
            f"/history {SIZE} in:31",
            row(False, 101),
            Code.OK,
            "",
            said(101, "psst", "eve", channel="@ann", person=EVE, place=31),
        ),
        ">eve to you psst",
    )


def test_a_page_that_was_cut_short(user: User) -> None:
    """A server that ran out of time says from where to go on."""
    play(
        user,
        PAGE_UP,
        user.answers(f"/history {SIZE} before:100", row(True, 70)),
        "looking back: 0 earlier lines",
        PAGE_UP,
        user.answers(f"/history {SIZE} before:70", row(False, 60), Code.OK, "", said(60)),
        "line 60",
    )


def test_a_page_that_is_refused(user: User) -> None:
    """The words are told, and the key may be pressed again."""
    play(
        user,
        PAGE_UP,
        user.answers(f"/history {SIZE} before:100", "", Code.SLOW_DOWN, "too many searches"),
        "-- too many searches",
        PAGE_UP,
        user.answers(f"/history {SIZE} before:100", row(True, 99), Code.OK, "", said(99)),
        "line 99",
    )


def test_nobody_who_is_ignored_is_read(user: User) -> None:
    """Their lines are in no page, and answers name whom they answer."""
    reply = said(99, "yes", "eve", person=EVE)._replace(extra=extra_row(Extra.REPLY_TO, 98))
    play(
        user,
        b"/ignore mallory\r",
        user.answers("/ignore mallory", "", Code.OK, "hidden"),
        user.answers("/ignored", json.dumps([[77, "mallory"]])),
        PAGE_UP,
        user.answers(
            f"/history {SIZE} before:100",
            row(True, 97),
            Code.OK,
            "",
            said(97, "spam", "mallory", person=77),
            said(98, "well?"),
            reply,
        ),
        "looking back: 2 earlier lines",
        "yes (to bob)",
        Absent("spam"),
    )


# --- /grep --------------------------------------------------------------------------------------------


def found(user: User, more: bool = False) -> Step:
    lines = [tea(50, "exam today"), said(60, "no exam"), said(70, "exam room 4")]
    return user.answers("/grep exam", row(more, 50), Code.OK, "more: the same with before:50", *lines)


def test_lines_that_were_found_have_numbers(user: User) -> None:
    """The latest is number 1 and stands last; the others of the page are behind the server's words."""
    play(
        user,
        b"/grep exam\r",
        found(user, True),
        "-- /grep exam: 3 lines",
        "bob 3. #tea exam today",
        "bob 2. no exam",
        "bob 1. exam room 4",
        f"-- /grep {HOW_TO_STEP}",
        "more: the same with before:50",
    )


def test_nobody_who_is_ignored_is_found(user: User) -> None:
    """Neither their lines nor those around the others are shown or counted."""
    spam = said(65, "exam spam", "mallory", person=77)
    play(
        user,
        b"/ignore mallory\r",
        user.answers("/ignore mallory", "", Code.OK, "hidden"),
        user.answers("/ignored", json.dumps([[77, "mallory"]])),
        b"/grep exam\r",
        user.answers("/grep exam", row(False, 0), Code.OK, "", said(60, "no exam"), spam),
        "-- /grep exam: 1 line",
        "bob 1. no exam",
        NEXT,
        user.answers("/context 60", "", Code.OK, "", said(60, "no exam"), spam),
        "found 1 of 1",
        "end of what was found",
        Absent("spam"),
    )


def test_context_takes_the_numbers_on_the_screen(user: User) -> None:
    """`/context 2` is the line with this number, which it has there, too; without a list it is a message."""
    play(
        user,
        b"/context 99\r",
        user.answers("/context 99", "", Code.OK, "", said(98, "early"), said(99, "that one")),
        "--------------------- around message 99",
        "bob early",
        "bob 99. that one",
        "--------------------- end of what is around message 99",
        b"/grep exam\r",
        found(user),
        "bob 1. exam room 4",
        b"/context 2\r",
        user.answers("/context 60", "", Code.OK, "", said(60, "no exam"), said(61, "after")),
        "--------------------- around line 2 of the list",
        "bob 2. no exam",
        "bob after",
        "--------------------- end of what is around line 2",
        b"/context 3. 5\r",
        user.answers("/context 50 5", "", Code.OK, "", tea(50, "exam today"), tea(51, "tea after")),
        "bob 3. #tea exam today",
        b"/context 9\r",
        "not sent: the list has the numbers 1 to 3, not 9",
    )


def test_a_key_goes_to_the_next(user: User) -> None:
    """With the lines around it; Alt-P goes back; at both ends the user is told."""
    play(
        user,
        NEXT,
        "nothing was looked for: /grep WORDS finds lines",
        b"/grep exam\r",
        found(user),
        HOW_TO_STEP,
        Absent("before:50"),
        BEFORE,
        "there is none before",
        NEXT,
        user.answers("/context 70", "", Code.OK, "", said(69, "around"), said(70, "exam room 4")),
        "--------------------- found 1 of 3",
        "bob around",
        "--------------------- end of what was found; Alt-N goes on",
        NEXT,
        user.answers("/context 60", "", Code.OK, "", said(60, "no exam"), said(61, "after")),
        "found 2 of 3",
        "bob after",
        NEXT,
        user.answers("/context 50", "", Code.OK, "", tea(50, "exam today"), tea(51, "tea after")),
        "found 3 of 3",
        "bob #tea tea after",
        NEXT,
        "there is no other one: that was the last",
        BEFORE,
        user.answers("/context 60", "", Code.OK, "", said(60, "no exam")),
        "found 2 of 3",
    )


def test_a_line_that_is_gone_meanwhile(user: User) -> None:
    """It is told, and the next key goes on."""
    play(
        user,
        b"/grep exam\r",
        found(user),
        HOW_TO_STEP,
        NEXT + NEXT,
        user.answers("/context 70", "", Code.NO_SUCH_MESSAGE, "you see no message 70"),
        "you see no message 70",
        NEXT,
        user.answers("/context 60", "", Code.OK, "", said(60, "no exam")),
        "found 2 of 3",
    )


def test_nothing_found(user: User) -> None:
    """Is said, and there is no next line."""
    play(
        user,
        b"/grep nowhere\r",
        user.answers("/grep nowhere", row(False, 0), Code.OK, "that is all"),
        "-- /grep nothing found; only whole words are looked for",
        Absent("that is all"),
        NEXT,
        "nothing was looked for",
        b"/grep\r",
        user.answers("/grep", "", Code.BAD_ARGUMENTS, "/grep WORDS"),
        "-- /grep WORDS",
    )


def test_another_search_begins_anew(user: User) -> None:
    """What comes late of the one before is not shown."""
    play(
        user,
        b"/grep exam\r",
        found(user),
        HOW_TO_STEP,
        NEXT,
        b"/grep room\r",
        user.answers("/context 70", "", Code.NO_SUCH_MESSAGE, "you see no message 70"),
        user.answers("/grep room", row(False, 70), Code.OK, "", said(70, "exam room 4")),
        "/grep room: 1 line",
        "bob 1. exam room 4",
        NEXT,
        user.answers("/context 70", "", Code.OK, "", said(70, "exam room 4")),
        "found 1 of 1",
        Absent("Alt-N goes on"),
    )


# --- answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "page"),
    [
        ('[{"place": 1, "more": true, "before": 7}]', Page(True, 7)),
        ('[{"place": 1, "more": false, "before": 7}]', Page(False, 7)),
        ('[{"more": true}]', Page(False, 0)),
        ('[{"more": true, "before": -1}]', Page(False, 0)),
        ('[{"before": "x"}]', Page(False, 0)),
        ("[1]", Page(False, 0)),
        ("[]", Page(False, 0)),
        ("", Page(False, 0)),
        ("{", Page(False, 0)),
    ],
)
def test_odd_rows(rows: str, page: Page) -> None:
    """A server of another version may tell anything: then there is no other page."""
    assert page_of(Answer(1, Code.OK, "", rows)) == page
