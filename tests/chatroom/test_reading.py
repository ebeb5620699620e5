"""Read markers: they move forward, are bounded, and are restored."""

from __future__ import annotations

from chatroom.bounds import Limits
from chatroom.effects import OwnSignal
from chatroom.events import Event, EventKind
from chatroom.ledger import Ledger
from chatroom.outcomes import Code, Outcome
from chatroom.reading import Reading
from chatroom.records import Record
from tests.chatroom.world import Visit, World


def markers(limits: Limits | None = None) -> tuple[Reading, Ledger]:
    ledger = Ledger()
    return Reading(ledger, limits or Limits()), ledger


def test_a_marker_moves_forward_only() -> None:
    """What was read stays read."""
    reading, ledger = markers()
    assert reading.move(1, 2, 10) and not reading.move(1, 2, 10) and not reading.move(1, 2, 9)
    assert reading.of(1, 2) == 10 and reading.of(1, 3) == 0 and reading.of(2, 2) == 0
    assert ledger.take().records == [Record("reading", "1 2", '{"read":10}')]


def test_markers_are_restored() -> None:
    """The records are all that there is."""
    reading, ledger = markers()
    for place in (3, 1, 2):
        reading.move(1, place, 10 * place)
    again, _ = markers()
    for record in ledger.take().records:
        again.restore(record)
    assert sorted(again.records()) == sorted(reading.records())


def test_one_marker_too_many() -> None:
    """The place that was read up to the earliest line is forgotten, not the one that is read now."""
    reading, ledger = markers(Limits(markers=2))
    for place, seq in ((1, 30), (2, 20), (3, 10)):
        reading.move(1, place, seq)
    assert [reading.of(1, place) for place in (1, 2, 3)] == [30, 0, 10]
    assert Record("reading", "1 2", None) in ledger.take().records


def test_what_is_forgotten() -> None:
    """The end of a place, and of a person, removes the records; what was never there is no change."""
    reading, ledger = markers()
    reading.move(1, 1, 5), reading.move(1, 2, 5), reading.move(2, 1, 5)
    ledger.take()
    reading.end(1, 1), reading.end(1, 9), reading.forget(9)
    assert ledger.take().records == [Record("reading", "1 1", None)]
    reading.forget(1)
    assert ledger.take().records == [Record("reading", "1 2", None)]
    assert reading.records() == [Record("reading", "2 1", '{"read":5}')]


# --- the act ------------------------------------------------------------------------------------------------


def world() -> tuple[World, Visit]:
    """ann is person 1, in #general, which is place 1; eve is in #quiet, place 2."""
    world = World()
    ann = world.enter("ann")
    world.enter("eve", "#quiet")
    return world, ann


def test_read() -> None:
    """/read moves the marker, and tells it to nobody who is not that person."""
    here, ann = world()
    assert here.act(ann, "/read", 1, 2) == Outcome(Code.OK, (1, 2))
    assert here.effects == []
    assert here.state.read_up_to(1, 1) == 2
    assert here.act(ann, "/read", 1, 1) == Outcome(Code.ALREADY, (1, 2))
    assert here.act(ann, "/read", 1, here.state.head + 1).code is Code.NO_SUCH_MESSAGE
    assert here.act(ann, "/read", 1, 0).code is Code.NO_SUCH_MESSAGE


def test_read_where_one_is_not() -> None:
    """Nobody has a marker in a place that is not theirs, or is none."""
    here, ann = world()
    for place in (0, 2, 99):
        assert here.act(ann, "/read", place, 1) == Outcome(Code.NOT_IN, (place,))


def test_the_persons_other_programs_are_told() -> None:
    """READ comes to each other connection of the person, with the name as it is there."""
    here, ann = world()
    here.act(ann, "/register", "s")
    other = here.enter("ann", proof="s")
    assert here.act(ann, "/read", 1, 2).code is Code.OK
    signal = Event(0, here.time, EventKind.READ, "#general", "ann", "2", person=1, place=1)
    assert here.effects == [OwnSignal(here.origin(other.origin), signal)]


def test_read_in_a_direct_conversation() -> None:
    """Both have markers of their own; the signal names the conversation as CHANNEL does."""
    here, ann = world()
    bob = here.enter("bob")
    here.act(ann, "/register", "s")
    other = here.enter("ann", proof="s")
    here.write(bob, 1, 1)
    place = here.state.conversation_of(1, 3)
    assert here.act(ann, "/read", place, 2).code is Code.OK
    signal = Event(0, here.time, EventKind.READ, "@bob", "ann", "2", person=1, place=place)
    assert here.effects == [OwnSignal(here.origin(other.origin), signal)]
    assert here.act(bob, "/read", place, 3).code is Code.OK
    assert [here.state.read_up_to(person, place) for person in (1, 2, 3)] == [2, 0, 3]


def test_leaving_and_closing_end_a_marker() -> None:
    """Who leaves a channel, or whose channel is closed, has no marker there any more."""
    here, ann = world()
    bob = here.enter("bob")
    here.act(ann, "/read", 1, 2), here.act(bob, "/read", 1, 2)
    here.act(bob, "/leave", "")
    assert [record.key for record in here.kept() if record.kind == "reading"] == ["1 1"]
    tea = here.enter("zoe", "#tea")
    here.enter("dan", "#tea")
    channel = here.state.channel("#tea")
    assert channel is not None
    assert here.act(tea, "/read", channel.place, 3).code is Code.OK
    assert here.act(tea, "/close", "", channel="#tea").code is Code.OK
    assert [record.key for record in here.kept() if record.kind == "reading"] == ["1 1"]


def test_a_marker_ends_with_the_membership() -> None:
    """A guest that quits is not in the channel any more; the marker of an account lasts."""
    here, ann = world()
    dora = here.enter("dora")
    here.act(dora, "/register", "s")
    here.act(ann, "/read", 1, 2), here.act(dora, "/read", 1, 3)
    here.leave(ann), here.leave(dora)
    assert [record.key for record in here.kept() if record.kind == "reading"] == ["3 1"]
    here.enter("dora", proof="s")
    assert here.state.read_up_to(3, 1) == 3
