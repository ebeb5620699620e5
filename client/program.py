"""How a program around a `Client` ends: in order, and without a traceback for what is no bug of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chatroom.errors import ChatroomError
from chatroom.printable import printable_line
from client.signals import Terminated, terminable

_INTERRUPTED: Final = 130
"""The exit code of a program that Ctrl-C has ended, as shells give it."""


@contextmanager
def as_program() -> Iterator[None]:
    """For the outermost block of a bot: SIGTERM and the loss of the server end it with one line, Ctrl-C
    without any, and none with a traceback.

        with as_program(), Client("localhost", name="echo") as client:
            ...

    In the main thread. The exit code is 130 after Ctrl-C, 143 after SIGTERM, 1 after a ChatroomError: no
    server, a refused name, …
    """
    try:
        with terminable():
            yield
    except ChatroomError as error:
        complain(str(error))
        sys.exit(1)
    except Terminated as terminated:
        complain(str(terminated))
        sys.exit(128 + terminated.number)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def complain(text: str) -> None:
    """Say one line on stderr, behind the name of the program."""
    name = os.path.basename(sys.argv[0]) or "python"
    print(printable_line(f"{name}: {text}"), file=sys.stderr)
