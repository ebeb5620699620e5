"""chatroom/bounds.py"""

from __future__ import annotations

from typing import Any

import pytest

from chatroom.bounds import SETTABLE, Limits
from chatroom.order import Entry
from chatroom.outcomes import Code
from chatroom.proposals import Limit, Proposal, ProposalKind
from chatroom.records import Record
from chatroom.state import State
from tests.chatroom.world import World


def limit(world: World, **values: Any) -> None:
    world.propose(0, ProposalKind.LIMIT, Limit(tuple(values.items())))


def test_a_limit_decides_from_its_entry_on() -> None:
    """Who is lost before is held as long as was said then, who is lost later as is said now."""
    world = World(Limits(hold=1000))
    ann, bob = world.enter("ann"), world.enter("bob")
    world.lose(ann)
    limit(world, hold=5000)
    world.lose(bob)
    sessions = [world.state.last_session(name) for name in ("ann", "bob")]
    assert [one.until - world.time for one in sessions if one is not None] == [1000, 5000]


def test_it_is_a_record() -> None:
    """A restart knows it, whatever limits the server has by itself; the records tell all that can be set."""
    world = World()
    assert not [record for record in world.state.records() if record.kind == "limits"]
    limit(world, edit=7, delete=8)
    again = State(Limits(edit=1, delete=1))
    again.restore(world.state.head, world.state.records())
    assert again.set_limits == world.state.set_limits == settable(edit=7, delete=8)
    assert again.records() == world.state.records()
    assert [record.kind for record in world.kept() if record.kind == "limits"] == ["limits"]


def settable(**values: int) -> dict[str, int]:
    """All that can be set, as it is without an entry but for these."""
    return {name: getattr(Limits(), name) for name in SETTABLE} | values


def test_nothing_new_writes_nothing() -> None:
    """Each start says what the options are: as a rule what they were."""
    world = World()
    limit(world, **settable())
    assert [record.kind for record in world.kept() if record.kind == "limits"] == []


@pytest.mark.parametrize("value", [-1, SETTABLE["edit"] + 1, 1.5, True, None, "7", (), 10**40])
def test_what_cannot_be(value: Any) -> None:
    """An impossible value, and a limit that nobody may set, change nothing, and never fail."""
    world = World()
    limit(world, edit=value, sessions=0, nonsense=1, delete=5)
    assert world.state.set_limits == settable(delete=5)


@pytest.mark.parametrize(
    "value", ['{"hold":"7"}', '{"hold":null}', '{"hold":-1}', '{"hold":1e9}', '{"nonsense":1}']
)
def test_a_record_that_no_server_has_written(value: str) -> None:
    """It sets nothing: a limit that is no number would end the server when somebody is lost."""
    state = State()
    state.restore(0, [*State().records(), Record("limits", "", value)])
    assert state.set_limits == settable()


def test_every_server_has_its_own() -> None:
    """The limits that a state is made with are not changed by it: another one may have the same."""
    limits = Limits()
    one, other = State(limits), State(limits)
    one.apply(Entry(b"", 1, "", 1, [Proposal(0, 0, ProposalKind.LIMIT, Limit((("edit", 3),)))]))
    assert limits == Limits() and other.set_limits == settable() and one.set_limits == settable(edit=3)


def test_amending_and_accounts() -> None:
    """Each limit that can be set is obeyed."""
    world = World()
    limit(world, accounts_of_network=0)
    ann = world.enter("ann")
    assert world.act(ann, "/register", "s").code is Code.TOO_MANY
