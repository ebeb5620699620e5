"""The server with a planted bug, to show that the checker can fail: `python -m tests.chaos.sabotage BUG …`.

The bugs are put in from outside, by replacing methods before the program starts; no line of the program
knows of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Final

from chatroom.events import Event
from chatroom.history import Restored, SessionRecord
from chatroom.newcomers import Newcomers
from chatroom.requests import Join
from server.storage import SqliteHistory

_BATCHES_HELD: Final = 200
"""So many batches are acknowledged before they are committed: seconds of conversation."""


def acknowledge_early() -> None:
    """Report a batch as stored when it is only in memory; store it a little later."""
    append, read, last, close = (
        getattr(SqliteHistory, name) for name in ("append", "read", "last_seqs", "close")
    )
    held: list[tuple[Any, ...]] = []
    lock = Lock()

    def flush(history: SqliteHistory) -> None:
        for batch in held:
            append(history, *batch)
        held.clear()

    def append_later(
        history: SqliteHistory,
        events: Sequence[Event],
        sessions: Sequence[SessionRecord],
        forgotten: Collection[bytes],
    ) -> None:
        with lock:
            held.append((list(events), list(sessions), list(forgotten)))
            if len(held) > _BATCHES_HELD:
                flush(history)

    def flush_before(method: Callable[..., Any]) -> Callable[..., Any]:
        def flushed(history: SqliteHistory, *arguments: Any) -> Any:
            with lock:
                flush(history)
            return method(history, *arguments)

        return flushed

    _replace(SqliteHistory, "append", append_later)
    _replace(SqliteHistory, "read", flush_before(read))
    _replace(SqliteHistory, "last_seqs", flush_before(last))
    _replace(SqliteHistory, "close", flush_before(close))


def forget_ids() -> None:
    """After a restart, know the sessions but not their applied ids."""
    restore = SqliteHistory.restore

    def restore_without_ids(history: SqliteHistory) -> Restored:
        restored = restore(history)
        return restored._replace(sessions=[record._replace(confirmed=0) for record in restored.sessions])

    _replace(SqliteHistory, "restore", restore_without_ids)


def resume_one_late() -> None:
    """Leave out the first event in the replay to a client that comes back."""
    welcome = Newcomers.welcome

    def welcome_late(newcomers: Newcomers, member: Any, join: Join, first_live: int) -> None:
        late = replace(join, since=join.since + 1) if 0 < join.since < first_live - 1 else join
        welcome(newcomers, member, late, first_live)

    _replace(Newcomers, "welcome", welcome_late)


def _replace(owner: type, method: str, by: Callable[..., Any]) -> None:
    """Put the bug in; a missing method is an error, because the bug would do nothing."""
    getattr(owner, method)
    setattr(owner, method, by)


BUGS: Final = {"early": acknowledge_early, "forget": forget_ids, "seam": resume_one_late}


def main() -> int:
    bug = sys.argv.pop(1)
    BUGS[bug]()
    from server.__main__ import main as server

    return server()


if __name__ == "__main__":
    sys.exit(main())
