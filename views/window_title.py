"""The title of the terminal's window: escape sequences around a text that is harmless.

OSC 2 sets the title. XTWINOPS 22 and 23 (xterm's control sequences, "Window manipulation") put the title on a
stack and take it back; a terminal that has no such stack leaves them out, so the title is emptied before.
"""

from __future__ import annotations

from typing import Final

from views.limits import TITLE_CHARACTERS
from views.sanitize import one_line

SAVE_TITLE: Final = "\x1b[22;2t"
"""Puts the title on the terminal's stack."""

RESTORE_TITLE: Final = "\x1b]2;\x1b\\\x1b[23;2t"
"""Empties the title, and takes back the one that was put on the stack."""


def titled(text: str) -> str:
    """What sets the title to this text, as the screen would show it."""
    return f"\x1b]2;{one_line(text)[:TITLE_CHARACTERS]}\x1b\\"
