"""The client: an object for bots, tests and user interfaces."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event as Flag
from threading import Lock
from types import TracebackType

from chatroom.errors import ChatroomError, Closed, ConfigError, Refused
from chatroom.limits import CLOSE_SECONDS, DEAD_AFTER, DEFAULT_CHANNEL, MAX_CHANNELS
from chatroom.reaper import Reaper
from client.account import Account, Tokens
from client.address import DEFAULT_HOST, DEFAULT_PORT, check_port
from client.answers import Lasting
from client.attempt import server_password as as_key
from client.following import Asking
from client.handshaking import Admission
from client.inbox import Inbox
from client.limits import BYE_SHARE, GREETING_SECONDS, LONGEST_SILENCE, MOST_LINES, REPLAY_LINES
from client.link import Ending, Link
from client.login import Login
from client.logins import Logins
from client.opening import Opening
from client.pending_lines import PendingLines
from client.reconnect import Reconnect
from client.resume import ANEW, ResumeState
from client.rooms import Rooms
from client.since import Since
from client.talking import Talking
from client.tls import TlsOptions
from client.updates import (
    INTERRUPTED,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    LoggedIn,
    Retrying,
    Unanswered,
    Update,
)

log = logging.getLogger(__name__)

NOT_SENT_AGAIN = "not said (again): in the other history, this would mean another person or line"


class Client(Talking):
    """A member of a chatroom, as an object. All methods may be called from any thread.

        with Client("localhost", name="echo") as client:
            for event in client:
                if event.kind is EventKind.SAID and event.form != Form.BOT and event.author != client.name:
                    client.reply(event, event.text, form=Form.BOT)

    Its threads run until `close()`. The end of the `with` block calls it, after a short flush.

    host, port:   where the server listens
    name:         the wanted name
    channel:      the channel to join
    channels:     or several, the first of which is that of lines that name none
    lines:        how many of each channel's last lines come first, 0 to 65535
    since:        instead of these, the events come that happened after this, which an earlier start of the
                  program has kept (see `after`); where the server cannot give them, the update Interrupted
                  says so at the start, as after a lost connection
    reconnect:    whether to reconnect after a lost connection; no event is lost or doubled by that
    retry_for:    seconds after which the client gives up reconnecting
    dead_after:   seconds after which a silent server counts as dead; a PING goes out after each third of it
    on_update:    called, in any of the client's threads, when updates wait; must not block or close
    tls:          encrypt, and how the server shows who it is; None: no encryption
    another_name: called by `connect` with the reason when the name was refused: the next one to try, or None
    password:     of the account of that name; the client logs in to it
    token:        a device token of that account, which the client uses when the server asks for a login
    tokens:       where device tokens are kept, as in `client.tokens.TokenFile`: after a login by password
                  the client gets one, and later clients need no password
    ask_password: called by `connect` with the reason when a password is needed or was wrong: it, or None
    server_password: that of the server, if it has one; sent only where nobody can read along, as the others.
                  BadKey is raised when it is needed, or wrong
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        *,
        name: str,
        channel: str = DEFAULT_CHANNEL,
        channels: Sequence[str] = (),
        lines: int = REPLAY_LINES,
        since: Since | None = None,
        reconnect: bool = True,
        retry_for: float = math.inf,
        dead_after: float = DEAD_AFTER,
        on_update: Callable[[], None] | None = None,
        another_name: Asking | None = None,
        tls: TlsOptions | None = None,
        password: str | None = None,
        token: bytes | None = None,
        tokens: Tokens | None = None,
        ask_password: Asking | None = None,
        server_password: str | None = None,
    ) -> None:
        if not 0 <= lines <= MOST_LINES:
            raise ConfigError(f"{lines} lines of history cannot be asked for: 0 to {MOST_LINES}")
        if not 0 < dead_after <= LONGEST_SILENCE or not retry_for >= 0:
            raise ConfigError(
                f"the times after which to give up must be positive, dead_after at most {LONGEST_SILENCE:g} s"
            )
        if isinstance(channels, str) or len(channels) > MAX_CHANNELS:
            raise ConfigError(f"channels: at most {MAX_CHANNELS} names")
        self.address = (host, check_port(port))
        self._dead_after = dead_after
        self._asking = (ask_password, another_name)
        self._account = Account(password, token, tokens)
        self._account.first(name)  # what cannot be a password is told at once
        resume = ResumeState(name, channels or (channel,), lines, since)
        super().__init__(resume, PendingLines(), Rooms(resume.asked), Inbox(on_update), self._check)
        self._reaper = Reaper("client")
        self._closing = Flag()
        self._placed = Flag()  # the places of the person are known, or no connection will tell them
        self._opening = Opening(
            self.address, tls, self._account, resume, self._closing.is_set, as_key(server_password)
        )
        self._logins = Logins(
            resume, self._pending, self._inbox, self._account, self._opening, self._reaper, self._present
        )
        self._reconnect = Reconnect(
            self._opening.admit, retry_for if reconnect else 0.0, self._tell, self._closing.wait
        )
        # Guards _started and _link (the one that is live).
        self._lock = Lock()
        self._started = False
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
    def account(self) -> str:
        """The name of the account that the client is logged in to; empty for a guest."""
        return self._account.name

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
        return self._present() is not None

    # --- begin and end -------------------------------------------------------------------------------

    def connect(
        self, wait_for: float = 0.0, waiting: Callable[[Retrying], None] = lambda retrying: None
    ) -> Client:
        """Go through the handshake and start the threads; self. After NameRefused it may be called again.

        When it returns, `rooms`, `members()` and `people` are known, unless the server was slow to tell them.

        wait_for: seconds to try while the server is away or full, as after a lost connection
        waiting:  called before each pause
        Raises NameRefused (each reason has a class of its own), Refused (its `code` says why: BANNED, …),
        ConnectionLost, ConfigError, ProtocolError (not a chatroom), or Closed.
        """
        with self._lock:
            if self._started:
                raise ConfigError("the client is connected already")
        admit = partial(self._opening.admit, *self._asking)
        admission = Reconnect(admit, wait_for, waiting, self._closing.wait).first() if wait_for else admit()
        try:
            self._start(admission)
        except ChatroomError:
            admission.connection.close()
            raise
        self._placed.wait(GREETING_SECONDS)
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
        self._opening.cut_login()
        if not self.connected:
            self._opening.cut()
        left = self._reaper.close(CLOSE_SECONDS * BYE_SHARE)
        if left:  # the server does not hang up, or a thread waits for room in the inbox
            self._opening.cut()
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

    # --- the account ---------------------------------------------------------------------------------

    def login(self, name: str, password: str | None = None) -> None:
        """Log in to an account: go on as its person, over another connection.

        No event is lost or doubled by that. Lines that were sent before are those of the person before.
        It takes as long as a handshake.
        password: None: with a device token that this computer has kept
        Raises BadPassword, NeedLogin (no token is kept, or none is valid), NeedEncryption, Refused,
        ConnectionLost, ConfigError or Closed; then everything is as before.
        """
        self.begin_login(name, password).result()

    def begin_login(self, name: str, password: str | None = None) -> Future[None]:
        """`login`, without waiting. The updates LoggedIn and NotLoggedIn tell what came of it, too.

        Raises ConnectionLost when there is no connection now, ConfigError, Closed.
        """
        return self._logins.begin(name, password)

    # --- the connection thread -------------------------------------------------------------------------

    def _run(self, admission: Admission | None) -> None:
        """Use one link after the other, until the end."""
        login = None
        try:
            if admission is None:
                admission = self._reconnect.first()
            while True:
                began = time.monotonic()
                ending = self._use(admission, login)
                login, following = self._logins.take()
                if self._closing.is_set():
                    return _give_up(login, following)
                if following is not None:
                    admission = following
                    continue
                if not ending.again:
                    raise Refused(ending.reason, ending.code)
                self._tell(Disconnected(ending.reason))
                admission = self._reconnect.again(ending.reason, time.monotonic() - began)
        except ChatroomError as error:
            if not self._closing.is_set():
                self._end(Ended(str(error), error))
        except Exception as bug:  # tell the user, too, who waits for updates
            self._end(Ended(f"internal error: {bug!r}", ChatroomError(repr(bug))))
            raise

    def _use(self, admission: Admission, login: Login | None) -> Ending:
        """One link from WELCOME to its end; `login`: what it came from."""
        self._greet(admission, login)
        lasting = Lasting(self._resume, self._pending, self._inbox, self._rooms, self._account)
        link = Link(
            admission, lasting, self._reaper, self._dead_after, self._placed, changed=login is not None
        )
        self._opening.use(admission.connection)
        with self._lock:
            self._link = link
        if login is not None:
            login.done.set_result(None)
        if self._closing.is_set():  # close() may have looked before there was a link
            link.lose("closing")
        try:
            return link.run()
        finally:
            self._placed.set()
            with self._lock:
                self._link = None

    def _greet(self, admission: Admission, login: Login | None) -> None:
        """Tell the user who it is now, and whether the conversation goes on where it was."""
        welcome, attempt = admission.welcome, admission.attempt
        same_session = self._resume.welcome(welcome)
        if login is not None:
            self._account.change(login.name)
        elif attempt.proven or not same_session:
            self._account.name = attempt.name if attempt.proven else ""
        self._rooms.begin(welcome.head, welcome.person, welcome.resumed in ANEW)
        account = self._account.name
        if login is not None:
            self._tell(LoggedIn(welcome.name, account))
        else:
            self._tell(Connected(welcome.name, self.channel, self._resume.live, account))
        words = INTERRUPTED.get(welcome.resumed)
        if words is not None:
            self._tell(Interrupted(welcome.resumed, words))
        if welcome.resumed in ANEW:
            self._drop_bound()

    def _drop_bound(self) -> None:
        """Send no line that names persons or messages of the history that was there before."""
        for line in self._pending.pending():
            if line.bound:
                self._inbox.tell(Unanswered(line.id, line.text, NOT_SENT_AGAIN), surely=True)
                self._pending.refuse(line.id, NOT_SENT_AGAIN)
        self._inbox.updated()

    # --- any thread ----------------------------------------------------------------------------------

    def _present(self) -> Link | None:
        """The link of the moment."""
        with self._lock:
            return self._link

    def _check(self) -> None:
        with self._lock:
            started = self._started
        if not started and not self._closing.is_set():
            raise ConfigError("the client is not connected: call connect() first")

    def _tell(self, update: Update) -> None:
        self._inbox.tell(update)
        self._inbox.updated()

    def _end(self, ended: Ended) -> None:
        self._pending.close(ended.reason)
        for command in self._pending.give_up():
            if command.request is not None:
                command.request.lose(Closed(ended.reason))
        self._inbox.end(ended)
        self._placed.set()
        self._inbox.updated()


def _give_up(login: Login | None, admission: Admission | None) -> None:
    """The client is closed: close the connection that a login has just made."""
    if login is not None and admission is not None:
        admission.connection.close()
        login.done.set_exception(Closed("the client is closed"))
