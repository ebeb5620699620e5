"""The conformance run finds the faults that are planted in copies of our programs, each by its rule."""

from __future__ import annotations

import re

import pytest

from tests.conformance import rules
from tests.conformance.__main__ import main
from tests.conformance.faulty import FAULTS, OF_SERVER
from tests.conformance.test_conformance import CLIENT, SERVER

PAGE = (rules.NOTES / "conformance.md").read_text()


def test_the_page_lists_the_faults() -> None:
    """notes/conformance.md has the planted faults, each with its rule."""
    table = PAGE.split("\n## Planted faults\n")[1]
    rows = re.findall(r"^\| `([\w-]+)` \| ([A-Z]\d+) \| (.+) \|$", table, re.M)
    assert rows == [(name, fault.rule, fault.what) for name, fault in FAULTS.items()]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_can_be_planted(name: str) -> None:
    """The piece that a fault replaces stands once in its module."""
    fault = FAULTS[name]
    source = rules.NOTES.parent.joinpath(*fault.module.split(".")).with_suffix(".py").read_text()
    assert source.count(fault.good) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The run finds a program with a fault, and names the rule that it breaks."""
    fault = FAULTS[name]
    option, good = ("--server", SERVER) if name in OF_SERVER else ("--client", CLIENT)
    command = good.replace(f"-m {option[2:]}", f"-m tests.conformance.faulty {name}")
    assert main([option, command, "--level", "moderation", "--only", fault.rule, "--timeout", "3"]) == 1
    out = capsys.readouterr().out
    assert f"  rule {fault.rule} (" in out
    broken = re.search(r"^rules that were broken: (.*)$", out, re.M)
    assert broken is not None
    assert fault.rule in broken[1].split(", ")
