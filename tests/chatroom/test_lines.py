"""Lines: their forms and extras; each is said once, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.effects import Answer, Effect
from chatroom.events import Event, EventKind, Extra, Talk, extra_row
from chatroom.lines import SIZES, checked_extra
from chatroom.order import Entry
from chatroom.outcomes import Code
from chatroom.packets import Burst, Form
from chatroom.proposals import Proposal, ProposalKind
from tests.chatroom.world import World, events


@pytest.fixture
def world() -> World:
    return World()


def codes(effects: list[Effect]) -> list[Code]:
    return [effect.outcome.code for effect in effects if isinstance(effect, Answer)]


def test_a_plain_burst_makes_no_object_for_a_line(world: World) -> None:
    """Plain lines in a channel stay bytes, whatever their number."""
    ann = world.enter("ann")
    (talk,) = world.say(ann, *range(1, 100)).happened
    assert isinstance(talk, Talk) and len(talk.texts) == 99


@pytest.mark.parametrize("form", [Form.ACT, Form.BOT])
def test_a_form_is_told(world: World, form: Form) -> None:
    """A line that is no plain one has its form in the extra, and counts as said."""
    ann = world.enter("ann")
    applied = world.say(ann, 5, form=form)
    (said,) = events(applied)
    assert (said.kind, said.text, said.id) == (EventKind.SAID, "text 5", 5)
    assert said.extra == extra_row(Extra.FORM, form, 1)
    assert codes(world.say(ann, 5, form=form).effects) == codes(world.say(ann, 5).effects) == [Code.ALREADY]


def test_lines_of_a_form_are_known_after_a_start(world: World) -> None:
    """Like plain lines they are not repeated after a crash: a start knows them from their events."""
    ann = world.enter("ann")
    world.say(ann, 5, form=Form.ACT)
    assert [talker.id for talker in world.late()] == [5]
    world.state = world.restored()
    world.up()
    again, _ = world.ask("ann", known=ann.session)
    world.come(again)
    assert codes(world.say(again, 5, form=Form.ACT).effects) == [Code.ALREADY]


def test_an_answer_to_a_message(world: World) -> None:
    """REPLY_TO is a seq that was given; it is told as it came."""
    ann = world.enter("ann")
    world.say(ann, 1)
    (reply,) = events(world.say(ann, 2, form=Form.ACT, extra=extra_row(Extra.REPLY_TO, 2)))
    assert reply.extra == extra_row(Extra.FORM, Form.ACT, 1) + extra_row(Extra.REPLY_TO, 2)
    (plain,) = events(world.say(ann, 3, extra=extra_row(Extra.REPLY_TO, 2)))
    assert plain.extra == extra_row(Extra.REPLY_TO, 2)
    for seq in (0, world.state.head + 1, 2**63):
        refused = world.say(ann, 4, extra=extra_row(Extra.REPLY_TO, seq))
        assert codes(refused.effects) == [Code.NO_SUCH_MESSAGE] and not refused.happened


def test_other_keys_are_left_out(world: World) -> None:
    """Keys that lines do not have are skipped: nobody can say that a line is edited by saying it."""
    ann = world.enter("ann")
    extra = extra_row(Extra.EDITED, 1) + extra_row(200, b"new") + extra_row(Extra.FORM, Form.BOT, 1)
    (said,) = events(world.say(ann, 1, extra=extra))
    assert said.extra == b""


@pytest.mark.parametrize(
    ("form", "extra"),
    [
        (Form.SAY, extra_row(Extra.REPLY_TO, 1, 4)),
        (Form.SAY, extra_row(Extra.REPLY_TO, b"")),
        (Form.ACT, extra_row(Extra.RECEIVER, 1, 4)),  # no direct conversation
        (Form.EDIT, extra_row(Extra.MESSAGE, 1)),  # comes by another way
        (Form.DELETE, b""),
        (6, b""),
    ],
)
def test_what_cannot_be(world: World, form: int, extra: bytes) -> None:
    """A form that is none of lines, or an extra that is not written as it must be, says nothing."""
    ann = world.enter("ann")
    refused = world.say(ann, 1, form=form, extra=extra)
    assert codes(refused.effects) == [Code.BAD_ARGUMENTS] and not refused.happened and not refused.records


def test_an_act_without_words_says_nothing(world: World) -> None:
    """Only the forms that are no lines may be without text."""
    ann = world.enter("ann")
    burst = Burst("#general", [1], [b""], Form.ACT)
    refused = world.propose(ann.origin, ProposalKind.LINES, burst)
    assert codes(refused.effects) == [Code.BAD_ARGUMENTS] and not refused.happened


@given(
    st.sampled_from(["#general", "#nowhere", "@ann", "@", ""]),
    st.integers(0, 255),
    st.binary(max_size=20) | st.builds(extra_row, st.integers(1, 12), st.binary(max_size=8)),
    st.lists(st.binary(max_size=4), max_size=3),
)
def test_nothing_raises(channel: str, form: int, extra: bytes, texts: list[bytes]) -> None:
    """Whatever an entry has: it can be applied, and each line has one event or one answer."""
    world = World()
    ann = world.enter("ann")
    burst = Burst(channel, list(range(1, len(texts) + 1)), texts, form, extra)
    entry = Entry(b"", world.time, "", world.epoch, [Proposal(ann.origin, 0, ProposalKind.LINES, burst)])
    applied = world.state.apply(entry)
    said = [one for one in applied.happened if isinstance(one, Event)]
    told = sum(len(one.ids) for one in applied.happened if isinstance(one, Talk)) + len(said)
    assert told + len(codes(applied.effects)) == len(texts)


@given(st.dictionaries(st.integers(1, 12), st.binary(max_size=9), max_size=5))
def test_checked_rows(rows: dict[int, bytes]) -> None:
    """Rows of the right size are numbers; one of another size spoils all."""
    found = checked_extra(b"".join(extra_row(key, value) for key, value in rows.items()), SIZES)
    wanted = {key: value for key, value in rows.items() if key in SIZES}
    if all(len(value) == SIZES[Extra(key)] for key, value in wanted.items()):
        assert found == {key: int.from_bytes(value, "big") for key, value in wanted.items()}
    else:
        assert found is None
