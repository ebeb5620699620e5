"""The limits that the state decides by, and those of them that whoever runs the server can set."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from chatroom.ledger import Ledger
from chatroom.limits import (
    ASK_SECONDS,
    CONVERSATIONS_BEGUN,
    CONVERSATIONS_OF_PERSON,
    COUNTED_FROM,
    DELETE_SECONDS,
    EDIT_SECONDS,
    HAND_SECONDS,
    HANDSHAKE_SECONDS,
    HOLD_SECONDS,
    HOLDS_PER_TICK,
    LOGIN_NETWORKS,
    LONGEST_AMENDING,
    LONGEST_HOLD,
    MAX_ABSENT_OF_PERSON,
    MAX_ACCOUNTS,
    MAX_ALL_LISTED,
    MAX_AMENDED,
    MAX_CHANNELS,
    MAX_CONVERSATIONS,
    MAX_DEVICES,
    MAX_ERASED,
    MAX_GONE,
    MAX_HANDS,
    MAX_HELD,
    MAX_IGNORED,
    MAX_IGNORED_IN_SUM,
    MAX_INTERVALS,
    MAX_LEFT,
    MAX_MARKERS,
    MAX_OPTIONS,
    MAX_OWNED,
    MAX_PACED,
    MAX_PACED_OF_PERSON,
    MAX_PERSON_NUMBERS,
    MAX_PLACE_LISTED,
    MAX_PLACE_NUMBERS,
    MAX_PLACES,
    MAX_REACTION,
    MAX_SESSIONS,
    MAX_SESSIONS_OF_PERSON,
    MAX_VOTES,
    NETWORK_ACCOUNTS,
    NETWORK_CONVERSATIONS,
    NETWORK_HELD,
    NETWORK_IGNORED,
    NETWORK_LISTED,
    NETWORK_PLACES,
    NETWORK_WRITERS,
    NEWCOMER_SECONDS,
    SESSION_SECONDS,
    SWEPT_PER_TICK,
)
from chatroom.proposals import Limit
from chatroom.records import Record


@dataclass(slots=True)
class Limits:
    """The limits that decide. They are given to the state, because another server may have other constants.

    Only `SetLimits` changes them, which has a copy of its own.

    handshake, hold, session: how long a session stays ARRIVING, LOST, ABSENT, in milliseconds
    sessions: ABSENT ones in sum
    held, held_of_network: LOST ones in sum, and of one network
    places, places_of_network: channels that are founded, in sum and from one network
    channels: in which a member is
    owned: channels of which a person is owner, to found one more
    left: channels that a person has left and whose stays are remembered
    listed, listed_of_place, listed_of_network: persons on lists in sum, on those of one place, and on those
        of places that were founded from one network
    ends_per_tick, looked_per_tick: what ends by itself in one entry (sessions, entries of lists, stays), and
        persons who are judged for that
    counted_from: members of a channel up to which it is not counted
    programs, absent_programs: sessions of one person that are not ABSENT, and that are
    accounts, accounts_of_network: in sum, and registered from one network
    devices, login_networks: that an account remembers
    conversations, conversations_of_network: direct ones, in sum and begun from one network
    conversations_begun, conversations_of_person: that a person has begun, and that it is in
    gone: that a person has with others who are not known any more
    writers_of_network: conversations of one person that others have begun from one network
    edit, delete: how long an author may do that to a message, in milliseconds
    amended: messages whose amendments are remembered
    erased: persons that were erased and are remembered
    reaction: bytes of one
    ignored, ignored_in_sum, ignored_of_network: persons that one person ignores, all together, and all of
        one network
    markers: read markers of one person
    place_numbers, person_numbers: that are given in the life of a history
    newcomer: how long somebody counts as new, in milliseconds
    paced, paced_of_person: of which is remembered when somebody spoke there, in sum and of one person
    hands, votes: in one channel
    options: of a poll
    hand, ask: how long a person waits before it raises a hand again, or asks again, in milliseconds
    """

    handshake: int = int(HANDSHAKE_SECONDS * 1000)
    hold: int = int(HOLD_SECONDS * 1000)
    session: int = int(SESSION_SECONDS * 1000)
    sessions: int = MAX_SESSIONS
    held: int = MAX_HELD
    held_of_network: int = NETWORK_HELD
    places: int = MAX_PLACES
    places_of_network: int = NETWORK_PLACES
    channels: int = MAX_CHANNELS
    owned: int = MAX_OWNED
    left: int = MAX_LEFT
    listed: int = MAX_ALL_LISTED
    listed_of_place: int = MAX_PLACE_LISTED
    listed_of_network: int = NETWORK_LISTED
    ends_per_tick: int = HOLDS_PER_TICK
    looked_per_tick: int = SWEPT_PER_TICK
    intervals: int = MAX_INTERVALS
    counted_from: int = COUNTED_FROM
    programs: int = MAX_SESSIONS_OF_PERSON
    absent_programs: int = MAX_ABSENT_OF_PERSON
    accounts: int = MAX_ACCOUNTS
    accounts_of_network: int = NETWORK_ACCOUNTS
    devices: int = MAX_DEVICES
    login_networks: int = LOGIN_NETWORKS
    conversations: int = MAX_CONVERSATIONS
    conversations_of_network: int = NETWORK_CONVERSATIONS
    conversations_begun: int = CONVERSATIONS_BEGUN
    conversations_of_person: int = CONVERSATIONS_OF_PERSON
    gone: int = MAX_GONE
    writers_of_network: int = NETWORK_WRITERS
    edit: int = int(EDIT_SECONDS * 1000)
    delete: int = int(DELETE_SECONDS * 1000)
    amended: int = MAX_AMENDED
    erased: int = MAX_ERASED
    reaction: int = MAX_REACTION
    ignored: int = MAX_IGNORED
    ignored_in_sum: int = MAX_IGNORED_IN_SUM
    ignored_of_network: int = NETWORK_IGNORED
    markers: int = MAX_MARKERS
    place_numbers: int = MAX_PLACE_NUMBERS
    person_numbers: int = MAX_PERSON_NUMBERS
    newcomer: int = int(NEWCOMER_SECONDS * 1000)
    paced: int = MAX_PACED
    paced_of_person: int = MAX_PACED_OF_PERSON
    hands: int = MAX_HANDS
    votes: int = MAX_VOTES
    options: int = MAX_OPTIONS
    hand: int = int(HAND_SECONDS * 1000)
    ask: int = int(ASK_SECONDS * 1000)


SETTABLE: Final[Mapping[str, int]] = {
    "accounts_of_network": MAX_ACCOUNTS,
    "hold": int(LONGEST_HOLD * 1000),
    "edit": int(LONGEST_AMENDING * 1000),
    "delete": int(LONGEST_AMENDING * 1000),
}
"""The limits that whoever runs the server can set, and how much each can be at most."""


class SetLimits:
    """The limits that whoever runs the server has set. A part of the state: an entry changes them.

    limits: of the state; changed here, and nowhere else
    """

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._is_set = False

    @property
    def values(self) -> dict[str, int]:
        """The limits that can be set, as they are now."""
        return {name: getattr(self._limits, name) for name in SETTABLE}

    def set(self, body: Limit) -> None:
        """Let these limits count from now on. What is none of them, or cannot be, changes nothing."""
        before = self.values
        self._take(body.values)
        if self.values != before:
            self._is_set = True
            self._ledger.change("limits", "", self._record)

    def _take(self, values: Iterable[tuple[str, object]]) -> None:
        for name, value in values:
            if name in SETTABLE and type(value) is int and 0 <= value <= SETTABLE[name]:
                setattr(self._limits, name, value)

    def _record(self) -> Record:
        return Record("limits", "", json.dumps(self.values, separators=(",", ":")))

    def records(self) -> list[Record]:
        """What was set; nothing if nothing ever was."""
        return [self._record()] if self._is_set else []

    def restore(self, record: Record) -> None:
        """Take what was stored, as far as it can be."""
        self._is_set = True
        self._take(json.loads(record.value or "{}").items())
