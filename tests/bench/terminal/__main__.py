"""python -m tests.bench.terminal: our terminal client beside others. It prints one table, in Markdown.

--smoke: a few seconds, only whether it works.  Missing programs are named: prompt_toolkit (./setup.sh bench),
WeeChat and irssi (apt-get install weechat-curses irssi).
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.machine import describe
from tests.bench.terminal import rendering
from tests.bench.terminal.figures import OURS, Figures, percentile, spread, table
from tests.bench.terminal.programs import Player, Program, Session, programs, toolkit_lacks
from tests.bench.terminal.texts import KINDS, lines
from tests.end_to_end.programs import ROOT

BUNDLE: Final = 33
"""Lines for each frame at 1,000 lines and 30 frames a second."""

PAUSE: Final = 0.05
"""Seconds between two keys: a fast typist."""


class Scale(NamedTuple):
    """How much is measured.

    repeat:   runs, interleaved between programs
    rendered: lines that our view renders, and lines that prompt_toolkit does, which is slower
    rates:    lines a second, and for how many seconds
    kept:     lines after which the memory is read
    """

    repeat: int
    rendered: tuple[int, int]
    rates: tuple[tuple[int, float], ...]
    kept: int


FULL: Final = Scale(3, (2000, 300), ((20, 2.5), (1000, 2.5), (5000, 1.2)), 10_000)
SMOKE: Final = Scale(1, (50, 20), ((100, 0.3),), 50)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.terminal", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="seconds: only whether it works")
    parser.add_argument("--repeat", type=int, help="runs of each program")
    parser.add_argument("--render", action="store_true", help="only what needs no terminal")
    options = parser.parse_args(arguments)
    scale = SMOKE if options.smoke else FULL
    repeat = options.repeat or scale.repeat
    begin = time.monotonic()
    known = programs()
    for program in known:
        if program.lacks:
            print(f"{program.name}: {program.lacks}", flush=True)
    figures = Figures()
    for _ in range(repeat):
        render(figures, scale)
        imports(figures)
    for number in range(0 if options.render else repeat):
        for program in known:
            if not program.lacks:
                on_a_terminal(figures, program, scale)
                print(f"run {number + 1} of {repeat}: {program.name}", file=sys.stderr, flush=True)
    print(about(repeat, time.monotonic() - begin) + "\n")
    print(table(figures, [program.name for program in known if not program.lacks]))
    print("\nours, lowest to highest: " + "; ".join(spread(figures)))
    return 0


def render(figures: Figures, scale: Scale) -> None:
    """What the bytes of a frame cost, without a terminal."""
    for kind in KINDS:
        texts = lines(kind, scale.rendered[0])
        for at_once, how in ((1, "one a frame"), (BUNDLE, f"{BUNDLE} a frame")):
            costs = {
                OURS: rendering.ours(texts, at_once),
                f"{OURS}, inline": rendering.ours(texts, at_once, "inline"),
            }
            if not toolkit_lacks():
                costs["prompt_toolkit"] = rendering.toolkit(texts[: scale.rendered[1]], at_once)
            for program, cost in costs.items():
                figures.add(f"CPU ms per 1,000 lines, {kind}, {how}", program, cost.cpu)
                figures.add(f"bytes per line, {kind}, {how}", program, cost.size)
                figures.add(f"writes per frame, {kind}, {how}", program, cost.writes)


def imports(figures: Figures) -> None:
    """Milliseconds to import the library of the screen."""
    modules = {OURS: "views"} | ({} if toolkit_lacks() else {"prompt_toolkit": "prompt_toolkit"})
    for program, module in modules.items():
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        figures.add("import, ms", program, float(run.stdout) * 1000)


def on_a_terminal(figures: Figures, program: Program, scale: Scale) -> None:
    """What a program does with lines at several rates, while somebody types."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Player(program.protocol) as player,
        Session(program, player, Path(folder)) as session,
    ):
        figures.add("program: seconds until it is there", program.name, session.startup)
        heard = 0
        for rate, seconds in scale.rates:
            count = int(rate * seconds)
            _one_rate(figures, program.name, session, rate, count)
            heard += count
        session.hear("ASCII", max(0, scale.kept - heard), scale.rates[-1][0])
        figures.add(f"program: MB after {scale.kept:,} lines", program.name, session.resident())


def _one_rate(figures: Figures, name: str, session: Session, rate: int, count: int) -> None:
    size, cpu = session.size, session.cpu()
    speed, echoes = session.hear_and_type("ASCII", count, rate, PAUSE)
    at = f"at {rate:,} lines/s"
    figures.add(f"program: bytes per line, {at}", name, (session.size - size) / count)
    figures.add(f"program: output KB/s, {at}", name, speed / 1000)
    if rate >= 1000:  # the system counts in steps of 10 ms
        figures.add(f"program: CPU ms per 1,000 lines, {at}", name, (session.cpu() - cpu) * 1e6 / count)
    for share, word in ((0.5, "p50"), (0.95, "p95"), (1.0, "max")):
        figures.add(f"program: echo {word} ms, {at}", name, percentile(echoes, share) * 1000)


def about(repeat: int, seconds: float) -> str:
    """The machine and the interpreter."""
    machine = describe(())
    return (
        f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']};"
        f" Python {platform.python_version()}; medians of {repeat} interleaved runs; {seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
