"""The logins of one client, of which one at a time is under way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Lock

from chatroom.errors import ChatroomError, Closed, ConfigError, ConnectionLost
from chatroom.reaper import Reaper
from client.account import Account
from client.attempt import Attempt
from client.handshaking import Admission
from client.inbox import Inbox
from client.link import Link
from client.login import Login
from client.opening import Opening
from client.pending_lines import PendingLines
from client.resume import ResumeState
from client.updates import NotLoggedIn


class Logins:
    """Begins logins, tells what came of them, and gives the connection that one has made. Any thread.

    present: the link of the moment
    """

    def __init__(
        self,
        resume: ResumeState,
        pending: PendingLines,
        inbox: Inbox,
        account: Account,
        opening: Opening,
        reaper: Reaper,
        present: Callable[[], Link | None],
    ) -> None:
        self._resume = resume
        self._pending = pending
        self._inbox = inbox
        self._account = account
        self._opening = opening
        self._reaper = reaper
        self._present = present
        # Guards _login: the one that is under way.
        self._lock = Lock()
        self._login: Login | None = None

    def begin(self, name: str, password: str | None) -> Future[None]:
        """See `Client.begin_login`."""
        attempts = [Attempt(name, password=password)] if password is not None else self._account.kept(name)
        link = self._present()
        if link is None:
            raise ConnectionLost("there is no connection now")
        reserve = partial(self._opening.reserve, attempts)
        login = Login(name, link, self._pending, reserve, self._resume.wish, self._failed)
        with self._lock:
            if self._login is not None:
                raise ConfigError("a login is under way already")
            self._login = login
        if self._present() is not link:  # it ended: perhaps `take` was called before there was a login
            login.fail(ConnectionLost("the connection was lost meanwhile"))
            return login.done
        try:
            self._reaper.spawn(login.run, "client-login")
        except (Closed, RuntimeError) as error:
            self._forget(login)
            raise Closed(f"nobody can log in now: {error}") from None
        return login.done

    def take(self) -> tuple[Login | None, Admission | None]:
        """The login that was under way when the link ended, and the connection that it made, if any."""
        with self._lock:
            login = self._login
        following = login.outcome() if login is not None else None
        if login is None or following is None:
            return None, None
        self._forget(login)
        return login, following

    def _failed(self, login: Login, error: ChatroomError) -> None:
        self._forget(login)
        self._inbox.tell(NotLoggedIn(str(error), getattr(error, "code", 0)), surely=True)
        self._inbox.updated()

    def _forget(self, login: Login) -> None:
        self._opening.forget_login()  # first: the next login may begin as soon as this one is none any more
        with self._lock:
            if self._login is login:
                self._login = None
