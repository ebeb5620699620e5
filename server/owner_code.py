"""The one-time code of whoever runs the server: it makes an owner, or helps one who has lost the password.

The code goes to a terminal only, where nobody keeps it; else to a file beside the data, which only the
server's user can read. It never comes into the log: a log is kept, copied and read by others.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path

from chatroom.chatroom import Chatroom
from chatroom.errors import ConfigError
from chatroom.event_log import EventLog
from chatroom.limits import CODE_BYTES, CODE_SECONDS
from chatroom.passwords import write_code
from chatroom.printable import printable_line
from server.limits import OWN_SECONDS
from server.log_writer import say_on_stderr

log = EventLog(__name__)

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def make_code() -> str:
    """A new code. Nobody guesses it."""
    return write_code(secrets.token_bytes(CODE_BYTES))


def offer_ownership(chatroom: Chatroom, owner: str, place: CodePlace) -> None:
    """Tell a code that makes the account of this name the owner, and sets its password.

    Without a name, while nobody owns the chatroom: tell a code that makes any account the owner.
    Called at the start, before the first newcomer. Raises ConfigError, NameRefused, Closed.
    """
    if owner and not place.possible:
        raise ConfigError("--owner needs a terminal or a history file, where the code can be told")
    code, until = make_code(), time.time_ns() // 1_000_000 + int(CODE_SECONDS * 1000)
    try:
        if not place.possible or not chatroom.own(owner, code, until, OWN_SECONDS):
            place.clear()
            return
    except TimeoutError:  # the disk is full: the server waits for space, and its members are told
        log.error("no_code", "there is no owner's code: the history cannot be written; start again later")
        return
    if owner:
        how = f"join with another name and give /recover {owner}; or, logged in as {owner}, /owner"
        place.tell(code, f"to own this chatroom as {owner}, {how}")
    else:
        place.tell(code, "nobody owns this chatroom yet; to own it, /register, then /owner")


class CodePlace:
    """Where the owner's code is told. data: path of the history file, or `:memory:`."""

    def __init__(self, data: str) -> None:
        history = Path(data).resolve()
        self._file = None if data == ":memory:" else history.with_name(history.name + ".code")
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    @property
    def possible(self) -> bool:
        """Whether there is a place: a terminal, or a history file."""
        return self._terminal or self._file is not None

    def tell(self, code: str, use: str) -> None:
        """Tell the code. use: what can be done with it; Raises ConfigError: the file cannot be written."""
        if self._terminal:
            self.clear()
            say_on_stderr(printable_line(f"{use}:"))
            say_on_stderr(f"    {printable_line(code)}")  # a row of its own: a long row would break in it
            return
        assert self._file is not None, "no place"
        try:
            self._write(self._file, code)
        except OSError as error:
            raise ConfigError(f"cannot write the owner's code to {self._file}: {error.strerror}") from None
        log.notice("owner_code", "= %(use)s: the code is in %(file)s", use=use, file=self._file)

    def clear(self) -> None:
        """Remove the code of an earlier start: it is not valid any more."""
        try:
            if self._file is not None:
                self._file.unlink(missing_ok=True)
        except OSError:
            pass  # whoever reads it finds an old code

    def _write(self, path: Path, code: str) -> None:
        """Replace the file as a whole; a link with its name is replaced, not followed. Raises OSError."""
        new = path.with_name(path.name + ".new")
        new.unlink(missing_ok=True)  # of a start that was killed; the history's lock keeps other servers away
        descriptor = os.open(new, _FLAGS, 0o600)
        try:
            os.write(descriptor, f"{code}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(new, path)
