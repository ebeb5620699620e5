"""A short run of each target, and what the loop does with a finding."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from random import Random

import pytest

from chatroom.packets import Ping, Pong, encode
from tests.fuzz import __main__, loop
from tests.fuzz.inputs import Choices, client_packet, cuts, mutate, server_packet, streams
from tests.fuzz.loop import Target, fuzz
from tests.fuzz.targets import TARGETS

COUNTS = {
    "decoder": 500,
    "client-decoder": 500,
    "keys": 500,
    "handshake": 150,
    "tls": 60,
    "views": 40,
    "session-server": 15,
    "session-client": 15,
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_of_each_target_finds_nothing(name: str, tmp_path: Path) -> None:
    """Only declared errors come, whatever the input; nothing hangs, and no thread is left."""
    with TARGETS[name]() as target:
        report = fuzz(name, target, COUNTS[name], 7, tmp_path)
    assert (report.inputs, report.tracebacks, report.hangs) == (COUNTS[name], 0, 0), report
    assert len(report.outcomes) > 1, report
    assert not list(tmp_path.iterdir())


def planted(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    """Let a target with a fault be called keys."""
    monkeypatch.setitem(TARGETS, "keys", lambda: nullcontext(target))


def run_to_nine(data: bytes) -> str:
    if data == b"\x09":
        raise IndexError("nine")
    return "fine"


def test_a_finding_is_saved_and_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1; the input is a file, with which --repeat comes to the same error."""
    planted(monkeypatch, Target(lambda random: bytes((random.randrange(20),)), run_to_nine))
    assert __main__.main(["keys", "--count", "1000", "--findings", str(tmp_path)]) == 1
    out = capsys.readouterr()
    assert "IndexError: nine" in out.err and "tracebacks 1, hangs 0" in out.out
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"\x09"
    with pytest.raises(IndexError, match="nine"):
        __main__.main(["keys", "--repeat", str(path)])


def test_a_clean_run_says_what_it_did(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 0; inputs, outcomes and the slowest input are told."""
    planted(monkeypatch, Target(lambda random: b"x", lambda data: "fine"))
    assert __main__.main(["keys", "--count", "20", "--findings", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "keys: 20 inputs" in out and "outcomes: fine 20" in out
    assert "tracebacks 0, hangs 0" in out and "1 bytes" in out


def test_an_input_that_hangs_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The input that takes too long is interrupted and saved, though it catches every Exception."""

    def run(data: bytes) -> str:
        while data == b"\x01":
            try:
                sum(range(1000))
            except Exception:  # noqa: BLE001  as a part of the program may do
                pass
        return "fine"

    monkeypatch.setattr(loop, "CPU_SECONDS", 0.05)
    numbers = iter(range(10))
    report = fuzz("keys", Target(lambda random: bytes((next(numbers),)), run), 5, 1, tmp_path)
    assert (report.inputs, report.tracebacks, report.hangs) == (1, 0, 1)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"\x01"]


def test_a_late_finding_saves_all_that_may_have_caused_it(tmp_path: Path) -> None:
    """When settle() finds something, every input since the last settle() is saved, in order."""
    settled: list[int] = []

    def settle() -> None:
        settled.append(len(settled))
        assert len(settled) < 3, "threads are left"

    numbers = iter(range(100))
    target = Target(lambda random: bytes((next(numbers),)), lambda data: "fine", settle, 4)
    assert fuzz("sessions", target, 100, 1, tmp_path).tracebacks == 1
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"\x08", b"\x09", b"\x0a", b"\x0b"]


def test_a_seed_makes_the_same_inputs() -> None:
    """The same seed gives the same inputs in every run, another seed gives others."""
    for name in ("decoder", "keys", "views"):
        made = []
        for seed in (1, 1, 2):
            with TARGETS[name]() as target:
                random = Random(seed)
                made.append([target.make(random) for _ in range(20)])
        assert made[0] == made[1] != made[2], name


def test_good_streams_are_good() -> None:
    """Packets of either side can be encoded, so that a mutation starts from what the program takes."""
    for packet in (client_packet, server_packet):
        assert all(streams(Random(3), packet, 50))


def test_cut_and_read_again() -> None:
    """Choices.pieces gives back the bytes that cuts() has cut, whatever the cut."""
    random, data = Random(1), encode(Ping(1)) + encode(Pong(2)) * 20
    for _ in range(200):
        assert b"".join(Choices(cuts(random, data)).pieces()) == data


def test_mutations_change_something() -> None:
    """Nearly each mutation gives other bytes, and all kinds of sizes."""
    random, data = Random(1), encode(Ping(1))
    made = [mutate(random, data, [data]) for _ in range(300)]
    assert sum(each != data for each in made) > 250
    assert min(map(len, made)) < len(data) < max(map(len, made))


def test_guided_needs_its_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without atheris, --guided says which module is missing."""
    monkeypatch.setitem(sys.modules, "atheris", None)
    with pytest.raises(ModuleNotFoundError, match="atheris"):
        __main__.main(["keys", "--guided", "--findings", str(tmp_path)])
