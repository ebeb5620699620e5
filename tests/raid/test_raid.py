"""A small raid is over with one command; members talk on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.raid.stage import Size, raid

SMALL = Size(connections=24, addresses=6, members=6, newcomer=14.0, phase=2.0)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["/guard newcomers 0", "/guard accounts"])
def test_one_command_ends_a_raid(tmp_path: Path, command: str) -> None:
    """Raiders were loud; after the command no line of theirs comes, and nobody else was put out."""
    outcome = raid(tmp_path, command, SMALL)
    table = outcome.table(command)
    assert outcome.raid.seen_lines > 10, table
    assert outcome.after.seen_lines == 0 and outcome.quiet < 10, table
    assert outcome.after.lost == 0 and outcome.after.lines >= 6, table
