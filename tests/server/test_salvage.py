"""--export --readable: what can still be read of a damaged history comes out, the rest is named."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.blocks import encoded, events_of
from chatroom.errors import HistoryError
from server.__main__ import main
from server.database import connect, pragma
from server.history_export import export
from server.rows import COLUMNS, block_of
from server.salvage import export_readable
from tests.server.histories import QUIET, VERSION_2, amend, execute, lines, opened, said, store

PAGE = 4096


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed history of 4,000 lines in blocks of 20."""
    path = tmp_path_factory.mktemp("unharmed") / "history.db"
    with opened(path) as history:
        for first in range(1, 4001, 20):
            store(history, lines(first, first + 19), noted=4000)
    return path


@pytest.fixture
def path(unharmed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(unharmed, tmp_path / "history.db"))


def readable(path: Path) -> tuple[list[int], list[str]]:
    """The seqs that come out, and what is told of the others."""
    out = io.StringIO()
    left_out = export_readable(path, out)
    return [json.loads(line)["seq"] for line in out.getvalue().splitlines()], left_out


def test_a_whole_history(path: Path) -> None:
    """Of a whole file it is the same as an export, and nothing is left out."""
    out, whole = io.StringIO(), io.StringIO()
    assert export_readable(path, out) == []
    export(path, whole)
    assert out.getvalue() == whole.getvalue()


def test_a_damaged_block(path: Path) -> None:
    """Only the lines of that block are left out, and it is named."""
    execute(path, "UPDATE blocks SET packets = substr(packets, 1, 100) WHERE first = 41")
    found, left_out = readable(path)
    assert found == [*range(1, 41), *range(61, 4001)]
    assert len(left_out) == 1 and left_out[0].startswith("the block of seq 41 to 60: ")


def test_what_was_removed_stays_away(tmp_path: Path) -> None:
    """What retention has removed does not come out, also of a block that it has removed in part."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 20))
    execute(path, "UPDATE state SET value = 5 WHERE name = 'removed'")
    out = io.StringIO()
    export(path, out)
    assert readable(path)[0] == [json.loads(line)["seq"] for line in out.getvalue().splitlines()]
    assert readable(path)[0] == [*range(6, 21)]


def pages_of_blocks(path: Path) -> list[int]:
    """The numbers of the leaf pages of the table of blocks, from 0."""
    with closing(connect(path)) as shell:
        assert pragma(shell, "page_size") == PAGE
    content = path.read_bytes()
    return [
        number
        for number in range(1, len(content) // PAGE)
        if content[number * PAGE] == 13
        and content[number * PAGE : (number + 1) * PAGE].count(b"talker-") > 10
    ]


def test_a_damaged_page(path: Path) -> None:
    """Before and behind a damaged page everything comes out, in order, and what is between is named."""
    page = pages_of_blocks(path)[10]
    content = bytearray(path.read_bytes())
    content[page * PAGE : (page + 1) * PAGE] = b"\xa5" * PAGE
    path.write_bytes(content)
    with pytest.raises(HistoryError, match="is damaged"):
        export(path, io.StringIO())
    found, left_out = readable(path)
    assert found == sorted(set(found)) and 3900 < len(found) < 4000
    assert found[0] == 1 and found[-1] == 4000
    assert len(left_out) == 1 and left_out[0].startswith("all blocks that begin between seq ")


def test_blocks_that_overlap(tmp_path: Path) -> None:
    """Wherever the page is that is damaged: a block that begins outside of what is named comes out."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        for first in range(1, 1201, 30):
            quiet = [said(seq, place=QUIET) for seq in (first, first + 1201)]
            general = [encoded(lines(seq, seq + 13)) for seq in (first + 1, first + 15)]
            history.append([encoded(quiet), *general], [], b"", 2402)
    whole, content = begins(path), path.read_bytes()
    assert len(pages_of_blocks(path)) > 5
    for page in pages_of_blocks(path):
        path.write_bytes(content[: page * PAGE] + b"\xa5" * PAGE + content[(page + 1) * PAGE :])
        found, left_out = readable(path)
        (named,) = left_out
        numbers = [int(number) for number in re.findall("[0-9]+", named)]
        low, high = numbers if len(numbers) == 2 else (numbers[0], 9999)
        for first, seqs in whole.items():
            assert low < first < high or seqs <= {*found}, (page, named, first)


def begins(path: Path) -> dict[int, set[int]]:
    """The seqs of each block, by the first one."""
    with closing(connect(path)) as shell:
        rows = shell.execute(f"SELECT {COLUMNS} FROM blocks").fetchall()
    return {row[0]: {event.seq for event in events_of(block_of(row))} for row in rows}


@pytest.mark.parametrize("seed", range(20))
def test_any_damage(path: Path, seed: int) -> None:
    """Wherever bytes are harmed: nothing is made up, each line comes once, or an error says why."""
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 4)):
        at, size = chance.randrange(100, len(content)), chance.choice([1, 50, PAGE])
        content[at : at + size] = chance.randbytes(len(content[at : at + size]))
    path.write_bytes(content)
    try:
        found, left_out = readable(path)
    except HistoryError as error:
        assert str(path) in str(error)
        return
    assert found == sorted(set(found))
    assert len(found) == 4000 or left_out


def test_what_was_deleted_stays_away(path: Path) -> None:
    """A line that was amended comes out as it is now; when nobody can tell, its block is left out."""
    amend(path, said(5)._replace(text="edited"))
    out = io.StringIO()
    export_readable(path, out)
    assert json.loads(out.getvalue().splitlines()[4])["text"] == "edited"
    execute(path, "UPDATE amended SET packets = x'00' WHERE seq = 5")
    found, left_out = readable(path)
    assert 5 not in found and left_out


def test_an_older_version(tmp_path: Path) -> None:
    """Of a file of an earlier version, rows that no server has written are left out."""
    path = tmp_path / "history.db"
    path.write_bytes(VERSION_2.read_bytes())
    execute(path, "UPDATE events SET kind = 99 WHERE seq = 9")
    found, left_out = readable(path)
    assert found == [*range(1, 9), *range(10, 124)] and len(left_out) == 1


def test_the_option(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints what it can, says on stderr what it left out, and then the exit code is 1."""
    assert main(["--export", str(path), "--readable"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4000
    execute(path, "UPDATE blocks SET packets = substr(packets, 1, 100) WHERE first = 41")
    assert main(["--export", str(path), "--readable"]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3980 and err.startswith("left out: the block of seq 41 to 60: ")
    with pytest.raises(SystemExit) as ended:
        main(["--readable"])
    assert ended.value.code == 2
