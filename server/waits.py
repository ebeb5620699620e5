"""What a thread waits for, told by the function in which it stands. Looked at only when somebody asks.

No thread notes what it is about to do: that would cost something in every round. Instead, whoever asks looks
at the frame of each thread. The table below says what the function on top waits for, and how. Only the first
function of ours counts, from the top: below it everything has called something, and waits for nothing.

It is a look from outside, at one moment: a thread that was woken a moment ago, and waits for the interpreter,
still stands in the function that waited.
"""

from __future__ import annotations

import linecache
import re
import threading
from types import FrameType
from typing import Final, NamedTuple

KINDS: Final = (
    *("main", "accept", "forwarder", "flusher", "catch-up", "history", "disk", "metrics", "log"),
    *("server-reaper", "release", "connection", "handler"),
)
"""The kinds of threads in notes/threads.md: the first word of their names. What comes after it, a name or an
address, is not told."""

OTHER: Final = "other"
"""The kind of a thread that is none of ours: of a test, or of a program around the server."""

RUNS: Final = "runs"
LOCK: Final = "lock"


class Wait(NamedTuple):
    """How a thread waits, and for what; both for a person.

    how:  the call in one word; RUNS: it does not wait, LOCK: it takes or gives back a lock
    what: for what; of RUNS and LOCK the function in which it stands
    """

    how: str
    what: str


_PEER: Final = Wait("recv", "bytes from the peer")
_ANSWER: Final = Wait("future", "the forwarder's answer")
_END: Final = Wait("flag", "the end of the server")

WAITS: Final[dict[tuple[str, str], Wait]] = {
    ("chatroom.catch_up", "CatchUp._wait_for_one"): Wait("condition", "somebody to catch up"),
    ("chatroom.catch_up", "CatchUp.run"): Wait("flag", "a rest, for the others"),
    ("chatroom.chatroom", "Chatroom._ask"): _ANSWER,
    ("chatroom.chatroom", "Chatroom._converse"): Wait("flag", "the forwarder's end"),
    ("chatroom.chatroom", "Chatroom._secrets"): _ANSWER,
    ("chatroom.chatroom", "Chatroom._server_key"): _ANSWER,
    ("chatroom.fetching", "Fetching._fetch"): Wait("flag", "a rest, after a search"),
    ("chatroom.fetching", "HandlerLibrary._is_over"): Wait("sleep", "a breath, for the others"),
    ("chatroom.fetching", "HandlerLibrary.read"): _ANSWER,
    ("chatroom.flow", "Flow.wait_for_readers"): Wait("condition", "slow readers: a pause"),
    ("chatroom.forwarder", "Forwarder._rest"): Wait("flag", "room on the disk"),
    ("chatroom.handler_desk", "HandlerDesk.read"): _ANSWER,
    ("chatroom.hash_pool", "HashPool._wait"): Wait("condition", "its turn to hash or search"),
    ("chatroom.history", "MemoryHistory.tend"): _END,
    ("chatroom.queue", "WaitingQueue._wait_in_line"): Wait("condition", "room in the queue"),
    ("chatroom.queue", "WaitingQueue.take"): Wait("condition", "work in the queue"),
    ("chatroom.reaper", "Reaper._reap_each_second"): Wait("flag", "its next second"),
    ("chatroom.reaper", "Reaper.reap"): Wait("join", "a thread that has ended"),
    ("chatroom.reception", "Reception._release_late"): _ANSWER,
    ("chatroom.reception", "Reception.reserve"): _ANSWER,
    ("chatroom.trace", "Trace.wait"): Wait("condition", "those who get its line"),
    ("chatroom.tracing", "Tracing._follow"): _ANSWER,
    ("server.admission", "AdmissionPort.wait_for_owner"): Wait("select", "the newcomer at its port"),
    ("server.app", "App.wait"): Wait("recv", "a signal"),
    ("server.connection", "NativeConnection._decode"): Wait("semaphore", "its turn to decode"),
    ("server.connection", "NativeConnection._decode_much"): Wait("sleep", "a breath, for the others"),
    ("server.database", "transaction"): Wait("disk", "a commit"),
    ("server.disk_watch", "DiskWatch.run"): Wait("flag", "its next look"),
    ("server.flusher", "Flusher._wait"): Wait("select", "a socket with room"),
    ("server.flusher", "Flusher.finish"): _END,
    ("server.inspector", "Inspector.look"): Wait("condition", "somebody else's look"),
    ("server.lobby", "Lobby._reserve"): Wait("sleep", "a name that lapsed"),
    ("server.log_writer", "LogWriter._is_writable"): Wait("poll", "whoever reads the log"),
    ("server.log_writer", "LogWriter._next"): Wait("condition", "a line for the log"),
    ("server.maintenance", "Maintenance._index"): Wait("flag", "a rest, for the others"),
    ("server.maintenance", "Maintenance._repeat"): Wait("flag", "a rest, for the others"),
    ("server.maintenance", "Maintenance.tend"): Wait("flag", "its next look"),
    ("server.metrics_port", "MetricsPort.run"): Wait("accept", "a reader of the metrics"),
    ("server.metrics_port", "_received"): _PEER,
    ("server.readers", "Readers.connection"): Wait("semaphore", "a reader of the history"),
    ("server.server", "Server._accept"): Wait("accept", "a connection"),
    ("server.stream", "Stream.rest"): Wait("condition", "its turn: a fast peer"),
    ("server.stream", "Stream.wait_until_taken"): Wait("condition", "the peer to read answers"),
    ("server.transport", "TcpTransport._readable"): _PEER,
    ("server.transport", "TcpTransport.receive"): _PEER,
    ("server.transport", "TcpTransport.send"): Wait("send", "nothing: what fits goes"),
    ("server.waiting", "WaitingPorts._wait"): Wait("condition", "a port"),
}
"""By module and function. A test looks whether each is there, so that a new name is noticed."""

_LIBRARY: Final = frozenset(
    ("threading", "socket", "selectors", "concurrent.futures._base", "contextlib", "queue", "ssl")
)
"""Modules of Python in which our functions wait."""

_TAKES_LOCK: Final = re.compile(r"\s*with self\.\w*lock\b")


def kind_of(thread: threading.Thread) -> str:
    """What a thread is for: one of KINDS, or OTHER. Never the name or the address that its own name has."""
    kind = "main" if thread is threading.main_thread() else thread.name.partition(" ")[0]
    return kind if kind in KINDS else OTHER


def wait_of(frame: FrameType) -> Wait:
    """What the thread of this frame does. frame: the one on top"""
    here: FrameType | None = frame
    while here is not None and here.f_globals.get("__name__") in _LIBRARY:
        here = here.f_back
    if here is None:
        return Wait(RUNS, "Python's library")
    code = here.f_code
    module = str(here.f_globals.get("__name__", ""))
    if _TAKES_LOCK.match(linecache.getline(code.co_filename, here.f_lineno or 0)):
        return Wait(LOCK, _named(code.co_qualname))
    return WAITS.get((module, code.co_qualname)) or Wait(RUNS, _named(code.co_qualname))


def _named(function: str) -> str:
    """The function as people write it: without what it is defined in."""
    return function.rpartition("<locals>.")[2]
