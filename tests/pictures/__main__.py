"""Draws the pictures of README.md and notes/terminal/ again: real sessions, in real pseudo-terminals, as SVG.

python -m tests.pictures                    all of them, and the page notes/terminal/README.md
python -m tests.pictures mention-small poll --folder /tmp/look      some of them, elsewhere
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.pictures.catalogue import FOLDER, NOTES, README, SCENES, page
from tests.pictures.drawing import draw_all

_PORT: Final = 5050
"""The server's usual port, which a picture may show."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw what the command line says; 1 if a scene failed."""
    scenes = {scene.name: scene for scene in (*README, *SCENES)}
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description="Draw the pictures again.")
    names = ", ".join(scenes)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {names}; default: all")
    parser.add_argument("--folder", type=Path, default=NOTES, help="where to write (default: notes)")
    parser.add_argument("--port", type=int, default=_PORT, help="of each server (default: %(default)s)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in scenes]
    if unknown:
        parser.error(f"there is no scene {unknown[0]}")
    wanted = [scenes[name] for name in options.names] or list(scenes.values())
    failed = draw_all(options.folder, options.port, wanted)
    if not options.names:
        (options.folder / FOLDER / "README.md").write_text(page(SCENES))
    for words in failed:
        print(words, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
