"""Figures: what the rounds of the forwarder come to."""

from __future__ import annotations

import threading

from chatroom.figures import Figures, Round
from chatroom.limits import SECONDS_STEPS, SIZE_STEPS
from chatroom.packets import Resumed


def test_nothing_has_happened() -> None:
    """Without a round all figures are 0, and there is no time of a last event."""
    now = Figures().read()
    assert (now.latest, now.lines, now.size, now.stored_at) == (Round(), 0, 0, 0)
    assert sum(now.waits.counts) == 0 and now.waits.total == 0.0
    assert now.admitted == now.refused == {} and not now.holding


def test_rounds_add_up() -> None:
    """Lines and bytes are sums; what there is now is that of the latest round, also of one without events."""
    figures = Figures()
    figures.note(Round(time=5, waited=0.2, events=3, lines=2, size=300, stored=0.001, sent=0.002, members=4))
    figures.note(Round(time=9, waited=0.0, events=1, lines=1, size=100, stored=0.5, sent=0.6, members=3))
    figures.note(Round(time=11, members=2, waited=7.0))
    now = figures.read()
    assert (now.lines, now.size, now.stored_at, now.latest.members) == (3, 400, 9, 2)
    assert sum(now.batches.counts) == sum(now.waits.counts) == 2
    assert now.batches.total == 4.0 and now.waits.total == 0.2


def test_a_value_counts_in_its_step() -> None:
    """A value that equals a step belongs to it; one above all steps to the last count."""
    figures = Figures()
    for events, stored in ((1, SECONDS_STEPS[0]), (2, 99.0), (5000, SECONDS_STEPS[0] * 1.5)):
        figures.note(Round(events=events, stored=stored))
    now = figures.read()
    assert now.batches.counts[:2] == (1, 1) and now.batches.counts[-1] == 1
    assert len(now.batches.counts) == len(SIZE_STEPS) + 1
    assert now.stores.counts[:2] == (1, 1) and now.stores.counts[-1] == 1


def test_what_was_read_does_not_change() -> None:
    """Who has read the figures has copies."""
    figures = Figures()
    figures.admit(Resumed.EXACT)
    before = figures.read()
    figures.admit(Resumed.EXACT)
    figures.refuse("full")
    figures.hold(True)
    figures.note(Round(events=1))
    assert before.admitted == {Resumed.EXACT: 1} and before.refused == {} and not before.holding
    assert sum(before.batches.counts) == 0
    now = figures.read()
    assert now.admitted == {Resumed.EXACT: 2} and now.refused == {"full": 1} and now.holding


def test_several_threads_lose_nothing() -> None:
    """Many threads count at once, and one reads meanwhile."""
    figures, start = Figures(), threading.Barrier(5)

    def count() -> None:
        start.wait()
        for _ in range(500):
            figures.refuse("full")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    seen = [figures.read().refused.get("full", 0) for _ in range(100)]
    for thread in threads:
        thread.join()
    assert seen == sorted(seen) and figures.read().refused == {"full": 2000}
