"""notes/tour.md: an hour, stop by stop; its commands print what it shows, and the code it names exists."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.patience import PROGRAM_PATIENCE

ROOT = Path(__file__).resolve().parent.parent
TOUR = (ROOT / "notes" / "tour.md").read_text()
STOPS = dict(re.findall(r"^## (\d+\. [^\n]*)\n(.*?)(?=^## )", TOUR, re.M | re.S))
PROGRAMS = {
    "chatroom-server": f"{sys.executable} -m server",
    "chatroom-client": f"{sys.executable} -m client",
    "python": sys.executable,
}


def test_it_is_an_hour() -> None:
    """The table has every stop, in order and without a gap, and ends after 60 minutes."""
    rows = re.findall(r"^\| (\d+)–(\d+) \| (.*) \|$", TOUR, re.M)
    assert [stop for _, _, stop in rows] == list(STOPS) and len(STOPS) > 9
    assert [int(begin) for begin, _, _ in rows] == [0, *(int(end) for _, end, _ in rows[:-1])]
    assert rows[-1][1] == "60"


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_a_stop(stop: str) -> None:
    """A stop says where to look and what to see there, and has one thing to try, with what it prints."""
    parts = [stop.find(part) for part in ("**Look at** ", "**See:** ", "**Try:** ", "```sh\n", "```text\n")]
    assert parts == sorted(parts) and parts[0] == 1
    assert stop.count("```") == 4


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_what_it_looks_at_exists(stop: str) -> None:
    """Every function and class that is named behind a file is in it, and every stop names some."""
    looked_at = stop.partition("**Look at** ")[2].partition("**See:**")[0]
    found = re.findall(r"`(\w+/[\w/]+\.py)`: (?:[a-z ]*)((?:`\w+`(?:, then |, its |, | and )?)+)", looked_at)
    assert found
    for path, names in found:
        text = (ROOT / path).read_text()
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"\b(class|def) {name}\b|^{name}\b.*=", text, re.M), f"no {name} in {path}"


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_a_server_is_the_readers_own(stop: str) -> None:
    """A stop that starts a server takes a free port for it, and shows its log when it does not run."""
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", stop, re.M | re.S)
    servers = commands.count("chatroom-server")
    assert (
        commands.count("--port $port")
        == servers
        == len(re.findall(r"^kill .*\|\| cat log\.txt", commands, re.M))
    )
    assert commands.startswith("port=$(python -c ") is bool(servers)


@pytest.mark.slow
@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_the_commands_print_what_the_page_shows(stop: str, tmp_path: Path) -> None:
    """What a stop gives to try prints, but for numbers, what the page shows."""
    commands, shown = re.findall(r"^```\w+\n(.*?)^```$", stop, re.M | re.S)
    assert without_numbers(run(commands, tmp_path)) == without_numbers(shown)


def without_numbers(text: str) -> str:
    """The text; times and sizes differ from run to run."""
    return re.sub(r"\d+", "0", text)


def run(commands: str, folder: Path) -> str:
    """What these commands print, in a copy of the top folder."""
    for name in ("chatroom", "server", "client", "views", "tests"):
        (folder / name).symlink_to(ROOT / name)
    commands = re.sub(rf"(?<![\w-])({'|'.join(PROGRAMS)})(?= )", lambda found: PROGRAMS[found[1]], commands)
    with subprocess.Popen(
        ["bash", "-c", commands],
        cwd=folder,
        env=os.environ | {"TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            printed, _ = shell.communicate(timeout=2 * PROGRAM_PATIENCE)
        finally:  # a server that the commands have started and not ended
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0
    return printed
