"""Kicks, bans and exemptions in the state. World restores each state; a refusal changes nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chatroom.bounds import Limits
from chatroom.commands import run
from chatroom.desk import Asker, Room
from chatroom.effects import Answer, End, Left
from chatroom.events import BAN_LIST, EXEMPT_LIST, INVITED_LIST, Event, EventKind, Extra, extra_rows
from chatroom.limits import MAX_BAN_SECONDS
from chatroom.outcomes import GUARD, GUEST, NO_TIME, Code, Outcome
from chatroom.packets import Form, Role
from chatroom.places import AUDIT_PLACE
from chatroom.proposals import Own, ProposalKind
from chatroom.whom import DURATION, NOBODY, Aim, Who, read_aim, read_who
from tests.chatroom.world import Visit, World, admits, ends

PASSWORD, OTHER = "scrypt$14$8$1$00$11", "scrypt$14$8$1$00$22"
DORA, EVE, BOB, ROOT = (Visit(number, f"key{number}") for number in (1, 2, 3, 4))
HOME = "198.51.100.1"  # dora, root
FAR, ALSO_FAR = "192.0.2.7", "192.0.2.9"  # eve, bob


def with_tea(limits: Limits | None = None) -> World:
    """dora, person 1, has an account and owns #tea, place 2; eve, person 2, and bob, person 3, are guests in
    it. root, person 4, owns the chatroom and is in #general only."""
    world = World(limits)
    for name, network in (("dora", HOME), ("eve", FAR), ("bob", ALSO_FAR), ("root", HOME)):
        world.enter(name, address=f"{network}:1")
    for visit, secret in ((DORA, PASSWORD), (ROOT, OTHER)):
        world.act(visit, "/register", secret)
    world.propose(0, ProposalKind.OWN, Own("", "", (), "code", world.time + 10**6))
    world.act(ROOT, "/owner", "code")
    for visit in (DORA, EVE, BOB):
        assert world.act(visit, "/join", "#tea", "").code is Code.OK
    return world


@pytest.fixture
def world() -> World:
    return with_tea()


def do(world: World, visit: Visit, line: str, channel: str = "#tea") -> Outcome:
    """A command as somebody types it."""
    name, _, rest = line.partition(" ")
    if name in ("/ban", "/exempt"):
        aim = read_aim(rest)
        return aim if isinstance(aim, Outcome) else world.act(visit, name, *aim, channel=channel)
    if name in ("/unban", "/unexempt"):
        who = read_who(rest)
        return who if isinstance(who, Outcome) else world.act(visit, name, *who, channel=channel)
    if name == "/kick":
        whom, _, reason = rest.partition(" ")
        return world.act(visit, name, whom, reason, channel=channel)
    return world.act(visit, name, *rest.split(), channel=channel)


def told(world: World, kind: EventKind) -> list[Event]:
    return [event for event in world.log if event.kind is kind]


def is_in(world: World, *persons: int) -> list[int]:
    return [person for person in persons if world.state.is_in(person, 2)]


def listed(event: Event) -> dict[int, bytes]:
    return extra_rows(event.extra)


def join(world: World, visit: Visit, channel: str = "#tea") -> Outcome:
    return world.act(visit, "/join", channel, "")


# --- what is typed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Bob", Who("name bob", "Bob")),
        ("@Bob", Who("name bob", "Bob")),
        ("Bob,", Who("name bob", "Bob")),
        (",", Outcome(Code.BAD_ARGUMENTS)),
        ("+Bob", Who("from bob", "+Bob")),
        ("192.0.2.7", Who("net 192.0.2.7", "192.0.2.7")),
        ("192.0.2.7/24", Who("net 192.0.2.0/24", "192.0.2.0/24")),
        ("2001:db8::1", Who("net 2001:db8::/64", "2001:db8::/64")),
        ("", Outcome(Code.BAD_ARGUMENTS)),
        ("0.0.0.0/0", Outcome(Code.BAD_NAME, ("0.0.0.0/0",))),
        ("2001::/16", Outcome(Code.BAD_NAME, ("2001::/16",))),
        ("++bob", Outcome(Code.BAD_NAME, ("++bob",))),
        ("+", Outcome(Code.BAD_NAME, ("+",))),
    ],
)
def test_who(text: str, who: Who | Outcome) -> None:
    assert read_who(text) == who


def test_durations_and_reasons() -> None:
    """What begins with a digit and is no duration is no reason either: a slip would ban for ever."""
    assert read_aim("bob 10m  too loud ") == Aim("name bob", "bob", 600, "too loud")
    assert read_aim("@bob 10 minutes too loud") == Aim("name bob", "bob", 600, "too loud")
    assert read_aim("bob ten times") == Aim("name bob", "bob", 0, "ten times")
    for slip in ("10", "10 times", "99999999999d", "10mn for spam", "0s", "-5m"):
        word = slip.partition(" ")[0]
        assert read_aim(f"bob {slip}") == Outcome(Code.BAD_ARGUMENTS, (DURATION, word, MAX_BAN_SECONDS))
    assert read_aim("bob " + "x" * 257) == Outcome(Code.TOO_LONG, (256,))


def test_a_name_that_nobody_has(world: World) -> None:
    """The answer says so: most such names are slips."""
    assert do(world, DORA, "/ban bbo 10m") == Outcome(Code.OK, ("bbo", "#tea", world.time + 600_000, NOBODY))
    bbo = world.enter("bbo", address="203.0.113.1:1")
    assert join(world, bbo).code is Code.BANNED
    world.leave(bbo)
    world.tick(600)
    assert do(world, DORA, "/ban ebe").code is Code.OK and do(world, DORA, "/unban ebe").code is Code.OK


# --- kicks --------------------------------------------------------------------------------------------------


def test_kick(world: World) -> None:
    """The stay ends with KICKED, which the kicked one still gets. It keeps the others, and may join again."""
    assert do(world, DORA, "/kick bob too loud") == Outcome(Code.OK, ("bob", "#tea"))
    kicked = told(world, EventKind.KICKED)[-1]
    assert (kicked.author, kicked.person, kicked.place, kicked.text) == ("dora", 1, 2, "too loud")
    assert kicked.extra == b"\x08\x04\0\0\0\x03\x09\x03bob"
    assert world.effects == [Left(world.origin(BOB.origin), 2, kicked.seq)]
    assert world.state.gets(3, 2, kicked.seq) and is_in(world, 1, 2, 3) == [1, 2]
    assert world.state.places_of(3) == [0, 1]
    assert join(world, BOB).code is Code.OK


def test_a_kick_for_a_reason_that_begins_with_a_number(world: World) -> None:
    """It is a reason, and told as such; whoever kicks is told that it is no time. Others hear nothing."""
    assert do(world, DORA, "/kick bob 10 spam") == Outcome(Code.OK, ("bob", "#tea", NO_TIME))
    assert told(world, EventKind.KICKED)[-1].text == "10 spam" and is_in(world, 3) == []
    assert do(world, DORA, "/kick eve 3rd warning") == Outcome(Code.OK, ("eve", "#tea"))
    assert do(world, ROOT, "/kick bob 10", channel="*") == Outcome(Code.OK, ("bob", "*", NO_TIME))


def test_who_is_put_on_a_list_as_a_guest(world: World) -> None:
    """The answer says that it is one, and whether the door can be closed. Not of an account, a network, a
    name that nobody has, nor of a favour."""
    world.act(BOB, "/register", "scrypt$14$8$1$00$33")
    assert do(world, DORA, "/ban eve").rows == ("eve", "#tea", 0, GUEST)
    assert world.act(DORA, "/mute", "name eve", "eve", 0, "", channel="#tea").rows[3:] == (GUEST,)
    for line in ("/exempt eve", "/ban bob", "/ban +eve"):
        assert len(do(world, DORA, line).rows) == 3
    assert do(world, DORA, "/ban nobody").rows[3:] == (NOBODY,)
    assert do(world, ROOT, "/ban eve", channel="*").rows == ("eve", "*", 0, GUEST, GUARD)


def test_kick_of_who_is_not_here(world: World) -> None:
    """Neither a broken connection nor being out keeps somebody in."""
    world.act(BOB, "/register", "scrypt$14$8$1$00$33")
    world.lose(EVE), world.leave(BOB)
    for name in ("eve", "bob"):
        assert do(world, DORA, f"/kick {name}").code is Code.OK
    assert is_in(world, 1, 2, 3) == [1]
    assert do(world, DORA, "/kick eve") == Outcome(Code.NO_SUCH_NAME, ("eve",))
    world.enter("bob", "#general", proof="scrypt$14$8$1$00$33", address=f"{ALSO_FAR}:1")
    assert is_in(world, 3) == []


def test_a_kick_is_no_invitation_to_come_back(world: World) -> None:
    """A program that asks for the channels that it had comes in without that one, until its member joins."""
    world.say(EVE, 1, channel="#tea")
    world.lose(EVE)
    do(world, DORA, "/kick eve")
    for _ in range(2):
        back, _ = world.ask("eve", known=EVE.session, address=f"{FAR}:8")
        assert admits(world.come(back, "#general", "#tea")) and is_in(world, 2) == []
        world.leave(back)
    back, _ = world.ask("eve", known=EVE.session, address=f"{FAR}:8")
    world.come(back)
    join(world, back), world.leave(back)
    back, _ = world.ask("eve", known=EVE.session, address=f"{FAR}:8")
    world.come(back, "#tea")
    assert is_in(world, 2) == [2]


def test_the_last_one_who_is_kicked_ends_the_channel(world: World) -> None:
    """It ends as if that one had left."""
    join(world, EVE, "#own")
    assert do(world, DORA, "/kick eve", channel="#own").code is Code.NOT_IN
    assert do(world, ROOT, "/kick eve", channel="#own").code is Code.OK
    assert world.state.channel("#own") is None


def test_acts_of_those_with_a_role_are_in_the_trail(world: World) -> None:
    """What an operator or owner of a channel does there: also settings, roles, names, and deleted lines."""
    world.say(EVE, 1, channel="#tea")
    world.say(DORA, 1, 2, channel="#tea")
    head = world.state.head
    for line in ("/voice eve", "/unvoice eve", "/invite root", "/uninvite root", "/set moderated on"):
        assert do(world, DORA, line).code is Code.OK
    world.amend(DORA, 3, Form.DELETE, head - 2)
    world.amend(DORA, 4, Form.DELETE, head)  # its own
    for line in ("/move #coffee", "/transfer eve"):
        assert do(world, DORA, line, "#tea" if "move" in line else "#coffee").code is Code.OK
    assert world.act(EVE, "/close", "enough", channel="#coffee").code is Code.OK
    trail = [event for event in told(world, EventKind.AUDITED) if event.seq > head]
    assert [(one.author, one.channel, one.text, one.target) for one in trail] == [
        ("dora", "#tea", "/voice eve", 2),
        ("dora", "#tea", "/unvoice eve", 2),
        ("dora", "#tea", "/invite root", 4),
        ("dora", "#tea", "/uninvite root", 4),
        ("dora", "#tea", "/set moderated on", 0),
        ("dora", "#tea", "deleted a line of eve", 2),
        ("dora", "#tea", "/move #coffee", 0),
        ("dora", "#coffee", "/transfer eve", 2),
        ("eve", "#coffee", "/close enough", 0),
    ]


def test_kill(world: World) -> None:
    """All programs end, whatever their phase; the tokens open nothing; the others read why."""
    world.say(EVE, 1, channel="#tea")
    assert do(world, ROOT, "/kick eve spam", channel="*") == Outcome(Code.OK, ("eve", "*"))
    assert world.effects == [End(world.origin(EVE.origin), Code.KICKED, "killed by root: spam")]
    assert [(one.author, one.text) for one in told(world, EventKind.QUIT)] == [
        ("eve", "killed by an operator: spam")
    ]
    assert world.phase(EVE) == "forgotten"
    visit, outcome = world.ask("eve", known=EVE.session, address=f"{FAR}:3")
    assert outcome.rows == (False, "eve") and visit.session != EVE.session
    world.lose(BOB)
    assert do(world, ROOT, "/kick bob", channel="*").code is Code.OK
    assert told(world, EventKind.QUIT)[-1].text == "killed by an operator"
    assert do(world, ROOT, "/kick bob", channel="*").code is Code.NO_SUCH_NAME


def test_who_is_as_high_is_protected(world: World) -> None:
    """Nobody acts against an equal, nor against an operator of the chatroom from below."""
    world.act(ROOT, "/join", "#tea", "")
    assert do(world, DORA, "/op eve").code is Code.OK
    world.act(DORA, "/op", "bob", channel="#tea")
    for line in ("/kick dora", "/ban dora", "/ban +dora"):
        assert do(world, EVE, line) == Outcome(Code.NEED_ROLE, (line.split()[0], "owner", "dora"))
    assert do(world, EVE, "/kick bob") == Outcome(Code.NEED_ROLE, ("/kick", "owner", "bob"))
    assert do(world, DORA, "/kick root") == Outcome(Code.NEED_ROLE, ("/kick", "owner", "root"))
    assert do(world, EVE, "/kick eve").code is Code.NEED_ROLE
    assert do(world, BOB, "/op eve").code is Code.NEED_ROLE
    assert do(world, EVE, "/kick eve", channel="*").code is Code.NEED_ROLE
    world.act(ROOT, "/op", "dora", channel="*")
    assert do(world, DORA, "/ban root", channel="*").code is Code.NEED_ROLE
    join(world, EVE, "#own"), join(world, DORA, "#own")
    assert do(world, EVE, "/kick dora", channel="#own").code is Code.NEED_ROLE


def test_a_role_of_the_chatroom_is_above_all_of_a_channel(world: World) -> None:
    """Whoever founds a channel first owns it: an operator of the chatroom mutes, bans and kicks the owner.

    Who is muted or banned so neither takes it back nor is exempt by an own exemption.
    """
    world.act(ROOT, "/op", "dora", channel="*")
    join(world, EVE, "#class"), join(world, DORA, "#class")
    place = world.state.channel("#class")
    assert place is not None and world.state.role(2, place.place) is Role.OWNER
    assert do(world, DORA, "/kick eve", channel="#class").code is Code.OK
    assert join(world, EVE, "#class").code is Code.OK
    assert world.act(DORA, "/mute", "name eve", "eve", 0, "", channel="#class").code is Code.OK
    assert do(world, EVE, "/exempt eve", channel="#class").code is Code.OK
    assert world.act(EVE, "/move", "#mine", channel="#class").code is Code.MUTED
    assert world.act(EVE, "/unmute", "name eve", "eve", channel="#class") == Outcome(
        Code.NEED_ROLE, ("/unmute", "operator of the chatroom")
    )
    assert do(world, DORA, "/ban eve", channel="#class").code is Code.OK
    assert world.state.role(2, place.place) is Role.MEMBER and not world.state.is_in(2, place.place)
    assert join(world, EVE, "#class").code is Code.BANNED
    assert do(world, EVE, "/unban eve", channel="#class").code is Code.NOT_IN


def test_the_owner_of_the_chatroom_takes_a_channel_from_its_owner(world: World) -> None:
    """/deop makes it a member again; an operator of the chatroom and an owner of itself do not."""
    join(world, EVE, "#class"), join(world, ROOT, "#class")
    place = world.state.channel("#class")
    assert place is not None
    assert do(world, EVE, "/deop eve", channel="#class").code is Code.ALREADY
    assert do(world, ROOT, "/deop eve", channel="#class") == Outcome(Code.OK, ("eve", "#class"))
    assert listed(told(world, EventKind.LISTED)[-1])[Extra.LIST] == bytes((Role.OWNER,))
    assert world.state.role(2, place.place) is Role.MEMBER
    assert do(world, EVE, "/deop eve", channel="#class").code is Code.NEED_ROLE


# --- bans ---------------------------------------------------------------------------------------------------


def test_ban_of_a_guest(world: World) -> None:
    """In person, and by name: so neither another name nor another session helps. It ends by itself."""
    assert do(world, DORA, "/ban Bob 10m spam") == Outcome(
        Code.OK, ("bob", "#tea", world.time + 600_000, GUEST)
    )
    ban, until = told(world, EventKind.LISTED)[-1], world.time + 600_000
    assert (ban.place, ban.text) == (2, "spam")
    assert listed(ban) == {
        Extra.LIST: bytes((BAN_LIST,)),
        Extra.TARGET: b"\0\0\0\x03",
        Extra.TARGET_NAME: b"bob",
        Extra.UNTIL: until.to_bytes(8, "big"),
    }
    assert told(world, EventKind.KICKED)[-1].text == "spam" and is_in(world, 3) == []
    assert join(world, BOB) == Outcome(Code.BANNED, ("#tea", until, "spam"))
    world.act(BOB, "/nick", "rob", "rob", "rob")
    assert join(world, BOB).code is Code.BANNED
    other = world.enter("bob", address="203.0.113.1:1")
    assert join(world, other).code is Code.BANNED
    world.time = until
    assert join(world, BOB).code is join(world, other).code is Code.OK


def test_a_ban_holds_for_newcomers(world: World) -> None:
    """Who asks for the channel at the door is turned away; who comes back comes in without it."""
    do(world, DORA, "/ban eve be nice")
    world.say(EVE, 1, channel="#general")
    world.lose(EVE)
    back, _ = world.ask("eve", known=EVE.session, address=f"{FAR}:8")
    assert admits(world.come(back, "#general", "#tea"))
    assert is_in(world, 2) == []
    world.leave(back)
    do(world, DORA, "/ban +bob")
    other, _ = world.ask("zoe", address=f"{ALSO_FAR}:9")
    assert ends(world.come(other, "#tea")) == [End(world.origin(other.origin), Code.BANNED, "#tea")]


def test_ban_by_network(world: World) -> None:
    """All who come from there, but operators and who is exempt; nobody learns the address."""
    zoe = world.enter("zoe", "#general", "#tea", address=f"{FAR}:5")
    join(world, zoe)
    ann = world.enter("ann", "#general", "#tea", address=f"{FAR}:6")
    assert do(world, DORA, "/exempt ann").code is Code.OK
    assert listed(told(world, EventKind.LISTED)[-1])[Extra.LIST] == bytes((EXEMPT_LIST,))
    assert do(world, DORA, "/ban +eve flood") == Outcome(Code.OK, ("+eve", "#tea", 0))
    ban = told(world, EventKind.LISTED)[-1]
    assert listed(ban) == {
        Extra.LIST: bytes((BAN_LIST,)),
        Extra.TARGET: b"\0\0\0\2",
        Extra.WHOM: b"+eve",
    }
    assert is_in(world, *(world.person(one) for one in (EVE, zoe, ann, BOB))) == [world.person(ann), 3]
    assert all(FAR.encode() not in event.extra for event in world.log if event.place != AUDIT_PLACE)
    assert join(world, zoe).code is Code.BANNED
    assert do(world, DORA, f"/ban {FAR}") == Outcome(Code.NEED_ROLE, (FAR, "operator of the chatroom"))
    assert do(world, DORA, "/unban +eve").code is Code.OK and join(world, zoe).code is Code.OK
    assert listed(told(world, EventKind.LISTED)[-1])[Extra.REMOVED] == b"\x01"
    count = len(told(world, EventKind.LISTED))
    assert do(world, ROOT, f"/ban {FAR}/24", channel="#tea").code is Code.OK
    assert len(told(world, EventKind.LISTED)) == count and is_in(world, 2, 3) == []
    assert do(world, ROOT, f"/ban {HOME}").code is Code.BAD_ARGUMENTS
    assert do(world, ROOT, f"/exempt {HOME}").code is Code.OK


def test_ban_of_a_network_of_ipv6(world: World) -> None:
    """Who comes from an IPv4 address is judged by it, too."""
    zoe = world.enter("zoe", "#general", "#tea", address="[2001:db8::7]:5")
    assert do(world, DORA, "/ban +zoe").code is Code.OK
    assert is_in(world, 2, 3, world.person(zoe)) == [2, 3]
    world.act(BOB, "/leave", "", channel="#tea")
    assert join(world, BOB).code is Code.OK and join(world, zoe).code is Code.BANNED
    other, _ = world.ask("eva", address="[2001:db8::8]:5")
    assert ends(world.come(other, "#tea")) == [End(world.origin(other.origin), Code.BANNED, "#tea")]


def test_who_was_kicked_is_told_of_an_invitation(world: World) -> None:
    """Also when they share no channel any more; who was never in one of the inviter's is not told, nor who
    takes lines of nobody."""
    for visit in (EVE, BOB):
        world.act(visit, "/leave", "", channel="#general")
        do(world, DORA, f"/kick {'eve' if visit is EVE else 'bob'}")
    world.act(BOB, "/direct", "nobody")
    world.enter("zoe", "#den")
    for name in ("eve", "bob", "zoe"):
        assert world.act(DORA, "/invite", name, channel="#tea") == Outcome(Code.OK, (name, "#tea"))
    assert [(one.channel, one.text) for one in told(world, EventKind.INVITED)] == [("@eve", "#tea")]


def test_an_invitation_opens_no_way_to_write(world: World) -> None:
    """Everybody can found a channel and invite into it: somebody who shares none any more is not told."""
    eve = world.state.member_named("eve")
    assert eve is not None
    for channel in "#tea", "#general":
        world.act(EVE, "/leave", "", channel=channel)
    mal = world.enter("mal")
    world.act(BOB, "/leave", "", channel="#tea")
    world.act(mal, "/join", "#den", "")
    assert world.act(mal, "/invite", "eve", channel="#den").code is Code.OK
    assert not told(world, EventKind.INVITED)
    (refused,) = world.write(mal, eve.person, 1).effects
    assert isinstance(refused, Answer) and refused.outcome.code is Code.MUTED


def test_ban_of_an_operator(world: World) -> None:
    """A ban hits no operator: so the owner's ban takes the role, and the invitation."""
    do(world, DORA, "/op eve")
    world.act(DORA, "/voice", "eve", channel="#tea")
    assert do(world, DORA, "/ban eve").code is Code.OK
    removed = [listed(one)[Extra.LIST][0] for one in told(world, EventKind.LISTED)[-2:]]
    assert removed == [Role.OPERATOR, Role.VOICE] and is_in(world, 2) == []
    assert join(world, EVE).code is Code.BANNED
    world.act(DORA, "/invite", "eve", channel="#tea")
    assert world.state._rights.has(2, INVITED_LIST, 2) and join(world, EVE).code is Code.BANNED


def test_suspended(world: World) -> None:
    """From the whole chatroom: nobody comes in under that name, by that token, or from there."""
    world.say(EVE, 1, channel="#tea")
    do(world, ROOT, "/ban eve 1h spam", channel="*")
    until = world.time + 3_600_000
    assert world.effects == [End(world.origin(EVE.origin), Code.BANNED, "banned by root: spam")]
    for known in ("", EVE.session):
        _, outcome = world.ask("eve", known=known)
        assert outcome == Outcome(Code.BANNED, ("*", until, "spam"))
    assert world.act(BOB, "/nick", "eve", "eve", "eve") == Outcome(Code.BANNED, ("*", until, "spam"))
    do(world, ROOT, "/ban +bob", channel="*")
    _, outcome = world.ask("zoe", address=f"{ALSO_FAR}:7")
    assert outcome == Outcome(Code.BANNED, ("*", 0, ""))
    assert do(world, ROOT, "/unban eve", channel="*").code is Code.OK
    _, outcome = world.ask("eve", address="203.0.113.1:1")
    assert outcome.code is Code.OK


def test_an_account_is_suspended_in_person(world: World) -> None:
    """Right password or not. An operator comes in from a banned network, and so finds out who it is first."""
    do(world, ROOT, "/ban dora", channel="*")
    assert listed(told(world, EventKind.LISTED)[-1])[Extra.TARGET_NAME] == b"dora"
    _, outcome = world.ask("dora", proof=PASSWORD)
    assert outcome.code is Code.BANNED
    do(world, ROOT, "/ban +bob", channel="*")
    _, outcome = world.ask("root", address=f"{ALSO_FAR}:7")
    assert outcome.code is Code.NEED_LOGIN
    _, outcome = world.ask("root", address=f"{ALSO_FAR}:7", proof=OTHER)
    assert outcome.code is Code.OK


def test_banned_within_the_handshake(world: World) -> None:
    """A name that was given is no right to come in."""
    visit, outcome = world.ask("zoe", address=f"{FAR}:7")
    assert outcome.code is Code.OK
    do(world, ROOT, "/ban +eve", channel="*")
    assert ends(world.come(visit)) == [End(world.origin(visit.origin), Code.BANNED, "")]


def test_an_account_comes_from_a_banned_network(world: World) -> None:
    """It is not in that channel any more; the others were told that it had left."""
    world.act(BOB, "/register", "scrypt$14$8$1$00$33")
    world.leave(BOB)
    do(world, DORA, "/ban +eve")
    world.enter("bob", "#general", proof="scrypt$14$8$1$00$33", address=f"{FAR}:7")
    assert is_in(world, 3) == []


def test_an_account_asks_for_the_channel_in_which_its_network_is_banned(world: World) -> None:
    """A program asks for its channels when it comes: that brings nobody in who was just put out."""
    world.act(BOB, "/register", "scrypt$14$8$1$00$33")
    world.leave(BOB)
    do(world, DORA, "/ban +eve")
    bob = world.enter("bob", "#general", "#tea", proof="scrypt$14$8$1$00$33", address=f"{FAR}:7")
    assert world.person(bob) == 3 and is_in(world, 3) == []
    assert join(world, bob).code is Code.BANNED


def test_bans_name_who_has_another_name_now(world: World) -> None:
    """For who shares a channel, or is an operator of the chatroom; else one could follow whom one has banned.
    An account is listed under its own name."""

    def rows(visit: Visit, channel: str) -> list[object]:
        asker = Asker(world.person(visit), channel)
        outcome = run(Room(world.state, {}), asker, "/bans")
        assert isinstance(outcome, Outcome)
        return [(row[1], *row[6:]) for row in outcome.rows if isinstance(row, tuple)]

    world.act(BOB, "/register", "scrypt$14$8$1$00$33")
    do(world, DORA, "/ban eve")
    world.tick(1)
    do(world, DORA, "/ban bob")
    assert rows(DORA, "#tea") == [("bob",), ("eve",)]
    world.act(EVE, "/nick", "evie", "evie", "evie"), world.act(BOB, "/nick", "rob", "rob", "rob")
    assert rows(DORA, "#tea") == [("bob", "rob"), ("eve", "evie")]
    for visit in (DORA, EVE, BOB):
        world.act(visit, "/leave", "", channel="#general")
    assert rows(DORA, "#tea") == [("bob",), ("eve",)]
    assert rows(ROOT, "#tea") == [("bob", "rob"), ("eve", "evie")]
    other = world.enter("eve", address="203.0.113.1:1")  # another one has the name now, and is banned too
    world.tick(1)
    assert do(world, ROOT, "/ban EVE").code is Code.OK and other
    assert rows(ROOT, "#tea") == [("EVE",), ("bob", "rob"), ("eve", "evie")]


def test_unban_by_another_name(world: World) -> None:
    """What was made together ends together."""
    do(world, DORA, "/ban bob")
    world.act(BOB, "/nick", "rob", "rob", "rob")
    assert do(world, DORA, "/unban rob") == Outcome(Code.OK, ("rob", "#tea"))
    assert join(world, BOB).code is Code.OK and not world.state.listed(2, BAN_LIST)
    assert do(world, DORA, "/unban rob").code is Code.ALREADY
    do(world, DORA, "/ban nobody")
    assert do(world, DORA, "/ban nobody").code is Code.ALREADY
    assert do(world, DORA, "/unban nobody").code is Code.OK


def test_many_are_put_out_by_and_by() -> None:
    """An entry ends so many stays, and looks at so many persons; a restart goes on. Who comes meanwhile is
    turned away."""
    world = with_tea(Limits(ends_per_tick=2, looked_per_tick=3))
    flood = [world.enter(f"m{number}", "#general", "#tea", address=f"{FAR}:{number}") for number in range(7)]
    persons = [world.person(visit) for visit in flood]
    do(world, DORA, "/ban +eve")
    counts = [len(is_in(world, 2, *persons))]
    while counts[-1]:
        world.apply()
        counts.append(len(is_in(world, 2, *persons)))
        assert len(counts) < 20
    assert all(before - after <= 2 for before, after in pairwise(counts))
    assert len(told(world, EventKind.KICKED)) == 8 and is_in(world, 1, 3) == [1, 3]
    for _ in range(9):
        world.apply()
    assert not [record for record in world.state.records() if record.kind == "sweep"]


def test_in_a_counted_channel() -> None:
    """All are told of somebody who is kicked; of a network that is banned only those whom it hits."""
    world = with_tea(Limits(counted_from=1))
    zoe = world.enter("zoe", address=f"{FAR}:7")
    join(world, zoe)
    do(world, DORA, "/kick eve")
    assert len(told(world, EventKind.KICKED)) == 1
    do(world, DORA, "/ban +eve")
    assert len(told(world, EventKind.KICKED)) == 1
    assert [one.signal.kind for one in world.effects if isinstance(one, Left) and one.signal] == [
        EventKind.KICKED
    ]


def test_nobody_finds_out_whose_address_is_banned(world: World) -> None:
    """+NAME takes only that back which was typed so."""
    do(world, ROOT, f"/ban {FAR}", channel="#tea")
    assert do(world, DORA, "/unban +eve") == Outcome(Code.ALREADY, ("+eve", "#tea"))
    do(world, DORA, "/ban +bob")
    assert do(world, DORA, "/unban +bob") == Outcome(Code.OK, ("+bob", "#tea"))


def test_operators_of_a_channel(world: World) -> None:
    """Also a guest can be one, as it can own one."""
    assert do(world, DORA, "/op eve") == Outcome(Code.OK, ("eve", "#tea"))
    assert world.state.role(2, 2) is Role.OPERATOR and world.state.role(2, 0) is Role.MEMBER
    assert do(world, EVE, "/kick bob").code is Code.OK
    assert do(world, DORA, "/deop eve").code is Code.OK and world.state.role(2, 2) is Role.MEMBER
    assert do(world, DORA, "/deop eve").code is Code.ALREADY
    assert do(world, DORA, "/op nobody").code is Code.NO_SUCH_NAME


def test_lists_are_bounded() -> None:
    """A guest takes two places on a list: it gets both, or none."""
    world = with_tea(Limits(listed_of_place=2))
    assert do(world, DORA, "/ban eve").code is Code.TOO_MANY
    assert do(world, DORA, "/ban nobody").code is Code.OK


def test_the_audit_trail(world: World) -> None:
    """Who did what against whom, from where; in a place of which nobody gets events."""
    do(world, DORA, "/ban bob 60s spam"), do(world, ROOT, f"/ban {FAR}", channel="*")
    first, second = told(world, EventKind.AUDITED)[-2:]
    assert (first.author, first.channel, first.place, first.text) == (
        *("dora", "#tea", AUDIT_PLACE),
        "/ban bob 1m: spam",
    )
    assert listed(first) == {
        Extra.TARGET: b"\0\0\0\x03",
        Extra.TARGET_NAME: b"bob",
        Extra.FROM: HOME.encode(),
        Extra.IN: b"\0\0\0\x02",
    }
    assert (second.channel, second.text) == ("*", f"/ban {FAR}")
    assert not any(world.state.gets(person, AUDIT_PLACE, first.seq) for person in (1, 2, 4))


@pytest.mark.parametrize(
    "who",
    [
        "net fe80::%x/64",
        "net ::ffff:192.0.2.7",
        "net 192.0.2.7/32",
        "net 0.0.0.0/0",
        "net ",
        "name ",
        "from ",
        "",
        "7",
        "net x",
        "from nobody",
    ],
)
def test_odd_bodies(world: World, who: str) -> None:
    """Whatever stands in an act: it is refused, and the lists stay as they are."""
    for command in ("/ban", "/exempt"):
        outcome = world.act(ROOT, command, who, "odd", 0, "", channel="*")
        assert outcome.code in (Code.BAD_ARGUMENTS, Code.NO_SUCH_NAME)
    assert world.act(ROOT, "/unban", who, "odd", channel="*").code is not Code.OK


def test_two_ways_to_write_a_network(world: World) -> None:
    """The zone of an address is no part of it: else one mask would take the other one's place."""
    for typed in ("fe80::%x/64", "fe80::%y/64"):
        do(world, ROOT, f"/ban {typed}", channel="*")
    for typed in ("fe80::%x/64", "fe80::%y/64"):
        do(world, ROOT, f"/unban {typed}", channel="*")
    assert not world.state.listed(0, BAN_LIST)


def test_a_name_that_looks_like_an_address(world: World) -> None:
    """Who is called so is meant in person: else such a name would be a shield."""
    world.enter("10.0.0.1", address="203.0.113.1:1")
    assert do(world, ROOT, "/kick 10.0.0.1", channel="#general").code is Code.OK
    assert do(world, ROOT, "/ban 10.0.0.1", channel="#general").code is Code.OK
    assert {one.whom for one in world.state.listed(1, BAN_LIST)} == {5, "name 10.0.0.1"}
