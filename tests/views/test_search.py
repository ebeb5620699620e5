"""Tests of Ctrl-R: the search in the lines that were sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.views.attacks import texts
from tests.views.test_editor import shown
from views.editor import LineEditor
from views.keys import Input, Jump, Key, Paste, Text
from views.limits import SEARCH_CHARACTERS, SEARCHED_CHARACTERS
from views.search import Search


def sent(*lines: str) -> LineEditor:
    editor = LineEditor()
    for line in lines:
        editor.insert(line)
        editor.take()
    return editor


def give(editor: LineEditor, *inputs: Input) -> None:
    """Give inputs as a view does: what is not for the search is for the line."""
    for given_input in inputs:
        if editor.searches(given_input):
            continue
        if isinstance(given_input, Key):
            editor.apply(given_input)
        elif not isinstance(given_input, Jump):
            editor.take_in(given_input)


def test_ctrl_r_finds_the_latest_line_and_then_older_ones() -> None:
    """The cursor is at the word; Ctrl-R goes on to the next older line, which is another one."""
    editor = sent("the Tea is cold", "coffee", "tea?", "no", "tea?")
    give(editor, Key.SEARCH, Text("te"))
    assert shown(editor) == "|tea?"
    give(editor, Key.SEARCH)
    assert shown(editor) == "the |Tea is cold"
    give(editor, Key.SEARCH)
    assert shown(editor) == "the |Tea is cold"
    assert editor.search is not None and editor.search.failed


def test_a_longer_word_keeps_the_line_that_has_it() -> None:
    """Each character looks on from the line that was found; Backspace begins at the latest line again."""
    editor = sent("tea today", "tell me", "team")
    give(editor, Key.SEARCH, Text("t"), Text("e"))
    assert shown(editor) == "|team"
    give(editor, Text("l"))
    assert shown(editor) == "|tell me"
    give(editor, Key.BACKSPACE)
    assert shown(editor) == "|team"
    give(editor, Key.BACKSPACE, Key.BACKSPACE, Key.BACKSPACE)
    assert shown(editor) == "|"


def test_enter_takes_the_line_and_does_not_send() -> None:
    """Enter takes it into the line, with the cursor at its end; undo brings the half-typed line back."""
    editor = sent("hello")
    editor.insert("half")
    give(editor, Key.SEARCH, Text("ell"), Key.ENTER)
    assert shown(editor) == "hello|" and editor.search is None
    give(editor, Key.UNDO)
    assert shown(editor) == "half|"


def test_other_keys_take_the_line_and_edit_it() -> None:
    """A key that edits does so where the word was found."""
    editor = sent("say hello")
    give(editor, Key.SEARCH, Text("hello"), Key.KILL_TO_END)
    assert shown(editor) == "say |" and editor.search is None


def test_leaving_the_search_gives_the_half_typed_line_back() -> None:
    """Ctrl-G, Esc, Ctrl-C and Ctrl-D leave; so does going to another channel, and a line that comes back."""
    for key in (Key.ABORT, Key.ESCAPE, Key.CANCEL, Key.DELETE_OR_LEAVE, Jump(2)):
        editor = sent("hello")
        editor.insert("half")
        editor.apply(Key.LEFT)
        give(editor, Key.SEARCH, Text("hel"), key)
        assert shown(editor) == "hal|f" and editor.search is None
    give(editor, Key.SEARCH, Text("hel"))
    editor.restore("refused ")
    assert shown(editor) == "refused |half"


def test_nothing_found_keeps_the_half_typed_line() -> None:
    """While no line has the word, and when Enter is pressed then, the half-typed line is there."""
    editor = sent("hello")
    editor.insert("half")
    give(editor, Key.SEARCH, Text("zz"))
    assert shown(editor) == "half|"
    assert editor.search is not None and editor.search.failed
    give(editor, Key.REDRAW, Key.ENTER)
    assert shown(editor) == "half|"


def test_the_last_word_is_taken_again() -> None:
    """Ctrl-R twice looks for the word of the search before."""
    editor = sent("one", "two")
    give(editor, Key.SEARCH, Text("on"), Key.ABORT, Key.SEARCH, Key.SEARCH)
    assert shown(editor) == "|one"


def test_a_paste_that_is_found_is_a_mark_again() -> None:
    """The word may be within a long paste: the cursor is at its mark."""
    editor = LineEditor()
    editor.insert("look: ")
    editor.take_in(Paste("line\n" * 9))
    text = editor.take()
    give(editor, Key.SEARCH, Paste("line"))
    assert editor.text == text and len(editor.clusters) == 7
    give(editor, Key.SEARCH, Key.ENTER)
    assert editor.cursor == 7


def test_a_secret_line_is_not_found() -> None:
    """A line that was taken as private is in no search."""
    editor = LineEditor()
    editor.insert("/register horse")
    editor.take(private=True)
    give(editor, Key.SEARCH, Text("reg"))
    assert shown(editor) == "|"


def test_the_search_is_bounded() -> None:
    """The word has a longest size, and of long lines only the beginning is looked at."""
    search = Search([("x" * SEARCHED_CHARACTERS + "end",)])
    search.type("end")
    assert search.found is None and search.failed
    search.type("x" * 1000)
    assert len(search.word) == SEARCH_CHARACTERS


@given(
    st.lists(texts, max_size=5),
    texts,
    st.lists(st.one_of(texts.map(Text), texts.map(Paste), st.sampled_from(list(Key))), max_size=12),
)
def test_any_search_loses_nothing(lines: list[str], half: str, steps: list[Input]) -> None:
    """Whatever is typed in a search, the cursor is in the line, and Ctrl-G gives the half-typed line back."""
    editor = sent(*lines)
    editor.insert(half)
    before = (editor.text, editor.cursor)
    give(editor, Key.SEARCH)
    for step in steps:
        if not editor.searches(step) or editor.search is None:
            break
        assert 0 <= editor.cursor <= len(editor.clusters)
    if editor.search is not None:
        give(editor, Key.ABORT)
        assert (editor.text, editor.cursor) == before
