"""A person at a terminal: the entry points of the interactive client.

`interact` runs until the user leaves or the client ends. Without a terminal that obeys escape sequences (see
`can_paint`) it reads and prints plain lines.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import date
from typing import cast

from client.conversation import COMMANDS, Conversation
from client.pipe import complain
from client.plain import be_lenient, talk_plainly
from client.talker import Talker
from client.updates import Ended
from views import Repaint, View, one_line


def ask_name(default: str, reason: str | None = None) -> str:
    """Ask the user for a name; `reason`: why the server refused the last one.

    Raises EOFError or KeyboardInterrupt when the user leaves instead.
    """
    be_lenient()
    if reason:
        print(one_line(reason))
    return input(f"Your name [{one_line(default)}]: ").strip() or default


def can_paint() -> bool:
    """Whether input and output are one terminal that obeys escape sequences, on a system that has termios."""
    if os.environ.get("TERM", "dumb") == "dumb" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return True


def interact(client: Talker, *, colour: bool, repaint: str = "around") -> int:
    """Talk until the user leaves; the exit code. The caller closes the client.

    client:  connected
    repaint: "around" or "inline", see `views.Repaint`
    """
    if not can_paint():
        return _conclude(talk_plainly(client))
    from client.terminal import PosixTerminal

    with PosixTerminal() as terminal:
        columns, lines = terminal.size()
        view = View(
            columns,
            lines,
            name=client.name,
            colour=colour,
            repaint=cast(Repaint, repaint),
            commands=[command.name for command in COMMANDS],
            today=date.today(),
        )
        client.on_update = terminal.wake
        try:
            ended = Conversation(client, terminal, view).run()
        finally:
            client.on_update = None
            terminal.write(view.leave(time.monotonic()))
    return _conclude(ended)


def _conclude(ended: Ended | None) -> int:
    """Print why the client ended, if it failed; the exit code."""
    if ended is not None and ended.error is not None:
        complain(ended.reason)
        return 1
    return 0
