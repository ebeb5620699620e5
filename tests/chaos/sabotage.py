"""Bugs to plant into the server, to show that the checker can fail.

They are put in from outside, by replacing methods before the program starts; no line of the program knows of
them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Final

from chatroom.arrivals import Join, Missed
from chatroom.blocks import Block
from chatroom.history import Restored
from chatroom.order import Entry
from chatroom.presence import Presence
from chatroom.proposals import Leave, Proposal, ProposalKind
from chatroom.records import Record
from chatroom.state import State
from server.storage import SqliteHistory

_BATCHES_HELD: Final = 200
"""So many batches are acknowledged before they are committed: seconds of conversation."""


def acknowledge_early() -> None:
    """Report a batch as stored when it is only in memory; store it a little later."""
    append, close = SqliteHistory.append, SqliteHistory.close
    held: list[tuple[Sequence[Block], Sequence[Record], bytes, int]] = []
    lock = Lock()

    def flush(history: SqliteHistory) -> None:
        for batch in held:
            append(history, *batch)
        held.clear()

    def append_later(
        history: SqliteHistory,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
    ) -> None:
        with lock:
            held.append((list(blocks), list(records), position, noted))
            if len(held) > _BATCHES_HELD:
                flush(history)

    def flush_before(method: Callable[..., Any]) -> Callable[..., Any]:
        def flushed(history: SqliteHistory, *arguments: Any) -> Any:
            with lock:
                flush(history)
            return method(history, *arguments)

        return flushed

    for name in ("read", "start_of", "locate"):
        replace(SqliteHistory, name, flush_before(getattr(SqliteHistory, name)))
    replace(SqliteHistory, "close", flush_before(close))
    replace(SqliteHistory, "append", append_later)


def forget_ids() -> None:
    """After a restart, know the sessions but not their applied ids."""
    restore = SqliteHistory.restore

    def without_id(record: Record) -> Record:
        if record.kind != "session":
            return record
        return record._replace(value=json.dumps(json.loads(record.value or "{}") | {"confirmed": 0}))

    def restore_without_ids(history: SqliteHistory) -> Restored:
        restored = restore(history)
        return restored._replace(records=[without_id(record) for record in restored.records], talkers=[])

    replace(SqliteHistory, "restore", restore_without_ids)


def resume_one_late() -> None:
    """Leave out the first event in the replay to a client that comes back."""
    come = Presence.come

    def come_late(presence: Presence, join: Join, missed: Missed) -> None:
        late = missed._replace(since=missed.since + 1) if missed.since else missed
        come(presence, join, late)

    replace(Presence, "come", come_late)


def quit_at_once() -> None:
    """Tell the others at once that a client has left whose connection broke."""
    apply = State.apply

    def hasten(proposal: Proposal) -> Proposal:
        body = proposal.body
        return proposal._replace(body=body._replace(clean=True)) if isinstance(body, Leave) else proposal

    def apply_hastily(state: State, entry: Entry) -> Any:
        return apply(state, entry._replace(proposals=[hasten(proposal) for proposal in entry.proposals]))

    replace(State, "apply", apply_hastily)


def restart_in_silence() -> None:
    """Do not tell that the server was restarted."""
    apply = State.apply

    def apply_silently(state: State, entry: Entry) -> Any:
        if [proposal.kind for proposal in entry.proposals] != [ProposalKind.UP]:
            return apply(state, entry)
        head, state.head = state.head, 0  # as at the first start, which is not told
        applied = apply(state, entry)
        state.head = head
        return applied

    replace(State, "apply", apply_silently)


def replace(owner: object, name: str, by: Callable[..., Any]) -> None:
    """Put another function in; a missing one is an error, because the new one would do nothing."""
    getattr(owner, name)
    setattr(owner, name, by)


BUGS: Final = {
    "early": acknowledge_early,
    "forget": forget_ids,
    "seam": resume_one_late,
    "hasty": quit_at_once,
    "silent": restart_in_silence,
}
