"""An order that keeps its entries in a file, and a server that runs on it.

    python -m tests.support.recorder FILE [options of the server]

It shows what several servers need from the order: entries with positions, and going on after the last one
that the history has. The tests fold the entries again.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from threading import Event as Flag

import chatroom.chatroom
from chatroom.order import Entry, Taken, Task
from chatroom.proposals import Proposal
from chatroom.queue import WaitingQueue

_SIZE = Struct("!I")
_RETRY_SECONDS = 0.1


class FileOrder:
    """The waiting queue, whose entries are written to a file before they are given out.

    The position of an entry is the offset of its end in the file. An entry that was written and not stored
    by the history, because the server was killed in between, is given out first at the next start.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue = WaitingQueue()
        self._written: list[Entry] = []  # not in the history yet
        self._pause = Flag()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def idle(self) -> bool:
        return self._queue.idle

    def begin(self, identity: bytes, position: bytes, epoch: int) -> int:
        entries = list(read_entries(self._path))
        os.ftruncate(self._file, _end(entries))  # a torn entry was given to nobody
        stored = int.from_bytes(position, "big")
        self._written = [entry for entry in entries if int.from_bytes(entry.position, "big") > stored]
        latest = max((entry.epoch for entry in entries), default=0)
        return self._queue.begin(identity, position, max(epoch, latest + 1))

    def put(self, proposal: Proposal, timeout: float | None = None) -> None:
        self._queue.put(proposal, timeout)

    def post(self, task: Task) -> None:
        self._queue.post(task)

    def take(self) -> Taken | None:
        if self._written:
            entries, self._written = self._written, []
            return Taken(entries, [])
        taken = self._queue.take()
        return taken and Taken([self.write(entry) for entry in taken.entries], taken.tasks)

    def done(self, sent: float, worked: float) -> None:
        self._queue.done(sent, worked)

    def close(self) -> None:
        self._queue.close()

    def finish(self) -> None:
        """Close the file: nothing is taken any more. A killed server does not come to that."""
        os.close(self._file)

    def write(self, entry: Entry) -> Entry:
        """Append an entry to the file; the entry with its position."""
        pickled = pickle.dumps(entry)
        data = _SIZE.pack(len(pickled)) + pickled
        while data:
            try:
                data = data[os.write(self._file, data) :]
            except OSError:  # the disk is full or failing: no entry is given out before it is written
                self._pause.wait(_RETRY_SECONDS)
        return entry._replace(position=os.lseek(self._file, 0, os.SEEK_END).to_bytes(8, "big"))


def read_entries(path: Path) -> Iterator[Entry]:
    """The whole entries in a file, with their positions."""
    data, at = path.read_bytes(), 0
    while at + _SIZE.size <= len(data):
        end = at + _SIZE.size + _SIZE.unpack_from(data, at)[0]
        if end > len(data):
            return
        entry: Entry = pickle.loads(data[at + _SIZE.size : end])
        yield entry._replace(position=end.to_bytes(8, "big"))
        at = end


def _end(entries: list[Entry]) -> int:
    return int.from_bytes(entries[-1].position, "big") if entries else 0


def record(path: Path) -> None:
    """Let the chatrooms of this process keep their entries in a file."""
    vars(chatroom.chatroom)["WaitingQueue"] = lambda: FileOrder(path)


if __name__ == "__main__":
    from server.__main__ import main

    record(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
