"""No password, token or code is anywhere in clear: not in the log, an entry, a record, or a file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

import chatroom.chatroom
from chatroom.limits import GUESSES
from chatroom.packets import Command, Say
from tests.end_to_end.test_accounts import Host
from tests.support.person import Person, by_password, by_token
from tests.support.recorder import FileOrder, read_entries

pytestmark = pytest.mark.usefixtures("cheap_hashes")

FIRST, SECOND, THIRD = "secret-one-12", "secret-two-34", "sécret three 56"
WRONG, MISTYPED = "secret-four-78", "secret-five-90"


class Storm:
    """A server, and all that can be done with secrets.

    secrets: all of them, as text and as bytes, however they may be written
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.entries = folder / "entries"
        self._orders: list[FileOrder] = []
        monkeypatch.setitem(vars(chatroom.chatroom), "WaitingQueue", self._order)
        self.host = Host(folder / "chat.db")
        self.secrets: list[bytes] = []
        for password in (FIRST, SECOND, THIRD, WRONG, MISTYPED):
            self.note(password)

    def _order(self) -> FileOrder:
        self._orders.append(FileOrder(self.entries))
        return self._orders[-1]

    def note(self, text: str) -> None:
        self.secrets += [text.encode(), quote(text, safe="").encode()]

    def note_bytes(self, data: bytes) -> None:
        self.secrets += [data, data.hex().encode(), repr(data).encode()]

    def note_code(self, code: str) -> None:
        self.note(code.strip())
        self.note(code.strip().replace("-", ""))

    def note_session(self, person: Person) -> Person:
        self.note_bytes(person.welcome.token)
        return person

    def blow(self) -> None:
        """Everything that has a secret: right, wrong, mistyped, refused, and too often."""
        host = self.host
        code = host.code_file.read_text()
        self.note_code(code)
        owner = self.note_session(host.owner("owner"))
        dora = self.note_session(host.account("dora", FIRST))
        dora.do("/device laptop")
        token = dora.rows[0][2]
        self.note_bytes(bytes.fromhex(token))
        self.note_session(host.come("dora", by_token(bytes.fromhex(token))))
        host.refused("dora", by_token(WRONG.encode()))
        for name in ("dora", "nobody", MISTYPED):
            for _ in range(GUESSES + 1):
                host.refused(name, by_password(WRONG), source="127.0.0.7")
        dora.do("/passwd", FIRST, SECOND)
        for command in (f"/passwd {WRONG} {THIRD}", f"/register {WRONG}", f"/unregister {WRONG}"):
            dora.tell(command)
        for text in (f"/pasword {MISTYPED} {THIRD}", f"{MISTYPED}", f"/recover dora {MISTYPED} {THIRD}"):
            dora.tell(text)
        owner.do("/code dora")
        recovery = owner.rows[0][2]
        self.note_code(recovery)
        guest = self.note_session(host.come("guest"))
        guest.do(f"/recover dora {recovery}", THIRD)
        guest.tell("/owner", code)
        self.note_session(host.login("dora", THIRD)).do("/unregister", THIRD)
        guest.send(Command(1, "x" * 200, f"/register {MISTYPED}"))
        guest.tell("/who")

    def stop(self) -> None:
        self.host.stop()
        for order in self._orders:
            order.finish()

    def found_in(self, data: bytes) -> list[bytes]:
        return [secret for secret in self.secrets if secret in data]


@pytest.fixture
def storm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Storm]:
    caplog.set_level(logging.DEBUG)
    storm = Storm(tmp_path, monkeypatch)
    yield storm
    storm.stop()


def test_no_secret_in_clear(
    storm: Storm, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A search for every password, token and code, while the server runs and after its end."""
    storm.blow()
    assert len(storm.secrets) > 30
    assert (storm.folder / "chat.db-wal").stat().st_size > 0
    for moment in ("running", "stopped"):
        if moment == "stopped":
            storm.host.stop()
        for path in storm.folder.iterdir():
            data = path.read_bytes()
            found = storm.found_in(data)
            if path == storm.host.code_file:
                found = [secret for secret in found if secret not in data.split()]
            assert not found, f"{path.name}, {moment}: {found}"
    out, err = capfd.readouterr()
    assert not storm.found_in((caplog.text + out + err).encode(errors="surrogateescape"))
    assert "wrong name or password" in caplog.text
    entries = list(read_entries(storm.entries))
    assert len(entries) > 20
    for entry in entries:
        assert not storm.found_in(repr(entry).encode())


def test_the_search_can_fail(storm: Storm) -> None:
    """It finds what is there: a line that was said has its text in the entries and in the file."""
    guest, said = storm.host.come("eve"), "what everybody may read"
    guest.send(Say(99, "#general", said))
    guest.said(1)
    assert said.encode() in storm.entries.read_bytes()
    assert said.encode() in (storm.folder / "chat.db-wal").read_bytes()
    assert storm.found_in(f"x{WRONG}y".encode())
