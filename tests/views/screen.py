"""A model of a terminal: pyte's screen with repairs, a scrollback, and a list of the commands it obeyed.

pyte 0.8.2 has three faults, all in `draw`. It drops the text after a character of width 0 that is no
combining mark. It wraps too early when a mark comes at the margin. It puts a wide character into the last
column.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pyte
from pyte import modes
from wcwidth import wcwidth

from views.text import needs_pin

Width = Callable[[str], int]

_OURS = {modes.DECAWM, 2004 << 5}  # the private modes that the client may set


class Screen(pyte.Screen):
    """A terminal whose characters have the widths that `width` returns."""

    def __init__(self, columns: int, lines: int, width: Width = wcwidth) -> None:
        self._width = width
        self.scrollback: list[str] = []
        self.obeyed: list[str] = []  # commands that text of another user must never cause
        super().__init__(columns, lines)
        self._stream = pyte.Stream(self)
        self.obeyed.clear()

    def feed(self, text: str) -> None:
        """Process the output of a program."""
        self._stream.feed(text)

    def rows(self) -> list[str]:
        """The text of each row, without trailing blanks."""
        return [self._row(number) for number in range(self.lines)]

    def _row(self, number: int) -> str:
        cells = [" "] * self.columns
        for column, cell in self.buffer[number].items():  # only what was drawn: most cells never were
            if column < self.columns:
                cells[column] = cell.data
        return "".join(cells).rstrip()

    def draw(self, data: str) -> None:
        for character in data:
            width = self._width(character)
            if width <= 0:
                self._draw_mark(character)
                continue
            if self.cursor.x + width > self.columns:
                if modes.DECAWM in self.mode:
                    self.carriage_return()
                    self.linefeed()
                else:
                    self.cursor.x = max(0, self.columns - width)
            self._put(character, width)
            limit = self.columns if modes.DECAWM in self.mode else self.columns - 1
            self.cursor.x = min(self.cursor.x + width, limit)

    def _put(self, character: str, width: int) -> None:
        line, column = self.buffer[self.cursor.y], self.cursor.x
        if line[column].data == "" and column:  # overwriting one half of a wide character erases the other
            line[column - 1] = line[column - 1]._replace(data=" ")
        last = column + width - 1
        if last + 1 < self.columns and line[last + 1].data == "":
            line[last + 1] = line[last + 1]._replace(data=" ")
        line[column] = self.cursor.attrs._replace(data=character)
        if width == 2 and column + 1 < self.columns:
            line[column + 1] = self.cursor.attrs._replace(data="")

    def _draw_mark(self, character: str) -> None:
        line, column = self.buffer[self.cursor.y], self.cursor.x - 1
        while column > 0 and line[column].data == "":
            column -= 1
        if column >= 0:
            line[column] = line[column]._replace(data=line[column].data + character)

    def index(self) -> None:
        if self.margins is None and self.cursor.y == self.lines - 1:
            self.scrollback.append(self._row(0))
        super().index()

    # --- commands ----------------------------------------------------------------------------------------

    def set_title(self, param: str) -> None:
        self.obeyed.append(f"title {param}")

    def set_icon_name(self, param: str) -> None:
        self.obeyed.append(f"icon {param}")

    def bell(self, *_args: Any) -> None:
        self.obeyed.append("bell")

    def report_device_status(self, mode: int, **_kwargs: Any) -> None:
        self.obeyed.append("device status")

    def report_device_attributes(self, mode: int = 0, **_kwargs: Any) -> None:
        self.obeyed.append("device attributes")

    def set_margins(self, top: int | None = None, bottom: int | None = None) -> None:
        self.obeyed.append("margins")

    def reset(self) -> None:
        self.obeyed.append("reset")
        super().reset()

    def define_charset(self, code: str, mode: str) -> None:
        self.obeyed.append("charset")

    def shift_out(self) -> None:
        self.obeyed.append("shift")

    def insert_lines(self, count: int | None = None) -> None:
        self.obeyed.append("insert")

    def tab(self) -> None:
        self.obeyed.append("tab")

    def backspace(self) -> None:
        self.obeyed.append("backspace")

    def reverse_index(self) -> None:
        self.obeyed.append("reverse index")

    def set_mode(self, *numbers: int, **kwargs: Any) -> None:
        self._note_modes(numbers, kwargs)
        super().set_mode(*numbers, **kwargs)

    def reset_mode(self, *numbers: int, **kwargs: Any) -> None:
        self._note_modes(numbers, kwargs)
        super().reset_mode(*numbers, **kwargs)

    def _note_modes(self, numbers: tuple[int, ...], kwargs: dict[str, Any]) -> None:
        if kwargs.get("private"):
            numbers = tuple(number << 5 for number in numbers)
        self.obeyed += [f"mode {number}" for number in numbers if number not in _OURS]


def code_points(character: str) -> int:
    """The width on a terminal that knows no newer emoji and no conjuncts, as many terminals."""
    code = ord(character)
    if code >= 0x1FA00:
        return 0
    if 0x1F000 <= code < 0x1F600:
        return 1
    if 0x900 <= code < 0xE00 and wcwidth(character) == 0:
        return 1
    return wcwidth(character)


def any_width(character: str) -> int:
    """The width on no known terminal: 0, 1 or 2 by chance, where terminals are not sure to agree."""
    return wcwidth(character) if not needs_pin(character) else crc32(character.encode()) % 3


_SEQUENCE = re.compile("\r\x1b\\[([0-9]+)C|\x1b\\[[0-9;]*m|\x1b\\[\\?7h")


def readable(row: str) -> str:
    """The text of a row as the screen shows it: without colours, with the gaps that pins make."""
    text, end = "", 0
    for match in _SEQUENCE.finditer(row):
        text += row[end : match.start()]
        end = match.end()
        if match[1]:
            text += " " * (int(match[1]) - sum(max(0, wcwidth(character)) for character in text))
    return (text + row[end:]).rstrip()
