"""The list of the checks: it is a list, whose methods have gaps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from notes.labs.vector import Vector, in_steps


def test_it_is_a_list() -> None:
    """Alone, it does what a list does."""
    plain: list[int] = []
    steps: list[int] = Vector()
    for each in (plain, steps):
        each.append(1)
        each.extend([2, 3])
        each += [4, 5, 6]
        each.remove(3)
        assert (each.pop(0), each.pop(), each.pop(-1)) == (1, 6, 5)
    assert steps == plain == list(steps) == steps.copy() == steps[:] == [*steps] == [2, 4]
    assert type(list(steps)) is type(steps.copy()) is type(steps[1:]) is list
    steps.clear()
    with pytest.raises(IndexError):
        steps.pop()
    with pytest.raises(ValueError):
        steps.remove(1)


def test_what_comes_into_a_gap_is_lost() -> None:
    """An item that another thread adds between two steps is not there afterwards, as in a std::vector."""

    class Meddled(Vector):
        def __len__(self) -> int:
            length = super().__len__()
            if length == 1:
                list.append(self, "bob")  # the other thread
            return length

    clients = Meddled(["carol"])
    clients.append("ann")
    assert list.__len__(clients) == 2 and list.__getitem__(clients, 1) == "ann"


def test_in_steps() -> None:
    """The lists of a module or an object are replaced; two names of one list stay two names of one."""
    shared = [1]
    owner = SimpleNamespace(a=shared, b=shared, c=(1,), d={1: 2})
    in_steps(owner)
    assert type(owner.a) is Vector and owner.a is owner.b and owner.a == [1]
    assert (owner.c, owner.d) == ((1,), {1: 2})
    in_steps(object())
