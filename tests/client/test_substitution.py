"""client/substitution.py"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.substitution import substitution_of


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("s/sene/seen/", "sene and sene", "seen and sene"),
        ("s/sene/seen", "sene", "seen"),
        ("s/a/b/g", "aaa", "bbb"),
        ("s/ no//", "yes no", "yes"),
        (r"s/1\/2/half/", "1/2 cup", "half cup"),
        ("s/./!/", "a.b", "a!b"),
        ("s/x/y/", "abc", "abc"),
    ],
)
def test_what_is_changed(line: str, before: str, after: str) -> None:
    """Plain texts, the first time or everywhere."""
    found = substitution_of(line)
    assert found is not None and found.apply(before) == after


@pytest.mark.parametrize(
    "line", ["", "s", "s/", "s//x/", "s/x", "S/a/b/", "s/a/b/c", "s/a/b/x/", " s/a/b/", "s/a\nb/c/"]
)
def test_what_is_said(line: str) -> None:
    """Everything else is a line."""
    assert substitution_of(line) is None


@given(st.text(min_size=1), st.text())
def test_any_texts(wrong: str, right: str) -> None:
    """What has neither a line end nor a backslash can be written as one."""
    if any(mark in wrong + right for mark in "\n\\"):
        return
    found = substitution_of("s/{}/{}/".format(*(text.replace("/", r"\/") for text in (wrong, right))))
    assert found is not None and (found.wrong, found.right) == (wrong, right)
