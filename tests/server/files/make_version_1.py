"""Makes `version-1.db` beside it: the history of a server whose file format was version 1.

It runs the real server of that version, so it has to be started in a checkout of it:

    git worktree add ../version-1 b67bef7
    cd ../version-1
    PYTHONPATH=. python ../chatroom/tests/server/files/make_version_1.py

The story: ann and Zoé talk in #general, bob in #quiet. bob leaves with a goodbye, comes back as a new client
and leaves again; carl only looks in. The server is killed while ann and Zoé are in. Together they make a few
more events than a span has (256).
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from chatroom.packets import Bye, Say
from tests.end_to_end.programs import ServerProcess
from tests.support.peer import Peer

TARGET = Path(__file__).with_name("version-1.db")


def talk(peer: Peer, channel: str, first: int, texts: list[str]) -> None:
    """Say lines and wait until the server has stored them."""
    peer.send(*(Say(id, channel, text) for id, text in enumerate(texts, first)))
    peer.said(len(texts))


def leave(peer: Peer, channel: str) -> None:
    """Say goodbye, and wait until the server has answered."""
    peer.send(Bye(False, f"done with {channel}"))
    peer.rest()
    peer.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        server = ServerProcess(Path(folder) / "log", "--data", str(path))
        try:
            address = f"127.0.0.1:{server.port}"
            ann = Peer.enter(address, "ann")
            talk(ann, "#general", 1, ["hello", "two\nlines", "Grüße \U0001f600"])
            bob = Peer.enter(address, "bob", channel="#quiet")
            talk(bob, "#quiet", 100, ["is anybody here?"])
            leave(bob, "#quiet")
            zoe = Peer.enter(address, "Zoé")
            talk(zoe, "#general", 2**40, [f"z {number}" for number in range(245)])
            bob = Peer.enter(address, "bob", channel="#quiet")
            talk(bob, "#quiet", 7, ["still nobody", "bye"])
            leave(bob, "#quiet")
            leave(Peer.enter(address, "carl"), "#general")
            talk(ann, "#general", 4, [f"a {number}" for number in range(8)])
        finally:
            server.kill()
        with sqlite3.connect(path) as database:  # copies what the killed server left in the WAL
            (mode,) = database.execute("PRAGMA journal_mode = DELETE").fetchone()
            assert mode == "delete"
        database.close()
        TARGET.write_bytes(path.read_bytes())


if __name__ == "__main__":
    main()
