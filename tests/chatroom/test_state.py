"""The state: a pure fold of entries. World judges every entry: no gap in the seqs, the records restore."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import count
from types import FunctionType, ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.act import Number, Text
from chatroom.acts import ACTS
from chatroom.bounds import SETTABLE, Limits
from chatroom.effects import Admit, Answer, Effect, End, Gone, NameAnswer
from chatroom.errors import ChatroomError
from chatroom.events import Event, EventKind, Talk
from chatroom.limits import (
    HANDSHAKE_SECONDS,
    HOLD_SECONDS,
    HOLDS_PER_TICK,
    MAX_CHANNELS,
    MAX_NUMBER,
    MAX_PLACES,
    NETWORK_PLACES,
    SESSION_SECONDS,
)
from chatroom.network import network_of
from chatroom.order import Entry
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst, Form
from chatroom.places import AUDIT_PLACE
from chatroom.proposals import Act, Arrive, Body, Enter, Leave, Limit, Own, Proposal, ProposalKind, Withdraw
from chatroom.records import Record, Talker
from chatroom.state import State
from tests.chatroom.world import Visit, World, admits, ends, events
from tests.support.blocks import reaches
from tests.support.events import NOON


@pytest.fixture
def world() -> World:
    return World()


def kinds(events: list[Event]) -> list[EventKind]:
    return [event.kind for event in events]


def lines(visit: Visit, burst: Burst) -> Proposal:
    return Proposal(visit.origin, 0, ProposalKind.LINES, burst)


def codes(effects: list[Effect]) -> list[Code]:
    """The answers to lines and to names."""
    return [effect.outcome.code for effect in effects if isinstance(effect, Answer | NameAnswer)]


# --- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["ann", "Ann", "ANN", "Ａｎｎ"])
def test_a_name_is_given_once(world: World, other: str) -> None:
    """A name in its handshake is refused to others, in any spelling that counts as the same."""
    visit, given = world.ask("Ann")
    assert given == Outcome(Code.OK, (False, "Ann"))
    assert world.ask(other)[1] == Outcome(Code.NAME_TAKEN, ("Ann", 0))
    world.withdraw(visit)
    assert world.ask(other)[1].code is Code.OK


@pytest.mark.parametrize("other", ["ann", "Ann", "ＡＮＮ"])
def test_a_members_name_is_in_use(world: World, other: str) -> None:
    """A member's name is its own until it has left."""
    ann = world.enter("ann")
    assert world.ask(other)[1] == Outcome(Code.NAME_TAKEN, ("ann", 0))
    world.leave(ann)
    assert world.enter(other) and world.state.members[2].name == other


def test_a_lost_members_name_is_held(world: World) -> None:
    """The name of a member whose connection broke is kept; the answer says for how many seconds."""
    world.lose(world.enter("ann"))
    world.time += 30_500
    assert world.ask("Ann")[1] == Outcome(Code.NAME_HELD, ("ann", 60))
    world.tick(HOLD_SECONDS - 30.5)
    assert world.ask("Ann")[1].code is Code.OK


def test_a_name_in_the_handshake_expires(world: World) -> None:
    """A name that is not used within HANDSHAKE_SECONDS goes to another newcomer; the late one is told."""
    late, _ = world.ask("ann")
    world.tick(HANDSHAKE_SECONDS - 0.001)
    assert world.ask("ann")[1].code is Code.NAME_TAKEN
    world.tick(0.001)
    other, given = world.ask("ann")
    assert given.code is Code.OK
    assert world.come(late).effects == [End(world.origin(late.origin), Code.EXPIRED)]
    assert [admit.name for admit in admits(world.come(other))] == ["ann"]


def test_withdrawing_twice_or_late_does_nothing(world: World) -> None:
    """Who gives a name up that it has no longer takes it from nobody, and disturbs no member."""
    early, _ = world.ask("ann")
    world.withdraw(early)
    ann = world.enter("ann")
    for visit in (early, early._replace(session=ann.session), ann):
        assert world.withdraw(visit) == ([], [], [])
    assert world.phase(ann) == "here"


def test_a_withdrawn_name_leaves_nothing(world: World) -> None:
    """A newcomer that gives its name up, or does not come, leaves no record."""
    world.withdraw(world.ask("ann")[0])
    world.ask("bob")
    world.tick(HANDSHAKE_SECONDS)
    assert [record.kind for record in world.kept()] == ["history"] and world.log == []


@pytest.mark.parametrize("other", ["ian", "lan", "1an", "іan", "İan"])
def test_a_look_alike_of_a_taken_name_is_refused(world: World, other: str) -> None:
    """Whoever is here, lost, or on the way in: nobody gets a name that looks like theirs."""
    visit, _ = world.ask("Ian")
    assert world.ask(other)[1] == Outcome(Code.NAME_TAKEN, ("Ian", 0))
    world.come(visit)
    assert world.ask(other)[1] == Outcome(Code.NAME_TAKEN, ("Ian", 0))
    world.lose(visit)
    assert world.ask(other)[1] == Outcome(Code.NAME_HELD, ("Ian", 90))
    world.tick(HOLD_SECONDS)
    assert world.ask(other)[1].code is Code.OK


def test_a_late_look_alike_is_not_in_the_way(world: World) -> None:
    """A newcomer that has not come in time keeps nobody from a name that looks like its own."""
    world.ask("Ian")
    world.time += int(HANDSHAKE_SECONDS * 1000)
    assert world.ask("lan")[1].code is Code.OK


def test_a_name_may_be_taken_that_looks_like_none(world: World) -> None:
    """Names that can be told apart are given, although one of them has a look-alike."""
    for name in ("ian", "lan", "ann", "änn", "ạnn"):
        assert world.ask(name)[1].code is Code.OK


def test_a_token_does_not_open_a_look_alike(world: World) -> None:
    """Who comes back after the goodbye finds the name refused if somebody who looks like it is here now."""
    first = world.enter("Ian")
    world.say(first, 1)
    world.leave(first)
    lan = world.enter("lan")
    assert world.ask("Ian", first.session)[1] == Outcome(Code.NAME_TAKEN, ("lan", 0))
    world.leave(lan)
    assert world.ask("Ian", first.session)[1] == Outcome(Code.OK, (True, "Ian"))


def test_another_way_of_writing_looks_otherwise(world: World) -> None:
    """The bearer of a token may write its name otherwise, unless it then looks like somebody else."""
    ian, _ = world.ask("ian")
    world.enter("lan")
    assert world.ask("Ian", ian.session)[1] == Outcome(Code.NAME_TAKEN, ("lan", 0))
    assert world.ask("iAN", ian.session)[1] == Outcome(Code.OK, (True, "iAN"))


def test_a_member_keeps_its_name_as_it_is(world: World) -> None:
    """A member that comes back is called as before, however it writes its name now."""
    ian = world.enter("ian")
    world.enter("lan")
    assert world.ask("Ian", ian.session)[1] == Outcome(Code.OK, (True, "ian"))
    assert world.state.members[1].name == "ian"


# --- tokens ---------------------------------------------------------------------------------------------


def test_the_own_token_gives_the_name_back(world: World) -> None:
    """A client with its session's token gets its name although its old connection still has it."""
    ann = world.enter("ann")
    again, given = world.ask("Ann", ann.session)
    assert given == Outcome(Code.OK, (True, "ann")) and again.session == ann.session
    third, given = world.ask("ann", ann.session)  # a second try need not wait for the first one
    assert given.code is Code.OK
    assert world.come(again).effects == [End(world.origin(again.origin), Code.EXPIRED)]
    assert len(admits(world.come(third))) == 1


def test_a_token_opens_its_session_whatever_name_comes_with_it(world: World) -> None:
    """A member keeps its name, nobody gets that of another one, and what was said is not forgotten."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.say(bob, 7)
    assert world.ask("bob", ann.session)[1] == Outcome(Code.OK, (True, "ann"))
    world.lose(bob)
    again, given = world.ask("carl", bob.session)
    assert given == Outcome(Code.OK, (True, "bob")) and again.session == bob.session
    (admit,) = admits(world.come(again))
    assert (admit.name, admit.confirmed) == ("bob", 7)


def test_an_absent_session_has_its_name_again_or_the_one_that_is_asked_for(world: World) -> None:
    """Who comes back after the goodbye is called as before; if that name is taken, as the client asks."""
    bob = world.enter("bob")
    world.say(bob, 7)
    world.leave(bob)
    world.withdraw(again := world.ask("carl", bob.session)[0])
    assert again.session == bob.session and world.phase(bob) == "absent"
    assert world.ask("carl", bob.session)[1] == Outcome(Code.OK, (True, "bob"))
    world.withdraw(world.ask("bob", bob.session)[0])
    world.tick(HANDSHAKE_SECONDS)
    other = world.enter("bob")
    assert world.ask("bob", bob.session)[1] == Outcome(Code.NAME_TAKEN, ("bob", 0))
    back, given = world.ask("carl", bob.session)
    assert given == Outcome(Code.OK, (True, "carl"))
    (admit,) = admits(world.come(back))
    assert (admit.name, admit.person, admit.confirmed) == ("carl", 1, 7)
    assert [member.name for member in world.state.members.values()] == ["bob", "carl"]
    assert world.phase(other) == "here"


def test_an_absent_sessions_token_does_not_take_over(world: World) -> None:
    """A token does not open its name when another session has taken the name meanwhile."""
    first = world.enter("ann")
    world.say(first, 1)
    world.leave(first)
    second, _ = world.ask("ann")
    assert world.ask("ann", first.session)[1].code is Code.NAME_TAKEN
    world.come(second)
    assert world.ask("ann", first.session)[1].code is Code.NAME_TAKEN


def test_a_handshake_belongs_to_one_session(world: World) -> None:
    """A client whose own try broke gets the name again at once; another session does not."""
    early = world.enter("ann")
    world.say(early, 5)
    world.leave(early)
    late = world.enter("ann")
    world.say(late, 9)
    world.leave(late)
    world.ask("ann", late.session)
    assert world.ask("ann", late.session)[1] == Outcome(Code.OK, (True, "ann"))
    for known in (early.session, ""):
        assert world.ask("ann", known)[1].code is Code.NAME_TAKEN


def test_a_token_that_comes_twice(world: World) -> None:
    """A proposer that makes a token which exists already gets no session: it would open another one."""
    ann = world.enter("ann")
    body = Arrive("bob", "bob", "", ann.session, "")
    assert codes(world.propose(99, ProposalKind.ARRIVE, body).effects) == [Code.UNAVAILABLE]
    assert world.state.members[1].name == "ann"


# --- phases ---------------------------------------------------------------------------------------------


def test_coming_in(world: World) -> None:
    """ARRIVING → HERE: the others are told of a newcomer only when it has come in."""
    visit, _ = world.ask("Ann")
    assert (world.log, world.phase(visit)) == ([], "arriving")
    applied = world.come(visit, "#general", "#quiet", "#general")
    assert applied.effects == [Admit(world.origin(visit.origin), 1, "Ann", 0, 0)]
    assert [(e.kind, e.author, e.person, e.channel, e.place, e.time) for e in events(applied)] == [
        (EventKind.JOINED, "Ann", 1, "#general", 1, NOON),
        (EventKind.JOINED, "Ann", 1, "#quiet", 2, NOON),
        (EventKind.AUDITED, "Ann", 1, "#quiet", AUDIT_PLACE, NOON),
    ]
    assert world.phase(visit) == "here"
    assert [channel.name for channel in world.state.channels_of(1)] == ["#general", "#quiet"]


def test_a_clean_goodbye(world: World) -> None:
    """HERE → ABSENT: a goodbye is one QUIT at once, for all channels, and the name is free."""
    ann = world.enter("ann", "#general", "#quiet")
    world.say(ann, 1)
    applied = world.leave(ann, "so long")
    (quit,) = events(applied)
    assert quit[2:] == (EventKind.QUIT, "", "ann", "so long", 0, 1, 0, b"", (1, 2))
    assert applied.effects == [Gone(world.origin(ann.origin))]
    assert world.phase(ann) == "absent"
    assert world.state.members == {} and world.state.channels_of(1) == []
    channel = world.state.channel("#general")
    assert channel is not None and not channel.members
    assert world.say(ann, 2) == ([], [], [])


def test_the_places_of_a_quit_have_one_order(world: World) -> None:
    """QUIT lists its places by number: the order of joining is forgotten at a start of the server."""
    world.enter("bob", "#general")
    ann = world.enter("ann", "#quiet", "#general")
    assert events(world.leave(ann))[0].places == (1, 2)


def test_a_broken_connection_is_held(world: World) -> None:
    """HERE → LOST → ABSENT: the others are told only when the member has not come back in time."""
    ann = world.enter("ann")
    world.say(ann, 1)
    world.tick()
    assert events(world.lose(ann, "silent for 45 s")) == []
    assert world.phase(ann) == "lost" and 1 in world.state.members
    assert world.tick(HOLD_SECONDS - 0.001) == ([], [], [])
    (quit,) = events(world.tick(0.001))
    assert (quit.kind, quit.text, quit.places) == (EventKind.QUIT, "silent for 45 s", (1,))
    assert world.phase(ann) == "absent" and world.state.members == {}
    assert world.tick(HOLD_SECONDS) == ([], [], [])


def test_a_return_within_the_hold_is_silent(world: World) -> None:
    """LOST → HERE: who comes back with its token in time is the same member, and nobody is told."""
    ann = world.enter("ann", "#general", "#quiet")
    world.say(ann, 7)
    head = world.state.head
    world.lose(ann)
    again = world.enter("ann", "#general", known=ann.session)
    assert world.phase(again) == "here" and world.state.head == head
    assert events(world.tick(HOLD_SECONDS)) == []
    assert [channel.name for channel in world.state.channels_of(1)] == ["#general", "#quiet"]
    assert events(world.say(again, 8))[0].person == 1


def test_a_return_lasts_as_long_as_a_handshake(world: World) -> None:
    """A lost session is held for a whole handshake, however late its client begins to come back."""
    ann = world.enter("ann")
    world.lose(ann)
    world.tick(HOLD_SECONDS - 1)
    again, _ = world.ask("ann", ann.session)
    assert events(world.tick(HANDSHAKE_SECONDS - 0.001)) == []
    assert events(world.come(again)) == []
    assert world.phase(ann) == "here"


def test_a_handshake_does_not_shorten_the_hold(world: World) -> None:
    """A client that tries to come back and fails has the rest of its time."""
    ann = world.enter("ann")
    world.lose(ann)
    broken, _ = world.ask("ann", ann.session)
    world.withdraw(broken)
    assert world.phase(ann) == "lost"
    assert events(world.tick(HOLD_SECONDS - 0.001)) == []
    assert len(admits(world.come(world.ask("ann", ann.session)[0]))) == 1


def test_a_late_try_to_come_back_expires(world: World) -> None:
    """A lost session whose client begins to come back and does not come ends all the same."""
    ann = world.enter("ann")
    world.lose(ann)
    again, _ = world.ask("ann", ann.session)
    assert kinds(events(world.tick(HOLD_SECONDS))) == [EventKind.QUIT]
    assert ends(world.come(again)) == [End(world.origin(again.origin), Code.EXPIRED)]


def test_an_absent_session_comes_back(world: World) -> None:
    """ABSENT → ARRIVING → HERE: the same person, with the highest applied id; the others see JOINED."""
    ann = world.enter("ann")
    world.say(ann, 42)
    world.leave(ann)
    again, given = world.ask("Ann", ann.session)
    assert given == Outcome(Code.OK, (True, "Ann")) and world.phase(ann) == "arriving"
    assert world.ask("ann")[1].code is Code.NAME_TAKEN
    applied = world.come(again)
    assert admits(applied) == [Admit(world.origin(again.origin), 1, "Ann", 42, 3)]
    assert [(event.kind, event.author) for event in events(applied)] == [(EventKind.JOINED, "Ann")]


def test_an_absent_session_that_does_not_come_after_all(world: World) -> None:
    """ABSENT → ARRIVING → ABSENT: a broken try to come back loses nothing of the session."""
    ann = world.enter("ann")
    world.say(ann, 42)
    world.leave(ann)
    world.withdraw(world.ask("ann", ann.session)[0])
    assert world.phase(ann) == "absent"
    world.ask("ann", ann.session)
    world.tick(HANDSHAKE_SECONDS)
    assert world.phase(ann) == "absent"
    assert admits(world.come(world.ask("ann", ann.session)[0]))[0].confirmed == 42


def test_a_take_over_is_no_event(world: World) -> None:
    """HERE → HERE: a client that comes back takes its member over; only the old connection is told."""
    old = world.enter("ann")
    world.say(old, 4)
    new, _ = world.ask("ann", old.session)
    applied = world.come(new)
    assert events(applied) == []
    assert applied.effects == [
        End(world.origin(old.origin), Code.TAKEN_OVER),
        Admit(world.origin(new.origin), 1, "ann", 4, 2),
    ]
    assert world.say(old, 8) == ([], [], [])  # too late: this connection has no member any more
    assert world.leave(old) == ([], [], [Gone(world.origin(old.origin))])
    assert events(world.say(new, 9))[0].id == 9


def test_a_take_over_adds_channels(world: World) -> None:
    """A take-over that asks for another channel joins it, and leaves none."""
    old = world.enter("ann")
    new, _ = world.ask("ann", old.session)
    assert [(e.kind, e.channel) for e in events(world.come(new, "#quiet"))] == [
        (EventKind.JOINED, "#quiet"),
        (EventKind.AUDITED, "#quiet"),
    ]
    assert [channel.name for channel in world.state.channels_of(1)] == ["#general", "#quiet"]


def test_a_newcomer_while_the_old_connection_leaves(world: World) -> None:
    """When the old connection says goodbye during the new one's handshake, the name stays taken for it."""
    old = world.enter("ann")
    new, _ = world.ask("ann", old.session)
    assert kinds(events(world.leave(old))) == [EventKind.QUIT]
    assert world.phase(new) == "arriving"
    assert world.ask("ann")[1].code is Code.NAME_TAKEN
    applied = world.come(new)
    assert kinds(events(applied)) == [EventKind.JOINED] and admits(applied)[0].person == 1


def test_a_newcomer_while_the_old_connection_breaks(world: World) -> None:
    """When the old connection breaks during the new one's handshake, the return is silent."""
    old = world.enter("ann")
    new, _ = world.ask("ann", old.session)
    world.lose(old)
    applied = world.come(new)
    assert events(applied) == [] and len(admits(applied)) == 1
    assert events(world.tick(HOLD_SECONDS)) == []


def test_a_newcomer_that_gives_up_keeps_the_old_connection(world: World) -> None:
    """A take-over that breaks off in its handshake changes nothing for the member."""
    old = world.enter("ann")
    world.withdraw(world.ask("ann", old.session)[0])
    assert world.phase(old) == "here"
    assert kinds(events(world.say(old, 1))) == [EventKind.SAID]


def test_in_and_out_within_one_entry(world: World) -> None:
    """A join and a goodbye in one entry are two events and no member; an unclean end is held."""
    ann, bob = world.ask("ann")[0], world.ask("bob")[0]
    applied = world.apply(
        Proposal(ann.origin, 0, ProposalKind.ENTER, Enter(ann.session, ("#general",))),
        Proposal(ann.origin, 0, ProposalKind.LEAVE, Leave(True, "gone")),
        Proposal(bob.origin, 0, ProposalKind.ENTER, Enter(bob.session, ("#general",))),
        Proposal(bob.origin, 0, ProposalKind.LEAVE, Leave(False, "gone")),
    )
    assert kinds(events(applied)) == [EventKind.JOINED, EventKind.QUIT, EventKind.JOINED]
    assert [member.name for member in world.state.members.values()] == ["bob"]


def test_who_never_came_leaves_no_trace(world: World) -> None:
    """The end of a connection that was no member's is no event."""
    visit, _ = world.ask("ann")
    assert world.leave(visit) == ([], [], [Gone(world.origin(visit.origin))])


def test_one_connection_is_one_member(world: World) -> None:
    """A connection that is a member's already cannot become another one."""
    ann = world.enter("ann")
    world.propose(ann.origin, ProposalKind.ARRIVE, Arrive("bob", "bob", "", "second", ""))
    applied = world.propose(ann.origin, ProposalKind.ENTER, Enter("second", ("#general",)))
    assert events(applied) == [] and applied.effects == [End(world.origin(ann.origin), Code.EXPIRED)]
    world.leave(ann)
    assert world.state.members == {}


# --- forgetting, limits ---------------------------------------------------------------------------------


def test_a_session_without_lines_is_forgotten(world: World) -> None:
    """A session that has said nothing is forgotten when it is absent: it has no line to be repeated."""
    ann = world.enter("ann")
    world.leave(ann)
    assert world.phase(ann) == "forgotten"
    again, given = world.ask("ann", ann.session)
    assert given == Outcome(Code.OK, (False, "ann")) and again.session != ann.session


def test_forgotten_and_back_within_one_entry(world: World) -> None:
    """A session that ends and begins again within one entry is stored, not removed."""
    ann = world.enter("ann")
    again, _ = world.ask("ann", ann.session)
    world.apply(
        Proposal(ann.origin, 0, ProposalKind.LEAVE, Leave(True, "")),
        Proposal(again.origin, 0, ProposalKind.ENTER, Enter(ann.session, ("#general",))),
    )
    assert world.phase(ann) == "here" and len(world.state.members) == 1


def test_sessions_grow_old(world: World) -> None:
    """A session that was absent for SESSION_SECONDS is forgotten, and where its person was."""
    ann = world.enter("ann")
    world.say(ann, 1)
    world.leave(ann)
    world.tick(SESSION_SECONDS - 0.001)
    assert world.phase(ann) == "absent"
    world.tick(0.001)
    assert world.phase(ann) == "forgotten"
    assert [record.kind for record in world.kept()] == ["channel", "history"]


def test_absent_sessions_are_bounded() -> None:
    """Over the bound, the session that lasted shortest is forgotten; who is here again is not absent."""
    world = World(Limits(sessions=2))
    ann, bob, carl = (world.enter(name) for name in ("ann", "bob", "carl"))
    for visit in (ann, bob, carl):
        world.say(visit, 1)
    for visit in (ann, bob):
        world.time += 1000
        world.leave(visit)
    world.time += 1000
    world.enter("ann", known=ann.session)
    world.leave(carl)
    assert [world.phase(visit) for visit in (ann, bob, carl)] == ["here", "absent", "absent"]
    dora = world.enter("dora")
    world.say(dora, 1)
    world.time += 2500
    world.leave(dora)
    assert [world.phase(visit) for visit in (bob, carl, dora)] == ["forgotten", "absent", "absent"]


def test_the_latest_absence_counts() -> None:
    """Of two absent sessions the one is forgotten that was here last the longest ago, not the older one."""
    world = World(Limits(sessions=2))
    ann, bob, carl = (world.enter(name) for name in ("ann", "bob", "carl"))
    for visit in (ann, bob, carl):
        world.say(visit, 1)
    for visit in (ann, bob):
        world.time += 1000
        world.leave(visit)
    again = world.enter("ann", known=ann.session)
    for visit in (again, carl):
        world.time += 1000
        world.leave(visit)
    assert [world.phase(visit) for visit in (ann, bob, carl)] == ["absent", "forgotten", "absent"]


def test_who_comes_and_goes_leaves_nothing_in_memory() -> None:
    """However often clients come and go, the state does not grow: not even with what is out of date."""
    world = World(Limits(intervals=1))
    ann = world.enter("ann")
    world.say(ann, 1)
    sizes = []
    for _ in range(2):
        for _ in range(40):
            world.leave(ann)
            ann = world.enter("ann", known=ann.session)
            world.leave(world.enter("bob"))
            world.withdraw(world.ask("carl")[0])
        world.tick()
        sizes.append(count_objects(world.state))
    assert sizes[1] < sizes[0] + 40


def count_objects(root: object) -> int:
    """How many objects are reachable from one, without code."""
    found: dict[int, object] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) not in found and not isinstance(one, type | ModuleType | FunctionType):
            found[id(one)] = one
            waiting += gc.get_referents(one)
    return len(found)


YEAR = 365 * 24 * 3600


@pytest.mark.parametrize("restart", [False, True])
def test_a_clock_that_was_ahead(world: World, restart: bool) -> None:
    """What began while the clock was a year ahead begins when it is right again, also after a restart."""
    world.time += YEAR * 1000
    lost, absent, arriving = (world.enter(name) for name in ("ann", "bob", "carl"))
    for visit in (lost, absent):
        world.say(visit, 1)
    world.leave(absent)
    world.leave(arriving)
    world.lose(lost)
    arriving, _ = world.ask("carl")
    world.tick(10.0)
    world.time -= YEAR * 1000
    if restart:
        world.state = world.restored()
        world.up()
    world.tick()
    world.tick(HANDSHAKE_SECONDS)
    assert world.phase(arriving) == "forgotten"
    assert world.ask("ann")[1] == Outcome(Code.NAME_HELD, ("ann", int(HOLD_SECONDS - HANDSHAKE_SECONDS)))
    assert events(world.tick(HOLD_SECONDS - HANDSHAKE_SECONDS - 0.001)) == []
    assert [event.author for event in events(world.tick(0.001))] == ["ann"]
    world.tick(SESSION_SECONDS - HOLD_SECONDS)
    assert (world.phase(lost), world.phase(absent)) == ("absent", "forgotten")


def test_lines_bear_the_time_of_now(world: World) -> None:
    """The order is that of the seqs: a clock that was ahead does not make all later lines late."""
    ann = world.enter("ann")
    world.time += YEAR * 1000
    world.say(ann, 1)
    world.time -= YEAR * 1000
    assert events(world.say(ann, 2))[0].time == world.time


@pytest.mark.parametrize("addresses", [1, 7, 1000], ids="{} addresses".format)
def test_strangers_do_not_push_out_anybody(addresses: int) -> None:
    """However many others come, say a line and leave, from however many addresses: a session from another
    address, or a longer one from the same, is kept, and its client comes back to its lines."""
    state = State(Limits(sessions=300))
    numbers = count(1)

    def stay(name: str, address: str, seconds: float) -> None:
        number, origin = next(numbers), next(origins)
        for kind, body in (
            (ProposalKind.ARRIVE, Arrive(name, name, "", name, address, (name,), network_of(address))),
            (ProposalKind.ENTER, Enter(name, ("#general",))),
            (ProposalKind.LINES, Burst("#general", [number], [b"x"])),
        ):
            state.apply(Entry(b"", clock[0], "", 1, [Proposal(origin, 0, kind, body)]))
        clock[0] += int(seconds * 1000)
        state.apply(Entry(b"", clock[0], "", 1, [Proposal(origin, 0, ProposalKind.LEAVE, Leave(True, ""))]))

    origins, clock = count(1), [NOON]
    stay("ann", "192.0.2.1:5000", 60)
    stay("bob", "10.0.0.0:5000", 60)  # the address of a stranger, too
    for number in range(1000):
        network = number % addresses
        stay(f"s{number}", f"10.0.{network // 250}.{network % 250}:{number}", 0.01)
    kept = {record.key for record in state.records() if record.kind == "session"}
    assert len(kept) == 300 and {"ann", "bob"} <= kept


def test_held_members_of_one_address_are_bounded() -> None:
    """Who comes and drops again and again from one address holds few names; those of others stay held."""
    world = World(Limits(held_of_network=3))
    ann = world.enter("ann", address="192.0.2.1:1")
    world.lose(ann)
    for number in range(10):
        world.time += 10
        world.lose(world.enter(f"s{number}", address=f"10.0.0.1:{number}"))
    quits = [event.author for event in world.log if event.kind is EventKind.QUIT]
    assert len(quits) == 7 and "ann" not in quits
    assert world.ask("ann")[1].code is Code.NAME_HELD
    assert world.ask("ann", ann.session)[1] == Outcome(Code.OK, (True, "ann"))


def test_held_members_are_bounded_in_sum() -> None:
    """However many addresses lose members: one of the network with the most of them goes."""
    world = World(Limits(held=4))
    for number, network in enumerate((1, 2, 2, 3, 4, 5)):
        world.time += 10
        world.lose(world.enter(f"m{number}", address=f"10.0.0.{network}:1"))
    assert [event.author for event in world.log if event.kind is EventKind.QUIT] == ["m1", "m0"]


def test_a_lost_member_counts_where_it_came_from_last() -> None:
    """Who comes back from another address, and breaks off, does not count for the earlier one any more."""
    world = World(Limits(held_of_network=2))
    ann = world.enter("ann", address="10.0.0.1:1")
    world.time += 10
    bob, carl, dave = (world.enter(name, address="10.0.0.1:1") for name in ("bob", "carl", "dave"))
    world.lose(ann)
    world.lose(bob)
    world.withdraw(world.ask("bob", bob.session, address="10.0.0.2:1")[0])  # in the same millisecond
    world.lose(carl)
    world.lose(dave)
    assert [event.author for event in world.log if event.kind is EventKind.QUIT] == ["carl"]


def test_lost_members_that_move_to_one_address_are_bounded() -> None:
    """One address holds no more members when these were lost elsewhere."""
    world = World(Limits(held_of_network=2))
    visits = [world.enter(f"m{number}", address=f"10.0.0.{number}:1") for number in range(4)]
    for visit in visits:
        world.lose(visit)
    for number, visit in enumerate(visits):
        world.withdraw(world.ask(f"m{number}", visit.session, address="10.0.0.9:1")[0])
    assert [event.kind for event in world.log].count(EventKind.QUIT) == 2


def test_a_restart_holds_everybody() -> None:
    """A start of the server ends no hold, however many come from one address."""
    world = World(Limits(held=2, held_of_network=2))
    for number in range(4):
        world.enter(f"s{number}", address="10.0.0.1:1")
    world.up()
    assert [event.kind for event in world.log].count(EventKind.QUIT) == 0


def test_channels_are_bounded() -> None:
    """Who asks for a channel over the bound is sent away, joins none, and leaves no name taken."""
    world = World(Limits(places=2))
    ann = world.enter("ann", "#one", "#two")
    bob, _ = world.ask("bob")
    assert world.come(bob, "#one", "#three").effects == [End(world.origin(bob.origin), Code.FULL)]
    assert world.log[4:] == [] and world.phase(bob) == "forgotten"
    assert len(admits(world.come(world.ask("bob")[0], "#two", "#one"))) == 1
    again, _ = world.ask("ann", ann.session)
    assert world.come(again, "#four").effects == [End(world.origin(again.origin), Code.FULL)]
    assert world.phase(ann) == "here"


def test_channels_founded_from_one_address_are_bounded() -> None:
    """One address does not use all channels up: it may still come into those that are there; others found."""
    world = World(Limits(places=9, places_of_network=2))
    ann = world.enter("ann", "#one", "#two", address="10.0.0.1:1")
    bob, _ = world.ask("bob", address="10.0.0.1:2")
    assert world.come(bob, "#one", "#three").effects == [End(world.origin(bob.origin), Code.TOO_MANY)]
    assert world.phase(bob) == "forgotten"
    world.enter("bob", "#one", "#two", address="10.0.0.1:3")
    carl = world.enter("carl", "#three", "#one", address="10.0.0.2:1")
    assert [channel.name for channel in world.state.channels_of(3)] == ["#three", "#one"]
    world.leave(carl)
    world.act(ann, "/close", "", channel="#two")  # makes room
    assert admits(world.come(world.ask("dora", address="10.0.0.1:4")[0], "#four"))


def test_a_class_never_meets_the_bound_of_channels() -> None:
    """Sixty guests behind one address may each be in as many channels of their own as a member may be in."""
    assert NETWORK_PLACES >= 60 * MAX_CHANNELS and 3 * NETWORK_PLACES < MAX_PLACES


def test_intervals_are_bounded() -> None:
    """Of a person that comes and goes, only the latest stays in a channel are kept."""
    world = World(Limits(intervals=2))
    ann = world.enter("ann")
    world.say(ann, 1)
    for _ in range(5):
        world.leave(ann)
        ann = world.enter("ann", known=ann.session)
    world.leave(ann)
    got = [event for event in world.log if reaches(world.state.reach(1, 1), event)]
    assert [event.seq for event in got] == [10, 11, 12, 13]


def test_persons_and_places_are_never_given_again(world: World) -> None:
    """Numbers rise: who comes under the name of one that was forgotten is another person."""
    world.leave(world.enter("ann"))
    world.enter("ann", "#quiet")
    world.up()
    world.enter("bob", "#third")
    joined = [event for event in world.log if event.kind is EventKind.JOINED]
    assert [(event.person, event.place) for event in joined] == [(1, 1), (2, 2), (3, 3)]


# --- lines ----------------------------------------------------------------------------------------------


def test_lines_in_their_order(world: World) -> None:
    """Each line is an event with the author's name and person, the place, and the entry's time."""
    ann = world.enter("ann", "#general", "#quiet")
    world.time += 5
    applied = world.apply(
        lines(ann, Burst("#quiet", [3], ["dreí".encode()])),
        lines(ann, Burst("#general", [5, 8], [b"5", b"8"])),
    )
    assert events(applied) == [
        Event(4, NOON + 5, EventKind.SAID, "#quiet", "ann", "dreí", 3, 1, 2),
        Event(5, NOON + 5, EventKind.SAID, "#general", "ann", "5", 5, 1, 1),
        Event(6, NOON + 5, EventKind.SAID, "#general", "ann", "8", 8, 1, 1),
    ]
    assert applied.effects == []


def test_a_burst_is_one_talk(world: World) -> None:
    """The lines of a burst stay together, and their texts the same bytes: no object is made for each line."""
    ann, texts = world.enter("ann"), [b"one", b"two"]
    applied = world.propose(ann.origin, ProposalKind.LINES, Burst("#general", [1, 2], texts))
    (talk,) = applied.happened
    assert talk == Talk(2, NOON, "#general", "ann", 1, 1, [1, 2], texts)
    assert isinstance(talk, Talk) and talk.texts is texts


def test_a_repeated_line_is_answered_and_nothing_else(world: World) -> None:
    """An id that is not above the highest one gets ALREADY, in one burst and later; nothing changes."""
    ann = world.enter("ann")
    one = Burst("#general", [5], [b"five"])  # a decoder ends a burst where the ids do not rise
    twice = world.apply(lines(ann, one), lines(ann, one))
    assert twice.effects == [Answer(world.origin(ann.origin), 5, Outcome(Code.ALREADY))]
    assert [event.id for event in events(twice)] == [5]
    world.say(ann, 6)
    again = world.say(ann, 5, 6)
    assert events(again) == [] and again.records == []
    assert [effect.request for effect in again.effects if isinstance(effect, Answer)] == [5, 6]
    assert codes(again.effects) == [Code.ALREADY] * 2
    assert [event.id for event in events(world.say(ann, 6, 7))] == [7]


def test_repeats_at_the_beginning_of_a_burst(world: World) -> None:
    """Of a burst that is sent again, each repeat is answered; the other lines follow with their own texts."""
    ann = world.enter("ann")
    world.say(ann, 3, 5)
    applied = world.say(ann, 2, 3, 4, 5, 6, 9)
    assert [effect.request for effect in applied.effects if isinstance(effect, Answer)] == [2, 3, 4, 5]
    assert codes(applied.effects) == [Code.ALREADY] * 4
    assert [(event.seq, event.id, event.text) for event in events(applied)] == [
        (4, 6, "text 6"),
        (5, 9, "text 9"),
    ]
    assert codes(world.say(ann, 9).effects) == [Code.ALREADY]


def test_repeats_in_a_refused_burst(world: World) -> None:
    """Of a burst that is refused, a repeat is told so, because it was said; each line gets one answer."""
    ann = world.enter("ann")
    world.say(ann, 3)
    for refused, code in (
        (world.say(ann, 2, 3, 4, channel="#nowhere"), Code.NOT_IN),
        (world.say(ann, 3, 4, 5, form=200), Code.BAD_ARGUMENTS),
    ):
        assert refused[:2] == ([], []) and len(refused.effects) == 3
        assert set(codes(refused.effects)) == {Code.ALREADY, code}
        assert codes(refused.effects)[-1] is code
    assert [event.id for event in events(world.say(ann, 4))] == [4]


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=5),
    st.sampled_from(["#general", "#nowhere", ""]),
    st.integers(0, 255),
)
def test_no_burst_raises(ids: list[int], channel: str, form: int) -> None:
    """Whatever another server has put into a burst, also ids that do not rise: the entry can be applied."""
    world = World()
    ann = world.enter("ann")
    burst = Burst(channel, ids, [b"x"] * len(ids), form)
    world.state.apply(Entry(b"", world.time, "", world.epoch, [lines(ann, burst)]))


def test_a_line_without_an_id(world: World) -> None:
    """No line has the id 0: it is below every highest id."""
    ann = world.enter("ann")
    assert world.say(ann, 0) == ([], [], [Answer(world.origin(ann.origin), 0, Outcome(Code.ALREADY))])


@pytest.mark.parametrize(
    ("channel", "form", "code"),
    [
        ("#quiet", Form.SAY, Code.NOT_IN),
        ("#quiet", Form.ACT, Code.NOT_IN),
        ("#general", Form.EDIT, Code.BAD_ARGUMENTS),
        ("#general", 200, Code.BAD_ARGUMENTS),
    ],
)
def test_a_refusal_changes_nothing(world: World, channel: str, form: int, code: Code) -> None:
    """A line that is refused makes no event and no record, and its id can be used again."""
    world.enter("eve", "#quiet")
    ann = world.enter("ann")
    refused = world.say(ann, 5, channel=channel, form=form)
    rows = (channel,) if code is Code.NOT_IN else ()
    assert refused == ([], [], [Answer(world.origin(ann.origin), 5, Outcome(code, rows))])
    assert [event.id for event in events(world.say(ann, 5))] == [5]


def test_refused_lines_between_others(world: World) -> None:
    """A line that is refused holds up none of those that came with it."""
    ann = world.enter("ann")
    bursts = [Burst("#general", [1], [b"a"]), Burst("#nowhere", [2], [b"b"]), Burst("#general", [3], [b"c"])]
    applied = world.apply(*[lines(ann, burst) for burst in bursts])
    assert [event.text for event in events(applied)] == ["a", "c"]
    assert codes(applied.effects) == [Code.NOT_IN]


def test_ids_are_remembered_across_a_return(world: World) -> None:
    """However a client comes back, a line that was stored before makes no second event."""
    ann = world.enter("ann")
    world.say(ann, 5)
    for end in (world.lose, world.leave):
        end(ann)
        ann = world.enter("ann", known=ann.session)
        assert codes(world.say(ann, 5).effects) == [Code.ALREADY]
    world.up()
    ann = world.enter("ann", known=ann.session)
    assert codes(world.say(ann, 5).effects) == [Code.ALREADY]


# --- lines that the records do not know yet ---------------------------------------------------------------


def test_a_line_writes_no_record(world: World) -> None:
    """Who has said what is noted by the next tick, once for all lines; a quiet tick notes nothing."""
    ann, bob = world.enter("ann"), world.enter("bob")
    assert world.say(ann, 1, 2).records == [] and world.say(bob, 7).records == []
    assert world.say(ann, 3).records == [] and world.state.noted == 0
    noted = world.tick(1)
    assert [record.key for record in noted.records] == [ann.session, bob.session]
    assert world.state.noted == world.state.head == 6
    assert [confirmed(world, visit) for visit in (ann, bob)] == [3, 7]
    world.enter("eve")
    assert world.tick(1) == ([], [], []) and world.state.noted == 6


def test_a_line_in_the_entry_of_another_change(world: World) -> None:
    """A line does not let the records forget what else its entry has changed, nor the other way round."""
    ann = world.enter("ann")
    leave = Proposal(ann.origin, 0, ProposalKind.LEAVE, Leave(False, ""))
    world.apply(lines(ann, Burst("#general", [4], [b"x"])), leave)
    assert (world.phase(ann), confirmed(world, ann)) == ("lost", 4)


def test_who_has_talked_and_is_forgotten() -> None:
    """The tick notes nothing of a session that was forgotten meanwhile."""
    world = World(Limits(sessions=0))
    ann = world.enter("ann")
    world.say(ann, 1)
    world.leave(ann)
    assert world.tick(1) == ([], [], []) and world.phase(ann) == "forgotten"
    assert world.state.noted == world.state.head


def test_killed_between_two_ticks(world: World) -> None:
    """After a kill, what was said since the last tick is known: no line twice, and the session is kept."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.say(ann, 1)
    world.tick(1)
    world.say(ann, 5)
    world.say(bob, 8, 9)
    world.state = world.restored()
    world.up()
    ann = world.enter("ann", known=ann.session)
    assert codes(world.say(ann, 4, 5).effects) == [Code.ALREADY] * 2
    assert [event.id for event in events(world.say(ann, 6))] == [6]
    world.tick(HOLD_SECONDS)
    assert world.phase(bob) == "absent" and confirmed(world, bob) == 9


def test_a_restored_state_notes_the_lines(world: World) -> None:
    """The first tick after a start notes the lines that the records did not know."""
    ann = world.enter("ann")
    world.say(ann, 5)
    world.state = world.restored()
    assert (world.state.noted, [record.key for record in world.tick(1).records]) == (0, [ann.session])
    assert confirmed(world, ann) == 5 and world.state.noted == world.state.head


def test_talkers_only_raise_numbers(world: World) -> None:
    """What a history tells of older lines, or of a person that was forgotten, changes nothing."""
    ann = world.enter("ann")
    world.time += 5
    world.say(ann, 5)
    world.tick(1)
    state = State()
    state.restore(world.state.head, world.kept(), [Talker(1, 3), Talker(77, 9)])
    assert state.records() == world.state.records()


def confirmed(world: World, visit: Visit) -> object:
    """The highest message id as it is stored."""
    stored = world.stored(visit)
    return stored and stored["confirmed"]


# --- time and starts ------------------------------------------------------------------------------------


def test_a_tick_without_anything_to_do(world: World) -> None:
    """A tick writes nothing when it changes nothing; a step of the clock back makes no event."""
    world.lose(world.enter("ann"))
    world.ask("bob")
    assert world.tick(1) == ([], [], [])
    assert world.tick(-3600)[::2] == ([], [])  # it only notes the new deadlines


def test_a_cut_network_is_no_storm(world: World) -> None:
    """However many sessions are due, at most HOLDS_PER_TICK end in one tick."""
    numbers = range(1, 2 * HOLDS_PER_TICK + 2)

    def propose(kind: ProposalKind, make: Callable[[str], Body]) -> None:
        world.apply(*[Proposal(number, 0, kind, make(f"m{number}")) for number in numbers])

    propose(ProposalKind.ARRIVE, lambda name: Arrive(name, name, "", name, ""))
    propose(ProposalKind.ENTER, lambda name: Enter(name, ("#general",)))
    propose(ProposalKind.LEAVE, lambda name: Leave(False, name))
    world.time += int(HOLD_SECONDS * 1000)
    ticks = [[event.author for event in events(world.tick())] for _ in range(4)]
    assert [len(quits) for quits in ticks] == [HOLDS_PER_TICK, HOLDS_PER_TICK, 1, 0]
    assert len({author for quits in ticks for author in quits}) == 2 * HOLDS_PER_TICK + 1


def test_a_first_start_says_nothing(world: World) -> None:
    """The first start of a history is no event; the life of the server is stored."""
    assert world.log == [] and [record.kind for record in world.kept()] == ["history"]
    assert world.restored().epoch == 1


def test_a_start_holds_the_members(world: World) -> None:
    """After a start each member is lost: it comes back silently, or quits when its time is over."""
    ann, bob = world.enter("ann"), world.enter("bob")
    world.say(bob, 1)
    world.time += 1000
    (restarted,) = events(world.up())
    assert (restarted.kind, restarted.person, restarted.place) == (EventKind.RESTARTED, 0, 0)
    assert (restarted.author, restarted.channel, restarted.text) == ("", "", "")
    assert [world.phase(visit) for visit in (ann, bob)] == ["lost", "lost"]
    assert events(world.come(world.ask("ann", ann.session)[0])) == []
    (quit,) = events(world.tick(HOLD_SECONDS))
    assert (quit.kind, quit.author, quit.text) == (EventKind.QUIT, "bob", "the server was stopped")


def test_a_start_gives_the_lost_their_time_again(world: World) -> None:
    """Nobody can come back while there is no server: a start does not make members quit that were lost."""
    ann = world.enter("ann")
    world.lose(ann)
    world.time += int(HOLD_SECONDS * 1000)
    world.up()
    assert events(world.tick(HOLD_SECONDS - 1)) == []
    assert [event.kind for event in events(world.tick(1))] == [EventKind.QUIT]


def test_what_an_earlier_life_was_told_counts_no_more(world: World) -> None:
    """Connections of an earlier life of the server say nothing and end nobody, even with equal numbers."""
    ann = world.enter("ann")
    world.up()
    new = world.enter("ann", known=ann.session)
    world.epoch -= 1
    assert world.say(ann, 1) == ([], [], [])
    assert events(world.leave(new)) == []
    world.epoch += 1
    assert world.phase(ann) == "here"


def test_a_start_ends_the_handshakes(world: World) -> None:
    """A start ends what was in its handshake: a name is free after its time, a member is only lost."""
    visit, _ = world.ask("ann")
    bob = world.enter("bob")
    coming, _ = world.ask("bob", bob.session)
    world.up()
    for late in (visit, coming):
        assert ends(world.come(late)) == [End(world.origin(late.origin), Code.EXPIRED)]
    world.tick(HANDSHAKE_SECONDS)
    assert world.ask("ann")[1].code is Code.OK
    assert world.phase(bob) == "lost"


def test_the_start_of_another_server_touches_nobody(world: World) -> None:
    """A start of one server loses only the connections of its own earlier life."""
    ann = world.enter("ann")
    entry = Entry(b"", world.time, "other", 1, [Proposal(0, 0, ProposalKind.UP, None)])
    world.state.apply(entry)
    assert world.state.members[1].phase == "here"
    line = lines(ann, Burst("#general", [1], [b"x"]))
    assert len(world.state.apply(Entry(b"", world.time, "", 1, [line])).happened) == 1


def test_an_entry_of_a_newer_version(world: World) -> None:
    """A kind of proposal that the state does not know ends the server in one line."""
    with pytest.raises(ChatroomError, match="newer version"):
        world.state.apply(Entry(b"", NOON, "", 1, [Proposal(1, 0, 99, None)]))


# --- reading --------------------------------------------------------------------------------------------


def test_what_a_connection_gets(world: World) -> None:
    """Who is in gets a channel from its beginning, who has left what was said until then; others nothing."""
    ann, bob = world.enter("ann", "#general", "#quiet"), world.enter("bob")  # events 1 to 4
    world.say(ann, 1)
    world.say(bob, 1)  # 6
    world.leave(bob)
    world.say(ann, 2)
    world.say(ann, 3, channel="#quiet")  # 9
    seen = {
        person: [event.seq for event in world.log if reaches(world.state.reach(person, 3), event)]
        for person in (1, 2, 3)
    }
    assert seen == {1: [4, 5, 6, 7, 8, 9], 2: [4, 5, 6, 7], 3: []}


def test_a_fresh_start_gets_nothing_of_what_was_left(world: World) -> None:
    """A connection that has seen nothing gets the channels of its person, and none that it has left."""
    ann = world.enter("ann", "#general", "#quiet")
    world.say(ann, 1)
    world.leave(ann)
    world.enter("ann", "#general", known=ann.session)
    assert set(world.state.reach(1, 0).places) == {0, 1}
    assert set(world.state.reach(1, 1).places) == {0, 1, 2}


def test_what_does_not_exist(world: World) -> None:
    """What is asked for and does not exist has no answer, and is no error."""
    assert world.state.channel("#nowhere") is None
    assert world.state.channels_of(77) == []
    assert set(world.state.reach(77, 5).places) == {0}


# --- whatever happens -----------------------------------------------------------------------------------

KEYS = st.sampled_from(["one", "two", "three", ""])
CHANNELS = st.sampled_from(["#a", "#b", "#c", "#d", ""])
NAMES = st.sampled_from(["ann", "bob", ""])
ADDRESSES = st.sampled_from(["", "1.2.3.4:5", "1.2.3.4:6", "[2001:db8::1]:7"])
NETWORKS = st.sampled_from(["", "1.2.3.4", "2001:db8::/64"])
LOOKS = st.lists(st.sampled_from(["x", "y", "z"]), max_size=2, unique=True).map(tuple)
BURSTS = st.builds(
    lambda channel, ids, text, form: Burst(channel, sorted(ids), [text] * len(ids), form),
    CHANNELS,
    st.sets(st.integers(0, 6) | st.just(MAX_NUMBER), max_size=4),
    st.text(max_size=3).map(str.encode),
    st.sampled_from([0, 0, 0, 1]),
)
SECRETS = st.sampled_from(["s", "t", "u", ""])
ARGUMENTS = st.lists(NAMES | SECRETS | st.integers(-1, 3) | st.booleans(), max_size=3).map(tuple)
WORDS = st.sampled_from(
    ["#a", "#b", "key", "kept", "moderated", "invite-only", "history", "on", "off", "joined", "q | a | b"]
)
FITTING = {Text: NAMES | SECRETS | WORDS, Number: st.integers(0, 3) | st.just(MAX_NUMBER)}
ACTIONS = st.one_of(
    st.builds(Act, st.sampled_from([*ACTS, "/nothing"]), CHANNELS, ARGUMENTS),
    *(
        st.builds(Act, st.just(name), CHANNELS, st.tuples(*(FITTING[type(kind)] for kind in act.takes)))
        for name, act in ACTS.items()
    ),
)
BODIES = {
    ProposalKind.UP: st.none(),
    ProposalKind.ARRIVE: st.builds(
        Arrive, NAMES, NAMES, KEYS, KEYS, ADDRESSES, LOOKS, NETWORKS, st.just("") | SECRETS, st.booleans()
    ),
    ProposalKind.WITHDRAW: st.builds(Withdraw, KEYS),
    ProposalKind.ENTER: st.builds(Enter, KEYS, st.lists(CHANNELS, max_size=4).map(tuple)),
    ProposalKind.LINES: BURSTS,
    ProposalKind.LEAVE: st.builds(Leave, st.booleans(), st.text(max_size=3)),
    ProposalKind.ACT: ACTIONS,
    ProposalKind.OWN: st.builds(Own, NAMES, NAMES, LOOKS, SECRETS, st.integers(0, 5000)),
    ProposalKind.LIMIT: st.builds(
        Limit,
        st.lists(
            st.tuples(st.sampled_from([*SETTABLE, "sessions", ""]), st.integers(-1, 200)), max_size=4
        ).map(tuple),
    ),
}
PROPOSALS = st.one_of(
    [st.builds(Proposal, st.integers(0, 3), st.just(0), st.just(kind), body) for kind, body in BODIES.items()]
)
TIMES = st.integers(-100, 100) | st.integers(0, 2000)
ENTRIES = st.lists(
    st.tuples(
        TIMES,
        st.sampled_from(["", "", "other"]),
        st.integers(1, 2),
        st.lists(PROPOSALS, max_size=5),
        st.booleans(),
    ),
    max_size=9,
)
SMALL = Limits(
    handshake=15,
    hold=90,
    session=700,
    sessions=2,
    held=2,
    held_of_network=1,
    places=3,
    places_of_network=2,
    left=1,
    listed=4,
    listed_of_place=2,
    ends_per_tick=2,
    intervals=2,
    programs=2,
    accounts=2,
    accounts_of_network=1,
    devices=1,
    login_networks=1,
)


@settings(max_examples=30)  # the walks go further; here is what no walk would propose
@given(ENTRIES)
def test_any_proposals_give_one_log_and_records_that_restore_it(
    steps: list[tuple[int, str, int, list[Proposal], bool]],
) -> None:
    """Whatever is proposed, nothing raises, no seq is missing, and a restored state goes on as before."""
    living, again = State(SMALL), State(SMALL)
    stored: dict[tuple[str, str], Record] = {}
    talkers: list[tuple[int, Talker]] = []  # each with the seq of its line
    time, seq = 1000, 0
    start = (0, "", 1, [Proposal(0, 0, ProposalKind.UP, None)], False)
    for passed, server, epoch, proposals, restart in [start, *steps]:
        time += passed
        entry = Entry(b"", time, server, epoch, proposals)
        applied, other = living.apply(entry), again.apply(entry)
        assert (other.happened, other.effects) == (applied.happened, applied.effects)
        assert sorted(other.records) == sorted(applied.records)
        for event in events(applied):
            seq += 1
            assert (event.seq, event.time) == (seq, time)
            if event.kind is EventKind.SAID:
                talkers.append((seq, Talker(event.person, event.id)))
        assert living.head == seq
        stored.update(((record.kind, record.key), record) for record in applied.records)
        kept = sorted(record for record in stored.values() if record.value is not None)
        restored = State(SMALL)
        late = [talker for at, talker in talkers if at > living.noted]
        restored.restore(seq, kept, late)
        assert restored.records() == living.records()
        if not late:
            assert restored.records() == kept
        if restart:
            again = restored


def test_a_member_is_in_so_many_channels_at_most() -> None:
    """Coming back again and again with other channels does not fill the chatroom with them."""
    world = World(Limits(channels=4))
    ann = world.enter("ann", "#one", "#two", "#three")
    again, _ = world.ask("ann", ann.session)
    assert world.come(again, "#four", "#five").effects == [End(world.origin(again.origin), Code.TOO_MANY)]
    again, _ = world.ask("ann", ann.session)
    assert {event.channel for event in events(world.come(again, "#one", "#four"))} == {"#four"}
