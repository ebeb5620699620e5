"""A list that takes several steps to change or to copy, as a std::vector does.

Checks put it in place of a list. CPython happens to do `append()`, `remove()` and `list()` in one step, which
no other thread can come into. That is how this interpreter is made, and no rule: a program that relies on it
has no lock where C++ needs one. With this list, `notes/labs/stage.py` finds the lock that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class Vector(list[Any]):
    """A list whose methods read, work, and write back: each of that is a step."""

    def append(self, item: Any) -> None:
        """Put an item at the end."""
        end = len(self)
        self[end:] = [item]

    def extend(self, items: Iterable[Any]) -> None:
        """Put items at the end."""
        for item in items:
            self.append(item)

    def __iadd__(self, items: Iterable[Any]) -> Vector:  # type: ignore[misc]
        self.extend(items)
        return self

    def pop(self, index: Any = -1) -> Any:
        """Take an item out; those behind it move up."""
        if not len(self):
            raise IndexError("pop from empty list")
        at = index % len(self)
        item = list.__getitem__(self, at)
        behind = list.__getitem__(self, slice(at + 1, None))
        self[at:] = behind
        return item

    def remove(self, item: Any) -> None:
        """Take out the first one that is equal to it."""
        self.pop(self.index(item))

    def __iter__(self) -> Iterator[Any]:
        at = 0
        while at < len(self):
            yield list.__getitem__(self, at)
            at += 1

    def copy(self) -> list[Any]:
        """A plain list of the items."""
        return list(iter(self))

    def __getitem__(self, index: Any) -> Any:
        return self.copy()[index] if isinstance(index, slice) else list.__getitem__(self, index)


def in_steps(owner: object) -> None:
    """Replace each list among the variables of a module or an object by one that works in steps."""
    fields: dict[str, Any] = getattr(owner, "__dict__", {})
    vectors: dict[int, Vector] = {}  # two names of one list stay two names of one
    for name, value in list(fields.items()):
        if type(value) is list:
            fields[name] = vectors.setdefault(id(value), Vector(value))
