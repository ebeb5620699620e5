"""What a check is, and how it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, IntEnum
from functools import partial
from typing import Any, NamedTuple


class Level(IntEnum):
    """How much of the protocol a program is to keep; each level contains those before it."""

    BASIC = 0
    RESUME = 1
    FULL = 2
    ACCOUNTS = 3  # not every server has accounts
    CHANNELS = 4  # nor commands to enter channels, direct conversations, and lines that change
    MODERATION = 5  # nor lists of those who may not come in or speak, and a classroom


class Role(Enum):
    """Which program a check is for."""

    SERVER = "server"
    CLIENT = "client"


class Check(NamedTuple):
    """One check. run: called with the Room or Host; raises Failed or NotChecked.

    promise: what the program has to do, in one sentence
    gate:    nothing else can be checked before this one has passed
    long:    waits for seconds, so it is started first
    """

    name: str
    rules: tuple[str, ...]
    level: Level
    role: Role
    promise: str
    run: Callable[[Any], None]
    gate: bool
    long: bool


class Failed(Exception):
    """The program did something else than the protocol demands.

    rules: those that it broke, when the check has others, too
    """

    def __init__(self, expected: str, came: str, *rules: str) -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.expected = expected
        self.came = came
        self.rules = rules


class NotChecked(Exception):
    """The check cannot be made with this program or command; the text says why."""


class Slowed(Exception):
    """The server said SLOW_DOWN: the check has to be made again later."""


CHECKS: list[Check] = []


def check(
    *rules: str,
    level: Level,
    role: Role,
    cases: Mapping[str, Any] | None = None,
    gate: bool = False,
    long: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a check of `rules`; its docstring is the promise.

    cases: one check for each; the function gets the value as its second argument
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        promise = " ".join((function.__doc__ or "").split())
        assert rules and promise, f"{function.__name__} needs rules and a docstring"
        for name, run in _runs(function, cases):
            CHECKS.append(Check(name, tuple(dict.fromkeys(rules)), level, role, promise, run, gate, long))
        return function

    return register


def _runs(
    function: Callable[..., None], cases: Mapping[str, Any] | None
) -> Iterable[tuple[str, Callable[[Any], None]]]:
    name = function.__name__.replace("_", " ")
    if cases is None:
        return [(name, function)]
    return [(f"{name}: {case}", partial(_with, function, value)) for case, value in cases.items()]


def _with(function: Callable[..., None], value: object, stage: object) -> None:
    function(stage, value)


def ensure(condition: object, rule: str, expected: str, came: object) -> None:
    """Raise Failed by `rule` unless the condition holds."""
    if not condition:
        raise Failed(expected, str(came), rule)
