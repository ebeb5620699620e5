"""What other chats call our commands: people type that first."""

from __future__ import annotations

from typing import Final

SYNONYMS: Final[dict[str, str]] = {
    **dict.fromkeys(("name", "rename", "username", "setname"), "/nick"),
    **dict.fromkeys(("users", "people", "members", "online"), "/who"),
    **dict.fromkeys(("private", "dm", "pm", "whisper", "tell", "message"), "/msg"),
    **dict.fromkeys(("block",), "/ignore"),
    **dict.fromkeys(("unblock",), "/unignore"),
    **dict.fromkeys(("correct", "fix"), "/edit"),
    **dict.fromkeys(("search", "find"), "/grep"),
    **dict.fromkeys(("rooms",), "/channels"),
    "unkick": "/invite",
}
"""The words without their slash, and what is meant: a guess that is told, no alias. Some are commands of
clients at a terminal."""
