"""The input line: text, cursor, what was killed, what was sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatroom.limits import MAX_TEXT
from views.harmless import typed
from views.keys import Key
from views.limits import INPUT_HISTORY, UNDO_STEPS
from views.text import clusters


class Snapshot(NamedTuple):
    """The line as it was at some moment: clusters and the cursor as an index into them."""

    clusters: tuple[str, ...]
    cursor: int


class LineEditor:
    """A line of text and a cursor that moves by whole characters as a person sees them."""

    def __init__(self, completions: Callable[[str, bool], Sequence[str]] = lambda _word, _first: ()) -> None:
        """completions: what the word before the cursor may become; the flag says that it begins the line."""
        self.clusters: list[str] = []
        self.cursor = 0
        self.history = InputHistory()
        self._completions = completions
        self._cycle: _Cycle | None = None
        self._killed: deque[str] = deque(maxlen=16)
        self._yanked = 0  # clusters that the last YANK put in, while it was the last key
        self._undo: deque[Snapshot] = deque(maxlen=UNDO_STEPS)
        self._typing = False  # several typed characters are one step to undo
        self._killing = False  # several kills in a row are one text to yank

    def __repr__(self) -> str:
        before, after = self.clusters[: self.cursor], self.clusters[self.cursor :]
        return f"<LineEditor {''.join(before)!r}|{''.join(after)!r}>"

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(self.clusters)

    def insert(self, text: str, *, typing: bool = False) -> bool:
        """Put text at the cursor; False when it did not fit whole (MAX_TEXT bytes for the line)."""
        wanted = typed(text)
        room = MAX_TEXT - len(self.text.encode())
        data = wanted.encode()
        fitting = data[:room].decode("utf-8", "ignore") if len(data) > room else wanted
        if not (typing and self._typing):
            self._remember()
        self._others(typing=typing)
        before = "".join(self.clusters[: self.cursor]) + fitting
        self._set(before, "".join(self.clusters[self.cursor :]))
        return fitting == wanted

    def take(self) -> str:
        """The line for sending; the editor is empty afterwards, and Up brings the line back."""
        text = self.text
        self.history.add(text)
        self.clear()
        return text

    def clear(self) -> None:
        """Empty the line; one can still undo that."""
        self._remember()
        self._others()
        self.clusters, self.cursor = [], 0
        self.history.leave()

    def restore(self, text: str) -> None:
        """Put a text back that could not be sent, before what was typed since."""
        self._remember()
        self._set(text, self.text)

    def apply(self, key: Key) -> bool:
        """Do what the key says; False when it says nothing to a line editor."""
        action = _ACTIONS.get(key)
        if action is None:
            return False
        if key not in _KEEPS_CYCLE:
            self._cycle = None
        action(self)
        if key not in _KILLS:
            self._killing = False
        if key not in (Key.YANK, Key.YANK_OLDER):
            self._yanked = 0
        self._typing = False
        return True

    # --- steps -------------------------------------------------------------------------------------------

    def _set(self, before: str, after: str) -> None:
        """Make the line of two strings, the cursor between them; characters may join where they meet."""
        whole = clusters(before + after)
        if len(whole) == len(before) + len(after):  # each character a cluster of its own
            self.clusters, self.cursor = whole, len(before)
            return
        size = position = 0
        while size < len(before):
            size += len(whole[position])
            position += 1
        self.clusters, self.cursor = whole, position

    def _others(self, *, typing: bool = False) -> None:
        """Text was changed by something else than a key: what keys had begun is over."""
        self._typing, self._killing, self._yanked, self._cycle = typing, False, 0, None

    def _remember(self) -> None:
        self._undo.append(Snapshot(tuple(self.clusters), self.cursor))

    def _undo_step(self) -> None:
        if self._undo:
            before = self._undo.pop()
            self.clusters, self.cursor = list(before.clusters), before.cursor

    def _move_to(self, cursor: int) -> None:
        self.cursor = min(max(cursor, 0), len(self.clusters))

    def _remove(self, start: int, end: int) -> str:
        """Take out clusters; what was apart before may join now."""
        removed = "".join(self.clusters[start:end])
        if removed:
            self._remember()
            self._set("".join(self.clusters[:start]), "".join(self.clusters[end:]))
        return removed

    def _kill(self, start: int, end: int) -> None:
        backwards = start < self.cursor
        removed = self._remove(start, end)
        if removed and self._killing:
            self._killed[-1] = removed + self._killed[-1] if backwards else self._killed[-1] + removed
        elif removed:
            self._killed.append(removed)
        self._killing = self._killing or bool(removed)

    def _yank(self) -> None:
        if self._killed:
            start = self.cursor
            self.insert(self._killed[-1])
            self._yanked = self.cursor - start

    def _yank_older(self) -> None:
        if self._yanked:
            self._killed.rotate(1)
            self._remove(self.cursor - self._yanked, self.cursor)
            self._yank()

    def _transpose(self) -> None:
        at = min(self.cursor, len(self.clusters) - 1)
        if at >= 1:
            self._remember()
            self.clusters[at - 1], self.clusters[at] = self.clusters[at], self.clusters[at - 1]
            self.cursor = at + 1

    def _recall(self, text: str | None) -> None:
        if text is not None:
            self._remember()
            self._set(text, "")

    def _complete(self, step: int) -> None:
        if self._cycle is None:
            start = self._start_of_word(self.cursor, str.isspace)
            word = "".join(self.clusters[start : self.cursor])
            found = self._completions(word, start == 0)
            if not found:
                return
            self._remember()
            self._cycle = _Cycle(start, [*found, word], -1 if step > 0 else len(found))
        cycle = self._cycle
        cycle.at = (cycle.at + step) % len(cycle.choices)
        before = "".join(self.clusters[: cycle.start]) + cycle.choices[cycle.at]
        self._set(before, "".join(self.clusters[self.cursor :]))

    def _left(self, is_gap: Callable[[str], bool]) -> int:
        """Where the word before the cursor begins."""
        at = self.cursor
        while at and is_gap(self.clusters[at - 1]):
            at -= 1
        return self._start_of_word(at, is_gap)

    def _start_of_word(self, at: int, is_gap: Callable[[str], bool]) -> int:
        while at and not is_gap(self.clusters[at - 1]):
            at -= 1
        return at

    def _word_right(self) -> int:
        at, end = self.cursor, len(self.clusters)
        while at < end and _is_gap(self.clusters[at]):
            at += 1
        while at < end and not _is_gap(self.clusters[at]):
            at += 1
        return at


class InputHistory:
    """The lines that were sent, and the line that is being typed while one looks through them."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=INPUT_HISTORY)
        self._at: int | None = None
        self._draft = ""

    def add(self, line: str) -> None:
        """Remember a sent line, not twice in a row."""
        if line and (not self._lines or self._lines[-1] != line):
            self._lines.append(line)
        self.leave()

    def leave(self) -> None:
        """Stop looking through the lines."""
        self._at, self._draft = None, ""

    def older(self, current: str) -> str | None:
        """The line before; None at the oldest. `current` is kept when it is the one being typed."""
        at = len(self._lines) if self._at is None else self._at
        if not at:
            return None
        if self._at is None:
            self._draft = current
        self._at = at - 1
        return self._lines[self._at]

    def newer(self) -> str | None:
        """The line after; behind the latest, what was being typed."""
        if self._at is None:
            return None
        if self._at + 1 < len(self._lines):
            self._at += 1
            return self._lines[self._at]
        draft = self._draft
        self.leave()
        return draft


class _Cycle:
    """Tab was pressed, perhaps several times: what it goes through."""

    def __init__(self, start: int, choices: list[str], at: int) -> None:
        self.start, self.choices, self.at = start, choices, at


def _is_gap(cluster: str) -> bool:
    return not (cluster[0].isalnum() or cluster[0] == "_")


_KILLS = frozenset(
    (Key.KILL_TO_END, Key.KILL_TO_START, Key.KILL_WORD_LEFT, Key.KILL_SUBWORD_LEFT, Key.KILL_WORD_RIGHT)
)
_KEEPS_CYCLE = frozenset((Key.TAB, Key.BACK_TAB))

_ACTIONS: dict[Key, Callable[[LineEditor], object]] = {
    Key.NEWLINE: lambda e: e.insert("\n"),
    Key.TAB: lambda e: e._complete(1),
    Key.BACK_TAB: lambda e: e._complete(-1),
    Key.LEFT: lambda e: e._move_to(e.cursor - 1),
    Key.RIGHT: lambda e: e._move_to(e.cursor + 1),
    Key.HOME: lambda e: e._move_to(0),
    Key.END: lambda e: e._move_to(len(e.clusters)),
    Key.WORD_LEFT: lambda e: e._move_to(e._left(_is_gap)),
    Key.WORD_RIGHT: lambda e: e._move_to(e._word_right()),
    Key.BACKSPACE: lambda e: e._remove(max(0, e.cursor - 1), e.cursor),
    Key.DELETE: lambda e: e._remove(e.cursor, e.cursor + 1),
    Key.DELETE_OR_LEAVE: lambda e: e._remove(e.cursor, e.cursor + 1),
    Key.KILL_TO_END: lambda e: e._kill(e.cursor, len(e.clusters)),
    Key.KILL_TO_START: lambda e: e._kill(0, e.cursor),
    Key.KILL_WORD_LEFT: lambda e: e._kill(e._left(str.isspace), e.cursor),
    Key.KILL_SUBWORD_LEFT: lambda e: e._kill(e._left(_is_gap), e.cursor),
    Key.KILL_WORD_RIGHT: lambda e: e._kill(e.cursor, e._word_right()),
    Key.YANK: lambda e: e._yank(),
    Key.YANK_OLDER: lambda e: e._yank_older(),
    Key.TRANSPOSE: lambda e: e._transpose(),
    Key.UNDO: lambda e: e._undo_step(),
    Key.UP: lambda e: e._recall(e.history.older(e.text)),
    Key.DOWN: lambda e: e._recall(e.history.newer()),
}
