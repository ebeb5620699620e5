"""Tests of long pastes: the line shows a mark and holds the whole text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.limits import MAX_TEXT
from tests.views.attacks import texts
from views.editor import LineEditor
from views.keys import Key, Paste, Text
from views.limits import PASTE_CHARACTERS, PASTE_LINES
from views.pasted import Pasted, pasted, pieces, units
from views.sanitize import sanitize_input
from views.text import clusters

CODE = "\n".join(f"line {number}" for number in range(40))


def shown(line: LineEditor) -> str:
    """The line with marks and with a bar at the cursor."""
    parts = [unit.mark if isinstance(unit, Pasted) else unit for unit in line.clusters]
    return "".join(parts[: line.cursor]) + "|" + "".join(parts[line.cursor :])


def with_paste(before: str = "", text: str = CODE, after: str = "") -> LineEditor:
    line = LineEditor()
    line.insert(after)
    line.apply(Key.HOME)
    line.insert(before)
    line.take_in(Paste(text))
    return line


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        (CODE, "[Pasted 40 lines]"),
        (CODE.replace("\n", "\r\n") + "\r\n", "[Pasted 40 lines]"),
        ("a\n" * PASTE_LINES + "a", f"[Pasted {PASTE_LINES + 1} lines]"),
        ("x" * 1234, "[Pasted 1,234 characters]"),
        ("a\n" * PASTE_LINES, "a\n" * (PASTE_LINES - 1) + "a"),
        ("x" * PASTE_CHARACTERS, "x" * PASTE_CHARACTERS),
        ("one\n", "one"),
        ("\n", ""),
    ],
)
def test_a_long_paste_is_a_mark(text: str, mark: str) -> None:
    """More than PASTE_LINES lines or PASTE_CHARACTERS are a mark. The line end at the end is left out."""
    assert shown(with_paste("see: ", text)) == f"see: {mark}|"


def test_a_paste_that_has_not_ended_keeps_its_line_end() -> None:
    """The beginning of a paste whose end has not come is followed by more of it."""
    line = LineEditor()
    line.take_in(Paste("one\n", ends=False))
    line.take_in(Paste("two\n"))
    assert line.text == "one\ntwo"


def test_it_is_sent_whole_and_recalled_as_a_mark() -> None:
    """What is sent is all of it. Up brings the line back as it looked."""
    line = with_paste("see: ", after=" what now?")
    assert line.take() == f"see: {CODE} what now?"
    line.insert("draft")
    line.apply(Key.UP)
    assert shown(line) == "see: [Pasted 40 lines] what now?|"
    assert line.text == f"see: {CODE} what now?"
    line.apply(Key.DOWN)
    assert shown(line) == "draft|"


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ([Key.BACKSPACE], "a |b"),
        ([Key.LEFT, Key.DELETE], "a |b"),
        ([Key.LEFT, Key.LEFT, Key.BACKSPACE], "| [Pasted 40 lines]b"),
        ([Key.KILL_WORD_LEFT], "a |b"),
        ([Key.KILL_SUBWORD_LEFT], "a |b"),
        ([Key.WORD_LEFT], "a |[Pasted 40 lines]b"),
        ([Key.WORD_LEFT, Key.WORD_LEFT, Key.WORD_RIGHT, Key.WORD_RIGHT], "a [Pasted 40 lines]|b"),
        ([Key.WORD_LEFT, Key.KILL_WORD_RIGHT], "a |b"),
        ([Key.END, Key.KILL_WORD_LEFT], "a [Pasted 40 lines]|"),
        ([Key.LEFT, Key.TRANSPOSE], "a[Pasted 40 lines] |b"),
        ([Key.BACKSPACE, Key.UNDO], "a [Pasted 40 lines]|b"),
        ([Key.KILL_TO_START, Key.END, Key.YANK], "ba [Pasted 40 lines]|"),
        ([Key.KILL_WORD_LEFT, Key.KILL_WORD_LEFT, Key.YANK], "a [Pasted 40 lines]|b"),
    ],
)
def test_keys_take_it_as_one(keys: list[Key], left: str) -> None:
    """The cursor steps over the mark, a key that deletes it deletes it all, undo and yank bring it back."""
    line = with_paste("a ", after="b")
    for key in keys:
        line.apply(key)
    assert shown(line) == left


def test_ctrl_o_shows_it() -> None:
    """Ctrl-O shows the text of the paste before the cursor, else of the next one; undo hides it again."""
    line = with_paste("a ", after="b")
    line.apply(Key.EXPAND)
    assert shown(line) == f"a {CODE}|b"
    assert line.clusters == clusters(line.text)
    line.apply(Key.UNDO)
    line.apply(Key.HOME)
    line.apply(Key.EXPAND)
    assert shown(line) == f"a {CODE}|b"
    line.apply(Key.EXPAND)
    assert shown(line) == f"a {CODE}|b"


def test_too_much_is_cut() -> None:
    """Of a paste that does not fit the line holds what fits, and says so."""
    line = LineEditor()
    line.insert("abc")
    assert not line.take_in(Paste("x" * MAX_TEXT))
    assert line.room == 0 and shown(line) == f"abc[Pasted {MAX_TEXT - 3:,} characters]|"
    line.apply(Key.YANK)
    line.apply(Key.KILL_WORD_LEFT)
    line.insert("wxyz")
    line.apply(Key.YANK)  # it does not fit any more
    assert line.text == "abcwxyz"


def test_a_text_that_comes_back_is_a_mark() -> None:
    """A long text that could not be sent comes back as a mark, before what was typed since."""
    line = LineEditor()
    line.insert("next")
    line.restore(CODE)
    assert shown(line) == "[Pasted 40 lines]|next"


lines = st.lists(st.one_of(texts, texts.map(lambda text: Pasted(text + ".."))), max_size=6)


@given(lines)
@example(["ab", "", "", Pasted("..")])  # as many units as characters
def test_pieces_and_units_are_the_same_line(parts: list[str]) -> None:
    """Units and pieces have the same text; pastes stay themselves, and what is between them is clusters."""
    line = units(pieces(parts))
    assert "".join(line) == "".join(parts) == "".join(pieces(parts))
    assert [part for part in line if isinstance(part, Pasted)] == [p for p in parts if isinstance(p, Pasted)]
    assert pieces(line) == pieces(parts)


@given(
    st.lists(
        st.one_of(texts, texts.map(Paste), st.just(Paste(CODE)), st.sampled_from(list(Key))), max_size=25
    )
)
def test_any_editing_around_pastes_is_sound(steps: list[str | Paste | Key]) -> None:
    """After any keys, texts and pastes the cursor is in the line, and only long texts are marks."""
    line = LineEditor()
    for step in steps:
        if isinstance(step, Key):
            line.apply(step)
        else:
            line.take_in(step if isinstance(step, Paste) else Text(step))
        assert 0 <= line.cursor <= len(line.clusters)
        for unit in line.clusters:
            assert not isinstance(unit, Pasted) or (
                type(pasted(str(unit))) is Pasted and unit in sanitize_input(unit)
            )
    text = line.text
    assert line.take() == text
