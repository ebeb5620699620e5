"""Proposals: what somebody wants to happen. Plain data, so that they can be written down and applied again.

No proposal has a connection, a lock or a token in it: it names its connection by number (`origin`). What can
be checked without the state (names, lengths, UTF-8) is checked before a proposal is made.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from chatroom.events import Event
from chatroom.packets import Burst


class ProposalKind(IntEnum):
    """The kinds of proposals. The numbers are written down where entries are kept: none is changed."""

    UP = 1
    ARRIVE = 2
    WITHDRAW = 3
    ENTER = 4
    LINES = 5
    LEAVE = 6
    ACT = 7
    OWN = 8
    AMEND = 9
    LIMIT = 10


class Arrive(NamedTuple):
    """ARRIVE: a newcomer wants a name, or wants to be the person of an account. Answered by an Outcome.

    With OK its rows are: whether the session of `known` goes on, and the name that the member will have.

    name:      as check_name() returns it; with a proof, that of the account
    name_key:  as name_key() returns it; computed by the proposer, because Unicode's tables differ
    known:     session key of the token that the newcomer has; "" for none
    fresh:     session key of a token that the proposer has made, in case that a new session begins
    address:   of the peer
    skeletons: as skeletons() returns them, for the same reason; an entry of an older version has none
    network:   of the address, as network_of() returns it
    proof:     the stored secret of the account against which the proposer has checked a password, or
               device_secret() of the token that came; "": the newcomer has shown neither. It counts only
               while the account has this secret
    encrypted: whether the connection is
    software:  name and version of the client, printable, at most MAX_SOFTWARE bytes
    key:       what is stored of the server's password that the newcomer has shown; "": none. An entry of an
               older version has none
    """

    name: str
    name_key: str
    known: str
    fresh: str
    address: str
    skeletons: tuple[str, ...] = ()
    network: str = ""
    proof: str = ""
    encrypted: bool = False
    software: str = ""
    key: str = ""


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


class Act(NamedTuple):
    """ACT: a member gives a command that changes the state. Answered by an Answer with the request's id.

    command:   its name in `chatroom.acts.ACTS`
    channel:   in which the member gave it
    arguments: as the command's entry there says: plain data, no secret in clear
    """

    command: str
    channel: str
    arguments: tuple[str | int, ...] = ()


class Own(NamedTuple):
    """OWN: whoever runs the server says who owns the chatroom. Comes from no connection.

    The account of the name becomes owner as soon as somebody uses the code: a stranger may have registered
    it. Without an account, the name is kept for the owner, who gets it with the code. Without a name, the
    code makes any account owner, unless there is an owner already.

    name, name_key, skeletons: as in Arrive; all empty: any account
    code:  code_secret() of a one-time code that replaces the earlier ones for the name; "" for none
    until: when the code expires, in milliseconds since 1970
    """

    name: str
    name_key: str
    skeletons: tuple[str, ...] = ()
    code: str = ""
    until: int = 0


class Limit(NamedTuple):
    """LIMIT: whoever runs the server sets limits by which the state decides. Comes from no connection.

    values: pairs of a name in `chatroom.bounds.SETTABLE` and its value, in the unit that `Limits` has
    """

    values: tuple[tuple[str, int], ...]


class Amend(NamedTuple):
    """AMEND: a member edits a message, deletes it, or reacts to it. Answered like a line.

    id:      the message id of the SAY
    channel: as the SAY has it. The message alone says in which place the amendment is
    form:    of the SAY
    message: the message as the proposer found it in the history; None: it was not there. Its text is not
             needed, and left out
    text:    in UTF-8
    edit:    the latest EDITED of the message then; its text is left out, too
    """

    id: int
    channel: str
    form: int
    message: Event | None
    text: bytes
    edit: Event | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        """To the queue it is a burst of one line."""
        return (self.id,)

    @property
    def texts(self) -> tuple[bytes, ...]:
        """The text of that line."""
        return (self.text,)

    @property
    def size(self) -> int:
        """Bytes of the text."""
        return len(self.text)

    def part(self, _start: int, _end: int) -> Amend:
        """It has no parts."""
        return self


Body = Arrive | Withdraw | Enter | Burst | Leave | Act | Own | Amend | Limit | None
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
