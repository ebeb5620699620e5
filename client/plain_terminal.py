"""The terminal of plain mode: keys one by one, without echo, and not one escape sequence.

The client echoes what is typed itself, because only so it knows that a line is half-typed. Where the terminal
does not echo by itself, as in a shell of Emacs, it does not, either. A pipe serves as well, for tests.
"""

from __future__ import annotations

import codecs
import sys
import termios
from typing import Any

from client.terminal import PosixTerminal


class PlainTerminal(PosixTerminal):
    """Like `PosixTerminal`. In the `with` block it is known what the input is:

    is_terminal: no pipe
    echoes:      see above
    """

    begins = ends = ""

    def __init__(self, source: int = 0, sink: int = 1) -> None:
        super().__init__(source, sink)
        self.is_terminal = self.echoes = False
        self._encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._typed = codecs.getincrementaldecoder(getattr(sys.stdin, "encoding", None) or "utf-8")("replace")

    def read(self) -> bytes:
        """What was typed, in UTF-8, whatever the locale is. The end of a pipe is as Enter and Ctrl-D."""
        data = super().read()
        if not data and self.gone and not self.is_terminal:
            self.gone = False
            return b"\n\x04"
        return self._typed.decode(data).encode("utf-8", "replace")

    def encode(self, text: str) -> bytes:
        """What the locale lacks is a question mark."""
        return text.encode(self._encoding, "replace")

    def look(self) -> list[Any] | None:
        """The modes; None: it is no terminal."""
        try:
            modes = termios.tcgetattr(self.source)
        except termios.error:
            return None
        self.is_terminal = True
        self.echoes = bool(modes[3] & termios.ECHO)
        return modes

    def modes(self, saved: list[Any]) -> list[Any]:
        """Keys one by one, without echo and signals; output as it is."""
        plain = list(saved)
        plain[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN | termios.ISIG)
        plain[6] = list(saved[6])
        plain[6][termios.VMIN], plain[6][termios.VTIME] = 1, 0
        return plain
