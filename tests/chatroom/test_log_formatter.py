"""chatroom/log_formatter.py"""

from __future__ import annotations

import logging

from chatroom.log_formatter import LogFormatter
from tests.chatroom.test_printable import HARMFUL


def record(message: str, *, error: BaseException | None = None) -> logging.LogRecord:
    trace = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("x", logging.WARNING, "x.py", 1, "= %s", (message,), trace)


FORGED = "ann\n2026-01-01 00:00:00 ERROR main: \x1b[2Jforged\u2028\x9b2J"


def test_a_record_of_the_log_is_one_line() -> None:
    """A name cannot begin another line of the log, nor drive the terminal that shows it."""
    line = LogFormatter().format(record(FORGED))
    assert line.endswith("WARNING MainThread: = ann 2026-01-01 00:00:00 ERROR main: ␛[2Jforged \ufffd2J")
    assert not HARMFUL & set(line)


def test_an_error_in_the_log_is_on_the_same_line() -> None:
    """Where it came from; its own text may quote what a member has written, and stays out."""
    try:
        raise ValueError(FORGED)
    except ValueError as error:
        line = LogFormatter().format(record("failed", error=error))
    assert "= failed. Traceback: ValueError at chatroom/test_log_formatter.py:" in line
    assert "\n" not in line and "forged" not in line
