"""A long run, short: it samples, compares, draws, and notices what grows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.long_run.picture import draw
from tests.long_run.samples import Sample, read
from tests.long_run.stage import Size, run
from tests.long_run.verdict import LATE, compare, compare_lines, faults

STEADY = Sample(0.0, 40_000, 240, 215, 0, 4_000_000, 160, 160, 1, 13, 0, 0, 0, 0, 0.0, 2.0, 9.0, 0.5)


def hour(**late: Any) -> list[Sample]:
    """An hour in which the figures are steady, but for those of the last ten minutes."""
    samples = []
    for number in range(1, 721):
        at = 5.0 * number
        events = 150 * number
        steady = STEADY._replace(
            at=at, events=events, data=110 * events, arrivals=number, processor=events / 5000
        )
        samples.append(steady._replace(**late) if at >= LATE[0] * 3600 else steady)
    return samples


def grown(samples: list[Sample]) -> list[str]:
    return [one.what for one in compare(samples) if not one.is_good]


def test_a_steady_hour_is_good() -> None:
    """Nothing grows but the file, by what is said."""
    assert grown(hour()) == []


@pytest.mark.parametrize(
    ("late", "what"),
    [
        ({"resident": 52_000}, "memory"),
        ({"threads": 225}, "threads beside those of connections"),
        ({"descriptors": 250}, "descriptors beside those of connections"),
        ({"backlog": 200_000}, "bytes that wait for readers"),
        ({"channels": 40}, "channels"),
        ({"log": 50_000_000}, "log beside the file, at most"),
        ({"p99": 99.0}, "p99 of a line"),
    ],
)
def test_what_grows_is_named(late: dict[str, float], what: str) -> None:
    """Each figure by itself."""
    assert grown(hour(**late)) == [what]


def test_memory_of_persons_who_may_come_back_is_no_growth() -> None:
    """MAX_SESSIONS bounds it."""
    assert grown(hour(resident=52_000, arrivals=5_000)) == []


def test_lines_that_are_missing_or_doubled_are_named(tmp_path: Path) -> None:
    """The first word of a line tells it from all others."""
    confirmed, exported = tmp_path / "confirmed", tmp_path / "exported"
    confirmed.write_text("a/1\na/2\n")
    exported.write_text(
        "".join(f'{{"kind": "said", "text": "{text} x"}}\n' for text in ("a/1", "a/1", "other"))
    )
    missing, doubled = compare_lines(confirmed, exported)
    assert (missing, doubled) == (Counter(["a/2"]), Counter(["a/1"]))
    assert faults({"out of order": 1}, missing, doubled, "") == [
        "out of order: 1",
        "1 confirmed lines are not in the file, as a/2",
        "1 lines are in the file twice, as a/1",
    ]


def test_the_picture_has_a_curve_for_each_figure() -> None:
    """It is XML, and not long."""
    picture = draw("an hour", hour())
    assert picture.count("<polyline") == 11 and len(picture) < 30_000
    assert "memory, MB" in picture and "59.8 minutes" in picture


@pytest.mark.slow
def test_some_seconds_of_it(tmp_path: Path) -> None:
    """Visitors come, talk, are cut, and come back; each line that was confirmed is stored."""
    outcome = run(tmp_path, Size(seconds=6.0, members=24, rate=60.0, stay=1.5, every=0.2))
    told = outcome.words()
    assert outcome.faults == [], told
    assert outcome.counts["lines confirmed"] > 100 and outcome.counts["events"] > 1000, told
    assert outcome.counts["came: exact"] > 3 and outcome.counts["cuts"] > 3, told
    assert read(tmp_path / "samples.csv") == outcome.samples and len(outcome.samples) > 10
    assert (tmp_path / "long-run.svg").stat().st_size > 1000
