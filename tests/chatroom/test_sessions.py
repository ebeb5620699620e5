"""Several sessions of one person: one member to the others, as long as one of them is here or lost."""

from __future__ import annotations

import pytest

from chatroom.bounds import Limits
from chatroom.effects import Admit, Answer, End, Gone, Joined
from chatroom.events import EventKind
from chatroom.limits import (
    HANDSHAKE_SECONDS,
    HOLD_SECONDS,
    MAX_ABSENT_OF_PERSON,
    MAX_LABEL,
    MAX_SESSIONS_OF_PERSON,
    MAX_SOFTWARE,
)
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst
from chatroom.proposals import Leave, Proposal, ProposalKind
from chatroom.session import Phase
from server.words import answer
from tests.chatroom.world import Visit, World, admits, events

PASSWORD, TOKEN = "scrypt$14$8$1$00$11", "hash of a token"


@pytest.fixture
def world() -> World:
    """dora, who has an account, is person 1."""
    world = World()
    world.act(world.enter("Dora"), "/register", PASSWORD)
    return world


def another(world: World, *channels: str) -> Visit:
    """Another program of dora's."""
    return world.enter("dora", *channels, proof=PASSWORD)


LAPTOP = Visit(1, "key1")


def kinds(world: World, after: int = 0) -> list[EventKind]:
    return [event.kind for event in world.log[after:]]


def test_a_second_program_is_the_same_member(world: World) -> None:
    """The one who logs in takes the person and the name that it has; nobody is told."""
    head = world.state.head
    phone, given = world.ask("DORA", proof=PASSWORD)
    assert given == Outcome(Code.OK, (False, "Dora")) and phone.session != LAPTOP.session
    applied = world.come(phone)
    assert (applied.happened, world.state.head) == ([], head)
    assert applied.effects == [Admit(world.origin(phone.origin), 1, "Dora", 0, head)]
    assert list(world.state.members) == [1]
    for visit, id in ((LAPTOP, 9), (phone, 5), (LAPTOP, 10), (phone, 6)):
        assert [(event.person, event.author, event.id) for event in events(world.say(visit, id))] == [
            (1, "Dora", id)
        ]


def test_each_program_has_its_own_ids(world: World) -> None:
    """A line that was said counts as a repeat in its own session only, also after a kill."""
    phone = another(world)
    world.say(LAPTOP, 900)
    world.say(phone, 5)
    for _ in range(2):
        assert [answer.outcome.code for answer in world.say(phone, 5).effects] == [Code.ALREADY]
        assert world.say(phone, 5).happened == [] and world.say(LAPTOP, 900).happened == []
        world.state = world.restored()
    assert [event.id for event in events(world.say(phone, 6))] == [6]


def test_a_quit_comes_with_the_last_program(world: World) -> None:
    """A program that leaves, or whose hold ends, says nothing while another one is here or lost."""
    phone, bot = another(world), another(world)
    head = world.state.head
    world.say(phone, 1)
    world.leave(phone)
    assert world.phase(phone) == "absent" and kinds(world, head) == [EventKind.SAID]
    world.lose(bot)
    assert world.state.members[1].phase is Phase.HERE
    world.tick(HOLD_SECONDS)
    assert world.phase(bot) == "forgotten" and kinds(world, head) == [EventKind.SAID]
    (quit,) = events(world.leave(LAPTOP, "so long"))
    assert (quit.kind, quit.person, quit.text) == (EventKind.QUIT, 1, "so long")
    assert world.state.members == {}


def test_a_member_is_lost_when_all_its_programs_are(world: World) -> None:
    """While one program has a connection, the member is here; then it is lost, and one return is enough."""
    phone, head = another(world), world.state.head
    world.lose(LAPTOP)
    assert world.state.members[1].phase is Phase.HERE
    world.lose(phone)
    assert world.state.members[1].phase is Phase.LOST
    world.enter("Dora", known=phone.session)
    assert world.state.members[1].phase is Phase.HERE
    world.tick(HOLD_SECONDS)
    assert (world.phase(LAPTOP), world.phase(phone)) == ("forgotten", "here") and world.state.head == head


def test_joined_comes_again_when_all_had_left(world: World) -> None:
    """Who logs in after the last program has left is told of as JOINED, as the same person."""
    world.leave(LAPTOP)
    (joined,) = events(world.come(world.ask("dora", proof=PASSWORD)[0]))
    assert (joined.kind, joined.person, joined.author, joined.extra) == (
        EventKind.JOINED,
        1,
        "Dora",
        b"\x02\x04Dora",
    )


def test_a_lost_program_does_not_keep_its_owner_out(world: World) -> None:
    """While a name is held, its owner logs in at once; the others see nothing of all that."""
    head = world.state.head
    world.lose(LAPTOP)
    assert world.ask("dora")[1] == Outcome(Code.NEED_LOGIN, ("Dora",))
    another(world)
    assert world.state.head == head and world.state.members[1].phase is Phase.HERE


def test_the_others_channels_are_added(world: World) -> None:
    """A program that enters another channel brings its other programs there, and is told of theirs."""
    phone = another(world, "#phone")
    bot, _ = world.ask("dora", proof=PASSWORD)
    applied = world.come(bot, "#bot", "#general")
    assert [(event.kind, event.channel) for event in events(applied)] == [
        (EventKind.JOINED, "#bot"),
        (EventKind.AUDITED, "#bot"),
    ]
    assert applied.effects[:-1] == [
        Joined(world.origin(visit.origin), 3, 4) for visit in (LAPTOP, phone)
    ]  # not the program itself: its greeting has all channels
    assert [channel.name for channel in world.state.channels_of(1)] == ["#general", "#phone", "#bot"]


def test_a_take_over_concerns_one_program(world: World) -> None:
    """The token of one program takes that one over, and no other."""
    phone = another(world)
    again, given = world.ask("Dora", phone.session)
    assert given == Outcome(Code.OK, (True, "Dora"))
    assert world.come(again).effects[0] == End(world.origin(phone.origin), Code.TAKEN_OVER)
    assert events(world.say(LAPTOP, 1)) and events(world.say(again, 1))


def test_a_token_and_a_proof_together(world: World) -> None:
    """Who logs in with the token of a session of the account goes on with that session, not with another."""
    world.say(LAPTOP, 7)
    again, given = world.ask("dora", LAPTOP.session, proof=PASSWORD)
    assert given == Outcome(Code.OK, (True, "Dora"))
    assert admits(world.come(again))[0].confirmed == 7
    guest = world.enter("guest")
    other, given = world.ask("dora", guest.session, proof=PASSWORD)
    assert given == Outcome(Code.OK, (False, "Dora")) and other.session != guest.session


def test_an_absent_program_comes_back_beside_another(world: World) -> None:
    """ABSENT → HERE while another program is here: silent, with the ids of its own lines."""
    phone = another(world)
    world.say(phone, 42)
    world.leave(phone)
    head = world.state.head
    again, given = world.ask("dora", phone.session)
    assert given == Outcome(Code.OK, (True, "Dora"))  # as the others write the name now
    assert admits(world.come(again))[0].confirmed == 42 and world.state.head == head


def test_the_name_belongs_to_the_person(world: World) -> None:
    """The name is taken while one program of its person is not absent: also one in its handshake."""
    world.act(LAPTOP, "/unregister", PASSWORD)
    world.say(LAPTOP, 1)
    phone, _ = world.ask("Dora", LAPTOP.session)
    world.leave(LAPTOP)
    assert world.ask("dora")[1].code is Code.NAME_TAKEN
    world.withdraw(phone)
    assert world.ask("dora")[1].code is Code.OK


def test_programs_of_one_person_are_bounded() -> None:
    """One more than `programs` is refused, unless one of them is lost: that one makes room."""
    world = World(Limits(programs=3))
    world.act(world.enter("Dora"), "/register", PASSWORD)
    phone, _ = another(world), another(world)
    world.act(phone, "/device", TOKEN, "phone")
    assert world.ask("dora", proof=TOKEN)[1] == Outcome(Code.TOO_MANY)
    again, given = world.ask("dora", phone.session, proof=PASSWORD)  # the same program again
    assert given.code is Code.OK
    world.withdraw(again)
    world.lose(phone)
    assert world.ask("dora", proof=TOKEN)[1].code is Code.OK
    assert world.phase(phone) == "forgotten"
    assert Limits().programs == MAX_SESSIONS_OF_PERSON


def test_the_password_makes_room() -> None:
    """Whoever has a device token, stolen perhaps, cannot keep out the owner by many programs: one of those
    that came by a token is ended, else the one that came first."""
    world = World(Limits(programs=3))
    world.act(world.enter("Dora"), "/register", PASSWORD)
    world.act(LAPTOP, "/device", TOKEN, "laptop")
    world.leave(LAPTOP)
    own, *thief = another(world), world.enter("dora", proof=TOKEN), world.enter("dora", proof=TOKEN)
    for here in ([own, thief[1]], [own]):
        another_own, given = world.ask("dora", proof=PASSWORD)
        assert given.code is Code.OK
        assert [one for one in (own, *thief) if world.phase(one) == "here"] == here
        (ended,) = world.effects
        assert isinstance(ended, End) and ended.code is Code.EXPIRED
        world.come(another_own)
    world.ask("dora", proof=PASSWORD)
    assert world.phase(own) == "forgotten"


def test_absent_programs_of_one_person_are_bounded() -> None:
    """Of too many, those are forgotten that left first; others' sessions stay."""
    world = World(Limits(absent_programs=2))
    bob = world.enter("bob")
    world.say(bob, 1)
    world.leave(bob)
    world.act(world.enter("Dora"), "/register", PASSWORD)
    left = []
    for _ in range(4):
        left.append(another(world))
        world.say(left[-1], 1)
        world.leave(left[-1])
        world.tick(1.0)
    assert [world.phase(visit) for visit in left] == ["forgotten", "forgotten", "absent", "absent"]
    assert world.phase(bob) == "absent"
    assert Limits().absent_programs == MAX_ABSENT_OF_PERSON


def test_who_comes_back_is_forgotten_by_the_room_that_is_made_for_it() -> None:
    """The lost program that makes room becomes absent, which is one too many: the session that comes back
    goes, and a new one comes instead. Then all goes on as if it had been forgotten a moment before."""
    world = World(Limits(programs=2, absent_programs=2))
    first = world.enter("Dora")
    world.act(first, "/register", PASSWORD)
    left = []
    for _ in range(2):
        left.append(another(world))
        world.say(left[-1], 1)
        world.leave(left[-1])
        world.tick(1.0)
    lost = another(world)
    world.say(lost, 1)
    world.lose(lost)
    back, given = world.ask("dora", known=left[0].session, proof=PASSWORD)
    assert given == Outcome(Code.OK, (False, "Dora")) and back.session != left[0].session
    assert [world.phase(visit) for visit in (left[0], lost, back)] == ["forgotten", "absent", "arriving"]
    world.tick(HANDSHAKE_SECONDS)
    assert world.ask("dora")[1].code is Code.NEED_LOGIN
    assert world.phase(back) == "forgotten"
    assert world.restored().records() == world.state.records()


def test_all_programs_fit_into_one_answer() -> None:
    """/sessions tells its rows, however many programs a person has."""
    row = (MAX_ABSENT_OF_PERSON, "absent", False, True, 10**13, "ä" * (MAX_SOFTWARE // 2))
    rows = ((*row, f"[{'f' * 39}%interface]:65535", "ä" * (MAX_LABEL // 2)),)
    words, told = answer(
        "/sessions", Outcome(Code.OK, rows * (MAX_SESSIONS_OF_PERSON + MAX_ABSENT_OF_PERSON))
    )
    number = MAX_SESSIONS_OF_PERSON + MAX_ABSENT_OF_PERSON
    assert told and words.startswith(f"your programs: {number}\n") and words.count("has left") == number


def test_a_start_loses_all_programs(world: World) -> None:
    """After a start every program is lost, comes back by itself, and the others hear of none."""
    phone = another(world)
    world.up()
    assert [world.phase(visit) for visit in (LAPTOP, phone)] == ["lost", "lost"]
    head = world.state.head
    for visit in (phone, LAPTOP):
        world.enter("Dora", known=visit.session)
    world.tick(HOLD_SECONDS)
    assert [world.phase(visit) for visit in (LAPTOP, phone)] == ["here", "here"]
    assert world.state.head == head


def test_numbers_of_programs(world: World) -> None:
    """Programs are numbered in the order in which they came; no number is given twice at a time."""
    phone, bot = another(world), another(world)
    world.leave(phone)  # it has said nothing and is forgotten
    third = another(world)
    numbers = {session.key: session.number for session in world.state.sessions_of(1)}
    assert numbers == {LAPTOP.session: 1, bot.session: 3, third.session: 4}


def test_memberships_last_as_long_as_a_program_is_remembered(world: World) -> None:
    """Where a person has been is forgotten with its last session, not with the first. An account stays in."""
    world.enter("bob", "#tea")
    other = another(world, "#tea")
    world.act(other, "/leave", "", channel="#tea")
    world.leave(other)
    phone = another(world)
    world.say(LAPTOP, 1)
    world.leave(phone)
    world.leave(LAPTOP)
    assert memberships(world) == ["1 1", "1 2"]
    world.act(another(world), "/passwd", PASSWORD, "new")  # the others are forgotten
    (last,) = world.state.sessions_of(1)
    world.leave(Visit(int(last.at[2]) if last.at else 0, last.key))
    assert memberships(world) == ["1 1"]


def memberships(world: World) -> list[str]:
    """Where Dora is or has been."""
    kept = [record.key for record in world.kept() if record.kind == "membership"]
    return [key for key in kept if key.startswith("1 ")]


def test_whether_the_connection_is_encrypted(world: World) -> None:
    """A session is as encrypted as the connection that it has, not as the one in its handshake."""
    again, _ = world.ask("Dora", LAPTOP.session, encrypted=True)
    (session,) = world.state.sessions_of(1)
    assert not session.encrypted
    world.come(again)
    assert session.encrypted and session.software == "program 2"
    world.ask("Dora", LAPTOP.session)
    assert session.encrypted


# --- what the records do not know yet -----------------------------------------------------------------------


def confirmed(world: World) -> dict[str, int]:
    """The highest id of each session, as a start would know it."""
    return {session.key: session.confirmed for session in world.restored().sessions_of(1)}


def lines(visit: Visit, id: int) -> Proposal:
    return Proposal(visit.origin, 0, ProposalKind.LINES, Burst("#general", [id], [b"x"]))


def test_a_line_of_one_program_is_not_taken_for_one_of_another(world: World) -> None:
    """Whoever talks, comes and goes between two ticks: a start gives each line to its own session."""
    world.say(LAPTOP, 900)
    phone = another(world)
    world.say(phone, 5)
    world.say(LAPTOP, 901)
    assert confirmed(world) == {LAPTOP.session: 901, phone.session: 5}
    world.leave(LAPTOP)
    world.say(phone, 6)
    assert confirmed(world) == {LAPTOP.session: 901, phone.session: 6}
    world.leave(phone)
    bot = another(world)
    world.say(bot, 2)
    assert confirmed(world) == {LAPTOP.session: 901, phone.session: 6, bot.session: 2}


def test_an_owner_who_leaves_is_noted(world: World) -> None:
    """What an owner said is noted before it leaves: the next line may come from another program."""
    world.enter("bob")
    world.say(LAPTOP, 900)
    assert world.state.noted < world.state.head
    world.lose(LAPTOP)
    assert world.state.noted == world.state.head
    guest = world.enter("guest")
    world.say(guest, 1)
    world.lose(guest)  # nobody else can be its person
    assert world.state.noted < world.state.head


def test_a_program_alone_writes_no_record_with_its_lines(world: World) -> None:
    """Only while several programs of a person are here or lost, each burst stores its session."""
    assert world.say(LAPTOP, 1).records == []
    phone = another(world)
    assert [record.key for record in world.say(LAPTOP, 2).records] == [LAPTOP.session]
    world.leave(phone)
    assert world.say(LAPTOP, 3).records == []


def test_two_programs_in_one_entry(world: World) -> None:
    """Lines of two programs and a leave in one entry are three facts, and a start tells them apart."""
    phone = another(world)
    leave = Proposal(phone.origin, 0, ProposalKind.LEAVE, Leave(True, ""))
    applied = world.apply(lines(LAPTOP, 9), lines(phone, 900), leave, lines(LAPTOP, 10))
    assert [event.id for event in events(applied)] == [9, 900, 10]
    assert applied.effects == [Gone(world.origin(phone.origin))]
    assert confirmed(world) == {LAPTOP.session: 10, phone.session: 900}
    assert not [effect for effect in world.say(LAPTOP, 11).effects if isinstance(effect, Answer)]
