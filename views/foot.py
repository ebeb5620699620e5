"""The foot of the screen: own lines that are not stored yet, the status, the input line or a question."""

from __future__ import annotations

from collections.abc import Sequence

from views.formatting import Theme
from views.keyboard import Keyboard
from views.layout import Block, Status, layout_input, layout_question, pending_rows, prompt_name, status_rows
from views.limits import QUIET_LINES
from views.quiet_row import quiet_row
from views.sanitize import one_line
from views.text import Row, Span


class Foot:
    """What stands there at the moment.

    name:    of the user, before the prompt
    pending: the user's own lines that are not stored yet, in order
    status:  of the row above the input
    """

    def __init__(self, name: str, keyboard: Keyboard, theme: Theme) -> None:
        self.name = name
        self.pending: Sequence[str] = ()
        self.status = Status()
        self._keyboard = keyboard
        self._theme = theme

    def block(self, columns: int, lines: int) -> Block:
        """It, on a screen of this size."""
        pending = pending_rows(self.pending, columns, lines, self._theme)
        status = status_rows(self.status, columns, lines, self._theme)
        own, most_rows = self._theme.palette.own, max(1, lines // 2)
        question, editor = self._keyboard.question, self._keyboard.editor
        if question is not None:
            return layout_question(Span(question.question, own), columns, most_rows, [*pending, *status])
        above = [*pending, *status[:-1], *(self.quiet_rows(columns, lines) or status[-1:])]
        name = Span(prompt_name(one_line(self.name), one_line(self.status.to), columns), own)
        block = layout_input(name, editor.clusters, editor.cursor, columns, most_rows, above)
        return block._replace(spare=block.spare + len(above) - len(pending) - len(status))

    def quiet_rows(self, columns: int, lines: int) -> list[Row]:
        """The row above the prompt that is there for a key only, in place of the status."""
        if lines < QUIET_LINES:
            return []
        palette = self._theme.palette
        row = quiet_row(self._keyboard.editor, columns, palette.quiet, palette.own)
        return [] if row is None else [row]
