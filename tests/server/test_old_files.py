"""Files that servers of earlier versions have written: each opens, and people go on with it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.packets import Packet, Say
from server.__main__ import main
from server.history_tool import check
from server.schema import SCHEMA
from tests.end_to_end.in_process import running
from tests.server.histories import execute
from tests.support.peer import Peer

FILES = Path(__file__).parent / "files"
SUMS = {
    "version-1.db": "4119fe5725afc6e5bfba58bb994b854acd4976d4732d3555a27c5d285217f43f",
    "version-2.db": "0e401875060b3ef3dcd5314fb2dd891526eec3bd1ab1f1fc660a4eb9c8c74b2e",
    "version-3-first.db": "ac2d531c70876559ae3e241a48c0d44120a81c676b4f0722d1fe80ea46001ac0",
    "version-3.db": "1861600ea94d1c182ff16f9a41f934011f713220090afebdfb8aba2262fb554d",
}
"""SHA-256 of each file. A file is never made anew: what it shows is what that version did write."""
EVENTS = {"version-1.db": 267, "version-2.db": 123, "version-3-first.db": 131, "version-3.db": 161}


def test_the_files_are_as_they_were() -> None:
    """No file was edited, none is missing from the list, and each version of the format has one."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FILES.glob("*.db")}
    assert found == SUMS
    assert {int(name[len("version-") :].split("-")[0].split(".")[0]) for name in SUMS} == set(
        range(1, SCHEMA + 1)
    )


@pytest.mark.parametrize("name", sorted(SUMS))
def test_a_server_goes_on_with_it(tmp_path: Path, name: str) -> None:
    """The server opens it; a newcomer sees what was said, and talks; the file is sound before and after."""
    path = Path(shutil.copy(FILES / name, tmp_path / "history.db"))
    before = check(path)
    assert before.sound and before.events == EVENTS[name]
    replayed: list[Packet] = []
    with running(data=str(path)) as app, Peer.come_in(app.address, "newcomer", 0, 300, replayed) as peer:
        lines = [one.text for one in replayed if isinstance(one, Event) and one.kind is EventKind.SAID]
        assert lines[0] == "hello" and any("😀" in line for line in lines)
        peer.send(Say(1, "#general", "hello from the present"))
        said = peer.receive_until(lambda one: isinstance(one, Event) and one.kind is EventKind.SAID)
        assert said.text == "hello from the present"  # before it perhaps that a poll is open
    after = check(path)
    assert after.sound and f"schema {SCHEMA}, " in after.lines[0]
    assert after.events > before.events


def test_a_newer_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that meets a file of a later version says so in one line, and changes nothing."""
    path = Path(shutil.copy(FILES / "version-3.db", tmp_path / "history.db"))
    execute(path, f"PRAGMA user_version = {SCHEMA + 1}")
    before = path.read_bytes()
    for options in (["--data", str(path), "--port", "0"], ["--check", str(path)], ["--export", str(path)]):
        assert main(options) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1
        assert f"was written by a newer version of this program: its schema is {SCHEMA + 1}" in err
    assert main(["--data", str(path), "--backup", str(tmp_path / "copy.db")]) == 1
    assert path.read_bytes() == before
