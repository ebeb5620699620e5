"""The bytes that a peer has not taken yet."""

from __future__ import annotations

from collections import deque

from server.limits import FLUSH_BYTES, PIECE_BYTES
from server.transport import Bytes


class SendBuffer:
    """Bytes in the order in which they are to be sent. It has no socket and no lock.

    Members share the bytes of a batch: the buffer refers to them and copies only what goes into one send.

    size: bytes in the buffer
    own:  bytes of memory of the pieces that no other buffer refers to, PIECE_BYTES for each piece included
    """

    __slots__ = ("_first", "_gone", "_own", "_pieces", "own", "size")

    def __init__(self) -> None:
        self.size = 0
        self.own = 0
        self._pieces: deque[Bytes] = deque()  # the first one is a memoryview when its beginning was sent
        self._first = 0  # number of the first piece; pieces are counted from the beginning of the connection
        self._own: deque[int] = deque()  # numbers of the pieces that are not shared
        self._gone: list[bytes] = []  # shared pieces that have left the buffer

    @property
    def begin(self) -> int:
        """How many pieces have left the buffer since the beginning of the connection."""
        return self._first

    @property
    def end(self) -> int:
        """How many pieces have come into it."""
        return self._first + len(self._pieces)

    def append(self, data: Bytes, shared: bool = False) -> None:
        """Add bytes at the end. A memoryview is the rest of a piece whose beginning was sent."""
        if not shared:
            self._own.append(self._first + len(self._pieces))
            self.own += len(whole(data)) + PIECE_BYTES
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
            self._drop_first()

    def drop_whole_batches(self) -> None:
        """Forget all but the rest of a piece whose beginning was sent, so that the peer can decode it.

        The buffer counts this rest as its own, so that nothing in it is shared any more.
        """
        begun = self._pieces[0] if self._pieces and isinstance(self._pieces[0], memoryview) else None
        self.clear()
        if begun is not None:
            self.append(begun)

    def clear(self) -> None:
        """Forget everything."""
        while self._pieces:
            self._drop_first()
        self.size = 0

    def take_gone(self) -> list[bytes]:
        """The shared pieces that have left the buffer since the last call."""
        gone, self._gone = self._gone, []
        return gone

    def _drop_first(self) -> None:
        piece = whole(self._pieces.popleft())
        if self._own and self._own[0] == self._first:
            self._own.popleft()
            self.own -= len(piece) + PIECE_BYTES
        else:
            self._gone.append(piece)
        self._first += 1


def whole(piece: Bytes) -> bytes:
    """The object that is kept in memory for a piece, or for the rest of it."""
    if isinstance(piece, memoryview):
        assert isinstance(piece.obj, bytes)
        return piece.obj
    return piece
