"""The client: what a bot, a test or a user interface talks to."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from threading import Event as Flag
from threading import Lock
from types import TracebackType

from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, Closed, ConfigError, ConnectionLost, NameRefused, Refused
from chatroom.events import Event
from chatroom.limits import CLOSE_SECONDS, DEAD_AFTER, DEFAULT_CHANNEL, HANDSHAKE_SECONDS
from chatroom.names import check_channel, check_name
from chatroom.reaper import Reaper
from client.address import DEFAULT_HOST, DEFAULT_PORT, check_port
from client.connection import Connection
from client.handshaking import Admission, Wish, admit
from client.inbox import Inbox
from client.limits import REPLAY_LINES, RETRY_STEADY
from client.outbox import Line, Outbox
from client.retrying import Pauses
from client.session import Ending, Session, Standing
from client.updates import Connected, Disconnected, Ended, Retrying, Update

log = logging.getLogger(__name__)

MOST_LINES = 0xFFFF  # what ADMIT can ask for
FETCHING = "fetching what was left out"  # the one reason to end a connection that is our own
_BYE_SHARE = 2 / 3  # of the closing time is for the server to answer our BYE


class Client:
    """A member of a chatroom, as an object. All methods may be called from any thread.

        with Client("localhost", name="echo") as client:
            for event in client:
                if event.kind is EventKind.SAID and event.author != client.name:
                    client.say(event.text)

    Its threads run until `close()`; the end of the `with` block calls it, after a last, short flush.

    host, port:   where the server listens
    name:         the wanted name
    channel:      the channel to join
    lines:        how many of the channel's last lines come first, 0 to 65535
    reconnect:    whether a lost connection is made anew; nothing is lost or doubled by that
    retry_for:    seconds after which reconnecting is given up
    dead_after:   seconds after which a silent server counts as dead; it is asked after each third of it
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
        if not dead_after > 0 or not retry_for >= 0:
            raise ConfigError("the times after which to give up must be positive")
        self.address = (host, check_port(port))
        self._lines = lines
        self._retry_for = retry_for if reconnect else 0.0
        self._dead_after = dead_after
        self._another_name = another_name
        self._standing = Standing(name, channel)
        self._outbox = Outbox()
        self._inbox = Inbox(self._fetch_rest)
        self._reaper = Reaper("client")
        self._pauses = Pauses()
        self._closing = Flag()
        self._asked_since = 0  # confined to the connection thread, as is the next
        self._giving_up: Deadline | None = None  # set while there is no connection that lasts
        # Guards _on_update, _started, _connection (being made or used) and _session (the one that is on).
        self._lock = Lock()
        self._on_update = on_update
        self._started = False
        self._connection: Connection | None = None
        self._session: Session | None = None

    def __repr__(self) -> str:
        with self._lock:
            state = "on" if self._session is not None else "off"
        return f"<Client {self.name!r} in {self.channel} {state} {self._outbox!r} {self._inbox!r}>"

    # --- who and where -------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name in the chatroom; before `connect`, the wanted one."""
        return self._standing.name

    @name.setter
    def name(self, name: str) -> None:
        with self._lock:
            if self._started:
                raise ConfigError("the name of a connected client is the server's to change")
        self._standing.rename(name)

    @property
    def channel(self) -> str:
        """The channel that lines go to."""
        return self._standing.channel

    @property
    def on_update(self) -> Callable[[], None] | None:
        """What is called when updates wait; what waited before it was set is not reported again."""
        with self._lock:
            return self._on_update

    @on_update.setter
    def on_update(self, on_update: Callable[[], None] | None) -> None:
        with self._lock:
            self._on_update = on_update

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        with self._lock:
            return self._session is not None

    @property
    def ended(self) -> Ended | None:
        """Why nothing more will come, as soon as that is so."""
        return self._inbox.ended

    # --- begin and end -------------------------------------------------------------------------------

    def connect(self) -> Client:
        """Go through the handshake and start the threads; self. After NameRefused it may be called again.

        Raises NameRefused, Refused, ConnectionLost, ConfigError, or ProtocolError when there is no chatroom.
        """
        with self._lock:
            if self._started:
                raise ConfigError("the client is connected already")
        name, channel = check_name(self.name), check_channel(self.channel)
        admission = self._admit(Wish(name, self._standing.token, channel, 0, self._lines), self._another_name)
        with self._lock:
            self._started = True
        try:
            self._reaper.start()
            self._reaper.spawn(lambda: self._run(admission), "client-connection")
        except (Closed, RuntimeError):  # closed in the meantime, or no thread to be had
            admission.connection.close()
            raise
        return self

    def close(self) -> None:
        """Send what is queued and BYE, if connected, and end all threads; takes at most two seconds.

        Does not wait for confirmations: `flush` does. Nothing is sent after it.
        """
        self._closing.set()
        self._outbox.close()
        with self._lock:
            saying_goodbye = self._session is not None
        if not saying_goodbye:
            self._cut()
        left = self._reaper.close(CLOSE_SECONDS * _BYE_SHARE)
        if left:
            self._cut()
            self._end(Ended("closed", None))  # whoever waits for room in the inbox waits no longer
            left = self._reaper.close(CLOSE_SECONDS * (1 - _BYE_SHARE))
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
        """Say a line: it is queued here, sent when there is a connection, and again until it is confirmed.

        Waits, at most `timeout` seconds, only while too many lines are unconfirmed (MAX_PENDING).
        Raises ValueError for a text that is empty or longer than MAX_TEXT bytes, TimeoutError, or Closed.
        """
        return self._outbox.say(self.channel, text, timeout)

    def command(self, text: str) -> None:
        """Send a slash command; its answer comes as a Notice. It is sent once, and lost with its connection.

        Raises ValueError for a text that is too long, TimeoutError when too many wait, or Closed.
        """
        self._outbox.command(self.channel, text)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds until all lines said so far are stored; whether they are."""
        return self._outbox.wait_for(None, timeout)

    def pending(self) -> list[Line]:
        """The lines that are not confirmed yet, in order."""
        return self._outbox.pending()

    # --- listening: either events or updates -----------------------------------------------------------

    def __iter__(self) -> Iterator[Event]:
        """The events in order, until the client is closed.

        Raises the error with which the client ended, if that was not by `close()`.
        """
        for update in self.updates():
            if type(update) is Event:
                yield update
        ended = self.ended
        if ended is not None and ended.error is not None:
            raise ended.error

    def updates(self, timeout: float | None = None) -> Iterator[Update]:
        """All updates in order, to Ended; stops earlier when none came for `timeout` seconds."""
        while (update := self._inbox.take(timeout)) is not None:
            yield update

    def poll(self) -> list[Update]:
        """All updates that wait now. Never blocks."""
        return self._inbox.poll()

    # --- the connection thread -------------------------------------------------------------------------

    def _run(self, first: Admission) -> None:
        """Live through one session after the other, until the end."""
        admission: Admission | None = first
        try:
            while admission is not None:
                ending = self._live(admission)
                admission = None
                if self._closing.is_set():
                    continue
                if not ending.again:
                    self._end(Ended(ending.reason, Refused(ending.reason)))
                    continue
                if ending.reason != FETCHING:
                    self._tell(Disconnected(ending.reason))
                admission = self._reconnect(ending.reason)
        except Exception as bug:  # whoever waits for updates must learn of it
            self._end(Ended(f"internal error: {bug!r}", ChatroomError(repr(bug))))
            raise

    def _live(self, admission: Admission) -> Ending:
        """One session from WELCOME to its end."""
        standing, welcome = self._standing, admission.welcome
        skipping = standing.seen < self._asked_since
        standing.become(welcome.name, welcome.channel, welcome.token)
        session = Session(
            admission,
            standing,
            self._outbox,
            self._inbox,
            self._reaper,
            self._dead_after,
            self._updated,
            skipping,
        )
        self._tell(Connected(welcome.name, welcome.channel, standing.live))
        with self._lock:
            self._session = session
        if self._closing.is_set():  # close() may have looked before there was a session
            session.lose("closing")
        elif skipping and not self._inbox.behind:
            session.lose(FETCHING)
        began = time.monotonic()
        try:
            return session.run()
        finally:
            with self._lock:
                self._session = None
            lasted = time.monotonic() - began
            self._pauses.lasted(lasted)
            if lasted >= RETRY_STEADY:
                self._giving_up = None

    def _reconnect(self, reason: str) -> Admission | None:
        """Try until admitted; None when there is nothing more to try."""
        if reason == FETCHING:
            giving_up = Deadline(max(HANDSHAKE_SECONDS, self._retry_for))
        else:  # a connection that broke at once was no success: the time goes on
            giving_up = self._giving_up = self._giving_up or Deadline(self._retry_for)
        own_try: Deadline | None = None  # as long as our own broken try may keep our name reserved
        while not giving_up.expired:
            pause = min(self._pauses.next(), giving_up.left())
            if pause:
                self._tell(Retrying(pause, reason))
            if self._closing.wait(pause):
                return None
            try:
                return self._admit(self._wish())
            except NameRefused as refused:
                if own_try is None or own_try.expired:
                    self._end(Ended(str(refused), refused))
                    return None
                reason = str(refused)
            except ChatroomError as failure:
                reason = str(failure)
                own_try = Deadline(HANDSHAKE_SECONDS)
        if not self._closing.is_set():
            if self._retry_for:
                reason = f"gave up after {self._retry_for:g} s: {reason}"
            self._end(Ended(reason, ConnectionLost(reason)))
        return None

    def _wish(self) -> Wish:
        """What to ask for when coming back. In the connection thread, between sessions."""
        standing = self._standing
        since = standing.heard if self._inbox.behind else standing.seen
        self._asked_since = since
        # Where nothing was ever seen, everything is new.
        lines = MOST_LINES if standing.live else self._lines
        return Wish(standing.name, standing.token, standing.channel, since, lines)

    def _admit(self, wish: Wish, another_name: Callable[[str], str | None] | None = None) -> Admission:
        return admit(self.address, wish, self._open, another_name)

    def _open(self, host: str, port: int, deadline: Deadline) -> Connection:
        """Connect, in such a way that close() can interrupt it."""
        connection = Connection()
        with self._lock:
            self._connection = connection
        if self._closing.is_set():
            raise Closed("the client is closed")
        connection.open(host, port, deadline)
        return connection

    # --- any thread ----------------------------------------------------------------------------------

    def _cut(self) -> None:
        with self._lock:
            connection = self._connection
        if connection is not None:
            connection.shutdown()

    def _fetch_rest(self) -> None:
        """The user has caught up with the inbox: fetch what did not fit, by coming back for it."""
        with self._lock:
            session = self._session
        if session is not None:
            session.lose(FETCHING)

    def _tell(self, update: Update) -> None:
        self._inbox.tell(update)
        self._updated()

    def _end(self, ended: Ended) -> None:
        self._outbox.close(ended.reason)
        self._inbox.end(ended)
        self._updated()

    def _updated(self) -> None:
        on_update = self.on_update
        if on_update is not None:
            on_update()
