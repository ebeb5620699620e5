"""The entrance: who gets which name, when names belong to accounts."""

from __future__ import annotations

import pytest

from chatroom.effects import Answer, End, NameAnswer
from chatroom.events import EventKind
from chatroom.outcomes import Code, Outcome
from chatroom.proposals import Arrive, ProposalKind
from tests.chatroom.world import Visit, World, events

PASSWORD, TOKEN = "scrypt$14$8$1$00$11", "0f" * 32
DORA = Visit(1, "key1")


@pytest.fixture
def world() -> World:
    """Dora, who has an account, is person 1 and away."""
    world = World()
    dora = world.enter("Dora", address="192.0.2.1:1")
    world.act(dora, "/register", PASSWORD)
    world.say(dora, 1)
    world.leave(dora)
    return world


@pytest.mark.parametrize("name", ["Dora", "dora", "DORA", "Ｄｏｒａ"])
def test_an_owned_name_needs_a_login(world: World, name: str) -> None:
    """Nobody gets the name of an account without a proof, in any spelling, while its owner is out."""
    assert world.ask(name)[1] == Outcome(Code.NEED_LOGIN, ("Dora",))
    guest = world.enter("guest")
    assert world.ask(name, guest.session)[1] == Outcome(Code.OK, (True, "guest"))  # the token of a guest


def test_a_look_alike_of_an_owned_name_is_refused() -> None:
    """Nobody gets a name that looks like one of an account, while its owner is out; the owner is named."""
    world = World()
    ian = world.enter("Ian")
    world.act(ian, "/register", PASSWORD)
    world.leave(ian)
    assert world.ask("lan")[1] == Outcome(Code.NAME_TAKEN, ("Ian", 0))
    assert world.ask("lan", proof=PASSWORD)[1] == Outcome(Code.BAD_PASSWORD)
    assert world.ask("ian")[1] == Outcome(Code.NEED_LOGIN, ("Ian",))


def test_a_guest_of_earlier_has_lost_a_name_that_is_owned_now(world: World) -> None:
    """A token opens a name no longer that somebody has registered meanwhile, or one that looks like it."""
    for name, owned in (("carl", "carl"), ("lan", "Ian")):
        guest = world.enter(name)
        world.say(guest, 1)
        world.leave(guest)
        owner = world.enter(owned)
        world.act(owner, "/register", PASSWORD)
        world.leave(owner)
        code = Code.NEED_LOGIN if name == owned else Code.NAME_TAKEN
        assert world.ask(name, guest.session)[1].code is code


@pytest.mark.parametrize("proof", [PASSWORD, TOKEN])
def test_a_proof_opens_the_account(world: World, proof: str) -> None:
    """Whoever has the password, or the token of a device, gets the person, and the name as registered."""
    world.act(world.enter("dora", proof=PASSWORD), "/device", TOKEN, "laptop")
    visit, given = world.ask("DORA", proof=proof)
    assert given == Outcome(Code.OK, (False, "Dora"))
    world.come(visit)
    assert list(world.state.members) == [1]


@pytest.mark.parametrize("proof", ["scrypt$14$8$1$00$12", "x", "\ud800", PASSWORD.upper()])
@pytest.mark.parametrize("name", ["dora", "nobody"])
def test_a_wrong_proof_opens_nothing(world: World, name: str, proof: str) -> None:
    """A proof that the account does not have now, and an account that does not exist, get one answer."""
    body = Arrive(name, name, "", "fresh", "", (), "", proof)
    applied = world.propose(99, ProposalKind.ARRIVE, body)
    assert applied == ([], [], [NameAnswer(world.origin(99), Outcome(Code.BAD_PASSWORD))])


def test_a_proof_counts_only_while_the_account_has_it(world: World) -> None:
    """A password that was changed between the check and the entry opens nothing."""
    world.act(world.enter("dora", proof=PASSWORD), "/passwd", PASSWORD, "another")
    assert world.ask("dora", proof=PASSWORD)[1] == Outcome(Code.BAD_PASSWORD)
    assert world.ask("dora", proof="another")[1].code is Code.OK


def test_a_session_token_opens_the_account(world: World) -> None:
    """The token of a session of the account needs no password: the client comes back as ever."""
    visit, given = world.ask("dora", DORA.session)
    assert given == Outcome(Code.OK, (True, "dora"))
    assert world.come(visit).effects and list(world.state.members) == [1]


def test_a_kept_name_is_free_for_nobody(world: World) -> None:
    """A name that is kept for an owner can be taken by nobody: there is no proof for it yet."""
    world.own("teacher")
    assert world.ask("Teacher")[1] == Outcome(Code.NEED_LOGIN, ("teacher",))
    for proof in ("x", " "):
        assert world.ask("teacher", proof=proof)[1] == Outcome(Code.BAD_PASSWORD)


def test_who_has_the_name_of_an_owner_leaves_it(world: World) -> None:
    """When a name is kept for an owner, guests that have it, or one that looks like it, are sent away."""
    ian, lan = world.enter("Ian"), world.ask("bob")[0]
    lost = world.enter("carl")
    world.lose(lost)
    applied = world.own("lan")
    assert [effect for effect in applied.effects if isinstance(effect, End)] == [
        End(world.origin(ian.origin), Code.EXPIRED)
    ]
    assert [(event.kind, event.author) for event in events(applied)] == [
        (EventKind.QUIT, "Ian"),
        (EventKind.LISTED, ""),
    ]
    assert world.phase(ian) == "forgotten" and world.phase(lan) == "arriving"
    world.own("carl"), world.own("Bob")
    assert world.phase(lost) == "forgotten" and world.phase(lan) == "forgotten"
    assert world.come(lan).effects == [End(world.origin(lan.origin), Code.EXPIRED)]


def test_an_owner_with_a_look_alike_account_comes_in(world: World) -> None:
    """An account's name is its owner's, although somebody who runs the server has kept one that looks so."""
    ian = world.enter("Ian")
    world.act(ian, "/register", PASSWORD)
    world.own("lan")
    assert world.phase(ian) == "here"  # an account's name is not taken away
    world.leave(ian)
    assert world.ask("ian", proof=PASSWORD)[1] == Outcome(Code.OK, (False, "Ian"))
    assert world.ask("1an")[1].code is Code.NAME_TAKEN


def test_joined_names_the_account(world: World) -> None:
    """JOINED of a member with an account carries the account's name; that of a guest does not."""
    world.enter("dora", "#general", "#quiet", proof=PASSWORD)
    world.enter("bob")
    extras = [(event.channel, event.extra) for event in world.log if event.kind is EventKind.JOINED]
    assert extras == [
        ("#general", b""),  # before it was registered
        ("#general", b"\x02\x04Dora"),
        ("#quiet", b"\x02\x04Dora\x0c\x01\x03"),  # which she founds
        ("#general", b""),
    ]


def test_a_login_is_noted(world: World) -> None:
    """The account remembers when and from which networks its owner has logged in, and by which device."""
    world.time += 1000
    laptop = world.enter("dora", address="192.0.2.7:1", proof=PASSWORD)
    world.act(laptop, "/device", TOKEN, "laptop")
    world.time += 1000
    world.ask("dora", address="[2001:db8::1]:7", proof=TOKEN)
    account = world.state.account_of(1)
    assert account is not None and account.seen == world.time
    assert account.networks == ["192.0.2.1", "192.0.2.7", "2001:db8::/64"]
    password, device = account.credentials
    assert (password.used, device.used) == (world.time - 1000, world.time)
    assert {session.device for session in world.state.sessions_of(1) if session.number != 1} == {TOKEN}


def test_a_refused_login_is_not_noted(world: World) -> None:
    """Only who gets in changes the account."""
    before = world.state.records()
    world.ask("dora", proof="wrong")
    assert world.state.records() == before


def test_a_late_program_of_an_owner(world: World) -> None:
    """A program that does not finish its handshake is forgotten; the member does not notice."""
    world.enter("dora", proof=PASSWORD)
    head = world.state.head
    late, _ = world.ask("dora", proof=PASSWORD)
    world.time += 15_000
    assert world.ask("guest")[1].code is Code.OK
    assert world.ask("dora", proof=PASSWORD)[1].code is Code.OK  # ends the late one, too
    assert world.phase(late) == "forgotten" and world.state.head == head
    assert not [effect for effect in world.tick(1).effects if isinstance(effect, Answer)]
