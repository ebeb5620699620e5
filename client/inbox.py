"""The inbox: updates that the user of the client has not taken yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Condition, Lock

from client.limits import UNREAD_BYTES, UNREAD_PATIENCE, UPDATE_BYTES
from client.updates import Ended, Update


class Inbox:
    """A bounded queue of updates that takes whole bursts.

    A full inbox makes the connection wait, and TCP slows the server. After `patience` seconds it refuses the
    burst instead, so that the lines of a program that never reads are still settled (decision 12).
    """

    def __init__(
        self,
        on_update: Callable[[], None] | None = None,
        bound: int = UNREAD_BYTES,
        patience: float = UNREAD_PATIENCE,
    ) -> None:
        self._bound = bound
        self._patience = patience
        # Guards all fields below. `_filled` wakes readers, `_room` the thread that waits to put.
        self._lock = Lock()
        self._filled = Condition(self._lock)
        self._room = Condition(self._lock)
        self._bursts: deque[tuple[int, Iterable[Update]]] = deque()
        self._current: deque[Update] = deque()  # the burst that is being read
        self._unread = 0  # bytes of _bursts
        self._when_room: Callable[[], None] | None = None
        self._ended: Ended | None = None
        self._on_update = on_update

    def __repr__(self) -> str:
        with self._lock:
            return f"<Inbox: {self._unread} bytes unread>"

    @property
    def on_update(self) -> Callable[[], None] | None:
        """Called by `updated`."""
        with self._lock:
            return self._on_update

    @on_update.setter
    def on_update(self, on_update: Callable[[], None] | None) -> None:
        with self._lock:
            self._on_update = on_update

    @property
    def ended(self) -> Ended | None:
        """The last update, as soon as it is known, whether or not it has been taken."""
        with self._lock:
            return self._ended

    # --- for the connection --------------------------------------------------------------------------

    def put(self, updates: list[Update], size: int, when_room: Callable[[], None]) -> bool:
        """Add a burst that was `size` bytes on the wire. Waits for room, at most for the patience.

        False when it was refused; then `when_room` is called once the inbox has been read half empty.
        """
        with self._lock:
            self._when_room = None
            if not self._room.wait_for(self._takes_more, self._patience):
                self._when_room = when_room
            elif self._ended is None:
                self._add(updates, size)
                return True
            return False

    def tell(self, update: Update, size: int = UPDATE_BYTES, *, surely: bool = False) -> None:
        """Add an update about the connection, unless the inbox is full. Never waits.

        surely: add it to a full inbox, too: for answers, of which there are not more than the user asked for
        """
        with self._lock:
            if (surely or self._unread < self._bound) and self._ended is None:
                self._add([update], size)

    def end(self, ended: Ended) -> None:
        """Add the last update; only the first call counts."""
        with self._lock:
            if self._ended is None:
                self._ended = ended
                self._add([ended], 0)
                self._room.notify_all()

    def updated(self) -> None:
        """Call `on_update`: updates wait, or lines were settled."""
        on_update = self.on_update
        if on_update is not None:
            on_update()

    # --- for the reader ------------------------------------------------------------------------------

    def poll(self) -> list[Update]:
        """All updates that wait. Never blocks."""
        with self._lock:
            updates = list(self._current)
            for _, burst in self._bursts:
                updates.extend(burst)
            self._current.clear()
            self._bursts.clear()
            when_room = self._take_off(self._unread)
        if when_room is not None:
            when_room()
        return updates

    def take(self, timeout: float | None = None) -> Update | None:
        """The next update; None when none came within `timeout` seconds, or after the last one."""
        when_room = None
        with self._lock:
            if not self._current:
                self._filled.wait_for(lambda: self._bursts or self._ended is not None, timeout)
                if not self._bursts:
                    return None
                size, burst = self._bursts.popleft()
                self._current.extend(burst)
                when_room = self._take_off(size)
            update = self._current.popleft()
        if when_room is not None:
            when_room()
        return update

    def _takes_more(self) -> bool:
        """Whether put() need not wait. Requires holding _lock."""
        return self._unread < self._bound or self._ended is not None

    def _add(self, updates: list[Update], size: int) -> None:
        """Requires holding _lock."""
        self._bursts.append((size, updates))
        self._unread += size
        self._filled.notify_all()

    def _take_off(self, size: int) -> Callable[[], None] | None:
        """Note that `size` bytes were read; the function to call then. Requires holding _lock."""
        self._unread -= size
        self._room.notify_all()
        if self._unread > self._bound // 2:
            return None
        when_room, self._when_room = self._when_room, None
        return when_room
