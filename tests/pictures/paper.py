"""The grounds on which pictures are drawn: the terminal's background and its own text colour."""

from __future__ import annotations

from typing import Final, NamedTuple


class Paper(NamedTuple):
    """One terminal's look.

    ground:  its background, as `#rrggbb`
    ink:     its own colour for text
    options: what a person gives to the client there
    """

    ground: str
    ink: str
    options: tuple[str, ...]

    def plain(self) -> Paper:
        """The same terminal for somebody who wants no colours."""
        return self._replace(options=("--no-color",))


_DARK: Final = ("--ground", "dark")
_LIGHT: Final = ("--ground", "light")

BLACK: Final = Paper("#000000", "#e5e5e5", _DARK)
"""xterm, reversed."""

GREY: Final = Paper("#1e1e1e", "#d4d4d4", _DARK)
"""VS Code's dark theme."""

WHITE: Final = Paper("#ffffff", "#333333", _LIGHT)
"""VS Code's light theme."""

CREAM: Final = Paper("#fdf6e3", "#586e75", _LIGHT)
"""Solarized light, with its stronger text."""
