"""Where a program stood in the history when it was started last: what a bot keeps to go on from there."""

from __future__ import annotations

from typing import NamedTuple

from chatroom.errors import ConfigError
from chatroom.packets import NO_IDENTITY


class Since(NamedTuple):
    """A position in one history. As JSON it is a list, and `Since(*list)` makes it again.

    history: `Client.history_id`
    seq:     of the last event that the program is done with
    time:    of that event, see `Event.time`. It shows whether a restored backup has another event there now
    """

    history: str
    seq: int
    time: int

    def identity(self) -> bytes:
        """The identity of the history, as on the wire. Raises ConfigError for what cannot be one."""
        try:
            identity = bytes.fromhex(self.history)
        except (TypeError, ValueError):
            identity = b""
        numbers = all(isinstance(number, int) and 0 < number < 1 << 63 for number in (self.seq, self.time))
        if len(identity) != len(NO_IDENTITY) or not numbers:
            raise ConfigError(f"{tuple(self)} is no position in a history (see Client.after)")
        return identity
