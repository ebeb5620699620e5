"""The owner's code: told to the one who runs the server, and to nobody else."""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from unittest import mock

import pytest

from chatroom.errors import ConfigError
from server.owner_code import CodePlace, make_code, offer_ownership

CODE = "ABCD-EFGH-IJKL-MNOP"


@contextmanager
def terminal() -> Iterator[TextIO]:
    """stderr is a terminal in this block; gives what it shows."""
    shown, stderr = os.openpty()
    with open(stderr, "w") as writer, open(shown) as reader, mock.patch.object(sys, "stderr", writer):
        yield reader


def test_each_code_is_another_one() -> None:
    codes = {make_code() for _ in range(100)}
    assert len(codes) == 100
    assert all(re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", code) for code in codes)


def test_without_a_terminal_it_is_in_a_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Only the server's user can read the file; the log says where it is, and nothing has the code itself."""
    caplog.set_level(logging.DEBUG)
    CodePlace(str(tmp_path / "chat.db")).tell(CODE, "to own it")
    file = tmp_path / "chat.db.code"
    assert file.read_text() == f"{CODE}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    out, err = capfd.readouterr()
    assert (out, err) == ("", "") and caplog.messages == [f"= to own it: the code is in {file}"]
    assert CODE not in caplog.text


def test_at_a_terminal_it_is_in_no_file(tmp_path: Path) -> None:
    """The terminal shows it once, and an older file goes."""
    (tmp_path / "chat.db.code").write_text("old")
    with terminal() as shown:
        CodePlace(str(tmp_path / "chat.db")).tell(CODE, "to own it")
        assert (shown.readline(), shown.readline()) == ("to own it:\n", f"    {CODE}\n")
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_replaced_as_a_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that others could read, a link, and what a killed start has left are replaced, not written."""
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "chat.db.code").symlink_to(target)
    (tmp_path / "chat.db.code.new").symlink_to(target)
    place = CodePlace(str(tmp_path / "chat.db"))
    for code in (CODE, CODE[::-1]):
        place.tell(code, "to own it")
        file = tmp_path / "chat.db.code"
        assert not file.is_symlink() and file.read_text() == f"{code}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        os.chmod(file, 0o644)
    assert target.read_text() == "mine" and not (tmp_path / "chat.db.code.new").exists()
    capfd.readouterr()


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """One clear line, without the code."""
    with pytest.raises(ConfigError) as error:
        CodePlace(str(tmp_path / "missing" / "chat.db")).tell(CODE, "to own it")
    assert "chat.db.code: No such file or directory" in str(error.value) and CODE not in str(error.value)


def test_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file and without a terminal there is no place; also when stderr is closed."""
    assert not CodePlace(":memory:").possible
    monkeypatch.setattr(sys, "stderr", None)
    assert not CodePlace(":memory:").possible
    assert CodePlace("chat.db").possible


def test_a_terminal_is_a_place() -> None:
    with terminal():
        assert CodePlace(":memory:").possible


def test_clear_removes_the_file(tmp_path: Path) -> None:
    """Also when there is none, or none can be."""
    place = CodePlace(str(tmp_path / "chat.db"))
    place.clear()
    (tmp_path / "chat.db.code").write_text("old")
    place.clear()
    assert not (tmp_path / "chat.db.code").exists()
    CodePlace(":memory:").clear()


class FakeChatroom:
    """Takes ownership as the test says. asked: what it was asked for."""

    def __init__(self, answer: bool | Exception = True) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def own(self, name: str, code: str, until: int, timeout: float) -> bool:
        self.asked.append((name, code))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def offer(chatroom: FakeChatroom, owner: str, place: CodePlace) -> None:
    offer_ownership(chatroom, owner, place)  # type: ignore[arg-type]


@pytest.mark.parametrize("owner", ["", "Dora"])
def test_what_is_told_is_what_was_proposed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, owner: str
) -> None:
    """The line says what to do with the code."""
    caplog.set_level(logging.INFO)
    chatroom = FakeChatroom()
    offer(chatroom, owner, CodePlace(str(tmp_path / "chat.db")))
    ((name, code),) = chatroom.asked
    assert name == owner and (tmp_path / "chat.db.code").read_text() == f"{code}\n"
    assert (f"/recover {owner};" if owner else "/register, then /owner:") in caplog.text


def test_there_is_an_owner(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Then nothing is told, and an old code is removed."""
    (tmp_path / "chat.db.code").write_text("old")
    offer(FakeChatroom(False), "", CodePlace(str(tmp_path / "chat.db")))
    assert list(tmp_path.iterdir()) == [] and capfd.readouterr().err == ""


def test_without_a_place_no_code_is_made() -> None:
    """A server without a file and without a terminal has no owner; with --owner it does not start."""
    chatroom = FakeChatroom()
    offer(chatroom, "", CodePlace(":memory:"))
    with pytest.raises(ConfigError, match="--owner needs"):
        offer(chatroom, "Dora", CodePlace(":memory:"))
    assert chatroom.asked == []


def test_a_disk_that_is_full_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server starts without a code, and says so."""
    offer(FakeChatroom(TimeoutError()), "Dora", CodePlace(str(tmp_path / "chat.db")))
    assert "there is no owner's code" in caplog.text and list(tmp_path.iterdir()) == []
