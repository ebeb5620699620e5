"""What the user of this computer prefers: keywords that call, when the terminal rings, and the name used last
at each server. Kept in a file."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Final

from chatroom.errors import ConfigError, NameRefused
from chatroom.names import check_name, name_key
from client.data_folder import data_folder, locked, replace
from client.limits import KEPT_NAMES, KEYWORD_CHARACTERS, MAX_KEYWORDS, PREFERENCES_BYTES
from views import one_line

FILE: Final = "preferences.json"


class Bell(StrEnum):
    """When the terminal rings."""

    OFF = "off"
    MENTION = "mention"
    ALL = "all"


class Preferences:
    """In the main thread. What another program of the user writes meanwhile is taken before a change.

    path: of the file, which need not exist; None: nothing is kept
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.keywords: tuple[str, ...] = ()  # in the order in which they were added
        self.bell = Bell.MENTION
        self._names: dict[str, str] = {}  # by server, the latest last
        self._load()

    @classmethod
    def of_user(cls) -> Preferences:
        """Those in the user's data folder."""
        folder = data_folder()
        return cls(None if folder is None else folder / FILE)

    def add(self, word: str) -> bool:
        """Add a keyword; whether it is new. Raises ConfigError: it cannot be one, or there are too many."""
        word = one_line(word).strip()
        if not name_key(word) or len(word) > KEYWORD_CHARACTERS:
            raise ConfigError(f"a keyword has 1 to {KEYWORD_CHARACTERS} characters")
        with _Change(self):
            known = {name_key(each) for each in self.keywords}
            if name_key(word) in known:
                return False
            if len(self.keywords) >= MAX_KEYWORDS:
                raise ConfigError(f"there are {MAX_KEYWORDS} keywords already; /keyword remove WORD")
            self.keywords = (*self.keywords, word)
        return True

    def remove(self, word: str) -> bool:
        """Remove a keyword; whether it was there. Raises ConfigError."""
        key = name_key(one_line(word).strip())
        with _Change(self):
            left = tuple(each for each in self.keywords if name_key(each) != key)
            found = len(left) < len(self.keywords)
            self.keywords = left
        return found

    def ring(self, bell: Bell) -> None:
        """Ring at these lines from now on. Raises ConfigError."""
        with _Change(self):
            self.bell = bell

    def name_at(self, server: str) -> str:
        """The name that was used last at this server; empty: none is known. server: see `address_key`"""
        return self._names.get(server, "")

    def call_me(self, name: str, server: str) -> None:
        """The user is called so at this server. Raises ConfigError."""
        if self._names.get(server) == name:
            return
        with _Change(self):
            self._names.pop(server, None)
            self._names[server] = name
            while len(self._names) > KEPT_NAMES:
                del self._names[next(iter(self._names))]

    def _load(self) -> None:
        """Take what the file says; a file that is none of ours, or cannot be read, says nothing."""
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                data = file.read(PREFERENCES_BYTES + 1)
            found = json.loads(data) if len(data) <= PREFERENCES_BYTES else None
        except (OSError, ValueError, RecursionError):
            return
        if not isinstance(found, dict):
            return
        words = found.get("keywords")
        if isinstance(words, list):
            wanted = [one_line(word) for word in words if isinstance(word, str)]
            fit = [word for word in wanted if name_key(word) and len(word) <= KEYWORD_CHARACTERS]
            self.keywords = tuple(dict.fromkeys(fit))[:MAX_KEYWORDS]
        if found.get("bell") in tuple(Bell):
            self.bell = Bell(found["bell"])
        names = found.get("names")
        if isinstance(names, dict):
            self._names = dict([each for each in names.items() if _is_name(each[1])][-KEPT_NAMES:])

    def _save(self) -> None:
        assert self._path is not None
        kept = {"keywords": list(self.keywords), "bell": str(self.bell), "names": self._names}
        replace(self._path, json.dumps(kept, ensure_ascii=False, indent=1).encode() + b"\n")


def _is_name(name: object) -> bool:
    try:
        return isinstance(name, str) and check_name(name) == name
    except NameRefused:
        return False


class _Change:
    """The block changes preferences: under the lock of the folder, read before and written after it.

    What cannot be written is in effect until the program ends; then the block raises ConfigError.
    """

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._path = preferences._path
        self._lock = None if self._path is None else locked(self._path.parent)

    def __enter__(self) -> None:
        if self._lock is not None:
            try:
                self._lock.__enter__()
            except OSError:
                self._lock = None  # it cannot be written, either, which is told then
            else:
                self._preferences._load()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._path is not None:
                self._preferences._save()
        except OSError as error:
            raise ConfigError(f"this holds until you leave: {error.strerror or error}") from None
        finally:
            if self._lock is not None:
                self._lock.__exit__(None, None, None)
