"""Completion of names and commands for the Tab key."""

from __future__ import annotations

from collections.abc import Sequence

from chatroom.names import name_key
from views.limits import COMPLETED_NAMES


class Completer:
    """Completes commands, and names of members; the latest speaker comes first."""

    def __init__(self, commands: Sequence[str]) -> None:
        """commands: known from the start, each with its slash."""
        self._commands = sorted(commands)
        self._names: dict[str, str] = {}  # by `name_key`, the latest speaker last

    def saw(self, name: str) -> None:
        """Note that the member `name` just did something, and so is the first to be completed."""
        self._names.pop(name_key(name), None)
        self._names[name_key(name)] = name
        if len(self._names) > COMPLETED_NAMES:
            del self._names[next(iter(self._names))]

    def forget(self, name: str) -> None:
        """Complete `name` no longer: its member has left."""
        self._names.pop(name_key(name), None)

    def learn(self, commands: Sequence[str]) -> None:
        """Complete these commands, too."""
        self._commands = sorted({*self._commands, *commands})

    def __call__(self, word: str, first: bool) -> list[str]:
        """The completions of `word`, best first. A name gets ": " if the word is the `first` of the line."""
        if first and word.startswith("/"):
            return [f"{command} " for command in self._commands if command.startswith(word.lower())]
        at = "@" if word.startswith("@") else ""
        key = name_key(word[len(at) :])
        if not key and not at:
            return []
        tail = ": " if first and not at else " "
        names = [name for known, name in reversed(self._names.items()) if known.startswith(key)]
        return [f"{at}{name}{tail}" for name in names]
