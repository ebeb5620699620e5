"""Applies recorded entries to a new state, and prints a digest of what followed from them.

    python -m tests.support.fold FILE SEED [PLANTED]

The entries are taken in rounds of random sizes. PLANTED puts a fault into the state, from outside: `clock`,
`random` or `set`. A fold that is not pure gives another digest in another process.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from chatroom.events import Talk
from chatroom.ledger import Applied
from chatroom.order import Entry
from chatroom.records import Record, Talker
from chatroom.session import Session
from chatroom.state import State
from tests.support.recorder import read_entries


def fold(entries: list[Entry], state: State, seed: int) -> str:
    """The digest of all that happened and of the records in the end, if those restore the state.

    Beside the records, a start has the lines that were said since the last tick.

    seed: of the sizes of rounds
    """
    sizes, digest = random.Random(seed), hashlib.sha256()
    stored: dict[tuple[str, str], Record] = {}
    talkers: list[tuple[int, Talker]] = []  # with the seq of the first line
    while entries:
        size = sizes.randint(1, 20)
        changed: list[Record] = []
        for entry in entries[:size]:
            applied = state.apply(entry)
            digest.update(repr(applied.happened).encode())
            changed += applied.records
            for one in applied.happened:
                if isinstance(one, Talk):
                    talkers.append((one.first, Talker(one.person, one.ids[-1])))
                elif one.id:
                    talkers.append((one.seq, Talker(one.person, one.id)))
        for record in changed:
            stored[record.kind, record.key] = record
        entries = entries[size:]
    kept = sorted(record for record in stored.values() if record.value is not None)
    late = [talker for seq, talker in talkers if seq > state.noted]
    restored = State()
    restored.restore(state.head, kept, late)
    assert restored.records() == state.records(), "the records do not restore the state"
    digest.update(repr(kept).encode())
    return digest.hexdigest()


def _with_clock() -> State:
    apply = State.apply
    return _planted(lambda state, entry: apply(state, entry._replace(time=int(time.time() * 1000))))


def _with_random() -> State:
    apply = State.apply

    def with_random(state: State, entry: Entry) -> Applied:
        return apply(state, entry._replace(time=entry.time + random.SystemRandom().randint(0, 1)))

    return _planted(with_random)


def _with_set() -> State:
    """Sessions end in the order of a set of their keys."""
    record = Session.record

    def with_set(session: Session) -> Record:
        session.reason = next(iter({session.key, session.name, session.address}))
        return record(session)

    Session.record = with_set  # type: ignore[method-assign, assignment]
    return State()


def _planted(apply: Callable[[State, Entry], Applied]) -> State:
    State.apply = apply  # type: ignore[method-assign, assignment]
    return State()


PLANTED = {"clock": _with_clock, "random": _with_random, "set": _with_set}


if __name__ == "__main__":
    make = PLANTED[sys.argv[3]] if len(sys.argv) > 3 else State
    print(fold(list(read_entries(Path(sys.argv[1]))), make(), int(sys.argv[2])))
