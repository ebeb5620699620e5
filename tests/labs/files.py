"""The labs, and the files that a reader may make of their programs: the solution, and other cures.

A solution is the upper part of the program, above the stage.
"""

from __future__ import annotations

from pathlib import Path

from notes.labs.catalogue import Lab, all_labs
from tests.labs.cures import Cure, Wrong

SOLUTIONS = Path(__file__).resolve().parent / "solutions"
STAGE = "# --- The stage"

LABS = {lab.name: lab for lab in all_labs()}


def solution(lab: Lab) -> str:
    """The whole file of the solution."""
    _, mark, stage = lab.program.read_text().partition(STAGE)
    return (SOLUTIONS / f"{lab.name}.py").read_text() + "\n\n" + mark + stage


def changed(lab: Lab, cure: Cure | Wrong) -> str:
    """The whole file of a cure."""
    text = solution(lab) if cure.base == "solution" else lab.program.read_text()
    for old, new in cure.changes:
        assert text.count(old) == 1, f"{lab.name}, {cure.idea}: {old!r} stands {text.count(old)} times in it"
        text = text.replace(old, new)
    return text
