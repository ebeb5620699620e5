"""What a line said at which time: the judge's own account of edits, deletions and their authors.

The texts are those that the rovers have recorded before they sent them; history tells only which of them were
applied, and in which order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.records import Entry
from tests.chaos.whereabouts import Whereabouts
from tests.chaos.wrongs import Violation, Wrong, found


@dataclass
class Message:
    """A line and all that has changed it, in order; texts: of each version, "" after it was deleted."""

    line: Entry
    changes: list[Entry] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


class Versions:
    """The versions of each line.

    said:  the text of each thing that was said, by its id, as its author has recorded it
    known: when each event was first seen by anybody, by seq, ms since 1970
    """

    def __init__(self, where: Whereabouts, said: Mapping[int, str], known: Mapping[int, int]) -> None:
        self.wrong: list[Violation] = []
        self._known = known
        self._messages: dict[int, Message] = {}
        self._said = said
        intruded = list[str]()
        for line in where.history:
            if line.kind == "said":
                self._messages[line.seq] = Message(line, texts=[said.get(line.id, line.text)])
            elif line.kind in ("edited", "deleted", "reacted"):
                message = self._messages.get(line.message)
                if message is None or message.line.place != line.place:
                    intruded.append(f"{line} — of a line that is not there: {line.message}")
                    continue
                if message.changes and message.changes[-1].kind == "deleted":
                    intruded.append(f"{line} — after it was deleted")
                own = line.person == message.line.person
                by_owner = line.kind == "deleted" and where.founders.get(line.place) == line.person
                if line.kind != "reacted" and not (own or by_owner):
                    intruded.append(f"{line} — of somebody else's: {message.line}")
                if line.kind != "reacted":
                    message.changes.append(line)
                    message.texts.append(said.get(line.id, line.text) if line.kind == "edited" else "")
        self.wrong += found(Wrong.INTRUDED, "history", intruded)
        stale = [
            f"{line} — {wrong}"
            for line in where.history
            if (wrong := self.stale(line, line, len(where.history), None))
        ]
        self.wrong += found(Wrong.STALE, "history", stale)

    def stale(self, stored: Entry, shown: Entry, asked: int, at: int | None) -> str:
        """What is wrong with the text of an event that was shown; "": nothing.

        asked: when its receiver asked for it, ms since 1970: what was known then must be in the text
        at:    when it was shown, ms since 1970. None: now, by history
        """
        if stored.kind == "edited":
            return self._of_edit(stored, shown, asked, at)
        message = self._messages.get(stored.seq) if stored.kind == "said" else None
        if message is None:
            return "" if shown.text == stored.text else f"history has {stored.text}"
        fitting = [
            number
            for number, (text, mark) in enumerate(zip(message.texts, (None, *message.changes), strict=True))
            if shown.text == text and _marks(shown, mark)
        ]
        if not fitting:
            return f"never what it said: {message.texts}"
        least = sum(self._is_past(change, asked, at) for change in message.changes)
        if max(fitting) < least:
            return f"version {max(fitting)}, and {message.changes[least - 1]} was known"
        if at is not None and min(fitting) and message.changes[min(fitting) - 1].time > at:
            return "a version that is still to come"
        return ""

    def _is_past(self, change: Entry, asked: int, at: int | None) -> bool:
        return at is None or self._known.get(change.seq, asked) < asked

    def _of_edit(self, stored: Entry, shown: Entry, asked: int, at: int | None) -> str:
        """An EDITED has its text until the line is edited or deleted again."""
        message = self._messages.get(stored.message)
        text = self._said.get(stored.id, stored.text)
        later = [change for change in message.changes if change.seq > stored.seq] if message else []
        if any(self._is_past(change, asked, at) for change in later):
            return f"its text is still there, and {later[0]} was known" if shown.text else ""
        if shown.text == text or (not shown.text and later):
            return ""
        return f"its text was {text}"


def _marks(shown: Entry, change: Entry | None) -> bool:
    """Whether the line tells by which change it has its text."""
    edited = change.seq if change is not None and change.kind == "edited" else 0
    deleted = change.seq if change is not None and change.kind == "deleted" else 0
    return shown.deleted == deleted and (shown.edited == edited or bool(deleted))


def first_seen(shown: Sequence[tuple[int, int]]) -> dict[int, int]:
    """When each seq was first shown, of pairs of seq and time."""
    known: dict[int, int] = {}
    for seq, at in shown:
        known[seq] = min(known.get(seq, at), at)
    return known
