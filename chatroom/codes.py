"""One-time codes: by them an account gets another password, or becomes owner. A part of the state."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chatroom.accounts import is_same
from chatroom.ledger import Ledger
from chatroom.records import Record

ANY_ACCOUNT = ""
"""A code for this name makes any account owner."""


@dataclass(slots=True)
class OneTime:
    """A one-time code.

    secret: what is stored of it, never the code itself
    name:   key of the account whose password it may set, or ANY_ACCOUNT
    made, until: when it was made, and when it expires, in milliseconds since 1970
    by:     the person who made it, 0: whoever runs the server
    """

    secret: str
    name: str
    made: int
    until: int
    by: int

    def record(self) -> Record:
        value = {"for": self.name, "made": self.made, "until": self.until, "by": self.by}
        return Record("code", self.secret, json.dumps(value, separators=(",", ":")))


class Codes:
    """The one-time codes: one for each name at most."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_name: dict[str, OneTime] = {}
        self._names: dict[str, str] = {}  # by secret

    def make(self, secret: str, name: str, until: int, by: int) -> None:
        """Let a code count from now on, in the place of the earlier one for this name."""
        for earlier in (name, self._names.get(secret, name)):  # 80 random bits came twice: one counts
            self.drop(earlier)
        code = OneTime(secret, name, self._ledger.time, until, by)
        self._take(code)
        self._ledger.change("code", secret, code.record)

    def _take(self, code: OneTime) -> None:
        self._by_name[code.name], self._names[code.secret] = code, code.name

    def drop(self, name: str) -> None:
        """No code for this name counts any more."""
        code = self._by_name.pop(name, None)
        if code is not None:
            del self._names[code.secret]
            self._ledger.change("code", code.secret, None)

    def is_right(self, secret: str, name: str) -> bool:
        """Whether it is the code for this name, and has not expired.

        A code of a time that has not come yet was made by a clock that was ahead: nobody knows how old it is.
        """
        code = self._by_name.get(name)
        if code is None or not code.made <= self._ledger.time < code.until:
            return False
        return is_same(code.secret, secret)

    def makes_owner(self, name: str) -> bool:
        """Whether whoever runs the server made the code for this name: it makes an owner, too."""
        code = self._by_name.get(name)
        return code is not None and not code.by

    @property
    def waits_for_owner(self) -> bool:
        """Whether whoever runs the server has made a code that still counts, and was not used."""
        now = self._ledger.time
        return any(not code.by and code.made <= now < code.until for code in self._by_name.values())

    def records(self) -> list[Record]:
        """All codes."""
        return [code.record() for code in self._by_name.values()]

    def restore(self, record: Record) -> None:
        """Take a code that was stored."""
        value = json.loads(record.value or "{}")
        self._take(OneTime(record.key, value["for"], value["made"], value["until"], value["by"]))
