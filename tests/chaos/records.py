"""The record of a talker (said, confirmed, shown), written line by line, so that kill -9 loses nothing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

_LONG = 120  # characters from which a text is shortened to its beginning and a hash


class Entry(NamedTuple):
    """One event, as history has it or as a client showed it.

    person: 0: the client does not show it, or nobody did it
    time:   milliseconds since 1970, only from history
    """

    seq: int
    kind: str
    channel: str
    author: str
    text: str
    person: int = 0
    time: int = 0

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.channel} {self.author} ({self.person}): {self.text}"

    def shown_as(self, shown: Entry) -> bool:
        """Whether a client has shown this event as it is in history."""
        return self[:5] == shown[:5] and shown.person in (0, self.person)


@dataclass
class Life:
    """One client process from its start to its end, across all its reconnects.

    ending:  None while it lives or when it was killed; "" when it left as asked; else why it gave up
    left:    it has left with a goodbye
    refused: what the server refused, with the reason: lines, or a part of the history
    """

    name: str
    number: int = 0
    channel: str = "#general"
    said: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    shown: list[Entry] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    connects: int = 0
    flushed: bool = False
    ending: str | None = None
    left: bool = False
    refused: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name}, life {self.number}"


def brief(text: str) -> str:
    """The text itself, or for a long one its beginning and a hash: as good for comparing, easier to read."""
    if len(text) <= _LONG:
        return text
    return f"{text[:40]}… {len(text)} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


class Recorder:
    """An append-only record of one life, from any thread. One write each: a kill tears at most the last."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Guards _file: one record is written at a time.
        self._lock = Lock()

    def write(self, did: str, **what: object) -> None:
        """Append one record."""
        line = json.dumps({"did": did, **what}, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)

    def close(self) -> None:
        os.close(self._file)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, one a line, without a last line that a kill has torn."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n")[:-1]:
        yield json.loads(line)


def entry(event: dict[str, Any]) -> Entry:
    """An event as `--json`, `--export` and the talker's record write it."""
    return Entry(
        event["seq"],
        event["kind"],
        event["channel"],
        event["author"],
        brief(event["text"]),
        event.get("person", 0),
    )


def read_life(path: Path, life: Life) -> Life:
    """Add the contents of a record file to `life`."""
    for record in read_lines(path):
        match record["did"]:
            case "said":
                life.said.append(brief(record["text"]))
            case "confirmed":
                life.confirmed.append(brief(record["text"]))
            case "shown":
                life.shown.append(entry(record))
            case "told":
                life.told.append(record["text"])
            case "refused":
                life.refused.append(f"{record['text']}: {record['reason']}")
            case "connected":
                life.connects += 1
            case "flushed":
                life.flushed = True
            case "ended":
                life.ending = record["reason"]
                life.left = not life.ending
    return life
