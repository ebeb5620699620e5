"""Amendments: who may edit, delete and react, until when; and what is left of a message."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.bounds import Limits
from chatroom.effects import Answer, Effect
from chatroom.events import Event, EventKind, Extra, extra_number, extra_row
from chatroom.limits import DELETE_SECONDS, EDIT_SECONDS, MAX_REACTION
from chatroom.order import Entry
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Form
from chatroom.proposals import Amend, Proposal, ProposalKind
from tests.chatroom.world import Followed, Looked, Visit, World, events

SECRET = "secret"


@pytest.fixture
def world() -> World:
    return World()


def code(applied: Followed) -> Code:
    """What a refusal says. It has changed nothing."""
    assert not applied.happened and not applied.records
    (answer,) = answers(applied.effects)
    return answer.outcome.code


def answers(effects: list[Effect]) -> list[Answer]:
    return [effect for effect in effects if isinstance(effect, Answer)]


def said(world: World, visit: Visit, id: int, **how: object) -> int:
    """The seq of a line that is said."""
    (event,) = events(world.say(visit, id, **how))  # type: ignore[arg-type]
    return event.seq


def message_row(seq: int) -> bytes:
    return extra_row(Extra.MESSAGE, seq)


def test_an_edit(world: World) -> None:
    """EDITED has the id of the SAY, the message and the new text; the message has that text from now on."""
    ann = world.enter("ann")
    seq = said(world, ann, 1, form=Form.ACT)
    (edited,) = events(world.amend(ann, 2, Form.EDIT, seq, "better"))
    assert (edited.kind, edited.text, edited.id, edited.channel) == (
        EventKind.EDITED,
        "better",
        2,
        "#general",
    )
    assert edited.extra == message_row(seq) and edited.place == 1
    (now,) = world.amended
    assert now == world.log[seq - 1]._replace(
        text="better", extra=extra_row(Extra.FORM, Form.ACT, 1) + extra_row(Extra.EDITED, edited.seq)
    )


def test_an_edit_of_an_edit(world: World) -> None:
    """Only the latest one keeps its text."""
    ann = world.enter("ann")
    seq = said(world, ann, 1)
    (first,) = events(world.amend(ann, 2, Form.EDIT, seq, "better"))
    (second,) = events(world.amend(ann, 3, Form.EDIT, seq, "best"))
    message, blank = world.amended
    assert (message.seq, message.text) == (seq, "best")
    assert message.extra == extra_row(Extra.EDITED, second.seq)
    assert blank == first._replace(text="")


def test_a_deletion(world: World) -> None:
    """Nothing is left of the text, nor of an edit of it."""
    ann = world.enter("ann")
    seq = said(world, ann, 1)
    (edited,) = events(world.amend(ann, 2, Form.EDIT, seq, "better"))
    (deleted,) = events(world.amend(ann, 3, Form.DELETE, seq))
    assert (deleted.kind, deleted.text, deleted.extra) == (EventKind.DELETED, "", message_row(seq))
    message, blank = world.amended
    assert (message.text, message.extra) == ("", extra_row(Extra.DELETED, deleted.seq))
    assert blank == edited._replace(text="")
    assert code(world.amend(ann, 4, Form.EDIT, seq, "again")) is Code.NO_SUCH_MESSAGE
    assert code(world.amend(ann, 4, Form.REACT, seq, "+1")) is Code.NO_SUCH_MESSAGE
    assert code(world.amend(ann, 4, Form.DELETE, seq)) is Code.ALREADY


def test_a_reaction(world: World) -> None:
    """Anybody in the channel may react; the message stays as it is."""
    ann, bob = world.enter("ann"), world.enter("bob")
    seq = said(world, ann, 1)
    (reacted,) = events(world.amend(bob, 1, Form.REACT, seq, "👍"))
    assert (reacted.kind, reacted.text, reacted.person) == (EventKind.REACTED, "👍", 2)
    assert reacted.extra == message_row(seq) and not world.amended
    world.tick(2 * DELETE_SECONDS)
    assert events(world.amend(bob, 2, Form.REACT, seq, "x" * MAX_REACTION))
    assert code(world.amend(bob, 3, Form.REACT, seq, "x" * (MAX_REACTION + 1))) is Code.BAD_ARGUMENTS


def test_an_amendment_is_applied_once(world: World) -> None:
    """Its id is one of the lines' ids: neither a line nor an amendment with it is applied later."""
    ann = world.enter("ann")
    seq = said(world, ann, 1)
    world.amend(ann, 5, Form.EDIT, seq, "better")
    assert code(world.amend(ann, 5, Form.EDIT, seq, "worse")) is Code.ALREADY
    assert code(world.say(ann, 5)) is Code.ALREADY
    world.state = world.restored()
    assert code(world.amend(ann, 5, Form.DELETE, seq)) is Code.ALREADY
    assert events(world.say(ann, 6))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Form.EDIT, ""),
        (Form.REACT, ""),
        (Form.DELETE, "why"),
        (Form.SAY, "plain"),
        (Form.ACT, "acts"),
        (99, "unknown"),
    ],
)
def test_what_cannot_be(world: World, form: int, text: str) -> None:
    """A form that amends nothing, or without the text that it needs."""
    ann = world.enter("ann")
    assert code(world.amend(ann, 2, form, said(world, ann, 1), text)) is Code.BAD_ARGUMENTS


def test_only_the_author_edits(world: World) -> None:
    """Neither an operator nor anybody else changes the words of another one."""
    ann, bob = world.enter("ann"), world.enter("bob")
    seq = said(world, ann, 1)
    assert code(world.amend(bob, 1, Form.EDIT, seq, "stupid")) is Code.NEED_ROLE
    assert code(world.amend(bob, 1, Form.DELETE, seq)) is Code.NEED_ROLE
    make_owner(world, bob)
    assert code(world.amend(bob, 1, Form.EDIT, seq, "stupid")) is Code.NEED_ROLE


def make_owner(world: World, visit: Visit) -> None:
    """The member becomes the owner of the chatroom."""
    world.act(visit, "/register", SECRET)
    world.own("", "code")
    assert world.act(visit, "/owner", "code").code is Code.OK


def test_until_when(world: World) -> None:
    """An author edits for EDIT_SECONDS and deletes for DELETE_SECONDS; an operator deletes at any time."""
    ann, bob = world.enter("ann"), world.enter("bob")
    seq = said(world, ann, 1)
    world.tick(EDIT_SECONDS)
    assert events(world.amend(ann, 2, Form.EDIT, seq, "just in time"))
    world.tick(0.001)
    assert code(world.amend(ann, 3, Form.EDIT, seq, "late")) is Code.TOO_LATE
    world.tick(DELETE_SECONDS - EDIT_SECONDS)
    assert code(world.amend(ann, 3, Form.DELETE, seq)) is Code.TOO_LATE
    make_owner(world, bob)
    deleted, audited = events(world.amend(bob, 3, Form.DELETE, seq))
    assert audited.kind is EventKind.AUDITED and audited.target_name == "ann"
    assert deleted.author == "bob" and [one.text for one in world.amended] == ["", ""]


def test_what_one_does_not_get_is_not_there(world: World) -> None:
    """Of a message in another place nobody is told that it exists; nor of what is no message."""
    ann, eve = world.enter("ann", "#a"), world.enter("eve", "#b")
    seq = said(world, ann, 1, channel="#a")
    for message in (seq, 1, 99, 0):
        for form, text in ((Form.EDIT, "x"), (Form.DELETE, ""), (Form.REACT, "x")):
            assert code(world.amend(eve, 1, form, message, text)) is Code.NO_SUCH_MESSAGE
    (edited,) = events(world.amend(ann, 2, Form.EDIT, seq, "new"))
    assert code(world.amend(ann, 3, Form.DELETE, edited.seq)) is Code.NO_SUCH_MESSAGE


def test_in_a_direct_conversation(world: World) -> None:
    """Both get the amendment: it says who receives it. Only the author deletes, also when the other one is
    the owner of the chatroom."""
    ann, bob = world.enter("ann"), world.enter("bob")
    make_owner(world, bob)
    (line,) = events(world.write(ann, 2, 1))
    (edited,) = events(world.amend(ann, 2, Form.EDIT, line.seq, "better"))
    assert (edited.channel, edited.place) == ("@bob", line.place)
    assert edited.extra == message_row(line.seq) + extra_row(Extra.RECEIVER, 2, 4)
    assert world.amended[0].extra == extra_row(Extra.RECEIVER, 2, 4) + extra_row(Extra.EDITED, edited.seq)
    world.amend(ann, 3, Form.EDIT, line.seq, "best")
    assert world.amended[1] == edited._replace(text="")
    (reacted,) = events(world.amend(bob, 1, Form.REACT, line.seq, "+1"))
    assert reacted.channel == "@ann"
    assert reacted.extra == message_row(line.seq) + extra_row(Extra.RECEIVER, 1, 4)
    assert code(world.amend(bob, 2, Form.DELETE, line.seq)) is Code.NEED_ROLE
    assert events(world.amend(ann, 4, Form.DELETE, line.seq))


def test_to_nobody(world: World) -> None:
    """To a guest that has gone nothing is said, by no form; but what was said can be taken back."""
    ann, bob = world.enter("ann"), world.enter("bob")
    (line,) = events(world.write(ann, 2, 1))
    world.leave(bob)
    assert code(world.amend(ann, 2, Form.EDIT, line.seq, "still there?")) is Code.NO_SUCH_NAME
    assert events(world.amend(ann, 2, Form.DELETE, line.seq))


def test_two_programs_edit_at_once(world: World) -> None:
    """Both have looked the message up before: the second edit knows of the first, and a deletion of both."""
    ann = world.enter("ann")
    seq = said(world, ann, 1)
    looked = world.look_up(seq)
    (first,) = events(world.amend(ann, 2, Form.EDIT, seq, "one", looked))
    (second,) = events(world.amend(ann, 3, Form.EDIT, seq, "two", looked))
    assert [one.seq for one in world.amended] == [seq, first.seq]
    world.state = world.restored()
    world.amend(ann, 4, Form.DELETE, seq, "", looked)
    assert [one.seq for one in world.amended] == [seq, second.seq]
    assert code(world.amend(ann, 5, Form.EDIT, seq, "three", looked)) is Code.NO_SUCH_MESSAGE


def test_so_many_are_remembered() -> None:
    """The latest ones; of the others the history says what they are now."""
    world = World(Limits(amended=2))
    ann = world.enter("ann")
    first, second, third = (said(world, ann, id) for id in (1, 2, 3))
    for id, seq in enumerate((first, second, first, third), 4):
        world.amend(ann, id, Form.EDIT, seq, f"text {id}")
    assert {key for kind, key in world.records if kind == "amended" and world.records[kind, key].value} == {
        str(first),
        str(third),
    }
    (again,) = events(world.amend(ann, 8, Form.EDIT, second, "again"))
    assert [one.text for one in world.amended] == ["again", ""]
    assert extra_number(world.amended[0].extra, Extra.EDITED) == again.seq


Step = tuple[int, int, str, int]
"""Which message, which form, the text, how many lookups ago it was looked up."""


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from([Form.EDIT, Form.EDIT, Form.DELETE, Form.REACT]),
            st.sampled_from("abc"),
            st.integers(0, 4),
        ),
        max_size=12,
    )
)
def test_whatever_comes_first(steps: list[Step]) -> None:
    """However old the lookups are: a message has its latest text, and all that was before is blank."""
    world = World()
    ann = world.enter("ann")
    seqs = [said(world, ann, id) for id in (1, 2, 3)]
    texts = {seq: f"text {id}" for id, seq in enumerate(seqs, 1)}
    looked: list[list[Looked]] = [[world.look_up(seq)] for seq in seqs]
    for id, (which, form, text, ago) in enumerate(steps, 4):
        seq, known = seqs[which], looked[which]
        known.append(world.look_up(seq))
        old = known[max(0, len(known) - 1 - ago)]
        applied = world.amend(ann, id, form, seq, "" if form is Form.DELETE else text, old)
        if applied.happened and form is not Form.REACT:
            texts[seq] = "" if form is Form.DELETE else text
    now = [world.event_at(event.seq) for event in world.log]
    for event in now:
        assert event is not None
        if event.kind is EventKind.SAID:
            assert event.text == texts[event.seq]
        elif event.kind is EventKind.EDITED:
            message = world.event_at(extra_number(event.extra, Extra.MESSAGE))
            assert message is not None
            latest = extra_number(message.extra, Extra.EDITED) == event.seq
            assert event.text == (message.text if latest else "")


numbers = st.integers(0, 2**63 - 1)
garbage = st.builds(
    Event,
    seq=st.integers(0, 5),
    time=numbers,
    kind=st.sampled_from(EventKind),
    channel=st.sampled_from(["#general", ""]),
    author=st.just("ann"),
    text=st.just(""),
    id=numbers,
    person=st.integers(0, 3),
    place=st.integers(0, 3),
    extra=st.binary(max_size=12),
)


@given(
    id=numbers,
    form=st.integers(0, 7),
    text=st.binary(max_size=8),
    message=st.none() | garbage,
    edit=st.none() | garbage,
)
def test_nothing_raises(id: int, form: int, text: bytes, message: Event | None, edit: Event | None) -> None:
    """Whatever an entry of another server has, it can be applied."""
    world = World()
    ann = world.enter("ann")
    world.say(ann, 1)
    body = Amend(id, "", form, message, text, edit)
    entry = Entry(b"", world.time, "", world.epoch, [Proposal(ann.origin, 0, ProposalKind.AMEND, body)])
    applied = world.state.apply(entry)
    assert len(events_in(applied.happened)) + len(answers(applied.effects)) == 1


def events_in(happened: Sequence[object]) -> list[Event]:
    return [one for one in happened if isinstance(one, Event)]


def test_what_somebody_gets_is_their_reach(world: World) -> None:
    """`State.gets` looks at one place; for each event it says the same as the reach of a connection."""
    ann, bob, eve = world.enter("ann"), world.enter("bob"), world.enter("eve", "#tea")
    world.act(ann, "/join", "#tea", "")
    world.say(ann, 1, channel="#tea")
    world.act(eve, "/set", "history", "joined", channel="#tea")
    world.act(ann, "/leave", "", channel="#tea")
    world.say(eve, 1, channel="#tea")
    world.act(ann, "/join", "#tea", "")
    world.act(bob, "/join", "#tea", "")
    world.write(ann, 2, 2)
    for person in (1, 2, 3, 9):
        for event in world.log:
            reach = world.state.reach(person, event.seq - 1)
            found = bool(reach.within((event.place,), event.seq - 1, event.seq))
            assert world.state.gets(person, event.place, event.seq) is found, (person, event)


def test_the_later_name_of_a_channel_is_not_told(world: World) -> None:
    """Who was in a channel that has another name now, and is out, reads the name that was known then."""
    ann = world.enter("ann", "#tea")
    bob = world.enter("bob", "#tea")
    seq = said(world, bob, 1, channel="#tea")
    world.act(bob, "/leave", "", channel="#tea")
    assert world.act(ann, "/move", "#hidden", channel="#tea").code is Code.OK
    (answer,) = answers(world.amend(bob, 2, Form.EDIT, seq, "x").effects)
    assert answer.outcome == Outcome(Code.NOT_IN, ("#tea",))
