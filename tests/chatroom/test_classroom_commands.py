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
        ("/vote 1", (1,)),
        (f"/vote {MAX_OPTIONS}", (MAX_OPTIONS,)),
        (f"/vote {MAX_OPTIONS + 1}", Code.BAD_ARGUMENTS),
        ("/vote 0", Code.BAD_ARGUMENTS),
        ("/vote ²", Code.BAD_ARGUMENTS),
        ("/vote " + "9" * 5000, Code.BAD_ARGUMENTS),
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
    world.act(BOB_HERE, "/vote", 2, channel="#tea")
    assert ask(world, "/poll", BOB).rows == ("Tea?", ("yes", "no"), 2)
    assert ask(world, "/poll", ANN).rows == ("Tea?", ("yes", "no"), 0, 1)


def test_a_channel_that_has_just_ended() -> None:
    """It may end between the look of the dispatcher and that of the command."""
    for text in ("/hands", "/poll"):
        command, desk, gone = COMMANDS[text], FakeDesk(), Asker(1, "#gone")
        if command.look is not None:
            outcome: object = command.look(Room(desk.state, {}), gone, "")
        else:
            assert command.prepare is not None
            outcome = command.prepare(desk, gone, "")
        assert outcome == Outcome(Code.NO_SUCH_CHANNEL, ("#gone",))
