"""The interface between user interfaces and the client, so that tests can give another client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from client.updates import Update


class Line(Protocol):
    """A line that was said; see `client.pending_lines.Line`."""

    @property
    def id(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def stored(self) -> bool: ...


class Talker(Protocol):
    """The part of `client.Client` that user interfaces use."""

    on_update: Callable[[], None] | None

    @property
    def name(self) -> str: ...
    def say(self, text: str, timeout: float | None = None) -> Line: ...
    def command(self, text: str) -> int: ...
    def flush(self, timeout: float | None = None) -> bool: ...
    def poll(self) -> list[Update]: ...
    def updates(self, timeout: float | None = None) -> Iterator[Update]: ...
    def close(self) -> None: ...
