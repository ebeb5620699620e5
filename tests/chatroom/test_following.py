"""A line is followed through the rounds of the forwarder; nothing is done for any other."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from chatroom.batch import Batch
from chatroom.outcomes import Code
from chatroom.packets import Answer
from chatroom.proposals import Act, ProposalKind
from chatroom.trace import Trace
from tests.chatroom.fakes import FakeConnection
from tests.chatroom.test_forwarder import Room


@pytest.fixture
def room() -> Room:
    return Room()


def follow(room: Room, connection: FakeConnection, id: int) -> Trace:
    """Follow a line that the member will say."""
    trace = Trace(room.origins[connection], id, room.now, lambda: room.now)
    answer = room.forwarder.follow(trace)
    room.forward()
    assert answer.done()
    return trace


def steps(trace: Trace) -> list[Any]:
    """The rows without times and threads."""
    return [(step, *rest) for _, _, step, *rest in trace.rows()]


def is_plain(room: Room) -> bool:
    """Whether the next round does nothing but what each round does."""
    return room.forwarder._following.stages.encode is Batch


def test_the_steps_of_a_line(room: Room) -> None:
    """Taken with the other lines of its round, applied, encoded, stored, sent to those in its channel."""
    ann, bob, eve = room.enter("ann"), room.enter("bob"), room.enter("eve", "#tea")
    trace = follow(room, ann, 1)
    trace.queue()
    room.now += 0.5
    room.say(bob, 1, 2)
    room.say(ann, 1)
    room.say(eve, 1, channel="#tea")
    room.forward()
    assert trace.wait(0.0)
    assert steps(trace) == [
        ("allowed",),
        ("queued",),
        ("taken", 500_000, 4),
        ("applied", 7),
        ("encoded", len(bob.datas[-1]) * 1 // 3),
        ("stored", 0),
        ("sent", ["ann"], 1),
        ("sent", ["bob"], 1),
    ]
    assert is_plain(room)


def test_it_is_sent_as_always(room: Room) -> None:
    """Everybody gets the same bytes, in the same order, whether a line is followed or not."""
    sent = []
    for followed in (False, True):
        room = Room()
        members = [room.enter("ann"), room.enter("bob"), room.enter("eve", "#tea")]
        if followed:
            follow(room, members[0], 1)
        for member in members:
            member.datas.clear()
            member.shared.clear()
        room.say(members[2], 1, 2, channel="#tea")
        room.say(members[0], 1)
        room.say(members[1], 1)
        room.forward()
        sent.append([(member.datas, member.shared) for member in members])
    assert sent[0] == sent[1]


def test_without_a_line_to_follow_nothing_is_watched(room: Room) -> None:
    """The stages are the plain functions before, when all lines have come, and when nobody waits."""
    ann = room.enter("ann")
    assert is_plain(room)
    trace = follow(room, ann, 1)
    assert not is_plain(room)
    room.forward()  # a round without the line
    assert not is_plain(room)
    room.forwarder.forget(trace)
    room.forward()
    assert is_plain(room)
    room.say(ann, 1)
    room.forward()
    assert steps(trace) == [("allowed",)]


def test_a_refused_line(room: Room) -> None:
    """Who may not speak is told so as always; the trace ends."""
    ann = room.enter("ann")
    trace = follow(room, ann, 1)
    room.say(ann, 1, channel="#nowhere")
    room.forward()
    assert not trace.wait(0.0)
    assert [answer.code for answer in ann.of(Answer)] == [Code.NOT_IN]
    assert is_plain(room)


def test_whose_connection_has_ended(room: Room) -> None:
    """A line that comes behind the end of its connection is not said, and its trace ends."""
    ann = room.enter("ann")
    trace = follow(room, ann, 1)
    room.leave(ann)
    room.say(ann, 1)
    room.forward()
    assert not trace.wait(0.0)


def test_two_lines_at_once(room: Room) -> None:
    """Each of two lines in one round has its own steps."""
    ann, bob = room.enter("ann", "#general", "#tea"), room.enter("bob")
    traces = [follow(room, ann, 5), follow(room, bob, 5)]
    room.say(ann, 5, channel="#tea")
    room.say(bob, 5)
    room.forward()
    found = [steps(trace) for trace in traces if trace.wait(0.0)]
    assert [[step for step in one if step[0] == "sent"] for one in found] == [
        [("sent", ["ann"], 1)],
        [("sent", ["ann"], 1), ("sent", ["bob"], 1)],
    ]
    assert [step for one in found for step in one if step[0] == "applied"] == [("applied", 5), ("applied", 6)]


def test_a_round_in_which_somebody_comes(room: Room) -> None:
    """A round that is delivered in several parts has the line in one of them."""
    ann = room.enter("ann")
    reserved = room.reserve("bob")
    trace = follow(room, ann, 1)
    bob = room.join(reserved)
    room.say(ann, 1)
    room.settle()
    assert trace.wait(0.0) and bob.ended is None
    assert [step for step in steps(trace) if step[0] == "sent"] == [("sent", ["ann"], 1)]


def test_a_reader_that_does_not_read(room: Room) -> None:
    """The forwarder goes on; the trace waits for the others, and says who has not taken the line."""
    ann, bob = room.enter("ann"), room.enter("bob")
    bob.taking = False
    trace = follow(room, ann, 1)
    room.say(ann, 1)
    room.forward()
    assert trace.wait(0.0)
    found = steps(trace)
    assert ("sent", ["ann"], 1) in found and ("unsent", ["bob"], 1) in found
    assert [step[:3] for step in found if step[0] == "waits"] == [("waits", ["bob"], 1)]


@pytest.mark.parametrize("setting", ["key", "invite_only", "counted"])
def test_nobody_is_named_who_could_not_be_listed(room: Room, setting: str) -> None:
    """In a channel that is not for everybody, or too large to list, the trace counts."""
    ann, _ = room.enter("ann"), room.enter("bob")
    channel = room.forwarder.state.channel("#general")
    setattr(channel, setting, "x" if setting == "key" else True)
    trace = follow(room, ann, 1)
    room.say(ann, 1)
    room.forward()
    assert trace.wait(0.0)
    assert steps(trace)[-1] == ("sent", [], 2)


def test_many_lines_that_are_followed_at_once(room: Room) -> None:
    """However many of a round are followed, to send is no deeper for it: else the forwarder would end."""
    ann = room.enter("ann")
    traces = []
    for id in range(1, 1 + sys.getrecursionlimit()):
        traces.append(Trace(room.origins[ann], id, room.now, lambda: room.now))
        room.forwarder.follow(traces[-1])
    room.forward()
    for trace in traces:
        room.say(ann, trace.id)
    room.forward()
    assert all(trace.wait(0.0) for trace in traces)
    assert all(steps(trace)[-1] == ("sent", ["ann"], 1) for trace in (traces[0], traces[-1]))


def two_programs(room: Room) -> tuple[FakeConnection, FakeConnection]:
    """Of one person: each has ids of its own."""
    laptop = room.enter("ann")
    room.act(laptop, "/register", "secret")
    return laptop, room.enter("ann", "#general", "#tea", proof="secret")


def test_another_program_says_a_line_with_the_same_id(room: Room) -> None:
    """The way is that of the followed line."""
    laptop, phone = two_programs(room)
    room.enter("bob", "#tea")
    trace = follow(room, laptop, 20)
    room.say(phone, 20, channel="#tea")
    room.say(laptop, 20)
    head = room.forwarder.state.head
    room.forward()
    assert trace.wait(0.0)
    assert [step for step in steps(trace) if step[0] == "applied"] == [("applied", head + 2)]
    assert [step[1] for step in steps(trace) if step[0] == "sent"] == [["ann"], ["ann"]]


def test_another_program_says_what_this_one_may_not(room: Room) -> None:
    """It is refused, and so not followed: it would be answered twice."""
    laptop, phone = two_programs(room)
    trace = follow(room, laptop, 20)
    room.say(laptop, 20, channel="#nowhere")
    room.say(phone, 20)
    room.forward()
    assert not trace.wait(0.0)


def test_a_name_that_another_channel_has_in_the_end(room: Room) -> None:
    """Whether anybody may be named is asked of the channel in which the line was said."""
    ann = room.enter("ann", "#secret")
    channel = room.forwarder.state.channel("#secret")
    assert channel is not None
    channel.key = "x"
    trace = follow(room, ann, 1)
    room.say(ann, 1, channel="#secret")
    for act in Act("/move", "#secret", ("#other",)), Act("/join", "#other", ("#secret", "")):
        room.put(room.origins[ann], ProposalKind.ACT, act)
    room.forward()
    assert trace.wait(0.0) and [one.name for one in room.forwarder.state.channels_of(1)] == [
        "#other",
        "#secret",
    ]
    assert steps(trace)[-1] == ("sent", [], 1)
