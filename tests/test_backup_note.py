"""notes/backup.md: the lines for cron work as they are typed, for the service of notes/running.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.server.histories import lines, opened, store

ROOT = Path(__file__).resolve().parent.parent
NOTES = ROOT / "notes"
PROGRAM = "/opt/chatroom/bin/chatroom-server"
CONFIG = "/etc/chatroom/server.toml"
HOME = "/var/lib/chatroom"
BACKUPS = "/var/backups/chatroom"


def cron_lines() -> list[str]:
    """The commands of the note, as the shell of cron gets them."""
    found = re.findall(r"^    \d+ \d+ \* \* \*  (.*)$", (NOTES / "backup.md").read_text(), re.M)
    return [line.replace(r"\%", "%") for line in found]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], str]:
    """Runs a line as cron does on a machine of which `tmp_path` is the root; what it has logged."""
    log, tools = tmp_path / "log", tmp_path / "tools"
    tools.mkdir()
    for name, body in (("program", f'exec {sys.executable} -m server "$@"'), ("logger", f"exec cat >>{log}")):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    environment = {"HOME": f"{tmp_path}{HOME}", "PATH": f"{tools}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}

    def run(line: str) -> str:
        line = line.replace(PROGRAM, str(tools / "program")).replace(CONFIG, f"{tmp_path}{CONFIG}")
        line = line.replace(BACKUPS, f"{tmp_path}{BACKUPS}")
        done = subprocess.run(
            ["/bin/sh", "-c", line], env=environment, cwd="/", capture_output=True, text=True
        )
        assert (done.stdout, done.stderr) == ("", ""), "cron would send mail"
        return log.read_text() if log.exists() else ""

    return run


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder of the backups, as backup.md installs it; the service's history has ten lines."""
    etc, home, backups = (
        tmp_path / "etc" / "chatroom",
        Path(f"{tmp_path}{HOME}"),
        Path(f"{tmp_path}{BACKUPS}"),
    )
    for folder in (etc, home, backups):
        folder.mkdir(parents=True)
    options = (NOTES / "running" / "server.toml").read_text().replace(HOME, str(home))
    (etc / "server.toml").write_text(options)
    (etc / "motd.txt").write_text("Welcome.\n")
    with opened(home / "history.db") as history:
        store(history, lines(1, 10))
    return backups


def test_the_lines_for_cron(installed: Path, run: Callable[[str], str]) -> None:
    """One makes a backup of the service's history, and says so in the log; one removes what is old."""
    make, tidy = cron_lines()
    assert "10 events" in run(make)
    made = installed / f"chat-{date.today()}.db"
    assert made.exists()
    run(tidy)
    assert made.exists()
    os.utime(made, (0, 0))
    run(tidy)
    assert not made.exists()


def test_a_backup_that_fails_is_logged(installed: Path, run: Callable[[str], str]) -> None:
    """Nobody reads the mail of cron."""
    installed.rmdir()
    assert "there is no folder" in run(cron_lines()[0])


def test_the_note_and_the_unit_agree() -> None:
    """The paths are those of the unit and of the options."""
    assert f"ExecStart={PROGRAM} --config {CONFIG}\n" in (NOTES / "running" / "chatroom.service").read_text()
    assert f"--home-dir {HOME} " in (NOTES / "running.md").read_text()
    assert f"{PROGRAM} --config {CONFIG} --backup" in cron_lines()[0]
    for note in ("backup.md", "running.md"):
        assert f"0700 {BACKUPS}\n" in (NOTES / note).read_text()
