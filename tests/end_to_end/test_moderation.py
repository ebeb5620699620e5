"""Moderation over the wire: what each command does, whom it refuses, what others see, what a restart keeps.

Everybody comes from an address of this machine: 127.0.0.1 and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.events import BAN_LIST, EXEMPT_LIST, Event, EventKind, Extra, extra_rows
from chatroom.moderation_acts import MODERATION_ACTS
from chatroom.outcomes import Code
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Admit, Bye, Channel, Packet, Role, Verdict
from tests.end_to_end.host import PASSWORD, Host
from tests.support.cases import case
from tests.support.person import Person, by_password

pytestmark = pytest.mark.usefixtures("cheap_hashes")

FAR, NEAR = "127.0.0.7", "127.0.0.8"
KICKED, LISTED, QUIT, JOINED = EventKind.KICKED, EventKind.LISTED, EventKind.QUIT, EventKind.JOINED


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


def in_tea(host: Host) -> tuple[Person, Person, Person]:
    """dora, who owns #tea, and two guests who are in it, too: eve from FAR, bob from NEAR."""
    dora, eve, bob = host.account("dora"), host.come("eve", source=FAR), host.come("bob", source=NEAR)
    for person in (dora, eve, bob):
        person.do("/join #tea")
    look(dora, eve, bob)
    return dora, eve, bob


def look(*people: Person) -> None:
    """What has come so far is of no interest."""
    for person in people:
        person.seen()


def told(packets: list[Packet]) -> list[tuple[EventKind, str, str]]:
    """Kind, author and text of the events."""
    return [(one.kind, one.author, one.text) for one in packets if isinstance(one, Event)]


def rows_of(packets: list[Packet], kind: EventKind) -> dict[int, bytes]:
    """The extra of the first event of this kind."""
    return extra_rows(next(one.extra for one in packets if isinstance(one, Event) and one.kind is kind))


def token(person: Person) -> bytes:
    """With which its program comes back; it has said something, so its session is remembered."""
    person.say("#general", "hello")
    return person.welcome.token


def bye(person: Person) -> Bye:
    """How the server has ended the connection."""
    last = person.receive_until(lambda packet: isinstance(packet, Bye))
    assert isinstance(last, Bye)
    return last


# --- who may ------------------------------------------------------------------------------------------------


def test_who_may_not_changes_nothing(host: Host) -> None:
    """A member without the role, one who is not in, and no channel that is; and nobody for the chatroom."""
    dora, eve, _ = in_tea(host)
    zoe, before = host.come("zoe"), host.records()
    dora.seen()
    for name in (*MODERATION_ACTS, "/bans"):
        with case(name):
            arguments = "" if name == "/bans" else " bob"
            refused = eve.tell(name + arguments, channel="#tea")
            assert refused.code == Code.NEED_ROLE
            assert refused.words == f"{name} needs the role {'owner' if 'op' in name else 'operator'}"
            assert zoe.tell(name + arguments, channel="#tea").code == Code.NOT_IN
            assert zoe.tell(name + arguments, channel="#nowhere").code == Code.NO_SUCH_CHANNEL
            assert dora.tell(f"{name} *{arguments}").code == Code.NEED_ROLE
            assert host.records() == before and not told(dora.seen())


@pytest.mark.parametrize("name", ["/kill", "/suspend", "/unsuspend"])
def test_short_commands_are_for_the_chatroom(host: Host, name: str) -> None:
    """Who owns a channel may not use them."""
    dora, _, _ = in_tea(host)
    assert dora.tell(f"{name} eve", channel="#tea").code == Code.NEED_ROLE


def test_bad_arguments(host: Host) -> None:
    """Nothing, what is no name, and nobody who is known."""
    owner, before = host.owner(), host.records()
    for name in (*MODERATION_ACTS, "/kill", "/suspend", "/unsuspend"):
        with case(name):
            assert owner.tell(name).words.startswith(f"usage: {name} ")
            no_name = owner.tell(f"{name} ?").words
            assert no_name == "? is no name, no +NAME and no network that is narrow enough"
            unknown = Code.ALREADY if name in ("/unban", "/unsuspend", "/unexempt") else Code.NO_SUCH_NAME
            if name not in ("/ban", "/exempt", "/suspend"):  # these take the name of nobody
                assert owner.tell(f"{name} nobody").code == unknown
            if "op" not in name:
                assert owner.tell(f"{name} +nobody").code in (Code.NO_SUCH_NAME, Code.BAD_NAME, Code.ALREADY)
            assert host.records() == before


# --- /kick --------------------------------------------------------------------------------------------------


def test_kick(host: Host) -> None:
    """All in the channel see it, the kicked one as the last of it; its other channels stay. It lasts."""
    dora, eve, bob = in_tea(host)
    assert dora.do("/kick eve too loud", channel="#tea").words == "eve is out of #tea"
    for person in (dora, eve, bob):
        seen = person.seen()
        assert told(seen) == [(KICKED, "dora", "too loud")]
        assert rows_of(seen, KICKED)[Extra.TARGET_NAME] == b"eve"
    bob.say("#tea", "hm"), eve.say("#general", "hi")
    assert [one[2] for one in told(eve.seen())] == ["hi"]
    assert dora.tell("/kick eve", channel="#tea").words == "nobody is known here as eve"
    assert dora.tell("/kick dora", channel="#tea").words == "dora has a role as high as yours, or higher"
    assert dora.tell("/kick bob " + "x" * 300, channel="#tea").code == Code.TOO_LONG
    back = token(eve)
    host.restart()
    eve = host.come("eve", token=back)
    assert {one.name for one in eve.packets if isinstance(one, Channel)} == {"#general"}
    eve.do("/join #tea")


def test_kick_on_a_dead_connection(host: Host) -> None:
    """Who has lost the connection is out as well, and finds it so when it comes back."""
    dora, eve, _ = in_tea(host)
    back = token(eve)
    eve.close()
    dora.receive_until(lambda packet: isinstance(packet, Event) and packet.author == "eve")
    dora.do("/kick eve", channel="#tea")
    assert [row[0] for row in _who(dora)] == ["bob", "dora"]
    eve = host.come("eve", token=back)
    assert {one.name for one in eve.packets if isinstance(one, Channel)} == {"#general"}


def _who(person: Person) -> list[tuple[str, str]]:
    person.do("/who #tea")
    return [row for row in person.rows[1:] if isinstance(row, list)]


def test_kick_of_an_account_that_is_out(host: Host) -> None:
    """Being out of the chatroom is no shelter."""
    dora, bob = host.account("dora"), host.account("bob")
    dora.do("/join #tea"), bob.do("/join #tea")
    bob.leave()
    dora.do("/kick bob", channel="#tea")
    bob = host.login("bob")
    assert {one.name for one in bob.packets if isinstance(one, Channel)} == {"#general"}


def test_kill(host: Host) -> None:
    """/kill ends all programs of a person, and tells why. It logs in again; a token opens nothing."""
    owner, (dora, eve, bob) = host.owner(), in_tea(host)
    phone = host.login("dora")
    look(eve, bob)
    assert owner.do("/kill dora calm down").words == "all programs of dora are ended"
    for program in (dora, phone):
        last = bye(program)
        assert (last.code, last.reason) == (
            Code.KICKED,
            "an operator has ended your programs: killed by owner1: calm down",
        )
    assert told(bob.seen()) == [(QUIT, "dora", "killed by an operator: calm down")]
    old = token(eve)
    owner.do("/kick * eve")
    assert bye(eve).code == Code.KICKED
    assert host.come("eve", token=old).welcome.token != old
    host.login("dora")
    assert owner.tell("/kill nobody").code == Code.NO_SUCH_NAME


# --- /ban and /unban ----------------------------------------------------------------------------------------


def test_ban(host: Host) -> None:
    """Out, and kept out under this name and any other. All see it; it lasts, until it is taken back."""
    dora, eve, bob = in_tea(host)
    words = dora.do("/ban eve 2h spam", channel="#tea").words
    assert words.startswith("eve is banned from #tea until 20")
    for person in (dora, eve, bob):
        seen = person.seen()
        assert told(seen) == [(LISTED, "dora", "spam"), (KICKED, "dora", "spam")]
        assert rows_of(seen, LISTED)[Extra.LIST] == bytes((BAN_LIST,))
    refused = eve.tell("/join #tea")
    assert refused.code == Code.BANNED and eve.rows[0] == "#tea" and eve.rows[2] == "spam"
    assert refused.words.startswith("you are banned from #tea until 20") and refused.words.endswith(": spam")
    eve.do("/nick Zoe")
    assert eve.tell("/join #tea").code == Code.BANNED
    assert bob.tell("/nick eve").words.startswith("this name is banned from #tea until 20")
    assert dora.tell("/ban +dora", channel="#tea").code == Code.NEED_ROLE
    back = token(eve)
    host.restart()
    dora, eve = host.login("dora"), host.come("zoe", token=back, source=FAR)
    assert eve.tell("/join #tea").code == Code.BANNED
    assert dora.do("/unban Zoe", channel="#tea").words == "Zoe is not banned from #tea any more"
    assert dora.tell("/unban zoe", channel="#tea").code == Code.ALREADY
    eve.do("/join #tea")


def test_ban_by_where_somebody_comes_from(host: Host) -> None:
    """+NAME means all from there; the address is told to nobody. Who is exempt stays."""
    dora, _, bob = in_tea(host)
    ann, zoe = host.come("ann", source=FAR), host.come("zoe", source=FAR)
    ann.do("/join #tea"), zoe.do("/join #tea")
    dora.do("/exempt ann", channel="#tea")
    look(dora, bob)
    assert dora.do("/ban +eve", channel="#tea").words == "+eve is banned from #tea"
    seen = bob.seen()
    assert [one[0] for one in told(seen)] == [LISTED, KICKED, KICKED]
    told_rows = rows_of(seen, LISTED)
    assert told_rows[Extra.WHOM] == b"+eve" and told_rows.keys() == {Extra.LIST, Extra.TARGET, Extra.WHOM}
    assert [row[0] for row in _who(dora)] == ["ann", "bob", "dora"]
    other = host.come("new", source=FAR)
    assert other.tell("/join #tea").code == Code.BANNED
    refused, _ = turned_away(host, "newer", FAR, "#tea")
    assert (refused.code, refused.reason) == (Code.BANNED, "you are banned: #tea")
    assert dora.tell(f"/ban {FAR}", channel="#tea").words.endswith("operator of the chatroom")
    assert "exempt: 2\n" in dora.do("/bans", channel="#tea").words and FAR not in str(dora.rows)
    host.restart()
    assert host.come("later", source=FAR).tell("/join #tea").code == Code.BANNED
    host.login("dora").do("/unban +EVE", channel="#tea")
    host.come("newest", source=FAR).do("/join #tea")


def turned_away(host: Host, name: str, source: str, channel: str) -> tuple[Bye, Person]:
    """How a newcomer is sent away that has got its name, and asks for a channel."""
    asking, _ = Person.ask_for(host.address, name, (), NO_TOKEN, source)
    with asking:
        offer = asking.take_port()
    person = Person.connect(host.address, offer.number, source)
    host.people.append(person)
    person.send(_admit(name, offer.ticket, channel))
    return bye(person), person


def _admit(name: str, ticket: bytes, channel: str) -> Packet:
    return Admit(name, ticket, (channel,), 0, 0, NO_IDENTITY, 0)


def test_suspend(host: Host) -> None:
    """Nobody comes into the chatroom under the name, from the network, or with the token; and reads why."""
    owner, (dora, eve, bob) = host.owner(), in_tea(host)
    old = token(eve)
    look(dora, bob)
    assert owner.do("/suspend eve 1h spam").words.startswith("eve is banned from this chatroom until 20")
    assert (bye(eve).code, bye_text(eve)) == (Code.BANNED, "you are banned: banned by owner1: spam")
    assert [one[:2] for one in told(bob.seen())][:2] == [(LISTED, "owner1"), (QUIT, "eve")]
    for again in (host.refused("eve"), host.refused("eve", source=NEAR)):
        assert again.code == Code.BANNED
        assert again.reason.startswith("you, this name or your network is banned from this chatroom until 20")
        assert again.reason.endswith(": spam")
    asking, status = Person.ask_for(host.address, "other", (), old, FAR)
    asking.close()
    assert status.verdict is Verdict.PASS  # the token opens nothing, so this is somebody new
    owner.do(f"/ban * {NEAR}")
    assert bye(bob).code == Code.BANNED
    host.restart()
    assert host.refused("zoe", source=NEAR).code == Code.BANNED
    owner = host.login("owner1")
    assert owner.tell("/suspend 127.0.0.1").words.startswith("127.0.0.1: your own network is in it; /guard")
    assert owner.tell("/suspend 0.0.0.0/0").code == Code.BAD_NAME
    assert f"ban {NEAR} for ever by owner1" in " ".join(owner.do("/bans *").words.split())
    owner.do("/unsuspend eve"), owner.do(f"/unban * {NEAR}")
    host.come("eve"), host.come("bob", source=NEAR)


def bye_text(person: Person) -> str:
    return next(packet.reason for packet in person.packets if isinstance(packet, Bye))


def test_the_owner_is_never_shut_out(host: Host) -> None:
    """A ban of the network does not mean an operator, who shows the password first."""
    owner, eve = host.owner(), host.come("eve", source=FAR)
    owner.do(f"/ban * {FAR}/31")
    assert bye(eve).code == Code.BANNED
    assert host.refused("owner1", source=FAR).code == Code.NEED_LOGIN
    host.come("owner1", by_password(PASSWORD), source=FAR)


def test_a_suspended_account(host: Host) -> None:
    """The right password does not help; the device neither."""
    owner, dora = host.owner(), host.account("dora")
    owner.do("/suspend dora")
    assert bye(dora).code == Code.BANNED
    assert host.refused("dora", by_password(PASSWORD)).code == Code.BANNED
    owner.do("/unsuspend dora")
    host.login("dora")


# --- /exempt, /unexempt, /bans ------------------------------------------------------------------------------


def test_exempt(host: Host) -> None:
    """No ban means who is exempt; others see it; it lasts, until it is taken back."""
    dora, eve, bob = in_tea(host)
    assert (
        dora.do("/exempt eve a guest of ours", channel="#tea").words == "no ban and no mute means eve in #tea"
    )
    seen = bob.seen()
    assert told(seen) == [(LISTED, "dora", "a guest of ours")]
    assert rows_of(seen, LISTED)[Extra.LIST] == bytes((EXEMPT_LIST,))
    dora.do("/ban +eve", channel="#tea"), dora.do("/ban eve", channel="#tea")
    assert [one[0] for one in told(bob.seen())] == [LISTED, LISTED]
    assert dora.tell("/exempt eve a guest of ours", channel="#tea").code == Code.ALREADY
    back = token(eve)
    host.restart()
    dora, eve = host.login("dora"), host.come("eve", token=back, source=FAR)
    eve.do("/leave", channel="#tea"), eve.do("/join #tea")
    assert dora.do("/unexempt eve", channel="#tea").words == "eve is not exempt in #tea any more"
    assert dora.tell("/unexempt eve", channel="#tea").code == Code.ALREADY
    eve.do("/leave", channel="#tea")
    assert eve.tell("/join #tea").code == Code.BANNED


def test_bans(host: Host) -> None:
    """By whom, when, until when and why: for the operators of the place. A guest has one line."""
    dora, _, _ = in_tea(host)
    assert dora.do("/bans", channel="#tea").words == "nobody is banned, muted or exempt"
    dora.do("/ban eve 2h spam", channel="#tea"), dora.do("/exempt bob", channel="#tea")
    host.restart()
    dora = host.login("dora")
    words = dora.do("/bans #tea").words
    assert words.index("exempt  bob  for ever") < words.index("ban     eve  until 20")
    assert words.count("by dora, 20") == 2 and words.count(": spam") == 1
    assert [row[:3] for row in dora.rows] == [["exempt", "bob", "dora"], ["ban", "eve", "dora"]]
    assert dora.tell("/bans x", channel="#tea").code == Code.BAD_ARGUMENTS


# --- /op and /deop ------------------------------------------------------------------------------------------


def test_op_and_deop(host: Host) -> None:
    """All in the channel see it; an operator moderates, but not against the owner. It lasts."""
    dora, eve, bob = in_tea(host)
    assert dora.do("/op eve", channel="#tea").words == "eve is an operator of #tea now"
    assert rows_of(bob.seen(), LISTED)[Extra.LIST] == bytes((Role.OPERATOR,))
    assert dora.tell("/op eve", channel="#tea").words == "eve is an operator of #tea already"
    back = token(eve)
    host.restart()
    dora, eve, bob = host.login("dora"), host.come("eve", token=back, source=FAR), host.come("rob")
    bob.do("/join #tea")
    assert eve.tell("/ban dora", channel="#tea").words == "dora has a role as high as yours, or higher"
    eve.do("/kick rob", channel="#tea")
    assert dora.do("/deop eve", channel="#tea").words == "eve is no operator of #tea any more"
    assert dora.tell("/deop eve", channel="#tea").code == Code.ALREADY
    assert eve.tell("/bans", channel="#tea").code == Code.NEED_ROLE


def test_all_see_who_is_an_operator_of_the_chatroom(host: Host) -> None:
    """In whatever channel they are."""
    owner, far = host.owner(), host.come("far", channel="#far")
    host.account("dora")
    look(far)
    owner.do("/op * dora")
    seen = far.seen()
    assert told(seen) == [(LISTED, "owner1", "")] and rows_of(seen, LISTED)[Extra.TARGET_NAME] == b"dora"
