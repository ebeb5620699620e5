"""Requests: slash commands whose answer a thread waits for, with the events that come before the answer."""

from __future__ import annotations

import json
import math
from concurrent.futures import Future
from typing import NamedTuple

from chatroom.errors import ChatroomError, Refused
from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import Answer


class Answered(NamedTuple):
    """What the server has answered.

    code:   for programs; a number that is not in `Code` is a new code
    words:  for persons; may have several lines, may be empty
    rows:   what the command found out; it depends on the command
    events: of the past, in the order of their seqs, for a command that looks for some
    """

    code: int
    words: str
    rows: tuple[object, ...] = ()
    events: tuple[Event, ...] = ()

    def check(self) -> Answered:
        """The answer itself. Raises Refused with the words and the code, unless it was carried out."""
        if self.code not in (Code.OK, Code.ALREADY):
            raise Refused(self.words or f"refused (code {self.code})", self.code)
        return self


class Request:
    """A command that was sent or waits to be sent. Any thread."""

    def __init__(self) -> None:
        self._answered: Future[Answered] = Future()
        self._answered.set_running_or_notify_cancel()  # who waits for it must not be able to cancel it

    def result(self, timeout: float | None = None) -> Answered:
        """Wait for the answer. Raises TimeoutError, ConnectionLost: nobody will answer it, or Closed."""
        try:
            return self._answered.result(timeout)
        except TimeoutError:
            raise TimeoutError("the server has not answered in time") from None

    def answer(self, answer: Answer, events: list[Event]) -> None:
        """The answer has come, behind these events."""
        self._answered.set_result(Answered(answer.code, answer.words, rows_of(answer.rows), tuple(events)))

    def lose(self, error: ChatroomError) -> None:
        """No answer will come."""
        self._answered.set_exception(error)


def rows_of(rows: str) -> tuple[object, ...]:
    """The rows of an answer; none for what is no JSON array, or has numbers that JSON does not know."""
    try:
        found = json.loads(rows or "[]", parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return ()
    return tuple(found) if isinstance(found, list) else ()


def _finite(text: str) -> float:
    """Raises ValueError for NaN, Infinity, and what is too large for a float: 1e999."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


def only_row(rows: tuple[object, ...]) -> list[object]:
    """The row of a command that finds one thing: its answer has the values alone, or a row of them."""
    if rows and isinstance(rows[0], list):
        return rows[0]
    return list(rows)


def texts(row: object, *keys: int) -> tuple[str, ...] | None:
    """The texts at these places of a row; None when the row is another one."""
    if not isinstance(row, list) or len(row) <= max(keys):
        return None
    found = tuple(row[key] for key in keys)
    return found if all(isinstance(each, str) for each in found) else None


def numbers(row: object, *keys: int) -> tuple[int, ...] | None:
    """The numbers at these places of a row; None when the row is another one."""
    if not isinstance(row, list) or len(row) <= max(keys):
        return None
    found = tuple(row[key] for key in keys)
    return found if all(isinstance(each, int) for each in found) else None
