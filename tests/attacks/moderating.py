"""Attacks with moderation and the classroom, by members who own a channel. Each attacker has an address."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from chatroom.packets import Answer, Command, Packet, encode
from tests.attacks.fairness import storm
from tests.support.peer import Peer

ATTACKERS = 8
CROWD = 60
LISTED = 900
"""Names that each bans in a channel of its own."""


def lists_of_bans(port: int, seconds: float) -> None:
    """Each bans hundreds of names in its channel, with long reasons; then all ask for the lists."""
    peers = _owners(port)
    for number, peer in enumerate(peers):
        _do(peer, f"#own{number}", [f"/ban nobody{n} {'y' * 250}" for n in range(LISTED)])
    texts = ("/bans", "/unban somebody", "/bans", "/unban +somebody")
    _storm(peers, texts, seconds)


def networks_banned(port: int, seconds: float) -> None:
    """Each bans the networks of the crowd in its channel, which is there, and takes that back."""
    peers, crowd = _owners(port), _crowd(port)
    texts = [f"{command} +crowd{n}" for n in range(CROWD) for command in ("/ban", "/unban")]
    _storm(peers, texts, seconds, readers=crowd)


def kicks(port: int, seconds: float) -> None:
    """Each kicks the crowd out of its channel; all of it comes again at once."""
    peers, crowd = _owners(port), _crowd(port)
    texts = [f"/kick crowd{n} {'y' * 250}" for n in range(CROWD)]
    joins = [f"/join #own{n}" for n in range(ATTACKERS)]
    _storm(peers, texts, seconds, crowd, joins)


def hands_and_votes(port: int, seconds: float) -> None:
    """Polls are opened and revealed, the next is called, while the crowd raises hands and votes."""
    peers, crowd = _owners(port), _crowd(port)
    texts = [
        f"/poll {'q' * 300} | {'a' * 90} | {'b' * 90} | c",
        "/next",
        "/reveal",
        "/hush",
        "/hush off",
        "/hands",
    ]
    votes = ["/vote 1", "/hand", "/vote 2", "/hand down", "/vote 3", "/poll", "/hands", "/ask why?"]
    _storm(peers, texts, seconds, crowd, votes)


def pages_of_the_trail(port: int, seconds: float) -> None:
    """Thousands of acts of each, and then each asks for its trail from the beginning, again and again."""
    peers = _owners(port)
    for number, peer in enumerate(peers):
        _do(peer, f"#own{number}", [f"/slow {n % 2 + 1}" for n in range(2000)])
    _storm(peers, ("/log 500", "/log 1 before:100", "/log 100 before:9000"), seconds)


# --- parts --------------------------------------------------------------------------------------------------


def _owners(port: int) -> list[Peer]:
    peers = [Peer.come_in(port, f"owner{n}", source=f"127.0.0.{2 + n}") for n in range(ATTACKERS)]
    for number, peer in enumerate(peers):
        _do(peer, "#general", [f"/join #own{number}"])
    return peers


def _crowd(port: int) -> list[Peer]:
    """Members who are in all channels of the owners."""
    peers = [Peer.come_in(port, f"crowd{n}", source=f"127.0.1.{2 + n}") for n in range(CROWD)]
    for peer in peers:
        _do(peer, "#general", [f"/join #own{n}" for n in range(ATTACKERS)])
    return peers


def _do(peer: Peer, channel: str, texts: list[str]) -> None:
    """Give commands, and wait for the answer to the last one."""
    peer.send(*[Command(id, channel, text) for id, text in enumerate(texts, 1)])
    peer.receive_until(lambda packet: _answers(packet, len(texts)))


def _answers(packet: Packet, id: int) -> bool:
    return isinstance(packet, Answer) and packet.id == id


def _storm(
    owners: list[Peer],
    texts: Sequence[str],
    seconds: float,
    crowd: Sequence[Peer] = (),
    theirs: Sequence[str] = (),
    readers: Sequence[Peer] = (),
) -> None:
    """Each owner gives all commands in its channel, again and again; the crowd does so in all channels."""
    numbers = itertools.count()

    def flood() -> Iterator[bytes]:
        number = next(numbers)
        if number < len(owners):
            return itertools.repeat(_all(f"#own{number}", texts))
        return itertools.cycle([_all(f"#own{n}", theirs) for n in range(ATTACKERS)])

    storm([*owners, *crowd], [*readers], flood, seconds)


def _all(channel: str, texts: Sequence[str]) -> bytes:
    return b"".join(encode(Command(1, channel, text)) for text in texts)


MODERATING: dict[str, Callable[[int, float], None]] = {
    "lists-of-bans": lists_of_bans,
    "networks-banned": networks_banned,
    "kicks": kicks,
    "hands-and-votes": hands_and_votes,
    "pages-of-the-trail": pages_of_the_trail,
}
