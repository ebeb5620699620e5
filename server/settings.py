"""Options of the server that are about running it for long, and what is true of all its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from chatroom.errors import ConfigError
from chatroom.limits import (
    DELETE_SECONDS,
    EDIT_SECONDS,
    HOLD_SECONDS,
    LONGEST_AMENDING,
    LONGEST_HOLD,
    MAX_ACCOUNTS,
    NETWORK_ACCOUNTS,
)
from chatroom.option_sources import FILE, Rules

RULES: Final = Rules(
    program="server",
    only_here=("backup", "check", "export", "with_direct", "readable", "sqlite"),
    exclusive=(("tls_cert", "tls_key", "tls_self"),),
)
"""For `chatroom.option_sources.resolve`."""


def add_settings(options: argparse.ArgumentParser, rare: Callable[[str], str]) -> None:
    """Add these options. rare: makes the help of those that few people need"""
    options.add_argument("--config", metavar=FILE, help="read options from a file in TOML")
    options.add_argument("--motd", type=Path, metavar=FILE, help=rare("show this text to whoever comes in"))
    options.add_argument("--log-json", action="store_true", help=rare("log one JSON object a line"))
    options.add_argument(
        "--address-accounts",
        type=_whole(MAX_ACCOUNTS),
        default=NETWORK_ACCOUNTS,
        metavar="N",
        help=rare("accounts registered from one (default %(default)s)"),
    )
    options.add_argument(
        "--hold",
        type=_seconds(LONGEST_HOLD),
        default=HOLD_SECONDS,
        metavar="SECONDS",
        help=rare("keep the name of a lost member (default %(default)g)"),
    )
    for name, what, default in (("edit", "edit", EDIT_SECONDS), ("delete", "take back", DELETE_SECONDS)):
        options.add_argument(
            f"--{name}-for",
            type=_seconds(LONGEST_AMENDING),
            default=default,
            metavar="SECONDS",
            help=rare(f"how long one may {what} a line (%(default)g)"),
        )


def set_limits(options: argparse.Namespace) -> dict[str, int]:
    """The limits by which the state decides, as `Chatroom.limit` takes them."""
    return {
        "accounts_of_network": options.address_accounts,
        "hold": int(options.hold * 1000),
        "edit": int(options.edit_for * 1000),
        "delete": int(options.delete_for * 1000),
    }


def check_together(options: argparse.Namespace) -> None:
    """Look for options that exclude or need each other. Raises ConfigError."""
    if sum(one is not None for one in (options.backup, options.check, options.export)) > 1:
        raise ConfigError("--backup, --check and --export exclude each other")
    if options.sqlite is not None and options.export is None:
        raise ConfigError("--sqlite OUT needs --export FILE")
    if options.readable and (options.export is None or options.sqlite is not None):
        raise ConfigError("--readable needs --export FILE, without --sqlite")
    if options.with_direct and options.export is None:
        raise ConfigError("--with-direct needs --export FILE")
    if options.tls_self and options.tls_cert is not None:
        raise ConfigError("--tls-self and --tls-cert exclude each other")
    if options.tls_key is not None and options.tls_cert is None:
        raise ConfigError("--tls-key FILE needs --tls-cert FILE")


def _whole(most: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {most}")
        return int(text)

    return whole


def _seconds(most: float) -> Callable[[str], float]:
    def seconds(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 <= found <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a time from 0 to {most:g} seconds")
        return found

    return seconds
