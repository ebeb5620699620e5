"""The row above the prompt that is there only for a key: search, candidates of Tab, how much still fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from views.candidates import candidate_spans
from views.editor import LineEditor
from views.limits import NEAR_LIMIT
from views.search import Search
from views.text import Row, Span, clip, row_of

_HINT: Final = "  Ctrl-R older, Enter takes it, Esc leaves"


def quiet_row(editor: LineEditor, columns: int, quiet: str, strong: str) -> Row | None:
    """What a row of `columns` tells of the input line; None if there is nothing to tell.

    quiet, strong: the styles
    """
    spans = _spans(editor, columns - 1, quiet, strong)
    return row_of(clip(spans, columns - 1)) if spans else None


def _spans(editor: LineEditor, columns: int, quiet: str, strong: str) -> Sequence[Span]:
    if editor.search is not None:
        return _search_spans(editor.search, quiet, strong)
    found, at = editor.candidates
    if found:
        return candidate_spans(found, at, columns, quiet, strong)
    room = editor.room
    if room >= NEAR_LIMIT:
        return ()
    return [
        Span(
            f"{abs(room):,} byte{'' if abs(room) == 1 else 's'} {'left' if room >= 0 else 'too long'}", quiet
        )
    ]


def _search_spans(search: Search, quiet: str, strong: str) -> Sequence[Span]:
    if not search.word:
        tail = "what you sent: type a part of it" + _HINT
    elif search.failed:
        tail = "  no line" if search.found is None else "  no older line"
    else:
        tail = _HINT
    return [Span("search: ", quiet), Span(search.word, strong), Span(tail, quiet)]
