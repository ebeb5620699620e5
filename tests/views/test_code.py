"""Code between backticks: which parts of a text are code, and that nothing of the text changes."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.views.attacks import texts
from tests.views.screen import readable
from tests.views.test_item import said, utc
from views.code import Kind, code_in, is_block
from views.formatting import Theme, format_item
from views.item import item_of
from views.limits import ITEM_CHARACTERS
from views.palette import Depth
from views.sanitize import sanitize

CODED = st.lists(
    st.sampled_from(
        ["`", "``", "```", "\n", "    ", "x", "漢字", "\u0301", "\u200d", "ann", " ", "\u0600", "👩"]
    ),
    max_size=20,
).map("".join)


def marked(text: str) -> str:
    """The text with < > around code and ( ) around backticks and fences."""
    out, at = "", 0
    for start, end, kind in code_in(text):
        left, right = "<>" if kind is Kind.CODE else "()"
        out += f"{text[at:start]}{left}{text[start:end]}{right}"
        at = end
    return out + text[at:]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no code", "no code"),
        ("try `ls -l` there", "try (`)<ls -l>(`) there"),
        ("`a` and `b`", "(`)<a>(`) and (`)<b>(`)"),
        ("``a ` b``", "(``)<a ` b>(``)"),
        ("请用`ls`看", "请用(`)<ls>(`)看"),
        ("one ` alone", "one ` alone"),
        ("`not\nover lines`", "`not\nover lines`"),
        ("d`un c`ur", "d`un c`ur"),  # apostrophes
        ("`foo' and `bar'", "`foo' and `bar'"),
        ("https://x/?q=`a`", "https://x/?q=`a`"),
        ("`` `", "`` `"),
        ("``", "``"),
        ("`a`b`", "(`)<a`b>(`)"),
        ("```x = 1```", "(```)<x = 1>(```)"),
        ("`a\u0301` b", "(`)<a\u0301>(`) b"),
        ("`\u0301a` b", "`\u0301a` b"),  # a mark is drawn onto the backtick
        ("```py\nx = `1`\n```\n`a`", "(```py)\nx = `1`\n(```)\n(`)<a>(`)"),
        ("```\nnever ends `a`", "(```)\nnever ends `a`"),
        ("````\n```\n````", "(````)\n```\n(````)"),
        ("see:\n  ```\n  x\n  ``` ", "see:\n(  ```)\n  x\n(  ``` )"),
        ("```a`b\n`c`", "```a`b\n(`)<c>(`)"),
    ],
)
def test_what_is_code(text: str, wanted: str) -> None:
    """Between two runs of the same length, on one line; in a fence only the fences are told apart."""
    assert marked(text) == wanted


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a\n  b", True),
        ("  a\nb", True),
        ("```\na\n```", True),
        ("see\n```\n", True),
        ("a\nb", False),
        ("  a", False),
    ],
)
def test_what_is_a_block(text: str, is_one: bool) -> None:
    """Several lines of which one is indented or a fence."""
    assert is_block(text) is is_one


@given(st.one_of(texts, CODED))
def test_parts_are_in_order(text: str) -> None:
    """They lie in the text, do not overlap, and code stands between two runs of backticks."""
    clean = sanitize(text)
    at = 0
    for start, end, kind in code_in(clean):
        assert at <= start < end <= len(clean)
        if kind is Kind.CODE:
            assert clean[start - 1] == clean[end] == "`" and "\n" not in clean[start:end]
        at = end


@given(st.one_of(texts, CODED), st.sampled_from([9, 20, 40, 80, 200]))
@example("\u0600ANN", 9)  # a sign that belongs to the letter behind it
@example("`\u0301`a`", 9)
def test_styles_change_no_text(text: str, columns: int) -> None:
    """With and without colours the rows have the same text."""
    item = item_of(said(text), "ann", utc)
    rows = [format_item(item, columns, Theme(depth=depth)) for depth in (Depth.NONE, Depth.MANY)]
    assert [*map(readable, rows[0])] == [*map(readable, rows[1])]


@pytest.mark.parametrize("unit", ["`", " `a", "`a ", "` ", "`` ` ", "`a\n", "```\n", " `a`a"])
def test_hostile_backticks_cost_little(unit: str) -> None:
    """The work is linear: the longest text that a frame formats takes about as long as any other."""
    text = unit * (ITEM_CHARACTERS // len(unit))
    began = time.process_time()
    for _ in range(10):
        list(code_in(text))
    assert time.process_time() - began < 0.5
