"""chatroom/blame.py"""

from __future__ import annotations

import errno
import os

from chatroom.blame import blame
from chatroom.limits import MAX_FRAMES

SAID = "what a member has said"


def fail() -> None:
    raise ValueError(SAID)


def descend(depth: int) -> None:
    if depth:
        descend(depth - 1)
    else:
        fail()


def caught(depth: int = 0) -> BaseException:
    try:
        descend(depth)
    except ValueError as error:
        return error
    raise AssertionError


def test_where_it_came_from() -> None:
    """The kind and the calls, the innermost first; not the error's own text."""
    found = blame(caught())
    calls = found.removeprefix("ValueError at ").split(" < ")
    assert [call.rpartition(" ")[2] for call in calls] == ["fail", "descend", "caught"]
    assert all(call.startswith("chatroom/test_blame.py:") for call in calls)
    assert SAID not in found


def test_it_is_short() -> None:
    """Of a deep error only the innermost calls."""
    found = blame(caught(100))
    assert found.count(" < ") == MAX_FRAMES - 1 and " fail < " in found


def test_the_cause() -> None:
    """Of what came before, too, unless it is hidden."""
    try:
        try:
            fail()
        except ValueError as error:
            raise KeyError(SAID) from error
    except KeyError as error:
        found = blame(error)
    assert found.startswith("KeyError at ") and "; after ValueError at " in found and SAID not in found


def test_what_the_system_says() -> None:
    """Its words quote nobody; an error that was never raised has no calls."""
    assert blame(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "OSError (No space left on device)"
