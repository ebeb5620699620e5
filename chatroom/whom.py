"""Whom a moderator means, from what is typed after /ban, /mute and so on to the entries of a list.

    NAME, @NAME         a person; of a guest also the name, because it comes back as somebody new
    +NAME               the network from which a member comes. Nobody learns the address
    ADDRESS, NET/BITS   a network as it is typed, for operators of the whole chatroom

A handler reads what was typed: `read_who`, `read_aim`. The state finds whom that means now: `find`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from chatroom.act import Parts, Scene
from chatroom.durations import read_duration
from chatroom.limits import LIST_REASON, MAX_BAN_SECONDS, WHOM_BYTES
from chatroom.masks import checked_network, covers, is_mask, is_network_mask, name_mask, network_mask
from chatroom.names import typed_key
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.printable import printable_line
from chatroom.rights import Whom
from chatroom.session import Session

_FROM: Final = "from "  # where the member with this key comes from

NOBODY: Final = "nobody"
"""The last row of OK, if nobody has the name: it means who comes with it."""

OWN_NETWORK: Final = "own network"
"""The first row of BAD_ARGUMENTS: who asks comes from the network, too."""

DURATION: Final = "duration"
"""The first row of BAD_ARGUMENTS: this word is none. The others: the word; the longest one, in seconds."""

# --- what was typed: the handler's thread -------------------------------------------------------------------


class Who(NamedTuple):
    """Two arguments of an act.

    who:   `name KEY`, `from KEY` or `net NETWORK`
    typed: what is shown of it
    """

    who: str
    typed: str


class Aim(NamedTuple):
    """The arguments of an act that puts somebody on a list. seconds: how long, 0: for ever"""

    who: str
    typed: str
    seconds: int
    reason: str


def read_who(text: str) -> Who | Outcome:
    """Whom NAME, @NAME, +NAME, ADDRESS or NETWORK/BITS means; or BAD_NAME, BAD_ARGUMENTS."""
    text = plain_name(text)
    if not text:
        return Outcome(Code.BAD_ARGUMENTS)
    network = checked_network(text)
    if network:
        return Who(network_mask(network), network)
    key = typed_key(text.removeprefix("+"))
    if not key:
        return Outcome(Code.BAD_NAME, (printable_line(text[:WHOM_BYTES]),))
    return Who(_FROM + key if text.startswith("+") else name_mask(key), text)


def plain_name(text: str) -> str:
    """A name as it may be typed: `@bob` and `bob,` are meant as `bob`. No name has a comma."""
    return text.removeprefix("@").rstrip(",")


def read_aim(rest: str) -> Aim | Outcome:
    """Read WHO [DURATION] [REASON]."""
    typed, _, rest = rest.partition(" ")
    who = read_who(typed)
    if isinstance(who, Outcome):
        return who
    seconds, words = read_duration(rest)
    if seconds is None:
        first = rest.strip().partition(" ")[0]
        return Outcome(Code.BAD_ARGUMENTS, (DURATION, printable_line(first[:WHOM_BYTES]), MAX_BAN_SECONDS))
    reason = read_reason(words)
    return reason if isinstance(reason, Outcome) else Aim(*who, seconds, reason)


def read_reason(text: str) -> str | Outcome:
    """A reason as it may be kept; or TOO_LONG."""
    reason = printable_line(text).strip()
    return Outcome(Code.TOO_LONG, (LIST_REASON,)) if len(reason.encode()) > LIST_REASON else reason


# --- whom that means: the state -----------------------------------------------------------------------------


class Found(NamedTuple):
    """Whom it means.

    entries: of a list; an entry means a person, a name or a network
    typed:   as the entries keep it; "": the person
    person:  whom it names, 0: nobody known, or a network
    name:    of the person; what was typed, if there is none
    """

    entries: tuple[Whom, ...]
    typed: str
    person: int
    name: str

    @property
    def is_address(self) -> bool:
        """Whether it is a network that was typed: only the audit trail tells of it."""
        if self.typed.startswith("+"):
            return False
        return all(isinstance(one, str) and is_network_mask(one) for one in self.entries)

    @property
    def is_nobody(self) -> bool:
        """Whether it is a name that nobody has."""
        return not self.person and not any(
            isinstance(one, int) or is_network_mask(one) for one in self.entries
        )

    @property
    def is_guest(self) -> bool:
        """Whether it is a person without an account: only then the name is meant besides."""
        return bool(self.person) and any(
            isinstance(one, str) and not is_network_mask(one) for one in self.entries
        )

    @property
    def shown(self) -> str:
        """How answers call it."""
        return self.typed if self.typed.startswith("+") else self.name


def find(parts: Parts, session: Session, place: int, who: str, typed: str) -> Found | Outcome:
    """Whom it means now in a place; or why the member of the session cannot mean it.

    The body of an act may be anything.
    NO_SUCH_NAME (row: the name): nobody is called so from where one could come. NEED_ROLE: it is a network.
    """
    if who.startswith(_FROM):
        person = person_called(parts, who.removeprefix(_FROM))
        is_operator = parts.rights.role(session.person) >= Role.OPERATOR
        # Else whoever founds a channel could try there which members share a network, without their coming.
        if not is_operator and not parts.channels.has_been_in(person, place):
            person = 0
        return _network_of(parts, person, typed)
    if not is_mask(who):
        return Outcome(Code.BAD_ARGUMENTS)
    if is_network_mask(who):
        if not _is_canonical(who.removeprefix(network_mask(""))):
            return Outcome(Code.BAD_ARGUMENTS)
        if person := person_called(parts, typed):  # a name can look like an address
            return _person(parts, person, name_mask(typed), typed)
        if parts.rights.role(session.person) < Role.OPERATOR:
            return Outcome(Code.NEED_ROLE, (typed, "operator of the chatroom"))
        return Found((who,), typed, 0, typed)
    person = person_called(parts, who.removeprefix(name_mask("")))
    return _person(parts, person, who, typed) if person else Found((who,), typed, 0, typed)


def find_target(
    parts: Parts, session: Session, scene: Scene, command: str, who: str, typed: str
) -> Found | Outcome:
    """The same for a command against somebody, which may neither be one's better nor one's own network."""
    found = find(parts, session, scene.place, who, typed)
    if isinstance(found, Outcome):
        return found
    if (refused := protection(parts, session, scene.place, command, found.person)) is not None:
        return refused
    masks = [one for one in found.entries if isinstance(one, str) and is_network_mask(one)]
    if any(covers(mask, session.network) for mask in masks):
        return Outcome(Code.BAD_ARGUMENTS, (OWN_NETWORK, typed))
    return found


def protection(parts: Parts, session: Session, place: int, command: str, person: int) -> Outcome | None:
    """Why nobody acts against a person whose role is as high as one's own, or higher.

    A role of the whole chatroom is above every role of a channel: who owns a channel keeps no operator of the
    chatroom out, and is spared by none.

    Rows: the command, the least role that may, the name of the person.
    """
    rights, author = parts.rights, session.person
    if not person:
        return None
    mine, role = rights.role(author), rights.role(person)
    if max(mine, role) < Role.OPERATOR:
        mine, role = rights.role(author, place), rights.role(person, place)
    if role < mine:
        return None
    needed = Role.OWNER if role >= Role.OPERATOR else Role.OPERATOR
    return Outcome(Code.NEED_ROLE, (command, needed.name.lower(), parts.direct.name_of(person)))


def person_called(parts: Parts, name_key: str) -> int:
    """Who has the name, owns it, or was called so last and can come back; 0: nobody."""
    holder = parts.holders.of_key(name_key)
    if holder is not None and holder.person in parts.sessions.members:
        return holder.person
    account = parts.accounts.named(name_key)
    if account is not None:
        return account.person
    last = parts.sessions.named(name_key)
    return last.person if last is not None else 0


def _person(parts: Parts, person: int, mask: str, typed: str) -> Found:
    """A guest can come back as somebody new, so its name is meant, too."""
    name = parts.direct.name_of(person) or typed
    if parts.accounts.of(person) is not None:
        return Found((person,), "", person, name)
    return Found((person, mask), typed, person, name)


def _is_canonical(network: str) -> bool:
    """Whether it is written as handlers write it: two masks for one network would count as one."""
    return bool(network) and checked_network(network) == network


def _network_of(parts: Parts, person: int, typed: str) -> Found | Outcome:
    """The networks of a person's programs that are here; of one that has left, that of the latest."""
    member = parts.sessions.members.get(person)
    sessions = list(member.sessions.values()) if member is not None else parts.sessions.of_person(person)[-1:]
    masks = sorted({network_mask(one.network) for one in sessions if _is_canonical(one.network)})
    if not person or not masks:
        return Outcome(Code.NO_SUCH_NAME, (typed.removeprefix("+"),))
    return Found(tuple(masks), typed, person, parts.direct.name_of(person))
