"""Splits the bytes of a pipe into lines to say. Pure: it reads no descriptor."""

from __future__ import annotations

from typing import Final, NamedTuple

from chatroom.limits import MAX_TEXT


class Said(NamedTuple):
    """A line of the input. `repaired`: bytes that were not UTF-8 became U+FFFD."""

    number: int
    text: str
    repaired: bool


class TooLong(NamedTuple):
    """A line longer than MAX_TEXT; it was skipped."""

    number: int


class LineSplitter:
    """Splits a stream of bytes into lines, wherever the stream is cut; buffers at most MAX_TEXT bytes.

    LF or CRLF ends a line; so does the end of the input. Empty lines are left out.
    """

    def __init__(self) -> None:
        self.rest = b""  # of the line that is not complete yet
        self._skipping = False  # the current line is too long already
        self._number = 0

    def feed(self, data: bytes) -> list[Said | TooLong]:
        """The lines that `data` completes."""
        *ended, rest = data.split(b"\n")
        lines: list[Said | TooLong] = []
        for part in ended:
            self._grow(part)
            lines += self._end_line()
        self._grow(rest)
        return lines

    def finish(self) -> list[Said | TooLong]:
        """The last line, when the input has ended without a line end."""
        return self._end_line() if self.rest or self._skipping else []

    def _grow(self, part: bytes) -> None:
        if len(self.rest) + len(part) > MAX_TEXT + 1:  # 1: the CR that may end it
            self.rest, self._skipping = b"", True
        elif not self._skipping:
            self.rest += part

    def _end_line(self) -> list[Said | TooLong]:
        line, self.rest = self.rest.removesuffix(b"\r"), b""
        skipped, self._skipping = self._skipping, False
        self._number += 1
        text = line.decode("utf-8", "replace")
        # Measure again: each wrong byte became U+FFFD, which has three bytes.
        if skipped or len(text.encode()) > MAX_TEXT:
            return [TooLong(self._number)]
        return [Said(self._number, text, text.encode() != line)] if text else []


READ_BYTES: Final = 64 * 1024
"""Bytes to read from a pipe at once: the size of a pipe buffer on Linux."""
