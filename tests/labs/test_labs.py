"""Each lab's program shows its bug; its check accepts the cure, and refuses what only seems to be one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from notes.labs.catalogue import Lab, find
from tests.labs.cures import RIGHT, WRONG, Cure, Wrong
from tests.labs.files import LABS, STAGE, changed, solution
from tests.labs.more_cures import MORE_RIGHT, MORE_WRONG
from tests.support.patience import PROGRAM_PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
TIMES = 3

pytestmark = pytest.mark.slow


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Python, in the top folder; killed in the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def said_by(program: subprocess.Popen[str]) -> str:
    """What a program has printed, in the end."""
    out, err = program.communicate(timeout=PROGRAM_PATIENCE)
    assert program.returncode == 0 and not err, err
    return out


def verdicts(lab: Lab, files: list[Path], seconds: float = PROGRAM_PATIENCE) -> list[str]:
    """What the check says of each file; empty: passed."""
    with started("-m", "tests.labs.judge", lab.number, str(seconds), *files) as judge:
        said: list[str] = json.loads(said_by(judge))
    assert len(said) == len(files)
    return said


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_the_bug_shows(lab: Lab) -> None:
    """The program shows its bug each time, and says so in its last line."""
    with ExitStack() as running:
        programs = [running.enter_context(started(lab.program)) for _ in range(TIMES)]
        for program in programs:
            assert said_by(program).splitlines()[-1].startswith("bug: ")


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_the_cure_cures(lab: Lab, tmp_path: Path) -> None:
    """The check accepts the solution each time."""
    cured = tmp_path / "cured.py"
    cured.write_text(solution(lab))
    assert verdicts(lab, [cured] * TIMES) == [""] * TIMES


OTHERS: dict[str, list[Cure | Wrong]] = {name: [*WRONG[name], *RIGHT.get(name, [])] for name in LABS}
MORE: dict[str, list[Cure | Wrong]] = {
    f"{name}, more": [*MORE_WRONG.get(name, []), *MORE_RIGHT.get(name, [])]
    for name in LABS
    if name in MORE_WRONG or name in MORE_RIGHT
}


@pytest.mark.parametrize("name", [*OTHERS, *MORE])
def test_other_cures(name: str, tmp_path: Path) -> None:
    """The check refuses every wrong cure, for the right reason, and accepts others that are right."""
    lab, cures = LABS[name.partition(",")[0]], {**OTHERS, **MORE}[name]
    files = []
    for number, cure in enumerate(cures):
        files.append(tmp_path / f"cure{number}.py")
        files[-1].write_text(changed(lab, cure))
    for cure, words in zip(cures, verdicts(lab, files), strict=True):
        if isinstance(cure, Wrong):
            said = cure.says in words or (cure.or_says and cure.or_says in words)
            assert said, f"{cure.idea}: {words or 'passed'}"
        else:
            assert not words, f"{cure.idea}: {words}"


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_the_program_is_fine_when_it_is_cured(lab: Lab, tmp_path: Path) -> None:
    """The program with the solution in it says that all is fine."""
    cured = tmp_path / "cured.py"
    cured.write_text(solution(lab))
    with started(cured) as program:
        assert said_by(program).splitlines()[-1].startswith("fine: ")


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_a_program_is_short(lab: Lab) -> None:
    """A program has less than a hundred lines, needs only the standard library, and has one stage."""
    text = lab.program.read_text()
    assert len(text.splitlines()) < 100
    assert text.count(STAGE) == 1
    assert "from notes" not in text and "import notes" not in text


def test_every_lab_has_its_files() -> None:
    """The labs are numbered without a gap, and each has a page, a check, a solution and wrong cures."""
    assert [lab.number for lab in LABS.values()] == [f"{number:02}" for number in range(1, len(LABS) + 1)]
    for lab in LABS.values():
        assert (lab.folder / "README.md").is_file()
        assert (lab.folder.parent / "checks" / f"{lab.name}.py").is_file()
        assert solution(lab) and WRONG[lab.name]
    assert find("4") == find("04")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def join(:\n", "line 1: this is not Python"),
        ("import nothing_of_this_name\n", "the file cannot be loaded: ModuleNotFoundError"),
        ("def join(client):\n    1 / 0\n\n\nleave = broadcast = join\n", "ZeroDivisionError"),
        ("leave = broadcast = print\n", "the file has no join() any more"),
        ("def join(client):\n    client.close()\n\n\nleave = broadcast = join\n", "fails"),
        (
            "def join(client):\n    while True:\n        pass\n\n\nleave = broadcast = join\n",
            "the file runs in line",
        ),
    ],
    ids=["no Python", "not loaded", "fails", "without join", "closes", "for ever"],
)
def test_a_broken_file(text: str, says: str, tmp_path: Path) -> None:
    """A file that cannot be checked gets a clear line, not a traceback."""
    file = tmp_path / "my_file.py"
    file.write_text(text)
    (words,) = verdicts(find("03"), [file], seconds=0.5)
    assert says in words and "Traceback" not in words


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("99", "my_file.py"), "there is no lab 99"),
        (("03", "no_such_file.py"), "there is no file no_such_file.py"),
        (("03",), "usage:"),
    ],
    ids=["lab", "file", "arguments"],
)
def test_wrong_arguments(arguments: tuple[str, ...], says: str) -> None:
    """Wrong arguments get one line on stderr and the exit code 2."""
    with started("-m", "notes.labs.check", *arguments) as program:
        out, err = program.communicate(timeout=PROGRAM_PATIENCE)
    assert (program.returncode, out, len(err.splitlines())) == (2, "", 1)
    assert says in err
