"""The benchmark of the terminal works, and its arithmetic is right."""

from __future__ import annotations

import pytest

from tests.bench.terminal import __main__ as bench
from tests.bench.terminal import programs, rendering
from tests.bench.terminal.figures import Figures, number, percentile, table
from tests.bench.terminal.texts import COLUMNS, KINDS, lines
from views.text import text_width


def test_the_table_has_medians_and_ratios() -> None:
    """Each row has the medians; another program's cell says how many times ours it is."""
    figures = Figures()
    for value in (1.0, 9.0, 2.0):
        figures.add("CPU", "ours", value)
    figures.add("CPU", "irssi", 500.0)
    figures.add("import", "ours, inline", 3.0)
    assert table(figures, ["ours", "ours, inline", "irssi"]).splitlines() == [
        "| | ours | ours, inline | irssi |",
        "|---|---|---|---|",
        "| CPU | 2 | – | 500 (×250) |",
        "| import | – | 3 | – |",
    ]


def test_percentiles_and_numbers() -> None:
    """A percentile is one of the values; numbers have two or three significant digits."""
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 2.0, 3.0, 3.0]
    assert [number(value) for value in (0.0123, 1.26, 12.34, 1234.5)] == ["0.012", "1.3", "12.3", "1,234"]


@pytest.mark.parametrize("kind", KINDS)
def test_lines_are_one_row_and_differ(kind: str) -> None:
    """The lines of a kind have one width, which a row has room for, and are the same in each run."""
    made = lines(kind, 50)
    assert len(set(made)) == 50 and made == lines(kind, 50)
    assert {text_width(line) for line in made} == {COLUMNS if kind != "emoji" else COLUMNS - 1}


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_a_frame_is_one_write(repaint: rendering.Repaint) -> None:
    """So many lines in one frame, one write; each line is in it."""
    cost = rendering.ours(lines("ASCII", 20), 5, repaint)
    assert cost.writes == 1.0 and cost.size > COLUMNS and cost.cpu > 0


def test_missing_programs_are_named_in_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not installed is said with the command that installs it, and the others are measured."""
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: None)
    assert bench.main(["--smoke", "--render"]) == 0
    out = capsys.readouterr().out
    for missing in ("WeeChat", "irssi", "prompt_toolkit"):
        assert f"{missing}: not installed: " in out
    assert "| CPU ms per 1,000 lines, CJK, one a frame | " in out


@pytest.mark.slow
def test_all_programs_that_are_installed_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """The benchmark runs from its beginning to its end, and has a figure of the real client in each row."""
    assert bench.main(["--smoke"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| program")]
    assert len(rows) >= 7
    assert all(row.split("|")[2].strip() != "–" for row in rows)
