"""What a stranger learns of a hidden channel and of a direct conversation, over a connection: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.events import Event, Extra, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Command, Form, Packet, Say
from tests.end_to_end.in_process import port_of, running
from tests.support.peer import Peer

SECRETS = ("plan-a", "plan-b", "plan-c", "plan-d", "secret-topic", "psst", "sesame")
"""What was said in #den, its topic, and its key; and what was said to one person."""


@pytest.fixture
def port() -> Iterator[int]:
    with running() as app:
        yield port_of(app)


def give(peer: Peer, id: int, text: str, channel: str = "#general") -> Answer:
    """The answer to a command."""
    peer.send(Command(id, channel, text))
    found = peer.receive_until(lambda packet: isinstance(packet, Answer) and packet.id == id)
    assert isinstance(found, Answer)
    return found


def say(peer: Peer, id: int, text: str, channel: str, form: int = 0, extra: bytes = b"") -> int:
    """Say it, and wait until it has come back, or was refused; its seq."""
    peer.send(Say(id, channel, text, form, extra))
    person = peer.welcome.person

    def is_settled(packet: Packet) -> bool:
        if isinstance(packet, Answer):
            return packet.id == id
        return isinstance(packet, Event) and (packet.person, packet.id) == (person, id)

    found = peer.receive_until(is_settled)
    return found.seq if isinstance(found, Event) else 0


def probe(eve: Peer, seqs: list[int], places: range) -> None:
    """Everything that a stranger can ask for, about a channel, its messages and all places."""
    about = ["/who", "/topic", "/topic x", "/set", "/set moderated on", "/invite eve", "/uninvite eve"]
    about += ["/voice eve", "/transfer eve", "/leave", "/close", "/join", "/join word", "/move #mine"]
    texts = [text.replace(" ", " #den ", 1) if " " in text else f"{text} #den" for text in about]
    texts += [*about, "/history in:#den", "/grep plan in:#den", "/grep plan", "/grep psst", "/grep from:ann"]
    texts += ["/history 500", "/grep psst in:@ann", "/seen bob", "/whois ann", "/query bob", "/channels"]
    texts += [f"/history in:{place}" for place in places] + [f"/grep plan in:{place}" for place in places]
    texts += [f"/context {seq} 9" for seq in seqs]
    for id, text in enumerate(texts, 1):
        give(eve, id, text, "#general" if "#den" in text else "#den")
    id = 1000
    for seq in seqs:
        for form, words in ((Form.EDIT, "mine"), (Form.DELETE, ""), (Form.REACT, "+1")):
            for channel in ("#den", "#general", "@ann"):
                id += 1
                assert say(eve, id, words, channel, form, extra_row(Extra.MESSAGE, seq)) == 0, (seq, form)
        id += 1
        say(eve, id, "hm", "#general", Form.SAY, extra_row(Extra.REPLY_TO, seq))
    say(eve, id + 1, "let me in", "#den")


def assert_told_nothing(eve: Peer) -> None:
    told = "\n".join(map(repr, eve.packets))
    for secret in SECRETS:
        assert secret not in told, secret


def test_of_a_hidden_channel_and_of_others_conversations(port: int) -> None:
    """Nothing that was said, no topic, no member, by no command and no form; and nothing is changed."""
    with Peer.enter(port, "ann") as ann, Peer.enter(port, "bob") as bob, Peer.enter(port, "eve") as eve:
        give(ann, 1, "/join #den")
        give(ann, 2, "/set invite-only on", "#den")
        give(ann, 3, "/topic secret-topic", "#den")
        seqs = [say(ann, 1, "plan-a", "#den"), say(ann, 2, "plan-b", "#den")]
        give(ann, 4, "/invite bob", "#den")
        give(bob, 1, "/join #den")
        say(ann, 3, "plan-c", "#den", Form.EDIT, extra_row(Extra.MESSAGE, seqs[1]))
        receiver = extra_row(Extra.RECEIVER, bob.welcome.person, 4)
        seqs.append(say(ann, 4, "psst", "@bob", Form.SAY, receiver))
        probe(eve, list(range(1, max(seqs) + 1)), range(7))
        assert "#den" not in repr(give(eve, 5000, "/channels"))
        say(ann, 5, "so long", "#general")
        assert_told_nothing(eve)
        pages = give(bob, 2, "/history", "#den"), give(bob, 3, "/history in:@ann")
        assert [page.code for page in pages] == [Code.OK] * 2
        heard = repr(bob.packets)
        assert all(word in heard for word in ("plan-a", "plan-c", "psst", "secret-topic"))
        assert "mine" not in heard and "plan-b" not in heard.split("plan-c")[-1]


def test_who_has_left_and_who_comes_later(port: int) -> None:
    """Who has left gets nothing that came after, by no search; who joins a channel of that name that was
    founded again, or one that shows no past, nothing that came before."""
    with Peer.enter(port, "ann") as ann, Peer.enter(port, "eve") as eve:
        for peer in (ann, eve):
            give(peer, 1, "/join #den")
        give(eve, 2, "/leave", "#den")
        seqs = [say(ann, 1, "plan-a", "#den")]
        give(ann, 3, "/set history joined", "#den")
        seqs.append(say(ann, 2, "plan-b", "#den"))
        probe(eve, [], range(5))
        give(eve, 9000, "/join #den")
        for id, text in enumerate(("/history 500", "/grep plan", "/grep from:ann"), 9001):
            give(eve, id, text, "#den")
        for id, seq in enumerate(seqs, 9010):
            assert give(eve, id, f"/context {seq} 9", "#den").code == Code.NO_SUCH_MESSAGE
        assert_told_nothing(eve)
        give(ann, 5, "/close", "#den")
        give(eve, 9020, "/join #den")
        for id, text in enumerate(("/history 500", "/grep plan", f"/history in:{2}"), 9021):
            give(eve, id, text, "#den")
        assert_told_nothing(eve)
