"""`python -m server`: the command line of the server."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NoReturn

from chatroom import __version__
from chatroom.errors import ChatroomError, ConfigError, HistoryDamaged, NameRefused
from chatroom.event_log import NOTICE
from chatroom.help_format import HelpAll, HelpFormat, shown_if
from chatroom.limits import DEAD_AFTER
from chatroom.names import check_name
from chatroom.option_sources import resolve
from chatroom.printable import printable_line
from server.config import Config
from server.limits import ADDRESS_GUESTS, ADDRESS_MEMBERS, ADDRESS_RATE
from server.log_writer import log_to, say_on_stderr
from server.ports import Ports
from server.quotas import Quotas
from server.retention import Retention
from server.settings import RULES, add_settings, check_together, set_limits
from server.tls_files import TlsFiles

_USAGE = 2  # exit code for a bad command line
_INTERRUPTED = 130


class _Options(argparse.ArgumentParser):
    """Reports errors in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        print(f"chatroom-server: {printable_line(message)} (see --help)", file=sys.stderr)
        sys.exit(_USAGE)


def parser(everything: bool = False) -> argparse.ArgumentParser:
    """All options. A server with the defaults works. everything: the help shows rare ones, too"""
    rare = shown_if(everything)
    options = _Options(
        prog="chatroom-server",
        usage="chatroom-server [options]",
        epilog="A server with the defaults works. More: --help-all, README.md",
        formatter_class=HelpFormat,
        add_help=False,
    )
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    options.add_argument(
        "--port", type=_port, default=5050, help="port to listen on, 0: any free port (default %(default)s)"
    )
    options.add_argument(
        "--ports",
        default="any",
        metavar="any|same|LO-HI",
        help=rare("ports for newcomers (default %(default)s)"),
    )
    options.add_argument(
        "--data", metavar="FILE", help="history file, ':memory:': none (default: the user's)"
    )
    options.add_argument(
        "--durability",
        choices=("normal", "full"),
        metavar="HOW",
        default="normal",
        help=rare("full: lines survive a power loss, too"),
    )
    options.add_argument(
        "--keep",
        default="all",
        metavar="90d|1000events|all",
        help="how much history to keep (default all)",
    )
    options.add_argument(
        "--dead-after",
        type=_seconds,
        default=DEAD_AFTER,
        metavar="SECONDS",
        help=rare("silence after which a member is gone (%(default)g)"),
    )
    options.add_argument(
        "--rate",
        type=_rate,
        metavar="LINES/S",
        help=rare("lines a second that a member may say"),
    )
    options.add_argument(
        "--max-members",
        type=_number,
        default=0,
        metavar="N",
        help=rare("members (default: as the system allows)"),
    )
    options.add_argument(
        "--address-members",
        type=_number,
        default=ADDRESS_MEMBERS,
        metavar="N",
        help=rare("members from one address (default %(default)s)"),
    )
    options.add_argument(
        "--address-guests",
        type=_number,
        default=ADDRESS_GUESTS,
        metavar="N",
        help=rare("newcomers at once from one (%(default)s)"),
    )
    options.add_argument(
        "--address-rate",
        type=_number,
        default=ADDRESS_RATE,
        metavar="N",
        help=rare("connections a second from one (%(default)s)"),
    )
    options.add_argument(
        "--owner",
        type=_name,
        metavar="NAME",
        help="keep this name for the owner; tells a one-time code",
    )
    options.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="encrypt; the server's certificate, in PEM"
    )
    options.add_argument("--tls-key", type=Path, metavar="FILE", help="its key (default: in the same file)")
    options.add_argument("--tls-self", action="store_true", help="encrypt with a certificate of its own")
    options.add_argument(
        "--metrics",
        type=_port,
        metavar="PORT",
        help=rare("figures for Prometheus at 127.0.0.1:PORT/metrics"),
    )
    options.add_argument("--backup", metavar="FILE", help="copy the history, also of a running server")
    options.add_argument("--check", metavar="FILE", help="verify a history file, describe it, and exit")
    options.add_argument("--export", metavar="FILE", help="print a history file as JSON lines, and exit")
    options.add_argument(
        "--with-direct", action="store_true", help=rare("with --export: direct conversations, too")
    )
    options.add_argument(
        "--readable", action="store_true", help=rare("with --export: leave out what is damaged")
    )
    options.add_argument("--sqlite", metavar="OUT", help=rare("with --export: make an SQLite file instead"))
    add_settings(options, rare)
    options.add_argument("-v", "--verbose", action="store_true", help="log every join and leave")
    options.add_argument("--version", action="version", version=f"chatroom {__version__}", help="print it")
    options.add_argument("-h", "--help", action="help", help="print this")
    options.add_argument("--help-all", action=HelpAll, whole=lambda: parser(True), help="print all options")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        options = resolve(parser(), arguments, RULES)
        check_together(options)
        ports, keep = Ports.parse(options.ports), Retention.parse(options.keep)
    except ConfigError as error:
        parser().error(str(error))
    _open_standard_streams()
    try:
        with log_to(sys.stderr, logging.INFO if options.verbose else NOTICE, options.log_json):
            return _run(options, ports, keep, arguments)
    except HistoryDamaged as error:
        return _fail(f"{error}; chatroom-server --check FILE says what is lost, and what to do")
    except ChatroomError as error:
        return _fail(str(error))
    except OSError as error:  # what the system refuses, wherever: descriptors, a file, memory
        what = error.strerror or str(error)
        return _fail(f"{error.filename}: {what}" if error.filename else what)
    except KeyboardInterrupt:  # during the start; a running server handles SIGINT itself
        return _INTERRUPTED


def _fail(reason: str) -> int:
    say_on_stderr(f"chatroom-server: {printable_line(reason)}")
    return 1


def _open_standard_streams() -> None:
    """Occupy the numbers 0 to 2: else the first socket gets one of them, and the log is sent to a peer."""
    while True:
        number = os.open(os.devnull, os.O_RDWR)
        if number > 2:
            os.close(number)
            return


def _run(options: argparse.Namespace, ports: Ports, keep: Retention, arguments: Sequence[str] | None) -> int:
    if options.backup is not None or options.check is not None or options.export is not None:
        return _inspect(options)
    from server.app import serve

    return serve(_config(options, ports, keep, arguments))


def _config(
    options: argparse.Namespace, ports: Ports, keep: Retention, arguments: Sequence[str] | None
) -> Config:
    """What the options say. arguments: the command line, to read all sources again. Raises ConfigError."""

    def reread() -> Config:
        if options.config is not None and Path(options.config).is_fifo():
            raise ConfigError(f"{options.config}: a pipe cannot be read again")
        again = resolve(parser(), arguments, RULES)
        check_together(again)
        return _config(again, Ports.parse(again.ports), Retention.parse(again.keep), arguments)

    return Config(
        host=options.host,
        port=options.port,
        ports=ports,
        data=_data(options),
        dead_after=options.dead_after,
        durability=options.durability,
        keep=keep,
        rate=options.rate,
        owner=options.owner or "",
        quotas=Quotas(
            members=options.max_members,
            address_members=options.address_members,
            address_guests=options.address_guests,
            address_rate=options.address_rate,
        ),
        tls=_tls(options),
        metrics=options.metrics,
        motd=options.motd,
        limits=set_limits(options),
        verbose=options.verbose,
        log_json=options.log_json,
        reread=reread,
    )


def _data(options: argparse.Namespace) -> str:
    """The path of the history. Raises ConfigError."""
    if options.data is not None:
        return str(options.data)
    from server.storage import default_path

    return str(default_path())


def _tls(options: argparse.Namespace) -> TlsFiles | Literal["self"] | None:
    if options.tls_cert is None:
        return "self" if options.tls_self else None
    return _tls_files(options)


def _tls_files(options: argparse.Namespace) -> TlsFiles:
    return TlsFiles(options.tls_cert, options.tls_key or options.tls_cert)


def _inspect(options: argparse.Namespace) -> int:
    """--backup, --check and --export. Raises HistoryError, ConfigError (stdout cannot be written)."""
    from server import backup, history_export, history_tool, salvage

    if options.sqlite is not None:
        history_export.export_sqlite(options.export, options.sqlite, options.with_direct)
        return 0
    if not isinstance(sys.stdout, io.TextIOWrapper):
        raise ConfigError("cannot print: stdout is closed")
    try:
        if options.export is None:
            if options.check is not None:
                report = history_tool.check(options.check)
            else:
                files = None if options.tls_cert is None else _tls_files(options)
                report = history_tool.Report([backup.back_up(_data(options), options.backup, files)], True)
            sys.stdout.reconfigure(errors="backslashreplace")  # the locale may lack letters of a channel
            print(*map(printable_line, report.lines), sep="\n", flush=True)
            return 0 if report.sound else 1
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # JSON Lines, whatever the locale
        if options.readable:
            left_out = salvage.export_readable(options.export, sys.stdout, options.with_direct)
            for one in left_out:
                say_on_stderr(printable_line(f"left out: {one}"))
            return 1 if left_out else 0
        history_export.export(options.export, sys.stdout, options.with_direct)
        return 0
    except OSError as error:
        # Python flushes stdout once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # `--export FILE | head`: the reader has closed the pipe
            return 0
        raise ConfigError(f"cannot print: {error.strerror}") from None


def _name(text: str) -> str:
    try:
        return check_name(text)
    except NameRefused as refused:
        raise argparse.ArgumentTypeError(str(refused)) from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port from 0 to 65535")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number of lines a second from 0.01 to 1000000")
    return rate


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 1000000")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86400:
        raise argparse.ArgumentTypeError(f"{text} is not a time between 0 and 86400 seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
