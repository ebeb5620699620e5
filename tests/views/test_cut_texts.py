"""Long texts: kept under their numbers, as they were said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from views.cut_texts import CutTexts
from views.limits import CUT_TEXTS, ITEM_CHARACTERS, ITEM_LINES

LONG = "x\n" * (ITEM_LINES + 1)


def test_a_long_text_has_a_number() -> None:
    """The note below its beginning names it; a short text has none, and is no block."""
    texts = CutTexts()
    assert texts.cut("short", 2, "bob") == ("short", "")
    assert texts.block is None and texts.whole(None) is None
    short, more = texts.cut(LONG, 2, "bob")
    assert LONG.startswith(short) and more.endswith(": /show 1")
    for found in (texts.whole(1), texts.whole(None), texts.block):
        assert found is not None and (found.person, found.author, found.text) == (2, "bob", LONG)


@given(st.text(min_size=ITEM_CHARACTERS + 1, max_size=ITEM_CHARACTERS + 9), st.text(max_size=9))
def test_a_text_is_kept_as_it_was_said(text: str, line: str) -> None:
    """Whatever is in it."""
    texts = CutTexts()
    texts.cut(text, 2, "bob")
    texts.cut(f"{line}\n{line}", 3, "eve")
    whole, block = texts.whole(1), texts.block
    assert whole is not None and whole.text == text
    assert block is not None and (block.author, block.text) == ("eve", f"{line}\n{line}")


def test_what_the_program_says_is_no_block() -> None:
    """A list of members is nothing that somebody has said; a long one has a number."""
    texts = CutTexts()
    texts.cut("a\nb")
    texts.cut(LONG)
    whole = texts.whole(1)
    assert texts.block is None and whole is not None and whole.number == 1
    texts.cut(LONG, 2, "bob")
    texts.cut("a\nb", 3, "eve")
    assert texts.block is not None and (texts.block.author, texts.block.number) == ("eve", 0)
    wanted = texts.wanted(None, "bob")
    assert not isinstance(wanted, str) and wanted.number == 2
    assert texts.wanted(None, "zoe") == "zoe has said no text of several lines; /whois zoe tells who that is"


def test_the_latest_are_kept() -> None:
    """CUT_TEXTS of them."""
    texts = CutTexts()
    for _ in range(CUT_TEXTS + 1):
        texts.cut(LONG)
    assert texts.whole(1) is None and texts.whole(2) is not None and texts.whole(CUT_TEXTS + 2) is None


def test_nothing_is_kept_of_an_erased_person() -> None:
    """Neither the long texts, nor the latest block."""
    texts = CutTexts()
    texts.cut(LONG, 3, "eve")
    texts.cut(LONG, 2, "bob")
    texts.erase(2)
    assert texts.whole(2) is None and texts.block is None and texts.whole(1) is not None
