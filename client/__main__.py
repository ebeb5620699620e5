"""`python -m client`: the command line of the client."""

from __future__ import annotations

import argparse
import getpass
import logging
import math
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, NoReturn

from chatroom import __version__
from chatroom.errors import ChatroomError, ConfigError, NameRefused
from chatroom.limits import DEAD_AFTER, DEFAULT_CHANNEL
from chatroom.log_formatter import LogFormatter
from chatroom.names import check_channel, check_name
from client.address import DEFAULT_HOST, DEFAULT_PORT, parse_address
from client.client import Client
from client.limits import LONGEST_SILENCE, MOST_LINES, REPLAY_LINES, RETRY_FOR
from client.pipe import PROGRAM, Pipe, complain
from client.signals import Terminated, terminable
from client.updates import Retrying

_USAGE = 2  # the exit code for a wrong command line
_INTERRUPTED = 130

_EPILOG = f"""\
At a terminal this is a chat. Without a terminal the client says every line of its input (but no empty lines),
prints one line for each event, and ends when the server has stored all lines. Exit code: 0 on success;
1 when a line was not stored or the server was lost; 2 for a wrong option; 128 + signal when a signal ended
the client before all lines were stored.

  {PROGRAM}                               chat on this computer
  {PROGRAM} chat.example.org --name ann   chat elsewhere
  make 2>&1 | {PROGRAM} --name builder    say the output of a command
  {PROGRAM} --json --follow </dev/null    print the events
"""


class _Options(argparse.ArgumentParser):
    """Reports a wrong option in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message} (see --help)")
        sys.exit(_USAGE)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print what --help or --version say. Raises OSError, which argparse drops."""
        try:
            print(message, end="", file=file, flush=True)
        except OSError:
            sys.stdout = None  # else Python flushes it once more at exit, and fails
            raise


def parser() -> argparse.ArgumentParser:
    """All options."""
    options = _Options(
        prog=PROGRAM,
        description="A chatroom for the terminal: the client.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument(
        "address",
        nargs="?",
        type=_address,
        default=(DEFAULT_HOST, DEFAULT_PORT),
        metavar="HOST[:PORT]",
        help=f"the server (default {DEFAULT_HOST}:{DEFAULT_PORT})",
    )
    options.add_argument(
        "--name",
        type=_checked(check_name),
        help="the name in the chatroom (default: ask at a terminal, else the login name)",
    )
    options.add_argument(
        "--channel",
        type=_checked(check_channel),
        default=DEFAULT_CHANNEL,
        help=f"the channel (default {DEFAULT_CHANNEL})",
    )
    options.add_argument("--json", action="store_true", help="print one JSON object for each event")
    options.add_argument("--follow", action="store_true", help="stay after the end of the input")
    options.add_argument("--no-color", action="store_true", help="no colours (also: NO_COLOR is set)")
    options.add_argument(
        "--history",
        type=_lines,
        metavar="N",
        help=f"show the last N lines first (default {REPLAY_LINES} at a terminal, otherwise 0)",
    )
    options.add_argument(
        "--retry-for",
        type=_seconds_or_zero,
        metavar="SECONDS",
        help="how long to try to reconnect after a lost connection, 0: never"
        f" (default {RETRY_FOR:g}; at a terminal: for ever). When given, the client also waits so long for a"
        " server that is not there yet",
    )
    options.add_argument(
        "--dead-after",
        type=_seconds,
        default=DEAD_AFTER,
        metavar="SECONDS",
        help="a server that is silent for this long counts as lost (default %(default)g)",
    )
    options.add_argument(
        "--repaint",
        choices=("around", "inline"),
        default="around",
        help="when a message comes while you type: print the chat again, or only the message",
    )
    options.add_argument("--version", action="version", version=f"chatroom {__version__}")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the client as the command line says; the exit code."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        with terminable():
            return _run(arguments)
    except ConfigError as error:
        complain(str(error))
        return _USAGE
    except (ChatroomError, MemoryError) as error:
        complain(str(error) or "no memory is left")
        return 1
    except OSError as error:  # no descriptor left, a full disk behind stdout, …
        complain((error.strerror or str(error)).lower())
        return 1
    except Terminated as terminated:
        complain(str(terminated))
        return 128 + terminated.number
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(arguments: list[str] | None) -> int:
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, TextIOWrapper):  # a name must not fail where the terminal cannot show it
            stream.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    return _interactive(options) if _at_terminal(options) else _piped(options)


def _at_terminal(options: argparse.Namespace) -> bool:
    return not options.json and all(
        stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)
    )


def _interactive(options: argparse.Namespace) -> int:
    # Imported here, because a client between two pipes does not need them.
    from colorama import just_fix_windows_console

    from client.interactive import ask_name, interact

    told: list[str] = []

    def waiting(retrying: Retrying) -> None:
        """Say once that the server is not there yet."""
        if not told:
            complain(f"{retrying.reason}; trying again")
        told.append(retrying.reason)

    name, reason = options.name, ""
    while True:
        if name is None:
            try:
                name = ask_name(login_name(), reason)
            except (EOFError, OSError):  # OSError: the terminal is gone
                return 0
        client = _client(options, name, REPLAY_LINES, math.inf)
        try:
            client.connect(options.retry_for or 0.0, waiting)
            break
        except NameRefused as refused:
            if options.name is not None:
                raise
            name, reason = None, str(refused)
    try:
        just_fix_windows_console()  # colours on Windows; without effect elsewhere
        colour = not options.no_color and not os.environ.get("NO_COLOR")
        return interact(client, colour=colour, repaint=options.repaint)
    finally:
        client.close()


def _piped(options: argparse.Namespace) -> int:
    name = login_name() if options.name is None else options.name
    client = _client(options, name, 0, RETRY_FOR)
    try:
        if options.retry_for:
            client.start()
        else:
            client.connect()
        return Pipe(
            client,
            follow=options.follow,
            as_json=options.json,
            retries=options.retry_for != 0,
            source=None if sys.stdin is None else sys.stdin.fileno(),
            out=None if sys.stdout is None else sys.stdout.fileno(),
        ).run()
    finally:
        client.close()


def _client(options: argparse.Namespace, name: str, lines: int, retry_for: float) -> Client:
    host, port = options.address
    return Client(
        host,
        port,
        name=name,
        channel=options.channel,
        lines=lines if options.history is None else options.history,
        retry_for=retry_for if options.retry_for is None else options.retry_for,
        dead_after=options.dead_after,
    )


def login_name() -> str:
    """The login name; `guest` where it is no valid name in the chatroom."""
    try:
        name = getpass.getuser()
        return check_name(name)
    except (NameRefused, OSError, KeyError, ImportError):  # no such user, or no way to ask on this system
        return "guest"


def _address(text: str) -> tuple[str, int]:
    try:
        return parse_address(text)
    except ConfigError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """The type of an option whose values `check` refuses with NameRefused."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except NameRefused as wrong:
            raise argparse.ArgumentTypeError(str(wrong)) from None

    return checked


def _lines(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > MOST_LINES:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to {MOST_LINES}")
    return int(text)


def _seconds(text: str) -> float:
    seconds = _seconds_or_zero(text)
    if not 0 < seconds <= LONGEST_SILENCE:
        raise argparse.ArgumentTypeError(f"{text} is not a time from 0 to {LONGEST_SILENCE:g} seconds")
    return seconds


def _seconds_or_zero(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a time in seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
