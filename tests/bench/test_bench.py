"""The benchmark's arithmetic is right, and it refuses the runs that it must not report."""

from __future__ import annotations

import json
import stat
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import build, load, peers, report, svg
from tests.bench.report import Run, Target
from tests.bench.workloads import FULL, QUICK, SMOKE, workloads

COMPLETE = {
    "seconds": 2.0, "sent": 10, "deliveries": 1000, "missing": 0, "disorder": 0, "lost": 0, "complaint": "",
    "server_cpu": 1.0, "load_cpu": 0.5, "connect_seconds": 0.1, "settled_seconds": 0.2,
    "rss_before": 100, "rss_after": 200, "rss_peak": 300, "other_events": 0,
}  # fmt: skip


def run(peer: str, repetition: int, rate: float) -> Run:
    return Run("saturated-100x1-64", peer, repetition, dict.fromkeys(_figures(), 1.0) | {"rate": rate})


def _figures() -> list[str]:
    return [column.figure for column in report.columns("saturated-100x1-64")]


def test_a_complete_result_passes() -> None:
    """A run in which every delivery came is reported."""
    result = load.Result(**COMPLETE)  # type: ignore[arg-type]
    assert load.check(result) is result


@pytest.mark.parametrize("flaw", ["missing", "disorder", "lost"])
def test_a_run_with_a_flaw_is_refused(flaw: str) -> None:
    """One missing delivery, one out of order, or one lost connection is enough to refuse a run."""
    with pytest.raises(load.DeliveryMissing):
        load.check(load.Result(**(COMPLETE | {flaw: 1})))  # type: ignore[arg-type]


def test_the_load_program_of_a_flawed_run_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with a missing delivery reaches the report as a refusal, never as a figure."""
    program = tmp_path / "load"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(COMPLETE | {'missing': 3})}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(load, "load_program", lambda: program)
    with pytest.raises(load.DeliveryMissing, match="3 deliveries missing"):
        load.drive(peers.Native(), peers.Running(1, 1, 0.0), mode="saturate")


def test_medians_leave_refused_runs_out() -> None:
    """The median counts complete runs only; the report names a refused run beside it."""
    runs = [run("native", 0, 5.0), run("native", 1, 1.0), run("native", 2, 3.0)]
    runs.append(Run("saturated-100x1-64", "native", 3, None, "2 deliveries missing"))
    (summary,) = report.summarize(runs)
    assert summary.figures is not None
    assert (summary.figures["rate"], summary.lowest["rate"], summary.highest["rate"]) == (3.0, 1.0, 5.0)
    assert "REFUSED (one of 4): 2 deliveries missing" in report.table([summary])


def test_a_peer_without_a_complete_run_has_no_figures() -> None:
    """When every run was refused, the table has the reason and no number."""
    (summary,) = report.summarize([Run("saturated-100x1-64", "nats", 0, None, "slow consumer")])
    assert summary.figures is None
    assert report.table([summary]).splitlines()[2:] == [
        "  nats",
        "  nats      REFUSED (one of 1): slow consumer",
    ]


def test_ratios_are_ours_divided_by_the_peer() -> None:
    """Twenty times as many deliveries is ×20, in the table and for the targets."""
    summaries = report.summarize([run("native", 0, 10e6), run("asio", 0, 0.5e6)])
    assert report.ratio(summaries, "saturated-100x1-64", "asio", "rate") == 20
    assert "0.5 M (ours ×20)" in report.table(summaries)
    assert report.ratio(summaries, "saturated-100x1-64", "nats", "rate") is None


def test_a_missed_target_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets are judged by the medians of the same run; targets without a measurement are left out."""
    monkeypatch.setattr(
        report,
        "TARGETS",
        (
            Target("saturated-100x1-64", "rate", "asio", 15, True),
            Target("saturated-100x1-64", "rate", "asio", 25, True),
            Target("saturated-100x1-64", "rate", "nats", 3, True),
        ),
    )
    lines = report.targets(report.summarize([run("native", 0, 10e6), run("asio", 0, 0.5e6)])).splitlines()
    assert [line.split()[0] for line in lines] == ["reached", "MISSED"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(14_200_000, "14.2 M"), (99_960, "0.1 M"), (12_345, "12.3 k"), (1234, "1234"), (0.0712, "0.0712")],
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    """A figure is printed with three significant digits."""
    assert report.number(value) == shown


@pytest.mark.parametrize("logarithmic", [False, True])
def test_pictures_are_well_formed(logarithmic: bool) -> None:
    """A picture is XML with one bar for each value, the longest for the highest, none wider than it."""
    groups = {"100 × 1 <64>": {"native": 14e6, "asio": 0.64e6}, "b & c": {"native": 0.0, "nats": 3.3e6}}
    picture = svg.bars("A & B", groups, "deliveries/s", ["native", "asio", "nats"], logarithmic)
    rectangles = ElementTree.fromstring(picture).findall("{http://www.w3.org/2000/svg}rect")[1:]
    widths = [float(rectangle.attrib["width"]) for rectangle in rectangles]
    assert len(widths) == 4
    assert max(widths) == widths[0] < svg.WIDTH
    assert min(widths) >= 0


@pytest.mark.parametrize("scale", [FULL, QUICK, SMOKE])
def test_every_workload_has_columns(scale: object) -> None:
    """The report can show every workload, and no two workloads share a name."""
    names = [workload.name for workload in workloads(scale)]  # type: ignore[arg-type]
    assert len(set(names)) == len(names)
    assert all(report.columns(name) for name in names)


def test_every_target_has_a_workload() -> None:
    """Every target belongs to an existing workload."""
    names = {workload.name for workload in workloads(FULL)}
    assert {target.workload for target in report.TARGETS} <= names


def test_without_a_compiler_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a compiler nothing is measured, and the message says which package to install."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    assert bench.main(["--smoke"]) == 2
    assert "apt-get install g++" in capsys.readouterr().err


@pytest.mark.slow
def test_smoke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Our server passes every workload in small, every delivery counted; figures and pictures are written."""
    try:
        build.load_program()
    except build.NoCompiler as missing:
        pytest.skip(str(missing))
    code = bench.main(["--smoke", "--out", str(tmp_path)])
    shown = capsys.readouterr().out
    assert code == 0, shown
    results = json.loads((tmp_path / "results.json").read_text())
    assert {summary["workload"] for summary in results["summaries"]} == {w.name for w in workloads(SMOKE)}
    for picture in tmp_path.glob("*.svg"):
        ElementTree.parse(picture)
