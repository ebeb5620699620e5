"""The terminal of `--watch`: a screen of its own, which is gone at the end with what was on it.

The chat itself never does that: what was said stays in the terminal's scrollback (decision 11). Nobody
scrolls back to a picture that changes each second.
"""

from __future__ import annotations

from typing import Final

from client.terminal import PosixTerminal

_OTHER_SCREEN: Final = "\x1b[?1049h"  # and the cursor is remembered
_NO_CURSOR: Final = "\x1b[?25l"
_NO_WRAP: Final = "\x1b[?7l"
_AS_BEFORE: Final = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"


class WholeScreen(PosixTerminal):
    """Like `PosixTerminal`: whatever ends the block, the terminal is as it was."""

    begins = _OTHER_SCREEN + _NO_CURSOR + _NO_WRAP
    ends = _AS_BEFORE
