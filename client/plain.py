"""Talking without escape sequences: lines in, lines out.

Printed lines may run into the line that the user is typing; only a real terminal can keep them apart.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from threading import Thread

from chatroom.errors import ChatroomError, Closed
from chatroom.events import Event
from chatroom.packets import Answer, Info
from client.limits import LEAVE_SECONDS
from client.talker import Talker
from client.updates import Connected, Disconnected, Ended, Interrupted, Missed, Unanswered, Update
from views import one_line, plain_line, sanitize


def talk_plainly(client: Talker) -> Ended | None:
    """Say each line of the input and print the updates, until the input or the client ends.

    Returns how the client ended, None when the user left. Closes the client.
    """
    be_lenient()
    ended: list[Ended] = []
    printer = Thread(target=_print_updates, args=(client, ended), name="printer")
    try:
        printer.start()
    except RuntimeError as none_left:
        raise ChatroomError(f"nothing can be printed: {none_left}") from None
    try:
        for line in _typed_lines():
            text = line.rstrip("\r\n")
            if ended or text.strip() == "/quit":
                break
            _send(client, text)
        client.flush(LEAVE_SECONDS)
    except (KeyboardInterrupt, OSError):
        pass  # the same as /quit; OSError: the terminal is gone
    except Closed:
        pass  # `ended` says why
    finally:
        client.close()
        printer.join()
    return ended[0] if ended else None


def be_lenient() -> bool:
    """Let no terminal break the program: not by its encoding, nor by what another program has left it as.

    A character that the locale lacks is printed as "?". A descriptor that was left non-blocking is made
    blocking again, for the shell, too, which has the same one. Returns whether one was.
    """
    found = False
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
            with suppress(OSError):  # it is no descriptor
                if stream.isatty() and not os.get_blocking(stream.fileno()):
                    os.set_blocking(stream.fileno(), True)
                    found = True
    return found


def _typed_lines() -> Iterator[str]:
    yield from sys.stdin
    while be_lenient():  # it was not the end: another program has made the terminal non-blocking
        yield from sys.stdin


def _send(client: Talker, text: str) -> None:
    try:
        if text.startswith("/") and not text.startswith("//"):
            client.command(text)
        elif text.strip():
            client.say(text.removeprefix("/"))
    except (TimeoutError, ValueError) as error:
        _print(f"-- not sent: {one_line(str(error))}")


def _print_updates(client: Talker, ended: list[Ended]) -> None:
    for update in client.updates():
        if isinstance(update, Ended):
            ended.append(update)
            if update.error is not None:
                _print("-- press Enter to leave")
        text = _plain_text(update)
        if text:
            _print(text)


def _print(text: str) -> None:
    """Print lines; nowhere any more once the terminal is gone."""
    try:
        print(text, flush=True)
    except BlockingIOError:
        be_lenient()
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more at exit


def _plain_text(update: Update) -> str:
    match update:
        case Event():
            return plain_line(update)
        case Answer(words=words) | Info(words) | Interrupted(_, words) if words:
            return "\n".join(f"-- {line}" for line in sanitize(words).split("\n"))
        case Unanswered(_, text, words):
            return f"-- {one_line(words)}: {one_line(text)}"
        case Connected():
            if update.resumed:
                return "-- back again"
            return f"-- you are {one_line(update.name)} in {one_line(update.channel)}"
        case Missed(gap):
            return f"-- missed while you were away{' (older lines are gone)' if gap else ''}:"
        case Disconnected():
            return f"-- connection lost: {one_line(update.reason)}"
    return ""
