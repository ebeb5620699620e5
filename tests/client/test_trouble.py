"""client/trouble.py"""

from __future__ import annotations

import pytest

from client.trouble import Trouble
from client.updates import Retrying


def test_all_is_well() -> None:
    """Nothing is said before the connection is lost, nor when it is back."""
    trouble = Trouble()
    assert trouble.words(0.0) == "" and trouble.wait(0.0) is None
    trouble.lost()
    assert trouble.words(0.0) == "reconnecting" and trouble.wait(0.0) is None
    trouble.over()
    assert trouble.words(0.0) == ""


def test_counting_down() -> None:
    """Each second has its words, and whoever waits as long as is asked misses none of them."""
    trouble, now, told = Trouble(), 10.0, list[str]()
    trouble.retrying(Retrying(2.5, "refused"), now)
    while (wait := trouble.wait(now)) is not None:
        assert wait > 0
        told.append(trouble.words(now))
        now += wait
    told.append(trouble.words(now))
    assert told == [
        "reconnecting in 3 s: refused",
        "reconnecting in 2 s: refused",
        "reconnecting in 1 s: refused",
        "reconnecting now: refused",
    ]
    assert now == pytest.approx(12.5)


def test_short_pauses_do_not_flicker() -> None:
    """The first tries follow each other at once: their words stay the same."""
    trouble = Trouble()
    trouble.lost()
    for seconds in (0.25, 0.5):
        trouble.retrying(Retrying(seconds, "refused"), 0.0)
        assert trouble.words(0.0) == trouble.words(9.0) == "reconnecting: refused"
        assert trouble.wait(0.0) is None
