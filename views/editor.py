"""The input line: text, cursor, undo, kill ring, completion."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatroom.limits import MAX_TEXT
from views.input_history import InputHistory
from views.keys import Key
from views.limits import UNDO_STEPS
from views.sanitize import sanitize_input
from views.text import clusters


class Snapshot(NamedTuple):
    """A state of the line for undo: clusters, and the cursor as an index into them."""

    clusters: tuple[str, ...]
    cursor: int


class LineEditor:
    """A line of text with a cursor that moves by grapheme clusters."""

    def __init__(self, completions: Callable[[str, bool], Sequence[str]] = lambda _word, _first: ()) -> None:
        """completions: completions of the word before the cursor; the flag says that it begins the line."""
        self.clusters: list[str] = []
        self.cursor = 0
        self.history = InputHistory()
        self._completions = completions
        self._cycle: _Cycle | None = None
        self._kill_ring: deque[str] = deque(maxlen=16)
        self._yanked = 0  # clusters inserted by YANK, while YANK was the last key
        self._undo: deque[Snapshot] = deque(maxlen=UNDO_STEPS)
        self._typing = False  # the last input was typed text: more of it belongs to the same undo step
        self._killing = False  # the last key was a kill: another one extends the same text

    def __repr__(self) -> str:
        before, after = self.clusters[: self.cursor], self.clusters[self.cursor :]
        return f"<LineEditor {''.join(before)!r}|{''.join(after)!r}>"

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(self.clusters)

    def insert(self, text: str, *, typing: bool = False) -> bool:
        """Insert text at the cursor. Returns False if not all of it fits (a line has MAX_TEXT bytes)."""
        wanted = sanitize_input(text)
        room = max(0, MAX_TEXT - len(self.text.encode()))  # restore() may have made it longer
        data = wanted.encode()
        fitting = data[:room].decode("utf-8", "ignore") if len(data) > room else wanted
        if not (typing and self._typing):
            self._remember()
        self._end_keys(typing=typing)
        before = "".join(self.clusters[: self.cursor]) + fitting
        self._set(before, "".join(self.clusters[self.cursor :]))
        return fitting == wanted

    def take(self) -> str:
        """Take the line out of the editor, to send it. Key.UP recalls it."""
        text = self.text
        self.history.add(text)
        self.clear()
        return text

    def clear(self) -> None:
        """Empty the line. Undo restores it."""
        self._remember()
        self._end_keys()
        self.clusters, self.cursor = [], 0
        self.history.stop()

    def restore(self, text: str) -> None:
        """Put back a text that could not be sent, before the text that was typed since."""
        self._remember()
        self._set(text, self.text)

    def apply(self, key: Key) -> bool:
        """Edit the line as the key says. Returns False if the key does not edit."""
        edit = _EDITS.get(key)
        if edit is None:
            return False
        if key not in _TABS:
            self._cycle = None
        edit(self)
        if key not in _KILLS:
            self._killing = False
        if key not in (Key.YANK, Key.YANK_OLDER):
            self._yanked = 0
        self._typing = False
        return True

    # --- steps -------------------------------------------------------------------------------------------

    def _set(self, before: str, after: str) -> None:
        """Make the line of two strings, with the cursor between them. Their clusters may join there."""
        whole = clusters(before + after)
        if len(whole) == len(before) + len(after):  # each character a cluster of its own
            self.clusters, self.cursor = whole, len(before)
            return
        size = position = 0
        while size < len(before):
            size += len(whole[position])
            position += 1
        self.clusters, self.cursor = whole, position

    def _end_keys(self, *, typing: bool = False) -> None:
        """Text changed, but not by a key: end series of typing, kills, yanks and Tabs."""
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
        """Remove clusters and return their text. The clusters on both sides may join."""
        removed = "".join(self.clusters[start:end])
        if removed:
            self._remember()
            self._set("".join(self.clusters[:start]), "".join(self.clusters[end:]))
        return removed

    def _kill(self, start: int, end: int) -> None:
        backwards = start < self.cursor
        removed = self._remove(start, end)
        if removed and self._killing:
            self._kill_ring[-1] = (
                removed + self._kill_ring[-1] if backwards else self._kill_ring[-1] + removed
            )
        elif removed:
            self._kill_ring.append(removed)
        self._killing = self._killing or bool(removed)

    def _yank(self) -> None:
        if self._kill_ring:
            start = self.cursor
            self.insert(self._kill_ring[-1])
            self._yanked = self.cursor - start

    def _yank_older(self) -> None:
        if self._yanked:
            self._kill_ring.rotate(1)
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
            room = MAX_TEXT - len(self.text.encode()) + len(word.encode())
            found = [each for each in self._completions(word, start == 0) if len(each.encode()) <= room]
            if not found:
                return
            self._remember()
            self._cycle = _Cycle(start, [*found, word], -1 if step > 0 else len(found))
        cycle = self._cycle
        cycle.at = (cycle.at + step) % len(cycle.choices)
        before = "".join(self.clusters[: cycle.start]) + cycle.choices[cycle.at]
        self._set(before, "".join(self.clusters[self.cursor :]))

    def _left(self, is_gap: Callable[[str], bool]) -> int:
        """The start of the word before the cursor."""
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


class _Cycle:
    """The completions that repeated Tabs go through, and the word's start."""

    def __init__(self, start: int, choices: list[str], at: int) -> None:
        self.start, self.choices, self.at = start, choices, at


def _is_gap(cluster: str) -> bool:
    return not (cluster[0].isalnum() or cluster[0] == "_")


_KILLS = frozenset(
    (Key.KILL_TO_END, Key.KILL_TO_START, Key.KILL_WORD_LEFT, Key.KILL_SUBWORD_LEFT, Key.KILL_WORD_RIGHT)
)
_TABS = frozenset((Key.TAB, Key.BACK_TAB))

_EDITS: dict[Key, Callable[[LineEditor], object]] = {
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
