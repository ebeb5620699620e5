"""What the native door says about the classroom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from chatroom.classroom_acts import OPENED
from chatroom.outcomes import Code, Outcome

Rows = Sequence[Any]

_NAMED: Final = 20  # raised hands of which the words name the owner: so the rows have all the room


def of_classroom_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    code, rows = outcome
    if code is Code.OK and (command == "/poll" or (command == "/vote" and not _is_vote(rows))):
        return _poll(rows)
    words = _OF.get((command, code))
    if words is None or isinstance(words, str):
        return words
    return words(rows) if rows else None


def _raised(rows: Rows) -> str:
    channel, number = rows
    return f"your hand is up in {channel}: number {number} in the queue" if number else "your hand is down"


def _hands(rows: Rows) -> str:
    channel, called, *names = rows
    more = len(names) - _NAMED
    listed = ", ".join(names[:_NAMED]) + (f", and {more} more" if more > 0 else "")
    waiting = f"hands in {channel}: {listed}" if names else f"nobody has raised a hand in {channel}"
    return f"{called} has the word; {waiting}" if called else waiting


def _next(rows: Rows) -> str:
    channel, name, phase, left, before = rows
    ended = f"; {before}'s turn is over" if before else ""
    if not name:
        return f"nobody has the word in {channel} now{ended}"
    lost = " (connection lost)" if phase == "lost" else ""
    return f"{name}{lost} has the word in {channel} now{ended}; hands that are left: {left}"


def _poll(rows: Rows) -> str:
    if not rows:
        return "no poll is open"
    if rows[-1] == OPENED:  # its event has shown question and options
        return "the poll is open; /reveal ends it, and shows all the result"
    question, options, vote, *voted = rows
    lines = [question, *(f"{number}: {option}" for number, option in enumerate(options, 1))]
    how = "/vote NUMBER, or /vote and how an option begins"
    lines.append(f"your vote: {vote}; to change it: {how}" if vote else f"you have not voted yet: {how}")
    return "\n".join([*lines, *(f"votes: {number}; /reveal ends the poll" for number in voted)])


def _is_vote(rows: Rows) -> bool:
    """Whether the rows tell of a vote; else of the open poll."""
    return bool(rows) and isinstance(rows[0], int)


def _no_option(rows: Rows) -> str:
    """rows: the number of options; perhaps what was typed, and the numbers of the options that begin so"""
    number, typed, *found = (*rows, "")[: max(2, len(rows))]
    if found:
        return f"{typed} may be option {' or '.join(map(str, found))}: write more of it, or the number"
    how = f"/vote takes a number from 1 to {number}, or how an option begins"
    return f"no option begins with {typed}; {how}" if typed else how


def _vote(rows: Rows) -> str:
    number, option, _ = rows  # the question stands above, with the poll
    return f"your vote: {number} {option}"


def _revealed(rows: Rows) -> str:
    """Its event shows the counts."""
    return f"the poll is over: {rows[0]}"


_OF: dict[tuple[str, Code], str | Callable[[Rows], str]] = {
    ("/hand", Code.OK): _raised,
    ("/hand", Code.ALREADY): lambda rows: _raised(rows) if rows[1] else "your hand is not up",
    ("/hand", Code.FULL): lambda rows: f"too many hands are up in {rows[0]}",
    ("/hands", Code.OK): _hands,
    ("/next", Code.OK): _next,
    ("/next", Code.ALREADY): lambda rows: f"nobody has raised a hand in {rows[0]}",
    ("/poll", Code.ALREADY): lambda rows: f"a poll is open, /reveal ends it: {rows[0]}",
    ("/poll", Code.TOO_LONG): lambda rows: f"a poll has {rows[0]} bytes at most",
    ("/vote", Code.OK): _vote,
    ("/vote", Code.ALREADY): _vote,
    ("/vote", Code.BAD_ARGUMENTS): _no_option,
    ("/vote", Code.TOO_LATE): lambda rows: f"no poll is open in {rows[0]}",
    ("/vote", Code.FULL): "there are too many votes already",
    ("/reveal", Code.OK): _revealed,
    ("/reveal", Code.ALREADY): lambda rows: f"no poll is open in {rows[0]}",
    ("/ask", Code.OK): lambda rows: f"asked in {rows[0]}, without your name",
    ("/ask", Code.TOO_LONG): lambda rows: f"a question has {rows[0]} bytes at most",
}
"""By command and code; a function gets the rows, of which there is at least one."""
