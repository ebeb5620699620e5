"""Commands of the classroom: what they make of their arguments, and what they show."""

from __future__ import annotations

import pytest

from chatroom.acts import ACTS
from chatroom.commands import COMMANDS, Permitted, run
from chatroom.desk import Asker, Prepared, Room
from chatroom.limits import MAX_OPTIONS, MAX_POLL, MAX_QUESTION
from chatroom.outcomes import Code, Outcome
from tests.chatroom.test_preparing import FakeDesk, prepare
from tests.chatroom.world import Visit, World

ANN, BOB = Asker(1, "#tea"), Asker(2, "#tea")
ANN_HERE, BOB_HERE = Visit(1, "key1"), Visit(2, "key2")


@pytest.fixture
def world() -> World:
    """ann, person 1, owns #tea; bob, person 2, is in, too."""
    world = World()
    for name in ("ann", "bob"):
        world.act(world.enter(name), "/join", "#tea", "")
    return world


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("/hand", (1,)),
        ("/hand Down", (0,)),
        ("/hand up", Code.BAD_ARGUMENTS),
        ("/next", ()),
        ("/next bob", Code.BAD_ARGUMENTS),
        ("/reveal", ()),
        ("/reveal it", Code.BAD_ARGUMENTS),
        ("/poll Tea?|yes |  no", ("Tea? | yes | no",)),
        ("/poll \x1bTea? | \u202eyes | no", ("␛Tea? | yes | no",)),
        ("/poll Tea?\n | yes | no", ("Tea? | yes | no",)),
        ("/poll Tea? | yes", Code.BAD_ARGUMENTS),
        ("/poll Tea? | yes |", Code.BAD_ARGUMENTS),
        ("/poll Tea? | yes | yes", Code.BAD_ARGUMENTS),
        ("/poll " + "|".join(map(str, range(MAX_OPTIONS + 2))), Code.BAD_ARGUMENTS),
        ("/poll " + "x" * MAX_POLL + "|1|2", Code.TOO_LONG),
        ("/poll " + "x" * (MAX_POLL - 8) + "|1|2", ("x" * (MAX_POLL - 8) + " | 1 | 2",)),
        ("/hand me me", Code.BAD_ARGUMENTS),
        ("/vote 1", (1, "")),
        (f"/vote {MAX_OPTIONS}", (MAX_OPTIONS, "")),
        (f"/vote {MAX_OPTIONS + 1}", Code.TOO_LATE),
        ("/vote 0", Code.TOO_LATE),
        ("/vote yes", Code.TOO_LATE),
        ("/ask why?", ("why?",)),
        ("/ask", Code.BAD_ARGUMENTS),
        ("/ask \u200b", Code.BAD_ARGUMENTS),
        ("/ask " + "ü" * (MAX_QUESTION // 2), ("ü" * (MAX_QUESTION // 2),)),
        ("/ask " + "x" * (MAX_QUESTION + 1), Code.TOO_LONG),
    ],
)
def test_arguments(text: str, arguments: tuple[str | int, ...] | Code) -> None:
    """What is typed becomes the act's arguments, safe to show, or is refused."""
    prepared = prepare(FakeDesk(), text, ANN)
    if isinstance(prepared, Outcome):
        assert prepared.code == arguments
        return
    assert isinstance(prepared, Prepared) and prepared.act.channel == "#tea"
    assert prepared.act.arguments == arguments and ACTS[prepared.act.command].fits(prepared.act.arguments)


def ask(world: World, text: str, asker: Asker) -> Outcome:
    """What a command shows."""
    outcome, desk = run(Room(world.state, {}), asker, text), FakeDesk()
    desk.state = world.state
    shown = prepare(desk, text, asker) if isinstance(outcome, Permitted) else outcome
    assert isinstance(shown, Outcome)
    return shown


def test_hands(world: World) -> None:
    """Who is called, and who waits, by their present names."""
    assert ask(world, "/hands", BOB) == Outcome(Code.OK, ("#tea", ""))
    for visit in (BOB_HERE, ANN_HERE):
        world.act(visit, "/hand", 1, channel="#tea")
    world.act(ANN_HERE, "/next", channel="#tea")
    world.act(BOB_HERE, "/nick", "Zoe", "zoe", "zoe")
    assert ask(world, "/hands", BOB) == Outcome(Code.OK, ("#tea", "Zoe", "ann"))
    assert ask(world, "/hands", Asker(3, "#tea")).code is Code.NOT_IN


def test_the_open_poll(world: World) -> None:
    """Each sees the own vote, and operators how many have voted; nobody sees more."""
    assert ask(world, "/poll", BOB) == Outcome(Code.OK)
    world.act(ANN_HERE, "/poll", "Tea? | yes | no", channel="#tea")
    world.act(BOB_HERE, "/vote", 2, "", channel="#tea")
    assert ask(world, "/poll", BOB).rows == ("Tea?", ("yes", "no"), 2)
    assert ask(world, "/poll", ANN).rows == ("Tea?", ("yes", "no"), 0, 1)


OPTIONS = "What? | Tea | tea leaves | no | not  yet | 10 | ＮＯＲ | \u1e9b\u0323 | ﷺ"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        *(("2", (2, "")), ("8", (8, "")), ("tea", (1, "Tea")), ("TEA ", (1, "Tea")), ("no", (3, "no"))),
        *(("tea l", (2, "tea leaves")), ("tea  LEAVES", (2, "tea leaves")), ("not", (4, "not  yet"))),
        *(("not yet", (4, "not  yet")), ("10", (5, "10")), ("nor", (6, "ＮＯＲ")), ("ｎｏｒ", (6, "ＮＯＲ"))),
        *(("ṩ", (7, "\u1e9b\u0323")), ("ﷺ", (8, "ﷺ")), ("صلى", (8, "ﷺ"))),
        ("te", Outcome(Code.BAD_ARGUMENTS, (8, "te", 1, 2))),
        ("n", Outcome(Code.BAD_ARGUMENTS, (8, "n", 3, 4, 6))),
        ("9", Outcome(Code.BAD_ARGUMENTS, (8, "9"))),
        ("0", Outcome(Code.BAD_ARGUMENTS, (8, "0"))),
        ("²", Outcome(Code.BAD_ARGUMENTS, (8, "²"))),
        ("1 2", Outcome(Code.BAD_ARGUMENTS, (8, "1 2"))),
        ("tea?", Outcome(Code.BAD_ARGUMENTS, (8, "tea?"))),
        ("\x1b[31mx", Outcome(Code.BAD_ARGUMENTS, (8, "␛[31mx"))),
        ("9" * 5000, Outcome(Code.BAD_ARGUMENTS, (8, "9" * 40))),
        ("a" + "\u0301" * 2000, Outcome(Code.BAD_ARGUMENTS, (8, "a" + "\u0301" * 39))),
    ],
)
def test_a_vote_by_text(world: World, typed: str, found: tuple[int, str] | Outcome) -> None:
    """By the text of an option, or its beginning if only one fits. Case, forms of letters and blanks make no
    difference. The number of an option is that option, whatever the others say."""
    world.act(ANN_HERE, "/poll", OPTIONS, channel="#tea")
    desk = FakeDesk()
    desk.state = world.state
    made = prepare(desk, f"/vote {typed}", BOB)
    assert (made.act.arguments if isinstance(made, Prepared) else made) == found
    if isinstance(made, Prepared):
        assert world.act(BOB_HERE, "/vote", *made.act.arguments, channel="#tea").code is Code.OK


def test_a_vote_by_a_long_text(world: World) -> None:
    """An option of any length, as it is; another text only as long as people type."""
    options = "Which? | " + " | ".join((long := "x" * 400 + "a", "x" * 400 + "b", "yes", "Yes"))
    world.act(ANN_HERE, "/poll", options, channel="#tea")
    desk = FakeDesk()
    desk.state = world.state
    for typed, found in ((long, (1, long)), ("yes", (3, "yes")), ("Yes", (4, "Yes"))):
        made = prepare(desk, f"/vote {typed}", BOB)
        assert isinstance(made, Prepared) and made.act.arguments == found
    refused = [prepare(desk, f"/vote {typed}", BOB) for typed in (long.upper(), "YES", "x" * 200)]
    assert [one.rows[2:] for one in refused if isinstance(one, Outcome)] == [(), (3, 4), (1, 2)]


def test_vote_alone_shows_the_poll(world: World) -> None:
    """As /poll does."""
    assert ask(world, "/vote", BOB) == Outcome(Code.OK)
    world.act(ANN_HERE, "/poll", "Tea? | yes | no", channel="#tea")
    assert ask(world, "/vote", BOB).rows == ("Tea?", ("yes", "no"), 0)
    assert ask(world, "/vote", ANN).rows == ("Tea?", ("yes", "no"), 0, 0)
    assert ask(world, "/vote", Asker(3, "#tea")).code is Code.NOT_IN


def test_a_channel_that_has_just_ended() -> None:
    """It may end between the look of the dispatcher and that of the command."""
    for text in ("/hands", "/poll", "/vote"):
        command, desk, gone = COMMANDS[text], FakeDesk(), Asker(1, "#gone")
        if command.look is not None:
            outcome: object = command.look(Room(desk.state, {}), gone, "")
        else:
            assert command.prepare is not None
            outcome = command.prepare(desk, gone, "")
        assert outcome == Outcome(Code.NO_SUCH_CHANNEL, ("#gone",))
