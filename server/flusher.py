"""The flusher: one thread that sends what sockets did not take at first, pings, and closes connections."""

from __future__ import annotations

import math
import selectors
import socket
import threading
import time
from time import monotonic

from chatroom.deadline import Deadline
from chatroom.event_log import EventLog
from server.limits import GOODBYE_SECONDS, PAUSED_SECONDS, TICK_SECONDS
from server.stream import Stream

log = EventLog(__name__)

_ROUNDS = 6  # rounds through all streams within dead_after: a dead peer is noticed at most 1/6 late


class Flusher:
    """Looks after every stream: flushes it while bytes wait, ticks it, and closes it once it is released.

    The selector and the sets of streams are confined to the thread; other threads post to it and wake it.

    dead_after: seconds of silence after which a peer is dead
    """

    def __init__(self, dead_after: float) -> None:
        self._dead_after = dead_after
        self._stopping = threading.Event()
        # Guards _posted, _woken and _ended.
        self._lock = threading.Lock()
        self._posted: set[Stream] = set()
        self._woken = False
        self._ended = False
        self._waking, self._wakes = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._streams: set[Stream] = set()
        self._writing: set[Stream] = set()  # in the selector: bytes wait in them
        self._urgent: set[Stream] = set()  # their deadline runs
        self._end: Deadline | None = None  # set when run() has begun to end
        self._expected = math.inf  # when it wanted to go on

    def watch(self, stream: Stream) -> None:
        """Look at `stream`: it is new, bytes wait in it, it is ending, or it is released. Any thread.

        A new stream without bytes can wait for the next round: each newcomer would wake the thread.
        """
        with self._lock:
            ended = self._ended
            if not ended:
                self._posted.add(stream)
        if ended:
            self._drop(stream)
        elif not stream.is_idle:
            self._wake()

    def stop(self) -> None:
        """End run(). Streams that were told goodbye have GOODBYE_SECONDS to end. Any thread."""
        self._stopping.set()
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            wake, self._woken = not self._woken, True
        if wake:
            try:
                self._waking.send(b"!")
            except OSError:
                pass  # the thread has ended meanwhile, and has dropped what was posted

    def run(self) -> None:
        """The thread. finish() has to follow."""
        next_round = 0.0
        while self._end is None or (self._streams and not self._end.expired):
            now = self._now()
            if now >= next_round:
                next_round = now + self._dead_after / _ROUNDS
                self._tick(self._streams, now)
            self._wait(TICK_SECONDS if self._urgent or self._end is not None else max(0.0, next_round - now))
            self._take_posted()
            if self._stopping.is_set() and self._end is None:
                self._end = Deadline(GOODBYE_SECONDS)
            self._tick(self._urgent, self._now())

    def _now(self) -> float:
        """The time. After a pause of the whole process, every stream first gets another round."""
        now = monotonic()
        late = now - self._expected
        if late > min(PAUSED_SECONDS, self._dead_after / _ROUNDS):
            log.warning("paused", "= the server was stopped for %(seconds).0f s", seconds=late)
            heard = now - self._dead_after + self._dead_after / _ROUNDS / 2
            for stream in self._streams:
                stream.excuse(late, heard)
        self._expected = now
        return now

    def _wait(self, seconds: float) -> None:
        """Wait until a socket takes bytes or a stream is posted; send the bytes."""
        self._expected += seconds
        for key, _ in self._selector.select(seconds):
            if isinstance(key.fileobj, Stream):
                self._flush(key.fileobj)
            else:
                self._wakes.recv(16)

    def _take_posted(self) -> None:
        """Look at the streams that were posted."""
        with self._lock:
            posted, self._posted = self._posted, set()
            self._woken = False
        for stream in posted:
            if stream.fileno() >= 0:  # else it was closed after another thread had posted it
                self._streams.add(stream)
                self._urgent.add(stream)
                self._flush(stream)

    def _flush(self, stream: Stream) -> None:
        left, watched = stream.flush(), stream in self._writing
        if left and not watched:
            self._selector.register(stream, selectors.EVENT_WRITE)
            self._writing.add(stream)
        elif watched and not left:
            self._selector.unregister(stream)
            self._writing.discard(stream)
        if stream.released:
            self._streams.discard(stream)
            self._urgent.discard(stream)
            stream.close()

    def _tick(self, streams: set[Stream], now: float) -> None:
        for stream in list(streams):
            if not stream.tick(now, self._dead_after):
                self._urgent.discard(stream)

    def finish(self) -> None:
        """The last act of the thread. When run() has failed, wait until the others have said goodbye."""
        if self._end is None:
            self._stopping.wait()
            time.sleep(GOODBYE_SECONDS)
        self.close()

    def close(self) -> None:
        """Cut every stream and give the descriptors back: also in place of run() and finish()."""
        with self._lock:
            self._ended = True
            posted, self._posted = self._posted, set()
        for stream in self._streams.union(posted):
            self._drop(stream)
        self._selector.close()
        self._waking.close()
        self._wakes.close()

    def _drop(self, stream: Stream) -> None:
        """Cut a stream at the end; its handler is woken, and releases it."""
        stream.cut("the server is shutting down")
        if stream.released:
            stream.close()
