"""Flow: when most readers are behind, the talkers wait; one of many is not most."""

from __future__ import annotations

import pytest

from chatroom.flow import Flow
from tests.chatroom.fakes import PATIENCE, Task, WatchedCondition


def held(flow: Flow, members: int) -> Task:
    """A forwarder that waits when this returns."""
    flow._eased = condition = WatchedCondition(flow._lock)
    task = Task(lambda: flow.wait_while_most_are_behind(members))
    assert condition.waiting.wait(PATIENCE)
    return task


@pytest.mark.parametrize(("behind", "members"), [(0, 0), (0, 1), (1, 2), (1, 3), (5, 10), (49, 99)])
def test_up_to_half_slow_nobody(behind: int, members: int) -> None:
    """As long as not more than half of the members are behind, nobody waits for them."""
    flow = Flow()
    for _ in range(behind):
        flow.fell_behind()
    assert flow.wait_while_most_are_behind(members) is False
    assert flow.behind == behind


@pytest.mark.parametrize(("behind", "members"), [(1, 1), (2, 3), (6, 10), (100, 100)])
def test_more_than_half_hold_the_forwarder(behind: int, members: int) -> None:
    """With more than half behind, the forwarder waits until that many have caught up, and no longer."""
    flow = Flow()
    for _ in range(behind):
        flow.fell_behind()
    task = held(flow, members)
    for _ in range(behind - members // 2):
        assert task.is_alive()
        flow.caught_up()
    assert task.result() is True


def test_who_falls_behind_meanwhile_counts() -> None:
    """A member that falls behind while the forwarder waits must catch up as well."""
    flow = Flow()
    flow.fell_behind()
    task = held(flow, 1)
    flow.fell_behind()
    flow.caught_up()
    assert flow.behind == 1 and task.is_alive()
    flow.caught_up()
    assert task.result() is True


def test_open_releases() -> None:
    """At the end, the forwarder goes on at once, and never waits again."""
    flow = Flow()
    flow.fell_behind()
    task = held(flow, 1)
    flow.open()
    assert task.result() is True
    assert flow.wait_while_most_are_behind(1) is False
