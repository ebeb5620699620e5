"""The record of a talker (said, confirmed, shown), written line by line, so that kill -9 loses nothing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

EXPELLED = "expelled: "
"""How the reason begins with which a program ends that the server wants to log in anew."""

_ACCOUNT, _ROLE = 2, 12
_FROM_JOINING, _MODERATED = 0x10, 0x08
_TARGET, _TARGET_NAME, _LIST, _REMOVED, _WHOM, _UNTIL, _IN = 8, 9, 10, 11, 13, 14, 17
_ROWS = {3: "message", 5: "receiver", 6: "edited", 7: "deleted"}
_SAID_BY_LINES = ("said", "edited", "deleted", "reacted", "invited")
"""Keys in the extra of JOINED, of SET and of what a SAY makes, as notes/protocol.md has them."""

_LONG = 120  # characters from which a text is shortened to its beginning and a hash


class Entry(NamedTuple):
    """One event, as history has it or as a client showed it.

    person: 0: the client does not show it, or nobody did it
    time:   milliseconds since 1970, only from history
    The rest is known of what history has, and of what a rover was shown:
    id:       that the author's client gave to what was said
    place:    number of the channel or conversation, 0: the whole chatroom
    message:  seq of the line that is edited, deleted or reacted to
    receiver: the person to whom a direct line was said
    edited:   seq of the EDITED whose text the line has
    deleted:  seq of the DELETED that has emptied the line
    account:  of who has joined
    sealed:   whether nobody reads any more what was said in the channel while they were out
    role:     of who has joined, in the channel; 0: a plain member
    hushed:   1: the channel is moderated from now on, 0: it is not any more, -1: neither
    target, target_name: the person whom it is about
    list, removed, until: which list the target is on now, or off; when that ends, 0: never
    within:   the place in which it was done, of AUDITED
    """

    seq: int
    kind: str
    channel: str
    author: str
    text: str
    person: int = 0
    time: int = 0
    id: int = 0
    place: int = 0
    message: int = 0
    receiver: int = 0
    edited: int = 0
    deleted: int = 0
    account: str = ""
    sealed: bool = False
    role: int = 0
    hushed: int = -1
    target: int = 0
    target_name: str = ""
    list: int = 0
    removed: bool = False
    until: int = 0
    within: int = 0

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.channel} {self.author} ({self.person}): {self.text}"

    def shown_as(self, shown: Entry) -> bool:
        """Whether a client has shown this event as it is in history, or was before its text was changed."""
        changed = self.edited or self.deleted or self.kind == "edited"
        fields = 4 if changed else 5
        return self[:fields] == shown[:fields] and shown.person in (0, self.person)


class Connect(NamedTuple):
    """A connection was made.

    at:      when, in milliseconds since 1970
    session: stands for the session that it belongs to
    login:   from that of a guest, by a login
    """

    at: int
    session: str
    login: bool = False


class Change(NamedTuple):
    """A change of a password. Times in milliseconds since 1970; answered: 0 when nobody knows of success."""

    sent: int
    answered: int = 0


class Silenced(NamedTuple):
    """A line that was refused. said, known: when, in milliseconds since 1970"""

    text: str
    said: int
    known: int


@dataclass
class Life:
    """One client process from its start to its end, across all its reconnects.

    name:      under which it comes in
    account:   the account of its person; a guest that logs in has another name before; "" for none
    program:   of several of one person, the one that lives; "" when the name is enough
    ending:    None while it lives or when it was killed; "" when it left as asked; else why it gave up
    ended_at:  when, in milliseconds since 1970
    left:      it has left with a goodbye
    expelled:  it has given up because the server wants a login anew
    refused:   what the server refused, with the reason: lines, or a part of the history
    silenced:  of a talker that moderators may silence: the lines that were refused
    returns:   likewise: before which of the shown events it was told of being out, or in, or connected anew
    logged_in: it came as a guest, and has logged in
    sessions:  each time that it was connected
    changes:   of the account's password, or tries of that
    """

    name: str
    number: int = 0
    channel: str = "#general"
    account: str = ""
    program: str = ""
    said: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    shown: list[Entry] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    connects: int = 0
    flushed: bool = False
    ending: str | None = None
    ended_at: int = 0
    left: bool = False
    expelled: bool = False
    refused: list[str] = field(default_factory=list)
    silenced: list[Silenced] = field(default_factory=list)
    returns: list[tuple[int, str]] = field(default_factory=list)
    logged_in: bool = False
    sessions: list[Connect] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.program or self.name}, life {self.number}"

    @property
    def renewals(self) -> int:
        """How often it has logged in anew by itself."""
        return sum(
            later.session != former.session and not later.login for former, later in pairwise(self.sessions)
        )

    @property
    def names(self) -> set[str]:
        """The names under which it may have done something."""
        return {self.name, self.account} - {""}


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


def details(kind: str, extra: bytes) -> dict[str, Any]:
    """What the rows of an event's extra say, as fields of an `Entry`."""
    rows, at = dict[int, bytes](), 0
    while at < len(extra):
        end = at + 2 + extra[at + 1]
        rows[extra[at]] = extra[at + 2 : end]
        at = end
    if kind == "joined":
        found: dict[str, Any] = {"account": rows[_ACCOUNT].decode()} if _ACCOUNT in rows else {}
        return found | ({"role": rows[_ROLE][0]} if _ROLE in rows else {})
    if kind == "set" and _FROM_JOINING in rows:
        return {"sealed": bool(rows[_FROM_JOINING][0])}
    if kind == "set" and _MODERATED in rows:
        return {"hushed": int(bool(rows[_MODERATED][0]))}
    if kind in ("kicked", "listed", "audited", "called"):
        return _about(rows)
    if kind not in _SAID_BY_LINES:
        return {}
    return {name: int.from_bytes(rows[key], "big") for key, name in _ROWS.items() if key in rows}


def _about(rows: dict[int, bytes]) -> dict[str, Any]:
    """Whom an event is about, and which list."""
    numbers = {"target": _TARGET, "list": _LIST, "until": _UNTIL, "within": _IN}
    found: dict[str, Any] = {
        name: int.from_bytes(rows[key], "big") for name, key in numbers.items() if key in rows
    }
    name = rows.get(_TARGET_NAME, rows.get(_WHOM))  # a name may be listed before anybody has it
    if name is not None:
        found["target_name"] = name.decode()
    return found | ({"removed": True} if _REMOVED in rows else {})


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
            case "silenced":
                life.silenced.append(Silenced(brief(record["text"]), record["said"], record["at"]))
            case "out" | "in":
                life.returns.append((len(life.shown), record["did"]))
            case "connected":
                life.returns.append((len(life.shown), "connected"))
                life.connects += 1
                life.sessions.append(Connect(record.get("at", 0), record.get("session", "")))
            case "logged in":
                life.logged_in = True
                life.sessions.append(Connect(record["at"], record["session"], login=True))
            case "changing":
                life.changes.append(Change(record["at"]))
            case "changed":
                life.changes[-1] = Change(life.changes[-1].sent, record["at"])
            case "flushed":
                life.flushed = True
            case "ended":
                life.ending = record["reason"]
                life.left = not life.ending
                life.ended_at = record.get("at", 0)
                life.expelled = life.ending.startswith(EXPELLED)
    return life
