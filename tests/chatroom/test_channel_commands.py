"""Commands of channels: what they make of their arguments, and what they show."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.acts import ACTS
from chatroom.channel_commands import CHANNEL_COMMANDS
from chatroom.commands import COMMANDS, Permitted, run
from chatroom.desk import Asker, Prepared, Room
from chatroom.limits import CHANNEL_BYTES, KEY_BYTES, LISTED_BYTES, MAX_REASON, MAX_TOPIC
from chatroom.outcomes import Code, Outcome
from chatroom.passwords import channel_secret
from chatroom.proposals import Act, Enter, Proposal, ProposalKind
from tests.chatroom.test_preparing import FakeDesk, prepare
from tests.chatroom.world import World
from tests.support.events import NOON

ANN = Asker(1, "#general")


@pytest.fixture
def world() -> World:
    """ann, person 1, owns #tea; bob, person 2, is in #general only."""
    world = World()
    ann = world.enter("ann")
    world.act(ann, "/join", "#tea", "")
    world.enter("bob")
    return world


def ask(world: World, text: str, asker: Asker = ANN) -> Outcome:
    outcome = run(Room(world.state, {}), asker, text)
    assert isinstance(outcome, Outcome)
    return outcome


def act(text: str, channel: str = "#general") -> tuple[str | int, ...] | Code:
    """The arguments of the act that a command makes, or why it is refused."""
    prepared = prepare(FakeDesk(), text, ANN._replace(channel=channel))
    if isinstance(prepared, Outcome):
        return prepared.code
    assert prepared.act.command in text and prepared.act.channel == channel and not prepared.told
    assert ACTS[prepared.act.command].fits(prepared.act.arguments)
    return prepared.act.arguments


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("/join #Straße", ("#strasse", "")),
        ("/join #tea sesame", ("#tea", channel_secret("sesame"))),
        ("/join", Code.BAD_ARGUMENTS),
        ("/join #tea a b", Code.BAD_ARGUMENTS),
        ("/join -tea", Code.BAD_NAME),
        ("/join #" + "x" * CHANNEL_BYTES, Code.BAD_NAME),
        ("/join #tea " + "ä" * KEY_BYTES, Code.BAD_ARGUMENTS),
        ("/leave", ("",)),
        ("/leave so\tlong \x1b[31m", ("so    long ␛[31m",)),
        ("/leave " + "x" * (MAX_REASON + 1), Code.TOO_LONG),
        ("/topic Earl Grey", ("Earl Grey",)),
        ("/topic -", ("",)),
        ("/topic " + "ä" * (MAX_TOPIC // 2), ("ä" * (MAX_TOPIC // 2),)),
        ("/topic " + "ä" * (MAX_TOPIC // 2 + 1), Code.TOO_LONG),
        ("/set Moderated ON", ("moderated", "on")),
        ("/set key Sesame", ("key", channel_secret("Sesame"))),
        ("/set key Off", ("key", "off")),
        ("/set key", Code.BAD_ARGUMENTS),
        ("/set nothing on", Code.BAD_ARGUMENTS),
        ("/invite Bob", ("bob",)),
        ("/invite Bob Carl", Code.BAD_NAME),
        ("/voice", Code.BAD_ARGUMENTS),
        ("/move #New", ("#new",)),
        ("/move", Code.BAD_ARGUMENTS),
        ("/close", ("",)),
    ],
)
def test_what_becomes_of_arguments(text: str, arguments: tuple[str, ...] | Code) -> None:
    """Names as joining writes them, keys as what is stored of them, texts without what drives a terminal."""
    assert act(text) == arguments


@given(st.sampled_from([one.name for one in CHANNEL_COMMANDS if one.prepare]), st.text(max_size=30))
def test_whatever_stands_there(name: str, rest: str) -> None:
    """Every argument makes an act that fits, or a refusal."""
    outcome = act(f"{name} {rest}")
    assert isinstance(outcome, tuple | Code)


def test_guesses_of_keys_are_counted(world: World) -> None:
    """By channel and person, right or wrong as things are; without a key nothing is guessed."""
    desk = FakeDesk()
    desk.state = world.state
    channel = world.state.channel("#tea")
    assert channel is not None
    channel.key = channel_secret("sesame")
    for text in ("/join #tea", "/join #tea sesame", "/join #tea Sesame", "/join #other sesame"):
        assert isinstance(prepare(desk, text, ANN), Prepared)
    assert desk.asked == [
        ("guess", "#tea 1", True),
        ("guess", "#tea 1", False),
        ("guess", "#other 1", True),
    ]
    desk.busy = True
    assert prepare(desk, "/join #tea sesame", ANN) == Outcome(Code.SLOW_DOWN, (7,))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("/join #tea", False),
        ("/join #tea key", True),
        ("/set key word", True),
        ("/set KEY word", True),
        ("/set key off", False),
        ("/set", False),
        ("/set moderated on", False),
        ("/topic key word", False),
    ],
)
def test_what_is_secret(text: str, secret: bool) -> None:
    """A command with a key must not be logged, or cross a network unencrypted; others may."""
    name, _, rest = text.partition(" ")
    assert COMMANDS[name].is_secret(rest) is secret


# --- the channel in which a command acts --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "channel", "rest"),
    [
        ("/topic", "#tea", ""),
        ("/topic x", "#tea", "x"),
        ("/topic #Other  x y", "#other", "x y"),
        ("/close #other", "#other", ""),
        ("/move #other", "#tea", "#other"),
    ],
)
def test_a_channel_before_the_arguments(world: World, text: str, channel: str, rest: str) -> None:
    """It is the one in which the command acts, unless it is an argument of the command."""
    owner = world.enter("zoe")
    world.act(owner, "/register", "secret")
    world.own("", "code")
    world.act(owner, "/owner", "code")
    world.act(owner, "/join", "#other", "")
    found = run(Room(world.state, {}), Asker(3, "#tea"), text)
    assert isinstance(found, Permitted) and (found.asker.channel, found.rest) == (channel, rest)


def test_who_may_not(world: World) -> None:
    """No such channel, not in, no role: each is said before anything is prepared."""
    bob = Asker(2, "#tea")
    assert ask(world, "/topic x", bob) == Outcome(Code.NOT_IN, ("#tea",))
    assert ask(world, "/topic #None x", bob) == Outcome(Code.NO_SUCH_CHANNEL, ("#none",))
    assert ask(world, "/topic x", bob._replace(channel="@ann")) == Outcome(Code.NO_SUCH_CHANNEL, ("@ann",))
    assert ask(world, "/set", bob._replace(channel="#general")) == Outcome(
        Code.NEED_ROLE, ("/set", "operator")
    )


# --- what is shown ------------------------------------------------------------------------------------------


def test_topic_and_settings_are_shown(world: World) -> None:
    """/topic alone shows topic, author, time; /set alone all settings, and whether there is a key."""
    desk = FakeDesk()
    desk.state = world.state
    tea = ANN._replace(channel="#tea")
    assert prepare(desk, "/topic", tea) == Outcome(Code.OK, ("", "", 0))
    ann = next(iter(world.state.members[1].sessions.values()))
    assert ann.at is not None
    world.propose(ann.at[2], 7, Act("/topic", "#tea", ("Earl Grey",)), 1)  # type: ignore[arg-type]
    assert prepare(desk, "/topic", tea) == Outcome(Code.OK, ("Earl Grey", "ann", NOON))
    assert prepare(desk, "/set", tea) == Outcome(
        Code.OK,
        (
            *(("key", "off"), ("invite-only", "off"), ("moderated", "off"), ("history", "all")),
            *(("kept", "off"), ("slow", "off")),
        ),
    )
    gone = ANN._replace(channel="#gone")
    for text in ("/topic", "/set"):
        assert prepare(desk, text, gone) == Outcome(Code.NO_SUCH_CHANNEL, ("#gone",))


def test_channels_are_listed_as_far_as_they_fit() -> None:
    """The largest first; the last row is the number of the others. All fits into one answer."""
    world, topic, proposals = World(), "x" * MAX_TOPIC, list[Proposal]()
    for number in range(60):
        visit, names = world.ask(f"m{number}")[0], (f"#{number}-0", f"#{number}-1")
        proposals.append(Proposal(visit.origin, 0, ProposalKind.ENTER, Enter(visit.session, names)))
        for name in names:
            proposals.append(Proposal(visit.origin, 7, ProposalKind.ACT, Act("/topic", name, (topic,))))
    world.apply(*proposals)  # in one entry: after each the world looks at all that there is
    *rows, more = ask(world, "/channels", Asker(1, "#0-0")).rows
    assert isinstance(more, int) and len(rows) + more == 120
    assert len(json.dumps(rows)) < 1.2 * LISTED_BYTES
    world.enter("late", "#59-1")
    assert ask(world, "/channels").rows[0] == ("#59-1", 2, "x" * MAX_TOPIC, 0, False)
