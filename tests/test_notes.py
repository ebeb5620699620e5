"""The notes match the code: all names in them exist, and they list every lock and thread."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(ROOT.glob("notes/**/*.md"))
THREADS = (ROOT / "notes" / "threads.md").read_text()
MODULES = [
    path for package in ("chatroom", "server", "client", "views") for path in (ROOT / package).rglob("*.py")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_notes_name_exists(page: Path) -> None:
    """Every file and folder that a page names exists, and so does a class or function named after it."""
    text = page.read_text()
    for name in re.findall(r"`((?:chatroom|server|client|views|tests|notes)/[\w./*-]*)`", text):
        assert list(ROOT.glob(name.rstrip("/"))), f"{page.name} names {name}"
    for path, name in re.findall(r"`((?:chatroom|server|client|views)/[\w/]+\.py)`: `([A-Za-z_]+)", text):
        assert re.search(rf"\b(class|def) {name}\b|^ *{name}\b.*=", (ROOT / path).read_text(), re.M), (
            f"{page.name} names {name} in {path}"
        )


def _nodes(path: Path, words: str) -> Iterator[ast.AST]:
    """The nodes of a file that has one of these words; to parse all files takes long."""
    text = path.read_text()
    if re.search(words, text):
        yield from ast.walk(ast.parse(text))


def classes_with_locks() -> Iterator[tuple[str, str]]:
    """File and name of each class that makes a lock."""
    for path in MODULES:
        for node in _nodes(path, r"\b(Lock|Condition)\b"):
            if not isinstance(node, ast.ClassDef):
                continue
            calls = [ast.unparse(call) for call in ast.walk(node) if isinstance(call, ast.Call)]
            if {"Lock()", "threading.Lock()", "Condition()", "threading.Condition()"} & set(calls):
                yield path.relative_to(ROOT).as_posix(), node.name


def test_every_lock_is_listed() -> None:
    """notes/threads.md lists every class that has a lock."""
    table = THREADS.split("## The locks")[1].split("\n## ")[0]
    found = list(classes_with_locks())
    assert len(found) > 10
    for path, name in found:
        assert re.search(rf"^\| `{path}`: .*`{name}`", table, re.M), f"{name} of {path} has a lock"


def test_every_lock_says_what_it_guards() -> None:
    """Above each lock stands a sentence that says what it guards."""
    for path in MODULES:
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if re.search(r"= (threading\.)?Lock\(\)$", line):
                above = "\n".join(lines[max(0, number - 4) : number])
                assert re.search(r"# Guards", above), f"{path}, line {number + 1}"


def _begin(name: ast.expr) -> str:
    """The beginning of a name that is written in the code; empty when the name is a variable."""
    first = name.values[0] if isinstance(name, ast.JoinedStr) else name
    return str(first.value).strip() if isinstance(first, ast.Constant) else ""


def test_every_thread_is_listed() -> None:
    """notes/threads.md lists every name that the program gives to a thread."""
    given = set()
    for path in MODULES:
        for node in _nodes(path, r"spawn|Thread\b"):
            if not isinstance(node, ast.Call):
                continue
            callee = ast.unparse(node.func).rpartition(".")[2].lstrip("_")
            names = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
            if callee in ("spawn", "spawn_vital") and len(node.args) > 1:
                names.append(node.args[1])
            if callee in ("spawn", "spawn_vital", "Thread"):
                given |= {_begin(name) for name in names} - {""}
    assert len(given) > 8
    for name in given:
        assert re.search(rf"^\| {re.escape(name)}", THREADS, re.M), (
            f"the thread {name!r} is not in notes/threads.md"
        )


def test_every_decision_is_in_the_index() -> None:
    """The list of decisions has every page, under its number."""
    folder = ROOT / "notes" / "decisions"
    listed = re.findall(r"^(\d+)\. \[.+\]\((.+)\)$", (folder / "README.md").read_text(), re.M)
    assert [name for _, name in listed] == sorted(page.name for page in folder.glob("0*.md"))
    assert all(int(number) == int(name[:4]) for number, name in listed)
