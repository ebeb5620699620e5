"""Checks what a reader has made of a lab's program.

python3 -m notes.labs.check NUMBER FILE

Prints "passed", or what still goes wrong. Exit code 0: passed; 1: not yet; 2: there is no such lab or file.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from notes.labs.catalogue import Lab, all_labs, find
from notes.labs.stage import Stillness, goes_round, quiet, waits
from notes.labs.subject import NotYet, Subject

SECONDS = 60
"""After so long a check gives up. A right file needs a second or two."""

LOOK_SECONDS = 0.05
"""Between two looks whether the check still goes on."""

SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter while others want it: less than usual, because a check has many."""


def verdict(lab: Lab, path: Path, seconds: float = SECONDS) -> str:
    """What still goes wrong with the file; empty: nothing. After so many seconds the check gives up."""
    try:
        subject = Subject(path)
    except NotYet as problem:
        return str(problem)
    problems: list[str] = []
    run = importlib.import_module(f"notes.labs.checks.{lab.name}").check
    checking = threading.Thread(target=_run, args=(run, subject, problems), daemon=True)
    with quiet() as errors:
        checking.start()
        stuck = _watch(checking, subject, seconds)
    said = problems[0] if problems else stuck
    if said and errors and subject.describe(errors[0]) not in said:
        said += f" (a thread has failed: {subject.describe(errors[0])})"
    return said


def _watch(checking: threading.Thread, subject: Subject, seconds: float) -> str:
    """Wait for the end of the check; why it does not come, in words. The file may wait for ever itself."""
    end, still = time.monotonic() + seconds, Stillness()
    while checking.is_alive() and time.monotonic() < end:
        checking.join(LOOK_SECONDS)
        if still() and subject.where(sys._current_frames().get(checking.ident or 0)):
            polls = still.goes_round(checking)
            return f"the file {(goes_round if polls else waits)(checking, subject)}"
    where = subject.where(sys._current_frames().get(checking.ident or 0))
    return f"the check has not come to an end in {seconds:.0f} s; the file runs{where}"


def _run(check: Callable[[Subject], None], subject: Subject, problems: list[str]) -> None:
    try:
        check(subject)
    except NotYet as problem:
        problems.append(str(problem))
    except Exception as error:  # noqa: BLE001  whatever is wrong is for the reader
        ours = subject.path not in "".join(traceback.format_tb(error.__traceback__))
        who = "what the check does with the file" if ours else "the file"
        problems.append(f"{who} fails: {subject.describe(error)}")
    else:
        problems.append("")


def main() -> int:
    """The program; its exit code."""
    try:
        number, file = sys.argv[1:]
    except ValueError:
        print("usage: python3 -m notes.labs.check NUMBER FILE", file=sys.stderr)
        return 2
    try:
        lab = find(number)
    except KeyError:
        print(f"there is no lab {number}: there are 01 to {all_labs()[-1].number}", file=sys.stderr)
        return 2
    if not Path(file).is_file():
        print(f"there is no file {file}", file=sys.stderr)
        return 2
    sys.setswitchinterval(SWITCH_SECONDS)
    print(f"lab {lab.number}: ", end="", flush=True)
    problem = verdict(lab, Path(file))
    print(f"not yet: {problem}" if problem else "passed", flush=True)
    return 1 if problem else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of the reader's file may hang, and must not keep the check
