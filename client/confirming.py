"""What the client does not send before it is said once more, because nobody can take it back: the end of a
channel, and a line to all that looks as if it were for one.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatroom.names import name_key


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
