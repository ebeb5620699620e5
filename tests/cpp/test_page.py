"""notes/cpp/README.md says what is there: sizes, files, faults, options."""

from __future__ import annotations

import re

import pytest

from tests.cpp import sizes
from tests.cpp.faults import FAULTS, SOURCE

PAGE = sizes.PAGE.read_text()


def test_the_table_of_sizes() -> None:
    """The table has the lines of the files, to a tenth; `python -m tests.cpp.sizes` writes it anew."""
    _, found, _ = sizes.parts_of(PAGE)
    said, counted = (re.split(r"(?<=\| |\*\*)(\d+)(?= \||\*\*)", table) for table in (found, sizes.table()))
    assert said[::2] == counted[::2]
    assert list(map(int, said[1::2])) == pytest.approx(list(map(int, counted[1::2])), rel=0.1)


def test_every_file_is_on_the_page() -> None:
    """Every file of the twin is in the table of sizes, or in the sentence below it."""
    behind = PAGE.split("Beside these:")[1].split("\n\n")[0]
    named = sizes.files_in_the_table() | set(re.findall(r"`(\w+\.\w+)`", behind))
    assert named == {path.name for path in SOURCE.iterdir() if path.suffix in (".cpp", ".hpp", ".py")}


def test_the_faults_are_on_the_page() -> None:
    """The table of planted faults has those of the code, and each fits the source."""
    rows = re.findall(r"^\| `([\w-]+)` \| ([A-Z]\d+) \| (\w+): (.+) \|$", PAGE, re.M)
    assert rows == [(name, fault.rule, fault.program, fault.what) for name, fault in FAULTS.items()]
    assert len(FAULTS) >= 10
    for name, fault in FAULTS.items():
        assert (SOURCE / fault.file).read_text().count(fault.good) == 1, name


def test_the_options_are_on_the_page() -> None:
    """Every option of the two programs is on the page."""
    for program in ("server_main.cpp", "client_main.cpp"):
        for option in re.findall(r'"(--[a-z-]+)"', (SOURCE / program).read_text()):
            assert f"`{option}" in PAGE, option
