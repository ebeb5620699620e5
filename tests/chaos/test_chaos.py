"""Real programs under load and faults keep every promise, and the checker finds planted bugs by name."""

from __future__ import annotations

import pytest

from tests.chaos.checker import Wrong
from tests.chaos.run import Report, run
from tests.chaos.schedule import Fault, FaultKind, Plan, Speaker, make_plan

KILL = (Fault(1.5, FaultKind.KILL_SERVER, seconds=0.2),)


def told(report: Report) -> str:
    """The data that a person needs to analyse a failure."""
    return "\n".join(map(str, (report, *report.violations)))


def small_plan(*hows: str, faults: tuple[Fault, ...] = KILL) -> Plan:
    """A few talkers and one kill."""
    speakers = tuple(Speaker(f"t{n}", how, "#general", 80.0, n) for n, how in enumerate(hows))
    return Plan(0, 2.5, "any", speakers, faults)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_promise_is_broken(seed: int) -> None:
    """Under a short schedule of every kind of fault, nothing is lost, doubled, reordered or made up."""
    report = run(make_plan(seed, 6.0, 8))
    assert not report.violations, told(report)
    assert report.counts["lines confirmed"] > 100 and report.counts["kill server"] > 0, told(report)
    assert report.counts["quits"] > 0 and report.counts["restarts told"] > 0, told(report)


@pytest.mark.slow
def test_telling_too_early_that_somebody_has_left_is_caught() -> None:
    """The checker finds a hasty quit, and nothing else, when a server does not hold the place of the lost."""
    cut = (Fault(1.0, FaultKind.RESET, target=0), Fault(1.5, FaultKind.RESET, target=1))
    report = run(small_plan("api", "blunt", faults=cut), bug="hasty")
    assert {violation.wrong for violation in report.violations} == {Wrong.HASTY}, told(report)


@pytest.mark.slow
def test_a_silent_restart_is_caught() -> None:
    """The checker finds an untold start, and nothing else, when a server does not tell its start."""
    report = run(small_plan("api", "blunt"), bug="silent")
    assert {violation.wrong for violation in report.violations} == {Wrong.UNTOLD}, told(report)


@pytest.mark.slow
def test_acknowledging_before_the_commit_is_caught() -> None:
    """The checker finds lost confirmed lines when a server confirms lines that it has not stored."""
    report = run(small_plan("api", "api"), bug="early")
    wrongs = {violation.wrong for violation in report.violations}
    assert {Wrong.LOST, Wrong.UNSTORED} <= wrongs, told(report)
    assert not wrongs & {Wrong.DOUBLED, Wrong.DISORDERED, Wrong.UNSAID, Wrong.BROKEN}, told(report)


@pytest.mark.slow
def test_forgetting_the_ids_at_a_restart_is_caught() -> None:
    """The checker finds doubled lines, and only those, when a server forgets the applied ids."""
    report = run(small_plan("api", "blunt"), bug="forget")
    assert {violation.wrong for violation in report.violations} == {Wrong.DOUBLED}, told(report)


@pytest.mark.slow
def test_an_off_by_one_at_the_resume_seam_is_caught() -> None:
    """The checker finds a gap, and nothing else, when a server resumes one event late."""
    report = run(small_plan("api", "blunt"), bug="seam")
    assert {violation.wrong for violation in report.violations} == {Wrong.GAP}, told(report)
