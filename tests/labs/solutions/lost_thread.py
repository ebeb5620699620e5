"""Lab 08: the reaper takes a thread that has not started yet for a dead one.

python3 notes/labs/08_lost_thread/lost_thread.py
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Reaper:
    """Owns the threads of the clients. Once a second, a thread calls reap()."""

    def __init__(self) -> None:
        # Guards _threads and _closed. Held over start(): every registered thread has been started.
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def __len__(self) -> int:
        """How many threads it owns."""
        with self._lock:
            return len(self._threads)

    def spawn(self, target: Callable[[], None]) -> None:
        """Start `target` in a thread. Raises RuntimeError after close()."""
        thread = threading.Thread(target=target)
        with self._lock:
            if self._closed:
                raise RuntimeError("closed: nobody would wait for the thread")
            self._threads.append(thread)
            moment()
            thread.start()

    def reap(self) -> None:
        """Forget the threads that have ended."""
        with self._lock:
            self._threads = [thread for thread in self._threads if thread.is_alive()]

    def close(self) -> None:
        """Wait until every thread has ended. They have been told to end before."""
        with self._lock:
            self._closed = True
            threads = list(self._threads)
        for thread in threads:
            thread.join()
