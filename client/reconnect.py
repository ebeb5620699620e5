"""Coming back after a lost connection: when to try, how often, and when to give up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from chatroom.deadline import Deadline
from chatroom.errors import (
    CertificateRefused,
    ChatroomError,
    Closed,
    ConnectionLost,
    NameHeld,
    NameRefused,
    NameTaken,
    Refused,
)
from chatroom.limits import HANDSHAKE_SECONDS
from chatroom.outcomes import RETURNING
from client.backoff import Backoff
from client.handshaking import Admission
from client.limits import RETRY_STEADY
from client.updates import Retrying


class Reconnect:
    """Tries to be admitted again, with growing pauses. Confined to the connection thread.

    admit:     one try; raises ChatroomError
    retry_for: seconds after which it gives up; 0: no try is made
    tell:      called before each pause
    wait:      waits so many seconds; True as soon as the client is being closed
    """

    def __init__(
        self,
        admit: Callable[[], Admission],
        retry_for: float,
        tell: Callable[[Retrying], None],
        wait: Callable[[float], bool],
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._admit = admit
        self._retry_for = retry_for
        self._tell = tell
        self._wait = wait
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._giving_up: Deadline | None = None

    def first(self) -> Admission:
        """Try to be admitted for the first time: at least once, then as after a connection that was lost.

        Raises as `again`, and ProtocolError when the server is no chatroom.
        """
        try:
            return self._admit()
        except CertificateRefused:
            raise
        except ConnectionLost as lost:
            return self.again(str(lost), math.inf, broken=True)
        except Refused as refused:
            if refused.code not in RETURNING:
                raise
            return self.again(str(refused), math.inf)

    def again(self, reason: str, lasted: float, *, broken: bool = False) -> Admission:
        """Try until admitted, after a connection that was lost for `reason` after `lasted` seconds.

        broken: it was lost before it was admitted
        Raises NameRefused when somebody else has the name, Refused when the server does not want it back,
        CertificateRefused, ConnectionLost when it gives up, or Closed.
        """
        if self._giving_up is None or lasted >= RETRY_STEADY:
            # Else keep the old deadline and pauses: a connection shorter than RETRY_STEADY is no success.
            self._giving_up = Deadline(self._retry_for, self._clock)
            self._backoff.reset()
        # Until then our own broken try may hold our name.
        reserved = Deadline(HANDSHAKE_SECONDS if broken else 0.0, self._clock)
        while not self._giving_up.expired:
            self._pause(min(self._backoff.next(), self._giving_up.left()), reason)
            try:
                return self._admit()
            except (NameTaken, NameHeld) as refused:
                if reserved.expired:
                    raise
                reason = str(refused)
            except NameRefused:  # neither a password nor the rules for names change by waiting
                raise
            except Refused as refused:
                if refused.code not in RETURNING:
                    raise
                reason = str(refused)
            except CertificateRefused:
                raise
            except ChatroomError as failure:
                reserved = Deadline(HANDSHAKE_SECONDS, self._clock)
                reason = str(failure)
        raise ConnectionLost(f"gave up after {self._retry_for:g} s: {reason}" if self._retry_for else reason)

    def _pause(self, seconds: float, reason: str) -> None:
        if seconds:
            self._tell(Retrying(seconds, reason))
        if self._wait(seconds):
            raise Closed("the client is closed")
