"""What a Tab completes to."""

from __future__ import annotations

from collections.abc import Sequence

from chatroom.names import name_key
from views.limits import COMPLETED_NAMES


class Completer:
    """What a word may become: commands, and names, those who spoke last first."""

    def __init__(self, commands: Sequence[str]) -> None:
        self._commands = sorted(commands)
        self._names: dict[str, str] = {}  # by key, the latest last

    def saw(self, name: str) -> None:
        """`name` is here: it said or did something just now."""
        self._names.pop(name_key(name), None)
        self._names[name_key(name)] = name
        if len(self._names) > COMPLETED_NAMES:
            del self._names[next(iter(self._names))]

    def forget(self, name: str) -> None:
        """`name` is gone."""
        self._names.pop(name_key(name), None)

    def learn(self, commands: Sequence[str]) -> None:
        """More commands exist."""
        self._commands = sorted({*self._commands, *commands})

    def __call__(self, word: str, first: bool) -> list[str]:
        """The completions of `word`; a name at the start of the line is an address: "ann: "."""
        if first and word.startswith("/"):
            return [f"{command} " for command in self._commands if command.startswith(word.lower())]
        at = "@" if word.startswith("@") else ""
        key = name_key(word[len(at) :])
        if not key and not at:
            return []
        tail = ": " if first and not at else " "
        names = [name for known, name in reversed(self._names.items()) if known.startswith(key)]
        return [f"{at}{name}{tail}" for name in names]
