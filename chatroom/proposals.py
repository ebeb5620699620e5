"""Proposals: what somebody wants to happen. Plain data, so that they can be written down and applied again.

No proposal has a connection, a lock or a token in it: it names its connection by number (`origin`). What can
be checked without the state (names, lengths, UTF-8) is checked before a proposal is made.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from chatroom.packets import Burst


class ProposalKind(IntEnum):
    """The kinds of proposals. The numbers are written down where entries are kept: none is changed."""

    UP = 1
    ARRIVE = 2
    WITHDRAW = 3
    ENTER = 4
    LINES = 5
    LEAVE = 6


class Arrive(NamedTuple):
    """ARRIVE: a newcomer wants a name. Answered by an Outcome.

    name:      as check_name() returns it
    name_key:  as name_key() returns it; computed by the proposer, because Unicode's tables differ
    known:     session key of the token that the newcomer has; "" for none
    fresh:     session key of a token that the proposer has made, in case that a new session begins
    address:   of the peer
    skeletons: as skeletons() returns them, for the same reason; an entry of an older version has none
    network:   of the address, as network_of() returns it
    """

    name: str
    name_key: str
    known: str
    fresh: str
    address: str
    skeletons: tuple[str, ...] = ()
    network: str = ""


class Withdraw(NamedTuple):
    """WITHDRAW: the newcomer does not come after all. session: its key."""

    session: str


class Enter(NamedTuple):
    """ENTER: the newcomer has come and wants to be a member.

    session:  its key
    channels: to be in, beside those that it is in already; as check_channel() returns them
    """

    session: str
    channels: tuple[str, ...]


class Leave(NamedTuple):
    """LEAVE: a connection has ended.

    clean:  on purpose: the member quits at once; else it may come back for a while
    reason: for the others; may be empty
    """

    clean: bool
    reason: str


Body = Arrive | Withdraw | Enter | Burst | Leave | None
"""LINES has a Burst: lines of one connection for one channel. UP has none: all of it is in the entry."""


class Proposal(NamedTuple):
    """What somebody wants to happen.

    origin:  number of the connection that it comes from, given by this server; 0: none
    request: the message id that the client gave it, 0: none
    kind:    a `ProposalKind`
    body:    belongs to the kind
    """

    origin: int
    request: int
    kind: int
    body: Body
