"""Channels in the state: who is in which, for how long, when a channel ends. World restores each state."""

from __future__ import annotations

import pytest

from chatroom.bounds import Limits
from chatroom.effects import End, Joined, Left
from chatroom.events import Event, EventKind, Extra, extra_rows
from chatroom.limits import HOLD_SECONDS, SESSION_SECONDS
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.proposals import Act, Proposal, ProposalKind
from tests.chatroom.world import Visit, World, admits, ends, events
from tests.support.blocks import reaches

PASSWORD = "scrypt$14$8$1$00$11"
DORA, EVE = Visit(1, "key1"), Visit(2, "key2")


@pytest.fixture
def world() -> World:
    """dora, person 1, has an account and owns #tea, place 2; eve, person 2, is a guest. Both are in."""
    return with_tea(World())


def with_tea(world: World) -> World:
    dora, eve = world.enter("dora"), world.enter("eve")
    world.act(dora, "/register", PASSWORD)
    for visit in (dora, eve):
        assert world.act(visit, "/join", "#tea", "").code is Code.OK
    return world


def names(world: World, person: int) -> list[str]:
    return sorted(channel.name for channel in world.state.channels_of(person))


def seen(world: World, person: int, since: int = 0) -> list[int]:
    """The seqs of events in #tea that a connection of the person gets which has seen all up to `since`."""
    tea = [event for event in world.log if 2 in (event.place, *event.places)]
    return [event.seq for event in tea if reaches(world.state.reach(person, since), event)]


def last(world: World) -> Event:
    return world.log[-1]


# --- joining and leaving ------------------------------------------------------------------------------------


def test_who_joins_gets_the_channel_before_its_own_joined(world: World) -> None:
    """All programs of the member are told, each from the seq before JOINED on."""
    phone, head = world.enter("dora", proof=PASSWORD), world.state.head
    world.act(phone, "/join", "#two", "")
    assert world.effects == [Joined(world.origin(one.origin), 3, head) for one in (DORA, phone)]
    assert world.log[-2][2:] == (
        EventKind.JOINED,
        "#two",
        "dora",
        "",
        0,
        1,
        3,
        b"\x02\x04dora\x0c\x01\x03",
        (),
    )


def test_joined_names_the_role_of_the_moment(world: World) -> None:
    """The one who founds is the owner; a role that was given or taken meanwhile is in the next JOINED."""
    extras = []
    for what in ("/voice", "/unvoice"):
        world.act(DORA, what, "eve", channel="#tea")
        world.act(EVE, "/leave", "", channel="#tea")
        world.act(EVE, "/join", "#tea", "")
        extras.append(last(world).extra)
    assert extras == [b"\x0c\x01\x01", b""]
    head = world.state.head
    world.leave(DORA)
    world.enter("dora", proof=PASSWORD)
    joined = [event for event in world.log if event.seq > head and event.kind is EventKind.JOINED]
    assert [(event.channel, event.extra) for event in joined] == [
        ("#general", b"\x02\x04dora"),
        ("#tea", b"\x02\x04dora\x0c\x01\x03"),
    ]


def test_who_leaves_gets_left_as_the_last_one(world: World) -> None:
    """All programs of the member are told, each up to the seq of LEFT. The stay ends with it."""
    phone = world.enter("dora", proof=PASSWORD)
    world.act(phone, "/leave", "bye", channel="#tea")
    head = world.state.head
    assert world.effects == [Left(world.origin(one.origin), 2, head) for one in (DORA, phone)]
    assert last(world)[2:] == (EventKind.LEFT, "#tea", "dora", "bye", 0, 1, 2, b"", ())
    world.say(EVE, 1, channel="#tea")
    assert seen(world, 1, 1)[-1] == head and seen(world, 1) == [] and seen(world, 2)[-1] == head + 1
    assert names(world, 1) == ["#general"]


def test_in_a_counted_channel_the_leavers_programs_are_told() -> None:
    """No event says who leaves, but a signal tells the member's own programs, which must know."""
    world = with_tea(World(Limits(counted_from=1)))
    assert world.state._channels.all[2].counted
    head = world.state.head
    world.act(EVE, "/leave", "bye", channel="#tea")
    signal = Event(0, world.time, EventKind.LEFT, "#tea", "eve", "bye", 0, 2, 2)
    assert world.state.head == head
    assert world.effects == [Left(world.origin(EVE.origin), 2, head, signal)]
    world.act(EVE, "/join", "#tea", "")
    assert world.state.head == head and names(world, 2) == ["#general", "#tea"]


def test_a_second_stay(world: World) -> None:
    """Who comes back reads all of a channel; while out, only what was said until it had left."""
    world.act(EVE, "/leave", "", channel="#tea")
    left = world.state.head
    world.say(DORA, 1, channel="#tea")
    assert seen(world, 2, 1)[-1] == left
    world.act(EVE, "/join", "#tea", "")
    assert left + 1 in seen(world, 2) and left + 1 in seen(world, 2, 1)


def test_from_joining(world: World) -> None:
    """With `history joined` who is in reads its own stays only; who has an account stays while it is out."""
    world.say(DORA, 1, channel="#tea")
    before = world.state.head
    carl = world.enter("carl")
    world.act(carl, "/join", "#tea", "")
    assert before in seen(world, 3)
    world.act(DORA, "/set", "history", "joined", channel="#tea")
    assert before not in seen(world, 3) and before in seen(world, 1)
    world.act(carl, "/leave", "", channel="#tea")
    world.say(EVE, 1, channel="#tea")
    between = world.state.head
    world.leave(DORA)
    world.say(EVE, 2, channel="#tea")
    meanwhile = world.state.head
    world.act(carl, "/join", "#tea", "")
    world.enter("dora", proof=PASSWORD)
    assert {between, meanwhile}.isdisjoint(seen(world, 3)) and {between, meanwhile} <= set(seen(world, 1))
    assert min(seen(world, 3)) == before + 2  # its first JOINED; JOINED of #general came before


def test_left_channels_are_forgotten() -> None:
    """Who founds channel after channel leaves nothing: of those that it has left, the latest are known."""
    world = World(Limits(left=2))
    ann = world.enter("ann")
    for number in range(5):
        world.act(ann, "/join", f"#c{number}", "")
        world.act(ann, "/leave", "", channel=f"#c{number}")
    kept = [record.key for record in world.kept() if record.kind == "membership"]
    assert kept == ["1 1", "1 5", "1 6"] and len(world.state.channels) == 1


# --- memberships of accounts --------------------------------------------------------------------------------


def test_an_account_stays_in(world: World) -> None:
    """After QUIT it is not here, and in all the same; its next session has its channels again."""
    world.say(DORA, 1, channel="#tea")
    world.leave(DORA)
    assert (last(world).kind, last(world).places) == (EventKind.QUIT, (1, 2))
    tea = world.state.channel("#tea")
    assert tea is not None and (list(tea.members), list(tea.absent)) == ([2], [1])
    assert world.state.is_in(1, 2) and world.state.channels_of(1) == []
    head = world.state.head
    world.say(EVE, 1, channel="#tea")
    dora = world.enter("dora", "#new", proof=PASSWORD)
    joined = [(event.kind, event.channel) for event in world.log[head + 1 :]]
    assert joined[:-1] == [(EventKind.JOINED, name) for name in ("#general", "#tea", "#new")]
    assert joined[-1] == (EventKind.AUDITED, "#new")
    assert names(world, 1) == ["#general", "#new", "#tea"] and head + 1 in seen(world, 1)
    assert not tea.absent and dora


def test_an_account_stays_in_without_a_session(world: World) -> None:
    """However long it is out, and although its sessions are forgotten; what it has left is forgotten then."""
    world.act(DORA, "/join", "#left", "")
    world.act(DORA, "/leave", "", channel="#left")
    world.say(DORA, 1)
    world.leave(DORA)
    world.tick(SESSION_SECONDS)
    assert world.phase(DORA) == "forgotten"
    kept = [record.key for record in world.kept() if record.kind == "membership"]
    assert [key for key in kept if key.startswith("1 ")] == ["1 1", "1 2"]
    world.enter("dora", "#tea", proof=PASSWORD)
    assert names(world, 1) == ["#general", "#tea"] and world.state.role(1, 2) is Role.OWNER


def test_a_guest_does_not(world: World) -> None:
    """A guest that comes back is in what it asks for."""
    world.say(EVE, 1)
    world.leave(EVE)
    world.enter("eve", known=EVE.session)
    assert names(world, 2) == ["#general"]


def test_who_gives_its_name_up_leaves_with_its_quit(world: World) -> None:
    """Without an account, the memberships end as a guest's do."""
    world.act(DORA, "/unregister", PASSWORD)
    world.leave(DORA)
    assert not world.state.is_in(1, 2)
    world.leave(EVE)
    assert world.state.channel("#tea") is None and world.state.channel("#general") is not None


def test_lasting_channels_count(world: World) -> None:
    """The channels of an account that comes count as those of a member."""
    world = with_tea(World(Limits(channels=3)))
    world.act(DORA, "/join", "#two", "")
    assert world.act(DORA, "/join", "#three", "") == Outcome(Code.TOO_MANY, ("#three",))
    world.leave(DORA)
    visit, _ = world.ask("dora", proof=PASSWORD)
    assert ends(world.come(visit, "#three")) == [End(world.origin(visit.origin), Code.TOO_MANY)]
    assert admits(world.come(world.ask("dora", proof=PASSWORD)[0], "#tea"))


# --- the end of a channel -----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["leave", "quit", "hold", "moved away"])
def test_a_channel_of_guests_ends_with_its_last_member(world: World, way: str) -> None:
    """However the last one goes, channel and lists go, too; the next of that name is another place."""
    world.act(EVE, "/join", "#guests", "")
    world.act(EVE, "/voice", "dora", channel="#guests")
    if way == "leave":
        world.act(EVE, "/leave", "", channel="#guests")
    elif way == "quit":
        world.leave(EVE)
    elif way == "hold":
        world.lose(EVE)
        assert world.state.channel("#guests") is not None
        world.tick(HOLD_SECONDS)
    else:
        world.act(EVE, "/move", "#other", channel="#guests")
        world.act(EVE, "/leave", "", channel="#other")
    assert world.state.channel("#guests") is None and world.state.channel_at(3) is None
    kept = {(record.kind, record.key) for record in world.kept()}
    assert ("channel", "3") not in kept and not [key for _, key in kept if key.startswith("3 ")]
    world.act(DORA, "/join", "#guests", "")
    assert world.state.channel_at(4) is not None


def test_a_channel_stays_while_an_account_is_in(world: World) -> None:
    """A guest's channel does not end while somebody with an account is in, though out at the moment."""
    world.act(EVE, "/join", "#guests", "")
    world.act(DORA, "/join", "#guests", "")
    world.leave(EVE)
    world.leave(DORA)
    assert world.state.channel("#guests") is not None
    dora = world.enter("dora", proof=PASSWORD)
    world.act(dora, "/leave", "", channel="#guests")
    assert world.state.channel("#guests") is None


def test_a_channel_of_an_account_stays(world: World) -> None:
    """It is found again when all have left, until its owner is no account any more, and is forgotten."""
    for visit in (DORA, EVE):
        world.act(visit, "/leave", "", channel="#tea")
    assert world.state.channel("#tea") is not None
    world.act(EVE, "/join", "#tea", "")
    world.act(EVE, "/leave", "", channel="#tea")
    world.act(DORA, "/unregister", PASSWORD)
    assert world.state.channel("#tea") is not None
    world.leave(DORA)
    assert world.state.channel("#tea") is None


def test_a_founder_that_registers_later(world: World) -> None:
    """A channel is an account's as soon as its owner has one."""
    world.act(EVE, "/join", "#guests", "")
    world.act(EVE, "/register", PASSWORD)
    world.act(EVE, "/leave", "", channel="#guests")
    assert world.state.channel("#guests") is not None


def test_nobody_founds_channel_after_channel() -> None:
    """What an account owns stays without it: so it owns few. Closing or giving one away makes room."""
    world = with_tea(World(Limits(owned=2)))
    assert world.act(DORA, "/join", "#a", "").code is Code.OK
    world.act(DORA, "/leave", "", channel="#a")
    assert world.act(DORA, "/join", "#b", "") == Outcome(Code.TOO_MANY, ("#b",))
    assert world.act(DORA, "/join", "#a", "").code is Code.OK  # it is there already
    assert world.act(EVE, "/join", "#c", "").code is Code.OK
    world.act(DORA, "/close", "", channel="#a")
    assert world.act(DORA, "/join", "#b", "").code is Code.OK
    world.leave(DORA)
    visit, _ = world.ask("dora", proof=PASSWORD)
    assert [one.code for one in ends(world.come(visit, "#d")) if isinstance(one, End)] == [Code.TOO_MANY]


def test_nobody_owns_the_default_channel(world: World) -> None:
    """Whoever comes first into an empty chatroom is a member of #general like others; it never ends."""
    assert world.state.role(1, 1) is world.state.role(2, 1) is Role.MEMBER
    world = World()
    world.leave(world.enter("ann"))
    general = world.state.channel("#general")
    assert general is not None and general.kept


def test_closed_with_members_that_are_out(world: World) -> None:
    """All stays end with CLOSED, also those of accounts that are out."""
    world.leave(DORA)
    world.act(world.enter("dora", "#general", proof=PASSWORD), "/transfer", "eve", channel="#tea")
    world.leave(Visit(3, "key3"))
    world.act(EVE, "/close", "", channel="#tea")
    closed = world.state.head
    assert world.effects == [Left(world.origin(EVE.origin), 2, closed)]
    assert not world.state.is_in(1, 2) and not world.state.is_in(2, 2)
    world.enter("dora", proof=PASSWORD)
    assert names(world, 1) == ["#general"] and seen(world, 1, 1)[-1] == closed


def test_an_owner_who_is_out_is_named(world: World) -> None:
    """Whoever runs the chatroom gives the channel of a guest who has left to somebody: LISTED names both."""
    world.act(EVE, "/join", "#cake", "")
    world.act(DORA, "/join", "#cake", "")
    world.say(EVE, 1)
    world.leave(EVE)
    world.own("dora", "code")
    assert world.act(DORA, "/owner", "code").code is Code.OK
    assert world.act(DORA, "/transfer", "dora", channel="#cake").code is Code.OK
    listed = [extra_rows(event.extra) for event in world.log if event.kind is EventKind.LISTED]
    assert [rows[Extra.TARGET_NAME] for rows in listed][1:] == [b"dora", b"eve"]


def test_all_are_told_of_the_end_in_one_order(world: World) -> None:
    """The order in which members came is forgotten at a start: CLOSED does not depend on it."""
    world.act(DORA, "/leave", "", channel="#tea")
    world.act(DORA, "/join", "#tea", "")  # she is the last one now
    world.act(DORA, "/close", "", channel="#tea")
    assert [effect.origin[2] for effect in world.effects if isinstance(effect, Left)] == [1, 2]


# --- within one entry ---------------------------------------------------------------------------------------


def test_founded_and_over_within_one_entry(world: World) -> None:
    """A channel that is founded and left in one entry leaves no record, and numbers that rise."""

    def act(command: str, *arguments: str) -> Proposal:
        return Proposal(EVE.origin, 7, ProposalKind.ACT, Act(command, "#two", arguments))

    applied = world.apply(act("/join", "#two", ""), act("/leave", ""), act("/join", "#two", ""))
    kinds = [event.kind for event in events(applied)]
    founded = [EventKind.JOINED, EventKind.AUDITED]
    assert kinds == [*founded, EventKind.LEFT, *founded]
    assert [effect for effect in applied.effects if isinstance(effect, Joined | Left)] == [
        Joined(world.origin(2), 3, world.state.head - 5),
        Left(world.origin(2), 3, world.state.head - 2),
        Joined(world.origin(2), 4, world.state.head - 2),
    ]
    assert world.state.channel_at(3) is None


def test_nobody_takes_the_default_channel() -> None:
    """While it is not there yet, or not any more, nobody gives its name to a channel that they own."""
    world = World()
    eve = world.enter("eve", "#own")
    assert world.state.channel("#general") is None
    assert world.act(eve, "/move", "#general", channel="#own").code is Code.NAME_TAKEN
    world.act(eve, "/join", "#general", "")
    assert world.state.role(1, world.state.channels_of(1)[-1].place) is Role.MEMBER


def test_an_owner_of_the_chatroom_gives_that_name(world: World) -> None:
    """Who has moved the default channel can move it back."""
    world.own("", "code")
    assert world.act(DORA, "/owner", "code").code is Code.OK
    assert world.act(DORA, "/move", "#old").code is Code.OK
    assert world.act(DORA, "/move", "#general", channel="#old").code is Code.OK


def test_lists_of_one_network_are_bounded() -> None:
    """One address cannot fill the lists of all: what counts is from where the channels were founded."""
    world = World(Limits(listed_of_network=3, listed=100))
    ann, bob = world.enter("ann", address="1.1.1.1"), world.enter("bob", address="2.2.2.2")
    for name in ("#a", "#b"):  # each has its owner on a list
        world.act(ann, "/join", name, "")
    assert world.act(ann, "/voice", "bob", channel="#a").code is Code.OK
    assert world.act(ann, "/voice", "bob", channel="#b").code is Code.FULL
    world.act(bob, "/join", "#c", "")
    assert world.act(bob, "/voice", "ann", channel="#c").code is Code.OK
    assert world.act(ann, "/close", "", channel="#a").code is Code.OK
    assert world.act(ann, "/voice", "bob", channel="#b").code is Code.OK
