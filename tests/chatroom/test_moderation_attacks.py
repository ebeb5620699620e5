"""What an attacker with the rights of a member tried in the state: the tries that once were of use to him."""

from __future__ import annotations

from chatroom.bounds import Limits
from chatroom.classroom import SEPARATOR
from chatroom.commands import run
from chatroom.desk import Asker, Room
from chatroom.events import EventKind
from chatroom.masks import checked_network
from chatroom.outcomes import Code, Outcome
from chatroom.places import EVERYWHERE
from chatroom.whom import read_aim, read_who
from tests.chatroom.test_moderation import BOB, DORA, EVE, FAR, ROOT, with_tea
from tests.chatroom.world import Visit, World, events


def put(world: World, by: Visit, command: str, whom: str, channel: str = "#tea") -> Outcome:
    aim = read_aim(whom)
    assert not isinstance(aim, Outcome)
    return world.act(by, command, *aim, channel=channel)


def take(world: World, by: Visit, command: str, whom: str, channel: str = "#tea") -> Outcome:
    who = read_who(whom)
    assert not isinstance(who, Outcome)
    return world.act(by, command, *who, channel=channel)


def said(world: World, by: Visit, id: int, channel: str = "#tea") -> bool:
    return bool(events(world.say(by, id, channel=channel)))


# --- past slow channels and the limit of newcomers ----------------------------------------------------------


def test_slow_channels_elsewhere_make_no_channel_fast() -> None:
    """Who has spoken in as many slow channels as are remembered waits: nothing is forgotten to make room.

    Before, an accomplice's channels that are slow for an hour pushed out that #tea is slow for ten seconds.
    """
    world = with_tea(Limits(paced_of_person=2))
    world.act(DORA, "/slow", 10, channel="#tea")
    for number in range(2):
        name = f"#slow{number}"
        world.act(BOB, "/join", name, "")
        world.act(BOB, "/slow", 3600, channel=name)
        world.act(EVE, "/join", name, "")
        assert said(world, EVE, number + 1, name)
    assert not said(world, EVE, 3)
    world.act(EVE, "/leave", "", channel="#slow0")
    assert not said(world, EVE, 4)
    world.tick(3601)
    assert said(world, EVE, 5) and not said(world, EVE, 6)


def test_slow_channels_do_not_free_newcomers() -> None:
    """The same for what newcomers may say in a minute."""
    world = with_tea(Limits(paced_of_person=2))
    for number in range(2):
        name = f"#slow{number}"
        world.act(BOB, "/join", name, "")
        world.act(BOB, "/slow", 3600, channel=name)
        world.act(EVE, "/join", name, "")
        assert said(world, EVE, number + 1, name)
    world.act(ROOT, "/guard", "newcomers", 1)
    assert [said(world, EVE, id) for id in (3, 4)].count(True) <= 1


def test_reasons_are_lines_in_slow_channels() -> None:
    """Who leaves a slow channel with a reason has said a line there: coming and leaving says no more."""
    world = with_tea()
    world.act(DORA, "/slow", 60, channel="#tea")
    reasons = []
    for number in range(3):
        world.act(EVE, "/leave", f"one more line {number}", channel="#tea")
        reasons.append(world.log[-1].text)
        world.act(EVE, "/join", "#tea", "")
    assert reasons == ["one more line 0", "", ""]
    assert not said(world, EVE, 1)


def test_reasons_are_lines_of_newcomers() -> None:
    world = with_tea()
    world.act(ROOT, "/guard", "newcomers", 4)
    reasons = []
    for number in range(3):
        world.act(EVE, "/leave", f"one more line {number}", channel="#tea")
        reasons.append(world.log[-1].text)
        world.act(EVE, "/join", "#tea", "")
    assert reasons == ["one more line 0", "one more line 1", ""]


def test_a_poll_is_a_line_of_a_newcomer() -> None:
    world = with_tea()
    world.act(EVE, "/join", "#own", "")
    world.act(ROOT, "/guard", "newcomers", 0)
    poll = SEPARATOR.join(("words", "yes", "no"))
    assert world.act(EVE, "/poll", poll, channel="#own").code is Code.SLOW_DOWN


# --- past a mute --------------------------------------------------------------------------------------------


def test_whom_the_chatroom_has_muted_says_nothing_as_an_operator() -> None:
    """Anybody can found a channel. In it, too, no poll and no reason has words of whom the chatroom muted."""
    world = with_tea()
    world.act(EVE, "/join", "#own", "")
    world.act(BOB, "/join", "#own", "")
    assert put(world, ROOT, "/mute", "eve", EVERYWHERE).code is Code.OK
    before = len(world.log)
    poll = SEPARATOR.join(("bad words", "yes", "no"))
    assert world.act(EVE, "/poll", poll, channel="#own").code is Code.MUTED
    put(world, EVE, "/mute", "bob bad words", "#own")
    put(world, EVE, "/exempt", "dora bad words", "#own")
    put(world, EVE, "/ban", "carl bad words", "#own")
    world.act(EVE, "/kick", "bob", "bad words", channel="#own")
    world.act(EVE, "/move", "#bad-words", channel="#own")
    world.act(EVE, "/close", "bad words", channel="#own")
    told = [event for event in world.log[before:] if event.kind is not EventKind.AUDITED]
    assert len(told) >= 4 and not [event for event in told if "bad" in event.text]


# --- lists that are full ------------------------------------------------------------------------------------


def test_full_lists_stop_no_operator_of_the_chatroom() -> None:
    """Entries in channels that anybody may found take no room of the chatroom and of kept channels."""
    world = with_tea(Limits(listed=8, listed_of_network=6, listed_of_place=10))
    world.act(ROOT, "/set", "kept", "on", channel="#tea")
    world.act(EVE, "/join", "#own", "")
    codes = [put(world, EVE, "/ban", f"nobody{number}", "#own").code for number in range(9)]
    assert Code.FULL in codes
    assert put(world, ROOT, "/ban", "eve", EVERYWHERE).code is Code.OK
    assert put(world, DORA, "/ban", "carl").code is Code.OK


def test_a_neighbour_fills_no_list_of_a_kept_channel() -> None:
    """What somebody from the same network has listed in channels of his own does not count in a kept one."""
    world = with_tea(Limits(listed_of_network=6, listed_of_place=10))
    world.act(ROOT, "/set", "kept", "on", channel="#tea")
    carl = world.enter("carl", "#own", address="198.51.100.1:9")  # the network from which #tea was founded
    codes = [put(world, carl, "/ban", f"nobody{number}", "#own").code for number in range(9)]
    assert codes[-1] is Code.FULL
    assert put(world, DORA, "/ban", "nobody").code is Code.OK
    world.act(ROOT, "/set", "kept", "off", channel="#tea")
    assert put(world, DORA, "/ban", "nobody2").code is Code.FULL


# --- networks of others -------------------------------------------------------------------------------------


def with_own_channel() -> World:
    """eve has a channel of her own. carl comes from where bob is, and neither has been in it."""
    world = with_tea()
    world.enter("carl", address="192.0.2.9:7")
    world.act(EVE, "/join", "#own", "")
    return world


def test_nobody_learns_whose_network_is_the_same() -> None:
    """In a channel +NAME means only somebody who has been in it: else a channel of one's own tells which
    members come from one network."""
    world = with_own_channel()
    for command in ("/ban", "/mute", "/exempt"):
        assert put(world, EVE, command, "+bob", "#own").code is Code.NO_SUCH_NAME
    world.act(BOB, "/join", "#own", "")
    world.act(BOB, "/leave", "", channel="#own")
    assert put(world, EVE, "/ban", "+bob", "#own").code is Code.OK
    assert put(world, ROOT, "/ban", "+carl", "#own").code is Code.OK  # an operator of the chatroom knows it


def test_taking_a_network_off_does_not_tell_whose_it_is() -> None:
    """/unban +NAME ends only what was typed so."""
    world = with_own_channel()
    world.act(BOB, "/join", "#own", "")
    assert put(world, EVE, "/ban", "+bob", "#own").code is Code.OK
    assert take(world, EVE, "/unban", "+carl", "#own").code is Code.ALREADY
    assert take(world, EVE, "/unban", "+dora", "#own").code is Code.ALREADY
    assert take(world, EVE, "/unban", "+bob", "#own").code is Code.OK


def test_mapped_addresses_are_those_of_ipv4() -> None:
    assert checked_network("::ffff:192.0.2.7") == FAR
    assert checked_network("::ffff:192.0.2.7/128") == FAR
    assert checked_network("::ffff:192.0.2.0/120") == "192.0.2.0/24"
    assert checked_network("::ffff:0.0.0.0/96") == ""
    world = with_tea()
    assert put(world, ROOT, "/ban", "::ffff:192.0.2.7", EVERYWHERE).code is Code.OK
    assert world.ask("ann", address=f"{FAR}:5")[1].code is Code.BANNED


def test_the_trail_of_a_channel_has_no_address() -> None:
    """Only the trail of the chatroom has it: the operators of the channel would learn whose address it is."""
    world = with_tea()
    assert put(world, ROOT, "/ban", FAR).code is Code.OK
    trail = [event for event in world.log if event.kind is EventKind.AUDITED]
    assert FAR in trail[-1].text and trail[-1].channel == EVERYWHERE


def test_the_list_of_a_channel_shows_its_operators_no_address() -> None:
    world = with_tea()
    assert put(world, ROOT, "/ban", FAR).code is Code.OK
    room = Room(world.state, {})
    dora, root = (run(room, Asker(world.person(by), "#tea"), "/bans") for by in (DORA, ROOT))
    assert isinstance(dora, Outcome) and dora.rows == ()
    assert isinstance(root, Outcome) and [row[1] for row in root.rows] == [FAR]


# --- past a ban, with the same name -------------------------------------------------------------------------


def test_a_ban_outlives_the_account() -> None:
    """Who gives up its account is a guest, and comes back as somebody else: its name stays on the lists."""
    world = with_tea()
    secret = "scrypt$14$8$1$00$33"
    assert world.act(EVE, "/register", secret).code is Code.OK
    assert put(world, ROOT, "/mute", "eve 10m loud", EVERYWHERE).code is Code.OK
    assert put(world, DORA, "/ban", "eve 10m spam").code is Code.OK
    assert world.act(EVE, "/unregister", secret).code is Code.OK
    world.leave(EVE)
    again = world.enter("eve")
    assert not said(world, again, 1, "#general")
    assert world.act(again, "/join", "#tea", "").rows == ("#tea", world.time + 600_000, "spam")
    assert take(world, DORA, "/unban", "eve").code is Code.OK
    assert world.act(again, "/join", "#tea", "").code is Code.OK
    world.tick(600)
    assert said(world, again, 2, "#general")
