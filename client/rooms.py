"""What a client knows of the places that its person is in: channels and direct conversations."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final, NamedTuple

from chatroom.events import Event, EventKind, Extra, Setting, extra_number, extra_rows
from chatroom.names import name_key
from chatroom.packets import Channel, Present, Role
from client.limits import COUNTED_LINES, MAX_ROOMS
from client.people import People, is_shared, new_role

_LINES: Final = (
    *(EventKind.SAID, EventKind.INVITED, EventKind.POLL),
    *(EventKind.REVEALED, EventKind.ASKED),
)
"""What counts as unread."""

_NAMING: Final = (EventKind.JOINED, EventKind.RENAMED)
"""These tell who has a name."""

_SETTINGS: Final = frozenset(Setting)
_ROLES: Final = frozenset(Role)

Changes = list[tuple[str, str]]
"""Places that changed: the name that each had, and its new one; empty: the person is not in it any more."""


class Room(NamedTuple):
    """One place, as it is known now.

    place:    its number
    name:     with its `#`; of a direct conversation `@` and the name of the other person
    settings: bits, see `Setting`
    role:     what the client's person may do there, see `Role`
    people:   how many are in it, the client's person included
    unread:   lines of others that nobody has looked at, see `Client.mark_read`
    read:     the seq up to which the person has looked, on any computer; 0: not known
    latest:   the seq of the latest line that this client has been given
    other:    the other person of a direct conversation, the person itself for notes to oneself; 0: a channel
    asked:    whether the client was made for it, or has joined it by a command
    gone:     the name of a direct conversation is not its person's any more, as far as the client knows
    """

    place: int
    name: str
    topic: str
    settings: int
    role: int
    people: int
    unread: int
    read: int
    latest: int
    other: int
    asked: bool
    gone: bool = False

    @property
    def direct(self) -> bool:
        """Whether it is a direct conversation of two persons."""
        return bool(self.settings & Setting.DIRECT)


class _Known:
    """A room that changes. People beside it, because CHANNEL may come again."""

    def __init__(self, channel: Channel, me: int, asked: bool) -> None:
        self.unread = 0
        self.unread_lines: deque[tuple[int, int]] = deque(
            maxlen=COUNTED_LINES
        )  # seq and person, hidden ones too
        self.forgets = False  # there are more of them than are remembered
        self.read = 0
        self.latest = 0
        self.asked = asked
        self.gone = False
        self.is_new = False  # the person has come in just now: nothing that was said before is news
        self.enter(channel, me)

    def enter(self, channel: Channel, me: int) -> None:
        """Take the place as the server describes it."""
        self.place, self.name, self.topic = channel.place, channel.name, channel.topic
        self.settings, self.role = channel.settings, channel.role
        self.people = People(channel)
        others = [member.person for member in channel.members if member.person != me]
        self.other = (others[0] if others else me) if channel.settings & Setting.DIRECT else 0
        self.present = True

    def room(self) -> Room:
        return Room(
            self.place,
            self.name,
            self.topic,
            self.settings,
            self.role,
            self.people.number,
            self.unread,
            self.read,
            self.latest,
            self.other,
            self.asked,
            self.gone,
        )

    def count(self, seq: int, person: int, hidden: frozenset[int]) -> None:
        """One more line. hidden: the persons whose lines do not count"""
        self.forgets = self.forgets or len(self.unread_lines) == COUNTED_LINES
        self.unread += person not in hidden
        self.unread_lines.append((seq, person))

    def count_again(self, hidden: frozenset[int]) -> None:
        """Other persons are hidden. If there are more lines than are remembered, their number stays."""
        if not self.forgets:
            self.unread = sum(person not in hidden for _, person in self.unread_lines)

    def mark(self, seq: int, hidden: frozenset[int]) -> None:
        """The person has looked at everything up to `seq`. hidden: as for `count`"""
        self.read = max(self.read, seq)
        if not self.unread_lines or self.unread_lines[0][0] > seq:
            return
        while self.unread_lines and self.unread_lines[0][0] <= seq:
            self.unread_lines.popleft()
        self.forgets = False  # those that are not remembered are older
        self.count_again(hidden)


class Rooms:
    """All places of a client's person. Any thread may ask; the thread whose turn it is makes changes.

    asked: the channels for which the client was made, as servers write them
    """

    def __init__(self, asked: Iterable[str]) -> None:
        # Guards all fields below.
        self._lock = Lock()
        self._asked = {name_key(name) for name in asked}
        self._known: dict[int, _Known] = {}  # by place, in the order in which they were entered
        self._hidden: frozenset[int] = frozenset()
        self._me = 0
        self._head = 0  # CHANNELs know the events up to this seq
        self._greeting = False  # places come that were there before
        self._everywhere = 0  # the person's role in the whole chatroom, as far as an event has told it

    # --- questions: any thread -----------------------------------------------------------------------

    def all(self) -> list[Room]:
        """Every place, in the order in which the client learned of them."""
        with self._lock:
            return [known.room() for known in self._known.values()]

    def at(self, place: int) -> Room | None:
        """The place of this number."""
        with self._lock:
            known = self._known.get(place)
            return known.room() if known is not None else None

    def named(self, name: str) -> Room | None:
        """The place of this name, however it is written; of several the latest whose person has the name."""
        with self._lock:
            known = self._named(name)
            return known.room() if known is not None else None

    def members(self, name: str) -> list[Present]:
        """Who is in the place of this name; empty when only their number is known."""
        with self._lock:
            known = self._named(name)
            return known.people.listed if known is not None else []

    def person(self, name: str) -> int:
        """The person of this name who is in a channel, as far as a list has it, else 0."""
        key = name_key(name)
        with self._lock:
            for known in [known for known in self._known.values() if not known.other]:
                for member in known.people.listed:
                    if name_key(member.name) == key:
                        return member.person
        return 0

    def unread(self) -> dict[str, int]:
        """How many lines nobody has looked at, by the name of the place; only places that have some."""
        return {room.name: room.unread for room in self.all() if room.unread}

    @property
    def me(self) -> int:
        """The client's person; 0 before the first connection."""
        with self._lock:
            return self._me

    def _named(self, name: str) -> _Known | None:
        """Requires holding _lock."""
        key = name_key(name)
        found = [known for known in reversed(self._known.values()) if name_key(known.name) == key]
        return next((known for known in found if not known.gone), found[0] if found else None)

    # --- what the user does: any thread ----------------------------------------------------------------

    def mark_read(self, place: int, seq: int | None = None) -> int:
        """The user has looked at a place up to `seq` (None: to its latest line); up to which seq that is."""
        with self._lock:
            known = self._known.get(place)
            if known is None:
                return 0
            seq = known.latest if seq is None else seq
            known.mark(seq, self._hidden)
            return seq

    def hide(self, persons: Iterable[int]) -> None:
        """Count no lines of these persons, and those of all others again, also of what has come already."""
        with self._lock:
            self._hidden = frozenset(persons)
            for known in self._known.values():
                known.count_again(self._hidden)

    def learn_name(self, name: str, person: int) -> None:
        """The server has told who has this name now; 0: nobody."""
        with self._lock:
            self._pass({name_key(name): person})

    @property
    def hidden(self) -> frozenset[int]:
        """The persons whose lines the user does not want to see."""
        with self._lock:
            return self._hidden

    # --- what the server says: the thread whose turn it is -----------------------------------------------

    def begin(self, head: int, me: int, anew: bool) -> None:
        """A connection begins. head, me: of WELCOME; anew: to another history, whose places are others."""
        with self._lock:
            if anew:
                self._known.clear()
            if anew or me != self._me:
                self._hidden = frozenset()
                self._everywhere = 0
            self._head, self._me = head, me
            self._greeting = True
            for known in self._known.values():
                known.present = False

    def enter(self, channel: Channel) -> Changes:
        """CHANNEL has come; a place that had another name is a change."""
        with self._lock:
            known = self._known.get(channel.place)
            if known is not None:
                before = known.name
                known.enter(channel, self._me)
                self._learn_names(channel)
                return [(before, known.name)] if before != known.name else []
            asked = name_key(channel.name) in self._asked
            if len(self._known) < MAX_ROOMS:
                known = self._known[channel.place] = _Known(channel, self._me, asked)
                known.is_new = not self._greeting  # else the person may have been there before
            self._learn_names(channel)
            return []

    def joined(self, name: str) -> None:
        """The client has joined a channel by a command: from now on it is as one that it was made for."""
        key = name_key(name)
        with self._lock:
            if len(self._asked) < MAX_ROOMS:
                self._asked.add(key)
            known = self._named(name)
            if known is not None:
                known.asked = True

    def caught_up(self) -> Changes:
        """The greeting is over: the person is in no place that it did not name."""
        with self._lock:
            self._greeting = False
            gone = [known for known in self._known.values() if not known.present]
            for known in gone:
                del self._known[known.place]
            return [(known.name, "") for known in gone]

    def happened(self, events: Iterable[Event], live: bool, is_own: Callable[[int], bool]) -> Changes:
        """Take events that have come, in order.

        live:   whether lines are news; else only those behind a read marker are, and in a conversation
                without a marker those behind the person's own last line: who was never there has read
                nothing. A live own line says nothing: it may have been typed where nobody sees the others
        is_own: whether a person is the client's, or was
        """
        changes: Changes = []
        with self._lock:
            known, hidden = self._known, self._hidden
            for event in events:
                if event.kind in _LINES:
                    room = known.get(event.place)
                    if room is not None:
                        room.latest = max(room.latest, event.seq)
                        news = event.seq > room.read and (live or room.read or room.other)
                        if not is_own(event.person):
                            if news:
                                room.count(event.seq, event.person, hidden)
                        elif room.other and not live and not room.read:
                            room.mark(event.seq, hidden)  # all that is known of what the person has read
                elif event.seq > self._head:
                    if event.kind is EventKind.JOINED and is_own(event.person):
                        self._begin_to_read(event)
                    if event.kind in _NAMING:
                        name = event.text if event.kind is EventKind.RENAMED else event.author
                        self._pass({name_key(name): event.person})
                    changes += self._change(event, is_own)
        return changes

    def signal(self, signal: Event, is_own: Callable[[int], bool]) -> Changes:
        """COUNTED, READ, or in a counted channel the client's own LEFT has come. is_own: as in `happened`"""
        with self._lock:
            known = self._known.get(signal.place)
            if known is None:
                return []
            if signal.kind is EventKind.LEFT and is_own(signal.person):
                del self._known[signal.place]
                return [(known.name, "")]
            if signal.kind is EventKind.COUNTED:
                known.people.counted(signal.text)
            elif signal.kind is EventKind.READ and signal.text.isascii() and signal.text.isdecimal():
                known.mark(int(signal.text[:19]), self._hidden)
            return []

    def as_seen(self, events: list[Event]) -> list[Event]:
        """The events; those of direct conversations under the name that the place has for this client.

        On the wire they name the receiver, so that both persons get the same bytes.
        """
        if not any(event.channel.startswith("@") for event in events):  # nearly always
            return events
        with self._lock:
            return [
                event._replace(channel=known.name)
                if event.channel.startswith("@") and (known := self._known.get(event.place)) is not None
                else event
                for event in events
            ]

    def _learn_names(self, channel: Channel) -> None:
        """CHANNEL tells who has which name. That of a conversation does so when it has just begun: the
        greeting has conversations with persons who are gone, too. Requires holding _lock."""
        if not any(known.other for known in self._known.values()):
            return
        if not channel.settings & Setting.DIRECT:
            self._pass({name_key(member.name): member.person for member in channel.members})
        elif not self._greeting:
            self._pass({name_key(channel.name[1:]): self._known[channel.place].other})

    def _pass(self, names: dict[str, int]) -> None:
        """These persons have these names, by key; so nobody else has them. Requires holding _lock."""
        for known in self._known.values():
            if known.other and (key := name_key(known.name[1:])) in names:
                known.gone = names[key] != known.other

    def _change(self, event: Event, is_own: Callable[[int], bool]) -> Changes:
        """Take an event that is no line. Requires holding _lock."""
        if is_shared(event):
            for each in self._known.values():
                each.people.happened(event)
            if event.kind is EventKind.LISTED and is_own(event.target):
                self._everywhere = new_role(event, self._everywhere)
                for each in self._known.values():
                    each.role = new_role(event, each.role)
            return self._rename(event) if event.kind is EventKind.RENAMED else []
        known = self._known.get(event.place)
        if known is None:
            return []
        known.people.happened(event)
        target = extra_number(event.extra, Extra.TARGET)
        gone = event.kind is EventKind.CLOSED
        gone = gone or (event.kind is EventKind.LEFT and is_own(event.person))
        if gone or (event.kind is EventKind.KICKED and is_own(target)):
            del self._known[event.place]
            return [(known.name, "")]
        if event.kind is EventKind.TOPIC:
            known.topic = event.text
        elif event.kind is EventKind.SET:
            known.settings = _settings(known.settings, event.extra)
        elif event.kind is EventKind.LISTED and is_own(target):
            known.role = max(new_role(event, known.role), self._everywhere)
        elif event.kind is EventKind.MOVED:
            before, known.name = known.name, event.text
            return [(before, known.name)]
        return []

    def _begin_to_read(self, joined: Event) -> None:
        """The person has come into a place: who comes again to one that was empty finds out what was said
        meanwhile. Requires holding _lock."""
        known = self._known.get(joined.place)
        if known is not None and known.is_new:
            known.is_new = False
            known.mark(joined.seq, self._hidden)

    def _rename(self, event: Event) -> Changes:
        """The direct conversation with a renamed person is called otherwise. Requires holding _lock."""
        changes: Changes = []
        for known in self._known.values():
            if known.other == event.person and known.name != f"@{event.text}":
                changes.append((known.name, f"@{event.text}"))
                known.name = f"@{event.text}"
        return changes


def _settings(settings: int, extra: bytes) -> int:
    """The bits after a SET."""
    for key, value in extra_rows(extra).items():
        if key in _SETTINGS:
            settings = settings | key if any(value) else settings & ~key
    return settings


def role_word(role: int) -> str:
    """A role in words; of one that is not known, its number."""
    return Role(role).name.lower() if role in _ROLES else str(role)
