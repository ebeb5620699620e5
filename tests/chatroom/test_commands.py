"""Slash commands: the table, and their outcomes. The words are the doors' business."""

from __future__ import annotations

from typing import cast

import pytest

from chatroom.acts import ACTS
from chatroom.command import SlashCommand, acting
from chatroom.commands import COMMANDS, Permitted, find, name_of, run
from chatroom.desk import Asker, Desk, Room
from chatroom.help_page import EXAMPLES, GROUP_OF, GROUPS, Entry
from chatroom.limits import CHANNEL_BYTES, NAME_BYTES
from chatroom.names import check_channel
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from tests.chatroom.world import Visit, World
from tests.support.events import NOON

ANN = Asker(1, "#general")


@pytest.fixture
def world() -> World:
    """ann is person 1, in #general."""
    world = World()
    world.enter("ann")
    return world


def ask(world: World, text: str, asker: Asker = ANN) -> Outcome:
    outcome = run(Room(world.state, {"members": 1, "events": 7}), asker, text)
    assert isinstance(outcome, Outcome)
    return outcome


def listed(world: World, text: str = "/help", asker: Asker = ANN) -> list[str]:
    """The commands in the answer to /help."""
    return [Entry(*row).name for row in ask(world, text, asker).rows]


def test_help_lists_what_one_may_do(world: World) -> None:
    """/help has a row for each command that a member without an account may give, and none for programs."""
    names = listed(world)
    assert {"/help", "/who", "/stats", "/whois", "/register", "/grep", "/vote"} <= set(names)
    assert not {"/kick", "/close", "/passwd", "/code", "/read", "/device"} & set(names)
    assert len(set(names)) == len(names)


def test_help_follows_the_account(world: World) -> None:
    """Whoever has an account finds the commands for accounts."""
    world.act(world.enter("zoe"), "/register", "secret")
    names = listed(world, asker=Asker(2, "#general"))
    assert "/passwd" in names and "/register" not in names and "/kick" not in names


@pytest.mark.parametrize(
    ("place", "channel", "may"),
    [(0, "#tea", True), (1, "#general", True), (1, "#tea", False), (1, "@bob", False)],
)
def test_help_follows_the_role(world: World, place: int, channel: str, may: bool) -> None:
    """Whoever has a role finds its commands where it holds: in one channel, or everywhere."""
    world.enter("eve", "#tea")
    world.act(world.enter("zoe", "#general", "#tea"), "/register", "secret")
    world.state._rights.give(3, Role.OPERATOR, 1, place)
    assert ("/kick" in listed(world, asker=Asker(3, channel))) is may
    assert ("/announce" in listed(world, asker=Asker(3, channel))) is (place == 0)


def test_help_for_a_group(world: World) -> None:
    """/help with a group, or a word of its name, lists its commands."""
    assert listed(world, "/help looking back") == ["/history", "/grep", "/context"]
    assert listed(world, "/help account") == listed(world, "/help your account")
    assert listed(world, "/help moderation") == []
    assert {"/channels", "/topic"} <= set(listed(world, "/help channels"))
    assert listed(world, "/help /channels") == ["/channels"]
    assert listed(world, "/help back") == ["/back"]  # also a word of a group


def test_help_for_what_is_no_command(world: World) -> None:
    """A mistyped command is answered as anywhere."""
    assert ask(world, "/help jion") == Outcome(Code.NO_SUCH_COMMAND, ("/jion", "/join"))


def test_every_command_has_a_group_and_an_example() -> None:
    """The tables of /help have all commands and no others; an example begins with its command."""
    assert GROUP_OF.keys() == EXAMPLES.keys() == COMMANDS.keys()
    assert set(GROUP_OF.values()) <= {*GROUPS, ""}
    assert all(EXAMPLES[name].startswith(name) for name in COMMANDS)


@pytest.mark.parametrize("text", ["/help who", "/help /who", "/HELP WHO"])
def test_help_for_one_command(world: World, text: str) -> None:
    """/help with a command describes that command only, with or without its slash."""
    who = COMMANDS["/who"]
    assert who.usage == "/who [#CHANNEL]"
    row = (who.usage, who.help, "people", "/who #general", "/names /w", "")
    assert ask(world, text) == Outcome(Code.OK, (row,))


@pytest.mark.parametrize(("name", "who"), [("kick", "operators"), ("passwd", "accounts"), ("who", "")])
def test_help_tells_who_may(world: World, name: str, who: str) -> None:
    """/help with a command explains it, also to who may not give it, and tells who may."""
    assert [Entry(*row).who for row in ask(world, f"/help {name}").rows] == [who]


def test_who_lists_the_own_channel(world: World) -> None:
    """/who lists the members of the asker's channel, sorted without regard to case."""
    world.enter("Zoe"), world.enter("Bob"), world.enter("eve", "#quiet")
    names = [(name, "here") for name in ("ann", "Bob", "Zoe")]
    assert ask(world, "/who") == Outcome(Code.OK, ("#general", *names))
    assert ask(world, "/who", Asker(4, "#quiet")) == Outcome(Code.OK, ("#quiet", ("eve", "here")))
    assert ask(world, "/who quiet") == ask(world, "/who #quiet")
    assert ask(world, "/who #Quiet") == Outcome(Code.OK, ("#quiet", ("eve", "here")))
    assert ask(world, "/who #nowhere") == Outcome(Code.NO_SUCH_CHANNEL, ("#nowhere",))


@pytest.mark.parametrize("written", ["#straße", "#Straße", "#STRASSE", "#ＳＴＲＡＳＳＥ"])
def test_who_folds_a_channel_as_joining_does(world: World, written: str) -> None:
    """A channel is found however it is written, as in ADMIT."""
    world.enter("eve", check_channel("#Straße"))
    assert ask(world, f"/who {written}") == Outcome(Code.OK, ("#strasse", ("eve", "here")))


def test_who_of_what_is_no_channel(world: World) -> None:
    """A name that no channel can have is answered as it was typed (`#` is understood), but shortened."""
    assert ask(world, "/who General!") == Outcome(Code.NO_SUCH_CHANNEL, ("#General!",))
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
    """A channel of an account stays when the last member has left; nobody is in it. One of guests ends."""
    world.leave(world.enter("eve", "#quiet"))
    assert ask(world, "/who #quiet") == Outcome(Code.NO_SUCH_CHANNEL, ("#quiet",))
    eve = world.enter("eve", "#tea")
    world.act(eve, "/register", PASSWORD)
    world.act(eve, "/leave", "", channel="#tea")
    assert ask(world, "/who #tea") == Outcome(Code.OK, ("#tea",))


def test_stats_are_the_rooms_numbers(world: World) -> None:
    """/stats has a row for every number of the room, with its name."""
    assert ask(world, "/stats") == Outcome(Code.OK, (("members", 1), ("events", 7)))


PASSWORD = "scrypt$14$8$1$00$11"


def whois(world: World, text: str, asker: Asker = ANN) -> dict[str, object]:
    """The rows of /whois."""
    outcome = ask(world, text, asker)
    assert outcome.code is Code.OK
    return dict(cast(tuple[tuple[str, object], ...], outcome.rows))


def test_whois_of_a_guest(world: World) -> None:
    """/whois says of a member name, account, role, since when, whether encrypted, and with what software."""
    world.time += 1000
    world.come(world.ask("Bob", encrypted=True)[0])
    for written in ("bob", "BOB", "Ｂｏｂ"):
        assert whois(world, f"/whois {written}") == {
            "name": "Bob",
            "account": "",
            "role": "member",
            "phase": "here",
            "since": NOON + 1000,
            "encrypted": True,
            "software": ("program 2",),
            "person": 2,
        }


def test_whois_of_an_owner(world: World) -> None:
    """/whois names account and role; a member is encrypted when all its programs are."""
    bob, _ = world.ask("Bob", encrypted=True)
    world.come(bob)
    world.act(bob, "/register", PASSWORD)
    world.own("bob", "code")
    world.act(bob, "/owner", "code")
    found = whois(world, "/whois bob")
    assert (found["account"], found["role"], found["encrypted"]) == ("Bob", "owner", True)
    phone = world.enter("bob", proof=PASSWORD)
    found = whois(world, "/whois bob")
    assert (found["encrypted"], found["software"]) == (False, ("program 2", "program 3"))
    world.lose(phone)  # only the connections of now count
    assert whois(world, "/whois bob")["encrypted"] is True
    world.lose(bob)
    assert whois(world, "/whois bob")["phase"] == "lost"


def test_whois_of_oneself(world: World) -> None:
    """Addresses are shown to their owner only; without a name, /whois is about oneself."""
    world.enter("bob", address="192.0.2.7:1")
    bob = Asker(2, "#general")
    assert whois(world, "/whois", bob) == whois(world, "/whois bob", bob)
    assert whois(world, "/whois", bob)["addresses"] == ("192.0.2.7:1",)
    assert "addresses" not in whois(world, "/whois bob")


@pytest.mark.parametrize("name", ["nobody", "no such!", "e\u0301\u0323" * 30_000])
def test_whois_of_nobody(world: World, name: str) -> None:
    """Who is not in the chatroom is not found: neither who never was there, nor an owner that is out."""
    assert ask(world, f"/whois {name}") == Outcome(Code.NO_SUCH_NAME, (name[:NAME_BYTES],))
    eve = world.enter("eve")
    world.act(eve, "/register", PASSWORD)
    world.leave(eve)
    assert ask(world, "/whois eve") == Outcome(Code.NO_SUCH_NAME, ("eve",))


def test_sessions(world: World) -> None:
    """/sessions lists one's own programs with all that is known of them, and marks the one that asks."""
    eve, _ = world.ask("eve", address="192.0.2.7:1", encrypted=True)
    world.come(eve)
    world.act(eve, "/register", PASSWORD)
    world.act(eve, "/device", "token", "laptop")
    world.time += 1000
    phone = world.enter("eve", address="192.0.2.8:1", proof=PASSWORD)
    world.lose(phone)
    outcome = ask(world, "/sessions", Asker(2, "#general", world.origin(eve.origin)))
    assert outcome.rows == (
        (1, "here", True, True, NOON, "program 2", "192.0.2.7:1", "laptop"),
        (2, "lost", False, False, NOON + 1000, "program 3", "192.0.2.8:1", ""),
    )
    assert len(ask(world, "/sessions").rows) == 1  # of ann, who has one
    assert ask(world, "/sessions of eve") == Outcome(Code.BAD_ARGUMENTS)


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("/sessions", "/sessions", ""),
        ("/SESSIONS  End  2", "/sessions end", "2"),
        ("/sessions ends 2", "/sessions", "ends 2"),
        ("/sessions  2", "/sessions", "2"),
        ("/help sessions end", "/help", "sessions end"),
    ],
)
def test_a_command_of_two_words(text: str, name: str, rest: str) -> None:
    """The longer name is found first, however it is written."""
    command, found = find(text, COMMANDS | {"/sessions end": acting("/sessions end", "N", "end", prepare)})
    assert command is not None and (command.name, found) == (name, rest)


def prepare(_desk: Desk, _asker: Asker, _rest: str) -> Outcome:
    return Outcome(Code.OK)


def test_an_act_is_allowed_to_the_same_in_both_tables() -> None:
    """Who may give the command of an act stands in one table only: that of the acts."""
    command = acting("/op", "NAME", "make an operator", prepare)
    assert (command.needs, command.login) == (ACTS["/op"].needs, ACTS["/op"].login)


GUARDED = [command for command in COMMANDS.values() if command.needs > Role.MEMBER or command.login]
"""The commands of the table that not everybody may give: the test grows with the table."""


@pytest.mark.parametrize("command", GUARDED, ids=lambda command: command.name)
def test_a_command_is_refused_to_those_without_its_right(world: World, command: SlashCommand) -> None:
    """The dispatcher refuses it to a guest, by role before account, and does not let it be prepared."""
    code = Code.NEED_ROLE if command.needs > Role.MEMBER else Code.NEED_LOGIN
    outcome = run(Room(world.state, {}), ANN, f"{command.name} x")
    assert isinstance(outcome, Outcome) and (outcome.code, outcome.rows[0]) == (code, command.name)


def test_a_command_that_is_prepared(world: World) -> None:
    """The dispatcher returns a command that is to be prepared, to whom may give it."""
    table = {"/op": acting("/op", "NAME", "make an operator", prepare)}
    refused = run(Room(world.state, {}), ANN, "/op bob", table)
    assert refused == Outcome(Code.NEED_ROLE, ("/op", "owner"))
    world.act(Visit(1, "key1"), "/register", PASSWORD)
    world.own("ann", "code")
    world.act(Visit(1, "key1"), "/owner", "code")
    assert run(Room(world.state, {}), ANN, "/op bob", table) == Permitted(table["/op"], ANN, "bob")


def test_a_command_either_looks_or_is_prepared() -> None:
    """A command that does both, or neither, is a mistake in the table."""
    for look, made in ((None, None), (lambda _room, _asker, _rest: Outcome(Code.OK), prepare)):
        with pytest.raises(AssertionError, match="either"):
            SlashCommand("/x", "", "", look, made)


@pytest.mark.parametrize(
    ("text", "name"),
    [("/xyzzy", "/xyzzy"), ("/", "/"), ("", ""), ("no slash", "no"), ("/who2 x", "/who2")],
)
def test_what_is_no_command(world: World, text: str, name: str) -> None:
    """The outcome of an unknown command names it as it was typed; and the nearest one, if one is near."""
    nearest = "/who" if name == "/who2" else ""
    assert ask(world, text) == Outcome(Code.NO_SUCH_COMMAND, (name, nearest))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/jion", "/join"),
        ("/hlep", "/help"),
        ("/WOH", "/who"),
        ("/nmaes", "/names"),
        ("/sesions", "/sessions"),
        ("/xyzzy", ""),
    ],
)
def test_the_nearest_command(world: World, typed: str, meant: str) -> None:
    """A command that was mistyped is guessed; so is an alias. A word that is too long costs no time."""
    assert ask(world, f"{typed} #general").rows == (typed, meant)
    long = "/" + "who" * 10_000
    assert ask(world, long).rows == (long, "")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *[("/name", "/nick"), ("/rename", "/nick"), ("/users", "/who"), ("/people", "/who")],
        *[(f"/{word}", "/msg") for word in ("private", "dm", "pm", "whisper", "Tell")],
        *[("/block", "/ignore"), ("/correct", "/edit"), ("/search", "/grep"), ("/find", "/grep")],
    ],
)
def test_what_another_program_calls_it(world: World, typed: str, meant: str) -> None:
    """A command of other chats is answered with ours, which may have no letter of it. It is no alias."""
    assert ask(world, f"{typed} bob") == Outcome(Code.NO_SUCH_COMMAND, (typed, meant))
    assert ask(world, f"/help {typed}").rows == (typed, meant)


def test_an_alias_is_its_command(world: World) -> None:
    """An alias does what its command does, and has its words."""
    assert ask(world, "/names #general") == ask(world, "/who #general")
    assert ask(world, "/help names") == ask(world, "/help who")
    assert [name_of(f"{alias} x") for alias in ("/part", "/list", "/w")] == ["/leave", "/channels", "/who"]
    assert name_of("/NAMES #general") == "/who"


def test_aliases_are_not_ambiguous() -> None:
    """No alias is the name of a command, or the alias of another one."""
    names = [*COMMANDS, *(alias for command in COMMANDS.values() for alias in command.aliases)]
    assert len(set(names)) == len(names) and all(name.startswith("/") for name in names)


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

    table = {"/secret": SlashCommand("/secret", "", "for operators", secret, needs=needs)}
    outcome = run(Room(world.state, {}), ANN, "/secret  now ", table)
    assert (
        isinstance(outcome, Outcome) and outcome.code is code and ran == (["now"] if code is Code.OK else [])
    )
    assert code is Code.OK or outcome.rows == ("/secret", "operator")


def test_who_looks_at_no_more_than_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thousands with accounts who are in and out of the chatroom, /who looks at MAX_LISTED only."""
    world = World()
    world.enter("zoe")
    for number in range(6):
        visit = world.enter(f"out{number}")
        world.act(visit, "/register", "scrypt$14$8$1$00$11")
        world.leave(visit)
    looked: list[int] = []
    account_of = world.state.account_of

    def look(person: int) -> object:
        looked.append(person)
        return account_of(person)

    monkeypatch.setattr(world.state, "account_of", look)
    monkeypatch.setattr("chatroom.commands.MAX_LISTED", 3)
    outcome = run(Room(world.state, {}), Asker(1, "#general"), "/who")
    assert isinstance(outcome, Outcome)
    assert outcome.rows == ("#general", ("zoe", "here"), ("out0", "absent"), ("out1", "absent"))
    assert len(looked) == 2
