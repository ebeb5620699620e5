"""Acts of channels: joining and leaving, topics, settings, lists, names and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from chatroom.act import KEY, ActCommand, Parts, Scene, Text, Where
from chatroom.audit import audit
from chatroom.events import INVITED_LIST, EventKind, Extra, Setting, extra_row
from chatroom.guard_acts import KEY_SETTING, invite_everywhere, set_everywhere
from chatroom.limits import CHANNEL_BYTES, DEFAULT_CHANNEL, MAX_REASON, MAX_SECRET, MAX_TOPIC
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import FOUNDED, POLLED, Channel
from chatroom.session import Session

# --- joining and leaving ------------------------------------------------------------------------------------


def _join(parts: Parts, session: Session, name: str, key: str) -> Outcome:
    """Rows: the channel's name and place; FOUNDED, if it was not there; POLLED and the question of a poll
    that is open, in which the member has not voted."""
    channels, member = parts.channels, parts.sessions.members[session.person]
    place = member.places.get(name)
    if place is not None:
        return Outcome(Code.ALREADY, (name, place))
    refused = parts.speaking.asking(session, member)
    refused = refused or channels.refusal((name,), member.person, member.name_key, session.network, key)
    if refused is not None:
        return Outcome(refused.code, refused.rows or (name,))
    parts.speaking.amended(session, member)
    is_new = channels.named(name) is None and name != DEFAULT_CHANNEL
    place = channels.join(member, name, session).place
    has_voted = parts.classroom.vote_of(place, session.person)  # in an earlier stay
    question = [] if has_voted else parts.classroom.poll(place)[:1]
    more = (FOUNDED,) if is_new else (POLLED, *question) if question else ()
    return Outcome(Code.OK, (name, place, *more))


def _leave(parts: Parts, session: Session, channel: Channel, reason: str) -> Outcome:
    """Rows: the channel's name and place. An operator of the chatroom may act in it without being in."""
    member = parts.sessions.members[session.person]
    if channel.name not in member.places:
        return Outcome(Code.NOT_IN, (channel.name,))
    parts.channels.leave(member, channel, parts.speaking.reason(session, member, reason, channel))
    return Outcome(Code.OK, (channel.name, channel.place))


def _close(parts: Parts, session: Session, channel: Channel, reason: str) -> Outcome:
    reason = parts.speaking.words(session, parts.sessions.members[session.person], channel.place, reason)
    _audit(parts, session, channel, f"/close {reason}".rstrip())
    _say(parts, session, channel, EventKind.CLOSED, reason)  # the last event: the stays end with it
    parts.channels.close(channel, parts.sessions.members)
    return Outcome(Code.OK, (channel.name,))


# --- topic, settings, name ----------------------------------------------------------------------------------


def _topic(parts: Parts, session: Session, channel: Channel, topic: str) -> Outcome:
    """An empty topic removes it."""
    member = parts.sessions.members[session.person]
    refused = parts.speaking.topic(session, member, channel)
    if refused is not None:
        return refused
    if channel.topic == topic:
        return Outcome(Code.ALREADY, (topic,))
    channel.topic, channel.topic_by, channel.topic_when = topic, member.name, parts.ledger.time
    channel.topic_of = session.person
    parts.channels.keep(channel)
    parts.speaking.said(session, member, channel.place, 1)
    _say(parts, session, channel, EventKind.TOPIC, topic)
    if parts.rights.role(session.person, channel.place) >= Role.OPERATOR:  # of others it is no act of power
        _audit(parts, session, channel, f"/topic {topic or '-'}")
    return Outcome(Code.OK, (topic,))


class Switch(NamedTuple):
    """A setting as /set names it.

    setting: its bit
    field:   of a `Channel`
    off, on: the values, as they are written
    needs:   the least role in the channel; a role of the whole chatroom for `kept`
    """

    setting: Setting
    field: str
    off: str = "off"
    on: str = "on"
    needs_chatroom: bool = False


SWITCHES: Final[Mapping[str, Switch]] = {
    "invite-only": Switch(Setting.INVITE_ONLY, "invite_only"),
    "moderated": Switch(Setting.MODERATED, "moderated"),
    "history": Switch(Setting.FROM_JOINING, "from_joining", "all", "joined"),
    "kept": Switch(Setting.KEPT, "kept", needs_chatroom=True),
}
"""The settings by their names, but the key."""


def _set_at(parts: Parts, session: Session, scene: Scene, name: str, value: str) -> Outcome:
    """See `_set`; in the whole chatroom only the key can be set, which is the server's password."""
    if scene.channel is None:
        return set_everywhere(parts, session, name, value)
    return _set(parts, session, scene.channel, name, value)


def _set(parts: Parts, session: Session, channel: Channel, name: str, value: str, given: str = "") -> Outcome:
    """Rows: name and value, no key.

    value: as `Switch` says; of the key what is stored of it, or "off"
    given: what the trail calls it, "": as of /set
    """
    new: str | bool
    if name == KEY_SETTING:
        field, new, bit = "key", "" if value == "off" else value, Setting.KEYED
        told = "off" if value == "off" else "on"
    else:
        switch = SWITCHES.get(name)
        if switch is None or value not in (switch.off, switch.on):
            return Outcome(Code.BAD_ARGUMENTS, (name,))
        if switch.needs_chatroom and parts.rights.role(session.person) < Role.OPERATOR:
            return Outcome(Code.NEED_ROLE, (f"/set {name}", "operator of the chatroom"))
        field, new, bit, told = switch.field, value == switch.on, switch.setting, value
    if getattr(channel, field) == new:
        return Outcome(Code.ALREADY, (name, told))
    setattr(channel, field, new)
    parts.channels.keep(channel)
    if field == "moderated" and not new:
        parts.classroom.clear(channel.place)
    _say(parts, session, channel, EventKind.SET, extra=extra_row(bit, int(bool(new)), 1))
    _audit(parts, session, channel, given or f"/set {name} {told}")
    parts.channels.end_if_over(channel)  # when it is not kept any more
    return Outcome(Code.OK, (name, told))


def _hush(parts: Parts, session: Session, channel: Channel, value: str) -> Outcome:
    """As teachers say /set moderated. Rows: as of /set"""
    return _set(parts, session, channel, "moderated", value, "/hush" if value == "on" else "/hush off")


def _move(parts: Parts, session: Session, channel: Channel, name: str) -> Outcome:
    """Rows: the earlier name and the new one."""
    old = channel.name
    if name == old:
        return Outcome(Code.ALREADY, (name,))
    muted = parts.speaking.muted(session, parts.sessions.members[session.person], channel.place)
    if muted is not None:
        return muted
    # Nobody owns the default channel: who could give its name to a channel would own it.
    is_kept = name == DEFAULT_CHANNEL and parts.rights.role(session.person) < Role.OPERATOR
    if is_kept or parts.channels.named(name) is not None:
        return Outcome(Code.NAME_TAKEN, (name,))
    muted = parts.speaking.muted(session, parts.sessions.members[session.person], channel.place)
    if muted is not None:  # all who are in read the new name
        return muted
    _say(parts, session, channel, EventKind.MOVED, name)
    _audit(parts, session, channel, f"/move {name}")
    parts.channels.move(channel, name, parts.sessions.members)
    return Outcome(Code.OK, (old, name))


# --- lists --------------------------------------------------------------------------------------------------


class _Target(NamedTuple):
    """Whom a command is about. name: the present one; of an account's person that is out, the account's"""

    person: int
    name: str


def _target(parts: Parts, name_key: str) -> _Target | None:
    """Who is meant by a name: a member, else the owner of the name."""
    holder = parts.holders.of_key(name_key)
    member = parts.sessions.members.get(holder.person) if holder is not None else None
    if member is not None:
        return _Target(member.person, member.name)
    account = parts.accounts.named(name_key)
    return None if account is None else _Target(account.person, account.name)


def _listing(command: str, list: int, is_put: bool) -> Callable[[Parts, Session, Channel, str], Outcome]:
    """The act that puts somebody on a list of the channel, or takes them off. Rows: the name, the channel."""

    def run(parts: Parts, session: Session, channel: Channel, name_key: str) -> Outcome:
        target = _target(parts, name_key)
        if target is None:
            return Outcome(Code.NO_SUCH_NAME, (name_key,))
        person, rows, rights = target.person, (target.name, channel.name), parts.rights
        is_in = list == INVITED_LIST and parts.channels.is_in(person, channel.place)
        if rights.has(person, list, channel.place) == is_put or (is_put and is_in):
            return Outcome(Code.ALREADY, rows)
        if is_put and (refused := rights.refusal(channel.place)):
            return Outcome(refused, rows)
        is_told, member = is_put and list == INVITED_LIST, parts.sessions.members[session.person]
        if is_told and (slowed := parts.speaking.asking(session, member)):
            return slowed
        _list(parts, session, channel, list, target, is_put)
        _audit(parts, session, channel, f"{command} {target.name}", target)
        if is_told:
            parts.speaking.amended(session, member)
        if is_told and person != session.person:
            parts.direct.invite(session, person, channel)  # who takes no lines is not told
        return Outcome(Code.OK, rows)

    return run


def _inviting(command: str, is_put: bool) -> Callable[[Parts, Session, Scene, str], Outcome]:
    """The same for invitations, which there are to the whole chatroom, too."""
    run_in_channel = _listing(command, INVITED_LIST, is_put)

    def run(parts: Parts, session: Session, scene: Scene, name_key: str) -> Outcome:
        if scene.channel is None:
            return invite_everywhere(parts, session, name_key, is_put)
        return run_in_channel(parts, session, scene.channel, name_key)

    return run


def _transfer(parts: Parts, session: Session, channel: Channel, name_key: str) -> Outcome:
    """The other, who is in the channel, owns it from now on, and nobody else. Rows: the name, the channel."""
    target = _target(parts, name_key)
    if target is None or not parts.channels.is_in(target.person, channel.place):
        return Outcome(Code.NO_SUCH_NAME, (name_key,))
    owners = parts.rights.owners(channel.place)
    if owners == [target.person]:
        return Outcome(Code.ALREADY, (target.name, channel.name))
    if target.person not in owners:
        _list(parts, session, channel, Role.OWNER, target, True)
    for person in owners:
        if person != target.person:
            before = _Target(person, parts.direct.name_of(person))
            _list(parts, session, channel, Role.OWNER, before, False)
    _audit(parts, session, channel, f"/transfer {target.name}", target)
    return Outcome(Code.OK, (target.name, channel.name))


def _list(parts: Parts, session: Session, channel: Channel, list: int, target: _Target, is_put: bool) -> None:
    if is_put:
        parts.rights.give(target.person, list, session.person, channel.place)
    else:
        parts.rights.take(target.person, list, channel.place)
    extra = extra_row(Extra.LIST, list, 1) + extra_row(Extra.TARGET, target.person, 4)
    extra += extra_row(Extra.TARGET_NAME, target.name)
    extra += b"" if is_put else extra_row(Extra.REMOVED, 1, 1)
    _say(parts, session, channel, EventKind.LISTED, extra=extra)


def _audit(
    parts: Parts, session: Session, channel: Channel, text: str, target: _Target | None = None
) -> None:
    """Note in the trail what somebody with a role did in the channel."""
    person, name = target or (0, "")
    audit(parts, session, channel, text, person, name)


def _say(
    parts: Parts, session: Session, channel: Channel, kind: EventKind, text: str = "", extra: bytes = b""
) -> None:
    """Make an event in the channel."""
    author = parts.sessions.members[session.person].name
    parts.ledger.event(kind, session.person, author, channel.place, channel.name, text, extra=extra)


_NAME = Text(CHANNEL_BYTES)
_REASON = Text(MAX_REASON, 0)
_HERE = Where.CHANNEL

CHANNEL_ACTS: Mapping[str, ActCommand] = {
    "/join": ActCommand(Role.MEMBER, False, (_NAME, Text(MAX_SECRET, 0)), _join),
    "/leave": ActCommand(Role.MEMBER, False, (_REASON,), _leave, _HERE),
    "/topic": ActCommand(Role.MEMBER, False, (Text(MAX_TOPIC, 0),), _topic, _HERE),
    "/set": ActCommand(Role.OPERATOR, False, (Text(CHANNEL_BYTES), Text(MAX_SECRET)), _set_at, Where.PLACE),
    "/hush": ActCommand(Role.OPERATOR, False, (Text(CHANNEL_BYTES),), _hush, _HERE),
    "/invite": ActCommand(Role.OPERATOR, False, (KEY,), _inviting("/invite", True), Where.PLACE),
    "/uninvite": ActCommand(Role.OPERATOR, False, (KEY,), _inviting("/uninvite", False), Where.PLACE),
    "/voice": ActCommand(Role.OPERATOR, False, (KEY,), _listing("/voice", Role.VOICE, True), _HERE),
    "/unvoice": ActCommand(Role.OPERATOR, False, (KEY,), _listing("/unvoice", Role.VOICE, False), _HERE),
    "/transfer": ActCommand(Role.OWNER, False, (KEY,), _transfer, _HERE),
    "/move": ActCommand(Role.OWNER, False, (_NAME,), _move, _HERE),
    "/close": ActCommand(Role.OWNER, False, (_REASON,), _close, _HERE),
}
"""The acts of channels by their names. The arguments:

/join          the channel's name as check_channel() returns it; what is stored of the key, "": none
/leave, /close the reason, may be empty
/topic         the topic, may be empty
/set           the setting, its value as `Switch` says; for `key` what is stored of it, or "off"
/hush          on or off
/move          the new name as check_channel() returns it
the others     key of the name of whom it is about
"""
