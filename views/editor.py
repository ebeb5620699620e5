"""The input line: text, cursor, undo, kill ring, completion, search in what was sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from chatroom.limits import MAX_TEXT
from views.candidates import Cycle
from views.draft import Draft, Snapshot
from views.input_history import InputHistory
from views.keys import Input, Jump, Key, Paste, Text
from views.limits import UNDO_STEPS
from views.pasted import Pasted, Pieces, pasted, pieces, units
from views.sanitize import sanitize_input
from views.search import Search
from views.words import word_left, word_right, word_start

Completions = Callable[[str, bool, str], Sequence[str]]
"""Completions of a word. The flag says that it begins the line, the text is what stands before it."""


class LineEditor:
    """A line of text with a cursor that moves by units: grapheme clusters, and long pastes.

    clusters: the units
    search:   the search in what was sent, as long as it goes on; the line shows what it has found
    """

    def __init__(self, completions: Completions = lambda _word, _first, _before: ()) -> None:
        """completions: called with the word before the cursor"""
        self.clusters: list[str] = []
        self.cursor = 0
        self._joined = self.clusters, ""  # units, and their text
        self.history = InputHistory()
        self.search: Search | None = None
        self._draft = Snapshot((), 0)  # the half-typed line during a search
        self._searched = ""  # the word of the last search
        self._completions = completions
        self._cycle: Cycle | None = None
        self._kill_ring: deque[Pieces] = deque(maxlen=16)
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
        if self._joined[0] is not self.clusters:  # each change makes another list
            self._joined = self.clusters, "".join(self.clusters)
        return self._joined[1]

    @property
    def room(self) -> int:
        """The bytes that fit, too; negative if the line is too long, which `restore` may have made it."""
        return MAX_TEXT - len(self.text.encode())

    @property
    def candidates(self) -> tuple[Sequence[str], int]:
        """What Tab goes through, if that is more than one, and the number of the one in the line."""
        cycle = self._cycle
        return (cycle.found, cycle.at) if cycle is not None and len(cycle.found) > 1 else ((), 0)

    def take_in(self, given: Text | Paste) -> bool:
        """Insert what was typed, or pasted: without the line end at its end. False if not all of it fits."""
        text = sanitize_input(given.text)
        if isinstance(given, Text):
            return self._insert(text, typing=True)
        return self._insert(text.removesuffix("\n") if given.ends else text, paste=True)

    def insert(self, text: str, *, typing: bool = False) -> bool:
        """Insert text at the cursor. Returns False if not all of it fits (a line has MAX_TEXT bytes)."""
        return self._insert(sanitize_input(text), typing=typing)

    def _insert(self, wanted: str, *, typing: bool = False, paste: bool = False) -> bool:
        room = max(0, self.room)
        data = wanted.encode()
        fitting = data[:room].decode("utf-8", "ignore") if len(data) > room else wanted
        if not (typing and self._typing):
            self._remember()
        self._end_keys(typing=typing)
        self._put(pasted(fitting) if paste else fitting)
        return fitting == wanted

    def take(self, *, private: bool = False) -> str:
        """Take the line out of the editor, to send it. Key.UP recalls it.

        private: no key brings it back, nor a part of it
        """
        text = self.text
        if not private:
            self.history.add(pieces(self.clusters))
        self.clear()
        if private:
            self._undo.clear()
            self._kill_ring.clear()
        return text

    def clear(self) -> None:
        """Empty the line. Undo restores it."""
        self._remember()
        self._end_keys()
        self.clusters, self.cursor = [], 0
        self.history.stop()

    def restore(self, text: str) -> None:
        """Put back a text that could not be sent, before the text that was typed since."""
        self.stop()
        self._remember()
        self._set((pasted(text),), self.clusters)

    def hold(self) -> None:
        """The line that was taken last was not sent. Key.UP brings it back first, also behind other lines."""
        self.history.hold()

    def exchange(self, draft: Draft) -> Draft:
        """Put the line away, with its undo, and take up another one; the one that was put away."""
        self.stop()
        self._end_keys()
        self.history.stop()
        before = Draft(Snapshot(tuple(self.clusters), self.cursor), tuple(self._undo))
        self.clusters, self.cursor = list(draft.line.units), draft.line.cursor
        self._undo = deque(draft.undo, maxlen=UNDO_STEPS)
        return before

    def apply(self, key: Key) -> bool:
        """Edit the line as the key says. Returns False if the key does not edit."""
        if key not in _TABS:
            self._cycle = None
        edit = _EDITS.get(key)
        if edit is None:
            return False
        edit(self)
        if key not in _KILLS:
            self._killing = False
        if key not in (Key.YANK, Key.YANK_OLDER):
            self._yanked = 0
        self._typing = False
        return True

    # --- search ------------------------------------------------------------------------------------------

    def searches(self, given: Input) -> bool:
        """Whether an input begins the search, or is for it. Another one ends it and is for the line.

        Enter takes the line that was found; Ctrl-R goes to the next older one. Esc, Ctrl-G, Ctrl-C and Ctrl-D
        give the half-typed line back.
        """
        search = self.search
        if search is None:
            if given is Key.SEARCH:
                self._end_keys()
                self._draft = Snapshot(tuple(self.clusters), self.cursor)
                self.search = Search(self.history.latest(), self._searched)
            elif isinstance(given, Jump):
                self._cycle = None
            return given is Key.SEARCH
        if given in (Key.REDRAW, Key.SUSPEND):
            return False
        if isinstance(given, (Text, Paste)):
            search.type(sanitize_input(given.text))
        elif given is Key.SEARCH:
            search.older()
        elif given is Key.BACKSPACE:
            search.shorten()
        else:
            return self._end_search(search, given)
        self._show(search)
        return True

    def stop(self) -> None:
        """End the search, with the half-typed line, and the completion."""
        self._cycle = None
        if self.search is not None:
            self._end_search(self.search, Key.ABORT)

    def _show(self, search: Search) -> None:
        """Show what the search has found, with the cursor at the word; else the half-typed line."""
        if search.found is None:
            self.clusters, self.cursor = list(self._draft.units), self._draft.cursor
        else:
            self.clusters, self.cursor = units(search.found), 0
            self.cursor = self._index_of(search.at)

    def _end_search(self, search: Search, given: Input) -> bool:
        """End it. Whether the input says only that."""
        self.search, self._searched = None, search.word or self._searched
        left = given in (Key.ESCAPE, Key.ABORT, Key.CANCEL, Key.DELETE_OR_LEAVE)
        if left or isinstance(given, Jump) or search.found is None:
            self.clusters, self.cursor = list(self._draft.units), self._draft.cursor
        else:
            self._undo.append(self._draft)
            self.history.stop()
            if given is Key.ENTER:
                self.cursor = len(self.clusters)
        self._draft = Snapshot((), 0)
        return left or given is Key.ENTER

    # --- steps -------------------------------------------------------------------------------------------

    def _put(self, *parts: str) -> None:
        """Insert pieces at the cursor."""
        self._set((*self.clusters[: self.cursor], *parts), self.clusters[self.cursor :])

    def _set(self, before: Sequence[str], after: Sequence[str]) -> None:
        """Make the line of two sequences of pieces, with the cursor between. Clusters may join there."""
        parts = pieces((*before, *after))
        self.clusters = units(parts)
        text = "".join(parts)
        self._joined = self.clusters, text
        few = len(before) < len(after)
        size = len("".join(before)) if few else len(text) - len("".join(after))
        simple = len(self.clusters) == len(text)  # each character is a cluster of its own
        self.cursor = size if simple else self._index_of(size)

    def _index_of(self, size: int) -> int:
        """The number of units that have so many characters together."""
        position = 0
        while size > 0 and position < len(self.clusters):
            size -= len(self.clusters[position])
            position += 1
        return position

    def _end_keys(self, *, typing: bool = False) -> None:
        """Text changed, but not by a key: end series of typing, kills, yanks and Tabs."""
        self._typing, self._killing, self._yanked, self._cycle = typing, False, 0, None

    def _remember(self) -> None:
        self._undo.append(Snapshot(tuple(self.clusters), self.cursor))

    def _undo_step(self) -> None:
        if self._undo:
            before = self._undo.pop()
            self.clusters, self.cursor = list(before.units), before.cursor

    def _move_to(self, cursor: int) -> None:
        self.cursor = min(max(cursor, 0), len(self.clusters))

    def _remove(self, start: int, end: int) -> Pieces:
        """Remove units and return their pieces. The clusters on both sides may join."""
        removed = pieces(self.clusters[start:end])
        if removed:
            self._remember()
            self._set(self.clusters[:start], self.clusters[end:])
        return removed

    def _kill(self, start: int, end: int) -> None:
        backwards = start < self.cursor
        removed = self._remove(start, end)
        if removed and self._killing:
            before = self._kill_ring[-1]
            self._kill_ring[-1] = pieces((*removed, *before) if backwards else (*before, *removed))
        elif removed:
            self._kill_ring.append(removed)
        self._killing = self._killing or bool(removed)

    def _yank(self) -> None:
        if self._kill_ring and len("".join(self._kill_ring[-1]).encode()) <= self.room:
            start = self.cursor
            self._remember()
            self._put(*self._kill_ring[-1])
            self._yanked = self.cursor - start

    def _yank_older(self) -> None:
        if self._yanked:
            self._kill_ring.rotate(1)
            self._remove(self.cursor - self._yanked, self.cursor)
            self._yank()

    def _expand(self) -> None:
        """Show the text of a long paste: the one before the cursor, else the next one."""
        pastes = [at for at, unit in enumerate(self.clusters) if isinstance(unit, Pasted)]
        before = [at for at in pastes if at < self.cursor]
        if pastes:
            at = before[-1] if before else pastes[0]
            self._remember()
            self._set((*self.clusters[:at], str(self.clusters[at])), self.clusters[at + 1 :])

    def _transpose(self) -> None:
        at = min(self.cursor, len(self.clusters) - 1)
        if at >= 1:
            self._remember()
            first, second = self.clusters[at - 1 : at + 1]
            self.clusters = [*self.clusters[: at - 1], second, first, *self.clusters[at + 1 :]]
            self.cursor = at + 1

    def _recall(self, line: Pieces | None) -> None:
        if line is not None:
            self._remember()
            self._set(line, ())

    def _complete(self, step: int) -> None:
        if self._cycle is None:
            start = word_start(self.clusters, self.cursor, str.isspace)
            word, before = "".join(self.clusters[start : self.cursor]), "".join(self.clusters[:start])
            room = self.room + len(word.encode())
            found = [each for each in self._completions(word, not before, before) if _fits(each, room)]
            if not found:
                return
            self._remember()
            self._cycle = Cycle(start, found, word, step)
        choice = self._cycle.turn(step)
        self._set((*self.clusters[: self._cycle.start], choice), self.clusters[self.cursor :])


def _fits(text: str, room: int) -> bool:
    return len(text.encode()) <= room


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
    Key.WORD_LEFT: lambda e: e._move_to(word_left(e.clusters, e.cursor)),
    Key.WORD_RIGHT: lambda e: e._move_to(word_right(e.clusters, e.cursor)),
    Key.BACKSPACE: lambda e: e._remove(max(0, e.cursor - 1), e.cursor),
    Key.DELETE: lambda e: e._remove(e.cursor, e.cursor + 1),
    Key.DELETE_OR_LEAVE: lambda e: e._remove(e.cursor, e.cursor + 1),
    Key.KILL_TO_END: lambda e: e._kill(e.cursor, len(e.clusters)),
    Key.KILL_TO_START: lambda e: e._kill(0, e.cursor),
    Key.KILL_WORD_LEFT: lambda e: e._kill(word_left(e.clusters, e.cursor, str.isspace), e.cursor),
    Key.KILL_SUBWORD_LEFT: lambda e: e._kill(word_left(e.clusters, e.cursor), e.cursor),
    Key.KILL_WORD_RIGHT: lambda e: e._kill(e.cursor, word_right(e.clusters, e.cursor)),
    Key.YANK: lambda e: e._yank(),
    Key.YANK_OLDER: lambda e: e._yank_older(),
    Key.TRANSPOSE: lambda e: e._transpose(),
    Key.UNDO: lambda e: e._undo_step(),
    Key.EXPAND: lambda e: e._expand(),
    Key.UP: lambda e: e._recall(e.history.older(pieces(e.clusters))),
    Key.DOWN: lambda e: e._recall(e.history.newer()),
}
