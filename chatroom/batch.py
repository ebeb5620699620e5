"""A batch: the events of one round of the forwarder, and their bytes for each audience."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.door import Door
from chatroom.events import Event, EventKind
from chatroom.member import Audience


@dataclass
class Batch:
    """The events of one round, and the actions that follow when the events are stored.

    time:       the time of every event in it, in milliseconds since 1970
    events:     in order of seq
    answers:    run after storing and before delivering: they answer the threads that want to reserve a name
    afterwards: run after delivering: welcomes, replays, goodbyes, confirmations of repeated lines, notices
    """

    time: int
    events: list[Event] = field(default_factory=list)
    answers: list[Callable[[], None]] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    _encoded: dict[Door, list[bytes]] = field(default_factory=dict)

    def bytes_for(self, audience: Audience, without_lines_of: str | None = None) -> bytes:
        """The bytes for an audience. Each event is encoded only once per door, for all its audiences.

        without_lines_of: leave out the lines of this author
        """
        door, channels = audience
        encoded = self._encoded.get(door)
        if encoded is None:
            encoded = self._encoded[door] = list(map(door.encode, self.events))
        pairs = zip(self.events, encoded, strict=True)
        if without_lines_of is None:
            return b"".join([data for event, data in pairs if event.channel in channels])
        return b"".join(
            data
            for event, data in pairs
            if event.channel in channels
            and (event.author != without_lines_of or event.kind is not EventKind.SAID)
        )
