"""Where an error came from, in one line without the error's own text: that may quote what a member wrote."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from chatroom.limits import MAX_FRAMES


def blame(error: BaseException) -> str:
    """The kind of an error and the calls that led to it, the innermost first; and those of its cause.

    Of what the system refuses, its words, too: they quote nobody.
    """
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return _one(error) if cause is None else f"{_one(error)}; after {_one(cause)}"


def _one(error: BaseException) -> str:
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        kind = f"{kind} ({error.strerror})"
    calls = [
        f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return f"{kind} at {' < '.join(reversed(calls[-MAX_FRAMES:]))}" if calls else kind
