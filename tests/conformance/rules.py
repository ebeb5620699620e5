"""The rules of notes/protocol.md: number and text of each, and those that no check sees."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

NOTES = Path(__file__).resolve().parents[2] / "notes"
_ID = re.compile(r"\s*\[([A-Z]\d+)\]")


class Rule(NamedTuple):
    """A rule as it stands on the page. section: the heading above it."""

    id: str
    section: str
    text: str


@cache
def rules() -> dict[str, Rule]:
    """All rules, in the order of the page."""
    found: dict[str, Rule] = {}
    section = ""
    for block in _blocks((NOTES / "protocol.md").read_text()):
        if block.startswith("#"):
            section = block.lstrip("# ")
            continue
        *numbered, _ = _pairs(block)
        for text, id in numbered:
            assert id not in found, f"the page has {id} twice"
            found[id] = Rule(id, section, text)
    return found


@cache
def not_checked() -> dict[str, str]:
    """The rules that cannot be seen from outside, with the reason: a table of notes/conformance.md."""
    page = (NOTES / "conformance.md").read_text()
    table = page.split("\n## What is not checked\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z]\d+(?:, [A-Z]\d+)*) \| (.+) \|$", table, re.M)
    return {id: reason for ids, reason in rows for id in ids.split(", ")}


def order(id: str) -> tuple[int, str]:
    """A key that sorts rules as the page has them; unknown ones come last."""
    known = list(rules())
    return (known.index(id) if id in known else len(known), id)


def _pairs(block: str) -> list[tuple[str, str]]:
    """The texts of a block with the ids behind them; the rest comes with an empty id."""
    pieces = _ID.split(block)
    texts, ids = pieces[::2], [*pieces[1::2], ""]
    return [(_tidy(text), id) for text, id in zip(texts, ids, strict=True)]


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" |-;.,").strip()


def _blocks(page: str) -> list[str]:
    """Headings, paragraphs, list items and table rows; no code blocks."""
    page = re.sub(r"^```.*?^```$", "", page, flags=re.S | re.M)
    blocks: list[str] = [""]
    for line in page.splitlines():
        if not line.strip():
            blocks.append("")
        elif re.match(r"[|#]|- |\d+\. ", line):
            blocks.append(line)
        else:
            blocks[-1] += "\n" + line
    return [block.strip() for block in blocks if block.strip()]
