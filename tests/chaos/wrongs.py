"""The kinds of violation, and how one is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

_SHOWN_AT_MOST = 5  # offending lines in one violation


class Wrong(Enum):
    """The kinds of violation, each in the words of the promise that it breaks."""

    LOST = "a confirmed line is not in history"
    DOUBLED = "a line is in history more than once"
    UNSAID = "history holds a line that no talker said"
    DISORDERED = "a talker's lines are not in the order in which they were said"
    SKIPPED = "a talker's line is missing before a later one that was stored"
    UNSTORED = "a client showed an event that is not in history"
    REPEATED = "a client showed an event twice"
    BACKWARDS = "a client showed events against their order"
    GAP = "somebody was not shown an event between others that they were shown"
    FOREIGN = "a client showed an event of a channel that it is not in"
    STALE = "a line had a text that it did not have any more, or never had"
    UNANNOUNCED = "an event of a place came before the place was told"
    INTRUDED = "somebody acted in a place that they are not in, or on a line that is not theirs"
    MISNAMED = "somebody had a name that was not theirs at that moment"
    REFUSED = "a client was refused a line, or a part of the history, that it may have"
    TWICE = "somebody joined who had not quit: a return must be silent"
    ABSENT = "somebody did something before they joined or after they quit"
    HASTY = "somebody quit whose place the server had to hold for longer"
    LINGERING = "somebody said goodbye and did not quit at once"
    MISTAKEN = "the number of a person does not mean one client"
    UNTOLD = "a start of the server was not told exactly once, before everything but a quit"
    UNFOLDED = "the entries, applied to a new state, do not give what the server has stored"
    BROKEN = "the seqs of history do not follow each other"
    SPOKE = "somebody spoke who was muted, or in a channel that was hushed"
    UNFAIR = "a line was refused of somebody who was neither muted nor out"
    HEARD = "somebody who was kicked got an event of the channel before they were in again"
    MISRANKED = "somebody has joined with another role than the lists say"
    UNAUDITED = "a deed of a moderator is not in the audit trail, or not in order"
    STOLEN = "somebody else has had the name of an account, or one that looks like it, or could use it"
    SURVIVED = "a program went on after another one had changed the password"
    EXPELLED = "a program was ended, and nobody had changed the password"
    LEAKED = "a password, a token or a code is somewhere in clear"
    STUCK = "somebody did not get to the end after all faults were over"
    CRASHED = "a program ended or failed by itself"


class Violation(NamedTuple):
    """One broken promise: its kind, the client, and the offending lines."""

    wrong: Wrong
    whose: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        shown = [f"    {line}" for line in self.lines[:_SHOWN_AT_MOST]]
        more = len(self.lines) - _SHOWN_AT_MOST
        return "\n".join(
            [f"{self.wrong.name} ({self.whose}): {self.wrong.value}", *shown]
            + ([f"    … and {more} more"] if more > 0 else [])
        )


def found(wrong: Wrong, whose: str, lines: Sequence[str]) -> Iterator[Violation]:
    """A violation, if there are offending lines."""
    if lines:
        yield Violation(wrong, whose, tuple(lines))
