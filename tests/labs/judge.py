"""Runs a lab's check on some files, each in a process of its own, and prints what it says of each as JSON.

    python -m tests.labs.judge NUMBER SECONDS FILE...

They run side by side. A fork costs much less than the start of an interpreter.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from notes.labs.catalogue import find
from notes.labs.check import SWITCH_SECONDS, verdict


def main() -> None:
    """The program."""
    sys.setswitchinterval(SWITCH_SECONDS)
    lab = find(sys.argv[1])
    __import__(f"notes.labs.checks.{lab.name}")
    answers = []
    for file in sys.argv[3:]:
        reading, writing = os.pipe()
        if not os.fork():
            os.write(writing, verdict(lab, Path(file), float(sys.argv[2])).encode())
            os._exit(0)
        os.close(writing)
        answers.append(os.fdopen(reading))
    said = []
    for answer in answers:
        with answer:
            said.append(answer.read())
        os.wait()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
