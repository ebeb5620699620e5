"""Completion of names, commands and channels for the Tab key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from chatroom.events import Event, EventKind
from chatroom.limits import MAX_CHANNELS
from chatroom.names import name_key
from chatroom.printable import printable_line
from views.command_order import ordered
from views.limits import COMPLETED_CHANNELS, COMPLETED_COMMANDS, COMPLETED_NAMES


class _Known(NamedTuple):
    """A name as it is written, and the places where its member is."""

    name: str
    places: frozenset[int]


_GOING: Final = ("/go", "/join", "/leave", "/part")
"""Commands whose first argument is a channel; its `#` need not be typed."""

_TO_ONE: Final = (
    *("/msg", "/dm", "/pm", "/tell", "/whisper", "/query"),
    *("/ignore", "/unignore", "/whois", "/kick", "/ban", "/mute", "/unmute"),
)
"""Commands whose first argument is a name: Tab goes through all names before a letter is typed."""

_NOBODY: Final = _Known("", frozenset())


class Completer:
    """Completes commands, those used most first; names of members, the latest speaker first; channels.

    places: called for the places that the user is in: channels with `#`, conversations with `@`
    """

    def __init__(self, commands: Sequence[str]) -> None:
        """commands: known from the start, each with its slash."""
        self.places: Callable[[], Sequence[str]] = tuple
        self._commands = ordered(commands)
        self._channels: dict[str, str] = {}  # that the user may join, by `name_key`, the latest seen last
        self._names: dict[str, _Known] = {}  # by `name_key`, the latest speaker last

    def happened(self, event: Event) -> None:
        """Take an event, shown or not: it tells who is where."""
        if event.kind is EventKind.LEFT:
            self.left(event.author, event.place)
        elif event.kind is EventKind.QUIT:
            self.forget(event.author)
        elif event.kind is EventKind.RENAMED:
            self.renamed(event.author, event.text)
        else:
            if event.kind is EventKind.KICKED:
                self.left(event.target_name, event.place)
            if event.author:
                self.saw(event.author, event.place)

    def saw(self, name: str, place: int) -> None:
        """Note that the member `name` just did something there, and so is the first to be completed."""
        self._add(name, _joined(self._names.get(name_key(name), _NOBODY).places, place))

    def listed(self, place: int, names: Sequence[str]) -> None:
        """Take `names` as all members of the place. Those that have done nothing yet are completed last."""
        keys = {name_key(name): name for name in names if _is_name(name)}
        for known in [known for key, known in self._names.items() if key not in keys]:
            self.left(known.name, place)
        silent = {key: _Known(name, frozenset()) for key, name in keys.items() if key not in self._names}
        room = max(0, COMPLETED_NAMES - len(self._names))
        self._names = {**dict(list(silent.items())[:room]), **self._names}
        for key in keys.keys() & self._names.keys():
            known = self._names[key]
            self._names[key] = known._replace(places=_joined(known.places, place))

    def left(self, name: str, place: int) -> None:
        """Complete `name` no longer, unless its member is in another place, too."""
        known = self._names.get(name_key(name), _NOBODY)
        if known.places <= {place}:
            self.forget(name)
        else:
            self._names[name_key(name)] = known._replace(places=known.places - {place})

    def renamed(self, name: str, other: str) -> None:
        """The member `name` is called `other` now."""
        self._add(other, self._names.pop(name_key(name), _NOBODY).places)

    def forget(self, name: str) -> None:
        """Complete `name` no longer: its member is not in the chatroom any more."""
        self._names.pop(name_key(name), None)

    def forget_all(self) -> None:
        """Complete no name any more: the places have other members and other numbers now."""
        self._names.clear()

    def _add(self, name: str, places: frozenset[int]) -> None:
        """Note a name as that of the latest speaker."""
        self._names.pop(name_key(name), None)
        if _is_name(name):
            self._names[name_key(name)] = _Known(name, places)
        if len(self._names) > COMPLETED_NAMES:
            del self._names[next(iter(self._names))]

    def learn(self, commands: Sequence[str]) -> None:
        """Complete these commands, too."""
        self._commands = ordered([*self._commands, *commands])[:COMPLETED_COMMANDS]

    def learn_channels(self, names: Sequence[str]) -> None:
        """Complete these channels, too, each with its `#`; the first of them best."""
        for name in reversed(names):
            self._channels.pop(name_key(name), None)
            if _is_name(name):
                self._channels[name_key(name)] = name
        while len(self._channels) > COMPLETED_CHANNELS:
            del self._channels[next(iter(self._channels))]

    def __call__(self, word: str, first: bool, before: str = "") -> list[str]:
        """The completions of `word`, best first. A name gets ": " if the word is the `first` of the line.

        Behind a command `+` may stand before a name: it means the network of the member.
        before: what stands before the word
        """
        command = before.strip().lower()  # if only a command stands there
        if command in _GOING or word.startswith("#"):
            found = self._going(command, word)
            if found or not word.startswith("@"):
                return found
        if first and word.startswith("/"):
            return [f"{command} " for command in self._commands if command.startswith(word.lower())]
        at = word[:1] if word.startswith("@") or (word.startswith("+") and not first) else ""
        key = name_key(word[len(at) :])
        if not key and not at and command not in _TO_ONE:
            return []
        tail = ": " if first and not at else " "
        names = [known.name for each, known in reversed(self._names.items()) if each.startswith(key)]
        return [f"{at}{name}{tail}" for name in names]

    def _going(self, command: str, word: str) -> list[str]:
        """The completions of a channel; of any place behind /go."""
        own = list(self.places())
        keys = set(map(name_key, own))
        others = [name for key, name in reversed(self._channels.items()) if key not in keys]
        if command != "/go":
            own = [name for name in own if not name.startswith("@")]
        known = {"/go": own, "/leave": own, "/part": own, "/join": [*others, *own]}.get(
            command, [*own, *others]
        )
        return [f"{name} " for name in known if _begins(name, word) and _is_name(name)]


def _begins(name: str, word: str) -> bool:
    """Whether a place begins with the word, in which `#` or `@` may be missing."""
    key = name_key(word)
    return name_key(name).startswith(key) or (
        word[:1] not in ("#", "@") and name_key(name[1:]).startswith(key)
    )


def _is_name(name: str) -> bool:
    """Whether it may stand in a line that the user sends: a server may call a member anything."""
    return printable_line(name) == name


def _joined(places: frozenset[int], place: int) -> frozenset[int]:
    """The places and one more; a member is in at most MAX_CHANNELS."""
    return places | {place} if len(places) < MAX_CHANNELS else places
