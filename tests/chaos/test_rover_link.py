"""A rover's link: what it records of packets that come in an unusual order."""

from __future__ import annotations

from pathlib import Path

from chatroom.outcomes import Code
from chatroom.packets import Answer, Packet, Replay
from tests.chaos.records import Recorder, read_lines
from tests.chaos.rover_link import RoverLink
from tests.support.events import said


class LinkOf(RoverLink):
    """A link that has got these packets."""

    def __init__(self, path: Path, packets: list[Packet]) -> None:
        recorder = Recorder(path)
        super().__init__(0, ["ann"], recorder, 1.0, lambda event: None)
        for packet in packets:
            self._take(packet)
        recorder.close()


def test_an_answer_that_comes_too_late_ends_its_events(tmp_path: Path) -> None:
    """Nobody waits any more for the answer to a command; what comes behind it is live all the same."""
    path = tmp_path / "record"
    LinkOf(path, [Replay(7), said(1), Answer(7, Code.OK, ""), said(2)])
    assert [(line["did"], line["seq"]) for line in read_lines(path)] == [("found", 1), ("shown", 2)]
