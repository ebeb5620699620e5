"""Draws the drawings of the notes again.

python -m tests.drawings                    all of them, into notes/drawings
python -m tests.drawings --folder /tmp/look       elsewhere
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.drawings import handshake, parts, sequence
from tests.drawings.scenes import SCENES

FOLDER: Final = Path(__file__).resolve().parents[2] / "notes" / "drawings"


def drawings() -> dict[str, str]:
    """Each drawing as SVG, by its file's name."""
    scenes = (handshake.scene(), *SCENES)
    return {"parts.svg": parts.draw()} | {f"{scene.name}.svg": sequence.draw(scene) for scene in scenes}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all drawings; 1 if that cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m tests.drawings", description="Draw the drawings again.")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write (default: notes/drawings)"
    )
    options = parser.parse_args(arguments)
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
        for name, svg in drawings().items():
            (options.folder / name).write_text(svg)
    except OSError as error:
        print(f"drawings: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
