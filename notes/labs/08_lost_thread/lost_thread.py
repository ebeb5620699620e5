"""Lab 08: the reaper takes a thread that has not started yet for a dead one.

python3 notes/labs/08_lost_thread/lost_thread.py
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Reaper:
    """Owns the threads of the clients. Once a second, a thread calls reap()."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def __len__(self) -> int:
        """How many threads it owns."""
        return len(self.threads)

    def spawn(self, target: Callable[[], None]) -> None:
        """Start `target` in a thread. Raises RuntimeError after close()."""
        thread = threading.Thread(target=target)
        self.threads.append(thread)
        moment()
        thread.start()

    def reap(self) -> None:
        """Forget the threads that have ended."""
        for thread in list(self.threads):
            if not thread.is_alive():
                self.threads.remove(thread)

    def close(self) -> None:
        """Wait until every thread has ended. They have been told to end before."""
        for thread in list(self.threads):
            thread.join()


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

reaper = Reaper()
disk_is_ready = threading.Event()
stored: list[str] = []


def moment() -> None:
    """The second is over just now: the reaper's thread reaps. (A second at most, if it has to wait.)"""
    reaping = threading.Thread(target=reaper.reap)
    reaping.start()
    reaping.join(1)


def handle() -> None:
    """The thread of a client, which wants to store a last line before it ends."""
    disk_is_ready.wait()
    stored.append("bob: goodbye")


def main() -> None:
    """Bob's thread is started, and the server ends."""
    reaper.spawn(handle)
    closer = threading.Thread(target=reaper.close)
    closer.start()
    closer.join(1)
    closed_early = not closer.is_alive()
    print(
        f"close() {'has returned' if closed_early else 'waits for a thread'}; {len(stored)} lines are stored"
    )
    disk_is_ready.set()
    closer.join()
    if closed_early:
        print("bug: bob's thread still runs, and nobody knows of it: its last line comes after the end")
    else:
        print(f"fine: close() has waited for bob's thread; {len(stored)} line is stored")


if __name__ == "__main__":
    main()
