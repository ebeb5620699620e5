"""Records: what must outlive the server, in one form for everything."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """One durable fact, stored in the transaction of the events that changed it.

    kind, key: its identity
    value:     JSON text; None: the record is gone
    """

    kind: str
    key: str
    value: str | None
