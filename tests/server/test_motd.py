"""server/motd.py"""

from __future__ import annotations

import io
import os
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from chatroom.limits import MOTD_BYTES, MOTD_LINES
from chatroom.packets import Info, encode
from server.motd import read_motd
from tests.chatroom.test_printable import HARMFUL


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Welcome!\n", "Welcome!"),
        (b"\n\nOne  \r\n\r\ntwo\n\n", "One\n\ntwo"),
        ("\ufeffGrüße\t漢字".encode(), "Grüße    漢字"),
        (b"\x1b[2J\x9b", None),
        (b"a\x1b[2Jb\x00", "a␛[2Jb␀"),
        (b"", ""),
    ],
)
def test_a_message(data: bytes, text: str | None, tmp_path: Path) -> None:
    """It is made printable, and has no blank lines around it."""
    path = tmp_path / "motd"
    path.write_bytes(data)
    if text is None:
        with pytest.raises(ConfigError, match="not in UTF-8"):
            read_motd(path)
    else:
        assert read_motd(path) == text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x" * (MOTD_BYTES + 1), f"is longer than {MOTD_BYTES} bytes"),
        (b"\t" * MOTD_BYTES + b"x", f"is longer than {MOTD_BYTES} bytes"),
        (b"x\n" * MOTD_LINES + b"x", f"has more than {MOTD_LINES} lines"),
    ],
)
def test_a_message_that_is_too_long(data: bytes, why: str, tmp_path: Path) -> None:
    """It is refused: nobody would know where it was cut."""
    path = tmp_path / "motd"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=why) as wrong:
        read_motd(path)
    assert "\n" not in str(wrong.value)


def test_a_message_that_is_not_there(tmp_path: Path) -> None:
    """One line says so."""
    with pytest.raises(ConfigError, match=r"cannot read the message of the day .*: No such file"):
        read_motd(tmp_path / "motd")


def test_a_message_that_is_no_file(tmp_path: Path) -> None:
    """Nobody waits for a pipe: while the main thread waited, no signal would end the server."""
    path = tmp_path / "motd"
    os.mkfifo(path)
    for one in (path, tmp_path):
        with pytest.raises(ConfigError, match=r"cannot read the message of the day .*: it is no file"):
            read_motd(one)


@given(st.binary(max_size=200))
def test_any_file(data: bytes) -> None:
    """Whatever the file holds, what is sent is harmless and fits into one packet."""

    path = mock.Mock(open=lambda mode: io.BytesIO(data))
    try:
        text = read_motd(path)
    except ConfigError:
        return
    assert not HARMFUL & set(text) - {"\n"}
    encode(Info(text))
