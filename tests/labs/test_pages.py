"""The labs' pages: their commands do what they show, and the code that they show is that of the project."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notes.labs.catalogue import FOLDER, Lab
from tests.labs.files import LABS
from tests.support.patience import PROGRAM_PATIENCE

ROOT = Path(__file__).resolve().parent.parent.parent
INDEX = (FOLDER / "README.md").read_text()
SECTIONS = ["What you see", "Why", "Certain here, rare in real life", "The cure", "Exercise"]

every_lab = pytest.mark.parametrize("lab", LABS.values(), ids=LABS)


def page(lab: Lab) -> str:
    return (lab.folder / "README.md").read_text()


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """The code blocks of a page: language, text, and what stands above it in the page."""
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        yield found[1], found[2], text[: found.start()]


def run(commands: str, folder: Path) -> str:
    """What these commands print, in a copy of the top folder."""
    for name in ("notes", "tests"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return subprocess.run(
        re.sub(r"\bpython3?\b", sys.executable, commands),
        shell=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PROGRAM_PATIENCE,
        check=False,
    ).stdout


def without_numbers(text: str) -> str:
    """The text; counts and times differ from run to run."""
    return re.sub(r"\d+", "0", text)


@pytest.mark.slow
@every_lab
def test_the_commands_print_what_the_page_shows(lab: Lab, tmp_path: Path) -> None:
    """Every command prints, but for numbers, what the page shows; the unchanged file is refused."""
    found = [(language, text) for language, text, _ in blocks(page(lab)) if language in ("sh", "text")]
    assert [language for language, _ in found] == ["sh", "text", "sh", "text"]
    for (_, commands), (_, shown) in zip(found[::2], found[1::2], strict=True):
        assert without_numbers(run(commands, tmp_path)) == without_numbers(shown)
    assert found[1][1].splitlines()[-1].startswith("bug: ")
    assert found[3][1].startswith(f"lab {lab.number}: not yet: ")


@every_lab
def test_each_lab_has_a_copy_of_its_own(lab: Lab) -> None:
    """The copy that a page makes is not that of another lab, and git does not see it."""
    (commands,) = [text for language, text, _ in blocks(page(lab)) if "\ncp " in f"\n{text}"]
    copy = f"my_{lab.number}.py"
    assert commands == (
        f"cp {lab.program.relative_to(ROOT)} {copy}\npython3 -m notes.labs.check {lab.number} {copy}\n"
    )
    assert "my_[0-9][0-9].py" in (ROOT / ".gitignore").read_text().splitlines()


def test_each_question_has_its_answer() -> None:
    """Each page ends with a question that the check does not ask, and says where the answer is."""
    answers = INDEX.split("\n## Answers\n")[1]
    assert re.findall(r"^\| (\d\d) \|", answers, re.M) == [lab.number for lab in LABS.values()]
    for lab in LABS.values():
        assert re.search(r"\bThen \(\[answers\]\(\.\./README\.md#answers\)\): ", page(lab)), lab.number


@every_lab
def test_sections(lab: Lab) -> None:
    """A page says what you see, why, why so surely, the cure in both languages, and has an exercise."""
    assert re.findall(r"^## (.*)$", page(lab), re.M) == SECTIONS
    cure = page(lab).split("## The cure")[1].split("## Exercise")[0]
    assert "- In C++" in cure and "- In this project, " in cure and "```cpp" in cure
    assert page(lab).startswith(f"# Lab {lab.number}: ")


@every_lab
def test_the_code_is_living(lab: Lab) -> None:
    """Each piece of code on a page stands in a file that the text above it names."""
    for language, text, above in blocks(page(lab)):
        if language in ("cpp", "python"):
            suffix = "[ch]pp" if language == "cpp" else "py"
            names = re.findall(rf"`([\w/]+\.{suffix})`", above.rpartition("\n- ")[2])
            assert any(stands_in(text, ROOT / name) for name in names), (
                f"lab {lab.number}: this is not in {' or '.join(names)}:\n{text}"
            )


def stands_in(code: str, path: Path) -> bool:
    """Whether a file has these lines one after the other, but for the indentation."""
    lines = [line.strip() for line in code.splitlines()]
    there = [line.strip() for line in path.read_text().splitlines()]
    return any(there[at : at + len(lines)] == lines for at in range(len(there)))


@every_lab
def test_what_it_names_in_cpp_exists(lab: Lab) -> None:
    """A class or function that a page names behind a file of the twin is there."""
    for path, names in re.findall(r"`(notes/cpp/\w+\.[ch]pp)`: ((?:`[\w:]+`(?:, | and )?)+)", page(lab)):
        text = (ROOT / path).read_text()
        for name in re.findall(r"`([\w:]+)`", names):
            assert all(re.search(rf"\b{part}\b", text) for part in name.split("::")), f"{path}: {name}"


def test_the_index() -> None:
    """The labs' own page lists every lab, and what a hundred runs gave for each."""
    for lab in LABS.values():
        assert f"| [{lab.number}]({lab.folder.name}/README.md) |" in INDEX
        assert f"\n| {lab.number} | 100 of 100 |" in INDEX
    assert "notes/labs/README.md" in (ROOT / "README.md").read_text()


def test_the_commands_of_the_index(tmp_path: Path) -> None:
    """The commands on the labs' own page run."""
    (commands,) = (text for language, text, _ in blocks(INDEX) if language == "sh")
    said = run(commands, tmp_path)
    assert "bug: " in said and "lab 03: not yet: " in said
    assert (
        run("python -m tests.labs.hundred --times 1 01", tmp_path)
        .splitlines()[-1]
        .startswith("| 01 | 1 of 1 |")
    )
