"""Makes `version-2.db` beside it: the history of a server whose file format was version 2.

It runs the real server of that version, so it has to be started in a checkout of it:

    git worktree add ../version-2 5534ae5
    cd ../version-2
    PYTHONPATH=. python ../chatroom/tests/server/files/make_version_2.py

The story: ann and Zoé talk in #general, bob in #quiet, dora in both. bob and dora leave with a goodbye.
The server is killed and started again. anna says something, also a long text. Then the server is killed again
while its members are in.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from chatroom.packets import NO_IDENTITY, Admit, Bye, Live, Say
from tests.end_to_end.programs import ServerProcess
from tests.support.peer import Peer

TARGET = Path(__file__).with_name("version-2.db")


def talk(peer: Peer, channel: str, first: int, texts: list[str]) -> None:
    """Say lines and wait until the server has stored them."""
    peer.send(*(Say(id, channel, text) for id, text in enumerate(texts, first)))
    peer.said(len(texts))


def enter_two(address: str, name: str, channels: tuple[str, ...]) -> Peer:
    """A member of several channels."""
    peer = Peer.connect(address)
    peer.ask(name)
    offer = peer.take_port()
    peer.close()
    peer = Peer.connect(address, offer.number)
    peer.send(Admit(name, offer.ticket, channels, 0, 0, NO_IDENTITY, 0))
    peer.receive_until(lambda packet: isinstance(packet, Live))
    return peer


def leave(peer: Peer) -> None:
    """Say goodbye, and wait until the server has answered."""
    peer.send(Bye(False, 0, "done"))
    peer.rest()
    peer.close()


def first_life(address: str) -> None:
    ann = Peer.enter(address, "ann")
    talk(ann, "#general", 1, ["hello", "two\nlines", "Grüße \U0001f600"])
    bob = Peer.enter(address, "bob", channel="#quiet")
    talk(bob, "#quiet", 100, ["is anybody here?"])
    dora = enter_two(address, "dora", ("#general", "#quiet"))
    talk(dora, "#quiet", 2**40, ["I am", "and in the other channel, too"])
    talk(dora, "#general", 2**41, ["hello from both"])
    leave(dora)
    leave(bob)
    zoe = Peer.enter(address, "Zoé")
    talk(zoe, "#general", 7, [f"z {number}" for number in range(100)])
    talk(ann, "#general", 4, [f"a {number}" for number in range(8)])


def second_life(address: str) -> None:
    ann = Peer.enter(address, "anna")
    talk(ann, "#general", 1, ["again", "long " * 2000, "short"])
    leave(enter_two(address, "dora2", ("#general", "#quiet")))
    talk(ann, "#general", 4, ["the end"])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        for life in (first_life, second_life):
            server = ServerProcess(Path(folder) / "log", "--data", str(path))
            try:
                life(f"127.0.0.1:{server.port}")
            finally:
                server.kill()
        with sqlite3.connect(path) as database:  # copies what the killed server left in the WAL
            (mode,) = database.execute("PRAGMA journal_mode = DELETE").fetchone()
            assert mode == "delete"
        database.close()
        TARGET.write_bytes(path.read_bytes())


if __name__ == "__main__":
    main()
