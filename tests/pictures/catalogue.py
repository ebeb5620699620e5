"""All pictures, and the page that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.pictures import large, session, small, usual
from tests.pictures.scene import Scene

NOTES: Final = Path(__file__).resolve().parents[2] / "notes"
FOLDER: Final = "terminal"
"""Where the pictures and their page are, in the notes."""

README: Final = (session.DARK, session.LIGHT)
"""The README's: the same scene on both grounds. They stand in the notes themselves."""

SCENES: Final = (*small.SCENES, *usual.SCENES, *large.SCENES)
"""Those of the page, in its order: by size."""

_HEAD: Final = """\
# How the client looks

Each picture is the screen of a real client in a pseudo-terminal, with a real server and real people at other
clients. The text in it is what the client wrote. Its colours are those of the 256 colours that it asked for,
and a wide character takes two cells. The background and the text's own colour belong to the terminal: those
of xterm, of VS Code, and of Solarized. Nothing is changed afterwards. Only the time zone is chosen, so
that the clocks of the people show the same time in each run.

`python -m tests.pictures` draws all of them again, those of README.md, too, and writes this page. How many
lines a flood leaves out, and in how many seconds a client tries again, is another number in each run.
"""


def file_of(scene: Scene) -> str:
    """The picture's file, below the notes."""
    name = f"{scene.name}.svg"
    return name if scene in README else f"{FOLDER}/{name}"


def page(scenes: Sequence[Scene]) -> str:
    """The page in Markdown: each picture with one line."""
    parts = [_HEAD]
    for size, group in groupby(scenes, lambda scene: scene.size):
        parts.append(f"## {size[0]} columns, {size[1]} lines\n")
        parts += (f"{scene.words}.\n\n![{scene.name}]({scene.name}.svg)\n" for scene in group)
    return "\n".join(parts)
