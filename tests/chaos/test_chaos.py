"""Real programs under load and faults keep every promise, and the checker finds planted bugs by name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.chaos.report import Report
from tests.chaos.run import is_in, run
from tests.chaos.schedule import (
    OWNED,
    Fault,
    FaultKind,
    Moderator,
    Plan,
    Speaker,
    Strangers,
    make_plan,
    make_rovers,
)
from tests.chaos.wrongs import Wrong

KILL = (Fault(1.5, FaultKind.KILL_SERVER, seconds=0.2),)

_RUNS = 3
"""Runs in which a planted fault has to show itself once."""


def told(report: Report) -> str:
    """The data that a person needs to analyse a failure."""
    return "\n".join(map(str, (report, *report.violations)))


class Pretender:
    """What `is_in` asks of a client: whether its program runs, was let in, gave up at once."""

    def __init__(self, *, alive: bool, shown: bool = False, gave_up: bool = False) -> None:
        self.alive = alive
        self._shown = shown
        self._gave_up = gave_up

    def lives(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(shown=["an event"] if self._shown else [])]

    def gave_up_at_once(self) -> bool:
        return self._gave_up


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Pretender(alive=True), False),
        (Pretender(alive=True, shown=True), True),
        (Pretender(alive=False, gave_up=True), False),
        (Pretender(alive=False), True),
    ],
)
def test_a_program_that_has_just_given_up_is_not_in(client: Pretender, expected: bool) -> None:
    """The end of a run waits for a program that gave up at once: it is to be started again."""
    assert is_in(client) is expected  # type: ignore[arg-type]


def accounts_plan(
    *tricks: str, second: str = "api", pace: float = 0.6, recovering: bool = False, seconds: float = 5.0
) -> Plan:
    """An account with two programs, and a stranger in a hurry.

    recovering: another account gets codes from the first one, which owns the chatroom
    """
    one, other = OWNED
    speakers = [
        Speaker(one, "api", "#general", 20.0, 1, one, f"{one}-a", first=True, pace=pace),
        Speaker(one, second, "#general", 20.0, 2, one, f"{one}-b", pace=4.0),
    ]
    if recovering:
        rest = "#general", 20.0, 3, other
        speakers += [
            Speaker(other, "api", *rest, f"{other}-a", first=True, late=True, pace=99.0),
            Speaker("guest", "api", *rest, f"{other}-b", pace=0.3),
        ]
    return Plan(0, seconds, "any", tuple(speakers), (), Strangers(0.1, tricks))


def rovers_plan(seconds: float = 5.0, faults: tuple[Fault, ...] = ()) -> Plan:
    """A talker and two rovers in a hurry, whose connections are reset now and then."""
    rovers = tuple(rover._replace(rate=40.0) for rover in make_rovers(1)[:2])
    resets = tuple(
        Fault(at / 2, FaultKind.RESET, target=at) for at in range(1, int(2 * seconds)) if not faults
    )
    speakers = (Speaker("t0", "api", "#general", 20.0, 1),)
    return Plan(0, seconds, "any", speakers, faults or resets, rovers=rovers)


def moderated_plan(seconds: float = 12.0) -> Plan:
    """Three talkers and two rovers in a hurry, and a moderator in one, who owns the chatroom. Two kills."""
    rovers = tuple(rover._replace(rate=30.0) for rover in make_rovers(1)[:2])
    speakers = tuple(Speaker(f"t{n}", "api", "#general", 20.0, n) for n in range(3))
    kills = tuple(Fault(seconds * part, FaultKind.KILL_SERVER, seconds=0.2) for part in (0.4, 0.7))
    return Plan(0, seconds, "any", speakers, kills, rovers=rovers, moderator=Moderator(20.0, 5, owns=True))


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
    """The checker finds a gap when a server resumes one event late.

    If that event is the client's own line, the client takes the line for refused. Nothing else is found.
    """
    report = run(small_plan("api", "blunt"), bug="seam")
    wrongs = {violation.wrong for violation in report.violations}
    assert {Wrong.GAP} <= wrongs <= {Wrong.GAP, Wrong.REFUSED}, told(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "plan", "wrong"),
    [
        ("logged", accounts_plan(), Wrong.LEAKED),
    ],
)
def test_a_planted_fault_of_accounts_is_found(bug: str, plan: Plan, wrong: Wrong) -> None:
    """The checker names what the planted fault breaks."""
    report = run(plan, bug=bug)
    assert wrong in {violation.wrong for violation in report.violations}, told(report)


@pytest.mark.slow
def test_lines_to_who_has_left_are_found() -> None:
    """The checker names what is wrong when a server goes on telling what happens in a channel."""
    report = run(rovers_plan(), bug="unleft")
    assert {violation.wrong for violation in report.violations} == {Wrong.FOREIGN}, told(report)


@pytest.mark.slow
def test_moderation_over_kills() -> None:
    """Nobody hears what they must not, and nobody speaks who may not, also when the server starts again."""
    report = run(moderated_plan())
    assert not report.violations, told(report)
    assert report.counts["kicked"] > 0 and report.counts["lines silenced"] > 0, told(report)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "wrong"),
    [
        ("unkicked", Wrong.HEARD),
        ("unmuted", Wrong.SPOKE),
        ("said-anyway", Wrong.SPOKE),
        ("untrailed", Wrong.UNAUDITED),
    ],
)
def test_a_planted_fault_of_moderation_is_found(bug: str, wrong: Wrong) -> None:
    """The checker names what the planted fault breaks, in one of a few runs.

    Chance decides whether somebody is muted when the server is killed, or talks just after a kick.
    """
    for _ in range(_RUNS):
        report = run(moderated_plan(), bug=bug)
        if wrong in {violation.wrong for violation in report.violations}:
            return
    pytest.fail(told(report))
