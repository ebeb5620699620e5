"""Bans and kicks as they take effect: who is hit by a ban must go. A part of the state.

A ban of a network may hit thousands. So each entry looks at `looked_per_tick` persons, in order of their
numbers, and puts out at most `ends_per_tick`; the next ticks go on from there. Nobody is missed: who comes
meanwhile is judged at the door.
"""

from __future__ import annotations

import json

from chatroom.accounts import Accounts
from chatroom.bounds import Limits
from chatroom.channels import Channels
from chatroom.direct import Direct
from chatroom.events import BAN_LIST, Event, EventKind, Extra, extra_row
from chatroom.ledger import Ledger
from chatroom.outcomes import Code
from chatroom.places import WHOLE_CHATROOM, Channel
from chatroom.records import Record
from chatroom.rights import Listed, Rights
from chatroom.session import Phase, Session
from chatroom.sessions import Sessions


class Moderation:
    """Puts people out of channels, and out of the chatroom."""

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        channels: Channels,
        accounts: Accounts,
        rights: Rights,
        sessions: Sessions,
        direct: Direct,
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._channels = channels
        self._accounts = accounts
        self._rights = rights
        self._sessions = sessions
        self._direct = direct
        self._sweeps: dict[int, int] = {}  # by place, up to which person it was looked at

    # --- one person -----------------------------------------------------------------------------------------

    def kick(self, channel: Channel, person: int, by: int, reason: str, *, is_told: bool = True) -> None:
        """Put somebody who is in out of a channel. Says KICKED.

        by:      a person; of one who is not known any more the event has no author
        is_told: False: in a counted channel only the person's own programs are told, as when somebody leaves
        """
        place, name, author = channel.place, channel.name, self._direct.name_of(by)
        by = by if author else 0
        extra = extra_row(Extra.TARGET, person, 4)
        extra += extra_row(Extra.TARGET_NAME, self._direct.name_of(person))
        signal = None
        if channel.counted and not is_told:
            time, kind = self._ledger.time, EventKind.KICKED
            signal = Event(0, time, kind, name, author, reason, 0, by, place, extra)
        else:
            self._ledger.event(EventKind.KICKED, by, author, place, name, reason, extra=extra)
        self._channels.put_out(person, channel, self._sessions.members.get(person), signal)

    def kill(self, person: int, by: int, reason: str) -> None:
        """End all sessions of a person: the tokens open nothing any more."""
        for session in self._sessions.of_person(person):
            self._expel(session, Code.KICKED, "killed", by, reason)

    def _expel(self, session: Session, code: Code, done: str, by: int, reason: str) -> None:
        """The client is told who did it. The others read no name in QUIT: a text would keep it for ever."""
        author = self._direct.name_of(by)
        to_others = _words(done, "an operator" if author else "", reason)
        self._sessions.expel(session, code, to_others, _words(done, author, reason))

    def enforce(self, place: int, person: int, *, is_told: bool = True) -> bool:
        """Put somebody out of a place who is banned there; whether that was so.

        Out of the whole chatroom only those programs that are banned: perhaps others come from elsewhere.
        """
        if place == WHOLE_CHATROOM:
            return self._end_banned(person)
        channel, banned = self._channels.all.get(place), self._banned(place, person)
        if channel is None or banned is None or not self._channels.is_in(person, place):
            return False
        self.kick(channel, person, banned.by, banned.reason, is_told=is_told)
        return True

    def _end_banned(self, person: int) -> bool:
        ended = False
        for session in self._sessions.of_person(person):
            if session.phase not in (Phase.HERE, Phase.LOST):
                continue  # it is judged when it comes
            banned = self._rights.hits(BAN_LIST, WHOLE_CHATROOM, person, session.name_key, session.network)
            if banned is not None:
                self._expel(session, Code.BANNED, "banned", banned.by, banned.reason)
                ended = True
        return ended

    def _banned(self, place: int, person: int) -> Listed | None:
        """The ban that hits one who is in a channel: by person, name, or where one of its programs is."""
        member, account = self._sessions.members.get(person), self._accounts.of(person)
        networks = sorted({one.network for one in member.sessions.values()}) if member is not None else [""]
        name_key = member.name_key if member is not None else account.name_key if account is not None else ""
        for network in networks:
            banned = self._rights.hits(BAN_LIST, place, person, name_key, network)
            if banned is not None:
                return banned
        return None

    # --- all whom a ban hits --------------------------------------------------------------------------------

    def sweep(self, place: int) -> None:
        """There is a new ban in the place: put out all whom it hits, the first ones now."""
        self._sweeps[place] = 0
        self._ledger.change("sweep", str(place), lambda: self._record(place))
        self._go_on(place)

    def go_on(self) -> None:
        """With a tick: go on in one place."""
        if self._sweeps:
            self._go_on(min(self._sweeps))

    def _go_on(self, place: int) -> None:
        after, left = self._sweeps[place], self._limits.ends_per_tick
        waiting = sorted(person for person in self._persons(place) if person > after)
        for person in waiting[: self._limits.looked_per_tick]:
            if not left:
                break
            left -= self.enforce(place, person, is_told=False)
            self._sweeps[place] = person
        if not waiting or self._sweeps[place] == waiting[-1]:
            del self._sweeps[place]
            self._ledger.change("sweep", str(place), None)
        else:
            self._ledger.change("sweep", str(place), lambda: self._record(place))

    def _persons(self, place: int) -> list[int]:
        """Who is in a place. Of the chatroom those who are out are judged when they come."""
        if place == WHOLE_CHATROOM:
            return [*self._sessions.members]
        channel = self._channels.all.get(place)
        return [*channel.members, *channel.absent] if channel is not None else []

    # --- records --------------------------------------------------------------------------------------------

    def _record(self, place: int) -> Record:
        return Record("sweep", str(place), json.dumps({"after": self._sweeps[place]}, separators=(",", ":")))

    def records(self) -> list[Record]:
        """The places where somebody is still to be put out."""
        return [self._record(place) for place in self._sweeps]

    def restore(self, record: Record) -> None:
        """Take what was stored."""
        self._sweeps[int(record.key)] = json.loads(record.value or "{}")["after"]


def _words(done: str, author: str, reason: str) -> str:
    words = f"{done} by {author}" if author else done
    return f"{words}: {reason}" if reason else words
