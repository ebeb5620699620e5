"""How both programs print --help: a screen of 80x24 with what most people need; --help-all has the rest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

_COLUMNS: Final = 79  # so that no row of a screen of 80 is full
_TEXT_AT: Final = 32  # the column of the explanations, at most


Parser = Callable[[], argparse.ArgumentParser]


class HelpFormat(argparse.RawDescriptionHelpFormatter):
    """Its rows are the same on every screen, however wide."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_TEXT_AT, width=_COLUMNS)


class HelpAll(argparse.Action):
    """Prints the help with all options, and ends the program."""

    def __init__(self, option_strings: Sequence[str], *, whole: Parser, **more: Any) -> None:
        """whole: makes the parser that shows all options"""
        super().__init__(option_strings, nargs=0, **{**more, "default": argparse.SUPPRESS})
        self._whole = whole

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """argparse calls this when it meets the option."""
        parser._print_message(self._whole().format_help(), sys.stdout)
        parser.exit()


def shown_if(everything: bool) -> Callable[[str], str]:
    """Makes the help of options that only --help-all shows."""
    return lambda text: text if everything else argparse.SUPPRESS
