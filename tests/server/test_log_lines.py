"""server/log_lines.py"""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.event_log import NOTICE, EventLog
from server.limits import LOG_BYTES, LOG_FIELD, LOG_LINES, LOG_SAME
from server.log_lines import JsonLines, TextLines
from server.log_writer import LogWriter
from tests.chatroom.test_printable import HARMFUL
from tests.server.fakes import Clock

KEYS = ["time", "level", "event", "fields"]


def record(fields: dict[str, object], event: str = "left", level: int = NOTICE) -> logging.LogRecord:
    made = logging.LogRecord("x", level, "x.py", 1, "text", (fields,) if fields else (), None)
    made.event = event
    made.threadName = "main"
    return made


def read(line: str) -> dict[str, Any]:
    found = json.loads(line)
    assert list(found) == KEYS and "\n" not in line and not HARMFUL & set(line)
    assert datetime.fromisoformat(found["time"]).tzinfo is not None
    assert isinstance(found["fields"], dict)
    return dict(found)


def test_a_line() -> None:
    """It has just these keys; numbers stay numbers, everything else is text."""
    found = read(JsonLines().format(record({"peer": "1.2.3.4:5", "count": 3, "error": ValueError("x")})))
    assert (found["level"], found["event"]) == ("notice", "left")
    assert found["fields"] == {"peer": "1.2.3.4:5", "count": 3, "error": "x", "thread": "main"}


def test_a_line_without_fields() -> None:
    """Only the thread."""
    assert read(JsonLines().format(record({})))["fields"] == {"thread": "main"}


def test_an_error() -> None:
    """Where it came from is a field; its own text is nowhere."""
    try:
        raise KeyError("said")
    except KeyError as error:
        made = record({"name": "ann"})
        made.exc_info = (KeyError, error, error.__traceback__)
    line = JsonLines().format(made)
    assert read(line)["fields"]["error"].startswith("KeyError at server/test_log_lines.py:")
    assert "said" not in line


def test_what_others_log() -> None:
    """A line of another library has the event other."""
    made = logging.LogRecord("lib", logging.ERROR, "x.py", 1, "%s!", ("no",), None)
    found = read(JsonLines().format(made))
    assert (found["event"], found["fields"]["text"], found["level"]) == ("other", "no!", "error")


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=3000) | st.integers() | st.none(), max_size=20))
def test_any_fields(fields: dict[str, Any]) -> None:
    """Whatever the fields are, the line is one JSON object, harmless, and never too long to be whole."""
    line = JsonLines().format(record(fields))
    read(line)
    assert len(line.encode(errors="backslashreplace")) < LOG_BYTES


def test_a_long_field_is_cut() -> None:
    """And marked."""
    found = read(JsonLines().format(record({"name": "x" * 2 * LOG_FIELD})))
    assert found["fields"]["name"] == "x" * LOG_FIELD + "…"
    many = read(JsonLines().format(record({str(number): "x" * LOG_FIELD for number in range(20)})))
    assert many["fields"] == {"too_long": True}


@pytest.mark.parametrize("lines", [TextLines(), JsonLines()])
def test_a_broken_line(lines: TextLines | JsonLines) -> None:
    """A line stands for it that names its place."""
    made = logging.LogRecord("x", logging.ERROR, "x.py", 7, "%d", ("said",), None)
    line = lines.broken(made, TypeError("said"))
    assert "x.py:7" in line and "TypeError" in line and "said" not in line


def test_a_whole_log_in_json(tmp_path: Path) -> None:
    """Lines that were counted and lines that were dropped are JSON objects, too."""
    writing = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    clock = Clock()
    writer = LogWriter(writing, clock, JsonLines())
    logger = logging.getLogger("test_a_whole_log_in_json")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(writer)
    log = EventLog(logger.name)
    try:
        for port in range(LOG_SAME + 3):
            log.warning("refused", "= %(peer)s: refused", peer=f"127.0.0.2:{port}")
        for number in range(LOG_LINES):
            log.info("came", "%(number)d", number=number)
        writer.start()
        writer.close()
    finally:
        logger.removeHandler(writer)
        os.close(writing)
    found = [read(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [one["event"] for one in found[: LOG_SAME + 1]] == [*["refused"] * LOG_SAME, "came"]
    by_event = {one["event"]: one["fields"] for one in found}
    assert by_event["dropped"] == {"count": LOG_SAME}
    latest = {"peer": f"127.0.0.2:{LOG_SAME + 2}", "thread": "MainThread"}
    assert by_event["repeated"] == {"count": 3, "like": "refused", "latest": latest}
