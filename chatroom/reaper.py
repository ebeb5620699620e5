"""The reaper: starts threads, and once a second joins those that have ended. Server and client use the same.

In the original a thread walks `std::vector<std::thread>` each second and looks for dead threads. Here a
thread reports its own end, so that the reaper touches only dead threads: a thousand living ones cost nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from chatroom.deadline import Deadline
from chatroom.errors import Closed
from chatroom.event_log import EventLog
from chatroom.limits import REAP_SECONDS

log = EventLog(__name__)


class Reaped(NamedTuple):
    """What a reaper has done so far.

    threads: how many it owns: registered and not yet joined
    ended:   how many of them have reported their end
    joined:  how many it has joined
    ago:     seconds since it joined the latest; -1: none yet
    """

    threads: int
    ended: int
    joined: int
    ago: float


class Reaper:
    """Owns the threads that it starts: in the server, all but the main one, the log's and its own.

    A thread is registered before it starts, and leaves the register after it has reported its end and was
    joined. So a thread has an owner at every moment, and the reaper does not take a thread that is registered
    but not yet running for a dead one (`is_alive()` is false for both).

    failed: told the name and the error of a vital thread that has failed, in that thread. The reaper's own is
            vital, too
    """

    def __init__(
        self, name: str, failed: Callable[[str, Exception], None] = lambda name, error: None
    ) -> None:
        self._name = name
        self._failed = failed
        # Guards _threads, _starting, _ended, _joined, _latest and _closed.
        self._lock = threading.Lock()
        self._all_started = threading.Condition(self._lock)
        self._threads: set[threading.Thread] = set()
        self._starting = 0  # registered, but start() has not returned yet
        self._ended: list[threading.Thread] = []
        self._joined = 0
        self._latest = 0.0  # when it joined the latest one
        self._closed = False
        self._closing = threading.Event()
        self._reaping = threading.Thread(target=self._reap_until_close, name=f"{name}-reaper")

    def __repr__(self) -> str:
        with self._lock:
            return f"<Reaper {self._name}: {len(self._threads)} threads, {len(self._ended)} ended>"

    @property
    def names(self) -> list[str]:
        """Names of the threads it owns, sorted: registered and not yet joined."""
        with self._lock:
            return sorted(thread.name for thread in self._threads)

    def read(self) -> Reaped:
        """What it has done so far. Any thread."""
        with self._lock:
            ago = monotonic() - self._latest if self._joined else -1.0
            return Reaped(len(self._threads), len(self._ended), self._joined, ago)

    def start(self) -> None:
        """Start the thread that reaps once a second."""
        self._reaping.start()

    def spawn(
        self,
        target: Callable[[], None],
        name: str,
        vital: bool = False,
        last: Callable[[], None] = lambda: None,
    ) -> threading.Thread:
        """Start `target` in a thread of that name; the reaper joins the thread after `target` has returned.

        vital: the program cannot do without this thread
        last:  what the thread does in the end, also when `target` has failed and that was told
        Raises Closed after close(), RuntimeError when the system has no thread left.
        """
        # daemon: the interpreter keeps a list of all other threads, to join them at its exit, and up to 3.12
        # walks through it at every start. This register does that work without the walk.
        thread = threading.Thread(target=self._run, args=(target, vital, last), name=name, daemon=True)
        with self._lock:
            if self._closed:
                raise Closed(f"{self._name} is closing; no new threads")
            self._threads.add(thread)
            self._starting += 1
        try:
            thread.start()
        except RuntimeError:
            with self._lock:
                self._threads.discard(thread)
            raise
        finally:
            with self._lock:
                self._starting -= 1
                self._all_started.notify_all()
        return thread

    def _run(self, target: Callable[[], None], vital: bool, last: Callable[[], None]) -> None:
        """The top of every thread: reports the thread's end."""
        try:
            self._guard(target, vital)
        finally:
            self._guard(last, vital)
            with self._lock:
                self._ended.append(threading.current_thread())

    def _guard(self, run: Callable[[], None], vital: bool) -> None:
        """Log what `run` raises; of a vital thread also tell it."""
        try:
            run()
        except Exception as error:
            name = threading.current_thread().name
            log.exception("failed", "thread %(thread)s failed", thread=name)
            if vital:
                self._failed(name, error)

    def _reap_until_close(self) -> None:
        self._guard(self._reap_each_second, vital=True)

    def _reap_each_second(self) -> None:
        while not self._closing.wait(REAP_SECONDS):
            self.reap()

    def reap(self) -> int:
        """Join the threads that have reported their end, and return their number."""
        with self._lock:
            ended, self._ended = self._ended, []
        for thread in ended:
            thread.join()  # waits for microseconds: the report is the last thing a thread does
        with self._lock:
            self._threads.difference_update(ended)
            if ended:
                self._joined += len(ended)
                self._latest = monotonic()
        return len(ended)

    def close(self, seconds: float) -> list[str]:
        """Join all threads within `seconds` in all, and return the names of the threads that did not end.

        The caller has told the threads to end before. Nothing can be spawned after this.
        """
        deadline = Deadline(seconds)
        with self._lock:
            self._closed = True
        self._closing.set()
        if self._reaping.ident is not None:
            self._reaping.join()
        with self._lock:
            while self._starting and not deadline.expired:
                self._all_started.wait(deadline.left())
            threads = [thread for thread in self._threads if thread.ident is not None]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(deadline.left())
        self.reap()
        return self.names
