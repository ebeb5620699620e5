"""--backup: a copy of one moment, checked, with certificate and key; nothing is overwritten or left over."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatroom.errors import ConfigError, HistoryError
from server import backup
from server.__main__ import main
from server.backup import back_up
from server.history_tool import check
from server.storage import SqliteHistory
from server.tls_files import TlsFiles, files_beside
from tests.server.histories import VERSION_2, all_in, execute, lines, opened, seqs, store
from tests.support.patience import eventually
from tests.support.tasks import Task


@pytest.fixture(autouse=True)
def as_polite_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of this process do not step back."""
    monkeypatch.setattr(os, "nice", lambda _: 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed history of 500 lines."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 500))
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the backup goes: another folder."""
    (tmp_path / "backup").mkdir()
    return tmp_path / "backup" / "chat.db"


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


@contextmanager
def talking(history: SqliteHistory, first: int) -> Iterator[list[int]]:
    """Lines are stored one after the other, as fast as it goes, until the block ends; the seqs so far."""
    done, stored = threading.Event(), [first - 1]

    def talk() -> None:
        while not done.is_set():
            store(history, lines(stored[-1] + 1, stored[-1] + 1))
            stored.append(stored[-1] + 1)

    task = Task(talk)
    try:
        yield stored
    finally:
        done.set()
        task.result()


def test_of_a_server_that_has_stopped(path: Path, target: Path) -> None:
    """The backup is one file that only its user can read, and has all events and the identity."""
    told = back_up(path, target)
    assert told.startswith(f"{target}: 500 events, ") and told.endswith("checked and sound")
    assert names(target.parent) == ["chat.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert all_in(target) == lines(1, 500)
    with opened(path) as history, opened(target) as restored:
        assert restored.restore() == history.restore()


def test_of_a_running_server(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While lines are stored without a pause, the backup comes to its end, and holds one moment.

    It has no gap, no line twice, and everything that was stored when it began.
    """
    steps: list[int] = []
    monkeypatch.setattr(backup, "BACKUP_PAGES", 2)
    with opened(path) as history, talking(history, 501) as stored:

        def wait_for_a_line(_status: int, left: int, pages: int) -> None:
            """Between two steps something is stored: a copy without a moment of its own would begin anew."""
            steps.append(left)
            assert len(steps) <= pages, "the copy begins anew again and again"
            now = stored[-1]
            eventually(lambda: stored[-1] > now, "nothing is stored")

        monkeypatch.setattr(backup, "_tell", wait_for_a_line)
        eventually(lambda: stored[-1] > 520, "nothing is stored")
        before = stored[-1]
        back_up(path, target)
        after = stored[-1]
    found = seqs(all_in(target))
    assert found == list(range(1, len(found) + 1))
    assert before <= len(found) <= after
    assert len(steps) > 5 and steps == sorted(steps, reverse=True)


def test_the_server_goes_on_writing_its_log_into_the_file(path: Path, target: Path) -> None:
    """After a backup no read of it is left that would hold a checkpoint back."""
    with opened(path) as history:
        store(history, lines(501, 600))
        back_up(path, target)
    assert names(path.parent) == ["backup", "history.db", "history.db.lock"]
    assert len(all_in(path)) == 600


def test_certificate_and_key_go_with_it(path: Path, target: Path) -> None:
    """What --tls-self has made goes to where --tls-self looks for it beside the backup."""
    for name, text in zip(files_beside(path), ("certificate", "key"), strict=True):
        name.write_text(text)
        name.chmod(0o644)
    told = back_up(path, target)
    assert told.endswith("; with chat.db.key.pem and chat.db.cert.pem")
    assert [name.read_text() for name in files_beside(target)] == ["certificate", "key"]
    assert {stat.S_IMODE((target.parent / name).stat().st_mode) for name in names(target.parent)} == {0o600}


def test_files_that_are_named(path: Path, target: Path, tmp_path: Path) -> None:
    """--tls-cert and --tls-key say which files go with it. One file may be both; none may be missing."""
    both = tmp_path / "both.pem"
    both.write_text("both")
    back_up(path, target, TlsFiles(both, both))
    assert [name.read_text() for name in files_beside(target)] == ["both", "both"]
    with pytest.raises(ConfigError, match=r"cannot back up .*missing\.pem: No such file"):
        back_up(path, tmp_path / "second.db", TlsFiles(both, tmp_path / "missing.pem"))
    assert [name for name in names(tmp_path) if name.startswith("second")] == []


@pytest.mark.parametrize("there", ["chat.db", "chat.db.cert.pem", "chat.db.key.pem"])
def test_nothing_is_overwritten(path: Path, target: Path, there: str) -> None:
    """A file with one of the names is left as it is, and nothing is made; also a link that leads nowhere."""
    for name in files_beside(path):
        name.write_text("x")
    wanted = target.with_name(there)
    wanted.write_text("dear diary")
    with pytest.raises(ConfigError, match=f"{there}: there is such a file already"):
        back_up(path, target)
    assert names(target.parent) == [there] and wanted.read_text() == "dear diary"
    wanted.unlink()
    wanted.symlink_to("nowhere")
    with pytest.raises(ConfigError, match="there is such a file already"):
        back_up(path, target)
    assert names(target.parent) == [there]


def test_a_name_that_is_taken_meanwhile(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else makes a file of that name while the copy is made: it stays, and nothing of ours does."""
    for name in files_beside(path):
        name.write_text("x")
    real = backup.check

    def check_slowly(part: Path) -> object:
        target.write_text("dear diary")
        return real(part)

    monkeypatch.setattr(backup, "check", check_slowly)
    with pytest.raises(ConfigError, match="there is such a file already"):
        back_up(path, target)
    assert names(target.parent) == ["chat.db"] and target.read_text() == "dear diary"


def test_a_file_system_without_links(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a USB stick the backup gets its name all the same, and overwrites nothing."""

    def link(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    back_up(path, target)
    assert names(target.parent) == ["chat.db"] and check(target).sound


def test_a_damaged_history(path: Path, target: Path) -> None:
    """No backup is made of a history that the check finds damaged: it would be taken for one."""
    execute(path, "UPDATE blocks SET packets = substr(packets, 1, 1000)")
    with pytest.raises(HistoryError, match=r"no backup was made: .* is damaged, or its copy"):
        back_up(path, target)
    assert names(target.parent) == []


def test_a_disk_without_room(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before anything is copied."""
    usage = shutil.disk_usage(path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(HistoryError, match=r"it has \d+\.\d kB, and 1\.0 kB are free"):
        back_up(path, target)
    assert names(target.parent) == []


def test_a_copy_that_breaks_off(path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle leaves nothing."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup, "_tell", interrupt)
    with pytest.raises(KeyboardInterrupt):
        back_up(path, target)
    assert names(target.parent) == []


def test_an_older_version(tmp_path: Path, target: Path) -> None:
    """A history of an earlier version is copied as it is: before an upgrade somebody wants just that."""
    path = tmp_path / "old.db"
    shutil.copy(VERSION_2, path)
    back_up(path, target)
    assert "schema 2" in check(target).lines[0] and len(all_in(target)) == 123


@pytest.mark.parametrize(
    ("data", "target", "words"),
    [
        ("missing.db", "new.db", "there is no history "),
        ("note.txt", "new.db", "is not a chatroom history"),
        ("history.db", "nowhere/new.db", "there is no folder "),
        ("history.db", ".", "there is such a file already"),
        (":memory:", "new.db", "--backup needs a history file"),
    ],
)
def test_one_line_says_why(
    path: Path, data: str, target: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be done is one line on stderr, exit code 1, and leaves nothing."""
    (path.parent / "note.txt").write_text("shopping list\n" * 100)
    before = names(path.parent)
    where = data if data == ":memory:" else str(path.parent / data)
    assert main(["--data", where, "--backup", str(path.parent / target)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and words in err
    assert names(path.parent) == before


def test_the_option(path: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says in one line what it has made."""
    assert main(["--data", str(path), "--backup", str(target)]) == 0
    assert capsys.readouterr().out == f"{target}: 500 events, {_size(target)}, checked and sound\n"
    with pytest.raises(SystemExit) as ended:
        main(["--backup", "a", "--check", "b"])
    assert ended.value.code == 2


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1000:.1f} kB"


def test_the_log_of_another_history_is_refused(path: Path, target: Path) -> None:
    """A backup beside which the log of a killed server lies: SQLite would write that log into it."""
    back_up(path, target)
    with opened(path) as history:
        store(history, lines(501, 600))
        shutil.copy(path.with_name("history.db-wal"), target.with_name("chat.db-wal"))
    before = target.read_bytes()
    for use in (lambda: SqliteHistory(target), lambda: check(target)):
        with pytest.raises(HistoryError, match=r"chat\.db-wal is of another history than .*: move it away"):
            use()
    assert target.read_bytes() == before
    target.with_name("chat.db-wal").unlink()
    assert len(all_in(target)) == 500
