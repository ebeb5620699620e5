"""Blanking: what is left of the events of a person whose account the owner has erased.

The events stay, with their seqs, times and places, so nothing that counts on them changes. What the person
said in them goes, and the name. What others said stays: only the name goes where an event has it in a field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from chatroom.events import ERASED_NAME, EXTRA_ACCOUNT, Event, EventKind, Extra, extra_row, extra_rows

Erased = Mapping[int, int]
"""Persons, and for each the seq up to which what it said is blanked."""

NOTHING_ERASED: Final[Erased] = MappingProxyType({})

_KEPT_TEXTS: Final = frozenset({EventKind.KICKED, EventKind.LISTED, EventKind.INVITED, EventKind.MOVED})
"""Their texts are the names of channels, or what somebody with a role did to others, who may ask why."""

_NAMES: Final = frozenset({EventKind.RENAMED, EventKind.ACCOUNT})
"""Their texts are names of the author."""

_OTHER_ROWS: Final = frozenset({EventKind.SET, EventKind.JOINED})
"""Their extras have keys of their own."""

_OF_A_MESSAGE: Final = (Extra.FORM, Extra.REPLY_TO, Extra.RECEIVER)
"""What a line keeps of its extra, as when it is deleted."""


def blank(event: Event, erased: Erased) -> Event:
    """The event as it is left. A line counts as deleted with the event that erased its author."""
    if _reaches(event, event.person, erased):
        event = _of_author(event, erased[event.person])
    if not event.extra or event.kind in _OTHER_ROWS:
        return event
    rows = extra_rows(event.extra)
    if _reaches(event, _person(rows, Extra.TARGET), erased):
        event = _of_target(event, rows)
    if _reaches(event, _person(rows, Extra.RECEIVER), erased):
        event = event._replace(channel=f"@{ERASED_NAME}")  # it was the name of the other one
    return event


def _reaches(event: Event, person: int, erased: Erased) -> bool:
    return person in erased and event.seq <= erased[person]


def is_about(kind: int, extra: bytes, erased: Erased) -> bool:
    """Whether the extra of an event names one of the persons."""
    if kind in _OTHER_ROWS:
        return False
    rows = extra_rows(extra)
    return any(_person(rows, key) in erased for key in (Extra.TARGET, Extra.RECEIVER))


def _person(rows: Mapping[int, bytes], key: int) -> int:
    return int.from_bytes(rows.get(key, b"")[:4], "big")


def _of_author(event: Event, until: int) -> Event:
    kind, text, extra, rows = event.kind, event.text, event.extra, extra_rows(event.extra)
    if kind in _NAMES:
        text = ERASED_NAME if text else ""
    elif kind is EventKind.AUDITED:
        text = text.partition(" ")[0]  # which act it was; a question, or what was announced, may follow
    elif kind not in _KEPT_TEXTS:
        text = ""
    if kind is EventKind.SAID:
        kept = [extra_row(key, rows[key]) for key in _OF_A_MESSAGE if key in rows]
        extra = b"".join(kept) + extra_row(Extra.DELETED, rows.get(Extra.DELETED, until))
    elif kind is EventKind.JOINED:
        extra = _with(rows, {EXTRA_ACCOUNT: ERASED_NAME.encode()})
    elif kind is EventKind.AUDITED:
        rows.pop(Extra.FROM, None)
        extra = _with(rows, {})
    return event._replace(author=ERASED_NAME, text=text, extra=extra)


def _of_target(event: Event, rows: dict[int, bytes]) -> Event:
    """An event about the person: the name is in its extra, and in an AUDITED perhaps in the text."""
    name, typed, text = rows.get(Extra.TARGET_NAME), rows.get(Extra.WHOM), event.text
    if event.kind is EventKind.AUDITED:
        for one in (typed, name):
            text = _without(one.decode(errors="replace"), text) if one else text
    value = ERASED_NAME.encode()
    return event._replace(
        text=text, extra=_with(extra_rows(event.extra), {Extra.TARGET_NAME: value, Extra.WHOM: value})
    )


def _without(name: str, text: str) -> str:
    """The text without a name, where that stands alone."""
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", ERASED_NAME, text)


def _with(rows: Mapping[int, bytes], values: Mapping[int, bytes]) -> bytes:
    """The extra with other values in those of its rows that have these keys."""
    return b"".join(extra_row(key, values.get(key, value)) for key, value in rows.items())
