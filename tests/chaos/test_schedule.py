"""The schedule depends on the seed alone, and has every kind of fault."""

from __future__ import annotations

from tests.chaos.schedule import OWNED, FaultKind, Plan, Speaker, make_plan


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
    assert {owner.how for plan in plans for owner in owners(plan)} == {"api", "blunt", "follow"}
    for plan in plans:
        times = [fault.at for fault in plan.faults]
        assert times == sorted(times) and times[-1] < plan.seconds


def owners(plan: Plan) -> list[Speaker]:
    return [speaker for speaker in plan.speakers if speaker.account]


def test_each_account_has_two_programs() -> None:
    """One of them registers; a guest that logs in is among the others; programs are in different channels."""
    plans = [make_plan(seed, 5.0, 8) for seed in range(10)]
    for plan in plans:
        assert sorted(owner.account for owner in owners(plan)) == sorted(OWNED * 2)
        assert sorted(owner.account for owner in owners(plan) if owner.first) == sorted(OWNED)
        assert any(owner.name != owner.account for owner in owners(plan))
    assert any(len({owner.channel for owner in owners(plan)}) > 1 for plan in plans)
