"""chatroom/guard.py, chatroom/guard_acts.py and chatroom/guard_pace.py, within a whole state."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.bounds import Limits
from chatroom.effects import Answer, End
from chatroom.events import EventKind, Extra, extra_rows
from chatroom.limits import MAX_NEWCOMER_LINES, NEWCOMER_SECONDS
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Form
from chatroom.places import AUDIT_PLACE
from chatroom.proposals import Act, Proposal, ProposalKind
from tests.chatroom.world import Visit, World, ends, events

LONG = NEWCOMER_SECONDS + 1


class Room(World):
    """ann owns the chatroom, bob belongs to it, eve has just come; each from an address of its own."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self.ann, self.bob = self.enter("ann", address="1.1.1.1:1"), self.enter("bob", address="1.1.1.2:1")
        assert self.act(self.ann, "/register", "secret").code is Code.OK
        self.own("", "code")
        assert self.act(self.ann, "/owner", "code").code is Code.OK
        self.tick(LONG)
        self.eve = self.enter("eve", address="1.1.1.3:1")

    def guard(self, word: str, number: int = 0) -> Outcome:
        return self.act(self.ann, "/guard", word, number)

    def is_in(self, visit: Visit) -> bool:
        return self.state.session_at(self.origin(visit.origin)) is not None

    def said(self, visit: Visit, *ids: int) -> list[Code]:
        """What became of lines."""
        applied = self.say(visit, *ids)
        codes = {one.request: one.outcome.code for one in applied.effects if isinstance(one, Answer)}
        return [codes.get(id, Code.OK) for id in ids]

    def ended(self) -> list[Code]:
        return [effect.code for effect in self.effects if isinstance(effect, End)]


@pytest.fixture
def room() -> Room:
    return Room()


SHOWN = (("opening", "all"), ("newcomers", "off"), ("key", "off"))

# --- who may ------------------------------------------------------------------------------------------------


def test_only_operators_of_the_chatroom(room: Room) -> None:
    """Also not the owner of some channel."""
    room.act(room.bob, "/join", "#den", "")
    for command, arguments in (("/guard", ("off", 0)), ("/set", ("key", "word")), ("/invite", ("ann",))):
        channel = "#den" if command == "/guard" else "*"
        assert room.act(room.bob, command, *arguments, channel=channel).code is Code.NEED_ROLE


def test_bad_arguments_and_no_change(room: Room) -> None:
    """A word that nobody knows, a setting that the chatroom has not; and what is so already."""
    assert room.guard("everybody") == Outcome(Code.BAD_ARGUMENTS)
    assert room.guard("newcomers", MAX_NEWCOMER_LINES + 1) == Outcome(Code.BAD_ARGUMENTS)
    assert room.act(room.ann, "/set", "moderated", "on", channel="*") == Outcome(
        Code.BAD_ARGUMENTS, ("moderated",)
    )
    assert room.guard("off") == Outcome(Code.ALREADY, SHOWN)
    for word, number in (("accounts", 0), ("newcomers", 3)):
        assert room.guard(word, number).code is Code.OK
        assert room.guard(word, number).code is Code.ALREADY
    assert room.state.guarded == (("opening", "accounts"), ("newcomers", 3), ("key", "off"))
    assert room.guard("off") == Outcome(Code.OK, SHOWN)


def test_it_is_in_the_audit_trail(room: Room) -> None:
    """Who did what, and for the password only that there is one."""
    room.guard("newcomers", 2)
    room.act(room.ann, "/set", "key", "hash", channel="*")
    room.act(room.ann, "/invite", "ann", channel="*")
    audited = [event for event in room.log if event.kind is EventKind.AUDITED]
    assert [event.text for event in audited] == ["/owner", "/guard newcomers 2", "/set key on", "/invite"]
    assert {(event.author, event.place, event.channel) for event in audited} == {("ann", AUDIT_PLACE, "*")}
    assert extra_rows(audited[-1].extra)[Extra.TARGET_NAME] == b"ann"
    assert "hash" not in repr(audited)


# --- the door -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "code"), [("accounts", Code.NEED_LOGIN), ("invited", Code.INVITE_ONLY)])
def test_strangers_are_ended_and_kept_out(room: Room, word: str, code: Code) -> None:
    """Who has just come goes at once, and comes in by no way; who was here longer notices nothing."""
    assert room.guard(word).code is Code.OK
    assert room.ended() == [code] and not room.is_in(room.eve)
    assert room.is_in(room.ann) and room.is_in(room.bob)
    for known in ("", room.eve.session):
        assert room.ask("eve", known)[1] == Outcome(code)
    room.lose(room.bob)
    back = room.enter("bob", known=room.bob.session)
    assert room.is_in(back) and room.said(back, 1) == [Code.OK]
    room.leave(back)
    assert room.is_in(room.enter("bob", known=room.bob.session)), "also after it has left"
    room.guard("off")
    assert room.is_in(room.enter("eve"))


def test_who_is_in_the_handshake(room: Room) -> None:
    """A name that was given before the door was closed opens it for nobody."""
    visit, outcome = room.ask("zoe")
    assert outcome.code is Code.OK
    room.guard("accounts")
    assert [one.code for one in ends(room.come(visit)) if isinstance(one, End)] == [Code.NEED_LOGIN]
    assert room.phase(visit) == "forgotten"


def test_accounts_and_the_invited(room: Room) -> None:
    """Accounts come in while accounts may; those who are new only by invitation when only the invited may."""
    for name in ("zoe", "dan"):
        visit = room.enter(name)
        room.act(visit, "/register", "secret")
        room.leave(visit)
    room.guard("accounts")
    zoe = room.enter("zoe", proof="secret")
    assert room.is_in(zoe)
    assert room.act(room.ann, "/invite", "dan", channel="*") == Outcome(Code.OK, ("dan", "*"))
    assert room.act(room.ann, "/invite", "dan", channel="*") == Outcome(Code.ALREADY, ("dan", "*"))
    assert room.act(room.ann, "/invite", "bob", channel="*").code is Code.NO_SUCH_NAME
    room.guard("invited")
    assert room.ended() == [Code.INVITE_ONLY] and not room.is_in(zoe)
    assert room.ask("zoe", proof="secret")[1].code is Code.INVITE_ONLY
    dan = room.enter("dan", proof="secret")
    assert room.is_in(dan) and room.is_in(room.enter("ann", proof="secret"))
    assert room.act(room.ann, "/uninvite", "dan", channel="*").code is Code.OK
    assert room.act(room.ann, "/uninvite", "dan", channel="*").code is Code.ALREADY
    assert room.is_in(dan), "who is in stays"
    room.leave(dan)
    assert room.ask("dan", proof="secret")[1].code is Code.INVITE_ONLY


def test_whom_operators_know(room: Room) -> None:
    """A voice in a channel that is kept, or in the chatroom, and an exemption count; a role that strangers
    give each other in a channel of their own does not."""
    zoe, dan, kim = room.enter("zoe"), room.enter("dan"), room.enter("kim")
    room.act(room.ann, "/voice", "zoe")
    assert room.act(room.ann, "/exempt", "name kim", "kim", 0, "", channel="*").code is Code.OK
    room.act(room.eve, "/join", "#den", "")
    room.act(dan, "/join", "#den", "")
    room.act(room.eve, "/voice", "dan", channel="#den")
    assert not any(room.state._guard.is_newcomer(room.person(one), room.time) for one in (zoe, kim))
    assert all(room.state._guard.is_newcomer(room.person(one), room.time) for one in (dan, room.eve))


def test_only_so_many_in_one_entry() -> None:
    """The ticks go on, those who have come last first; those who still wait say nothing."""
    room = Room(Limits(ends_per_tick=2, looked_per_tick=3))
    strangers = [room.enter(f"raider{number}") for number in range(6)]
    room.guard("accounts")
    assert len(room.ended()) == 2
    assert [room.is_in(one) for one in strangers] == [True] * 4 + [False] * 2
    assert room.said(strangers[0], 1) == [Code.SLOW_DOWN]
    assert room.said(room.bob, 1) == [Code.OK]
    for _ in range(4):
        assert len([one for one in room.tick(1).effects if isinstance(one, End)]) <= 2
    assert not any(room.is_in(one) for one in (*strangers, room.eve))
    assert room.is_in(room.bob) and room.state._guard.ending == 0
    assert not room.tick(1).records, "it costs nothing any more"


def test_the_clock_was_ahead(room: Room) -> None:
    """Who came while the clock was wrong is nobody new; who comes now is."""
    room.time += 3_600_000
    room.tick()
    zoe = room.enter("zoe")
    room.time -= 3_600_000
    room.tick()
    dan = room.enter("dan")
    room.guard("accounts")
    assert room.is_in(zoe) and not room.is_in(dan)


# --- what newcomers may say ---------------------------------------------------------------------------------


def test_so_much_in_a_minute(room: Room) -> None:
    """Lines, edits, reactions, direct lines, names and topics count together; SLOW_DOWN says when again."""
    room.guard("newcomers", 2)
    (first,) = events(room.say(room.eve, 1))
    room.amend(room.eve, 2, Form.REACT, first.seq, "+1")
    slow = Outcome(Code.SLOW_DOWN, (room.time + 60_000, 60_000))
    assert room.act(room.eve, "/topic", "mine") == slow
    assert room.act(room.eve, "/nick", "eva", "eva", "eva") == slow
    assert room.act(room.eve, "/away", "tea") == slow and room.act(room.eve, "/away", "away") == slow
    assert room.act(room.eve, "/join", "#den", "") == slow
    assert room.act(room.eve, "/register", "secret") == slow
    assert room.said(room.eve, 3, 4) == [Code.SLOW_DOWN] * 2
    assert not events(room.write(room.eve, room.person(room.bob), 5))
    assert room.said(room.bob, 1, 2, 3, 4) == [Code.OK] * 4
    room.tick(59)
    assert room.said(room.eve, 6) == [Code.SLOW_DOWN]
    room.tick(2)
    assert room.said(room.eve, 7, 8, 9) == [Code.OK, Code.OK, Code.SLOW_DOWN]
    room.tick(LONG)
    assert room.said(room.eve, *range(10, 15)) == [Code.OK] * 5, "it is no newcomer any more"
    assert not [record for record in room.kept() if record.kind == "pace"]


def test_nothing_at_all(room: Room) -> None:
    """With 0 they only read, leave and come back; and found no channel when they come in."""
    room.guard("newcomers", 0)
    assert room.said(room.eve, 1) == [Code.SLOW_DOWN]
    assert room.act(room.eve, "/leave", "spam").code is Code.OK
    assert events(room.tick()) == [] and room.log[-1].text == ""
    assert [one.code for one in ends(room.come(room.ask("zoe")[0], "#den")) if isinstance(one, End)] == [
        Code.SLOW_DOWN
    ]
    room.come(room.ask("dan")[0])
    assert room.log[-1].kind is EventKind.JOINED
    room.come(room.ask("bob", room.bob.session)[0], "#den")
    assert room.state.channel("#den") is not None


def test_a_new_account_is_still_a_newcomer(room: Room) -> None:
    """Nobody escapes by registering, or by logging in again; who was here long before is none by that."""
    room.guard("newcomers", 1)
    assert room.act(room.eve, "/register", "secret").code is Code.OK
    assert room.said(room.enter("eve", proof="secret"), 1) == [Code.SLOW_DOWN]
    room.act(room.bob, "/register", "secret")
    assert room.said(room.bob, 1, 2, 3) == [Code.OK] * 3


# --- the server's password ----------------------------------------------------------------------------------


def test_the_servers_password(room: Room) -> None:
    """Who comes shows it; who comes back, and an operator, need not."""
    room.act(room.eve, "/register", "eves")
    assert room.act(room.ann, "/set", "key", "word", channel="*") == Outcome(Code.OK, ("key", "on"))
    assert room.act(room.ann, "/set", "key", "word", channel="*").code is Code.ALREADY
    assert room.ask("zoe")[1] == Outcome(Code.BAD_KEY, (False,))
    assert room.ask("zoe", server_key="wrong")[1] == Outcome(Code.BAD_KEY, (True,))
    assert room.ask("zoe", server_key="word")[1].code is Code.OK
    assert room.ask("eve", proof="eves")[1].code is Code.BAD_KEY, "an account is not enough"
    assert room.ask("ann", proof="secret")[1].code is Code.OK
    room.lose(room.bob)
    assert room.ask("bob", room.bob.session)[1].code is Code.OK
    assert room.ask("bob", "key of nobody")[1].code is Code.BAD_KEY
    assert room.state.guarded[-1] == ("key", "on")
    assert room.act(room.ann, "/set", "key", "off", channel="*") == Outcome(Code.OK, ("key", "off"))
    assert room.ask("dan")[1].code is Code.OK


def test_an_owner_who_has_lost_the_password(room: Room) -> None:
    """While the code of --owner is not used, the server's own machine comes in as a guest."""
    room.guard("accounts")
    room.act(room.ann, "/set", "key", "word", channel="*")
    assert room.ask("me", address="127.0.0.1:1")[1].code is Code.BAD_KEY
    room.own("ann", "code")
    assert room.ask("me", address="1.1.1.9:1")[1].code is Code.BAD_KEY
    guest = room.enter("me", address="127.0.0.1:1")
    assert room.act(guest, "/recover", "ann", "code", "new").code is Code.OK
    assert room.ask("you", address="127.0.0.1:1")[1].code is Code.BAD_KEY
    assert room.ask("ann", proof="new")[1].code is Code.OK


def test_what_is_stored(room: Room) -> None:
    """One record; none while nothing is set."""
    assert not [record for record in room.kept() if record.kind == "chatroom"]
    room.guard("invited")
    room.guard("newcomers", 7)
    (record,) = [record for record in room.kept() if record.kind == "chatroom"]
    assert record.value == '{"key":"","opening":"invited","newcomers":7,"ending":0,"before":0}'
    room.up()
    assert room.state.guarded[:2] == (("opening", "invited"), ("newcomers", 7))
    assert room.restored().guarded == room.state.guarded


# --- what has no end otherwise ------------------------------------------------------------------------------


def test_numbers_of_places_and_persons_come_to_an_end() -> None:
    """Then nothing new is founded or begun, and nobody new comes in; who is known goes on."""
    room = Room(Limits(place_numbers=2, person_numbers=4))
    assert room.act(room.bob, "/join", "#den", "").code is Code.OK
    assert room.act(room.bob, "/leave", "", channel="#den").code is Code.OK
    assert room.act(room.bob, "/join", "#den", "").code is Code.FULL
    (answer,) = room.write(room.bob, room.person(room.eve), 1).effects
    assert isinstance(answer, Answer) and answer.outcome.code is Code.FULL
    zoe, (dan, outcome) = room.ask("zoe")[0], room.ask("dan")
    assert outcome.code is Code.OK
    room.come(zoe)
    assert [one.code for one in ends(room.come(dan)) if isinstance(one, End)] == [Code.FULL]
    assert room.ask("kim")[1].code is Code.FULL
    room.lose(room.bob)
    assert room.is_in(room.enter("bob", known=room.bob.session))


_BODY = st.one_of(st.text(max_size=9), st.integers(-9, 9), st.booleans(), st.none(), st.lists(st.integers()))


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["/guard", "/set", "/invite", "/uninvite"]), st.lists(_BODY)), max_size=9
    )
)
def test_odd_bodies(acts: list[tuple[str, list[object]]]) -> None:
    """Whatever stands in an act, the state goes on; the records restore it."""
    room = Room()
    for command, arguments in acts:
        act = Act(command, "*", tuple(arguments))  # type: ignore[arg-type]
        room.apply(Proposal(room.ann.origin, 7, ProposalKind.ACT, act))
    assert room.is_in(room.ann)


@pytest.mark.parametrize("seed", range(4))
def test_a_walk(seed: int) -> None:
    """Strangers come, talk, register, are lost and come back, while ann closes the door and opens it: `World`
    judges that the records restore the state. ann and bob are never touched, and the ticks come to an end."""
    room, random = Room(Limits(ends_per_tick=2, looked_per_tick=3, newcomer=60_000)), Random(seed)
    room.tick(100)
    visits, bob, id = dict[str, Visit](), room.bob, 0
    for step in range(60):
        name, id = f"raider{random.randrange(9)}", id + 1
        visit = visits.get(name)
        match random.randrange(9):
            case 0 | 1 | 2:
                known = visit.session if visit is not None and random.random() < 0.7 else ""
                asked, outcome = room.ask(name, known, f"9.9.9.{random.randrange(4)}:1")
                if outcome.code is Code.OK:
                    room.come(asked)
                    visits[name] = asked
            case 3 if visit is not None and room.is_in(visit):
                room.say(visit, id, id + 1000)
            case 4 if visit is not None and room.is_in(visit):
                room.act(visit, "/register", "secret")
            case 5 if visit is not None and room.is_in(visit):
                random.choice([room.leave, room.lose])(visit)
            case 6:
                room.tick(random.choice([1, 1, 20, 61]))
            case 7:
                room.guard(random.choice(["accounts", "invited", "newcomers", "off"]), random.randrange(3))
            case _:
                assert room.said(bob, id) == [Code.OK], step
        if step % 20 == 19:
            room.lose(bob)
            bob = room.enter("bob", known=bob.session)
        assert room.is_in(room.ann) and room.is_in(bob), step
    for _ in range(9):
        room.tick(1)
    assert room.state._guard.ending == 0
