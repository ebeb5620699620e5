"""python -m tests.classes: a class of 30, three of them at real terminals; prints what these show."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.classes.lesson import Lesson, Size


def main() -> int:
    """Exit code 0: nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.classes", description=__doc__)
    parser.add_argument("--people", type=int, default=30, help="the teacher among them (default 30)")
    parser.add_argument("--terminals", type=int, default=3, help="how many at a terminal, 1 to 3")
    parser.add_argument("--hands", type=int, default=20)
    options = parser.parse_args()
    size = Size(options.people, options.terminals, min(options.hands, options.people - 4))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chatroom-class-") as folder:
        lesson = Lesson(Path(folder), size)
        wrong = lesson.run()
    print(f"\n{size.people} people, {time.monotonic() - began:.0f} s, {lesson.checked} things looked at")
    print("\n".join(wrong) if wrong else "nothing was wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
