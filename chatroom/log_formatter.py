"""The log, as one of the ways out: nothing that others wrote is raw in it."""

from __future__ import annotations

import logging
from types import TracebackType

from chatroom.printable import printable, printable_line


class LogFormatter(logging.Formatter):
    """Writes each record on one line; the lines of a traceback are indented. Nothing in it is raw."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(threadName)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable_line(super().formatMessage(record))

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return printable(super().formatException(ei)).replace("\n", "\n    ")

    def formatStack(self, stack_info: str) -> str:
        return printable(super().formatStack(stack_info)).replace("\n", "\n    ")
