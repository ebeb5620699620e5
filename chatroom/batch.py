"""A batch: what the forwarder does in one go, from the waiting requests to the bytes that go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.door import Door
from chatroom.events import Event, EventKind
from chatroom.member import Audience


@dataclass
class Batch:
    """The events of one round, and what is to be done once they are stored.

    time:       milliseconds since 1970, of every event in it
    events:     in order of seq
    answers:    to those who wait in the lobby or sent a line twice: as soon as it is stored
    afterwards: welcomes and goodbyes, once the batch is delivered
    """

    time: int
    events: list[Event] = field(default_factory=list)
    answers: list[Callable[[], None]] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    _encoded: dict[Door, list[bytes]] = field(default_factory=dict)

    def bytes_for(self, audience: Audience, without_lines_of: str | None = None) -> bytes:
        """The bytes for an audience. Each event is encoded once per door, whatever the number of audiences.

        without_lines_of: the author whose lines are left out
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
