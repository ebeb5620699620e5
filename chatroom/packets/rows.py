"""Rows of key, length and value, which may grow: the extra of lines and events, the credentials in USERNAME.

A key is one byte. The length has one byte in an extra and two bytes in credentials. Whoever reads rows skips
the keys that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatroom.errors import ProtocolError

Rows = tuple[tuple[int, bytes], ...]


def join_rows(rows: Iterable[tuple[int, bytes]], length_size: int) -> bytes:
    """The bytes of rows. Raises OverflowError or ValueError when a key or a value does not fit.

    length_size: bytes of the length of each row
    """
    return b"".join(bytes((key,)) + len(value).to_bytes(length_size, "big") + value for key, value in rows)


def split_rows(data: bytes, length_size: int) -> Rows:
    """The rows that make up `data`. Raises ProtocolError when the last row is cut short."""
    rows, at = [], 0
    while at < len(data):
        start = at + 1 + length_size
        end = start + int.from_bytes(data[at + 1 : start], "big")
        if end > len(data):
            raise ProtocolError("a row of key, length and value is cut short")
        rows.append((data[at], data[start:end]))
        at = end
    return tuple(rows)
