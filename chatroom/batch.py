"""A batch: what the forwarder does in one go, from the waiting requests to the bytes that go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.events import Event
from chatroom.member import Audience
from chatroom.transport import Door


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

    def bytes_for(self, audience: Audience) -> bytes:
        """What an audience gets. Each event is encoded once a door, whatever the number of audiences."""
        door, channels = audience
        encoded = self._encoded.get(door)
        if encoded is None:
            encoded = self._encoded[door] = list(map(door.encode, self.events))
        events = zip(self.events, encoded, strict=True)
        return b"".join([data for event, data in events if event.channel in channels])
