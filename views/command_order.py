"""The order in which Tab offers commands: what people need most often comes first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MOST_USED: Final = (
    *("/help", "/join", "/msg", "/me", "/who", "/go", "/leave", "/reply", "/query", "/channels"),
    *("/history", "/nick", "/topic", "/quit", "/react", "/edit", "/delete", "/grep", "/show", "/mentions"),
    *("/away", "/back", "/unread", "/invite", "/hand", "/vote", "/poll", "/ask", "/whois", "/seen"),
    *("/clear", "/ignore", "/unignore", "/merge", "/context", "/login", "/register", "/save", "/names"),
    *("/kick", "/mute", "/unmute", "/ban", "/unban", "/bans", "/op", "/voice", "/slow", "/hush", "/next"),
)
"""The commands of everyday use. All others follow by the alphabet."""

_PLACES: Final = {command: place for place, command in enumerate(MOST_USED)}


def ordered(commands: Iterable[str]) -> list[str]:
    """The commands, each once, those that are used most first."""
    return sorted(set(commands), key=lambda command: (_PLACES.get(command, len(_PLACES)), command))
