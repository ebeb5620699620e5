"""Actions: what the client must do because of a key."""

from __future__ import annotations

from typing import NamedTuple

from views.keys import Jump


class Submitted(NamedTuple):
    """The user pressed Enter on a line with this text, which is never blank."""

    text: str


class Secret(NamedTuple):
    """The user has answered the question of `View.ask`. The text may be empty."""

    text: str

    def __repr__(self) -> str:
        return "<Secret>"


class Cancelled(NamedTuple):
    """The user does not want to answer the question of `View.ask`."""


class Leave(NamedTuple):
    """The user wants to leave the chatroom.

    sure: no question is needed; Ctrl-C may have been pressed only to be sure that the line is empty
    """

    sure: bool = True


class Suspend(NamedTuple):
    """The user wants to suspend the program and use the shell."""


class LookBack(NamedTuple):
    """The user wants the lines before the oldest that are shown."""


class StepFound(NamedTuple):
    """The user wants the next line that was found (1), or the one before (-1)."""

    step: int


Action = Submitted | Secret | Cancelled | Leave | Suspend | Jump | LookBack | StepFound
