"""`python -m tests.conformance`: the command line of the conformance run."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from tests.conformance import report
from tests.conformance.catalogue import checks_for
from tests.conformance.check import Level, Role
from tests.conformance.host import Host
from tests.conformance.program import WrongCommand, fill
from tests.conformance.room import Room, Servers
from tests.conformance.run import Result, Stage, Verdict, run

USAGE = 2  # the exit code for wrong options


def parser() -> argparse.ArgumentParser:
    """All options."""
    options = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description="Checks a server or client against the rules of notes/protocol.md.",
        epilog="notes/conformance.md says how to read the report. Exit code: 0 all passed, 1 something"
        " failed, 2 wrong options.",
    )
    program = options.add_mutually_exclusive_group(required=True)
    program.add_argument(
        "--server",
        metavar="CMD",
        help="how to start a server; {port} is replaced, and so are {data}, {dead_after}",
    )
    program.add_argument(
        "--client",
        metavar="CMD",
        help="how to start a client; {address} and {name} are replaced, and {dead_after}",
    )
    options.add_argument(
        "--level", choices=[level.name.lower() for level in Level], default="full", help="default %(default)s"
    )
    options.add_argument(
        "--timeout",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="for each answer (default %(default)g)",
    )
    options.add_argument(
        "--only", default="", metavar="TEXT", help="only checks of this rule, or with this text in their name"
    )
    options.add_argument("-v", "--verbose", action="store_true", help="print a line for each check")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = parser().parse_args(arguments)
    command, role = (
        (options.server, Role.SERVER) if options.server is not None else (options.client, Role.CLIENT)
    )
    checks = checks_for(role, Level[options.level.upper()], options.only)
    if all(check.gate for check in checks):
        parser().error(f"no check has {options.only!r} in its name or rules")
    for word in ("{port}",) if role is Role.SERVER else ("{address}", "{name}"):
        if word not in command:
            parser().error(f"the command has no {word}")
    began = time.monotonic()
    try:
        fill(command)
        with ExitStack() as after:
            results = run(checks, _stages(role, command, options.timeout, after), _teller(options.verbose))
    except WrongCommand as wrong:
        parser().error(str(wrong))
    print(report.summary(results, time.monotonic() - began))
    return 1 if any(result.verdict is Verdict.FAILED for result in results) else 0


def _stages(role: Role, command: str, seconds: float, after: ExitStack) -> Callable[[], Stage]:
    """What makes the stage of each check."""
    if role is Role.CLIENT:
        return lambda: Host(command, seconds)
    servers = Servers(command)
    after.callback(servers.stop)
    return lambda: Room(servers, seconds)


def _teller(verbose: bool) -> Callable[[Result], None]:
    def tell(result: Result) -> None:
        if verbose:
            print(report.one_line(result), flush=True)
        if result.verdict is Verdict.FAILED:
            print(report.failure(result), flush=True)

    return tell


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text} is not a time between 0.1 and 600 seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
