"""Runs the checks side by side, each with its own connections."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from threading import Event as Flag
from typing import NamedTuple, Protocol

from tests.conformance.check import Check, Failed, NotChecked, Slowed
from tests.conformance.program import WrongCommand
from tests.conformance.wire import Wire

SIDE_BY_SIDE = 10
"""Checks at the same time: most of them wait for the program."""
SLOWED_TIMES = 10
"""A check is made again so often when the server says SLOW_DOWN, each time after SLOWED_PAUSE seconds."""
SLOWED_PAUSE = 2.0


class Verdict(Enum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class Result(NamedTuple):
    """A check and what became of it.

    blamed: the rules that were broken
    story:  what was sent and what came, and how the program stands
    """

    check: Check
    verdict: Verdict
    seconds: float
    blamed: tuple[str, ...] = ()
    expected: str = ""
    came: str = ""
    story: tuple[str, ...] = ()


class Stage(Protocol):
    """What a check works with: Room or Host."""

    wires: list[Wire]

    def close(self) -> None:
        """Close all that the check has opened."""

    def story(self) -> list[str]:
        """What a report adds about the program."""


def run(checks: Sequence[Check], stage: Callable[[], Stage], tell: Callable[[Result], None]) -> list[Result]:
    """Run the gates one by one, then the others side by side. tell: called with each result."""
    results: list[Result] = []

    def note(result: Result) -> None:
        results.append(result)
        tell(result)

    for gate in (check for check in checks if check.gate):
        note(_run(gate, stage))
    others = sorted((check for check in checks if not check.gate), key=lambda check: not check.long)
    if any(result.verdict is not Verdict.PASSED for result in results):
        closed = next(result.check for result in results if result.verdict is not Verdict.PASSED)
        for check in others:
            note(Result(check, Verdict.NOT_CHECKED, 0.0, came=f"nothing works before {closed.name!r} passes"))
        return results
    with ThreadPoolExecutor(SIDE_BY_SIDE, "check") as pool:
        for result in pool.map(lambda check: _run(check, stage), others):
            note(result)
    return results


def _run(check: Check, make: Callable[[], Stage]) -> Result:
    for _ in range(SLOWED_TIMES):
        try:
            return _try(check, make)
        except Slowed:
            Flag().wait(SLOWED_PAUSE)
    came = "SLOW_DOWN, again and again"
    return Result(
        check, Verdict.FAILED, SLOWED_TIMES * SLOWED_PAUSE, ("C8",), "to be let in after some seconds", came
    )


def _try(check: Check, make: Callable[[], Stage]) -> Result:
    """Make a check once. Raises Slowed."""
    began = time.monotonic()
    stage = make()

    def result(verdict: Verdict, blamed: tuple[str, ...] = (), expected: str = "", came: str = "") -> Result:
        seconds = time.monotonic() - began
        story = _story(stage) if verdict is Verdict.FAILED else ()
        return Result(check, verdict, seconds, blamed, expected, came, story)

    try:
        check.run(stage)
        return result(Verdict.PASSED)
    except NotChecked as reason:
        return result(Verdict.NOT_CHECKED, came=str(reason))
    except Failed as failed:
        return result(Verdict.FAILED, failed.rules or check.rules, failed.expected, failed.came)
    except (Slowed, WrongCommand):
        raise
    except Exception:  # noqa: BLE001  a mistake in a check must not end the run
        return result(Verdict.FAILED, (), "a check without a mistake of its own", traceback.format_exc())
    finally:
        stage.close()


def _story(stage: Stage) -> tuple[str, ...]:
    lines: list[str] = []
    for wire in stage.wires:
        lines += [f"[{wire.name}]", *(f"  {entry}" for entry in wire.log)]
    return (*lines, *stage.story())
