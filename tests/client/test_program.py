"""client/program.py"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.errors import ConnectionLost
from client import as_program
from tests.client.pseudo_terminal import ROOT


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a traceback, without control characters; exit code 1."""
    with pytest.raises(SystemExit) as left, as_program():
        raise ConnectionLost("the server\x1b[31m is away")
    assert left.value.code == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "is away" in error and "\x1b" not in error


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is not ignored, as it is in whatever a shell starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_signals(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is no surprise and says nothing; SIGTERM says so."""
    for number, code, words in ((signal.SIGINT, 130, ""), (signal.SIGTERM, 143, "SIGTERM")):
        with pytest.raises(SystemExit) as left, as_program():
            os.kill(os.getpid(), number)
        assert left.value.code == code
        error = capsys.readouterr().err
        assert words in error and bool(error) == bool(words)


def test_other_errors_are_bugs() -> None:
    """They have their traceback."""
    with pytest.raises(ZeroDivisionError), as_program():
        print(1 / 0)


def test_a_bot_may_be_called_views(tmp_path: Path) -> None:
    """Python takes the folder of the bot's file first: its own views.py must not stand in for a package."""
    bot = tmp_path / "views.py"
    bot.write_text("from client import Client, as_program\nprint(Client.__name__, __name__)\n")
    run = subprocess.run(
        [sys.executable, bot], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("Client __main__\n", "")
