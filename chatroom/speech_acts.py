"""Acts about speaking: who is muted, slow channels, what is announced to all."""

from __future__ import annotations

from collections.abc import Mapping

from chatroom.act import ActCommand, Number, Parts, Text, Where
from chatroom.audit import audit
from chatroom.events import MUTE_LIST, EventKind, Setting, extra_row
from chatroom.limits import MAX_ANNOUNCEMENT, MAX_SLOW
from chatroom.moderation_acts import PUTTING, TAKING, putting, taking
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import Channel
from chatroom.session import Session


def _slow(parts: Parts, session: Session, channel: Channel, seconds: int) -> Outcome:
    """Rows: the channel, the seconds. Who has spoken before that may speak once more at once."""
    rows = (channel.name, seconds)
    if channel.slow == seconds:
        return Outcome(Code.ALREADY, rows)
    channel.slow = seconds
    parts.channels.keep(channel)
    author, extra = parts.sessions.members[session.person].name, extra_row(Setting.SLOW, seconds, 2)
    parts.ledger.event(EventKind.SET, session.person, author, channel.place, channel.name, extra=extra)
    audit(parts, session, channel, f"/slow {seconds}")
    return Outcome(Code.OK, rows)


def _announce(parts: Parts, session: Session, text: str) -> Outcome:
    author = parts.sessions.members[session.person].name
    parts.ledger.event(EventKind.ANNOUNCED, session.person, author, text=text)
    audit(parts, session, None, f"/announce {text}")
    return Outcome(Code.OK)


_HERE = Where.PLACE

SPEECH_ACTS: Mapping[str, ActCommand] = {
    "/mute": ActCommand(Role.OPERATOR, False, PUTTING, putting("/mute", MUTE_LIST), _HERE),
    "/unmute": ActCommand(Role.OPERATOR, False, TAKING, taking("/unmute", MUTE_LIST), _HERE),
    "/slow": ActCommand(Role.OPERATOR, False, (Number(MAX_SLOW),), _slow, Where.CHANNEL),
    "/announce": ActCommand(Role.OPERATOR, True, (Text(MAX_ANNOUNCEMENT),), _announce),
}
"""The acts about speaking by their names. The arguments:

/mute     as of /ban
/unmute   as of /unban
/slow     seconds, 0: the channel is not slow any more
/announce the text, on one line
"""
