"""Logging in while connected: a second handshake, and the change from one connection to the other.

    old link   ──lines, events─────────────────────────┐ BYE
    login      ──lobby: name, password──┬─settle─┬─ADMIT─WELCOME─┐
    new link                            │        │               └─events, lines──►

A connection has one person from its first to its last packet, so another person needs another connection. Up
to WELCOME the old one is as it was, and a wrong password costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from chatroom.errors import ChatroomError, ConnectionLost
from client.handshaking import Admission, Reserved, Wish, enter
from client.limits import PART_SECONDS, SETTLE_SECONDS
from client.link import Link
from client.pending_lines import PendingLines


class Login:
    """One login. `run` is for a thread of its own.

    name:    of the account
    link:    the present connection
    reserve: the handshake up to ADMIT
    wish:    from where on the new connection goes on; asked when the old one stands still
    failed:  told why nothing came of it
    done:    ends when the client has changed to the new connection, or with the error
    """

    def __init__(
        self,
        name: str,
        link: Link,
        pending: PendingLines,
        reserve: Callable[[], Reserved],
        wish: Callable[[], Wish],
        failed: Callable[[Login, ChatroomError], None],
    ) -> None:
        self.name = name
        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # who waits for it must not be able to cancel it
        self._link = link
        self._pending = pending
        self._reserve = reserve
        self._wish = wish
        self._failed = failed
        self._admission: Future[Admission | None] = Future()

    def __repr__(self) -> str:
        return f"<Login {self.name!r} {'done' if self.done.done() else 'under way'}>"

    def run(self) -> None:
        """Log in, change, and let the old connection end."""
        try:
            self._admission.set_result(self._change())
        except ChatroomError as error:
            self.fail(error)
        except BaseException as bug:  # who waits must not wait for ever
            self.fail(ChatroomError(f"internal error: {type(bug).__name__}"))
            raise
        else:
            self._link.part(PART_SECONDS)

    def outcome(self) -> Admission | None:
        """The new connection; None when there is none. Waits until that is decided."""
        return self._admission.result()

    def _change(self) -> Admission:
        reserved = self._reserve()
        try:
            if not self._pending.hold(SETTLE_SECONDS):
                raise ConnectionLost("what you said last is still on its way; try again in a moment")
            return self._link.give_way(lambda: enter(reserved, self._wish()))
        except BaseException:
            reserved.connection.close()
            self._pending.go_on()
            raise

    def fail(self, error: ChatroomError) -> None:
        """Nothing comes of it."""
        self._failed(self, error)
        self._admission.set_result(None)
        self.done.set_exception(error)
