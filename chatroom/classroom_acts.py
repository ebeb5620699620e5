"""Acts of the classroom: hands, turns, polls, and questions without an author."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Final

from chatroom.act import ActCommand, Number, Parts, Text, Where
from chatroom.audit import audit
from chatroom.classroom import SEPARATOR
from chatroom.events import EventKind, Extra, extra_row
from chatroom.limits import MAX_OPTIONS, MAX_POLL, MAX_QUESTION
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM, Channel, Member
from chatroom.session import Session

OPENED: Final = "opened"
"""The last row of OK to /poll: the poll was opened by it. What only shows a poll has no such row."""

_HAND, _ASK = "hand", "ask"  # what has a pace of its own
_key = attrgetter("key")


def _refusal(parts: Parts, session: Session, channel: Channel) -> Outcome | None:
    """Why the member takes no part in the class: it is not in, as operators of the chatroom may be, or muted.
    That a channel is moderated is no reason."""
    member = parts.sessions.members[session.person]
    if channel.name not in member.places:
        return Outcome(Code.NOT_IN, (channel.name,))
    return parts.speaking.muted(session, member, channel.place)


# --- hands and turns ----------------------------------------------------------------------------------------


def _hand(parts: Parts, session: Session, channel: Channel, is_up: int) -> Outcome:
    """Rows: the channel, and the place in the queue, 0: the hand is down."""
    return _raise(parts, session, channel) if is_up else _lower(parts, session, channel)


def _raise(parts: Parts, session: Session, channel: Channel) -> Outcome:
    refused = _refusal(parts, session, channel)
    if refused is not None:
        return refused
    person, place, limits = session.person, channel.place, parts.classroom.limits
    hands = parts.classroom.hands(place)
    if person in hands:
        return Outcome(Code.ALREADY, (channel.name, hands.index(person) + 1))
    if again := parts.pace.again(person, WHOLE_CHATROOM, 1, limits.hand, _HAND):
        return parts.speaking.slow_down(again)
    code = parts.classroom.raise_hand(place, person)
    if code is Code.OK:
        parts.pace.take(person, WHOLE_CHATROOM, 1, 1, limits.hand, _HAND)
        _say(parts, session, channel, EventKind.HAND)
    return Outcome(code, (channel.name, len(hands) + 1))


def _lower(parts: Parts, session: Session, channel: Channel) -> Outcome:
    if not parts.classroom.lower_hand(channel.place, session.person):
        return Outcome(Code.ALREADY, (channel.name, 0))
    _say(parts, session, channel, EventKind.HAND, extra=extra_row(Extra.REMOVED, 1, 1))
    return Outcome(Code.OK, (channel.name, 0))


def _next(parts: Parts, session: Session, channel: Channel) -> Outcome:
    """Who raised a hand first has the turn; who is muted meanwhile is passed over. Nobody: the turn ends.

    Rows: the channel; who is called, "": nobody; the phase of that member; how many hands are left; whose
    turn ends by it, "": nobody's.
    """
    classroom, place = parts.classroom, channel.place
    called, before = _first(parts, place), classroom.turn(place)
    if called is None and not before:
        return Outcome(Code.ALREADY, (channel.name,))
    classroom.call(place, called.person if called is not None else 0)
    extra = b""
    if called is not None:
        extra = extra_row(Extra.TARGET, called.person, 4) + extra_row(Extra.TARGET_NAME, called.name)
    _say(parts, session, channel, EventKind.CALLED, extra=extra)
    person, name, phase = (called.person, called.name, str(called.phase)) if called else (0, "", "")
    audit(parts, session, channel, f"/next {name}".rstrip(), person, name)
    ended = parts.direct.name_of(before) if before and before != person else ""
    return Outcome(Code.OK, (channel.name, name, phase, len(classroom.hands(place)), ended))


def _first(parts: Parts, place: int) -> Member | None:
    """Of those whose hands are up the first one who may speak when it is called."""
    for person in parts.classroom.hands(place):
        member = parts.sessions.members[person]
        session = (member.here or sorted(member.sessions.values(), key=_key))[0]
        if parts.speaking.muted(session, member, place) is None:
            return member
    return None


# --- polls --------------------------------------------------------------------------------------------------


def _poll(parts: Parts, session: Session, channel: Channel, text: str) -> Outcome:
    """Rows: the question, the options, the own vote, how many have voted; and OPENED."""
    if parts.rights.role(session.person, channel.place) < Role.OPERATOR:
        return Outcome(Code.NEED_ROLE, ("/poll", Role.OPERATOR.name.lower()))
    muted = parts.speaking.muted(session, parts.sessions.members[session.person], channel.place)
    if muted is not None:
        return muted
    question, *options = parts.classroom.read_poll(text) or [""]
    if not options:
        return Outcome(Code.BAD_ARGUMENTS)
    member = parts.sessions.members[session.person]
    refused = parts.speaking.muted(session, member, channel.place) or parts.speaking.asking(session, member)
    if refused is not None:
        return refused
    if not parts.classroom.open_poll(channel.place, text, session.person):
        return Outcome(Code.ALREADY, (parts.classroom.poll(channel.place)[0],))
    parts.speaking.amended(session, member)
    _say(parts, session, channel, EventKind.POLL, text)
    audit(parts, session, channel, f"/poll {question}")
    return Outcome(Code.OK, (question, tuple(options), 0, 0, OPENED))


def _vote(parts: Parts, session: Session, channel: Channel, choice: int, meant: str) -> Outcome:
    """Nobody but the voter is told. Rows: the choice, the option, the question.

    choice: from 1
    meant:  the option of this number when the voter typed its text, "": the number was typed. Meanwhile there
            may be another poll: a text must not become a vote for something else
    """
    refused = _refusal(parts, session, channel)
    if refused is not None:
        return refused
    question, *options = parts.classroom.poll(channel.place) or [""]
    if not options:
        return Outcome(Code.TOO_LATE, (channel.name,))
    if not 1 <= choice <= len(options) or (meant and options[choice - 1] != meant):
        return Outcome(Code.BAD_ARGUMENTS, (len(options), meant) if meant else (len(options),))
    code = parts.classroom.vote(channel.place, session.person, choice)
    return Outcome(code, (choice, options[choice - 1], question))


def _reveal(parts: Parts, session: Session, channel: Channel) -> Outcome:
    """Rows: the question, and each option with its number of votes."""
    if not parts.classroom.poll(channel.place):
        return Outcome(Code.ALREADY, (channel.name,))
    text, counts = parts.classroom.reveal(channel.place)
    votes = b"".join(count.to_bytes(2, "big") for count in counts)
    _say(parts, session, channel, EventKind.REVEALED, text, extra_row(Extra.VOTES, votes))
    question, *options = text.split(SEPARATOR)
    audit(parts, session, channel, "/reveal")  # the question may be another operator's, who may be erased
    return Outcome(Code.OK, (question, *zip(options, counts, strict=True)))


# --- questions ----------------------------------------------------------------------------------------------


def _ask(parts: Parts, session: Session, channel: Channel, text: str) -> Outcome:
    """All read the question, and not who asks. That is noted for the operators of the chatroom, in its place:
    those of the channel do not read it there. Row: the channel."""
    refused = _refusal(parts, session, channel)
    if refused is not None:
        return refused
    person, length = session.person, parts.classroom.limits.ask
    if again := parts.pace.again(person, WHOLE_CHATROOM, 1, length, _ASK):
        return parts.speaking.slow_down(again)
    member = parts.sessions.members[person]
    refused = parts.speaking.asking(session, member)
    if refused is not None:
        return refused
    parts.pace.take(person, WHOLE_CHATROOM, 1, 1, length, _ASK)
    parts.speaking.amended(session, member)
    # AUDITED stands directly behind: so whoever erases the person finds the question, see `blocks.asked_by`.
    parts.ledger.event(EventKind.ASKED, 0, "", channel.place, channel.name, text)
    audit(parts, session, None, f"asked in {channel.name}: {text}")
    return Outcome(Code.OK, (channel.name,))


def _say(
    parts: Parts, session: Session, channel: Channel, kind: EventKind, text: str = "", extra: bytes = b""
) -> None:
    """Make an event in the channel."""
    author = parts.sessions.members[session.person].name
    parts.ledger.event(kind, session.person, author, channel.place, channel.name, text, extra=extra)


_HERE = Where.CHANNEL

CLASSROOM_ACTS: Mapping[str, ActCommand] = {
    "/hand": ActCommand(Role.MEMBER, False, (Number(1),), _hand, _HERE),
    "/next": ActCommand(Role.OPERATOR, False, (), _next, _HERE),
    "/poll": ActCommand(Role.MEMBER, False, (Text(MAX_POLL),), _poll, _HERE),
    "/vote": ActCommand(Role.MEMBER, False, (Number(MAX_OPTIONS), Text(MAX_POLL, 0)), _vote, _HERE),
    "/reveal": ActCommand(Role.OPERATOR, False, (), _reveal, _HERE),
    "/ask": ActCommand(Role.MEMBER, False, (Text(MAX_QUESTION),), _ask, _HERE),
}
"""The acts of the classroom by their names. The arguments:

/hand 1: raise it, 0: take it down
/poll the question and the options, with SEPARATOR between them. Without them it is a question that everybody
      may ask, so the act judges itself who may open a poll
/vote the number of the option, from 1; its text, if that was typed, else ""
/ask  the question
"""
