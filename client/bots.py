"""What bots need besides a client: a command line with its options, and a file that is not lost."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from chatroom.errors import NameHeld, NameTaken
from chatroom.option_sources import resolve
from client.__main__ import make_client, parser, read_if_named, told_how_to_log_in
from client.client import Client
from client.coming_in import another
from client.program import complain
from client.settings import RULES

_SHOWN: Final = (
    *("address", "name", "channel", "config", "password_file", "server_password_file"),
    *("tls", "tls_ca", "tls_trust", "retry_for", "help"),
)
"""Destinations of the client's options that mean something for a bot. The others are taken and have no
effect, so that one file and one environment do for both."""


def bot_parser(description: str) -> argparse.ArgumentParser:
    """The client's options, to which a bot adds its own. The server is `--server HOST:PORT`, no argument."""
    options = parser(everything=True, bot=True)
    options.prog, options.usage = os.path.basename(sys.argv[0]), None
    options.description, options.epilog = description, None
    for action in options._actions:
        if action.dest == "config":
            action.help = "options in TOML"
        if action.dest not in _SHOWN:
            action.help = argparse.SUPPRESS
    return options


@contextmanager
def bot_client(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[argparse.Namespace, Client]]:
    """The options, and a client that is connected as they say; it is closed at the end of the `with` block.

    They are those of the command line, the environment (CHATROOM_CLIENT_…) and `--config FILE`. The user's
    own file of options is not read: the name in it is that of a person.
    parser: of `bot_parser`
    name:   where the options have none; when somebody has it, the next number stands behind it
    Raises as `Client.connect`, and at the end of the block the error with which the client ended.
    """
    options = resolve(parser, None, RULES._replace(default=lambda: None))
    options.server_password = read_if_named(options.server_password_file)
    options.history = 0
    wanted = options.name or name
    client = make_client(options, wanted, read_if_named(options.password_file), 0, math.inf)
    while True:
        try:
            with told_how_to_log_in():
                client.connect(options.retry_for or 0.0)
            break
        except (NameTaken, NameHeld):
            if options.name is not None:
                raise
            client.name = another(client.name)
    with client:
        yield options, client
        if client.ended is not None and client.ended.error is not None:
            raise client.ended.error


def set_aside(path: Path, why: str) -> None:
    """Call a file FILE.1, or the next such name that is free, and say so and why in one line."""
    names = (path.with_name(f"{path.name}.{number}") for number in count(1))
    aside = next(name for name in names if not name.exists())
    path.rename(aside)
    complain(f"{path} is {aside.name} now: {why}")
