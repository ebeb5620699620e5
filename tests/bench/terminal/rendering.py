"""Lines become bytes, in this process, without a terminal: our view, and prompt_toolkit's patch_stdout."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from chatroom.events import Event, EventKind
from tests.bench.terminal.texts import TYPED
from tests.support.patience import PROGRAM_PATIENCE
from views import Depth, Ground, Repaint, Status, View

COLUMNS, LINES = 80, 24
_NOON: Final = 1_700_000_000_000
_TALKERS: Final = ("bob", "carla", "dmitri", "eve")


class Cost(NamedTuple):
    """Of some messages: bytes for each, writes for each frame, CPU milliseconds for a thousand."""

    size: float
    writes: float
    cpu: float


def ours(lines: Sequence[str], at_once: int, repaint: Repaint = "around") -> Cost:
    """Our view with a half-typed line and a status row, which paints a frame after each `at_once` lines."""
    view = View(
        COLUMNS, LINES, name="ann", ground=Ground.DARK, depth=Depth.MANY, repaint=repaint, today=date.today()
    )
    view.status(Status("#general", ", 5 here"))
    now = 0.0
    for _ in view.keys(TYPED.encode(), now):
        pass
    view.tick(now)
    events = [
        Event(seq, _NOON + 1000 * seq, EventKind.SAID, "#general", _TALKERS[seq % 4], text, 0, seq % 4 + 2, 1)
        for seq, text in enumerate(lines, 1)
    ]
    out: list[str] = []
    frames = 0
    begin = time.process_time()
    for first in range(0, len(events), at_once):
        for event in events[first : first + at_once]:
            view.event(event)
        now += 1.0
        frames += 1
        while view.wait(now) == 0.0:
            out.append(view.tick(now))
    seconds = time.process_time() - begin
    size = sum(len(each.encode()) for each in out)
    return Cost(size / len(lines), sum(map(bool, out)) / frames, seconds * 1e6 / len(lines))


class _Sink:
    """A terminal of which only the bytes are counted, as prompt_toolkit wants it."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.size = self.writes = 0
        self.painted: Callable[[], None] = lambda: None
        self.buffer = self

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.writes += bool(data)
        if TYPED.encode() in data:
            self.painted()
        return len(data)

    def flush(self) -> None:
        """Everything is written already."""

    def fileno(self) -> int:
        return -1

    def isatty(self) -> bool:
        return True


def toolkit(lines: Sequence[str], at_once: int) -> Cost:
    """prompt_toolkit with the same half-typed line: print() under patch_stdout, without its pause of 0.2 s.

    Raises ImportError.
    """
    return asyncio.run(_toolkit(lines, at_once))


async def _toolkit(lines: Sequence[str], at_once: int) -> Cost:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output.vt100 import Vt100_Output
    from prompt_toolkit.patch_stdout import StdoutProxy

    sink: Any = _Sink()
    painted = asyncio.Event()
    sink.painted = painted.set
    output = Vt100_Output(
        sink, lambda: Size(rows=LINES, columns=COLUMNS), term="xterm-256color", enable_cpr=False
    )
    with create_pipe_input() as keys:
        session: PromptSession[str] = PromptSession("ann> ", input=keys, output=output)
        asking = asyncio.create_task(session.prompt_async(default=TYPED))
        await asyncio.wait_for(painted.wait(), PROGRAM_PATIENCE)
        with StdoutProxy(sleep_between_writes=0, raw=True) as proxy:
            proxy._output = output  # else it is that of the process
            size, writes, frames = sink.size, sink.writes, 0
            begin = time.process_time()
            for first in range(0, len(lines), at_once):
                part = lines[first : first + at_once]
                painted.clear()
                proxy.write("".join(f"12:34 {_TALKERS[n % 4]}: {text}\n" for n, text in enumerate(part)))
                frames += 1
                await asyncio.wait_for(painted.wait(), PROGRAM_PATIENCE)
            seconds = time.process_time() - begin
        cost = Cost(
            (sink.size - size) / len(lines), (sink.writes - writes) / frames, seconds * 1e6 / len(lines)
        )
        keys.send_bytes(b"\r")
        await asking
    return cost
