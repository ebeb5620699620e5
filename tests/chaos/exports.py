"""The judge of exports: all that history has, as it is now; direct lines only when they are asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from tests.chaos.records import Entry, brief, entry, read_lines
from tests.chaos.wrongs import Violation, Wrong, found

_ROWS: Final = "SELECT seq, kind, channel, author, text FROM events ORDER BY seq"


def judge_export(
    whose: str, history: Sequence[Entry], exported: Sequence[Entry], direct: bool
) -> Iterator[Violation]:
    """direct: whether direct conversations are to be in it"""
    stored = {line.seq: line for line in history}
    due = {line.seq for line in history if direct or not line.receiver}
    due -= {line.seq for line in history if line.kind == "audited"}  # for operators only
    seqs = [line.seq for line in exported]
    yield from found(
        Wrong.FOREIGN, whose, [str(line) for line in exported if line.seq in stored.keys() - due]
    )
    yield from found(Wrong.GAP, whose, [str(stored[seq]) for seq in sorted(due - set(seqs))])
    yield from found(
        Wrong.UNSTORED,
        whose,
        [
            f"{line} — history has: {stored.get(line.seq)}"
            for line in exported
            if not _is_stored(line, stored)
        ],
    )
    yield from found(Wrong.BACKWARDS, whose, [] if seqs == sorted(set(seqs)) else [f"{len(seqs)} events"])


def _is_stored(line: Entry, stored: dict[int, Entry]) -> bool:
    return line.seq in stored and line[:5] == stored[line.seq][:5]


def judge_exports(history: Sequence[Entry], folder: Path) -> Iterator[Violation]:
    """All that `export_history` has written into a folder."""
    for name, direct in (("export", False), ("export-direct", True)):
        lines = [entry(line) for line in read_lines(folder / f"{name}.jsonl")]
        yield from judge_export(f"{name}.jsonl", history, lines, direct)
        with closing(sqlite3.connect(folder / f"{name}.db")) as file:
            rows = [
                Entry(seq, kind, channel, author, brief(text))
                for seq, kind, channel, author, text in file.execute(_ROWS)
            ]
        yield from judge_export(f"{name}.db", history, rows, direct)
