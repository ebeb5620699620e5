"""A line that is typed and never shown: a password. It is in no history, and no key brings it back."""

from __future__ import annotations

import re

from chatroom.limits import MAX_TEXT
from views.keys import Key
from views.text import clusters

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


class SecretInput:
    """What the user has typed so far in answer to a question.

    question: shown in place of the input line
    """

    def __init__(self, question: str) -> None:
        self.question = question
        self._text = ""

    def __repr__(self) -> str:
        return f"<SecretInput {self.question!r}>"

    def insert(self, text: str) -> None:
        """Add typed or pasted text, without the line ends and controls that a paste may have."""
        added = _CONTROLS.sub("", text)
        if len(self._text) + len(added) <= MAX_TEXT:
            self._text += added

    def apply(self, key: Key) -> None:
        """Delete the last character or everything; other keys do nothing."""
        if key in (Key.BACKSPACE, Key.KILL_WORD_LEFT, Key.KILL_SUBWORD_LEFT):
            self._text = "".join(clusters(self._text)[:-1]) if key is Key.BACKSPACE else ""
        elif key is Key.KILL_TO_START:
            self._text = ""

    def take(self) -> str:
        """The text; it is forgotten here."""
        text, self._text = self._text, ""
        return text
