"""client/password_file.py"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from chatroom.errors import ConfigError
from client.limits import PASSWORD_FILE_BYTES
from client.password_file import read_password


def file_of(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "password"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"two words \r\nanother line\n", "two words "),
        ("grün\n".encode(), "grün"),
    ],
)
def test_the_first_line(tmp_path: Path, content: bytes, password: str) -> None:
    """Without its line end; blanks belong to it, and other lines do not count."""
    assert read_password(file_of(tmp_path, content)) == password


@pytest.mark.parametrize(
    "content", [b"", b"\nsecret", b"\xff\xfe", b"x" * (PASSWORD_FILE_BYTES - 1) + b"\xc3\xa9"]
)
def test_what_is_no_password(tmp_path: Path, content: bytes) -> None:
    """One line with the name of the file and without its content."""
    with pytest.raises(ConfigError, match="is no password") as refused:
        read_password(file_of(tmp_path, content))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
def test_a_file_of_others(tmp_path: Path, mode: int) -> None:
    """Who else may read or write it knows the password, or says which it is."""
    with pytest.raises(ConfigError, match="chmod 600"):
        read_password(file_of(tmp_path, b"secret", mode))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """What the system says, in one line."""
    with pytest.raises(ConfigError, match="no such file"):
        read_password(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="is a directory"):
        read_password(tmp_path)


def test_a_pipe(tmp_path: Path) -> None:
    """A password manager may write it into a pipe, as in `--password-file <(pass show chat)`."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    writer = threading.Thread(target=path.write_bytes, args=(b"secret\n",))
    writer.start()
    assert read_password(path) == "secret"
    writer.join()
