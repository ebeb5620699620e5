"""The benchmark's arithmetic is right, and it refuses the runs that it must not report."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import threading
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.limits import MAX_NUMBER
from server.storage import SqliteHistory
from tests.bench import __main__ as bench
from tests.bench import build, load, machine, made_history, peers, report, svg
from tests.bench.report import Run, Target
from tests.bench.workloads import FULL, QUICK, SMOKE, Workload, mixed_sizes, workloads
from tests.support.blocks import flat

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
    monkeypatch.setattr(load, "load_program", lambda tls: program)
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


def test_a_target_beside_another_workload_is_a_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound holds for our figure divided by our own figure of the other workload, if both were run."""
    other = Target("channels-1000x8", "cpu_us", "", 1.3, False, beside="channels-1000x1")
    monkeypatch.setattr(report, "TARGETS", (other,))
    one = Run(other.beside, "native", 0, {"cpu_us": 2.0})
    many = Run(other.workload, "native", 0, {"cpu_us": 3.0})
    (line,) = report.targets(report.summarize([one, many])).splitlines()
    assert (line.split()[0], line.split()[-1]) == ("MISSED", "1.5")
    assert "≤ 1.3 × channels-1000x1" in line
    assert report.targets(report.summarize([many])) == ""


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
    assert {target.beside for target in report.TARGETS if target.beside} <= names


def test_without_a_compiler_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a compiler nothing is measured, and the message says which package to install."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    assert bench.main(["--smoke"]) == 2
    assert "apt-get install g++" in capsys.readouterr().err


def test_without_openssls_headers_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without OpenSSL's headers only the workloads over TLS are left out; the message says why."""
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/bin/sh\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    with pytest.raises(build.NoCompiler, match="apt-get install libssl-dev"):
        build.load_program(tls=True)
    told: list[str] = []

    def missing(_peer: peers.Peer) -> dict[str, float]:
        raise peers.Unavailable("libssl-dev")

    def there(_peer: peers.Peer) -> dict[str, float]:
        told.append("there")
        return {}

    chosen = [
        Workload("tls-a", missing, ("native",), tls=True),
        Workload("tls-b", there, ("native",), tls=True),
        Workload("c", there, ("native",)),
    ]
    assert [run.workload for run in bench.measure(chosen, [peers.Native()], 1)] == ["c"]
    assert told == ["there"]
    assert "native, TLS: not measured: libssl-dev" in capsys.readouterr().out


def test_the_range_stands_below_the_medians() -> None:
    """Several runs show their lowest and highest figure, one run does not."""
    once, twice = run("native", 0, 2e6), run("native", 1, 4e6)
    assert "2 M–4 M" in report.table(report.summarize([once, twice]))
    assert "–" not in report.table(report.summarize([once]))


def test_ratios_have_the_range_of_their_repetitions() -> None:
    """The table of ratios has the ratio of the medians, and the range of the ratios within a repetition."""
    runs = [run("native", 0, 8.0), run("nats", 0, 2.0), run("native", 1, 9.0), run("nats", 1, 3.0)]
    runs.append(Run("saturated-100x1-64", "blast", 0, None, "lost"))
    (rate,) = (one for one in report.ratios(runs) if one.figure == "rate")
    assert (rate.peer, rate.ratio, rate.lowest, rate.highest) == ("nats", 3.4, 3.0, 4.0)
    assert "3.4 (3–4)" in report.ratio_table([rate])


def test_repetitions_interleave_peers_and_workloads() -> None:
    """All workloads run once before one runs again, and each runs with all its peers in turn."""
    told: list[tuple[str, str]] = []

    def workload(name: str, *names: str, once: bool = False) -> Workload:
        def measure(peer: peers.Peer) -> dict[str, float]:
            told.append((name, peer.name))
            return {}

        return Workload(name, measure, names, once=once)

    chosen = [workload("a", "native", "nats"), workload("b", "native", once=True)]
    measured = list(bench.measure(chosen, [peers.Native(), peers.Nats()], 2))
    first = [("a", "native"), ("a", "nats"), ("b", "native")]
    assert told == first + first[:2]
    assert [one.repetition for one in measured] == [0, 0, 0, 1, 1]


def test_the_interpreter_tells_what_it_is() -> None:
    """The description has the real path, the version and the two speeds of the interpreter."""
    facts = machine.interpreter(sys.executable)
    assert facts["path"] == os.path.realpath(sys.executable)
    assert sys.version.startswith(facts["python"])
    assert facts["compute_us"] > 0
    assert facts["copy_us"] > 0
    assert facts["path"] in machine.in_words(facts)


def test_an_interpreter_that_does_not_run_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With `--python` of a program that is none, nothing is measured, and the message names it."""
    monkeypatch.setattr(bench, "load_program", lambda: None)
    assert bench.main(["--smoke", "--python", str(tmp_path / "python")]) == 2
    assert str(tmp_path / "python") in capsys.readouterr().err
    with pytest.raises(machine.NoInterpreter):
        machine.interpreter("/bin/false")


def test_only_our_server_runs_on_the_chosen_interpreter() -> None:
    """`--python` changes the command of our server, not that of the tutorial server."""
    commands = {peer.name: peer for peer in peers.all_peers("/a/python")}
    assert commands["native"].command(Path(), 1, "64")[0] == "/a/python"
    assert commands["tutorial"].command(Path(), 1, "64")[0] == sys.executable


def test_mixed_texts_are_the_same_each_time() -> None:
    """Of a hundred texts 90 have 64 bytes, 9 have 2 KiB, one has 16 KiB, always in the same mixed order."""
    sizes = mixed_sizes().split(",")
    assert Counter(sizes) == {"64": 90, "2048": 9, "16384": 1}
    assert sizes != sorted(sizes, key=int)
    assert mixed_sizes().split(",") == sizes


def test_a_made_history_is_a_history(tmp_path: Path) -> None:
    """The made file has every seq once, the channels in turn, the returned time, and records of all of it."""
    path = tmp_path / peers.HISTORY
    first_time = made_history.make_history(path, 5000, 8)
    with closing(SqliteHistory(path)) as history:
        events = flat(history.read(0, range(9), MAX_NUMBER).blocks)
        restored = history.restore()
    assert [event.seq for event in events] == list(range(1, 5001))
    assert events[0].time == first_time
    assert Counter(event.place for event in events) == dict.fromkeys(range(1, 9), 625)
    assert {event.channel for event in events} == set(made_history.channel_names(8))
    channels = [record for record in restored.records if record.kind == "channel"]
    assert (restored.head, len(channels)) == (5000, 8)


Fault = Callable[[list[bytes]], list[bytes]]
FAULTS: dict[str, Fault] = {
    "lost": lambda lines: lines[:5] + lines[6:],
    "double": lambda lines: lines[:5] + lines[4:],
    "swapped": lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]],
    "shortened": lambda lines: [*lines[:5], lines[5][1:], *lines[6:]],
    "of another size": lambda lines: [*lines[:5], lines[5] + b"x" * 100, *lines[6:]],
}


@contextmanager
def faulty_server(fault: Fault, count: int) -> Iterator[int]:
    """The port of a server that says a probe and then `count` lines back to its one member, changed."""

    def serve() -> None:
        member, _ = listener.accept()
        with member, member.makefile("rb") as lines:
            member.sendall(next(lines))
            member.sendall(b"".join(fault([next(lines) for _ in range(count)])))
            lines.read()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


def built() -> None:
    """Skips the test when there is no compiler."""
    try:
        build.load_program()
    except build.NoCompiler as missing:
        pytest.skip(str(missing))


@pytest.mark.slow
@pytest.mark.parametrize("sizes", ["64", "64,300,20"])
@pytest.mark.parametrize("fault", FAULTS)
def test_the_load_program_sees_each_fault(fault: str, sizes: str) -> None:
    """A line that is lost, doubled, out of order or of another size is no delivery, also with mixed sizes."""
    built()
    with faulty_server(FAULTS[fault], 20) as port, pytest.raises(load.DeliveryMissing):
        load.drive(
            peers.Tutorial(), peers.Running(os.getpid(), port, 0.0),
            mode="saturate", members=1, messages=20, size=sizes, patience=0.2,
        )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("sizes", ["64", "64,300,20"])
def test_the_load_program_accepts_what_is_right(sizes: str) -> None:
    """The same server without a fault passes: so it is the fault that is refused."""
    built()
    with faulty_server(lambda lines: lines, 20) as port:
        result = load.drive(
            peers.Tutorial(), peers.Running(os.getpid(), port, 0.0),
            mode="saturate", members=1, messages=20, size=sizes,
        )  # fmt: skip
    assert result.deliveries == 20


@pytest.mark.slow
@pytest.mark.parametrize("workload", workloads(SMOKE), ids=lambda workload: workload.name)
def test_every_workload_in_small(workload: Workload) -> None:
    """Our server passes every workload, every delivery counted, and has each figure that the report shows."""
    built()
    figures = workload.measure(peers.Native())
    assert {column.figure for column in report.columns(workload.name)} <= figures.keys()
    if workload.name.startswith("sustained"):
        assert {f"part_{number}" for number in range(1, 7)} <= figures.keys()
        assert figures["history_mib"] > 0


@pytest.mark.slow
def test_the_twin_in_small() -> None:
    """The C++ twin, built as its page says, passes a saturated workload; every delivery is counted."""
    built()
    (workload,) = (one for one in workloads(SMOKE) if one.name == "saturated-10x2-64")
    try:
        figures = workload.measure(peers.Twin())
    except peers.Unavailable as missing:
        pytest.skip(str(missing))
    assert figures["rate"] > 0


@pytest.mark.parametrize("there", [(), ("make",)])
def test_a_twin_that_cannot_be_built_is_named(
    there: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without make or a compiler the twin is left out, with the package to install, and the others go on."""
    for name in there:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    chosen = [
        Workload(
            "start-up", lambda peer: {"commands": len(peer.command(tmp_path, 1, "64"))}, ("twin", "native")
        )
    ]
    (run,) = bench.measure(chosen, [peers.Twin(), peers.Native()], 1)
    assert run.peer == "native"
    assert "twin: not measured: no " in (shown := capsys.readouterr().out)
    assert "apt-get install" in shown


@pytest.mark.slow
def test_smoke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures, ratios, the interpreter and pictures are printed and written."""
    built()
    names = ["saturated-10x2-64", "latency", "mixed"]
    code = bench.main(["--smoke", "--only", *names, "--out", str(tmp_path)])
    shown = capsys.readouterr().out
    assert code == 0, shown
    assert "ours divided by" in shown
    results = json.loads((tmp_path / "results.json").read_text())
    assert len({summary["workload"] for summary in results["summaries"]}) == len(names)
    assert {(one["workload"], one["peer"]) for one in results["ratios"]} == {
        ("saturated-10x2-64", "blast"),
        ("mixed-10x4", "blast"),
    }
    assert results["machine"]["interpreter"]["path"] == os.path.realpath(sys.executable)
    for picture in tmp_path.glob("*.svg"):
        ElementTree.parse(picture)
