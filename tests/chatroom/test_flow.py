"""Flow: talkers wait while most readers are behind, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from chatroom.flow import Flow
from chatroom.limits import PAUSE_PERIOD, PAUSE_SECONDS
from tests.support.patience import eventually
from tests.support.tasks import Task


def flow_with(behind: int, members: int, clock: Callable[[], float] = lambda: 0.0) -> Flow:
    """A flow that counts so many. Its clock stands still, so that a pause ends only for other reasons."""
    flow = Flow(clock)
    flow.count_members(members)
    for _ in range(behind):
        flow.fell_behind()
    return flow


def waiting(flow: Flow) -> Task[None]:
    """A handler that waits when this returns."""
    task = Task(flow.wait_for_readers)
    eventually(lambda: flow.paused == 1, "the handler does not wait")
    return task


@pytest.mark.parametrize(("behind", "members"), [(0, 0), (0, 1), (1, 2), (1, 3), (5, 10), (49, 99)])
def test_up_to_half_behind_slow_nobody(behind: int, members: int) -> None:
    """While at most half of the members are behind, a handler goes on at once."""
    flow = flow_with(behind, members)
    flow.wait_for_readers()
    assert (flow.behind, flow.pauses) == (behind, 0)


@pytest.mark.parametrize(("behind", "members"), [(1, 1), (2, 3), (6, 10), (100, 100)])
def test_more_than_half_behind_hold_the_talkers(behind: int, members: int) -> None:
    """With more than half of the members behind, handlers wait until half have caught up, and no longer."""
    flow = flow_with(behind, members)
    tasks = [waiting(flow), Task(flow.wait_for_readers)]
    for _ in range(behind - members // 2):
        assert all(task.is_alive() for task in tasks)
        flow.caught_up()
    for task in tasks:
        task.result()
    assert flow.paused == 0
    assert flow.pauses >= 1


def test_a_member_that_falls_behind_meanwhile_counts() -> None:
    """A member that falls behind while handlers wait must catch up as well."""
    flow = flow_with(1, 1)
    task = waiting(flow)
    flow.fell_behind()
    flow.caught_up()
    assert flow.behind == 1 and task.is_alive()
    flow.caught_up()
    task.result()


def test_new_members_end_a_pause() -> None:
    """When readers join, so that those behind are no longer the majority, handlers go on."""
    flow = flow_with(2, 3)
    task = waiting(flow)
    flow.count_members(4)
    task.result()


def test_a_pause_is_bounded() -> None:
    """Readers that have stopped hold a handler for PAUSE_SECONDS and not longer."""
    flow = flow_with(3, 3, time.monotonic)
    began = time.monotonic()
    flow.wait_for_readers()
    assert time.monotonic() - began >= PAUSE_SECONDS
    assert (flow.paused, flow.pauses) == (0, 1)


def test_one_pause_in_a_period() -> None:
    """When a pause is over, nobody waits until the period is over, too; then there may be another pause."""
    now = [100.0]
    flow = flow_with(3, 3, lambda: now[0])
    for pauses in (1, 2):
        task = waiting(flow)
        now[0] += PAUSE_SECONDS
        task.result()
        for _ in range(3):
            flow.wait_for_readers()
            now[0] += (PAUSE_PERIOD - PAUSE_SECONDS) / 3 - 0.01
        assert flow.pauses == pauses
        now[0] += 0.04


def test_open_releases() -> None:
    """When the chatroom closes, handlers go on at once and never wait again."""
    flow = flow_with(1, 1)
    task = waiting(flow)
    flow.open()
    task.result()
    flow.wait_for_readers()
