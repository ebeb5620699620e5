"""chatroom/errors.py"""

from __future__ import annotations

import pytest

from chatroom import errors
from chatroom.errors import (
    BadName,
    BadPassword,
    ChatroomError,
    NameHeld,
    NameRefused,
    NameTaken,
    NeedEncryption,
    NeedLogin,
)
from chatroom.outcomes import Code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (BadName, Code.BAD_NAME),
        (NameTaken, Code.NAME_TAKEN),
        (NameHeld, Code.NAME_HELD),
        (NeedLogin, Code.NEED_LOGIN),
        (BadPassword, Code.BAD_PASSWORD),
        (NeedEncryption, Code.NEED_ENCRYPTION),
    ],
)
def test_each_refusal_of_a_name_has_its_code(kind: type[NameRefused], code: Code) -> None:
    """Programs tell the refusals apart by class or by code; all of them are NameRefused."""
    refused = kind("because")
    assert (refused.code, refused.reason) == (code, "because")
    assert isinstance(refused, NameRefused)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every error stands in the docstring's tree, and no other."""
    named = {
        line.split()[-1] if "\u2500" not in line else line.split("\u2500 ")[1].split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if "\u2500\u2500 " in line or line == "ChatroomError"
    }
    there = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, ChatroomError)
    }
    assert named == there
