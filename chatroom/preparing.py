"""Commands that change the state, up to their act: the arguments are read, passwords hashed, tokens made.

All of this runs in the handler's thread, because it may take long and needs random numbers. The act then has
hashes only. A password, token or code in clear goes no further than here: only into the answer of the one who
asked for it.
"""

from __future__ import annotations

from urllib.parse import unquote

from chatroom.desk import Asker, Desk, Prepared
from chatroom.errors import NameRefused
from chatroom.limits import (
    CODE_BYTES,
    CODE_SECONDS,
    DEVICE_TOKEN_BYTES,
    MAX_LABEL,
    PASSWORD_BYTES,
    PASSWORD_LEAST,
)
from chatroom.names import check_name, name_key
from chatroom.outcomes import Code, Outcome
from chatroom.passwords import code_secret, device_secret, is_allowed, write_code
from chatroom.printable import printable_line
from chatroom.proposals import Act
from chatroom.state import State

BAD_ARGUMENTS = Outcome(Code.BAD_ARGUMENTS)
BAD_NEW_PASSWORD = Outcome(Code.BAD_ARGUMENTS, ("password", PASSWORD_LEAST, PASSWORD_BYTES))
"""A new password is too short or too long, or has control characters; the bounds are in bytes."""


# --- passwords --------------------------------------------------------------------------------------------


def register(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/register PASSWORD: the name that the member has becomes an account."""
    words = _secrets(rest, 1)
    if words is None:
        return BAD_ARGUMENTS
    owned = _account(desk, asker)
    if owned is not None:
        return Outcome(Code.ALREADY, (owned[0],))
    secret = _new_secret(desk, words[0], False)
    return secret if isinstance(secret, Outcome) else _act("/register", asker, secret)


def change_password(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/passwd OLD NEW: the state ends all other programs of the account, and forgets its devices."""
    words, owned = _secrets(rest, 2), _account(desk, asker)
    if words is None:
        return BAD_ARGUMENTS
    if owned is None:
        return Outcome(Code.NEED_LOGIN, ("/passwd",))
    if not is_allowed(words[1]):
        return BAD_NEW_PASSWORD
    old = desk.check(owned[1], words[0])
    if isinstance(old, Outcome):
        return old
    new = _new_secret(desk, words[1], old.known)
    return new if isinstance(new, Outcome) else _act("/passwd", asker, old.secret, new)


def unregister(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/unregister PASSWORD: the name is free again."""
    words, owned = _secrets(rest, 1), _account(desk, asker)
    if words is None:
        return BAD_ARGUMENTS
    if owned is None:
        return Outcome(Code.NEED_LOGIN, ("/unregister",))
    old = desk.check(owned[1], words[0])
    return old if isinstance(old, Outcome) else _act("/unregister", asker, old.secret)


# --- codes ------------------------------------------------------------------------------------------------


def recover(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/recover NAME CODE NEWPASSWORD: who has the code sets the password of the account.

    The code is judged by the state, together with the change. Whether there is such an account makes no
    difference before.
    """
    words = rest.split(" ")
    secrets = _secrets(" ".join(words[2:]), 1)
    if len(words) != 3 or secrets is None:
        return BAD_ARGUMENTS
    name = _name(words[0])
    if isinstance(name, Outcome):
        return name
    new = _new_secret(desk, secrets[0], False)
    if isinstance(new, Outcome):
        return new
    return _act("/recover", asker, name_key(name), code_secret(unquote(words[1])), new)


def become_owner(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/owner CODE: with the code of the first start the account becomes the owner."""
    return _act("/owner", asker, code_secret(unquote(rest))) if rest else BAD_ARGUMENTS


def make_code(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/code NAME: a one-time code for /recover. The answer's row: "code", the name, the code, valid until."""
    name = _name(rest)
    if isinstance(name, Outcome):
        return name
    code, until = write_code(desk.random(CODE_BYTES)), desk.now() + int(CODE_SECONDS * 1000)
    act = Act("/code", asker.channel, (name_key(name), code_secret(code), until))
    return Prepared(act, ("code", name, code, until))


# --- programs ---------------------------------------------------------------------------------------------


def remember_device(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/device LABEL: this program logs in with a token from now on.

    The answer's row: "token", the account, the token.
    """
    label, owned = printable_line(rest), _account(desk, asker)
    if not label or len(label.encode()) > MAX_LABEL:
        return BAD_ARGUMENTS
    if owned is None:
        return Outcome(Code.NEED_LOGIN, ("/device",))
    token = desk.random(DEVICE_TOKEN_BYTES)
    act = Act("/device", asker.channel, (device_secret(token), label))
    return Prepared(act, ("token", owned[0], token.hex()))


def end_session(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/sessions end N: N as /sessions lists it."""
    if not (rest.isascii() and rest.isdecimal() and len(rest) < 10):
        return BAD_ARGUMENTS
    return _act("/sessions end", asker, int(rest))


# --- arguments --------------------------------------------------------------------------------------------


def _act(command: str, asker: Asker, *arguments: str | int) -> Prepared:
    return Prepared(Act(command, asker.channel, arguments))


def _secrets(rest: str, count: int) -> list[str] | None:
    """So many passwords as a COMMAND carries them, without spaces and percent-encoded; None: they are not."""
    words = rest.split(" ")
    if len(words) != count or not all(words):
        return None
    try:
        return [unquote(word, errors="strict") for word in words]
    except UnicodeDecodeError:
        return None


def _new_secret(desk: Desk, password: str, known: bool) -> str | Outcome:
    return desk.hash(password, known) if is_allowed(password) else BAD_NEW_PASSWORD


def _name(text: str) -> str | Outcome:
    """A name as joining writes it."""
    try:
        return check_name(text)
    except NameRefused:
        return Outcome(Code.BAD_NAME) if text else BAD_ARGUMENTS


def _account(desk: Desk, asker: Asker) -> tuple[str, str] | None:
    """Name and key of the asker's account."""

    def look(state: State) -> tuple[str, str] | None:
        account = state.account_of(asker.person)
        return None if account is None else (account.name, account.name_key)

    return desk.read(look)
