"""Bytes of a pipe as lines to be said; no descriptor here."""

from __future__ import annotations

from typing import Final, NamedTuple

from chatroom.limits import MAX_TEXT


class Said(NamedTuple):
    """A line of the input. `repaired`: bytes in it that were no UTF-8 are U+FFFD now."""

    number: int
    text: str
    repaired: bool


class TooLong(NamedTuple):
    """A line that no message can hold; it was skipped."""

    number: int


class LineSplitter:
    """Cuts a stream of bytes into lines, however the bytes come; keeps at most MAX_TEXT bytes of one.

    A line ends with LF or CRLF, the last one also with the input. Empty lines are left out.
    """

    def __init__(self) -> None:
        self.rest = b""  # of the line that is not complete yet
        self._skipping = False  # the line that is being read is too long already
        self._number = 0

    def feed(self, data: bytes) -> list[Said | TooLong]:
        """The lines that are complete with `data`."""
        *ended, rest = data.split(b"\n")
        lines: list[Said | TooLong] = []
        for piece in ended:
            self._grow(piece)
            lines += self._end_line()
        self._grow(rest)
        return lines

    def finish(self) -> list[Said | TooLong]:
        """What is left when the input has ended."""
        return self._end_line() if self.rest or self._skipping else []

    def _grow(self, piece: bytes) -> None:
        if len(self.rest) + len(piece) > MAX_TEXT + 1:  # 1: the CR that may end it
            self.rest, self._skipping = b"", True
        elif not self._skipping:
            self.rest += piece

    def _end_line(self) -> list[Said | TooLong]:
        line, self.rest = self.rest.removesuffix(b"\r"), b""
        skipped, self._skipping = self._skipping, False
        self._number += 1
        text = line.decode("utf-8", "replace")
        # Counted again: U+FFFD has three bytes, for each that was wrong.
        if skipped or len(text.encode()) > MAX_TEXT:
            return [TooLong(self._number)]
        return [Said(self._number, text, text.encode() != line)] if text else []


PIECE: Final = 64 * 1024
"""Bytes that are read from a pipe at once: as many as a pipe holds on Linux."""
