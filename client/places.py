"""The places of a user at a terminal: which one is on the screen, and what is shown of the others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from chatroom.errors import ChatroomError
from chatroom.events import BAN_LIST, Event, EventKind, Extra, Setting, extra_number
from chatroom.names import name_key
from chatroom.packets import Answer, Channel, Role
from chatroom.table import table
from client.calls import Calls
from client.kept import KEPT, Kept, tells_news
from client.limits import KEPT_PLACES
from client.presence import SHARED, Presence
from client.read_markers import ReadMarkers
from client.rooms import Room, role_word
from client.silence import Silence
from client.talker import Talker
from views import Status, Surface, Waiting
from views.draft import Draft

NEW: Final = "new since you were here"
"""Stands above the first line that the user has not looked at, on any computer."""

GONE: Final = "the {0} of this talk has left; what you say here goes to whoever is called {0} now"
"""Stands in the place of a person whose name has passed to another one."""

_AMENDING: Final = (EventKind.EDITED, EventKind.DELETED, EventKind.REACTED)
_COMING: Final = (EventKind.JOINED, EventKind.LEFT, EventKind.QUIT, EventKind.HAND)
"""What is shown of one's own place only."""

_ABOUT_ONE: Final = (EventKind.KICKED, EventKind.CALLED, EventKind.LISTED)
"""What its target must know at once, wherever it happens."""

_BY_PERSONS: Final = (
    *(EventKind.SAID, EventKind.INVITED, EventKind.AWAY, EventKind.HAND),
    *_AMENDING,
)
"""What is not shown of a person whom the user ignores."""


class Places:
    """One place is on the screen. Lines of the others are kept, and counted until the user looks.

    echoed: what is typed here stays on the screen, so it is not shown again
    past: called with name and number of a place when none of its lines are known: they are to be asked for
    """

    def __init__(
        self, client: Talker, view: Surface, past: Callable[[str, int], None], echoed: bool = False
    ) -> None:
        self._client = client
        self._view = view
        self._past = past
        self._echoed = echoed
        self.name = client.channel  # of the place on the screen
        self.place = 0  # its number; 0: not known yet, or a conversation that has not begun
        self.person = 0  # with whom such a conversation would be
        self.merged = False  # lines of other places are shown, too
        self.ignored: frozenset[int] = frozenset()
        self.markers = ReadMarkers(self._tell_read)
        self.presence = Presence()
        self.silence = Silence()
        self.calls: Calls | None = None  # which unread lines call the user, if somebody counts them
        self._kept: OrderedDict[int, Kept] = OrderedDict()  # by place, the latest used last
        self.oldest = 0  # seq of the earliest line that was shown of this place since it is on the screen
        self._seen = 0  # seq of the latest line on the screen
        self._drafts: dict[int | str, Draft] = {}  # half-typed lines of the other places, by `_key`
        self.turns = 0  # how often another place came on the screen
        self._way_back = self._banned = 0  # the place out of which the user was kicked; that of a ban
        self._told_gone = 0  # the place on the screen of which it was told that its person is gone
        self._ruled = False  # NEW stands on the screen already, or must not come any more

    # --- the place on the screen -----------------------------------------------------------------------

    @property
    def here(self) -> Kept:
        """The lines of the place on the screen."""
        return self.kept(self.place)

    @property
    def receiver(self) -> int:
        """With whom the conversation on the screen is; 0: it is a channel. Names may pass to others."""
        room = self._client.room(self.place) if self.place else None
        return room.other if room is not None else self.person

    @property
    def receiver_name(self) -> str:
        """How this person is called; empty: the place is a channel."""
        return self.name.removeprefix("@") if self.name.startswith("@") else ""

    def kept(self, place: int) -> Kept:
        """The lines of a place."""
        kept = self._kept.setdefault(place, Kept())
        self._kept.move_to_end(place)
        while len(self._kept) > KEPT_PLACES:
            self._kept.popitem(last=False)
        return kept

    def known(self, place: int, seq: int) -> Event | None:
        """The line of a place with this seq as it is now, if it is kept and the user may read it."""
        kept = self._kept.get(place)
        line = kept.find(seq) if kept is not None else None
        return line if line is None or line.person not in self.ignored else None

    def show(self, name: str, now: float, place: int = 0, person: int = 0, typed_since: int = -1) -> None:
        """Put another place on the screen: its name, topic, and what was said there lately.

        place:  0: a conversation with `person` that has not begun
        typed_since: what is half-typed was begun after so many turns, for the new place; -1: for the old one
        """
        self.look(now)
        self.markers.leave(self.place)
        before = self._key()
        room = self._client.room(place) if place else None
        self.name, self.place, self.person = (room.name if room else name), place, person
        self._client.channel = self.name
        self._seen, self.oldest, self._ruled = 0, 0, True
        self._exchange(before, is_meant=typed_since == self.turns)
        self.turns += 1
        self._told_gone = place if room is not None and room.gone else 0  # the header tells it
        if not self.merged:
            self._view.turn_over(now)
        self._view.system(self._header(room))
        if not place:
            return
        lines = [line for line in self.here if line.person not in self.ignored]
        if not lines:
            self._seen = room.read if room is not None else 0  # of an empty place the marker must come, too
            self._past(self.name, place)
        else:
            self._print(lines, room, 0 if self.merged else self._view.lines)

    def _key(self) -> int | str:
        """Under which the half-typed line of the place on the screen is kept."""
        return self.place or -self.person or self.name

    def _exchange(self, before: int | str, is_meant: bool) -> None:
        """Put away what is half-typed, and take up what was half-typed in the place that has come.

        is_meant: what is half-typed is meant for that place already
        """
        key = self._key()
        other = -self.receiver or self.name  # it was not begun yet, or the user was not in it
        draft = self._drafts.pop(key, Draft()) or self._drafts.pop(other, Draft())
        if key == before and not draft:
            return
        typed = self._view.exchange(draft)
        if is_meant and typed:
            draft = self._view.exchange(typed)
            self._drafts.update({key: draft} if draft else {})
        elif typed:
            self._drafts[before] = typed

    def show_past(self, place: int, events: tuple[Event, ...]) -> None:
        """What was asked for has come: lines of this place, older than those that are known."""
        room = self._client.room(place)
        if room is None:
            return
        before = {line.seq for line in self.kept(room.place)}
        self.kept(room.place).merge(events)
        if room.place == self.place:
            older = [event for event in events if event.seq not in before]
            self._print([line for line in older if line.person not in self.ignored], room, len(older))

    def look(self, now: float) -> None:
        """The user is at the keyboard, and sees what is on the screen."""
        if self.place and self._seen:
            self._client.mark_read(self.place, self._seen)
            self.markers.looked(self.place, self._seen, now)

    def talked_alone_with(self, since: int) -> str:
        """To whom alone the user has said a line elsewhere that is later than the line `since`; empty: to
        nobody. Who corrects the last line means that one."""
        said = [
            (line.seq, room.name.removeprefix("@"))
            for room in self._client.rooms
            if room.direct
            and room.place != self.place
            and room.place in self._kept
            and (line := self._kept[room.place].last(own=True, person=self._client.person)) is not None
        ]
        latest, name = max(said, default=(0, ""))
        return name if latest > since else ""

    def show_other(self, now: float, typed_since: int = -1) -> None:
        """The user leaves the place on the screen: put the first other one there.

        typed_since: as in `show`
        """
        others = [room for room in self._client.rooms if room.place != self.place]
        if others:
            self.show(others[0].name, now, others[0].place, typed_since=typed_since)

    def follow(self) -> None:
        """Take the place on the screen as the server knows it now: called when the client is up to date."""
        room = self._client.room(self.place) if self.place else self._client.room(self.name)
        if room is not None:
            if not self.place and room.direct and self.person and room.other != self.person:
                return  # another person of the same name
            self.name, self.place = room.name, room.place
            self._client.channel = room.name
            self._tell_gone(room)
        elif self.place:  # nothing else comes on the screen: a half-typed line is meant for this place
            may_return, self.place = self._way_back == self.place, 0
            how = f"/join {self.name} brings you back" if may_return else "/go or /join leads elsewhere"
            self._view.system(f"you are no longer in {self.name}; {how}")

    def _tell_gone(self, room: Room) -> None:
        """Say once in the place of somebody who is gone that another one has the name."""
        if room.gone and self._told_gone != room.place:
            name = room.name.removeprefix("@")
            self._view.system(GONE.format(name))
        self._told_gone = room.place if room.gone else 0

    # --- what comes -------------------------------------------------------------------------------------

    def begins(self, channel: Channel) -> None:
        """A place of the user's has come; it may be the one on the screen."""
        self.presence.enter(channel)
        if self.place:
            return
        if channel.settings & Setting.DIRECT:
            mine = self.person and self.person in (member.person for member in channel.members)
        else:
            mine = name_key(channel.name) == name_key(self.name)
        if mine:
            self.place, self.name = channel.place, channel.name
            self._client.channel = channel.name

    def line_refused(self, answer: Answer, where: str) -> None:
        """A line was not said in the place of this name."""
        room = self._client.room(where) if where else None
        self.silence.refused(answer, room.place if room is not None else 0)

    def event(self, event: Event, replayed: bool, wanted: bool = False) -> bool:
        """Show an event, or keep it until the user looks; whether it was shown.

        replayed: it was before the client came in for the first time
        wanted:   show it, wherever it happened: it is of a line that was said here
        """
        self.silence.take(event, self._client.person)
        kept = self.kept(event.place) if event.place else Kept()
        self._note_way_back(event)
        about = kept.find(extra_number(event.extra, Extra.REPLY_TO)) if event.extra else None
        if event.kind in KEPT and event.place:
            kept.add(event)
        elif event.kind is EventKind.ERASED:
            for each in self._kept.values():
                each.erase(event)
        elif event.kind in _AMENDING:
            about = kept.find(extra_number(event.extra, Extra.MESSAGE))
            if not tells_news(event, about):
                return False
            kept.amend(event)
        if event.person in self.ignored and event.kind in _BY_PERSONS:  # it is kept: they may be read again
            return False
        if about is not None and about.person in self.ignored:
            about = None
        shown = False
        if self.is_here(event) and event.kind in KEPT:
            self._rule(event, replayed)
            self._note_shown(event.seq)
        elif self._is_own_coming(event, replayed) and event.place == self.place:
            self._seen = max(self._seen, event.seq)  # a place in which nobody has spoken is read, too
        if (wanted and self._echoed and event.kind is EventKind.SAID) or self._is_own_coming(event, replayed):
            self._view.unseen(event)
        elif self.is_here(event):
            self._view.event(event, about)
            shown = True
        elif (self.merged and event.kind not in _COMING) or wanted or self._concerns(event):
            where = self._where(event)
            if where:
                self._view.event(event, about, under=where)
                shown = True
            else:
                self._view.unseen(event)
            if self.merged and event.kind in KEPT:
                self._client.mark_read(event.place, event.seq)
        elif not event.place:
            self._view.unseen(event)
        self.presence.happened(event)
        return shown

    def is_here(self, event: Event) -> bool:
        """Whether an event is of the place on the screen, of somebody who is there, or of the chatroom."""
        if event.place or event.kind not in SHARED:
            return event.place in (0, self.place)
        return event.person in (self._client.person, self.receiver) or self.place in self.presence.of(event)

    def _where(self, event: Event) -> str:
        """The name of the place of an event that is not here; empty: it is of somebody who is not listed."""
        if event.place or event.kind not in SHARED:
            return event.channel
        rooms = (self._client.room(place) for place in sorted(self.presence.of(event)))
        return next((room.name for room in rooms if room is not None), "")

    def forget(self) -> None:
        """The server has another history: its places and persons have other numbers."""
        self._way_back = self._banned = 0
        self._kept.clear()
        self._drafts.clear()
        self.markers.forget()
        self.presence.forget()
        self.silence.forget()
        self.place = self.person = self.oldest = self._seen = 0
        self.ignored = frozenset()

    def caught_up(self) -> None:
        """What was before is complete."""
        self._ruled = True
        self.presence.caught_up({room.place for room in self._client.rooms})

    # --- words ------------------------------------------------------------------------------------------

    def status(self, now: int) -> Status:
        """Where the user is, with how many people, whether it may speak, what waits elsewhere, and the topic.

        now: in milliseconds since 1970
        """
        here = self._client.room(self.place)
        people = f", {here.people:,} here" if here is not None and not here.direct else ""
        topic = here.topic if here is not None else ""
        silent = self.silence.words(here, now)
        to = self.receiver_name
        return Status(self.name, people, silent=silent, waiting=self._waiting(), topic=topic, to=to)

    def _waiting(self) -> tuple[Waiting, ...]:
        """The other places with something unread: first those where the user is called."""
        found = [
            Waiting(room.name, room.unread, self._calls(room))
            for room in self._client.rooms
            if self._waits(room)
        ]
        return tuple(sorted(found, key=lambda waiting: not waiting.calls))

    def waiting_alone(self) -> Room | None:
        """The conversation elsewhere with the latest line that somebody wrote to the user alone, and that
        the user has not looked at."""
        rooms = [room for room in self._client.rooms if room.direct and self._waits(room)]
        return max(rooms, key=lambda room: room.latest, default=None)

    def title(self) -> str:
        """For the title of a window: the place on the screen, and how many unread lines call the user."""
        called = sum(self._calls(room) for room in self._client.rooms)
        return f"({called:,}) {self.name}" if called else self.name

    def roles(self, channel: str) -> dict[str, str]:
        """The roles in a channel of the user's, in words, by the names of those who have one."""
        members = self._client.members(channel)
        return {member.name: role_word(member.role) for member in members if member.role > Role.MEMBER}

    def listing(self, columns: int | None) -> str:
        """All places with their numbers, and how many lines wait in each. columns: as for `table`"""
        rows = []
        for number, room in enumerate(self._client.rooms, 1):
            calls = Waiting(room.name, 0, self._calls(room)).calls_words
            waits = f"{room.unread:,} unread{calls}" if self._waits(room) else ""
            words = "here" if room.place == self.place else waits
            rows.append((str(number), room.name, ", ".join(["gone"] * room.gone + [words] * bool(words))))
        if not rows:
            return "you are in no channel"
        places = "1 place" if len(rows) == 1 else f"{len(rows):,} places"
        return "\n".join([f"you are in {places}", *table(rows, columns)])

    def header(self) -> str:
        """Where the user is: the place on the screen with its topic, and how many are there."""
        room = self._client.room(self.place) if self.place else self._client.room(self.name)
        return self._header(room and room._replace(unread=0))  # what is unread stands above already

    def _calls(self, room: Room) -> int:
        """How many of the unread lines of a place call the user."""
        return self.calls.unread(room) if self.calls is not None else 0

    def next_unread(self) -> Room | None:
        """The next place with something unread, after the one on the screen."""
        rooms = self._client.rooms
        at = next((number for number, room in enumerate(rooms) if room.place == self.place), -1)
        return next((room for room in rooms[at + 1 :] + rooms[: at + 1] if self._waits(room)), None)

    def _waits(self, room: Room) -> bool:
        """Whether something unread is in a place that is not on the screen."""
        is_begun_here = not self.place and room.direct and room.other == self.person
        return room.unread > 0 and room.place != self.place and not is_begun_here

    def _tell_read(self, place: int, seq: int) -> None:
        """Tell the server how far the user has looked, if that can be: nobody misses what is not."""
        with suppress(ChatroomError, TimeoutError, ValueError):
            self._client.mark_read(place, seq, tell=True)

    def _header(self, room: Room | None) -> str:
        if room is None:
            return f"{self.name}: nothing was said here yet"
        parts = [room.topic] if room.topic else []
        parts += [] if room.direct else ["1 person" if room.people == 1 else f"{room.people:,} people"]
        parts += [f"{room.unread:,} unread"] if room.unread else []
        parts += [GONE.format(room.name.removeprefix("@"))] if room.gone else []
        return f"{room.name}: {', '.join(parts)}" if parts else room.name

    def _print(self, lines: list[Event], room: Room | None, least: int) -> None:
        """Show kept lines: those that are unread, with older ones at least `least`, if there are so many."""
        read = room.read if room is not None else 0
        unread = [line for line in lines if line.seq > read] if room is not None and room.unread else []
        shown = lines[max(0, len(lines) - max(least, len(unread))) :]
        for line in shown:
            if unread and line is unread[0] and line is not shown[0]:
                self._view.rule(NEW)
            answered = extra_number(line.extra, Extra.REPLY_TO) if line.extra else 0
            self._view.event(line, self.known(self.place, answered))
            self._note_shown(line.seq)

    def _note_shown(self, seq: int) -> None:
        """A line of the place on the screen is shown."""
        self.oldest = min(self.oldest or seq, seq)
        self._seen = max(self._seen, seq)

    def _rule(self, event: Event, replayed: bool) -> None:
        """At the beginning: NEW above the first line behind the marker of an earlier visit."""
        if self._ruled or not replayed or event.person == self._client.person:
            return
        room = self._client.room(event.place)
        if room is not None and 0 < room.read < event.seq:
            self._ruled = True
            self._view.rule(NEW)

    def _is_own_coming(self, event: Event, replayed: bool) -> bool:
        """Whether it says only that the user has come here, as the row above it does."""
        return event.kind is EventKind.JOINED and event.person == self._client.person and not replayed

    def _note_way_back(self, event: Event) -> None:
        """Whoever was kicked may come back at once; but not if that came of a ban, which is told before."""
        if event.target != self._client.person or not event.target:
            return
        if event.kind is EventKind.LISTED and extra_number(event.extra, Extra.LIST) == BAN_LIST:
            self._banned = 0 if extra_number(event.extra, Extra.REMOVED) else event.place
        elif event.kind is EventKind.KICKED:
            self._way_back = event.place if event.place != self._banned else 0

    def _concerns(self, event: Event) -> bool:
        """Whether the user must be told at once, wherever it happened."""
        me = self._client.person
        if event.kind is EventKind.INVITED:
            return event.person != me
        return event.kind in _ABOUT_ONE and event.target == me
