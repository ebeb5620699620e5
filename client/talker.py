"""What a user interface needs of a client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from client.updates import Update


class Line(Protocol):
    """A line that was said, as the client hands it out."""

    @property
    def id(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def stored(self) -> bool: ...


class Talker(Protocol):
    """What a terminal needs of a `client.Client`."""

    on_update: Callable[[], None] | None

    @property
    def name(self) -> str: ...
    def say(self, text: str, timeout: float | None = None) -> Line: ...
    def command(self, text: str) -> None: ...
    def flush(self, timeout: float | None = None) -> bool: ...
    def poll(self) -> list[Update]: ...
    def updates(self, timeout: float | None = None) -> Iterator[Update]: ...
    def close(self) -> None: ...
