"""Erasing: whoever was erased is nobody any more, and nothing that is kept says who it was."""

from __future__ import annotations

import pytest

from chatroom.bounds import Limits
from chatroom.effects import Answer, End
from chatroom.events import (
    BAN_LIST,
    ERASED_NAME,
    INVITED_LIST,
    Event,
    EventKind,
    Extra,
    extra_number,
    extra_row,
)
from chatroom.masks import name_mask, network_mask
from chatroom.outcomes import Code
from chatroom.packets import Form, Role
from chatroom.places import AUDIT_PLACE, WHOLE_CHATROOM
from tests.chatroom.world import Visit, World, events

NAMES = ("Melusine", "melusine")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def owner(world: World) -> Visit:
    return owner_of(world)


def owner_of(world: World) -> Visit:
    """The owner of the chatroom, who is here."""
    world.own("", "code")
    visit = account(world, "owner")
    assert world.act(visit, "/owner", "code").code is Code.OK
    return visit


def account(world: World, name: str = "Melusine") -> Visit:
    visit = world.enter(name)
    assert world.act(visit, "/register", f"hash {name}").code is Code.OK
    return visit


def erase(world: World, owner: Visit, key: str = "melusine") -> list[Event]:
    """The events that follow."""
    head = world.state.head
    outcome = world.act(owner, "/erase", key)
    assert outcome.code is Code.OK
    assert not any(name in record.value for record in world.kept() for name in NAMES if record.value)
    assert not any(name in record.key for record in world.kept() for name in NAMES)
    return world.log[head:]


def test_an_account_that_is_here(world: World, owner: Visit) -> None:
    """Its programs are ended, QUIT and ERASED are told, and the audit has no name."""
    ann, phone = account(world), world.enter("Melusine", proof="hash Melusine")
    person = world.person(ann)
    world.say(ann, 1), world.say(phone, 1)
    quits, erased, audited = erase(world, owner)
    assert (quits.kind, quits.person, quits.text) == (EventKind.QUIT, person, "")
    assert (erased.kind, erased.place, erased.person, erased.author) == (EventKind.ERASED, 0, 0, "")
    assert extra_number(erased.extra, Extra.TARGET) == person
    assert (audited.kind, audited.place, audited.author) == (EventKind.AUDITED, AUDIT_PLACE, "owner")
    assert audited.text == "erased an account" and extra_number(audited.extra, Extra.TARGET) == 0
    assert {one.origin: one.code for one in world.effects if isinstance(one, End)} == {
        world.origin(visit.origin): Code.KICKED for visit in (ann, phone)
    }
    assert world.erased == {person: erased.seq}
    assert world.say(ann, 2) == ([], [], []) and world.phase(ann) == world.phase(phone) == "forgotten"
    assert world.ask("Melusine", proof="hash Melusine")[1].code is Code.BAD_PASSWORD


def test_nobody_is_that_person_again(world: World, owner: Visit) -> None:
    """The client goes on with the token that it has: it is a newcomer with a new number."""
    ann = account(world)
    person = world.person(ann)
    world.say(ann, 1)
    erase(world, owner)
    again = world.enter("Melusine", known=ann.session)
    assert world.person(again) > person and world.state.account_of(world.person(again)) is None
    assert world.state.sessions_of(person) == []


@pytest.mark.parametrize("how", ["left", "lost", "forgotten", "arriving"])
def test_an_account_that_is_out(world: World, owner: Visit, how: str) -> None:
    """It is in no channel any more; one that it owned alone ends."""
    ann = account(world)
    person = world.person(ann)
    world.act(ann, "/join", "#own", "")
    world.say(ann, 1)
    (world.lose if how == "lost" else world.leave)(ann)
    if how == "forgotten":
        world.tick(10**7)
    coming, _ = world.ask("Melusine", ann.session, proof="hash Melusine") if how == "arriving" else (None, 0)
    assert world.state.channel("#own") is not None
    erase(world, owner)
    assert world.state.channel("#own") is None
    general = world.state.channel("#general")
    assert general is not None and person not in (*general.members, *general.absent)
    assert not [record for record in world.kept() if record.key.startswith(f"{person} ")]
    if coming is not None:
        assert [one for one in world.come(coming).effects if isinstance(one, End)]


def test_a_guest(world: World, owner: Visit) -> None:
    """A member without an account can be erased by name, also when its connection is lost."""
    ann = world.enter("Melusine")
    world.say(ann, 1), world.lose(ann)
    assert [one.kind for one in erase(world, owner)][-2:] == [EventKind.ERASED, EventKind.AUDITED]
    assert world.act(owner, "/erase", "melusine").code is Code.NO_SUCH_NAME


def test_who_may(world: World, owner: Visit) -> None:
    """Only an owner; nobody with a role in the whole chatroom is erased, not even by itself."""
    ann, bob = account(world), world.enter("bob")
    assert world.act(ann, "/erase", "bob") == (Code.NEED_ROLE, ("/erase", "owner"))
    world.act(owner, "/op", "melusine", channel="*")
    assert world.act(ann, "/erase", "bob") == (Code.NEED_ROLE, ("/erase", "owner"))
    assert world.act(owner, "/erase", "melusine") == (Code.BAD_ARGUMENTS, ("operator", "Melusine"))
    assert world.act(owner, "/erase", "owner") == (Code.BAD_ARGUMENTS, ("operator", "owner"))
    assert world.act(owner, "/erase", "nobody") == (Code.NO_SUCH_NAME, ("nobody",))
    world.act(owner, "/deop", "melusine", channel="*")
    world.say(bob, 1)
    erase(world, owner)


def test_conversations(world: World, owner: Visit) -> None:
    """Those with others who are known stay theirs, without the name; notes to oneself end."""
    ann, bob = account(world), world.enter("bob")
    world.write(bob, world.person(ann), 1), world.write(ann, world.person(ann), 2)
    erase(world, owner)
    (one,) = world.state.conversations_of(world.person(bob))
    assert world.state.title(one, world.person(bob)) == f"@{ERASED_NAME}"
    assert len(world.state._conversations.all) == 1
    (answer,) = world.write(bob, one.other(world.person(bob)), 5).effects
    assert isinstance(answer, Answer) and answer.outcome.code is Code.NO_SUCH_NAME


def test_what_others_keep(world: World, owner: Visit) -> None:
    """Who ignores it, what it has set, lists, one-time codes: nothing is left."""
    ann, bob = account(world), world.enter("bob")
    person = world.person(ann)
    world.act(bob, "/ignore", person), world.act(ann, "/ignore", world.person(bob))
    world.act(ann, "/direct", "nobody"), world.act(owner, "/code", "melusine", "code", 10**15)
    rights = world.state._rights
    for list, whom, typed in (
        (BAN_LIST, name_mask("melusine"), "Melusine"),
        (BAN_LIST, network_mask("192.0.2.7"), "+Melusine"),
        (INVITED_LIST, person, ""),
    ):
        rights.give(whom, list, 1, typed=typed)
    for record in world.state._ledger.take().records:
        world.records[record.kind, record.key] = record
    world._again = world.restored()
    erase(world, owner)
    assert [(one.whom, one.typed) for one in rights.entries(0, BAN_LIST, INVITED_LIST)] == [
        (network_mask("192.0.2.7"), ERASED_NAME)
    ]
    assert world.state.people.ignored(world.person(bob)) == []


def test_topics(world: World, owner: Visit) -> None:
    """Those that the person has set go, under whatever name; others stay."""
    ann, bob = account(world), world.enter("bob", "#general", "#b")
    world.act(ann, "/topic", "hers")
    world.act(bob, "/topic", "his", channel="#b")
    world.act(ann, "/nick", "Annie", "annie", "annie")
    found = erase(world, owner, "annie")
    topic = next(one for one in found if one.kind is EventKind.TOPIC)
    assert (topic.author, topic.channel, topic.text) == ("owner", "#general", "")
    assert [channel.topic for channel in world.state.channels] == ["", "his"]


def test_amendments(world: World, owner: Visit) -> None:
    """What was looked up before is not amended after; names in it are blanked."""
    ann, bob = account(world), world.enter("bob")
    person = world.person(ann)
    first = events(world.say(ann, 1))[0].seq
    world.amend(ann, 2, Form.EDIT, first, "better")
    second = events(world.write(bob, person, 1))[0].seq
    world.amend(bob, 2, Form.EDIT, second, "hello")
    looked, theirs = world.look_up(first), world.look_up(second)
    erase(world, owner)
    for id, form in enumerate((Form.REACT, Form.EDIT, Form.DELETE), 3):
        text = "" if form is Form.DELETE else "x"
        (answer,) = world.amend(owner, id, form, first, text, looked).effects
        assert isinstance(answer, Answer) and answer.outcome.code in (Code.NO_SUCH_MESSAGE, Code.ALREADY)
    world.amend(bob, 9, Form.DELETE, second, looked=theirs)
    assert {(one.kind, one.channel, one.author) for one in world.amended} == {
        (EventKind.SAID, f"@{ERASED_NAME}", "bob"),
        (EventKind.EDITED, f"@{ERASED_NAME}", "bob"),
    }
    assert not any("elusine" in record.value for record in world.kept() if record.value)


def test_so_many_are_remembered() -> None:
    """The latest ones, also after a restart; their order is that of the events."""
    world = World(Limits(erased=2))
    owner = owner_of(world)
    for name in ("zoe", "amy", "eve"):
        world.enter(name)
        world.act(owner, "/erase", name)
    kept = [record for record in world.kept() if record.kind == "erased"]
    assert len(kept) == 2
    assert [*world.restored()._erasing._erased] == [*world.state._erasing._erased]


def test_parts_that_keep_words(world: World, owner: Visit) -> None:
    """They are told of the person when nobody can be it any more."""
    ann, told = account(world), list[int]()
    person = world.person(ann)
    world.state._erasing.on_erased.append(lambda one: told.append(one) or None)
    erase(world, owner)
    assert told == [person] and extra_row(Extra.TARGET, person, 4) in world.log[-2].extra
    assert world.state.role(person, WHOLE_CHATROOM) is Role.MEMBER


def test_a_poll(world: World, owner: Visit) -> None:
    """One that the person has opened is gone, with the votes of others."""
    ann, bob = account(world), world.enter("bob")
    world.act(ann, "/join", "#own", ""), world.act(bob, "/join", "#own", "")
    assert world.act(ann, "/poll", "Melusine? | yes | no", channel="#own").code is Code.OK
    assert world.act(bob, "/vote", 1, "", channel="#own").code is Code.OK
    erase(world, owner)
    assert not [record for record in world.kept() if record.kind == "classroom"]
