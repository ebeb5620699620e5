"""A terminal as the system gives it: read and printed line by line, as before there is a connection."""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from contextlib import suppress
from io import TextIOWrapper

from chatroom.errors import ConfigError
from views import one_line


def be_lenient() -> None:
    """Let no terminal break the program: not by its encoding, nor by what another program has left it as.

    A character that the locale lacks is printed as "?". A descriptor that was left non-blocking is made
    blocking again, for the shell, too, which has the same one.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
            with suppress(OSError):  # it is no descriptor
                if stream.isatty() and not os.get_blocking(stream.fileno()):
                    os.set_blocking(stream.fileno(), True)


def ask_secretly(question: str) -> str:
    """What the user types at the terminal, which does not show it.

    Raises EOFError, KeyboardInterrupt, or ConfigError: it would be shown.
    """
    if not sys.stdin.isatty():
        raise ConfigError("a password is asked for at a terminal only; see --password-file")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(one_line(question))
        except (getpass.GetPassWarning, OSError):
            raise ConfigError("this terminal would show what is typed; see --password-file") from None
