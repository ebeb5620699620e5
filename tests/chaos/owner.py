"""A child process around a program of somebody with an account: it talks, and does what accounts are for.

It registers the name if nobody has, logs in with the password or a kept token, changes the password, leaves
and comes back; as a guest it logs in in the middle of its talk. One process lives several lives, each with a
record of its own: after it has left, and after it was ended because the password had been changed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any, Final

from chatroom.errors import BadPassword, ChatroomError, Closed, NameRefused, NeedLogin
from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Answer, Credential
from client import Client, TokenFile
from client.secret_commands import compose
from tests.chaos.blunt import BluntClient
from tests.chaos.records import EXPELLED
from tests.chaos.talker import Orders, Talker, fingerprint, make_parser, now, session_of
from tests.chaos.wallet import Content, Wallet

IN_DOUBT: Final = 20_000
"""Milliseconds until a change of the password that nobody has answered is done, or is not done any more: more
than it may wait for its hash, for the disk and for a server that stands still."""

_AWAY: Final = 2.0  # mean seconds between leaving and coming back
_AWAIT_REGISTERED: Final = 0.2  # seconds between two looks whether the name is registered
_LOOK_AT_TOKENS: Final = 0.5
_AGAIN: Final = 1.0  # seconds until what has failed is tried again
_SHORTLY: Final = 0.02


class Owner(Talker):
    """One life of a program of the owner's."""

    def __init__(self, options: argparse.Namespace, orders: Orders) -> None:
        super().__init__(options, orders)
        self._program = options.program
        self._wallet = Wallet(options.wallets, options.account)
        self._proof: str | None = None  # the password by which it came, None: it came without one
        self._tried: list[str] = []  # passwords that were wrong in this life
        self._error: ChatroomError | None = None  # with which its client ended
        self._asked: dict[int, Callable[[int, str], None]] = {}  # by id: what to do with the answer
        self._login: tuple[str | None, Future[None]] | None = None
        self._registered = False
        self._is_owner = False
        self._has_helper = False
        self._next = time.monotonic() + (
            self._random.random() if options.late else 0.0 if options.main else self._pause()
        )
        self._tokens_at = 0.0
        self._device = ""
        self._guest = options.name != options.account

    def _pause(self) -> float:
        return self._random.expovariate(1 / self._options.pace)

    # --- coming in ------------------------------------------------------------------------------------------

    def _client(self) -> Client | BluntClient:
        known = self._await_registered()
        self._proof = None
        if known.registered and not self._guest:
            self._proof = self._next_password(known)
        if self._options.blunt:
            assert self._proof is not None
            return self._make(BluntClient, credentials=((Credential.PASSWORD, self._proof.encode()),))
        if len(known.passwords) == 1 and self._wallet.device() and self._random.random() < 0.5:
            self._proof = None  # by the token
        tokens = TokenFile(self._wallet.tokens, self._options.host, self._options.port)
        return self._make(Client, tokens=tokens, password=self._proof)

    def _await_registered(self) -> Content:
        """What the owner knows. Her other programs wait until the first one has registered. Raises Closed."""
        known = self._wallet.read()
        while not (known.registered or self._options.main or self._guest):
            if self._orders.leave.wait(_AWAIT_REGISTERED):
                raise Closed("told to leave")
            known = self._wallet.read()
        return known

    def _make(self, kind: Any, **how: Any) -> Client | BluntClient:
        options = self._options
        client: Client | BluntClient = kind(
            options.host,
            options.port,
            name=options.name,
            channel=options.channel,
            dead_after=options.dead_after,
            on_update=self._news.set,
            **how,
        )
        return client

    def _next_password(self, known: Content) -> str:
        """The likeliest one that was not wrong yet; when all were wrong, from the beginning."""
        untried = [one for one in known.passwords if one not in self._tried]
        if not untried:
            self._tried.clear()
        return (untried or known.passwords)[0]

    def _refused(self, error: ChatroomError) -> None:
        if isinstance(error, BadPassword) or getattr(error, "code", 0) == Code.BAD_PASSWORD:
            self._tried.append(self._proof or "")
        elif isinstance(error, NeedLogin) and not self._guest:
            with self._wallet.change() as known:  # what this program had sent was carried out
                known.registered = True

    def _came_in(self, client: Client | BluntClient) -> None:
        """It is connected: a password that has opened the account is the right one."""
        token = session_of(client).hex()
        self._wallet.note(token)
        with self._wallet.change() as known:
            if not self._guest:
                known.sessions[self._program] = token
                self._registered = self._registered or known.registered
                self._is_owner = self._is_owner or known.owner
            if self._proof is not None:
                _settle(known, self._proof)
        self._proof = None  # it comes back with the session's token

    # --- updates --------------------------------------------------------------------------------------------

    def _note(self, client: Client | BluntClient, update: Any) -> None:
        elsewhere = isinstance(update, Event) and update.channel not in ("", self._options.channel)
        if elsewhere:
            return  # of a channel of another program
        super()._note(client, update)
        if isinstance(update, Event):
            if update.kind is EventKind.ACCOUNT and update.text == self._options.account:
                self._know_registered()
            return
        match type(update).__name__:
            case "Connected":
                self._came_in(client)
            case "Answer":
                self._take(update)
            case "Unanswered":
                self._asked.pop(update.id, None)
            case "LoggedIn":
                self._guest = False
                self._recorder.write("logged in", at=now(), session=fingerprint(client))
                self._came_in(client)
            case "Ended":
                self._error = update.error

    def _take(self, answer: Answer) -> None:
        done = self._asked.pop(answer.id, None)
        if done is not None:
            self._recorder.write("answered", code=answer.code)
            done(answer.code, answer.rows)

    @property
    def expelled(self) -> bool:
        """Whether the server wants it to log in anew."""
        error = self._error
        return isinstance(error, NameRefused) and error.code in (Code.NEED_LOGIN, Code.BAD_PASSWORD)

    def _reason(self, reason: str) -> str:
        """Whoever must log in anew is no fault; whether that was right, the judge says."""
        return f"{EXPELLED}{self._error}" if self.expelled else reason

    def _watch(self, client: Client | BluntClient) -> None:
        super()._watch(client)
        until = time.monotonic() + _AGAIN
        while self._over and self._error is None and time.monotonic() < until:
            for update in client.poll():  # its end may not have been told yet
                self._note(client, update)
            time.sleep(_SHORTLY)

    def _may_leave(self) -> bool:
        if self._asked or self._login or (self._options.main and not self._registered):
            return False
        return self._flushed and (self._seen_last or not self._orders.quiet.is_set())

    def time_away(self) -> float:
        """Seconds until its next life."""
        return self._random.random() if self.expelled else self._random.expovariate(1 / _AWAY)

    # --- deeds ----------------------------------------------------------------------------------------------

    def _do(self, client: Client | BluntClient) -> None:
        self._watch_login()
        moment = time.monotonic()
        if moment >= self._tokens_at:
            self._tokens_at = moment + _LOOK_AT_TOKENS
            if self._device != (device := self._wallet.device()):
                self._device = device
                self._wallet.note(device)
        due = moment >= self._next and not (self._asked or self._login)
        if not due or (self._hush.is_set() and (self._registered or not self._options.main)):
            return
        self._next = moment + self._pause()
        if isinstance(client, BluntClient):
            self._leave_for_a_while()
        elif client.connected:
            try:
                self._choose(client)
            except (ChatroomError, TimeoutError):
                self._next = moment + _AGAIN  # the connection was lost just now

    def _choose(self, client: Client) -> None:
        """Do what is due, else whatever chance wants."""
        if self._guest:
            codes = bool(self._wallet.read().codes)
            (self._recover if codes and self._random.random() < 0.7 else self._log_in)(client)
        elif self._options.main and not self._registered and not client.account:
            self._register(client)
        elif self._options.code_file and not self._is_owner and self._random.random() < 0.5:
            self._own(client)
        elif self._may_name_helper():
            self._name_helper(client)
        elif self._options.main:
            deeds = (self._change_password, self._change_password, self._make_code, self._leave_for_a_while)
            self._random.choice(deeds)(client)
        else:
            self._random.choice((self._change_password, self._leave_for_a_while))(client)

    def _ask(self, client: Client, text: str, done: Callable[[int, str], None]) -> None:
        self._asked[client.command(text)] = done

    def _leave_for_a_while(self, _client: Client | None = None) -> None:
        """Say no more, and leave when all is stored."""
        self._hush.set()

    def _register(self, client: Client) -> None:
        with self._wallet.change() as known:
            known.passwords = known.passwords or [self._wallet.new_password(self._random)]
        secret = known.passwords[0]

        def done(code: int, _rows: str) -> None:
            if code in (Code.OK, Code.ALREADY):
                self._know_registered()

        self._ask(client, compose("/register", [], [secret]), done)

    def _know_registered(self) -> None:
        if not self._registered:
            self._registered = True
            with self._wallet.change() as known:
                known.registered = True

    def _own(self, client: Client) -> None:
        """Become the owner of the chatroom, with the code of its first start."""
        code = self._options.code_file.read_text().strip() if self._options.code_file.exists() else ""
        if not code:  # it was used, and nobody has seen the answer
            self._is_owner = True
        else:
            self._wallet.note(code)

            def done(answer: int, _rows: str) -> None:
                if answer == Code.OK:  # else there has been another start, and another code
                    self._is_owner = True
                    with self._wallet.change() as known:
                        known.owner = True

            self._ask(client, compose("/owner", [], [code]), done)

    def _may_name_helper(self) -> bool:
        helper = self._options.helper
        return self._is_owner and not self._has_helper and helper is not None and helper.exists()

    def _name_helper(self, client: Client) -> None:
        """Make the moderator an operator of the chatroom."""

        def done(answer: int, _rows: str) -> None:
            self._has_helper = answer in (Code.OK, Code.ALREADY)

        self._ask(client, f"/op * {self._options.helper.stem}", done)

    def _change_password(self, client: Client) -> None:
        with self._wallet.change() as known:
            if not self._begin_change(known):
                return
            (old,) = known.passwords
            new = self._wallet.new_password(self._random)
            known.passwords.append(new)
        self._send_change(client, compose("/passwd", [], [old, new]), new, known)

    def _recover(self, client: Client) -> None:
        """As one who has lost the password: with a code."""
        with self._wallet.change() as known:
            if not known.codes or not self._begin_change(known):
                return
            code = known.codes.pop()
            new = self._wallet.new_password(self._random)
            known.passwords.append(new)
        self._send_change(client, compose("/recover", [self._options.account], [code, new]), new, known, code)

    def _begin_change(self, known: Content) -> bool:
        """Whether this program may change the password now: one at a time, and when nothing is in doubt."""
        if not known.registered or len(known.passwords) != 1 or known.changing:
            return False
        known.changing, known.since = self._program, now()
        return True

    def _send_change(self, client: Client, text: str, new: str, before: Content, code: str = "") -> None:
        device = self._wallet.device()
        sessions = [token for program, token in before.sessions.items() if program != self._program]
        self._recorder.write("changing", at=before.since)

        def done(answer: int, _rows: str) -> None:
            with self._wallet.change() as known:
                known.changing = ""
                if answer != Code.OK:
                    known.passwords.remove(new)
                    return
                _settle(known, new)
                known.stale.devices += [device] if device else []
                known.stale.sessions += sessions
                known.stale.codes += [code] if code else []
            self._recorder.write("changed", at=now())

        try:
            self._ask(client, text, done)
        except (ChatroomError, TimeoutError):  # it was not sent
            with self._wallet.change() as known:
                known.passwords.remove(new)
                known.changing = ""
                known.codes += [code] if code else []
            raise

    def _make_code(self, client: Client) -> None:
        """As the owner of the chatroom: a code for another account."""
        others = [Wallet(self._options.wallets, name) for name in self._options.others]
        others = [wallet for wallet in others if wallet.read().registered]
        if not others or not self._is_owner:
            return
        other = self._random.choice(others)

        def done(answer: int, rows: str) -> None:
            if answer == Code.OK:
                _, _, code, _ = json.loads(rows)[0]
                self._wallet.note(code)
                with other.change() as known:
                    known.stale.codes += known.codes  # a new one replaces them
                    known.codes = [code]

        self._ask(client, f"/code {other.name}", done)

    # --- logging in while it talks --------------------------------------------------------------------------

    def _log_in(self, client: Client) -> None:
        known = self._wallet.read()
        if not known.registered:
            return
        by_token = len(known.passwords) == 1 and self._wallet.device() and self._random.random() < 0.4
        password = None if by_token else self._next_password(known)
        self._login = password, client.begin_login(self._options.account, password)

    def _watch_login(self) -> None:
        """Look whether a login has come to its end."""
        if self._login is None or not self._login[1].done():
            return
        password, done = self._login
        self._login, error = None, done.exception()
        if error is None:
            if password is not None:
                with self._wallet.change() as known:
                    _settle(known, password)
            return
        if isinstance(error, BadPassword) and password is not None:
            self._tried.append(password)
        self._recorder.write("not logged in", reason=f"{type(error).__name__}: {error}")
        self._next = time.monotonic() + _AGAIN


def _settle(known: Content, right: str) -> None:
    """This password is the right one. The one before is it no more; a later one may still become it."""
    later = known.passwords[known.passwords.index(right) + 1 :] if right in known.passwords else []
    if later and now() - known.since < IN_DOUBT:
        return
    known.stale.passwords += [one for one in known.passwords if one != right]
    known.passwords, known.changing = [right], ""


def parse_arguments() -> argparse.Namespace:
    parser = make_parser()
    parser.prog = "python -m tests.chaos.owner"
    parser.add_argument("--program", required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--wallets", type=Path, required=True)
    parser.add_argument("--pace", type=float, default=4.0)
    parser.add_argument("--main", action="store_true", help="it registers the name, and changes the password")
    parser.add_argument("--late", action="store_true", help="not at once")
    parser.add_argument("--code-file", type=Path)
    parser.add_argument("--others", nargs="*", default=[])
    parser.add_argument("--helper", type=Path, help="a file that is there when its account is registered")
    return parser.parse_args()


def live(options: argparse.Namespace, orders: Orders) -> int:
    """One life after the other, until the run is over."""
    stem = str(options.record).removesuffix(f"-{options.life}.jsonl")
    while True:
        owner = Owner(options, orders)
        code = owner.run()
        if orders.leave.is_set() or (orders.quiet.is_set() and not owner.expelled):
            return code
        orders.quiet.wait(owner.time_away())
        options.life += 1
        options.record = Path(f"{stem}-{options.life}.jsonl")


def main() -> int:
    orders = Orders()
    Thread(target=orders.read, name="orders", daemon=True).start()
    return live(parse_arguments(), orders)


if __name__ == "__main__":
    sys.exit(main())
