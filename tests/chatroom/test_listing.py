"""The list of channels, as each person may see it."""

from __future__ import annotations

from typing import Any

import pytest

from chatroom import listing
from chatroom.commands import run
from chatroom.desk import Asker, Room
from chatroom.packets import Role
from tests.chatroom.world import World


@pytest.fixture
def world() -> World:
    """Person 1 owns #big, #tea and the hidden #den; 2 is in #big; 3 is invited to #den."""
    world = World()
    ann, bob, _ = world.enter("ann"), world.enter("bob"), world.enter("zoe")
    for name in ("#big", "#tea", "#den"):
        world.act(ann, "/join", name, "")
    world.act(bob, "/join", "#big", "")
    world.act(ann, "/set", "invite-only", "on", channel="#den")
    world.act(ann, "/invite", "zoe", channel="#den")
    return world


def shown(world: World, person: int) -> tuple[list[str], int]:
    channels, number = world.state.shown_to(person)
    return [channel.name for channel in channels], number


def test_a_hidden_channel_is_listed_for_those_who_may_join(world: World) -> None:
    """Its members, the invited and operators of the chatroom see it; the largest come first."""
    assert shown(world, 1) == shown(world, 3) == (["#general", "#big", "#den", "#tea"], 4)
    assert shown(world, 2) == (["#general", "#big", "#tea"], 3)
    world.state._rights.give(2, Role.OPERATOR, 0)
    assert shown(world, 2) == (["#general", "#big", "#den", "#tea"], 4)


def test_it_is_what_the_state_shows_after_each_change(world: World) -> None:
    """An entry changes it; the rules are those of `State.shows`."""
    ida = world.enter("ida")
    person = world.person(ida)
    world.act(ida, "/join", "#tea", "")
    assert shown(world, person)[0][:3] == ["#general", "#big", "#tea"]
    world.act(ida, "/join", "#a", "")
    world.act(ida, "/set", "invite-only", "on", channel="#a")
    for one in (1, 2, 3, person):
        named = {channel.name for channel in world.state.channels if world.state.shows(channel, one)}
        assert (set(shown(world, one)[0]), shown(world, one)[1]) == (named, len(named))
    world.act(ida, "/leave", "", channel="#a")
    assert "#a" not in shown(world, person)[0]


def test_many_who_ask_in_one_round_have_it_made_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand channels are put in order in some milliseconds: once, and not for each who asks."""
    made: list[int] = []

    def counted(*arguments: Any, **options: Any) -> Any:
        made.append(1)
        return sorted_out(*arguments, **options)

    sorted_out = listing.nsmallest
    monkeypatch.setattr(listing, "nsmallest", counted)
    for person in (1, 2, 3, 1):
        run(Room(world.state, {}), Asker(person, "#general"), "/channels")
    assert len(made) == 1
    world.tick()
    run(Room(world.state, {}), Asker(1, "#general"), "/channels")
    assert len(made) == 2
