"""Ctrl-R: the search in the lines that the user has sent, from the latest to older ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from views.limits import SEARCH_CHARACTERS, SEARCHED_CHARACTERS
from views.pasted import Pieces
from views.sanitize import one_line


class Search:
    """A word and the line that has it.

    found: the pieces of that line; None as long as no line was found
    at:    where the word begins in the line, in characters
    failed: no line, or no older line, has the word
    """

    def __init__(self, lines: Sequence[Pieces], last: str = "") -> None:
        """lines: the latest first; last: the word of the search before, which `older` takes for none"""
        self.word = ""
        self.found: Pieces | None = None
        self.at = 0
        self.failed = False
        self._lines = lines
        self._last = last
        self._position = 0  # of the line that was found, or of the first one to look at

    def type(self, text: str) -> None:
        """Add to the word. The line that was found stays if it has the longer word."""
        self.word = (self.word + one_line(text))[:SEARCH_CHARACTERS]
        self._look(self._position)

    def shorten(self) -> None:
        """Take the last character of the word, and begin at the latest line again."""
        self.word, self._position = self.word[:-1], 0
        self.found, self.at = None, 0
        self._look(0)

    def older(self) -> None:
        """Go to the next older line that has the word and is not the same."""
        if not self.word:
            self.type(self._last)
        else:
            self._look(self._position + 1 if self.found is not None else 0)

    def _look(self, start: int) -> None:
        self.failed = False
        if not self.word:
            return
        pattern = re.compile(re.escape(self.word), re.IGNORECASE)
        for position in range(start, len(self._lines)):
            line = self._lines[position]
            match = pattern.search("".join(line)[:SEARCHED_CHARACTERS])
            if match and (position == self._position or line != self.found):
                self.found, self.at, self._position = line, match.start(), position
                return
        self.failed = True
