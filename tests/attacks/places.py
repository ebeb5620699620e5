"""Attacks with channels, messages that change, and what was said before. Each attacker has an address."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

from chatroom.events import Event, Extra, extra_row
from chatroom.limits import MAX_CHANNELS, MAX_TEXT, TEXT_PART
from chatroom.packets import Answer, Command, Form, Packet, Say, encode
from tests.attacks.fairness import storm
from tests.attacks.memory import come, push
from tests.support.peer import Peer

ATTACKERS = 8
CROWD = 90
"""Members of the channel that is stormed, beside the attackers."""

FOUNDERS = 20
SEARCHERS = 24

MARKS = "a" + "\u0300\u0323" * ((MAX_TEXT - 1) // 4)
"""The longest pile of marks that a line can be."""


def piles_of_marks(port: int, seconds: float) -> None:
    """Lines of 64 KiB of marks, three each second, which the index of the search has to read."""
    peer = _enter(port, "marks", 2)
    end = time.monotonic() + seconds
    for id in itertools.count(1):
        if time.monotonic() > end:
            return
        storm([], [peer], lambda: iter(()), 0.3)
        peer.socket.setblocking(True)
        peer.send(Say(id, "#general", MARKS))


def lists_of_channels(port: int, seconds: float) -> None:
    """Some found a thousand channels with long topics; then all ask for the list, again and again."""
    peers = [_enter(port, f"founder{n}", 2 + n) for n in range(FOUNDERS)]
    for number, peer in enumerate(peers):
        _join_many(peer, [f"#c{number}x{n}" for n in range(MAX_CHANNELS - 1)])
    _all_say(peers, lambda _: itertools.repeat(encode(Command(1, "#general", "/channels")) * 100), seconds)


def edits(port: int, seconds: float) -> None:
    """Each edits one of its long lines as often as the server takes it, and reacts to those of the others."""
    peers = [_enter(port, f"editor{n}", 2 + n) for n in range(ATTACKERS)]
    seqs = []
    for peer in peers:
        peer.send(Say(1, "#general", "x" * TEXT_PART))
        seqs.append(_back(peer, 1).seq)

    def changes(number: int) -> Iterator[bytes]:
        for id in itertools.count(2, 2):
            row, other = (
                extra_row(Extra.MESSAGE, seqs[number]),
                extra_row(Extra.MESSAGE, seqs[id % len(seqs)]),
            )
            yield encode(Say(id, "#general", f"{id}" * 600, Form.EDIT, row)) + encode(
                Say(id + 1, "#general", "+1", Form.REACT, other)
            )

    _all_say(peers, changes, seconds)


def names_and_absences(port: int, seconds: float) -> None:
    """Each is in fifty channels, and takes another name, goes away and comes back without a pause."""
    peers = [_enter(port, f"nick{n}", 2 + n) for n in range(ATTACKERS)]
    for peer in peers:
        _join_many(peer, [f"#s{n}" for n in range(MAX_CHANNELS - 1)])

    def changes(number: int) -> Iterator[bytes]:
        for turn in itertools.count():
            texts = (f"/nick nick{number}x{turn % 9}", f"/away {'z' * 180}{turn % 9}", "/back")
            yield b"".join(encode(Command(1, "#general", text)) for text in texts)

    _all_say(peers, changes, seconds)


def joins_and_leavings(port: int, seconds: float) -> None:
    """Each joins and leaves a channel of ninety others, whose list comes each time, without a pause."""
    crowd = [_enter(port, f"crowd{n}", 2) for n in range(CROWD)]
    peers = [_enter(port, f"comer{n}", 3 + n) for n in range(ATTACKERS)]
    turns = encode(Command(1, "#general", "/join #storm")) + encode(Command(2, "#storm", "/leave bye"))
    for peer in crowd:
        _join_many(peer, ["#storm"])
    _all_say(peers, lambda _: itertools.repeat(turns * 50), seconds, crowd)


def unread_pages(port: int, seconds: float) -> None:
    """Sixteen ask for pages of 256 KiB of long lines, and read nothing."""
    talker = _enter(port, "talker", 2)
    for id in range(1, 65):
        talker.send(Say(id, "#general", "y" * 8000))
        _back(talker, id)
    peers = [come(port, f"deaf{n}", 3 + n) for n in range(2 * ATTACKERS)]
    push(peers, [encode(Command(1, "#general", "/history 500")) * 50], seconds)


def searches(port: int, seconds: float) -> None:
    """From two dozen addresses: words that are in no line, and in many, over lines in many scripts."""
    talker = _enter(port, "talker", 2)
    text = "Привет, это длинная строка о ничём: ëïöü ガス 考试 " * 20
    for first in range(1, 2001, 100):
        talker.send(*[Say(id, "#general", f"{text}{id}") for id in range(first, first + 100)])
        _back(talker, first + 99)
    peers = [_enter(port, f"seeker{n}", 3 + n) for n in range(SEARCHERS)]
    texts = (
        "/grep строка nothing",
        "/grep строка о это длинная",
        "/grep from:talker 考试 gone",
        "/context 5 250",
    )
    asking = b"".join(encode(Command(1, "#general", text)) for text in texts)
    _all_say(peers, lambda _: itertools.repeat(asking), seconds)


def whispers(port: int, seconds: float) -> None:
    """Each begins a conversation with each other one, and all say lines there without a pause."""
    peers = [_enter(port, f"whisper{n}", 2 + n) for n in range(2 * ATTACKERS)]
    persons = [peer.welcome.person for peer in peers]

    def lines(number: int) -> Iterator[bytes]:
        for id in itertools.count(1):
            row = extra_row(Extra.RECEIVER, persons[id % len(persons)], 4)
            yield encode(Say(id, "@them", "psst", Form.SAY, row))

    _all_say(peers, lines, seconds)


# --- parts --------------------------------------------------------------------------------------------------


def _enter(port: int, name: str, host: int) -> Peer:
    return Peer.come_in(port, name, source=f"127.0.0.{host}")


def _join_many(peer: Peer, names: list[str]) -> None:
    """Join all of these, and wait until the last one has been answered."""
    peer.send(*[Command(number, "#general", f"/join {name}") for number, name in enumerate(names, 1)])
    peer.receive_until(lambda packet: _answers(packet, len(names)))


def _back(peer: Peer, id: int) -> Event:
    """Read until the peer's own line with this id has come back."""
    found = peer.receive_until(
        lambda p: isinstance(p, Event) and (p.person, p.id) == (peer.welcome.person, id)
    )
    assert isinstance(found, Event)
    return found


def _answers(packet: Packet, id: int) -> bool:
    return isinstance(packet, Answer) and packet.id == id


def _all_say(
    peers: list[Peer],
    flood: Callable[[int], Iterator[bytes]],
    seconds: float,
    readers: list[Peer] | None = None,
) -> None:
    """Each sends what `flood` gives for its number, and reads what comes."""
    numbers = itertools.count()
    storm(peers, readers or [], lambda: flood(next(numbers)), seconds)


PLACES: dict[str, Callable[[int, float], None]] = {
    "piles-of-marks": piles_of_marks,
    "lists-of-channels": lists_of_channels,
    "edits": edits,
    "names-and-absences": names_and_absences,
    "joins-and-leavings": joins_and_leavings,
    "unread-pages": unread_pages,
    "searches": searches,
    "whispers": whispers,
}
