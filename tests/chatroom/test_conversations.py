"""Direct conversations: two persons, whatever their names; what begins one, and what ends it."""

from __future__ import annotations

import json

import pytest

from chatroom.bounds import Limits
from chatroom.effects import Answer, Effect, Joined
from chatroom.events import EventKind, Extra, extra_row
from chatroom.limits import MAX_NUMBER
from chatroom.order import Entry
from chatroom.outcomes import Code
from chatroom.packets import Form
from tests.chatroom.world import Visit, World, events

SECRET = "secret"


@pytest.fixture
def world() -> World:
    return World()


def codes(effects: list[Effect]) -> list[Code]:
    return [effect.outcome.code for effect in effects if isinstance(effect, Answer)]


def joined(effects: list[Effect]) -> list[tuple[int, int]]:
    """Connection and place of each effect Joined."""
    return [(effect.origin[2], effect.place) for effect in effects if isinstance(effect, Joined)]


def place_of(world: World, one: Visit, other: Visit) -> int:
    return world.state.conversation_of(world.person(one), world.person(other))


def reaches(world: World, person: int, place: int, since: int = 0) -> bool:
    return bool(world.state.reach(person, since).within([place], 0, MAX_NUMBER))


def test_the_first_line_begins_it(world: World) -> None:
    """All connections of both get the place, before the line, and both have it within reach."""
    ann, bob = world.enter("ann"), world.enter("bob")
    applied = world.write(ann, 2, 5)
    (said,) = events(applied)
    assert (said.channel, said.place, said.text, said.id) == ("@bob", 2, "text 5", 5)
    assert said.extra == extra_row(Extra.RECEIVER, 2, 4)
    assert joined(applied.effects) == [(ann.origin, 2), (bob.origin, 2)]
    for person in (1, 2):
        assert world.state.places_of(person) == [0, 1, 2] and reaches(world, person, 2)
    answered = world.write(bob, 1, 5, form=Form.ACT)
    (said,) = events(answered)
    assert (said.channel, said.place) == ("@ann", 2) and not joined(answered.effects)
    assert said.extra == extra_row(Extra.FORM, Form.ACT, 1) + extra_row(Extra.RECEIVER, 1, 4)


def test_nobody_else_gets_anything_of_it(world: World) -> None:
    """Another member has neither the place nor an effect; and what concerns all in a channel is not said."""
    ann, _, eve = world.enter("ann"), world.enter("bob"), world.enter("eve")
    world.write(ann, 2, 1)
    assert 2 not in world.state.places_of(3) and not reaches(world, 3, 2)
    assert world.write(eve, 2, 1).happened[0].place == 3  # type: ignore[union-attr]
    (quit,) = events(world.leave(ann))
    assert quit.kind is EventKind.QUIT and quit.places in ((), (1,)) and quit.place in (0, 1)


def test_a_later_guest_of_the_name_is_another_one(world: World) -> None:
    """Nothing of it is for the later bob, and a line for the earlier one does not reach him."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.write(ann, 2, 1)
    world.leave(bob)
    later = world.enter("bob")
    assert world.person(later) == 3 and not reaches(world, 3, 2)
    assert codes(world.write(ann, 2, 2).effects) == [Code.NO_SUCH_NAME]
    (said,) = events(world.write(ann, 3, 2))
    assert (said.place, said.channel) == (3, "@bob")


def test_notes_to_oneself(world: World) -> None:
    """Both of the two are one person."""
    ann = world.enter("ann")
    applied = world.write(ann, 1, 1)
    (said,) = events(applied)
    assert (said.channel, said.place) == ("@ann", 2) and joined(applied.effects) == [(ann.origin, 2)]
    assert events(world.write(ann, 1, 2))[0].place == 2
    world.leave(ann)
    world.tick(8 * 24 * 3600)
    assert world.records["conversation", "2"].value is None


@pytest.mark.parametrize("receiver", [0, 3, 99, 2**32 - 1])
def test_a_receiver_that_is_nobody(world: World, receiver: int) -> None:
    """A number that is no person's refuses the line; 0 is no number of a person."""
    ann = world.enter("ann")
    world.enter("bob")
    refused = world.write(ann, receiver, 1)
    assert codes(refused.effects) == [Code.NO_SUCH_NAME if receiver else Code.BAD_ARGUMENTS]
    assert refused[:2] == ([], [])


def test_a_receiver_is_needed(world: World) -> None:
    """The name alone does not say who is meant."""
    ann = world.enter("ann")
    world.enter("bob")
    for extra in (b"", extra_row(Extra.RECEIVER, 2, 8)):
        assert codes(world.say(ann, 1, channel="@bob", extra=extra).effects) == [Code.BAD_ARGUMENTS]


def test_strangers_do_not_begin(world: World) -> None:
    """To begin one, both must be in one channel; to go on, they need not."""
    ann, bob = world.enter("ann", "#a"), world.enter("bob", "#b")
    assert world.state.may_write(1, 2) is Code.MUTED
    assert codes(world.write(ann, 2, 1).effects) == [Code.MUTED]
    world.enter("bob", "#a", known=bob.session)
    assert world.state.may_write(1, 2) is Code.OK
    assert events(world.write(ann, 2, 1))


def test_a_lost_connection_can_be_written_to(world: World) -> None:
    """Who may come back finds the line; after that time, a guest is gone."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.say(bob, 1)
    world.lose(bob)
    assert events(world.write(ann, 2, 1))
    world.tick(100)
    assert codes(world.write(ann, 2, 2).effects) == [Code.NO_SUCH_NAME]
    back, _ = world.ask("bob", known=bob.session)
    world.come(back)
    assert world.person(back) == 2 and reaches(world, 2, 2, since=1)


def test_an_account_that_is_away_finds_the_line(world: World) -> None:
    """Also when the conversation begins while it is away: it was in the same channel."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.say(bob, 1)
    world.act(bob, "/register", SECRET)
    world.leave(bob)
    (said,) = events(world.write(ann, 2, 1))
    assert (said.channel, said.place) == ("@bob", 2)
    again = world.enter("bob", proof=SECRET)
    assert world.person(again) == 2 and world.state.places_of(2) == [0, 1, 2]


def test_it_ends_when_nobody_can_read_it(world: World) -> None:
    """While one of the two is known it stays, and keeps the name of the other one."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.say(bob, 1)
    world.act(bob, "/register", SECRET)
    world.write(ann, 2, 1)
    world.leave(ann)
    world.leave(bob)
    world.tick(8 * 24 * 3600)
    conversation = world.state.conversation_at(2)
    assert conversation is not None and conversation.gone == "ann"
    again = world.enter("bob", proof=SECRET)
    assert world.state.title(conversation, 2) == "@ann"
    assert codes(world.write(again, 1, 1).effects) == [Code.NO_SUCH_NAME]
    world.say(again, 7)
    world.act(again, "/unregister", SECRET)
    world.leave(again)
    world.tick(8 * 24 * 3600)
    assert world.state.conversation_at(2) is None and world.records["conversation", "2"].value is None


def test_guests_who_have_gone_keep_nobody_out() -> None:
    """Of the conversations with persons who have gone only the latest stay, and their markers with them."""
    world = World(Limits(conversations_of_person=3, gone=1))
    ann = world.enter("ann")
    world.act(ann, "/register", SECRET)
    world.say(ann, 1)
    for name in ("bob", "eve", "zoe"):
        guest = world.enter(name)
        world.write(guest, 1, 1)
        (*_, conversation) = world.state.conversations_of(1)
        world.act(ann, "/read", conversation.place, world.state.head)
        world.leave(guest)
    assert codes(world.write(world.enter("fay"), 1, 1).effects) == [Code.TOO_MANY]
    world.tick(8 * 24 * 3600)
    world.tick()
    assert [one.gone for one in world.state.conversations_of(1)] == ["zoe"]
    assert [key for kind, key, _ in world.kept() if kind == "reading"] == ["1 4"]
    assert not codes(world.write(world.enter("gus"), 1, 1).effects)


def test_what_is_stored(world: World) -> None:
    """The two, who began it, from where and when."""
    world.enter("ann"), world.enter("bob", address="1.2.3.4")
    bob = Visit(2, "key2")
    world.write(bob, 1, 1)
    value = json.loads(world.records["conversation", "2"].value or "")
    assert value == {"persons": [2, 1], "by": 2, "network": "1.2.3.4", "founded": world.time, "gone": ""}


def test_names_are_those_of_today(world: World) -> None:
    """The title is the name of the other one, for each of the two."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.write(ann, 2, 1)
    conversation = world.state.conversation_at(place_of(world, ann, bob))
    assert conversation is not None and place_of(world, bob, ann) == conversation.place
    assert world.state.conversation_of(1, 1) == 0
    assert [world.state.title(conversation, person) for person in (1, 2)] == ["@bob", "@ann"]
    assert world.state.name_of(99) == ""


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(conversations=1), Code.FULL),
        (Limits(conversations_of_network=1), Code.TOO_MANY),
        (Limits(conversations_begun=1), Code.TOO_MANY),
        (Limits(conversations_of_person=1), Code.TOO_MANY),
    ],
)
def test_the_bounds(limits: Limits, code: Code) -> None:
    """One more than may be is not begun; what was begun goes on; and what has ended does not count."""
    world = World(limits)
    ann, bob = world.enter("ann", address="1.1.1.1"), world.enter("bob", address="2.2.2.2")
    world.enter("eve", address="3.3.3.3")
    world.write(ann, 1, 1)
    refused = world.write(ann, 3, 2)
    assert codes(refused.effects) == [code] and refused[:2] == ([], [])
    assert events(world.write(ann, 1, 2))
    world.leave(ann)
    world.tick(8 * 24 * 3600)
    assert events(world.write(bob, 3, 1))


def test_conversations_are_no_channels() -> None:
    """The places that they have do not count as channels that were founded."""
    world = World(Limits(places=2))
    ann = world.enter("ann")
    world.write(ann, 1, 1)
    assert world.state.channel("#a") is None
    world.enter("bob", "#a")
    assert world.state.channel("#a") is not None


def test_an_invitation(world: World) -> None:
    """It is said in the direct conversation of the two, which may begin with it, and is no line."""
    ann, _ = world.enter("ann"), world.enter("bob")
    session = world.state.session_at(world.origin(ann.origin))
    assert session is not None
    general = world.state.channel("#general")
    assert general is not None
    assert world.state._parts.direct.invite(session, 2, general) is Code.OK
    assert world.state._parts.direct.invite(session, 9, general) is Code.NO_SUCH_NAME
    applied = world.state.apply(Entry(b"", world.time, "", world.epoch, []))
    (invited,) = events(applied)
    assert (invited.kind, invited.channel, invited.text, invited.id) == (
        EventKind.INVITED,
        "@bob",
        "#general",
        0,
    )
    assert invited.extra == extra_row(Extra.RECEIVER, 2, 4) + extra_row(Extra.TARGET, 2, 4)
    assert len(joined(applied.effects)) == 2


def test_one_network_does_not_take_all_places_of_a_person() -> None:
    """So many conversations with one person are begun from one network; others still can write to it."""
    world = World(Limits(writers_of_network=2))
    world.enter("dora", address="9.9.9.9")
    crowd = [world.enter(f"guest{number}", address="1.1.1.1") for number in range(3)]
    other = world.enter("other", address="2.2.2.2")
    assert [codes(world.write(visit, 1, 1).effects) for visit in crowd] == [[], [], [Code.TOO_MANY]]
    assert events(world.write(other, 1, 1))
    assert events(world.write(crowd[2], 2, 2)), "to others they still can write"


@pytest.mark.parametrize("limits", [Limits(writers_of_network=2), Limits(conversations_of_person=2)])
def test_those_who_are_gone_make_room(limits: Limits) -> None:
    """The conversation with whoever is not known any more and began first ends, when there are too many."""
    world = World(limits)
    dora = world.enter("dora")
    world.act(dora, "/register", SECRET)
    for number in range(4):
        guest = world.enter(f"guest{number}", address="1.1.1.1")
        assert events(world.write(guest, 1, 1)), number
        world.leave(guest)
        world.tick(8 * 24 * 3600)
    assert [one.gone for one in world.state.conversations_of(1)] == ["guest2", "guest3"]
    assert not reaches(world, 1, 2)
