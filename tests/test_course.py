"""notes/course.md: its commands run, and its lessons use every lab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from client import Client
from tests.end_to_end.in_process import port_of, running
from tests.labs.files import LABS
from tests.support.patience import PROGRAM_PATIENCE

ROOT = Path(__file__).resolve().parent.parent
COURSE = (ROOT / "notes" / "course.md").read_text()
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", COURSE, re.M | re.S) for line in block.splitlines()
]


def test_lessons() -> None:
    """There are four lessons of 90 minutes, whose plans have no gap; each says what students get wrong."""
    lessons = re.split(r"^## Lesson \d: ", COURSE, flags=re.M)[1:]
    assert len(lessons) == 4
    for lesson in lessons:
        plan = [(int(begin), int(end)) for begin, end in re.findall(r"^\| (\d+)–(\d+) \|", lesson, re.M)]
        assert [begin for begin, _ in plan] == [0, *(end for _, end in plan[:-1])]
        assert plan[-1][1] == 90
        for part in ("Aim: ", "To show live: ", "What students get wrong:", "For home: "):
            assert part in lesson


def test_every_lab_has_its_place() -> None:
    """The lessons use every lab."""
    numbers = {lab.number for lab in LABS.values()}
    assert set(re.findall(r"[Ll]ab (\d\d)", COURSE)) == numbers


def test_the_programs_of_labs() -> None:
    """A command that is to be shown live is the program of a lab, whose page has a test, or the one below."""
    programs = {f"python3 {lab.program.relative_to(ROOT)}" for lab in LABS.values()}
    assert [command for command in COMMANDS if command not in programs] == COMMANDS[-1:]


def test_what_mallory_says() -> None:
    """The line that would clear a screen is said, and comes to the others as it was said."""
    command = COMMANDS[-1].replace(".venv/bin/chatroom-client", f"{sys.executable} -m client 127.0.0.1:$PORT")
    with running() as app, Client("127.0.0.1", port_of(app), name="bob") as bob:
        said = subprocess.run(
            command,
            shell=True,
            cwd=ROOT,
            env=os.environ | {"PORT": str(port_of(app))},
            capture_output=True,
            text=True,
            timeout=PROGRAM_PATIENCE,
        )
        assert said.returncode == 0, said.stderr
        texts = (event.text for event in bob if event.author == "mallory")
        assert "hello \033[2J\033[31mred" in texts
