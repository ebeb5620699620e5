"""The bytes that a peer has not taken yet."""

from __future__ import annotations

from collections import deque

from server.limits import FLUSH_BYTES
from server.transport import Bytes


class SendBuffer:
    """Bytes in the order in which they are to be sent. It has no socket and no lock.

    Members share the bytes of a batch: the buffer refers to them and copies only what goes into one send.

    size: bytes in the buffer
    """

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self.size = 0
        self._pieces: deque[Bytes] = deque()  # the first one is a memoryview when its beginning was sent

    def append(self, data: Bytes) -> None:
        """Add bytes at the end. A memoryview is the rest of a batch whose beginning was sent."""
        self._pieces.append(data)
        self.size += len(data)

    def head(self) -> Bytes:
        """The next bytes to send: the first piece, or several small ones up to FLUSH_BYTES together."""
        first = self._pieces[0]
        if len(self._pieces) == 1 or len(first) >= FLUSH_BYTES:
            return first
        joined: list[Bytes] = []
        size = 0
        for piece in self._pieces:
            size += len(piece)
            if joined and size > FLUSH_BYTES:
                break
            joined.append(piece)
        return b"".join(joined)

    def advance(self, sent: int) -> None:
        """Forget the first `sent` bytes: the socket has taken them."""
        self.size -= sent
        while sent:
            first = self._pieces[0]
            if sent < len(first):
                self._pieces[0] = memoryview(first)[sent:]
                return
            sent -= len(first)
            self._pieces.popleft()

    def drop_whole_batches(self) -> None:
        """Forget all but the rest of a batch whose beginning was sent, so that the peer can decode it."""
        begun = self._pieces[0] if self._pieces and isinstance(self._pieces[0], memoryview) else None
        self.clear()
        if begun is not None:
            self.append(begun)

    def clear(self) -> None:
        """Forget everything."""
        self._pieces.clear()
        self.size = 0
