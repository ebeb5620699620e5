"""A person at a terminal: the entry points of the interactive client.

`interact` runs until the user leaves or the client ends. With `--plain`, and on a terminal that obeys no
escape sequences (see `can_paint`), it prints plain lines.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import cast

from chatroom.errors import Refused
from client.conversation import Conversation
from client.local_commands import WORDS
from client.pipe import complain
from client.plain import ask_secretly, be_lenient
from client.preferences import Preferences
from client.refusals import as_said_by_the_server
from client.secret_commands import SHAPES, has_secrets
from client.talker import Talker
from client.terminals import Terminal
from client.updates import Ended
from views import Depth, Ground, PlainView, Repaint, Surface, View, one_line


def ask_name(default: str, reason: str | None = None) -> str:
    """Ask the user for a name. default: proposed; `reason`: why the server refused the last one.

    Raises EOFError or KeyboardInterrupt when the user leaves instead.
    """
    be_lenient()
    print(f"-- {one_line(reason)}" if reason else "Your name? Enter takes the one in brackets.")
    return _asked(f"Your name [{one_line(default)}]: ") or default


def ask_address(reason: str) -> str:
    """Ask the user what to do while the server is away: another address, or "": wait for this one.

    reason: why it cannot be reached
    Raises as `ask_name`.
    """
    be_lenient()
    print(one_line(reason))
    return _asked("Another address (HOST or HOST:PORT), or Enter to wait; Ctrl-C leaves: ")


def _asked(question: str) -> str:
    try:
        return input(question).strip()
    except OSError:  # the terminal is gone
        raise EOFError from None


def ask_password(name: str, reason: str) -> str:
    """Ask the user for the password of an account; empty when the user would rather have another name.

    reason: why it is needed
    Raises EOFError or KeyboardInterrupt when the user leaves instead, ConfigError: typing could be seen.
    """
    be_lenient()
    print(one_line(reason))
    return ask_secretly(f"Password of {name} (not shown; Enter alone: another name): ")


def ask_server_password(reason: str) -> str:
    """Ask the user for the password of the server; empty when the user does not know it.

    reason: why it is needed
    Raises as `ask_password`.
    """
    be_lenient()
    print(one_line(reason))
    return ask_secretly("Password of the server (not shown): ")


def can_paint() -> bool:
    """Whether input and output are one terminal that obeys escape sequences, on a system that has termios."""
    if os.environ.get("TERM", "dumb") == "dumb" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return _has_termios()


def _has_termios() -> bool:
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return True


def interact(
    client: Talker,
    *,
    ground: Ground,
    depth: Depth,
    repaint: str = "around",
    plain: bool = False,
    title: bool = False,
    notices: Sequence[str] = (),
) -> int:
    """Talk until the user leaves; the exit code. The caller closes the client.

    client:  connected
    ground, depth: of the terminal
    repaint: "around" or "inline", see `views.Repaint`
    plain:   print lines, and paint nothing, although the terminal could be painted
    title:   tell in the title of the window where the user is, and how many lines called; not with lines
    notices: what was printed before, and has to stand in the chat, too, which is painted over it: that a
             certificate is trusted for the first time
    """
    is_new = bool(notices)
    if plain or not can_paint():
        return _conclude(_talk_plainly(client, is_new), is_new)
    from client.terminal import PosixTerminal

    with PosixTerminal(has_title=title) as terminal:
        columns, lines = terminal.size()
        view = View(
            columns,
            lines,
            name=client.name,
            ground=ground,
            depth=depth,
            repaint=cast(Repaint, repaint),
            commands=[*WORDS, *SHAPES],
            private=has_secrets,
            today=date.today(),
        )
        set_title = terminal.title if title else None
        ended = _converse(client, terminal, view, title=set_title, notices=notices, is_new=is_new)
    return _conclude(
        ended, is_new
    )  # the terminal is given back: in raw mode a line would end where it stands


def _talk_plainly(client: Talker, is_new: bool) -> Ended | None:
    """Print lines for somebody who listens, or for a terminal that obeys no escape sequence.

    is_new: see `Conversation`
    """
    be_lenient()
    if not _has_termios():
        from client.console import Console

        view = _plain_view(client, echoes=False)
        try:
            with Console(lambda: view.asks) as console:
                return _converse(client, console, view, echoed=True, is_new=is_new)
        except KeyboardInterrupt:
            return None  # the same as /quit
    from client.plain_terminal import PlainTerminal

    with PlainTerminal() as terminal:
        view = _plain_view(client, terminal.echoes)
        return _converse(client, terminal, view, echoed=terminal.is_terminal, is_new=is_new)


def _plain_view(client: Talker, echoes: bool) -> PlainView:
    return PlainView(
        name=client.name, echoes=echoes, commands=[*WORDS, *SHAPES], clock=lambda: int(time.time() * 1000)
    )


def _converse(
    client: Talker,
    terminal: Terminal,
    view: Surface,
    echoed: bool = False,
    title: Callable[[str], None] | None = None,
    notices: Sequence[str] = (),
    is_new: bool = False,
) -> Ended | None:
    """Until the user leaves (None) or the client ends. echoed and so on: see `Conversation`"""
    conversation = Conversation(
        client,
        terminal,
        view,
        Preferences.of_user(),
        echoed=echoed,
        title=title,
        notices=notices,
        is_new=is_new,
    )
    if isinstance(view, PlainView):
        conversation.places.merged = len(client.asked) > 1
    client.on_update = terminal.wake
    try:
        return conversation.run()
    finally:
        client.on_update = None
        terminal.write(view.leave(time.monotonic()))


def _conclude(ended: Ended | None, is_new: bool) -> int:
    """Print why the client ended, if it failed; the exit code. is_new: see `Conversation`"""
    if ended is not None and ended.error is not None:
        is_servers = is_new and isinstance(ended.error, Refused)
        complain(as_said_by_the_server(ended.reason) if is_servers else ended.reason)
        return 1
    return 0
