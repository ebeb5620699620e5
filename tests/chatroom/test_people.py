"""What people do with their names and settings. World restores the state after each step."""

from __future__ import annotations

import pytest

from chatroom.bounds import Limits
from chatroom.commands import run
from chatroom.desk import Asker, Prepared, Room
from chatroom.effects import OwnSignal
from chatroom.events import Event, EventKind
from chatroom.limits import HOLD_SECONDS, MAX_AWAY, NAME_BYTES, SESSION_SECONDS
from chatroom.outcomes import Code, Outcome
from chatroom.people import Writers
from chatroom.state import State
from tests.chatroom.test_preparing import FakeDesk
from tests.chatroom.world import Visit, World, admits, ends

PASSWORD = "scrypt$14$8$1$00$11"
ANN, BOB = Visit(1, "key1"), Visit(2, "key2")
DORA = Visit(3, "key3")


@pytest.fixture
def world() -> World:
    """ann is person 1, bob 2: guests; Dora, with an account, is 3. All are in #general."""
    world = World()
    world.enter("ann"), world.enter("bob")
    world.act(world.enter("Dora"), "/register", PASSWORD)
    return world


def give(world: World, visit: Visit, text: str) -> Outcome:
    """What becomes of a command, as a door gives it."""
    session = world.state.session_at(world.origin(visit.origin))
    assert session is not None
    asker = Asker(session.person, "#general", world.origin(visit.origin))
    found = run(Room(world.state, {}), asker, text)
    if isinstance(found, Outcome):
        return found
    desk = FakeDesk()
    desk.state = world.state
    assert found.command.prepare is not None
    prepared = found.command.prepare(desk, found.asker, found.rest)
    if isinstance(prepared, Outcome):
        return prepared
    assert isinstance(prepared, Prepared)
    return world.act(visit, prepared.act.command, *prepared.act.arguments)


def told(world: World, kind: EventKind) -> list[Event]:
    return [event for event in world.log if event.kind is kind]


# --- /nick --------------------------------------------------------------------------------------------------


def test_a_new_name(world: World) -> None:
    """/nick: those who share a channel get one RENAMED, of the same person; the old name is free at once."""
    assert give(world, ANN, "/nick Zoe") == Outcome(Code.OK, ("Zoe",))
    (event,) = told(world, EventKind.RENAMED)
    assert (event.author, event.text, event.person, event.places) == ("ann", "Zoe", 1, (1,))
    assert world.state.members[1].name == "Zoe"
    member = world.state.member_named("zoe")
    assert member is not None and member.person == 1 and world.state.member_named("ann") is None
    assert world.ask("zoe")[1] == Outcome(Code.NAME_TAKEN, ("Zoe", 0))
    assert world.enter("ann").origin and world.state.members[4].name == "ann"
    world.say(ANN, 5)
    assert world.log[-1].author == "Zoe"


def test_a_name_is_written_in_another_way(world: World) -> None:
    """A new way of writing is a new name, too; the same one is ALREADY."""
    assert give(world, ANN, "/nick ANN") == Outcome(Code.OK, ("ANN",))
    assert give(world, ANN, "/nick ANN") == Outcome(Code.ALREADY, ("ANN",))
    assert [event.text for event in told(world, EventKind.RENAMED)] == ["ANN"]


def test_names_that_are_not_given(world: World) -> None:
    """As at the entrance: taken, held, owned names and look-alikes of all of them are refused."""
    ian = world.enter("Ian")
    assert give(world, ANN, "/nick Bob") == Outcome(Code.NAME_TAKEN, ("bob", 0))
    assert give(world, ANN, "/nick lan") == Outcome(Code.NAME_TAKEN, ("Ian", 0))
    world.lose(ian)
    assert give(world, ANN, "/nick lan") == Outcome(Code.NAME_HELD, ("Ian", HOLD_SECONDS))
    world.ask("coming")
    assert give(world, ANN, "/nick coming").code is Code.NAME_TAKEN
    assert give(world, ANN, "/nick dora") == Outcome(Code.NEED_LOGIN, ("Dora",))
    world.leave(DORA)
    assert give(world, ANN, "/nick DORA") == Outcome(Code.NEED_LOGIN, ("Dora",))
    assert give(world, ANN, "/nick D0ra") == Outcome(Code.NAME_TAKEN, ("Dora", 0))
    for text in ("server", "a b", "#x", "x" * 30):
        assert give(world, ANN, f"/nick {text}").code is Code.BAD_NAME
    assert give(world, ANN, "/nick") == Outcome(Code.BAD_ARGUMENTS)
    assert world.state.members[1].name == "ann" and not told(world, EventKind.RENAMED)


def test_all_programs_of_a_person_have_the_new_name(world: World) -> None:
    """A person has one name: its other programs, and those that come in later."""
    world.enter("dora", proof=PASSWORD)
    assert give(world, DORA, "/nick Teacher").code is Code.OK
    world.enter("dora", proof=PASSWORD)
    assert {session.name for session in world.state.sessions_of(3)} == {"Teacher"}
    assert len(told(world, EventKind.RENAMED)) == 1


def test_an_owner_goes_back_to_its_name(world: World) -> None:
    """The name of an account stays its owner's, whatever it is called meanwhile, as it was registered."""
    give(world, DORA, "/nick Teacher")
    assert world.ask("dora")[1].code is Code.NEED_LOGIN
    assert give(world, ANN, "/nick dora").code is Code.NEED_LOGIN
    assert give(world, DORA, "/nick DORA") == Outcome(Code.OK, ("Dora",))
    give(world, DORA, "/nick Teacher")
    world.leave(DORA)
    world.enter("dora", proof=PASSWORD)
    assert world.state.members[3].name == "Dora"


@pytest.mark.parametrize("asked", ["ann", "Zoe", "somebody"])
def test_who_comes_back_has_the_new_name(world: World, asked: str) -> None:
    """A token opens the session under its new name, whatever the client believes to be called: also after a
    restart, and when it was out. What it says again is recognised."""
    world.say(ANN, 5)
    give(world, ANN, "/nick Zoe")
    world.lose(ANN)
    (admit,) = admits(world.come(world.ask(asked, ANN.session)[0]))
    assert (admit.person, admit.name, admit.confirmed) == (1, "Zoe", 5)
    world.up()
    world.tick(HOLD_SECONDS)
    assert 1 not in world.state.members
    (admit,) = admits(world.come(world.ask(asked, ANN.session)[0]))
    assert (admit.person, admit.name, admit.confirmed) == (1, "Zoe", 5)


def test_a_name_that_is_kept_for_an_owner_is_left(world: World) -> None:
    """Who has taken a name by /nick that looks like one that is kept for an owner now is sent away."""
    assert give(world, DORA, "/nick lan").code is Code.OK
    assert ends(world.own("Ian")) and 3 not in world.state.members


def test_a_rename_in_a_counted_channel_is_not_told() -> None:
    """In a channel that only counts its members there is no RENAMED; the own programs get it as a signal."""
    world = World(Limits(counted_from=1))
    ann = world.enter("ann")
    world.enter("bob")
    head = world.state.head
    assert give(world, ann, "/nick Zoe") == Outcome(Code.OK, ("Zoe",))
    assert world.state.head == head and world.state.members[1].name == "Zoe"
    (signal,) = [effect for effect in world.effects if isinstance(effect, OwnSignal)]
    assert signal.origin == world.origin(ann.origin)
    event = signal.event
    assert (event.seq, event.kind, event.author, event.text, event.person) == (
        0,
        EventKind.RENAMED,
        "ann",
        "Zoe",
        1,
    )


# --- /away, /back -------------------------------------------------------------------------------------------


def test_away_and_back(world: World) -> None:
    """Those who share a channel are told; /whois says it; a return or a restart keeps it, QUIT ends it."""
    assert give(world, ANN, "/away lunch,  till one ") == Outcome(Code.OK, ("lunch,  till one",))
    assert give(world, ANN, "/away lunch,  till one") == Outcome(Code.ALREADY, ("lunch,  till one",))
    world.up()
    ann = world.enter("ann", known=ANN.session)
    bob = world.enter("bob", known=BOB.session)
    assert dict(give(world, bob, "/whois ann").rows)["away"] == "lunch,  till one"  # type: ignore[call-overload]
    assert give(world, ann, "/back") == Outcome(Code.OK, ("",))
    assert give(world, ann, "/back") == Outcome(Code.ALREADY, ("",))
    assert "away" not in dict(give(world, bob, "/whois ann").rows)  # type: ignore[call-overload]
    assert give(world, ann, "/away") == Outcome(Code.OK, ("away",))
    events = told(world, EventKind.AWAY)
    assert [(one.author, one.person, one.text, one.places) for one in events] == [
        ("ann", 1, "lunch,  till one", (1,)),
        ("ann", 1, "", (1,)),
        ("ann", 1, "away", (1,)),
    ]
    world.say(ann, 1)
    world.leave(ann)
    world.enter("ann", known=ANN.session)
    assert world.state.members[1].away == ""


def test_the_text_of_away_is_bounded(world: World) -> None:
    """A text that is too long is refused, not cut; control characters do not go through."""
    assert give(world, ANN, "/away " + "ä" * (MAX_AWAY // 2)).code is Code.OK
    for text in ("x" * (MAX_AWAY + 1), "ä" * (MAX_AWAY // 2 + 1), "x" * 60_000):
        assert give(world, ANN, f"/away {text}") == Outcome(Code.TOO_LONG, (MAX_AWAY,))
    assert give(world, ANN, "/away a\x1b[2Jb\nc") == Outcome(Code.OK, ("a\u241b[2Jb c",))
    assert give(world, ANN, "/back now") == Outcome(Code.BAD_ARGUMENTS)


# --- /ignore, /unignore, /ignored ---------------------------------------------------------------------------


def refusal(state: State, author: int, receiver: int, begun: bool) -> Code | None:
    """Why a line of the author must not go to the receiver, whether they have a conversation or not."""
    shared = state._channels.shared(author, receiver)
    return state.people.refusal(author, receiver, begun=begun, shared=shared)


def test_ignoring(world: World) -> None:
    """A person is ignored, not a name: also after a rename, and when another one takes the name."""
    assert give(world, ANN, "/ignored") == Outcome(Code.OK, ())
    assert give(world, ANN, "/ignore BOB") == Outcome(Code.OK, ("bob",))
    assert give(world, ANN, "/ignore bob") == Outcome(Code.ALREADY, ("bob",))
    give(world, BOB, "/nick Rob")
    other = world.enter("bob")
    state = world.state
    assert state.people.ignores(1, 2) and not state.people.ignores(1, 4) and not state.people.ignores(2, 1)
    assert give(world, ANN, "/ignored") == Outcome(Code.OK, ((2, "Rob"),))
    assert refusal(state, 2, 1, True) is Code.MUTED
    assert refusal(state, 1, 2, True) is None  # who ignores somebody may write to them
    assert give(world, ANN, "/unignore bob") == Outcome(Code.OK, ("Rob",))  # as it was then
    assert give(world, ANN, "/unignore rob") == Outcome(Code.ALREADY, ("Rob",))
    assert give(world, ANN, "/unignore bob") == Outcome(Code.ALREADY, ("bob",))
    assert other.origin and give(world, ANN, "/ignored").rows == ()
    assert [record for record in state.records() if record.kind == "person"] == []


def test_whom_nobody_can_ignore(world: World) -> None:
    """Nobody ignores itself, or who is not known; bad names are nobody's."""
    assert give(world, ANN, "/ignore ann") == Outcome(Code.BAD_ARGUMENTS, ("ann",))
    for command in ("/ignore", "/unignore"):
        assert give(world, ANN, command) == Outcome(Code.BAD_ARGUMENTS)
        assert give(world, ANN, f"{command} nobody") == Outcome(Code.NO_SUCH_NAME, ("nobody",))
        long = "#" * 500
        assert give(world, ANN, f"{command} {long}") == Outcome(Code.NO_SUCH_NAME, (long[:NAME_BYTES],))
    assert give(world, ANN, "/ignored x") == Outcome(Code.BAD_ARGUMENTS)
    assert world.act(ANN, "/ignore", 99).code is Code.NO_SUCH_NAME


def test_an_owner_who_is_out_can_be_ignored(world: World) -> None:
    """An account is known while its owner is out; a list lasts as long as its person, and over a restart."""
    world.leave(DORA)
    assert give(world, ANN, "/ignore dora") == Outcome(Code.OK, ("Dora",))
    dora = world.enter("dora", proof=PASSWORD)
    give(world, dora, "/ignore ann")
    world.leave(dora)
    world.up()
    world.tick(SESSION_SECONDS + HOLD_SECONDS)
    assert world.state.people.ignores(3, 1) is False  # ann said nothing, and is forgotten
    dora = world.enter("dora", proof=PASSWORD)
    assert give(world, dora, "/ignored") == Outcome(Code.OK, ())


def test_the_list_of_an_account_stays(world: World) -> None:
    """An account's list stays when all its sessions are forgotten; a guest's goes with its last session."""
    eve = world.enter("eve")
    world.act(eve, "/register", "another")
    give(world, DORA, "/ignore eve"), give(world, ANN, "/ignore eve")
    give(world, DORA, "/direct nobody"), give(world, ANN, "/direct all")
    for visit in (ANN, DORA, eve):
        world.leave(visit)
    world.tick(SESSION_SECONDS)
    assert world.state.sessions_of(3) == []
    state = world.state
    assert state.people.ignored(3) == [(4, "eve")] and state.people.writers(3) is Writers.NOBODY
    assert state.people.ignored(1) == [] and state.people.writers(1) is Writers.SHARED
    eve = world.enter("eve", proof="another")
    world.act(eve, "/unregister", "another")
    world.leave(eve)
    assert world.state.people.ignored(3) == []  # nobody can be that person again


def test_lists_are_bounded() -> None:
    """One person, and all together, ignore so many at most."""
    world = World(Limits(ignored=2, ignored_in_sum=3))
    people = [world.enter(name) for name in ("ann", "bob", "carl", "dan")]
    assert [give(world, people[0], f"/ignore {name}").code for name in ("bob", "carl", "dan")] == [
        Code.OK,
        Code.OK,
        Code.TOO_MANY,
    ]
    assert [give(world, people[1], f"/ignore {name}").code for name in ("ann", "carl")] == [
        Code.OK,
        Code.FULL,
    ]
    give(world, people[0], "/unignore bob")
    assert give(world, people[1], "/ignore carl").code is Code.OK


# --- /direct, /query ----------------------------------------------------------------------------------------


def test_direct(world: World) -> None:
    """/direct says who may begin; without an argument, how it is."""
    assert give(world, ANN, "/direct") == Outcome(Code.OK, ("shared",))
    assert give(world, ANN, "/direct shared") == Outcome(Code.ALREADY, ("shared",))
    assert give(world, ANN, "/direct Nobody") == Outcome(Code.OK, ("nobody",))
    assert give(world, ANN, "/direct") == Outcome(Code.OK, ("nobody",))
    assert give(world, ANN, "/direct friends") == Outcome(Code.BAD_ARGUMENTS)
    assert world.act(ANN, "/direct", "friends") == Outcome(Code.BAD_ARGUMENTS)
    assert world.restored().people.writers(1) is Writers.NOBODY


@pytest.mark.parametrize(
    ("direct", "shares", "begun", "code"),
    [
        ("all", False, False, None),
        ("shared", True, False, None),
        ("shared", False, False, Code.MUTED),
        ("shared", False, True, None),
        ("nobody", True, False, Code.MUTED),
        ("nobody", False, True, None),
    ],
)
def test_who_may_write(world: World, direct: str, shares: bool, begun: bool, code: Code | None) -> None:
    """The receiver's setting decides who begins; in a conversation that has begun, only ignoring does."""
    give(world, ANN, f"/direct {direct}")
    eve = world.enter("eve", "#general" if shares else "#far")
    assert refusal(world.state, 4, 1, begun) is code
    assert refusal(world.state, 1, 1, False) is None  # notes to oneself
    give(world, ANN, "/ignore eve")
    assert refusal(world.state, 4, 1, begun) is Code.MUTED and eve.origin


def test_query(world: World) -> None:
    """/query tells who is meant by a name, and why one cannot write to them."""
    assert give(world, ANN, "/query BOB") == Outcome(Code.OK, (2, "bob", 0))
    assert give(world, ANN, "/query ann") == Outcome(Code.OK, (1, "ann", 0))
    give(world, BOB, "/ignore ann")
    assert give(world, ANN, "/query bob") == Outcome(Code.MUTED, ("bob",))
    assert give(world, BOB, "/query ann").code is Code.OK
    assert give(world, ANN, "/query nobody") == Outcome(Code.NO_SUCH_NAME, ("nobody",))
    assert give(world, ANN, "/query #general") == Outcome(Code.NO_SUCH_NAME, ("#general",))
    assert give(world, ANN, "/query") == Outcome(Code.BAD_ARGUMENTS)
    world.lose(BOB)
    assert give(world, ANN, "/query bob").code is Code.MUTED  # it may come back
    world.tick(HOLD_SECONDS)
    assert give(world, ANN, "/query bob").code is Code.NO_SUCH_NAME


# --- /seen, /time -------------------------------------------------------------------------------------------


def test_seen(world: World) -> None:
    """/seen tells since when somebody is here, or when the connection was lost, or when they left."""
    began = world.time
    world.say(BOB, 1)
    world.time += 5000
    assert give(world, ANN, "/seen BOB") == Outcome(Code.OK, ("bob", began, "here"))
    world.lose(BOB)
    assert give(world, ANN, "/seen bob") == Outcome(Code.OK, ("bob", began + 5000, "lost"))
    world.tick(HOLD_SECONDS)
    world.up()
    ann = world.enter("ann", known=ANN.session)
    assert give(world, ann, "/seen bob") == Outcome(Code.OK, ("bob", world.time, "absent"))
    world.tick(SESSION_SECONDS)
    assert give(world, ann, "/seen bob") == Outcome(Code.NO_SUCH_NAME, ("bob",))
    assert give(world, ann, "/seen") == Outcome(Code.BAD_ARGUMENTS)
    assert give(world, ann, "/seen #x") == Outcome(Code.NO_SUCH_NAME, ("#x",))


def test_seen_of_an_owner(world: World) -> None:
    """Of an account its own name is told, whatever its owner was called."""
    world.say(DORA, 1)
    give(world, DORA, "/nick Teacher")
    assert give(world, ANN, "/seen dora").rows[0] == "Teacher"
    world.time += 7000
    world.leave(DORA)
    for name in ("dora", "teacher"):
        assert give(world, ANN, f"/seen {name}") == Outcome(Code.OK, ("Dora", world.time, "absent"))


def test_seen_tells_nothing_to_strangers(world: World) -> None:
    """Who was in no channel with somebody learns as little as by /whois."""
    world.say(BOB, 1)
    eve = world.enter("eve", "#far")
    assert give(world, eve, "/seen bob").code is Code.OK  # so does /whois
    world.leave(BOB)
    world.leave(DORA)
    for name in ("bob", "dora"):
        assert give(world, eve, f"/seen {name}") == Outcome(Code.NO_SUCH_NAME, (name,))
        assert give(world, eve, f"/whois {name}").code is Code.NO_SUCH_NAME
    assert give(world, ANN, "/seen bob").code is Code.OK


def test_time(world: World) -> None:
    """/time is the server's clock."""
    assert give(world, ANN, "/time") == Outcome(Code.OK, (FakeDesk().now(),))
    assert give(world, ANN, "/time now") == Outcome(Code.BAD_ARGUMENTS)


def test_what_one_network_ignores_is_bounded() -> None:
    """One address cannot take from all others what lets them ignore it."""
    world = World(Limits(ignored_of_network=3, ignored_in_sum=100))
    one, two = (world.enter(name, address="1.1.1.1") for name in ("one", "two"))
    far = world.enter("far", address="2.2.2.2")
    assert give(world, one, "/ignore two").code is give(world, one, "/ignore far").code is Code.OK
    assert give(world, two, "/ignore far").code is Code.OK
    assert give(world, two, "/ignore one").code is Code.FULL
    assert give(world, far, "/ignore one").code is give(world, far, "/ignore two").code is Code.OK
    assert give(world, one, "/unignore two").code is Code.OK
    assert give(world, two, "/ignore one").code is Code.OK
    world.leave(one)  # it has said nothing, so nobody is that person any more
    assert give(world, two, "/unignore far").code is Code.OK
