"""The act of reading: how far a member has read a place."""

from __future__ import annotations

from collections.abc import Mapping

from chatroom.act import ActCommand, Number, Parts
from chatroom.effects import OwnSignal
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.reading import marker
from chatroom.session import Session


def _read(parts: Parts, session: Session, place: int, seq: int) -> Outcome:
    """The marker moves forward only; the person's other programs are told."""
    person = session.person
    name = _title(parts, person, place)
    if name is None:
        return Outcome(Code.NOT_IN, (place,))
    if not 0 < seq <= parts.ledger.head:
        return Outcome(Code.NO_SUCH_MESSAGE, (seq,))
    if not parts.reading.move(person, place, seq):
        return Outcome(Code.ALREADY, (place, parts.reading.of(person, place)))
    member = parts.sessions.members[person]
    signal = marker(parts.ledger.time, person, member.name, place, name, seq)
    for other in member.here:
        if other is not session and other.at is not None:
            parts.ledger.tell(OwnSignal(other.at, signal))
    return Outcome(Code.OK, (place, seq))


def _title(parts: Parts, person: int, place: int) -> str | None:
    """What CHANNEL calls the place for this person; None: it does not have it."""
    channel = parts.channels.all.get(place)
    if channel is not None and person in channel.members:
        return channel.name
    return parts.direct.title_at(place, person)


READING_ACTS: Mapping[str, ActCommand] = {
    "/read": ActCommand(Role.MEMBER, False, (Number(), Number()), _read),
}
"""/read  number of the place, seq up to which it is read"""
