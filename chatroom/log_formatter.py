"""The log, as one of the ways out: one line for each event, and nothing that others wrote is raw in it."""

from __future__ import annotations

import logging

from chatroom.blame import blame
from chatroom.printable import printable_line


class LogFormatter(logging.Formatter):
    """Writes each record on one line. Nothing in it is raw; of an error it says only where it came from."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(threadName)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        error = record.exc_info[1] if record.exc_info else None
        return printable_line(line if error is None else f"{line}. Traceback: {blame(error)}")
