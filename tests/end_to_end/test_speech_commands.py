"""Who may speak, over the wire: what each command does, whom it refuses, what others see, what lasts.

Everybody comes from an address of this machine: 127.0.0.1 and its neighbours.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.events import MUTE_LIST, Event, EventKind, Extra, Setting, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Form, Packet, Say
from server.history_export import export
from server.history_tool import check
from tests.end_to_end.host import Host
from tests.end_to_end.test_moderation import in_tea, look, rows_of, token, told
from tests.support.person import Person

pytestmark = pytest.mark.usefixtures("cheap_hashes")

FAR = "127.0.0.7"
SAID, SET, LISTED, QUIT, LEFT = (
    EventKind.SAID,
    EventKind.SET,
    EventKind.LISTED,
    EventKind.QUIT,
    EventKind.LEFT,
)


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


def refused(said: Event | Answer, code: Code) -> str:
    """The words with which a line was refused."""
    assert isinstance(said, Answer) and said.code == code, said
    return said.words


def is_said(said: Event | Answer) -> Event:
    assert isinstance(said, Event), said
    return said


def answered(person: Person, id: int) -> Event | Answer:
    """The event of a line, or why it was refused."""
    found = person.receive_until(lambda packet: isinstance(packet, Event | Answer) and packet.id == id)
    assert isinstance(found, Event | Answer)
    return found


def back(host: Host, *known: Person) -> tuple[Person, ...]:
    """dora after a restart, who logs in; and guests with their tokens."""
    names = [(person.welcome.name, person.welcome.token) for person in known]
    host.restart()
    found = [host.login("dora"), *(host.come(name, token=secret, source=FAR) for name, secret in names)]
    for person in found:
        person._ids = itertools.count(person.welcome.confirmed + 1)
    return tuple(found)


# --- who may ------------------------------------------------------------------------------------------------

GUARDED = {"/mute": " bob", "/unmute": " bob", "/slow": " 5", "/hush": "", "/log": ""}


@pytest.mark.parametrize("name", GUARDED)
def test_who_may_not_changes_nothing(host: Host, name: str) -> None:
    """A member without the role, one who is not in, and no channel that is; and nobody for the chatroom."""
    dora, eve, _ = in_tea(host)
    zoe, before = host.come("zoe"), host.records()
    command = name + GUARDED[name]
    assert eve.tell(command, channel="#tea").words == f"{name} needs the role operator"
    assert zoe.tell(command, channel="#tea").code == Code.NOT_IN
    assert zoe.tell(command, channel="#nowhere").code == Code.NO_SUCH_CHANNEL
    if name in ("/mute", "/unmute", "/log"):
        assert dora.tell(f"{name} *{GUARDED[name]}").code == Code.NEED_ROLE
    assert host.records() == before and not told(dora.seen()[1:])


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/mute", "usage: /mute [#CHANNEL|*] WHO [DURATION] [REASON]"),
        ("/mute ?", "? is no name, no +NAME and no network that is narrow enough"),
        ("/mute +nobody", "nobody is known here as nobody"),
        (
            "/mute 127.0.0.1",
            "127.0.0.1: your own network is in it; /guard accounts keeps guests out, wherever they come from",
        ),
        ("/unmute", "usage: /unmute [#CHANNEL|*] WHO"),
        ("/slow 4000", "usage: /slow [#CHANNEL] [SECONDS|off]"),
        ("/hush now", "usage: /hush [#CHANNEL] [off]"),
        ("/announce", "usage: /announce TEXT"),
        ("/log x", "usage: /log [#CHANNEL|*] [N] [before:SEQ]"),
    ],
)
def test_bad_arguments(host: Host, command: str, words: str) -> None:
    """Each tells what is wrong with it, or how it is written."""
    owner, before = host.owner(), host.records()
    assert owner.tell(command).words == words
    assert host.records() == before


# --- /mute, /unmute -----------------------------------------------------------------------------------------


def test_mute(host: Host) -> None:
    """All in the channel are told. The one that is muted reads on, and is told why nothing is said; elsewhere
    and alone with somebody they speak. It lasts over a restart, until it is taken back."""
    dora, eve, bob = in_tea(host)
    token(eve), look(dora, eve, bob)
    assert dora.do("/mute eve 2h too loud", channel="#tea").words.startswith("eve is muted in #tea until ")
    for person in (dora, eve, bob):
        seen = person.seen()
        assert told(seen) == [(LISTED, "dora", "too loud")]
        rows = rows_of(seen, LISTED)
        assert (rows[Extra.LIST], rows[Extra.TARGET_NAME]) == (bytes([MUTE_LIST]), b"eve")
        assert len(rows[Extra.UNTIL]) == 8
    assert dora.tell("/mute eve 2h too loud", channel="#tea").code in (Code.ALREADY, Code.OK)
    look(dora, eve, bob)
    words = refused(eve.say("#tea", "but"), Code.MUTED)
    assert words.startswith("not said: you are muted in #tea until ") and words.endswith(": too loud")
    assert eve.tell("/topic mine", channel="#tea").words == words.removeprefix("not said: ")
    assert eve.tell("/nick loud").code == eve.tell("/away shouting").code == Code.MUTED
    eve.do("/who #tea"), eve.do("/history", channel="#tea"), eve.do("/away")
    is_said(eve.say("#general", "here I may"))
    dora, eve = back(host, eve)
    assert refused(eve.say("#tea", "but"), Code.MUTED) == words
    is_said(dora.say("#tea", "now?"))
    assert dora.do("/unmute eve", channel="#tea").words == "eve is not muted in #tea any more"
    is_said(eve.say("#tea", "yes"))
    assert dora.tell("/unmute eve", channel="#tea").words == "eve is not muted in #tea"


def test_mute_everywhere(host: Host) -> None:
    """Nobody is told. Direct lines are refused, too, but operators of the chatroom can be asked for help; own
    lines can be taken back, and no reason is shown."""
    owner, (dora, eve, bob) = host.owner(), in_tea(host)
    line = is_said(eve.say("#tea", "oh no"))
    look(owner, dora, eve, bob)
    assert owner.do("/mute * eve").words.startswith("eve is muted in this chatroom; eve is a guest")
    assert not told(dora.seen()) and not told(eve.seen())
    assert refused(eve.say("#tea", "why"), Code.MUTED) == "not said: you are muted in this chatroom"
    for to, code in ((bob, Code.MUTED), (owner, None)):
        extra, id = extra_row(Extra.RECEIVER, to.welcome.person, 4), next(eve._ids)
        eve.send(Say(id, f"@{to.welcome.name}", "help", Form.SAY, extra))
        answer = answered(eve, id)
        assert (answer.code if isinstance(answer, Answer) else None) == code
    extra, id = extra_row(Extra.MESSAGE, line.seq), next(eve._ids)
    eve.send(Say(id, "#tea", "", Form.DELETE, extra))
    assert is_said(answered(eve, id)).kind is EventKind.DELETED
    look(dora)
    eve.do("/leave shouting", channel="#tea")
    assert told(dora.seen()) == [(LEFT, "eve", "")]
    assert owner.do("/unmute * eve").words == "eve is not muted in this chatroom any more"
    is_said(eve.say("#general", "thanks"))


def test_mute_a_network(host: Host) -> None:
    """+NAME means whoever comes from where the member is; nobody learns the address."""
    dora, _, bob = in_tea(host)
    dora.do("/mute +eve", channel="#tea")
    seen = bob.seen()
    assert rows_of(seen, LISTED)[Extra.WHOM] == b"+eve" or rows_of(seen, LISTED)[Extra.TARGET_NAME] == b"eve"
    assert FAR not in repr(seen)
    twin = host.come("twin", source=FAR)
    twin.do("/join #tea")
    refused(twin.say("#tea", "me too"), Code.MUTED)
    is_said(bob.say("#tea", "I may"))
    dora.do("/unmute +eve", channel="#tea")
    is_said(twin.say("#tea", "now I may"))


# --- /slow --------------------------------------------------------------------------------------------------


def test_slow(host: Host) -> None:
    """Each member says one line, and the others wait; who has a role does not. All are told; a restart keeps
    it, and who has just spoken."""
    dora, eve, bob = in_tea(host)
    assert dora.do("/slow 600", channel="#tea").words == "in #tea each member says one line in 600 s"
    for person in (dora, eve, bob):
        seen = person.seen()
        assert told(seen) == [(SET, "dora", "")]
        assert rows_of(seen, SET) == {Setting.SLOW: (600).to_bytes(2, "big")}
    is_said(eve.say("#tea", "one"))
    words = refused(eve.say("#tea", "two"), Code.SLOW_DOWN)
    assert words.startswith("not said: one at a time: again in ") and words.endswith(" s")
    assert eve.tell("/topic two", channel="#tea").code == Code.SLOW_DOWN
    is_said(bob.say("#tea", "one")), is_said(dora.say("#tea", "one")), is_said(dora.say("#tea", "two"))
    assert ["slow", "600"] in (dora.do("/set", channel="#tea"), dora.rows)[1]
    dora, eve = back(host, eve)
    refused(eve.say("#tea", "two"), Code.SLOW_DOWN)
    channel = next(one for one in eve.packets if isinstance(one, Channel) and one.name == "#tea")
    assert channel.settings & Setting.SLOW
    assert dora.do("/slow off", channel="#tea").words == "#tea is not slow"
    assert dora.do("/slow", channel="#tea").words == "#tea is not slow"
    assert dora.tell("/slow 0", channel="#tea").code == Code.ALREADY
    is_said(eve.say("#tea", "two")), is_said(eve.say("#tea", "three"))


# --- /hush --------------------------------------------------------------------------------------------------


def test_hush(host: Host) -> None:
    """Only who has a role speaks, until /hush off; the setting is the one of /set moderated."""
    dora, eve, bob = in_tea(host)
    assert dora.do("/hush", channel="#tea").words.startswith("only operators and who has the word may speak")
    assert told(eve.seen()) == [(SET, "dora", "")]
    dora.do("/voice bob", channel="#tea")
    assert "#tea is quiet now" in refused(eve.say("#tea", "hm"), Code.NEED_ROLE)
    is_said(bob.say("#tea", "I may"))
    assert eve.tell("/nick loud").words.startswith("a channel of yours is quiet now: /nick")
    assert ["moderated", "on"] in (dora.do("/set", channel="#tea"), dora.rows)[1]
    assert dora.tell("/hush", channel="#tea").code == Code.ALREADY
    token(eve)
    dora, eve = back(host, eve)
    refused(eve.say("#tea", "hm"), Code.NEED_ROLE)
    assert dora.do("/hush off", channel="#tea").words == "everybody may speak again"
    is_said(eve.say("#tea", "hm"))


def test_reasons_of_who_may_not_speak_are_blank(host: Host) -> None:
    """QUIT comes without a word of a member that a moderated channel silences."""
    dora, eve, _ = in_tea(host)
    dora.do("/hush", channel="#tea"), look(dora)
    eve.leave()
    assert told(dora.seen()) == [(QUIT, "eve", "")]


# --- /announce ----------------------------------------------------------------------------------------------


def test_announce(host: Host) -> None:
    """All get it, also who is not in a channel of the author and who comes back later."""
    owner, (dora, eve, _) = host.owner(), in_tea(host)
    assert dora.tell("/announce tea").words == "/announce needs the role operator"
    eve.say("#tea", "bye"), look(eve)
    assert owner.do("/announce the server stops at \x1bsix").words == "everybody is told"
    assert told(dora.seen())[-1] == (EventKind.ANNOUNCED, "owner1", "the server stops at ␛six")
    (event,) = [one for one in eve.seen() if isinstance(one, Event)]
    assert (event.place, event.channel) == (0, "")


# --- /log ---------------------------------------------------------------------------------------------------


def test_log(host: Host, tmp_path: Path) -> None:
    """Who has a role sees what was done: of a channel its operators, of all with where from the operators of
    the chatroom. Nobody gets it without asking, no search or export has it; a restart keeps it."""
    owner, (dora, _, _) = host.owner(), in_tea(host)
    dora.do("/mute eve loud", channel="#tea"), dora.do("/slow 5", channel="#tea")
    owner.do("/announce hear")
    in_channel = ["dora: founded #tea", "dora: /mute eve: loud", "dora: /slow 5"]
    dora.do("/log", channel="#tea")
    assert [f"{row[2]}: {row[4]}" for row in dora.rows] == in_channel and {row[5] for row in dora.rows} == {
        ""
    }
    owner.do("/log #tea")
    assert [f"{row[2]}: {row[4]}" for row in owner.rows] == in_channel
    words = owner.do("/log *").words
    assert [row[4] for row in owner.rows[-3:]] == ["/mute eve: loud", "/slow 5", "/announce hear"]
    assert {row[5] for row in owner.rows} == {"127.0.0.1"}
    assert " ".join(words.split()).endswith(" * owner1 from 127.0.0.1 /announce hear")
    owner.do("/log * 1")
    assert [row if isinstance(row, int) else row[4] for row in owner.rows] == [
        "/announce hear",
        owner.rows[0][0],
    ]
    every: list[Packet] = []
    host.restart()
    owner, dora = host.login("owner1"), host.login("dora")
    owner.do("/log * 2")
    assert [row[4] for row in owner.rows[:2]] == ["/slow 5", "/announce hear"]
    for person in (owner, dora):
        person.do("/history", channel="#general"), person.do("/grep hear"), person.do("/grep mute")
        every += person.packets
    assert not [one for one in every if isinstance(one, Event) and one.kind is EventKind.AUDITED]
    host.stop()
    for with_direct in (False, True):
        out = io.StringIO()
        export(host.data, out, with_direct)
        kinds = {json.loads(line)["kind"] for line in out.getvalue().splitlines()}
        assert "announced" in kinds and "audited" not in kinds
    assert check(host.data).sound
