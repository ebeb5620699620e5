"""Why somebody may not say something: muted, moderated, slow. World restores each state."""

from __future__ import annotations

import pytest

from chatroom.effects import Answer
from chatroom.events import EventKind, Extra, Setting, extra_rows
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Form
from chatroom.places import AUDIT_PLACE, Member
from chatroom.session import Session
from chatroom.speaking import Allowed
from chatroom.whom import Who, read_aim
from tests.chatroom.test_moderation import ALSO_FAR, BOB, DORA, EVE, FAR, ROOT, with_tea
from tests.chatroom.world import Followed, Visit, World, events
from tests.support.events import NOON

TEA, DORA_ID, EVE_ID, BOB_ID, ROOT_ID = 2, 1, 2, 3, 4


@pytest.fixture
def world() -> World:
    """dora owns #tea; eve and bob, guests, are in it. root owns the chatroom and is in #general."""
    return with_tea()


def mute(world: World, whom: str, where: str = "#tea", by: Visit = ROOT) -> None:
    aim = read_aim(whom)
    assert not isinstance(aim, Outcome)
    assert world.act(by, "/mute", *aim, channel=where).code is Code.OK


def refused(followed: Followed) -> list[Outcome]:
    """Why lines were not said."""
    return [effect.outcome for effect in followed.effects if isinstance(effect, Answer)]


def said(followed: Followed) -> list[int]:
    """The ids of what was said."""
    return [event.id for event in events(followed)]


# --- muted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["eve", "+eve", FAR])
def test_muted_in_a_channel(world: World, whom: str) -> None:
    """Who is muted says no line and sets no topic there, is told until when and why, and reads on. Elsewhere
    and alone with somebody they speak as before; so do the others there."""
    mute(world, f"{whom} 10m loud", by=ROOT)
    told = Outcome(Code.MUTED, ("#tea", NOON + 600_000, "loud"))
    for form in (Form.SAY, Form.ACT):
        assert refused(world.say(EVE, 1, 2, channel="#tea", form=form)) == [told, told]
    assert world.act(EVE, "/topic", "hm", channel="#tea") == told
    assert said(world.say(EVE, 3)) == [3] and said(world.write(EVE, BOB_ID, 4)) == [4]
    assert said(world.say(BOB, 1, channel="#tea")) == [1]
    world.tick(600)
    assert said(world.say(EVE, 5, channel="#tea")) == [5]


def test_muted_everywhere(world: World) -> None:
    """Who is muted in the chatroom speaks nowhere, but can ask its operators for help."""
    mute(world, "eve bad day", "*")
    told = Outcome(Code.MUTED, ("*", 0, "bad day"))
    assert refused(world.say(EVE, 1)) == refused(world.say(EVE, 2, channel="#tea")) == [told]
    assert refused(world.write(EVE, BOB_ID, 3)) == [told]
    assert said(world.write(EVE, ROOT_ID, 4)) == [4]
    world.act(ROOT, "/unmute", *Who("name eve", "eve"), channel="*")
    assert said(world.write(EVE, BOB_ID, 5)) == [5]


def test_muted_what_was_said(world: World) -> None:
    """Who is muted can take back what they have said, and neither edit nor react; also alone with others."""
    world.say(EVE, 1, 2, channel="#tea"), world.write(EVE, BOB_ID, 3)
    first, second, direct = (event.seq for event in world.log if event.kind is EventKind.SAID)
    mute(world, "eve", "*")
    for number, (seq, form, text) in enumerate(
        [(first, Form.EDIT, "new"), (first, Form.REACT, "+1"), (direct, Form.EDIT, "new")], 4
    ):
        (why,) = refused(world.amend(EVE, number, form, seq, text))
        assert why.code is Code.MUTED and why.rows[0] == "*"
    for number, seq in enumerate((second, direct), 10):
        assert said(world.amend(EVE, number, Form.DELETE, seq)) == [number]


def test_muted_shows_no_text(world: World) -> None:
    """Names, away texts and reasons are texts, too: all channels of the person would read them."""
    mute(world, "eve", "#tea")
    assert world.act(EVE, "/nick", "loud", "loud", "1oud").code is Code.MUTED
    assert world.act(EVE, "/away", "shouting").code is Code.MUTED
    assert world.act(EVE, "/away", "away").code is Code.OK and world.act(EVE, "/back").code is Code.OK
    assert world.act(EVE, "/leave", "fare well", channel="#general").code is Code.OK  # they read it elsewhere
    assert world.log[-1].text == "fare well"
    world.leave(EVE, "shouting")
    assert world.log[-1].kind is EventKind.QUIT and world.log[-1].text == ""


def test_muted_leaves(world: World) -> None:
    """Leaving works, without a word."""
    mute(world, "eve")
    assert world.act(EVE, "/leave", "shouting", channel="#tea").code is Code.OK
    assert (world.log[-1].kind, world.log[-1].text) == (EventKind.LEFT, "")
    world.leave(EVE, "elsewhere")
    assert world.log[-1].text == "elsewhere"


def test_operators_are_not_muted(world: World) -> None:
    """A mask hits no operator, and who is exempt is not hit."""
    aim = read_aim("bob")
    assert not isinstance(aim, Outcome)
    world.act(ROOT, "/exempt", *aim, channel="#tea")
    mute(world, ALSO_FAR)
    mute(world, FAR)
    world.act(DORA, "/op", "eve", channel="#tea")
    assert said(world.say(BOB, 1, channel="#tea")) == [1] and said(world.say(EVE, 1, channel="#tea")) == [1]


def test_muted_operator_of_a_channel_invites_without_a_message(world: World) -> None:
    """An invitation says the channel's name alone with somebody: who is muted everywhere lets only join."""
    world.enter("zoe")
    mute(world, "dora", "*")
    assert refused(world.say(DORA, 1, channel="#tea"))[0].code is Code.MUTED  # although she owns it
    before = world.state.head
    assert world.act(DORA, "/invite", "zoe", channel="#tea").code is Code.OK
    assert [event.kind for event in world.log[before:]] == [EventKind.LISTED, EventKind.AUDITED]


def test_muted_operator_of_a_channel_says_nothing_by_what_an_operator_may(world: World) -> None:
    """Everybody can found a channel: its polls, its names and reasons are no way around a mute."""
    world.act(ROOT, "/join", "#tea", "")
    mute(world, "dora loud", "*")
    muted = Outcome(Code.MUTED, ("*", 0, "loud"))
    assert world.act(DORA, "/poll", "hear | me | now", channel="#tea") == muted
    assert world.act(DORA, "/move", "#hear-me", channel="#tea") == muted
    before = world.state.head
    for command in ("/mute", "/exempt", "/ban"):
        aim = read_aim("eve 1h hear me")
        assert not isinstance(aim, Outcome)
        assert world.act(DORA, command, *aim, channel="#tea").code is Code.OK
    assert world.act(DORA, "/kick", "bob", "hear me", channel="#tea").code is Code.OK
    assert world.act(DORA, "/close", "hear me", channel="#tea").code is Code.OK
    said = [event for event in world.log[before:] if event.place != AUDIT_PLACE]
    assert EventKind.KICKED in [event.kind for event in said]
    assert [event.text for event in said] == [""] * len(said)


# --- moderated ----------------------------------------------------------------------------------------------


def test_moderated(world: World) -> None:
    """/hush lets only operators and those with voice speak; off lets everybody."""
    assert world.act(DORA, "/hush", "on", channel="#tea") == Outcome(Code.OK, ("moderated", "on"))
    assert world.act(DORA, "/hush", "on", channel="#tea").code is Code.ALREADY
    world.act(DORA, "/voice", "bob", channel="#tea")
    assert refused(world.say(EVE, 1, channel="#tea")) == [Outcome(Code.NEED_ROLE, ("#tea",))]
    assert said(world.say(BOB, 1, channel="#tea")) == [1] and said(world.say(DORA, 1, channel="#tea")) == [1]
    assert world.act(EVE, "/nick", "loud", "loud", "1oud") == Outcome(Code.NEED_ROLE, ("/nick", "voice"))
    assert world.act(EVE, "/away", "shouting") == Outcome(Code.NEED_ROLE, ("/away", "voice"))
    assert world.act(BOB, "/topic", "hm", channel="#tea") == Outcome(Code.NEED_ROLE, ("/topic", "operator"))
    assert world.act(DORA, "/hush", "off", channel="#tea").code is Code.OK
    assert said(world.say(EVE, 2, channel="#tea")) == [2]
    assert world.act(EVE, "/hush", "on", channel="#tea").code is Code.NEED_ROLE


# --- slow ---------------------------------------------------------------------------------------------------


def test_slow(world: World) -> None:
    """In a slow channel each member says one line in so many seconds; who has voice is not slow. Of a burst
    the first line is said, and the others are told when again. A restart remembers it."""
    assert world.act(DORA, "/slow", 10, channel="#tea") == Outcome(Code.OK, ("#tea", 10))
    assert world.act(DORA, "/slow", 10, channel="#tea").code is Code.ALREADY
    told = [event for event in world.log if event.kind is EventKind.SET][-1]
    assert extra_rows(told.extra) == {Setting.SLOW: (10).to_bytes(2, "big")} and told.place == TEA
    channel = world.state.channel("#tea")
    assert channel is not None and Setting.SLOW in channel.settings
    followed = world.say(EVE, 1, 2, 3, channel="#tea")
    assert said(followed) == [1]
    assert refused(followed) == [Outcome(Code.SLOW_DOWN, (NOON + 10_000, 10_000))] * 2
    assert said(world.say(EVE, 4)) == [4] and said(world.say(BOB, 1, channel="#tea")) == [1]
    assert said(world.say(DORA, 1, 2, channel="#tea")) == [1, 2]
    world.time += 9_999
    assert refused(world.say(EVE, 5, channel="#tea", form=Form.ACT))[0].rows == (NOON + 10_000, 1)
    assert world.act(EVE, "/topic", "hm", channel="#tea").code is Code.SLOW_DOWN
    world.time += 1
    assert said(world.say(EVE, 6, channel="#tea", form=Form.ACT)) == [6]
    world.tick(10)
    assert world.act(EVE, "/topic", "hm", channel="#tea").code is Code.OK
    assert refused(world.say(EVE, 7, channel="#tea"))[0].code is Code.SLOW_DOWN
    world.tick(11)
    assert [record for record in world.state.records() if record.kind == "pace"] == []


def test_slow_does_not_count_what_is_refused(world: World) -> None:
    """A line that was not said for another reason costs no time; and an edit comes at once."""
    world.act(DORA, "/slow", 10, channel="#tea")
    assert refused(world.say(EVE, 1, channel="#tea", form=9))[0].code is Code.BAD_ARGUMENTS
    assert said(world.say(EVE, 2, channel="#tea")) == [2]
    assert said(world.amend(EVE, 3, Form.EDIT, world.state.head, "new")) == [3]
    assert world.act(DORA, "/slow", 0, channel="#tea").code is Code.OK
    assert said(world.say(EVE, 4, 5, channel="#tea")) == [4, 5]


# --- rules of other parts -----------------------------------------------------------------------------------


class TwoLines:
    """A rule: bob says two more things, and shows nothing else."""

    def __init__(self) -> None:
        self.is_set, self.left = True, 2

    def allowed(self, session: Session, member: Member, number: int) -> Allowed:
        if member.person != BOB_ID or number <= self.left:
            return Allowed(number)
        return Allowed(self.left, Outcome(Code.SLOW_DOWN, (7, 7)))

    def said(self, session: Session, member: Member, number: int) -> None:
        self.left -= number if member.person == BOB_ID else 0

    def shown(self, session: Session, member: Member) -> Outcome | None:
        return Outcome(Code.SLOW_DOWN, (7, 7)) if member.person == BOB_ID else None


def test_a_rule_of_another_part() -> None:
    """It counts lines, direct lines, edits and reactions together, in all places."""
    world = with_tea()
    world.state._speaking.rules.append(TwoLines())
    speaking = world.state._speaking
    session = world.state.session_at(world.origin(BOB.origin))
    assert session is not None
    member = world.state.members[BOB_ID]
    assert speaking.allowed(session, member, TEA, 3).number == 2
    speaking.said(session, member, TEA, 1)
    assert speaking.amending(session, member, TEA) is None
    speaking.amended(session, member)
    assert speaking.amending(session, member, TEA) == Outcome(Code.SLOW_DOWN, (7, 7))
    assert speaking.allowed(session, member, 0, 1, EVE_ID).number == 0
    assert speaking.shown(session, member, "/nick") == Outcome(Code.SLOW_DOWN, (7, 7))
    assert speaking.reason(session, member, "bye") == ""


# --- /announce, the audit trail -----------------------------------------------------------------------------


def test_announce(world: World) -> None:
    """All are told; only operators of the chatroom may."""
    assert world.act(DORA, "/announce", "tea is ready") == Outcome(Code.NEED_ROLE, ("/announce", "operator"))
    assert world.act(ROOT, "/announce", "tea is ready").code is Code.OK
    event = next(event for event in world.log if event.kind is EventKind.ANNOUNCED)
    assert (event.place, event.channel, event.author, event.text) == (0, "", "root", "tea is ready")


def test_each_act_is_audited(world: World) -> None:
    """Mutes, their ends, slow channels and announcements each leave one line in the trail."""
    before = world.state.head
    mute(world, "eve 10m loud", by=DORA)
    world.act(DORA, "/unmute", *Who("name eve", "eve"), channel="#tea")
    world.act(DORA, "/slow", 5, channel="#tea")
    world.act(ROOT, "/announce", "hear")
    trail = [event for event in world.log[before:] if event.place == AUDIT_PLACE]
    assert [(event.author, event.channel, event.text) for event in trail] == [
        ("dora", "#tea", "/mute eve 10m: loud"),
        ("dora", "#tea", "/unmute eve"),
        ("dora", "#tea", "/slow 5"),
        ("root", "*", "/announce hear"),
    ]
    assert all(event.kind is EventKind.AUDITED for event in trail)
    assert extra_rows(trail[0].extra)[Extra.TARGET] == EVE_ID.to_bytes(4, "big")
    for person in (DORA_ID, EVE_ID, ROOT_ID):  # nobody gets the trail, its author neither
        assert AUDIT_PLACE not in world.state.reach(person, 0).places
        assert AUDIT_PLACE not in world.state.places_of(person)
        assert not world.state.gets(person, AUDIT_PLACE, trail[0].seq)
