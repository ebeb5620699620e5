"""What a line of the server's log looks like: for a person, or as JSON for a program."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

from chatroom.blame import blame
from chatroom.log_formatter import LogFormatter
from chatroom.printable import json_line, printable_line
from server.limits import LOG_BYTES, LOG_FIELD


class Lines(Protocol):
    """Makes the lines of a log. All are printable, and have no line end."""

    def format(self, record: logging.LogRecord, /) -> str:
        """The line of a record. May raise anything: a mistake in a log call."""

    def more(self, count: int, latest: str) -> str:
        """Says that so many warnings were not written. latest: the line of the last of them, perhaps cut"""

    def dropped(self, count: int) -> str:
        """Says that so many lines are missing."""

    def broken(self, record: logging.LogRecord, error: Exception) -> str:
        """Stands for a record that format() could not write."""


class TextLines(LogFormatter):
    """Lines for a person. See `Lines`."""

    def more(self, count: int, latest: str) -> str:
        return f"{count} more like this: {latest}"

    def dropped(self, count: int) -> str:
        return f"{count} lines of the log were dropped: nobody took them"

    def broken(self, record: logging.LogRecord, error: Exception) -> str:
        where = f"{record.pathname}:{record.lineno}"
        return printable_line(f"a line of {where} cannot be written: {type(error).__name__}")


_CUT: Final = "…"


class JsonLines(logging.Formatter):
    """One JSON object a line, with the keys time, level, event, and fields (an object). See `Lines`.

    A line never has more than LOG_BYTES: a cut object could not be read.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = dict(record.args) if isinstance(record.args, Mapping) else {}
        event = getattr(record, "event", "")
        if not event:  # not one of ours
            event, fields = "other", {"logger": record.name, "text": record.getMessage()}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            fields["error"] = blame(error)
        fields["thread"] = record.threadName
        return _object(record.created, record.levelname, event, fields)

    def more(self, count: int, latest: str) -> str:
        try:
            one = json.loads(latest)
        except ValueError:  # it was cut, or could not be written
            one = {"level": "WARNING", "event": "other", "fields": {}}
        fields = {"count": count, "like": one["event"], "latest": one["fields"]}
        return _object(time.time(), one["level"], "repeated", fields)

    def dropped(self, count: int) -> str:
        return _object(time.time(), "WARNING", "dropped", {"count": count})

    def broken(self, record: logging.LogRecord, error: Exception) -> str:
        fields = {"place": f"{record.pathname}:{record.lineno}", "error": type(error).__name__}
        return _object(record.created, "ERROR", "broken", fields)


def _object(when: float, level: str, event: str, fields: Mapping[str, object]) -> str:
    time_of_day = datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")
    head = {"time": time_of_day.replace("+00:00", "Z"), "level": level.lower(), "event": event}
    line = json_line(head | {"fields": {str(name): _plain(value) for name, value in fields.items()}})
    if len(line.encode(errors="backslashreplace")) >= LOG_BYTES:
        line = json_line(head | {"fields": {"too_long": True}})
    return line


def _plain(value: object) -> object:
    """A number or a truth value as it is, everything else as short printable text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    text = printable_line(str(value))
    return text if len(text) <= LOG_FIELD else text[:LOG_FIELD] + _CUT
