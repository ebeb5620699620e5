"""The inbox: what the server said and the user of the client has not taken yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Condition, Lock

from chatroom.deadline import Deadline
from client.limits import UNREAD_BYTES, UNREAD_PATIENCE
from client.updates import Ended, Update


class Inbox:
    """A bounded queue of updates that takes whole bursts.

    A reader that is slow holds the connection back for a while, and TCP the server. One that does not read
    at all must not: its own lines could not be confirmed any more. So after `patience` seconds the inbox is
    *behind*: it takes nothing until it was read half empty, then `on_drained` is called, and what was left
    out is fetched from the server's history.
    """

    def __init__(
        self, on_drained: Callable[[], None], bound: int = UNREAD_BYTES, patience: float = UNREAD_PATIENCE
    ) -> None:
        self._on_drained = on_drained
        self._bound = bound
        self._patience = patience
        # Guards everything below. `_filled` wakes readers, `_room` the thread that waits to put.
        self._lock = Lock()
        self._filled = Condition(self._lock)
        self._room = Condition(self._lock)
        self._bursts: deque[tuple[int, Iterable[Update]]] = deque()
        self._current: deque[Update] = deque()  # the burst that is being read
        self._unread = 0  # bytes of _bursts
        self._behind = False
        self._ended: Ended | None = None

    def __repr__(self) -> str:
        with self._lock:
            return f"<Inbox: {self._unread} bytes unread{', behind' if self._behind else ''}>"

    @property
    def behind(self) -> bool:
        """Whether events are being left out."""
        with self._lock:
            return self._behind

    @property
    def ended(self) -> Ended | None:
        """The last update, as soon as it is known, whether or not it has been taken."""
        with self._lock:
            return self._ended

    def put(self, updates: list[Update], size: int) -> bool:
        """Add a burst that was `size` bytes on the wire; False when it was left out."""
        deadline = Deadline(self._patience)
        with self._lock:
            while self._unread >= self._bound and not self._behind and self._ended is None:
                if deadline.expired:
                    self._behind = True
                self._room.wait(deadline.left())
            if self._behind or self._ended is not None:
                return False
            self._add(updates, size)
            return True

    def tell(self, update: Update) -> None:
        """Add something about the connection, unless the inbox is full. Never waits."""
        with self._lock:
            if self._unread < self._bound and self._ended is None:
                self._add([update], 100)

    def end(self, ended: Ended) -> None:
        """Add the last update; the first call counts."""
        with self._lock:
            if self._ended is None:
                self._ended = ended
                self._add([ended], 0)
                self._room.notify_all()

    def poll(self) -> list[Update]:
        """Everything that waits, at once."""
        with self._lock:
            updates = list(self._current)
            for _, burst in self._bursts:
                updates.extend(burst)
            self._current.clear()
            self._bursts.clear()
            drained = self._take_off(self._unread)
        if drained:
            self._on_drained()
        return updates

    def take(self, timeout: float | None = None) -> Update | None:
        """The next update; None when none came within `timeout` seconds, or after the last one."""
        drained = False
        deadline = None if timeout is None else Deadline(timeout)
        with self._lock:
            while not self._current:
                if self._bursts:
                    size, burst = self._bursts.popleft()
                    self._current.extend(burst)
                    drained = self._take_off(size) or drained
                    continue
                left = None if deadline is None else deadline.left()
                if self._ended is not None or left == 0.0:
                    return None
                self._filled.wait(left)
            update = self._current.popleft()
        if drained:
            self._on_drained()
        return update

    def _add(self, updates: list[Update], size: int) -> None:
        """Requires holding _lock."""
        self._bursts.append((size, updates))
        self._unread += size
        self._filled.notify_all()

    def _take_off(self, size: int) -> bool:
        """Note that `size` bytes were read; whether that ended being behind. Requires holding _lock."""
        self._unread -= size
        self._room.notify_all()
        if not self._behind or self._unread > self._bound // 2:
            return False
        self._behind = False
        return True
