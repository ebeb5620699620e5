"""The fingerprints of trusted servers: kept safely, and never forgotten silently."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from client.data_folder import locked
from client.known_servers import KnownServers
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def test_the_first_one_is_remembered(tmp_path: Path) -> None:
    """The first fingerprint of a server is kept, in a file for its user only; no later one replaces it."""
    path = tmp_path / "folder" / "known_servers.json"
    known = KnownServers(path)
    assert known.remember("chat:5050", "AA") is None
    assert known.remember("chat:5050", "BB") == "AA"
    assert known.remember("chat:5051", "BB") is None
    assert KnownServers(path).remember("chat:5050", "AA") == "AA"
    assert json.loads(path.read_text()) == {"version": 1, "servers": {"chat:5050": "AA", "chat:5051": "BB"}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_one_is_forgotten(tmp_path: Path) -> None:
    """Then the next one is trusted; the other servers stay."""
    known = KnownServers(tmp_path / "known_servers.json")
    assert known.forget("chat:5050") is None and not known.path.exists()
    known.remember("chat:5050", "AA"), known.remember("chat:5051", "CC")
    assert known.forget("chat:5050") == "AA"
    assert known.remember("chat:5050", "BB") is None
    assert known.remember("chat:5051", "DD") == "CC"


def test_the_users_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path, the file is in the user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert KnownServers().path == tmp_path / "chatroom" / "known_servers.json"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert KnownServers().path == tmp_path / ".local" / "share" / "chatroom" / "known_servers.json"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "nonsense", '{"version": 2, "servers": {}}', '{"version": 1, "servers": {"a": 1}}', "\x80"],
)
def test_a_damaged_file_is_no_empty_one(tmp_path: Path, text: str) -> None:
    """A file that cannot be understood is an error: else every server would be trusted anew."""
    path = tmp_path / "known_servers.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match="damaged"):
        KnownServers(path).remember("chat:5050", "AA")
    assert path.read_bytes() == text.encode("latin-1")


@given(data=st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever the file holds, only ConfigError comes."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(data)
    with pytest.raises(ConfigError):
        KnownServers(path).remember("chat:5050", "AA")


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Without a place for the file nothing is trusted: one line says why."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot use"):
        KnownServers(tmp_path / "file" / "known_servers.json").remember("chat:5050", "AA")


def test_a_program_that_keeps_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was stopped while it writes is not waited for without end; nothing is trusted then."""
    monkeypatch.setattr("client.data_folder.LOCK_SECONDS", 0.02)
    with locked(tmp_path), pytest.raises(ConfigError, match="another program"):
        KnownServers(tmp_path / "known_servers.json").remember("chat:5050", "AA")


def test_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that meet their servers at the same time forget none."""
    monkeypatch.setattr("client.data_folder.LOCK_SECONDS", PATIENCE)
    path = tmp_path / "known_servers.json"
    tasks = [Task(lambda n=number: KnownServers(path).remember(f"chat:{n}", "AA")) for number in range(16)]  # type: ignore[misc]
    assert [task.result() for task in tasks] == [None] * 16
    assert len(json.loads(path.read_text())["servers"]) == 16
