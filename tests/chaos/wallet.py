"""The secrets of an account's owner, as her programs keep them: in files, because they may be killed.

All files that may hold secrets are in one folder; everywhere else a secret is a leak.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Final

_NOTED: Final = "noted"


@dataclass
class Stale:
    """What has opened the account once, and must not any more."""

    passwords: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)


@dataclass
class Content:
    """What the owner knows.

    registered: the name is known to be hers
    owner:      and so is the chatroom
    passwords:  the right one; two while nobody knows whether a change was carried out
    changing:   the program that changes the password now
    since:      when it sent that, in milliseconds since 1970
    codes:      one-time codes for a new password
    sessions:   the token of each program's session
    """

    registered: bool = False
    owner: bool = False
    passwords: list[str] = field(default_factory=list)
    changing: str = ""
    since: int = 0
    codes: list[str] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)
    stale: Stale = field(default_factory=Stale)


class Wallet:
    """The files of one account. Several processes use it at once.

    folder: of all wallets
    name:   of the account
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.tokens = folder / f"{name}.tokens.json"
        self.password_file = folder / f"{name}.password"
        self._path = folder / f"{name}.json"
        self._lock = folder / f"{name}.lock"
        self._noted = folder / _NOTED

    def read(self) -> Content:
        """What is known now."""
        try:
            stored = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return Content()
        return Content(**stored | {"stale": Stale(**stored["stale"])})

    @contextmanager
    def change(self) -> Iterator[Content]:
        """Change what is known; no other process does so at the same time."""
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            content = self.read()
            yield content
            new = self._path.with_suffix(".new")
            new.write_text(json.dumps(asdict(content)))
            new.replace(self._path)
        finally:
            os.close(lock)

    def new_password(self, random: Random) -> str:
        """A password that nobody has had, and in it whatever the way to the server may spoil."""
        core = secrets.token_hex(12)
        self.note(core)
        return core + random.choice(("", " and a space", "%20", " häslich", "+=&?", "\u00a0\u2603"))

    def note(self, secret: str) -> None:
        """Remember a secret for the search, before anybody else knows it."""
        note_secret(self._noted, secret)

    def device(self) -> str:
        """The device token that the owner's computer keeps, in hex; "" for none."""
        try:
            rows = json.loads(self.tokens.read_bytes())["tokens"]
        except FileNotFoundError:
            return ""
        return str(rows[-1]["token"]) if rows else ""


def note_secret(path: Path, secret: str) -> None:
    """Append a secret to a file of them. One write: a kill tears none."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, secret.encode() + b"\n")
    finally:
        os.close(file)


def known_secrets(folder: Path) -> list[str]:
    """All secrets of a run; tokens are in hex."""
    found = set[str]()
    if (folder / _NOTED).exists():
        found.update((folder / _NOTED).read_text().splitlines())
    for path in folder.glob("*.tokens.json"):
        found.update(row["token"] for row in json.loads(path.read_bytes())["tokens"])
    return sorted(found - {""})
