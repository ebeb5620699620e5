"""What the native door says about the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.outcomes import Code, Outcome

Rows = tuple[Any, ...]


def of_history_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    words = _OF.get((command, outcome.code))
    return words(outcome.rows) if words is not None and outcome.rows else None


def _page(rows: Rows) -> str:
    """After the lines of a page: how to get those before them."""
    (row,) = rows
    return f"more: the same with before:{row['before']}" if row["more"] else "that is all"


_OF: dict[tuple[str, Code], Callable[[Rows], str]] = {
    ("/history", Code.OK): _page,
    ("/grep", Code.OK): _page,
    ("/context", Code.OK): lambda _: "",
    ("/history", Code.NOT_IN): lambda rows: f"you are not in {rows[0]}",
    ("/grep", Code.NOT_IN): lambda rows: f"you are not in {rows[0]}",
    ("/grep", Code.BAD_NAME): lambda rows: f"{rows[0]} cannot be a name",
    ("/context", Code.NO_SUCH_MESSAGE): lambda rows: f"you see no message {rows[0]}",
    ("/read", Code.OK): lambda rows: f"read up to {rows[1]}",
    ("/read", Code.ALREADY): lambda rows: f"read already, up to {rows[1]}",
    ("/read", Code.NO_SUCH_MESSAGE): lambda rows: f"there is no message {rows[0]} yet",
}
"""By command and code; a function gets the rows, of which there is at least one."""
