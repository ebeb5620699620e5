"""What a picture shows, and who plays it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tests.client.pseudo_terminal import PseudoTerminal
from tests.pictures.paper import Paper
from tests.pictures.stage import Stage
from tests.pictures.svg import svg

_TRIES: Final = 3

Play = Callable[[Stage], PseudoTerminal]
"""Plays a scene; the terminal whose screen is the picture, which has settled."""


class Scene(NamedTuple):
    """One picture.

    name:  of its file, without the ending
    words: what it shows, in one sentence
    size:  columns and lines of the screen
    shows: texts that must be in it, whatever else is; blanks and ends of rows do not count
    at:    the time of the day that the people's clocks show when the first of them comes in
    """

    name: str
    words: str
    size: tuple[int, int]
    paper: Paper
    play: Play
    shows: tuple[str, ...]
    at: tuple[int, int, int] = (9, 24, 2)

    def draw(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Play it on a server of its own, and give the picture as SVG.

        host, port: where the server listens; port 0: any free one
        Raises AssertionError when a screen does not show in time what it should, or the clocks do not.
        """
        for _ in range(_TRIES):
            picture = self._try(host, port)
            if picture:
                return picture
        raise AssertionError("the clocks show a later minute each time: the machine is too slow")

    def _try(self, host: str, port: int) -> str:
        """The picture; empty if the clocks show a later minute than they should."""
        with tempfile.TemporaryDirectory(prefix="chatroom-picture-") as folder:
            stage = Stage(Path(folder), *self.size, self.paper, self.at, host, port)
            with stage:
                screen = self.play(stage).screen
                return "" if stage.is_late else svg(screen, self.paper, self.words)
