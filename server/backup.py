"""`--backup`: copies a history, also while a server writes it, with certificate and key of that server."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from chatroom.errors import ConfigError, HistoryError
from server.database import connect, pragma, translate_errors
from server.disk_watch import size_words
from server.history_tool import Report, check
from server.limits import BACKUP_NICE, BACKUP_PAGES
from server.schema import open_read_only
from server.tls_files import TlsFiles, files_beside


def back_up(data: str | Path, target: str | Path, tls: TlsFiles | None = None) -> str:
    """Copy the history `data` to the new file `target`; what was done, in one line.

    tls: the files of the server; None: those that `--tls-self` has made beside the history, if it has
    The copy has all that was stored when it began, and only its user can read it. It is checked before it
    gets its name: if there is a file `target`, it is a whole backup. Certificate and key go to
    TARGET.cert.pem and TARGET.key.pem, where a server with --tls-self finds them.
    Raises HistoryError and ConfigError: then nothing is left behind. No file is ever overwritten.
    """
    if data == ":memory:":
        raise ConfigError("--backup needs a history file: a history in memory ends with its server")
    source, target = Path(data), Path(target)
    certificates = _pairs(tls or files_beside(source), files_beside(target), must=tls is not None)
    for name in (target, *(copy for _, copy in certificates)):
        if os.path.lexists(name):
            raise ConfigError(f"cannot back up to {name}: there is such a file already")
    if not target.parent.is_dir():
        raise ConfigError(f"cannot back up to {target}: there is no folder {target.parent}")
    os.nice(BACKUP_NICE)
    try:
        report = _back_up(source, target, certificates)
    except OSError as error:
        raise ConfigError(f"cannot back up to {target}: {error.strerror}") from None
    with_it = f"; with {' and '.join(copy.name for _, copy in certificates)}" if certificates else ""
    return (
        f"{target}: {report.events} events, {size_words(target.stat().st_size)}, checked and sound{with_it}"
    )


def _pairs(given: TlsFiles, copies: TlsFiles, must: bool) -> list[tuple[Path, Path]]:
    """The files to be copied and their copies: the key, then the certificate. must: they have to be there"""
    if not must and not given.certificate.exists():
        return []
    return [(given.key, copies.key), (given.certificate, copies.certificate)]


def _back_up(source: Path, target: Path, certificates: list[tuple[Path, Path]]) -> Report:
    with ExitStack() as parts, ExitStack() as names:
        made: list[tuple[Path, Path]] = []
        for original, name in certificates:
            part = parts.enter_context(_part_of(name))
            try:
                part.write_bytes(original.read_bytes())
            except OSError as error:
                raise ConfigError(f"cannot back up {original}: {error.strerror}") from None
            made.append((part, name))
        part = parts.enter_context(_part_of(target))
        _copy(source, part)
        _show("backup: checking")
        report = check(part)
        _show("")
        if not report.sound:
            raise HistoryError(
                f"no backup was made: {source} is damaged, or its copy (see chatroom-server --check {source})"
            )
        for each, name in (*made, (part, target)):  # the history last: it counts
            _keep(each)
            _take_the_name(each, name)
            names.callback(name.unlink)
        _keep(target.parent)
        names.pop_all()
    return report


@contextmanager
def _part_of(name: Path) -> Iterator[Path]:
    """An empty file beside `name` that only its user can read. At the end, this name of it is gone."""
    descriptor, path = tempfile.mkstemp(prefix=f"{name.name}.", suffix=".part", dir=name.parent)
    os.close(descriptor)
    part = Path(path)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    """Copy all pages, as they are in one moment. Meanwhile the server may commit, and copy its log."""
    with closing(open_read_only(source)) as database:
        with translate_errors(source, "back up"):
            database.execute("BEGIN")  # holds the moment: else the copy would begin anew after each commit
            size = pragma(database, "page_count") * pragma(database, "page_size")
            if size > (free := shutil.disk_usage(part.parent).free):
                raise HistoryError(
                    f"cannot back up {source}: it has {size_words(size)}, and {size_words(free)} are free"
                )
            with closing(connect(part)) as copy:
                copy.execute("PRAGMA journal_mode = OFF")  # a copy that breaks off is removed
                database.backup(copy, pages=BACKUP_PAGES, progress=_tell)
        with translate_errors(part, "write"), closing(connect(part)) as copy:
            # Else it would need a log beside it, which a restored file must not find.
            if copy.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
                raise HistoryError(f"cannot back up {source}: {part} is in use")


def _tell(_status: int, left: int, pages: int) -> None:
    """Say how much is copied."""
    _show(f"backup: {100 * (pages - left) // max(1, pages)} %")


def _show(text: str) -> None:
    """Show a text in the one line of a terminal that is written over again and again."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(f"\r{text:{_WIDTH}}\r{text}", end="", file=sys.stderr, flush=True)


_WIDTH = 24  # of the longest of these texts, at least


def _take_the_name(part: Path, name: Path) -> None:
    """Rename, but never over another file. Raises OSError."""
    try:
        os.link(part, name)
    except FileExistsError:
        raise ConfigError(f"cannot back up to {name}: there is such a file already") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.replace(part, name)


_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""What file systems say that have no hard links, such as those of USB sticks."""


def _keep(path: Path) -> None:
    """See to it that a file or folder is on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
