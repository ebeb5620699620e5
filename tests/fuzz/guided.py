"""The same targets with atheris, which keeps and mutates the inputs that reach new code.

atheris is no part of the tests' libraries: it exists for some systems and versions of Python only.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback
from collections import deque
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.fuzz.inputs import mutate
from tests.fuzz.loop import PROGRESS_SECONDS, Hang, Report, bounded, save
from tests.fuzz.targets import TARGETS

INSTRUMENTED: Final = (
    "chatroom.packets",
    "chatroom.errors",
    "server.connection",
    "client.link",
    "views.keys",
)
FIRST: Final = 500
"""Inputs to begin with."""

LONGEST: Final = 512
"""Bytes of an input at most: some packets. Longer inputs would only take longer."""


def fuzz_guided(name: str, count: int, seed: int, folder: Path) -> int:
    """As `fuzz`, for a target that does not wait. It ends the process: the engine would go on."""
    atheris: Any = importlib.import_module("atheris")
    for module in [module for module in sys.modules if module.startswith(INSTRUMENTED)]:
        for code in vars(sys.modules[module]).values():
            if callable(code) and getattr(code, "__module__", None) == module:
                _instrument(atheris, code)
    kept = TemporaryDirectory()
    with TARGETS[name]() as target, bounded(target.waits) as begin:
        random, report = Random(seed), Report(name, seed, target.waits)
        first = [target.make(random) for _ in range(FIRST)]
        for number, data in enumerate(first):
            (Path(kept.name) / str(number)).write_bytes(data)
        said = time.monotonic()

        def test(data: bytes) -> None:
            nonlocal said
            if report.inputs == count:
                _end(report, kept)
            begin()
            began = time.process_time()
            try:
                outcome = target.run(data)
            except (Exception, Hang) as finding:  # noqa: BLE001  all that is not declared is looked for
                report.hangs += isinstance(finding, Hang)
                report.tracebacks += not isinstance(finding, Hang)
                traceback.print_exception(finding)
                save(deque([data]), f"{name}-guided-{seed}-{report.inputs}", folder)
                _end(report, kept)
            report.add(data, outcome, time.process_time() - began)
            if time.monotonic() - said > PROGRESS_SECONDS:
                said = time.monotonic()
                print(report.line(), flush=True)

        def change(data: bytes, longest: int, number: int) -> bytes:
            """Half of the changes are ours, which know where packets have their numbers."""
            if number % 2:
                return bytes(atheris.Mutate(data, longest))
            return mutate(Random(number), data, first)[:longest]

        options = (f"-seed={seed}", f"-max_len={LONGEST}", "-verbosity=0", "-timeout=1200")
        atheris.Setup([sys.argv[0], kept.name, *options], test, custom_mutator=change)
        atheris.Fuzz()
    return 0


def _instrument(atheris: Any, code: Any) -> None:
    """Let the engine see which lines of a function, or of a class's functions, are reached."""
    if not isinstance(code, type):
        if hasattr(code, "__code__"):
            atheris.instrument_func(code)
        return
    for method in vars(code).values():
        if hasattr(method, "__code__"):
            atheris.instrument_func(method)


def _end(report: Report, kept: TemporaryDirectory[str]) -> None:
    """Print what came of it, and end the process."""
    print(report, flush=True)
    kept.cleanup()
    os._exit(1 if report.tracebacks or report.hangs else 0)
