"""The schedule depends on the seed alone, and has every kind of fault."""

from __future__ import annotations

from tests.chaos.schedule import FaultKind, make_plan


def test_the_same_seed_gives_the_same_plan() -> None:
    """A failure can be run again from the seed that it printed."""
    assert make_plan(7, 20.0, 8) == make_plan(7, 20.0, 8)
    assert make_plan(7, 20.0, 8) != make_plan(8, 20.0, 8)


def test_both_ways_through_the_handshake() -> None:
    """Half of the seeds keep the connection, half go to a new port."""
    assert {make_plan(seed, 5.0, 8).ports for seed in range(4)} == {"same", "any"}


def test_every_kind_of_fault_and_of_client_comes_up() -> None:
    """Over a few seeds every fault happens, in order of time and within the run."""
    plans = [make_plan(seed, 30.0, 8) for seed in range(10)]
    assert {fault.kind for plan in plans for fault in plan.faults} == set(FaultKind)
    assert {speaker.how for speaker in plans[0].speakers} == {"api", "blunt", "pipe", "follow"}
    for plan in plans:
        times = [fault.at for fault in plan.faults]
        assert times == sorted(times) and times[-1] < plan.seconds
