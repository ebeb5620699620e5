"""Refusals in words for the person at this computer: in local time, and where the server has no words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from chatroom.limits import MAX_TIME
from chatroom.moments import LocalTime, local_time, until_in_words
from chatroom.outcomes import Code
from chatroom.packets import Answer
from client.limits import LATEST_AGAIN
from client.requests import rows_of

_WORDS: Final[dict[int, str]] = {
    Code.NOT_IN: "you are not in this channel",
    Code.NO_SUCH_CHANNEL: "there is no such channel",
    Code.NO_SUCH_NAME: "nobody is known under this name",
    Code.NO_SUCH_COMMAND: "there is no such command",
    Code.NO_SUCH_MESSAGE: "there is no such message",
    Code.BAD_ARGUMENTS: "the server does not understand this",
    Code.NEED_ROLE: "you may not do this here",
    Code.NEED_LOGIN: "this is for accounts only",
    Code.NEED_ENCRYPTION: "this needs an encrypted connection",
    Code.BAD_PASSWORD: "wrong password",
    Code.BANNED: "you are banned",
    Code.MUTED: "you are muted",
    Code.INVITE_ONLY: "only those who are invited may come in",
    Code.BAD_KEY: "the key or the password of the server is wrong",
    Code.FULL: "there is no room",
    Code.SLOW_DOWN: "too fast: try again soon",
    Code.TOO_LONG: "this is too long",
    Code.TOO_MANY: "there are too many",
    Code.TOO_LATE: "it is too late for this",
    Code.BAD_NAME: "this cannot be a name",
    Code.NAME_TAKEN: "somebody else has this name",
    Code.NAME_HELD: "the owner of this name may come back",
    Code.UNAVAILABLE: "the server cannot do this now",
    Code.KICKED: "an operator has ended the connection",
}

SAYS: Final = "the server says"
"""Stands before its words while its certificate is still to be compared."""

_AGAIN: Final = "again in "
_EVERYWHERE: Final = ("", "*")
_MINUTE: Final = "%Y-%m-%d %H:%M"
_YEARS: Final = 10**11
"""Numbers from here on are moments, in milliseconds since 1970; smaller ones are durations."""


def words_of(code: int) -> str:
    """Words for a refusal that has none; for a code that is not known, its number."""
    return _WORDS.get(code, f"refused (code {code})")


def why_removed(code: int, reason: str) -> str:
    """Why the server has ended the connection, on one line. reason: as it has said it, may be empty"""
    if code == Code.KICKED and reason and not reason.startswith(("you ", "an operator ")):
        return f"you were removed from the chatroom: {reason}"
    if code in (Code.KICKED, Code.BANNED, Code.NEED_LOGIN, Code.INVITE_ONLY):
        return reason or words_of(code)
    return reason or "the server said goodbye"


def localized(words: str, rows: tuple[object, ...], time_of: LocalTime) -> str:
    """The words, with each moment that is a number in the rows as the reader's clock has it.

    The server writes it in UTC, because it knows no other clock. Other moments in the words are not changed.
    """
    flat = [each for row in rows for each in (row if isinstance(row, list) else (row,))]
    for moment in flat:
        if isinstance(moment, int) and _YEARS <= moment <= MAX_TIME:
            at, here = datetime.fromtimestamp(moment // 1000, UTC), time_of(moment)
            for form in (_MINUTE, f"{_MINUTE}:%S"):
                words = words.replace(f"{at.strftime(form)} UTC", here.strftime(form))
    return words


def refusal_words(answer: Answer, now: int, time_of: LocalTime = local_time) -> str:
    """The words of an answer; of a refusal that ends some time, with that time as the reader's clock has it.

    now: in milliseconds since 1970
    """
    rows = rows_of(answer.rows)
    if answer.code == Code.MUTED:
        return _muted(answer.words, rows, now, time_of)
    if answer.code == Code.SLOW_DOWN and _AGAIN not in answer.words and rows and isinstance(rows[-1], int):
        left = rows[-1] - now if rows[-1] >= _YEARS else rows[-1]
        seconds = -(-left // 1000)
        if 0 < seconds <= LATEST_AGAIN:  # else the clocks differ
            return f"{answer.words or 'too fast'}; {_AGAIN}{seconds} s"
    return localized(answer.words, rows, time_of)


def _muted(words: str, rows: tuple[object, ...], now: int, time_of: LocalTime) -> str:
    match rows:
        case (str(place), int(until), str(reason)):
            where = " in the whole chatroom" if place in _EVERYWHERE else f" in {place}"
            end = f" {until_in_words(now, until, time_of)}" if until > now else ""
            begin = "not said: " if words.startswith("not said") else ""
            return f"{begin}you are muted{where}{end}" + (f": {reason}" if reason else "")
    return words


def as_said_by_the_server(words: str) -> str:
    """Words of the server that must not look like a row of this program.

    It is so from the moment in which a certificate is trusted for the first time until the program ends. A
    server in between could else repeat the row that tells the fingerprint, with that of the right server.
    """
    return f"{SAYS}: {words}" if words else words
