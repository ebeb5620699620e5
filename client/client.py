"""The client: an object for bots, tests and user interfaces."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Event as Flag
from threading import Lock
from types import TracebackType

from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, Closed, ConfigError, Refused
from chatroom.events import Event
from chatroom.limits import CLOSE_SECONDS, DEAD_AFTER, DEFAULT_CHANNEL
from chatroom.packets import Resumed, Welcome
from chatroom.reaper import Reaper
from client.address import DEFAULT_HOST, DEFAULT_PORT, check_port
from client.connection import Connection
from client.handshaking import Admission, admit
from client.inbox import Inbox
from client.limits import BYE_SHARE, LONGEST_SILENCE, MOST_LINES, REPLAY_LINES
from client.link import Ending, Link
from client.pending_lines import Line, PendingLines
from client.people import People
from client.reconnect import Reconnect
from client.resume import ResumeState
from client.updates import Connected, Disconnected, Ended, Interrupted, Retrying, Update

log = logging.getLogger(__name__)

_INTERRUPTED = {
    Resumed.GAP: "some of what you missed is gone: the server does not keep it that long",
    Resumed.OTHER_HISTORY: "the server has another history now; what was said before is not in it",
    Resumed.RESTORED: "the server has gone back to an older copy of its history; later lines are not in it",
}
"""What the user is told when the server cannot give exactly what was missed."""


class Client:
    """A member of a chatroom, as an object. All methods may be called from any thread.

        with Client("localhost", name="echo") as client:
            for event in client:
                if event.kind is EventKind.SAID and event.author != client.name:
                    client.say(event.text)

    Its threads run until `close()`. The end of the `with` block calls it, after a short flush.

    host, port:   where the server listens
    name:         the wanted name
    channel:      the channel to join
    lines:        how many of the channel's last lines come first, 0 to 65535
    reconnect:    whether to reconnect after a lost connection; no event is lost or doubled by that
    retry_for:    seconds after which the client gives up reconnecting
    dead_after:   seconds after which a silent server counts as dead; a PING goes out after each third of it
    on_update:    called, in any of the client's threads, when updates wait; must not block or close
    another_name: called by `connect` with the reason when the name was refused: the next one to try, or None
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        *,
        name: str,
        channel: str = DEFAULT_CHANNEL,
        lines: int = REPLAY_LINES,
        reconnect: bool = True,
        retry_for: float = math.inf,
        dead_after: float = DEAD_AFTER,
        on_update: Callable[[], None] | None = None,
        another_name: Callable[[str], str | None] | None = None,
    ) -> None:
        if not 0 <= lines <= MOST_LINES:
            raise ConfigError(f"{lines} lines of history cannot be asked for: 0 to {MOST_LINES}")
        if not 0 < dead_after <= LONGEST_SILENCE or not retry_for >= 0:
            raise ConfigError(
                f"the times after which to give up must be positive, dead_after at most {LONGEST_SILENCE:g} s"
            )
        self.address = (host, check_port(port))
        self._dead_after = dead_after
        self._another_name = another_name
        self._resume = ResumeState(name, channel, lines)
        self._pending = PendingLines()
        self._inbox = Inbox(on_update)
        self._people = People()
        self._reaper = Reaper("client")
        self._closing = Flag()
        self._reconnect = Reconnect(
            self._admit, retry_for if reconnect else 0.0, self._tell, self._closing.wait
        )
        # Guards _started, _connection (being made or used) and _link (the one that is live).
        self._lock = Lock()
        self._started = False
        self._connection: Connection | None = None
        self._link: Link | None = None

    def __repr__(self) -> str:
        state = "on" if self.connected else "off"
        return f"<Client {self.name!r} in {self.channel} {state} {self._pending!r} {self._inbox!r}>"

    # --- name, channel, state ------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name in the chatroom; before `connect`, the wanted one."""
        return self._resume.name

    @name.setter
    def name(self, name: str) -> None:
        with self._lock:
            if self._started:
                raise ConfigError("only the server can change the name of a connected client")
        self._resume.rename(name)

    @property
    def channel(self) -> str:
        """The channel that lines go to."""
        return self._resume.channel

    @property
    def people(self) -> int | None:
        """How many people are in the channel, the client included; None until the server has said it.

        In a large channel the server tells it about once a second.
        """
        return self._people.number

    @property
    def on_update(self) -> Callable[[], None] | None:
        """Called when updates wait. It is not called for those that waited before it was set."""
        return self._inbox.on_update

    @on_update.setter
    def on_update(self, on_update: Callable[[], None] | None) -> None:
        self._inbox.on_update = on_update

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        with self._lock:
            return self._link is not None

    @property
    def ended(self) -> Ended | None:
        """How the client ended; None while it has not."""
        return self._inbox.ended

    # --- begin and end -------------------------------------------------------------------------------

    def connect(
        self, wait_for: float = 0.0, waiting: Callable[[Retrying], None] = lambda retrying: None
    ) -> Client:
        """Go through the handshake and start the threads; self. After NameRefused it may be called again.

        wait_for: seconds to try while the server is away or full, as after a lost connection
        waiting:  called before each pause
        Raises NameRefused, Refused, ConnectionLost, ConfigError, ProtocolError (not a chatroom), or Closed.
        """
        with self._lock:
            if self._started:
                raise ConfigError("the client is connected already")
        admit = partial(self._admit, self._another_name)
        admission = Reconnect(admit, wait_for, waiting, self._closing.wait).first() if wait_for else admit()
        try:
            self._start(admission)
        except ChatroomError:
            admission.connection.close()
            raise
        return self

    def start(self) -> Client:
        """Like `connect`, but without waiting for a server that is away; self. The updates say what happens.

        The client tries for `retry_for` seconds, as after a lost connection. Lines may be said at once; they
        are sent when it is connected. The update Ended comes instead when that cannot be.
        """
        self._resume.wish()  # a name or channel that cannot be is told at once
        self._start(None)
        return self

    def _start(self, admission: Admission | None) -> None:
        """Start the threads. Raises ConfigError, Closed, or ChatroomError: the system gives no thread."""
        with self._lock:
            if self._started:
                raise ConfigError("the client is connected already")
            self._started = True
        try:
            self._reaper.start()
            self._reaper.spawn(lambda: self._run(admission), "client-connection")
        except RuntimeError as none_left:
            raise ChatroomError(f"the client cannot go on: {none_left}") from None

    def close(self) -> None:
        """Send what is queued and BYE, if connected, and end all threads; takes at most two seconds.

        Does not wait until lines are stored, as `flush` does. Nothing is sent afterwards.
        """
        self._closing.set()
        self._pending.close()
        if not self.connected:
            self._cut()
        left = self._reaper.close(CLOSE_SECONDS * BYE_SHARE)
        if left:  # the server does not hang up, or a thread waits for room in the inbox
            self._cut()
            self._end(Ended("closed", None))
            left = self._reaper.close(CLOSE_SECONDS * (1 - BYE_SHARE))
        if left:
            log.warning("threads that did not end: %s", ", ".join(left))
        self._end(Ended("closed", None))

    def __enter__(self) -> Client:
        with self._lock:
            started = self._started
        return self if started else self.connect()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.connected:
            self.flush(CLOSE_SECONDS)
        self.close()

    # --- talking -------------------------------------------------------------------------------------

    def say(self, text: str, timeout: float | None = None) -> Line:
        """Say a line. It is queued here, sent when there is a connection, and again until it is settled.

        It is settled when it is stored, or refused: then an Answer with its id says why. An Unanswered
        with its id comes when a connection was lost, and the answer can only be concluded, or not be known.
        Waits, at most `timeout` seconds, only while too many lines are not settled (MAX_PENDING).
        Raises TypeError, ValueError for a text that is empty or longer than MAX_TEXT bytes, TimeoutError,
        Closed, or ConfigError: nothing was begun yet (`connect`).
        """
        self._check_begun()
        _check_text(text)
        return self._pending.say(self.channel, text, timeout)

    def command(self, text: str) -> int:
        """Send a slash command; its id, which its Answer has, too.

        It is sent once. If the connection is lost before the answer, an Unanswered with its id comes instead.
        Raises TypeError, ValueError for a text that is empty or too long, TimeoutError when too many wait,
        Closed, or ConfigError: nothing was begun yet (`connect`).
        """
        self._check_begun()
        _check_text(text)
        return self._pending.command(self.channel, text)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds until all lines said so far are settled; whether they are."""
        self._check_begun()
        return self._pending.wait_for(None, timeout)

    def pending(self) -> list[Line]:
        """The lines that are not settled yet, in order."""
        return self._pending.pending()

    # --- listening: either events or updates -----------------------------------------------------------

    def __iter__(self) -> Iterator[Event]:
        """The events in order, until the client is closed.

        Raises the error with which the client ended, if `close()` did not end it.
        """
        for update in self.updates():
            if type(update) is Event:
                yield update
        ended = self.ended
        if ended is not None and ended.error is not None:
            raise ended.error

    def updates(self, timeout: float | None = None) -> Iterator[Update]:
        """All updates in order, to Ended; stops earlier when none came for `timeout` seconds.

        Raises ConfigError when nothing was begun yet (`connect`): it would wait for ever.
        """
        self._check_begun()
        while (update := self._inbox.take(timeout)) is not None:
            yield update

    def poll(self) -> list[Update]:
        """All updates that wait now. Never blocks."""
        return self._inbox.poll()

    # --- the connection thread -------------------------------------------------------------------------

    def _run(self, admission: Admission | None) -> None:
        """Use one link after the other, until the end."""
        try:
            if admission is None:
                admission = self._reconnect.first()
            while True:
                began = time.monotonic()
                ending = self._use(admission)
                if self._closing.is_set():
                    return
                if not ending.again:
                    raise Refused(ending.reason)
                self._tell(Disconnected(ending.reason))
                admission = self._reconnect.again(ending.reason, time.monotonic() - began)
        except ChatroomError as error:
            if not self._closing.is_set():
                self._end(Ended(str(error), error))
        except Exception as bug:  # tell the user, too, who waits for updates
            self._end(Ended(f"internal error: {bug!r}", ChatroomError(repr(bug))))
            raise

    def _use(self, admission: Admission) -> Ending:
        """One link from WELCOME to its end."""
        self._greet(admission.welcome)
        link = Link(
            admission, self._resume, self._pending, self._inbox, self._people, self._reaper, self._dead_after
        )
        with self._lock:
            self._link = link
        if self._closing.is_set():  # close() may have looked before there was a link
            link.lose("closing")
        try:
            return link.run()
        finally:
            with self._lock:
                self._link = None

    def _greet(self, welcome: Welcome) -> None:
        """Tell the user who it is now, and whether the conversation goes on where it was."""
        self._resume.welcome(welcome)
        self._people.begin(welcome.head)
        self._tell(Connected(welcome.name, self.channel, self._resume.live))
        words = _INTERRUPTED.get(welcome.resumed)
        if words is not None:
            self._tell(Interrupted(welcome.resumed, words))

    def _admit(self, another_name: Callable[[str], str | None] | None = None) -> Admission:
        return admit(self.address, self._resume.wish(), self._open, another_name)

    def _open(self, host: str, port: int, deadline: Deadline) -> Connection:
        """Connect, so that close() can interrupt it."""
        connection = Connection()
        with self._lock:
            self._connection = connection
        if self._closing.is_set():
            raise Closed("the client is closed")
        connection.open(host, port, deadline)
        return connection

    # --- any thread ----------------------------------------------------------------------------------

    def _check_begun(self) -> None:
        with self._lock:
            started = self._started
        if not started and not self._closing.is_set():
            raise ConfigError("the client is not connected: call connect() first")

    def _cut(self) -> None:
        """Shut down the connection that is being made or used."""
        with self._lock:
            connection = self._connection
        if connection is not None:
            connection.shutdown()

    def _tell(self, update: Update) -> None:
        self._inbox.tell(update)
        self._inbox.updated()

    def _end(self, ended: Ended) -> None:
        self._pending.close(ended.reason)
        self._inbox.end(ended)
        self._inbox.updated()


def _check_text(text: str) -> None:
    """Raises TypeError and ValueError for what cannot be said, in words for whoever writes a bot."""
    if not isinstance(text, str):
        raise TypeError(f"only text can be said, not {type(text).__name__}: {text!r}")
    if not text:
        raise ValueError("an empty text cannot be said")
