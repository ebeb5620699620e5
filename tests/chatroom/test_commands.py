"""Slash commands: the table, and their outcomes. The words are the doors' business."""

from __future__ import annotations

import pytest

from chatroom.commands import COMMANDS, Asker, Room, SlashCommand, name_of, run
from chatroom.limits import CHANNEL_BYTES
from chatroom.names import check_channel
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from tests.chatroom.world import World

ANN = Asker(1, "#general")


@pytest.fixture
def world() -> World:
    """ann is person 1, in #general."""
    world = World()
    world.enter("ann")
    return world


def ask(world: World, text: str, asker: Asker = ANN) -> Outcome:
    return run(Room(world.state, {"members": 1, "events": 7}), asker, text)


def test_help_lists_every_command(world: World) -> None:
    """/help has one row for each command of the table, with its arguments and its purpose."""
    rows = tuple((command.usage, command.help) for command in COMMANDS.values())
    assert ask(world, "/help") == Outcome(Code.OK, rows)
    assert {"/help", "/who", "/stats"} == set(COMMANDS)


@pytest.mark.parametrize("text", ["/help who", "/help /who", "/HELP WHO"])
def test_help_for_one_command(world: World, text: str) -> None:
    """/help with a command describes that command only, with or without its slash."""
    who = COMMANDS["/who"]
    assert who.usage == "/who [#CHANNEL]"
    assert ask(world, text) == Outcome(Code.OK, ((who.usage, who.help),))


def test_who_lists_the_own_channel(world: World) -> None:
    """/who lists the members of the asker's channel, sorted without regard to case."""
    world.enter("Zoe"), world.enter("Bob"), world.enter("eve", "#quiet")
    names = [(name, "here") for name in ("ann", "Bob", "Zoe")]
    assert ask(world, "/who") == Outcome(Code.OK, ("#general", *names))
    assert ask(world, "/who", Asker(4, "#quiet")) == Outcome(Code.OK, ("#quiet", ("eve", "here")))
    assert ask(world, "/who #Quiet") == Outcome(Code.OK, ("#quiet", ("eve", "here")))
    assert ask(world, "/who #nowhere") == Outcome(Code.NO_SUCH_CHANNEL, ("#nowhere",))


@pytest.mark.parametrize("written", ["#straße", "#Straße", "#STRASSE", "#ＳＴＲＡＳＳＥ"])
def test_who_folds_a_channel_as_joining_does(world: World, written: str) -> None:
    """A channel is found however it is written, as in ADMIT."""
    world.enter("eve", check_channel("#Straße"))
    assert ask(world, f"/who {written}") == Outcome(Code.OK, ("#strasse", ("eve", "here")))


def test_who_of_what_is_no_channel(world: World) -> None:
    """A name that no channel can have is answered as it was typed, but shortened."""
    assert ask(world, "/who General!") == Outcome(Code.NO_SUCH_CHANNEL, ("General!",))
    marks = "#" + "\u0301\u0323" * 20_000  # to normalise this would take seconds
    assert ask(world, f"/who {marks}") == Outcome(Code.NO_SUCH_CHANNEL, (marks[:CHANNEL_BYTES],))


def test_who_tells_whose_connection_is_lost(world: World) -> None:
    """/who lists a member whose connection broke as lost, as long as it may come back."""
    world.lose(world.enter("bob"))
    assert ask(world, "/who").rows == ("#general", ("ann", "here"), ("bob", "lost"))
    world.tick(90)
    assert ask(world, "/who").rows == ("#general", ("ann", "here"))


def test_who_lists_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large channel those are listed that came first, and the others are counted."""
    monkeypatch.setattr("chatroom.commands.MAX_LISTED", 3)
    world.enter("Zoe"), world.enter("Bob")
    names = [(name, "here") for name in ("ann", "Bob", "Zoe")]
    assert ask(world, "/who") == Outcome(Code.OK, ("#general", *names))
    world.enter("adam"), world.enter("eve")
    assert ask(world, "/who") == Outcome(Code.OK, ("#general", *names, 2))


def test_who_of_a_channel_that_all_have_left(world: World) -> None:
    """A channel stays when the last member has left; nobody is in it."""
    world.leave(world.enter("eve", "#quiet"))
    assert ask(world, "/who #quiet") == Outcome(Code.OK, ("#quiet",))


def test_stats_are_the_rooms_numbers(world: World) -> None:
    """/stats has a row for every number of the room, with its name."""
    assert ask(world, "/stats") == Outcome(Code.OK, (("members", 1), ("events", 7)))


@pytest.mark.parametrize(
    ("text", "name"),
    [("/nothing", "/nothing"), ("/", "/"), ("", ""), ("no slash", "no"), ("/who2 x", "/who2")],
)
def test_what_is_no_command(world: World, text: str, name: str) -> None:
    """The outcome of an unknown command names it as it was typed."""
    assert ask(world, text) == Outcome(Code.NO_SUCH_COMMAND, (name,))


def test_the_name_of_a_command() -> None:
    """Doors find their words by the command's name, in lower case."""
    assert [name_of(text) for text in ("/WHO #General", "/who", "")] == ["/who", "/who", ""]


@pytest.mark.parametrize(("needs", "code"), [(Role.MEMBER, Code.OK), (Role.OPERATOR, Code.NEED_ROLE)])
def test_the_dispatcher_checks_the_role(world: World, needs: Role, code: Code) -> None:
    """A command that needs a role is not run for others: no command has to check it."""
    ran: list[str] = []

    def secret(_room: Room, _asker: Asker, rest: str) -> Outcome:
        ran.append(rest)
        return Outcome(Code.OK)

    table = {"/secret": SlashCommand("/secret", "", "for operators", secret, needs)}
    outcome = run(Room(world.state, {}), ANN, "/secret  now ", table)
    assert outcome.code is code and ran == (["now"] if code is Code.OK else [])
    assert code is Code.OK or outcome.rows == ("/secret", "operator")
