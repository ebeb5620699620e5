"""Channels over the wire: the effect of each command, its refusals, what others see, what a restart keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.channel_acts import CHANNEL_ACTS
from chatroom.events import INVITED_LIST, Event, EventKind, Extra, Setting, extra_number, extra_rows
from chatroom.limits import GUESSES, KEY_BYTES, MAX_TOPIC
from chatroom.outcomes import Code
from chatroom.packets import NO_IDENTITY, Admit, Answer, Bye, Channel, Packet, Role
from tests.end_to_end.host import PASSWORD, Host
from tests.support.person import Person, by_password

pytestmark = pytest.mark.usefixtures("cheap_hashes")

JOINED, LEFT, QUIT, SAID, SET = (
    EventKind.JOINED,
    EventKind.LEFT,
    EventKind.QUIT,
    EventKind.SAID,
    EventKind.SET,
)


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


def told(packets: list[Packet]) -> list[tuple[EventKind, str, str]]:
    """Kind, author and text of the events."""
    return [(one.kind, one.author, one.text) for one in packets if isinstance(one, Event)]


def look(*people: Person) -> None:
    """What has come so far is of no interest."""
    for person in people:
        person.seen()


def in_tea(host: Host) -> tuple[Person, Person]:
    """dora, who owns #tea, and eve, a guest; both are in."""
    dora, eve = host.account("dora"), host.come("eve")
    dora.do("/join #tea")
    eve.do("/join #tea")
    look(dora, eve)
    return dora, eve


def back(host: Host) -> tuple[Person, Person]:
    """Both after a restart: dora logs in, eve has her token."""
    token = next(person for person in host.people if person.welcome.name == "eve").welcome.token
    host.restart()
    return host.login("dora"), host.come("eve", token=token)


def described(person: Person, name: str = "#tea") -> Channel:
    """A channel as the greeting told of it."""
    return next(one for one in person.packets if isinstance(one, Channel) and one.name == name)


def listed(packets: list[Packet]) -> list[tuple[int, str, bool]]:
    """The changes of lists: which list, whose name, whether the person was taken off."""
    found = []
    for one in packets:
        if isinstance(one, Event) and one.kind is EventKind.LISTED:
            rows = extra_rows(one.extra)
            found.append((rows[Extra.LIST][0], rows[Extra.TARGET_NAME].decode(), Extra.REMOVED in rows))
    return found


# --- who may ------------------------------------------------------------------------------------------------

GUARDED = [name for name, act in CHANNEL_ACTS.items() if act.needs > Role.MEMBER]
ARGUMENTS = {"/set": "moderated on", "/move": "#new", "/hush": "on"}


@pytest.mark.parametrize("name", GUARDED)
def test_who_may_not_changes_nothing(host: Host, name: str) -> None:
    """A member without the role, and who is not in, are refused; so is who asks for no channel that is."""
    dora, eve = in_tea(host)
    bob = host.come("bob")
    command, before = f"{name} {ARGUMENTS.get(name, 'eve')}", host.records()
    refused = eve.tell(command, channel="#tea")
    assert refused.code == Code.NEED_ROLE and CHANNEL_ACTS[name].needs.name.lower() in refused.words
    assert bob.tell(command, channel="#tea").code == Code.NOT_IN
    assert bob.tell(command, channel="#nowhere").code == Code.NO_SUCH_CHANNEL
    assert host.records() == before and not told(dora.seen()[1:])


@pytest.mark.parametrize("name", GUARDED)
def test_the_owner_of_the_chatroom_may(host: Host, name: str) -> None:
    """No channel with members is out of reach: who owns the chatroom need not even be in."""
    owner, (dora, _), _ = host.owner(), in_tea(host), host.come("bob")
    if name.startswith("/un"):
        dora.do(name.replace("/un", "/") + (" bob" if name == "/uninvite" else " eve"), channel="#tea")
    bob = "bob" if "invite" in name else "eve"
    owner.do(f"{name} {ARGUMENTS.get(name, bob)}", channel="#tea")


# --- /join, /leave, /channels -------------------------------------------------------------------------------


def test_join(host: Host) -> None:
    """CHANNEL, the own JOINED, the answer; others see JOINED; the other program gets all. It lasts."""
    dora = host.account("dora")
    dora.do("/join #tea")
    phone, eve = host.login("dora"), host.come("eve")
    look(dora, phone, eve)
    assert eve.do("/join #Tea").words == "you are in #tea" and eve.rows == ["#tea", 2]
    channel, joined = eve.seen()
    assert isinstance(channel, Channel) and (channel.role, channel.size) == (Role.MEMBER, 2)
    assert {(one.name, one.role) for one in channel.members} == {("dora", Role.OWNER), ("eve", Role.MEMBER)}
    for person in (dora, phone):
        assert told(person.seen()) == [(JOINED, "eve", "")]
    assert told([joined]) == [(JOINED, "eve", "")]
    phone.do("/join #two")
    assert [type(one) for one in dora.seen()] == [type(one) for one in phone.seen()] == [Channel, Event]
    assert eve.tell("/join #tea").code == eve.tell("/join tea").code == Code.ALREADY
    for wrong, code in (
        ("", Code.BAD_ARGUMENTS),
        ("-tea", Code.BAD_NAME),
        ("tea", Code.ALREADY),
        ("#a b c", Code.BAD_ARGUMENTS),
    ):
        assert eve.tell(f"/join {wrong}").code == code
    dora, eve = back(host)
    for name in ("#tea", "#two"):
        assert described(dora, name).role == Role.OWNER
    assert described(eve).role == Role.MEMBER and isinstance(eve.say("#tea", "hi"), Event)


def test_leave(host: Host) -> None:
    """All see LEFT, the leaver as the last of the channel; the other program leaves, too. It lasts."""
    dora, eve = in_tea(host)
    phone = host.login("dora")
    look(phone)
    assert dora.do("/leave so long", channel="#tea").words == "you have left #tea"
    eve.say("#tea", "who is still here?")
    for person in (dora, phone):
        assert told(person.seen()) == [(LEFT, "dora", "so long")]
    assert told(eve.seen()) == [(LEFT, "dora", "so long"), (SAID, "eve", "who is still here?")]
    refused = dora.say("#tea", "late")
    assert isinstance(refused, Answer) and refused.code == Code.NOT_IN
    assert dora.tell("/leave", channel="#tea").code == Code.NOT_IN
    dora.do("/join #two")
    dora.do("/leave #two")
    dora, eve = back(host)
    names = {one.name for one in dora.packets if isinstance(one, Channel)}
    assert names == {"#general"} and described(eve).size == 1
    dora.do("/join #tea")
    assert dora.rows == ["#tea", 2]  # it is the same place, and she owns it


def test_channels(host: Host) -> None:
    """The largest first, with topic and settings; those that are for the invited only to who may join."""
    dora, eve = in_tea(host)
    dora.do("/topic Earl Grey", channel="#tea")
    dora.do("/join #club")
    dora.do("/set invite-only on", channel="#club")
    assert dora.do("/channels").words.splitlines() == [
        "/channels: 3 channels",
        "  #general  2 here  you are in",
        "  #tea      2 here  you are in               Earl Grey",
        "  #club     1 here  you are in  invite-only",
    ]
    eve.do("/leave", channel="#tea")
    eve.do("/channels")
    assert eve.rows == [["#general", 2, "", Setting.KEPT, True], ["#tea", 1, "Earl Grey", 0, False]]
    assert eve.tell("/who #club").code == Code.NO_SUCH_CHANNEL
    dora.do("/invite eve", channel="#club")
    eve.do("/channels")
    assert eve.rows[1] == ["#club", 1, "", Setting.INVITE_ONLY, False]
    assert eve.tell("/channels x").code == Code.BAD_ARGUMENTS
    dora, eve = back(host)
    dora.do("/channels")
    assert [row[0] for row in dora.rows] == ["#general", "#club", "#tea"]


# --- topic, settings, name, end -----------------------------------------------------------------------------


def test_topic(host: Host) -> None:
    """Any member sets it, in a moderated channel its operators; CHANNEL has it. It lasts."""
    dora, eve = in_tea(host)
    eve.do("/topic  Earl Grey ", channel="#tea")
    assert told(dora.seen()) == told(eve.seen()) == [(EventKind.TOPIC, "eve", "Earl Grey")]
    assert "Earl Grey (by eve, " in dora.do("/topic #tea").words and dora.rows[:2] == ["Earl Grey", "eve"]
    assert eve.tell("/topic Earl Grey", channel="#tea").code == Code.ALREADY
    assert eve.tell("/topic " + "x" * (MAX_TOPIC + 1), channel="#tea").code == Code.TOO_LONG
    assert host.come("bob").tell("/topic #tea x").code == Code.NOT_IN
    dora.do("/set moderated on", channel="#tea")
    assert eve.tell("/topic mine", channel="#tea").code == Code.NEED_ROLE
    dora, eve = back(host)
    assert described(eve).topic == "Earl Grey"
    dora.do("/topic -", channel="#tea")
    assert told(eve.seen())[-1:] == [(EventKind.TOPIC, "dora", "")]
    assert dora.do("/topic", channel="#tea").words == "there is no topic"


SETTINGS = [
    ("invite-only", "on", "off", Setting.INVITE_ONLY),
    ("moderated", "on", "off", Setting.MODERATED),
    ("history", "joined", "all", Setting.FROM_JOINING),
    ("key", "open-sesame", "off", Setting.KEYED),
]


@pytest.mark.parametrize(("name", "on", "off", "bit"), SETTINGS)
def test_set(host: Host, name: str, on: str, off: str, bit: Setting) -> None:
    """All see which setting has changed, and never the key; CHANNEL has it. It lasts."""
    dora, eve = in_tea(host)
    dora.do(f"/set {name} {on}", channel="#tea")
    (event,) = [one for one in eve.seen() if isinstance(one, Event)]
    assert (event.kind, event.text, event.extra) == (SET, "", bytes((bit, 1, 1)))
    assert dora.tell(f"/set {name} {on}", channel="#tea").code == Code.ALREADY
    shown = dora.do("/set", channel="#tea")
    assert [name, "on" if name == "key" else on] in dora.rows and "sesame" not in shown.words
    for wrong in (name, f"{name} maybe now", f"{name} {'x' * (KEY_BYTES + 1)}", f"nothing {on}"):
        assert dora.tell(f"/set {wrong}", channel="#tea").code == Code.BAD_ARGUMENTS
    dora, eve = back(host)
    assert described(eve).settings == bit
    dora.do(f"/set {name} {off}", channel="#tea")
    (event,) = [one for one in eve.seen() if isinstance(one, Event) and one.kind is SET]
    assert event.extra == bytes((bit, 1, 0))
    host.restart()
    assert described(host.login("dora")).settings == 0
    assert b"sesame" not in b"".join(path.read_bytes() for path in host.data.parent.glob("chat.db*"))


def test_kept(host: Host) -> None:
    """A channel of guests stays when the owner of the chatroom has set that, and ends when that is over."""
    owner, eve = host.owner(), host.come("eve")
    eve.do("/join #tea")
    assert eve.tell("/set kept on", channel="#tea").code == Code.NEED_ROLE
    owner.do("/set #tea kept on")
    eve.do("/leave #tea")
    host.restart()
    owner = host.login("owner1")
    owner.do("/channels")
    assert owner.rows == [["#general", 2, "", Setting.KEPT, True], ["#tea", 0, "", Setting.KEPT, False]]
    owner.do("/set #tea kept off")
    owner.do("/channels")
    assert len(owner.rows) == 1


def test_a_moderated_channel(host: Host) -> None:
    """Who has no voice is refused, who has it is heard; the refused line is no event."""
    dora, eve = in_tea(host)
    dora.do("/set moderated on", channel="#tea")
    refused = eve.say("#tea", "may I?")
    assert (
        isinstance(refused, Answer)
        and refused.code == Code.NEED_ROLE
        and "#tea is quiet now" in refused.words
    )
    dora.do("/voice eve", channel="#tea")
    assert isinstance(eve.say("#tea", "thanks"), Event) and isinstance(dora.say("#tea", "ok"), Event)
    assert [text for kind, _, text in told(dora.seen()) if kind is SAID] == ["thanks", "ok"]


def test_a_key(host: Host) -> None:
    """Only with the key one joins; a channel with a key cannot be asked for in the handshake."""
    dora = host.account("dora")
    dora.do("/join #club")
    dora.do("/set key sesame", channel="#club")
    bob = host.come("bob")
    for wrong in ("", " Sesame", " sesame2"):
        answer = bob.tell(f"/join #club{wrong}")
        assert answer.code == Code.BAD_KEY and "sesame" not in answer.words
    assert kept_out(host, "carl", "#club") == Code.BAD_KEY
    for _ in range(GUESSES - 2):
        assert bob.tell("/join #club nonsense").code == Code.BAD_KEY
    assert bob.tell("/join #club sesame").code == Code.SLOW_DOWN
    eve = host.come("eve")
    eve.do("/join #club sesame")
    dora.do("/leave #club")
    dora.do("/join #club")  # who owns it needs no key
    host.restart()
    assert kept_out(host, "carl", "#club") == Code.BAD_KEY
    assert host.come("dora", by_password(PASSWORD), channel="#club").welcome.name == "dora"  # she is in


def kept_out(host: Host, name: str, channel: str) -> int:
    """The code with which a newcomer is sent away that asks for the channel in its handshake."""
    asking, _ = Person.ask_for(host.address, name)
    with asking:
        offer = asking.take_port()
    with Person.connect(host.address, offer.number) as person:
        person.send(Admit(name, offer.ticket, (channel,), 0, 0, NO_IDENTITY, 0))
        return person.expect(Bye).code


def test_invite(host: Host) -> None:
    """Only who is invited joins, once; all in the channel see the list change. It lasts."""
    dora = host.account("dora")
    dora.do("/join #club")
    dora.do("/set invite-only on", channel="#club")
    eve = host.come("eve")
    assert eve.tell("/join #club").code == kept_out(host, "carl", "#club") == Code.INVITE_ONLY
    look(dora)
    assert dora.do("/invite Eve", channel="#club").words == "eve may join #club"
    assert listed(dora.seen()) == [(INVITED_LIST, "eve", False)]
    assert dora.tell("/invite eve", channel="#club").code == Code.ALREADY
    assert dora.tell("/invite nobody", channel="#club").code == Code.NO_SUCH_NAME
    assert dora.tell("/invite", channel="#club").code == Code.BAD_ARGUMENTS
    dora, eve = back(host)
    eve.do("/join #club")
    assert dora.tell("/invite eve", channel="#club").code == Code.ALREADY  # she is in
    eve.do("/leave", channel="#club")
    assert eve.tell("/join #club").code == Code.INVITE_ONLY


def test_uninvite(host: Host) -> None:
    """An invitation that is taken back opens nothing."""
    dora, eve = in_tea(host)
    eve.do("/leave #tea")
    dora.do("/set invite-only on", channel="#tea")
    dora.do("/invite eve", channel="#tea")
    look(dora)
    dora.do("/uninvite eve", channel="#tea")
    assert listed(dora.seen()) == [(INVITED_LIST, "eve", True)]
    assert dora.tell("/uninvite eve", channel="#tea").code == Code.ALREADY
    assert dora.tell("/uninvite", channel="#tea").code == Code.BAD_ARGUMENTS
    dora, eve = back(host)
    assert eve.tell("/join #tea").code == Code.INVITE_ONLY


def test_voice(host: Host) -> None:
    """All see who has voice; CHANNEL has the role. It lasts."""
    dora, eve = in_tea(host)
    dora.do("/voice eve", channel="#tea")
    (event,) = [one for one in eve.seen() if isinstance(one, Event)]
    assert extra_number(event.extra, Extra.TARGET) == eve.welcome.person
    assert listed([event]) == [(Role.VOICE, "eve", False)]
    assert dora.tell("/voice eve", channel="#tea").code == Code.ALREADY
    assert dora.tell("/voice nobody", channel="#tea").code == Code.NO_SUCH_NAME
    assert dora.tell("/voice", channel="#tea").code == Code.BAD_ARGUMENTS
    dora, eve = back(host)
    assert described(eve).role == Role.VOICE
    assert {(one.name, one.role) for one in described(eve).members} >= {("eve", Role.VOICE)}


def test_unvoice(host: Host) -> None:
    """Who has lost its voice is a member like others."""
    dora, eve = in_tea(host)
    dora.do("/voice eve", channel="#tea")
    look(eve)
    dora.do("/unvoice eve", channel="#tea")
    assert listed(eve.seen()) == [(Role.VOICE, "eve", True)]
    assert dora.tell("/unvoice eve", channel="#tea").code == Code.ALREADY
    assert dora.tell("/unvoice", channel="#tea").code == Code.BAD_ARGUMENTS
    _, eve = back(host)
    assert described(eve).role == Role.MEMBER


def test_transfer(host: Host) -> None:
    """The other owns the channel, and who gave it away does not. It lasts."""
    dora, eve = in_tea(host)
    host.come("bob")
    assert dora.tell("/transfer bob", channel="#tea").code == Code.NO_SUCH_NAME  # he is not in
    assert dora.tell("/transfer", channel="#tea").code == Code.BAD_ARGUMENTS
    assert dora.tell("/transfer dora", channel="#tea").code == Code.ALREADY
    dora.do("/transfer eve", channel="#tea")
    assert listed(eve.seen()) == [(Role.OWNER, "eve", False), (Role.OWNER, "dora", True)]
    assert dora.tell("/close", channel="#tea").code == Code.NEED_ROLE
    dora, eve = back(host)
    assert (described(dora).role, described(eve).role) == (Role.MEMBER, Role.OWNER)


def test_move(host: Host) -> None:
    """The place goes on under another name; lines to the old one are refused. It lasts."""
    dora, eve = in_tea(host)
    dora.do("/move #Coffee", channel="#tea")
    assert dora.rows == ["#tea", "#coffee"]
    assert told(eve.seen()) == [(EventKind.MOVED, "dora", "#coffee")]
    refused, said = eve.say("#tea", "late"), eve.say("#coffee", "hi")
    assert isinstance(refused, Answer) and refused.code == Code.NOT_IN
    assert isinstance(said, Event) and said.place == 2
    assert dora.tell("/move #general", channel="#coffee").code == Code.NAME_TAKEN
    assert dora.tell("/move #coffee", channel="#coffee").code == Code.ALREADY
    assert dora.tell("/move", channel="#coffee").code == Code.BAD_ARGUMENTS
    assert dora.tell("/move coffee", channel="#coffee").code == Code.BAD_NAME
    dora, eve = back(host)
    assert described(eve, "#coffee").place == 2
    eve.do("/join #tea")
    assert eve.rows == ["#tea", 3, "new"]


def test_close(host: Host) -> None:
    """All see CLOSED and nothing after it; a later channel of that name is another place. It lasts."""
    dora, eve = in_tea(host)
    phone = host.login("dora")
    look(phone)
    dora.do("/close tidying up", channel="#tea")
    for person in (dora, eve, phone):
        assert told(person.seen()) == [(EventKind.CLOSED, "dora", "tidying up")]
    assert dora.tell("/close", channel="#tea").code == Code.NO_SUCH_CHANNEL
    dora, eve = back(host)
    assert {one.name for one in eve.packets if isinstance(one, Channel)} == {"#general"}
    eve.do("/join #tea")
    assert eve.rows == ["#tea", 3, "new"] and dora.tell("/topic #tea x").code == Code.NOT_IN


# --- memberships --------------------------------------------------------------------------------------------


def test_a_channel_of_guests_ends_with_its_last_member(host: Host) -> None:
    """Who founds it anew owns another place; one that an account owns goes on, also without members."""
    dora, eve, bob = host.account("dora"), host.come("eve"), host.come("bob")
    for person, name in ((eve, "#guests"), (bob, "#guests"), (dora, "#dora"), (eve, "#left")):
        person.do(f"/join {name}")
    eve.do("/leave #left")
    eve.leave()
    bob.leave()
    dora.do("/leave #dora")
    dora.do("/channels")
    assert [row[0] for row in dora.rows] == ["#general", "#dora"]
    host.restart()
    dora = host.login("dora")
    dora.do("/join #guests")
    assert dora.rows == ["#guests", 5, "new"]


def test_an_account_stays_in_its_channels(host: Host) -> None:
    """While its owner is out it is shown as not here; it comes back to all its channels."""
    dora, eve = in_tea(host)
    seq = dora.say("#tea", "brb")
    assert isinstance(seq, Event)
    dora.leave()
    assert told(eve.seen())[-1] == (QUIT, "dora", "")
    assert eve.do("/who #tea").words == "/who #tea: 1 here, 1 not here\n  eve\n  not here: dora"
    eve.say("#tea", "meanwhile")
    for _ in range(2):
        dora = host.login("dora")
        assert {one.name for one in dora.packets if isinstance(one, Channel)} == {"#general", "#tea"}
        dora.leave()
        if _ == 0:
            assert told(eve.seen())[-2:] == [(JOINED, "dora", ""), (QUIT, "dora", "")]
            host.restart()


def test_nothing_from_before_in_the_same_round(host: Host) -> None:
    """However many lines fly: who joins gets those behind its JOINED, who leaves those before its LEFT."""
    (dora, _), bob = in_tea(host), host.come("bob")
    for number in range(30):
        dora.say("#tea", str(number))
        bob.do("/join #tea" if number % 2 == 0 else "/leave #tea")
    events = [one for one in bob.seen() if isinstance(one, Event) and one.place == 2]
    assert [one.text for one in events if one.kind is SAID] == [str(number) for number in range(1, 30, 2)]
