"""Makes `version-3-first.db` and `version-3.db` beside it: of servers whose file format was version 3.

It runs the real server of a checkout. The first one is of a day when nobody had an account yet:

    git worktree add ../version-3-first 21178cd
    cd ../version-3-first
    PYTHONPATH=. python ../chatroom/tests/server/files/make_version_3.py version-3-first.db

The second one is of a day when there were accounts, moderation and the classroom (6977d32):

    PYTHONPATH=. python ../chatroom/tests/server/files/make_version_3.py version-3.db

The story: that of make_version_2.py. Then, in the second file: dora owns the chatroom, and emil has an
account. There is a second channel with a topic. A line is edited and reacted to, another is deleted. A poll
is open. emil is away, then muted; of two guests one is kicked, one banned. The server is killed while dora is
in, with two programs.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from pathlib import Path

import make_version_2

from tests.end_to_end.programs import ServerProcess

FOLDER = Path(__file__).parent
PASSWORD = "correct horse"


def third_life(address: str, code: str) -> None:
    from chatroom.events import Extra, extra_row
    from chatroom.packets import Credential, Form, Say
    from tests.support.person import Person

    dora, emil = Person.come(address, "Dora"), Person.come(address, "emil")
    for person in (dora, emil):
        person.do("/register", PASSWORD)
    dora.do("/owner", code)
    dora.do("/op emil")
    dora.do("/join #tea")
    dora.say("#tea", "milk?")
    dora.do("/topic green tea", channel="#tea")
    wrong, bad = dora.say("#general", "worng"), dora.say("#general", "to be deleted")
    for seq, form, text in (
        (wrong.seq, Form.EDIT, "right"),
        (bad.seq, Form.DELETE, ""),
        (wrong.seq, Form.REACT, "!"),
    ):
        extra = extra_row(Extra.MESSAGE, seq)
        dora.send(Say(next(dora._ids), "#general", text, form, extra))
    emil.do("/query dora")
    dora.do("/poll tea or coffee? | tea | coffee")
    emil.do("/vote 1")
    emil.do("/away lunch")
    for name in ("troll", "rowdy"):
        Person.come(address, name).say("#general", "spam")
    for command in ("/mute emil", "/kick troll", "/ban rowdy"):
        dora.do(command)
    again = Person.come(address, "Dora", ((Credential.PASSWORD, PASSWORD.encode()),))
    again.say("#general", "with a second program")


def main() -> None:
    target = FOLDER / sys.argv[1]
    lives = [make_version_2.first_life, make_version_2.second_life]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        for number in range(3 if target.name == "version-3.db" else 2):
            server = ServerProcess(Path(folder) / "log", "--data", str(path))
            try:
                address = f"127.0.0.1:{server.port}"
                if number < 2:
                    lives[number](address)
                else:
                    third_life(address, path.with_name("history.db.code").read_text().strip())
            finally:
                server.kill()
        with sqlite3.connect(path) as database:  # copies what the killed server left in the WAL
            (mode,) = database.execute("PRAGMA journal_mode = DELETE").fetchone()
            assert mode == "delete"
        database.close()
        target.write_bytes(path.read_bytes())


if __name__ == "__main__":
    main()
