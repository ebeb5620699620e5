"""Talking without escape sequences: lines in, lines out.

Printed lines may run into the line that the user is typing; only a real terminal can keep them apart.
"""

from __future__ import annotations

import getpass
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from threading import Thread

from chatroom.errors import ChatroomError, Closed, ConfigError, ConnectionLost, NameRefused
from chatroom.events import Event
from chatroom.packets import Answer, Info
from client.asked import Asked
from client.dialogues import NOTHING_SENT, Dialogue, dialogue_of
from client.folded import folded
from client.limits import LEAVE_SECONDS
from client.local_commands import LEAVING
from client.refusals import refusal_words
from client.talker import Talker
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    LoggedIn,
    Missed,
    NotLoggedIn,
    Past,
    Unanswered,
    Update,
    logged_in,
)
from views import one_line, plain_line, sanitize
from views.folding import Run, plain_run


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
            if ended or text.strip() in LEAVING:
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


def _typed_lines() -> Iterator[str]:
    yield from sys.stdin
    while be_lenient():  # it was not the end: another program has made the terminal non-blocking
        yield from sys.stdin


def _send(client: Talker, text: str) -> None:
    try:
        dialogue = dialogue_of(text, client)
        if dialogue is not None:
            _converse(dialogue)
        elif text.startswith("/") and not text.startswith("//"):
            client.command(text)
        elif text.strip():
            client.say(text.removeprefix("/"))
    except (TimeoutError, ValueError, ConfigError, ConnectionLost, NameRefused) as error:
        _print(f"-- not sent: {one_line(str(error))}")


def _converse(dialogue: Dialogue) -> None:
    """Ask each question of the dialogue. Raises what the dialogue raises."""
    try:
        question = next(dialogue)
        while True:
            question = dialogue.send(ask_secretly(f"-- {question} "))
    except (KeyboardInterrupt, EOFError):
        _print(f"\n-- {NOTHING_SENT}")  # the cursor is still behind the question
    except StopIteration:
        pass


def _print_updates(client: Talker, ended: list[Ended]) -> None:
    asked = Asked(client)
    missed: Missed | None = None  # to be told when something follows that is shown
    for update in folded(client, asked.shows_now):
        if isinstance(update, Ended):
            ended.append(update)
            if update.error is not None:
                _print("-- press Enter to leave")
        if isinstance(update, Missed | CaughtUp):
            missed = update if isinstance(update, Missed) else None
            continue
        if missed is not None and isinstance(update, Event | Run):
            _print(f"-- missed while you were away{' (older lines are gone)' if missed.gap else ''}:")
            missed = None
        text = _plain_text(update, asked.several, client.name)
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


def _plain_text(update: Update | Run, several: bool, own_name: str) -> str:
    """several: lines of several channels are shown, so each names its own"""
    match update:
        case Run():
            return plain_run(update, under=several)
        case Event():
            return plain_line(update, under=several, own_name=own_name)
        case Past(_, events):
            return "\n".join(plain_line(event, under=True) for event in events)
        case Answer() if update.words:
            words = refusal_words(update, int(time.time() * 1000))
            return "\n".join(f"-- {line}" for line in sanitize(words).split("\n"))
        case Info(words) | Interrupted(_, words) if words:
            return "\n".join(f"-- {line}" for line in sanitize(words).split("\n"))
        case Unanswered(_, text, words):
            return f"-- {one_line(words)}: {one_line(text)}"
        case Connected():
            if update.resumed:
                return "-- back again"
            you = f"you are {update.name} in {update.channel}{logged_in(update.name, update.account)}"
            return f"-- {one_line(you)}"
        case LoggedIn(name, account):
            return f"-- you are {one_line(name + logged_in(name, account))}"
        case NotLoggedIn(reason):
            return f"-- not logged in: {one_line(reason)}"
        case Disconnected():
            return f"-- connection lost: {one_line(update.reason)}"
    return ""
