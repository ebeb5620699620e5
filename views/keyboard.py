"""The keyboard of one client: bytes become edits of the input line, answers to a question, and actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from views.actions import Action, Cancelled, Leave, LookBack, Secret, StepFound, Submitted, Suspend
from views.editor import LineEditor
from views.keys import Input, Jump, Key, KeyDecoder, Paste, Text
from views.secret_input import SecretInput

FULL: Final = "the line is full: a message has at most 64 KiB"
"""What a user is told whose text does not fit."""


class Keyboard:
    """What the user types goes into the input line, or answers a question, which is not shown.

    decoder:  of the bytes
    editor:   of the input line
    question: that waits for its answer
    """

    def __init__(self, editor: LineEditor, private: Callable[[str], bool], full: Callable[[], None]) -> None:
        """private: whether a line holds a secret, so that no key may bring it back once it was sent

        full: called when not all of a text fits into the input line
        """
        self.decoder = KeyDecoder()
        self.editor = editor
        self.question: SecretInput | None = None
        self._private = private
        self._full = full

    @property
    def edits(self) -> bool:
        """Whether keys are for the input line: no question waits, and no search goes on."""
        return self.question is None and self.editor.search is None

    def press(self, given: Input) -> Action | None:
        """Apply one key, typed text or a paste; what the client must do."""
        return self._apply(given) if self.question is None else self._answer(self.question, given)

    def _answer(self, question: SecretInput, given: Input) -> Action | None:
        """Apply a key while a question waits for its answer."""
        if isinstance(given, (Text, Paste)):
            question.insert(given.text)
        elif given in (Key.ENTER, Key.CANCEL, Key.DELETE_OR_LEAVE):
            self.question = None
            return Secret(question.take()) if given is Key.ENTER else Cancelled()
        elif given is Key.SUSPEND:
            return Suspend()
        elif not isinstance(given, Jump):
            question.apply(given)
        return None

    def _apply(self, given: Input) -> Action | None:
        if self.editor.searches(given):
            return None
        if isinstance(given, (Text, Paste)):
            if not self.editor.take_in(given):
                self._full()
            return None
        if isinstance(given, Jump):
            return given
        return self._edit(given)

    def _edit(self, key: Key) -> Action | None:
        line = self.editor.text
        if key is Key.ENTER and line.strip():
            return Submitted(self.editor.take(private=self._private(line)))
        if key is Key.ENTER:
            self.editor.clear()
        elif key is Key.CANCEL and line:
            self.editor.take(private=self._private(line))  # Up brings it back, if it may
        elif key is Key.CANCEL or (key is Key.DELETE_OR_LEAVE and not line):
            return Leave(sure=key is not Key.CANCEL)
        else:
            return self._wish(key, not line)
        return None

    def _wish(self, key: Key, is_empty: bool) -> Action | None:
        """A key that is for something else than the line, or edits it."""
        match key:
            case Key.SUSPEND:
                return Suspend()
            case Key.NEXT_FOUND:
                return StepFound(1)
            case Key.LAST_FOUND:
                return StepFound(-1)
            case Key.PAGE_UP if is_empty:
                return LookBack()
        self.editor.apply(key)
        return None
