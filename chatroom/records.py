"""Records: the durable state of the chatroom, in one form for everything that must outlive the server."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """One piece of state: the value under a kind and a key, as it is from now on.

    kind:  what the record is about: "session", "member", "channel", …
    key:   which one of that kind; empty where there is only one
    value: JSON text; None: the record is gone
    """

    kind: str
    key: str
    value: str | None


class Talker(NamedTuple):
    """Who has said something: person, and the highest message id."""

    person: int
    id: int
