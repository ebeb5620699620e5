"""client/data_folder.py; test_tokens.py and test_known_servers.py look at it from above."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from chatroom.errors import ConfigError
from client.data_folder import data_folder, locked, replace


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In XDG_DATA_HOME if that is an absolute path, else below the home; nowhere without a home."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "chatroom"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder() == tmp_path / ".local" / "share" / "chatroom"

    def nowhere(_path: Path) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "expanduser", nowhere)
    assert data_folder() is None


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The lock makes the folder for its user only, and is free after an error. Nobody waits for long."""
    monkeypatch.setattr("client.data_folder.LOCK_SECONDS", 0.02)
    folder = tmp_path / "a" / "b"
    with pytest.raises(ZeroDivisionError), locked(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        raise ZeroDivisionError
    with locked(folder), pytest.raises(ConfigError, match="another program"), locked(folder):
        pass


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """The new one is for its user only; what a killed program has left does not matter."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.with_name("file.new").write_bytes(b"half")
    replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["file"]
