"""Cuts pieces of the living code into a page of the notes, C++ left, Python right.

python -m tests.cut notes/porting.md

A page has marks, each a comment in one line, and the pieces below it up to the next `<!-- end -->`:

    <!-- cut: notes/cpp/queue.hpp take | chatroom/queue.py WaitingQueue.take -->

A piece is a file and a definition in it: a function, a class, an assignment; in Python with its class before
it, and in C++ as it is written where its body stands. `FILE 8 from TEXT` is the 8 lines that begin with the
one that has this text. Several pieces of one side, with `;` between them, stand one below the other.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

_MARK: Final = re.compile(r"^<!-- cut: (.+?) \| (.+?) -->\n(.*?)^<!-- end -->\n", re.M | re.S)
_BEGIN: Final = re.compile(r"^<!-- cut:", re.M)
_LINES: Final = re.compile(r"(\S+) (\d+) from (.+)")
_FENCES: Final = {".cpp": "cpp", ".hpp": "cpp", ".py": "python"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the pages that the command line names; 1 if a piece is not in its file."""
    names = sys.argv[1:] if arguments is None else arguments
    if not names:
        print("cut: which page?", file=sys.stderr)
        return 2
    for name in names:
        page = Path(name)
        try:
            page.write_text(filled(page.read_text()))
        except LookupError as error:
            print(f"cut: {error}", file=sys.stderr)
            return 1
        except OSError as error:
            print(f"cut: {error.filename}: {error.strerror}", file=sys.stderr)
            return 1
    return 0


def filled(page: str) -> str:
    """The page with the pieces of today. Raises LookupError: a piece, or an end, is missing."""
    if len(_BEGIN.findall(page)) != len(_MARK.findall(page)):
        raise LookupError("a mark has no second side, or no <!-- end -->")
    return _MARK.sub(_side_by_side, page)


def _side_by_side(mark: re.Match[str]) -> str:
    """Both sides as a table, whose cells are Markdown: a blank line ends its HTML."""
    cells = "\n\n</td><td>\n\n".join(_cell(side) for side in mark.groups()[:2])
    head = '<table><tr><th>C++</th><th>Python</th></tr><tr valign="top"><td>'
    return f"<!-- cut: {mark[1]} | {mark[2]} -->\n{head}\n\n{cells}\n\n</td></tr></table>\n<!-- end -->\n"


def _cell(side: str) -> str:
    """The pieces of one side, each below the name of its file."""
    parts, shown = [], ""
    for reference in side.split("; "):
        path = reference.split(" ", 1)[0]
        name = f"`{path}`\n\n" if path != shown else ""
        parts.append(f"{name}```{_FENCES[Path(path).suffix]}\n{piece(reference)}```")
        shown = path
    return "\n\n".join(parts)


def piece(reference: str) -> str:
    """The lines that a reference names, without their common indentation. Raises LookupError, OSError."""
    if found := _LINES.fullmatch(reference):
        return _lines_from(found[1], found[3], int(found[2]))
    path, _, name = reference.partition(" ")
    lines = (ROOT / path).read_text().splitlines(keepends=True)
    first, last = (_in_python if path.endswith(".py") else _in_cpp)(lines, name)
    if not last:
        raise LookupError(f"{path} has no {name}")
    return dedent("".join(lines[first:last]))


def _lines_from(path: str, text: str, count: int) -> str:
    lines = (ROOT / path).read_text().splitlines(keepends=True)
    found = [number for number, line in enumerate(lines) if text in line]
    if len(found) != 1:
        raise LookupError(f"{path} has {len(found)} lines with {text!r}")
    return dedent("".join(lines[found[0] : found[0] + count]))


def _in_python(lines: list[str], name: str) -> tuple[int, int]:
    """Where a definition begins and ends: its decorators belong to it."""
    scope: Sequence[ast.stmt] = ast.parse("".join(lines)).body
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((node for node in scope if part in _names_of(node)), None)
        if found is None:
            return 0, 0
        scope = getattr(found, "body", [])
    assert found is not None
    decorators = getattr(found, "decorator_list", [])
    return min(node.lineno for node in (found, *decorators)) - 1, found.end_lineno or 0


def _names_of(node: ast.stmt) -> list[str]:
    """What a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _in_cpp(lines: list[str], name: str) -> tuple[int, int]:
    """Where a definition begins and ends: the comments above it belong to it.

    The braces behind its name are counted: no text in it may have one (`tests/test_cut.py` looks).
    """
    callable_ = re.compile(rf"(?<![\w:>.~]){re.escape(name)}\(|^\s*(class|struct) {re.escape(name)}\b")
    for first, line in enumerate(lines):
        if callable_.search(line) and not line.lstrip().startswith("//") and (end := _end(lines, first)):
            while lines[first - 1].lstrip().startswith("//"):
                first -= 1
            return first, end
    return 0, 0


def _end(lines: list[str], first: int) -> int:
    """Behind the last line of the definition that begins in line `first`; 0: it has no body here."""
    depth, opened = 0, False
    for number in range(first, len(lines)):
        code = lines[number].partition("//")[0]
        depth += code.count("{") - code.count("}")
        opened = opened or "{" in code
        if depth == 0 and code.rstrip().endswith((";", "}")):
            return number + 1 if opened else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
