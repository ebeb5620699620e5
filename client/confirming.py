"""What the client does not send before it is said once more, because nobody can take it back: the end of a
channel, and a line to all that looks as if it were for one, or for the program.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Final

from chatroom.names import name_key
from client.limits import HELD_ONCE

_WORDS: Final = {
    "help": "/help lists the commands",
    "exit": "/quit leaves",
    "quit": "/quit leaves",
}
"""What people type who take the chat for a shell, and what they mean. As a whole line only."""


class Once:
    """Holds each thing once: who types it again means it. In the main thread.

    recalls: whether a key brings back a line that was not sent
    """

    def __init__(self, recalls: bool) -> None:
        self.again = "\u2191 and Enter" if recalls else "type it again"
        self._held: deque[Hashable] = deque(maxlen=HELD_ONCE)

    def holds(self, what: Hashable) -> bool:
        """Whether it is held: the first time."""
        if what in self._held:
            return False
        self._held.append(what)
        return True

    def holds_word(self, text: str) -> str:
        """What to tell instead of saying a command without its slash; empty: the line may be said."""
        word = text.strip().lower()
        if word not in _WORDS or not self.holds(("word", word)):
            return ""
        return f"{_WORDS[word]}. To say it to all who are here: {self.again}"


class AtNames:
    """In some chats only eve reads a line that begins with `@eve `. Here all do: the user is told once.
    In the main thread.

    recalls: whether a key brings back a line that was not sent
    """

    def __init__(self, recalls: bool) -> None:
        self._again = "\u2191 and Enter" if recalls else "type it again"
        self._told = False

    def holds(self, text: str, channel: str, members: Iterable[str]) -> str:
        """What to tell instead of saying a line; empty: it may be said.

        members: the names of those who would read it, as far as they are known
        """
        first, _, rest = text.partition(" ")
        if self._told or not first.startswith("@") or not rest.strip() or not channel.startswith("#"):
            return ""
        key = name_key(first[1:])
        name = next((each for each in members if name_key(each) == key), "")
        self._told = bool(name)
        if not name:
            return ""
        private = f"/msg {name} … is for {name} alone"
        return f"all in {channel} would read this; {private}. To say it to all: {self._again}"


def to_confirm(typed: str, channel: str) -> str:
    """What to tell instead of sending a command; empty: it may be sent. channel: where it is given

    The name of the channel confirms. In a direct conversation the server says that it is none.
    """
    word, *rest = typed.split(None, 2)
    if word.lower() != "/close" or (rest and rest[0].startswith("#")) or not channel.startswith("#"):
        return ""
    again = " ".join(["/close", channel, *rest])
    return (
        f"this ends {channel} for all, with all that was said there, its bans and its log: "
        f"{again} does it; /hush only makes it quiet"
    )
