"""`python -m client`: the command line of the client."""

from __future__ import annotations

import argparse
import getpass
import logging
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from chatroom import __version__
from chatroom.errors import BadKey, ChatroomError, ConfigError, NameRefused, NeedLogin
from chatroom.help_format import HelpAll, HelpFormat, shown_if
from chatroom.limits import DEAD_AFTER, DEFAULT_CHANNEL
from chatroom.log_formatter import LogFormatter
from chatroom.names import channel_as_typed, check_channel, check_name
from chatroom.option_sources import FILE, resolve
from chatroom.printable import printable_line
from client.address import DEFAULT_HOST, DEFAULT_PORT, address_key, parse_address
from client.client import Client
from client.limits import LONGEST_SILENCE, MOST_LINES, REPLAY_LINES, RETRY_FOR
from client.password_file import read_password
from client.pipe import PROGRAM, Pipe, complain
from client.settings import RULES
from client.signals import Terminated, terminable
from client.tls import TlsOptions
from client.tokens import TokenFile, default_path
from client.updates import Retrying

if TYPE_CHECKING:  # a client between two pipes does not need them
    from views import Depth, Ground

HOW_TO_LOG_IN: Final = "give its password by --password-file, or log in once at a terminal"
"""What a program that needs a login is told."""

HOW_TO_SHOW: Final = "give it by --server-password-file"
"""What a program is told that comes without the server's password."""

_FIRST_TRUST: Final = (
    "this is the first connection from here to {server}. The fingerprint of its certificate is"
    " {fingerprint}. Compare it with what whoever runs the server shows, before you type a password; "
    "from now on every other one is refused. What the server itself tells about that stands behind"
    ' "the server says"'
)
"""A row of the chat: the user has to read it, and the chat is painted over what stands on the screen."""

_USAGE = 2  # the exit code for a wrong command line
_INTERRUPTED = 130

_EPILOG = f"""
At a terminal this is a chat; else it says every line of its input, and ends
when all are stored. More: --help-all, README.md

  {PROGRAM} chat.example.org --name ann   chat
  make 2>&1 | {PROGRAM} --name builder    say the output of a command
"""

_EXIT_CODES = """
Exit code: 0 on success; 1 when a line was not stored or the server was lost;
2 for a wrong option; 128 + signal when a signal ended it before that.
"""

_UNQUOTED = "; in a shell an unquoted # begins a comment: write --channel lunch"


class _Options(argparse.ArgumentParser):
    """Reports a wrong option in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        is_empty = message.startswith("argument --channel") and "expected one argument" in message
        complain(f"{message}{_UNQUOTED if is_empty else ''} (see --help)")
        sys.exit(_USAGE)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print what --help or --version say. Raises OSError, which argparse drops."""
        try:
            print(message, end="", file=file, flush=True)
        except OSError:
            sys.stdout = None  # else Python flushes it once more at exit, and fails
            raise


def parser(everything: bool = False, *, bot: bool = False) -> argparse.ArgumentParser:
    """All options. everything: its help shows those that few people need, too

    bot: the server is an option, so that a bot may have arguments of its own
    """
    rare = shown_if(everything)
    options = _Options(
        prog=PROGRAM,
        usage=f"{PROGRAM} [HOST[:PORT]] [options]",
        epilog=_EPILOG + (_EXIT_CODES if everything else ""),
        formatter_class=HelpFormat,
        add_help=False,
    )
    where: dict[str, Any] = {"dest": "address"} if bot else {"nargs": "?"}
    options.add_argument(
        *(("--address", "--server") if bot else ("address",)),
        **where,
        type=_address,
        default=(DEFAULT_HOST, DEFAULT_PORT),
        metavar="HOST[:PORT]",
        help=f"the server (default {DEFAULT_HOST}:{DEFAULT_PORT})",
    )
    options.add_argument("--name", type=_checked(check_name), metavar="NAME", help="your name there")
    options.add_argument(
        "--channel",
        type=_checked(lambda text: check_channel(channel_as_typed(text))),
        action="append",
        metavar="CHANNEL",
        help=f"such as lunch (default {DEFAULT_CHANNEL})",
    )
    options.add_argument("--config", metavar=FILE, help=rare("options in TOML (default: the user's)"))
    options.add_argument("--password-file", metavar="FILE", help=rare("log in; the password is in FILE"))
    options.add_argument("--server-password-file", metavar="FILE", help=rare("the same for the server's"))
    options.add_argument("--tls", action="store_true", help="encrypt; an authority vouches for the server")
    tls = options.add_mutually_exclusive_group()
    tls.add_argument(
        "--tls-ca", type=Path, metavar="FILE", help=rare("encrypt; its certificate or authority is in FILE")
    )
    tls.add_argument("--tls-trust", action="store_true", help="encrypt; trust the certificate shown at first")
    options.add_argument(
        "--tls-forget", action="store_true", help=rare("forget the certificate trusted so, and end")
    )
    options.add_argument("--json", action="store_true", help="print one JSON object for each event")
    options.add_argument("--follow", action="store_true", help=rare("stay after the end of the input"))
    options.add_argument(
        "--plain", action="store_true", help="lines for a screen reader, nothing is repainted"
    )
    options.add_argument("--no-color", action="store_true", help="no colours (also: NO_COLOR is set)")
    options.add_argument(
        "--ground", choices=("dark", "light"), help="the terminal's background, for readable colours"
    )
    options.add_argument(
        "--history", type=_lines, metavar="N", help=rare(f"lines shown first ({REPLAY_LINES} at a terminal)")
    )
    options.add_argument(
        "--retry-for",
        type=_seconds_or_zero,
        metavar="SECONDS",
        help=rare("for how long to reconnect, 0: never"),
    )
    options.add_argument(
        "--dead-after",
        type=_seconds,
        default=DEAD_AFTER,
        metavar="SECONDS",
        help=rare("silence after which a server is lost (%(default)g)"),
    )
    options.add_argument(
        "--repaint",
        choices=("around", "inline"),
        default="around",
        metavar="HOW",
        help=rare("around (print the chat again) or inline"),
    )
    options.add_argument(
        "--title",
        action="store_true",
        help=rare("tell in the window's title where you are, and how many lines called you"),
    )
    options.add_argument(
        "--watch", action="store_true", help=rare("show the server's threads, live; for operators (q quits)")
    )
    options.add_argument("--version", action="version", version=f"chatroom {__version__}", help="print it")
    options.add_argument("-h", "--help", action="help", help="print this")
    options.add_argument("--help-all", action=HelpAll, whole=lambda: parser(True), help="print all options")
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
    options = resolve(parser(), arguments, RULES)
    if options.tls_ca and options.tls_trust:
        raise ConfigError("--tls-ca and --tls-trust exclude each other")
    if options.watch:
        return _watch(options)
    if options.tls_forget:
        return _forget(options.address)
    return _interactive(options) if _at_terminal(options) else _piped(options)


def _forget(address: tuple[str, int]) -> int:
    """Trust no certificate of a server any more, and keep no password for it; the exit code."""
    from client.known_servers import KnownServers
    from client.server_passwords import ServerPasswords

    ServerPasswords(None).forget(*address)
    server = address_key(*address)
    fingerprint = KnownServers().forget(server)
    if fingerprint is None:
        complain(f"no certificate of {server} is kept here")
        return 1
    print(printable_line(f"forgot the certificate of {server}; it was {fingerprint}"))
    return 0


def _at_terminal(options: argparse.Namespace) -> bool:
    return not options.json and all(
        stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)
    )


def _interactive(options: argparse.Namespace) -> int:
    # Imported here, because a client between two pipes does not need them.
    from colorama import just_fix_windows_console

    from client.interactive import interact

    client = _come_in(options)
    if client is None:
        return 0
    try:
        _remember_name(client, options)
        just_fix_windows_console()  # colours on Windows; without effect elsewhere
        ground, depth = _colours(options)
        return interact(
            client,
            ground=ground,
            depth=depth,
            repaint=options.repaint,
            plain=options.plain,
            title=options.title,
            notices=options.notices,
        )
    finally:
        client.close()
        _remember_name(client, options)  # it may be another one by now


def _colours(options: argparse.Namespace) -> tuple[Ground, Depth]:
    """The terminal's background, and how many colours it has."""
    from views import Depth, Ground, depth_of, ground_of

    ground = Ground(options.ground) if options.ground else ground_of(os.environ.get("COLORFGBG", ""))
    return ground, Depth.NONE if options.no_color else depth_of(os.environ)


def _come_in(options: argparse.Namespace) -> Client | None:
    """Ask the person at the terminal for what is missing; None: the person has left instead."""
    from client.coming_in import ComingIn
    from client.refusals import as_said_by_the_server
    from client.server_passwords import ServerPasswords

    told: list[str] = []

    def waiting(retrying: Retrying) -> None:
        """Say once that the server is not there yet, or takes nobody from here now."""
        if not told:
            reason = as_said_by_the_server(retrying.reason) if options.notices else retrying.reason
            complain(f"{reason}; trying again by itself (Ctrl-C leaves)")
        told.append(retrying.reason)

    options.server_password = read_if_named(options.server_password_file)
    options.notices = []
    keys = ServerPasswords(tls_options(options))
    password = read_if_named(options.password_file)
    return ComingIn(options, _at_keyboard, proposed_name, password, waiting, keys).run()


def _watch(options: argparse.Namespace) -> int:
    from client.watch import watch

    if sys.stdout is None:
        raise ConfigError("--watch has nowhere to print to")
    at_terminal = _at_terminal(options)
    options.history = options.history or 0  # nobody reads it
    client = _come_in(options) if at_terminal else _piped_client(options)
    if client is None:
        return 0
    try:
        if not at_terminal:
            with told_how_to_log_in():
                client.connect(options.retry_for or 0.0)
        colours = _colours(options) if at_terminal and not options.plain else None
        return watch(client, address_key(*options.address), colours, sys.stdout.fileno(), options.json)
    finally:
        client.close()


def proposed_name(host: str, port: int) -> str:
    """The name that was used last at this server; at a new one the login name."""
    from client.preferences import Preferences

    return Preferences.of_user().name_at(address_key(host, port)) or login_name()


def _remember_name(client: Client, options: argparse.Namespace) -> None:
    """It is only proposed the next time: that it cannot be kept is no reason to bother anybody.

    With an account it is the account's name: under another one its user would be a guest the next time.
    """
    from client.preferences import Preferences

    with suppress(ConfigError):
        Preferences.of_user().call_me(client.account or client.name, address_key(*options.address))


def _at_keyboard(options: argparse.Namespace, name: str, password: str | None) -> Client:
    def told(server: str, fingerprint: str) -> None:
        notice = _FIRST_TRUST.format(server=server, fingerprint=fingerprint)
        complain(notice)  # a password may be asked for next
        options.notices.append(notice)

    return make_client(options, name, password, REPLAY_LINES, math.inf, told)


def _piped_client(options: argparse.Namespace) -> Client:
    name = login_name() if options.name is None else options.name
    options.server_password = read_if_named(options.server_password_file)
    return make_client(options, name, read_if_named(options.password_file), 0, RETRY_FOR)


@contextmanager
def told_how_to_log_in() -> Iterator[None]:
    """What a program that is refused for want of a password can do stands behind the reason."""
    try:
        yield
    except NeedLogin as refused:
        raise NeedLogin(f"{refused}; {HOW_TO_LOG_IN}") from None
    except BadKey as refused:
        raise BadKey(f"{refused}; {HOW_TO_SHOW}") from None


def _piped(options: argparse.Namespace) -> int:
    client = _piped_client(options)
    try:
        with told_how_to_log_in():
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


def make_client(
    options: argparse.Namespace,
    name: str,
    password: str | None,
    lines: int,
    retry_for: float,
    told: Callable[[str, str], None] | None = None,
) -> Client:
    """A client that is not connected yet, as the options say. lines, retry_for: where they say nothing"""
    host, port = options.address
    # Who brings a password each time needs no device token, and must not push others' out.
    path = default_path() if options.password_file is None else None
    return Client(
        host,
        port,
        name=name,
        channels=options.channel or (DEFAULT_CHANNEL,),
        lines=lines if options.history is None else options.history,
        retry_for=retry_for if options.retry_for is None else options.retry_for,
        dead_after=options.dead_after,
        tls=tls_options(options, told),
        password=password,
        server_password=options.server_password,
        tokens=TokenFile(path, host, port) if path is not None else None,
    )


def tls_options(
    options: argparse.Namespace, told: Callable[[str, str], None] | None = None
) -> TlsOptions | None:
    """What the options say about encryption; None: none is wanted. told: see `TlsOptions`"""
    if not (options.tls or options.tls_ca or options.tls_trust):
        return None
    return TlsOptions(options.tls_ca, options.tls_trust, told=told)


def read_if_named(file: str | None) -> str | None:
    """The password in a file of the options; None: there is no such option. Raises ConfigError."""
    return None if file is None else read_password(Path(file))


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
