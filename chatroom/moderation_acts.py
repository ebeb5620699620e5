"""Acts of moderation: kicks, bans, exemptions, and who is an operator. Each leaves a line in the audit trail.

Each acts in a channel, or in the whole chatroom: a ban there keeps somebody out, a kick ends all programs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from chatroom.act import KEY, ActCommand, Number, Parts, Scene, Text, Where
from chatroom.audit import audit
from chatroom.durations import duration_text
from chatroom.events import BAN_LIST, EXEMPT_LIST, INVITED_LIST, EventKind, Extra, extra_row
from chatroom.limits import LIST_REASON, MAX_BAN_SECONDS, WHOM_BYTES
from chatroom.masks import is_network_mask
from chatroom.outcomes import GUARD, GUEST, NO_TIME, Code, Outcome
from chatroom.packets import Role
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM
from chatroom.rights import Listed
from chatroom.session import Session
from chatroom.whom import NOBODY, Found, find, find_target, person_called, protection

# --- kicks --------------------------------------------------------------------------------------------------


def _kick(parts: Parts, session: Session, scene: Scene, name_key: str, reason: str) -> Outcome:
    """Who is not in the chatroom is put out, too. Rows: the name, the place's name; NO_TIME.

    "10 spam" is said as the reason: it may be one ("3 warnings were enough"), and somebody has to go now.
    Whoever kicks is told that a kick has no time.
    """
    person = person_called(parts, name_key)
    if scene.channel is None:
        is_there = bool(parts.sessions.of_person(person)) if person else False
    else:
        is_there = parts.channels.is_in(person, scene.place)
    if not is_there:
        return Outcome(Code.NO_SUCH_NAME, (name_key,))
    refused = protection(parts, session, scene.place, "/kick", person)
    if refused is not None:
        return refused
    first, name = reason.partition(" ")[0], parts.direct.name_of(person)
    reason = _told(parts, session, scene, reason)
    audit(parts, session, scene, _with_reason(f"/kick {name}", reason), person, name)
    if scene.channel is None:
        parts.moderation.kill(person, session.person, reason)
    else:
        parts.moderation.kick(scene.channel, person, session.person, reason)
    is_number = first.isascii() and first.isdecimal()
    return Outcome(Code.OK, (name, scene.name, NO_TIME) if is_number else (name, scene.name))


# --- lists --------------------------------------------------------------------------------------------------

Put = Callable[[Parts, Session, Scene, str, str, int, str], Outcome]
Take = Callable[[Parts, Session, Scene, str, str], Outcome]


def putting(
    command: str,
    list: int,
    is_against: bool = True,
    then: Callable[[Parts, Session, Scene, Found], None] | None = None,
) -> Put:
    """The act that puts somebody on a list of a place. Rows: whom, the place's name, until when; NOBODY, or
    GUEST and perhaps GUARD.

    is_against: whether it is no favour: nobody does it to a better one
    then:       what follows from it
    """

    def run(
        parts: Parts, session: Session, scene: Scene, who: str, typed: str, seconds: int, reason: str
    ) -> Outcome:
        rights, place = parts.rights, scene.place
        if is_against:
            found = find_target(parts, session, scene, command, who, typed)
        else:
            found = find(parts, session, place, who, typed)
        if isinstance(found, Outcome):
            return found
        reason = _told(parts, session, scene, reason)
        until = parts.ledger.time + 1000 * seconds if seconds else 0
        rows, reason = (found.shown, scene.name, until), _told(parts, session, scene, reason)
        more = sum(not rights.has(one, list, place) for one in found.entries)
        refused = rights.refusal(place, more) if more else None
        if refused is not None:
            return Outcome(refused, rows)
        given = [
            rights.give(one, list, session.person, place, until, found.typed, reason) for one in found.entries
        ]
        if not any(given):
            return Outcome(Code.ALREADY, rows)
        tell_listed(parts, session, scene, list, found, until, reason)
        length = f" {duration_text(seconds)}" if seconds else ""
        text = _with_reason(f"{command} {found.shown}{length}", reason)
        _audit_list(parts, session, scene, found, text, found.person, found.name if found.person else "")
        if then is not None:
            then(parts, session, scene, found)
        return Outcome(Code.OK, (*rows, *_hints(parts, session, found, is_against)))

    return run


def _hints(parts: Parts, session: Session, found: Found, is_against: bool) -> tuple[str, ...]:
    """What whoever puts somebody on a list should know besides."""
    if found.is_nobody:
        return (NOBODY,)
    if not (is_against and found.is_guest):
        return ()
    return (GUEST, GUARD) if parts.rights.role(session.person) >= Role.OPERATOR else (GUEST,)


def taking(command: str, list: int) -> Take:
    """The act that takes somebody off a list of a place. Rows: whom, the place's name.

    What was typed counts, too: a guest may be called otherwise now, or be gone.
    """

    def run(parts: Parts, session: Session, scene: Scene, who: str, typed: str) -> Outcome:
        found = find(parts, session, scene.place, who, typed)
        if isinstance(found, Outcome) and found.code is not Code.NO_SUCH_NAME:
            return found
        listed = _meant(parts.rights.entries(scene.place, list), found, who, typed)
        if not listed:
            return Outcome(Code.ALREADY, (typed, scene.name))
        me = session.person  # who owns a channel ends no mute that an operator of the chatroom put on it
        if list != EXEMPT_LIST and any(one.whom == me and parts.rights.outranks(one, me) for one in listed):
            return Outcome(Code.NEED_ROLE, (command, "operator of the chatroom"))
        for one in listed:
            parts.rights.take(one.whom, list, scene.place)
        persons = [one.whom for one in listed if isinstance(one.whom, int)]
        person = persons[0] if persons else 0 if isinstance(found, Outcome) else found.person
        name = (parts.direct.name_of(person) if persons else "") or typed
        removed = Found(tuple(one.whom for one in listed), listed[0].typed or typed, person, name)
        tell_listed(parts, session, scene, list, removed, is_put=False)
        _audit_list(parts, session, scene, removed, f"{command} {name}", person, name if person else "")
        return Outcome(Code.OK, (name, scene.name))

    return run


def _meant(listed: list[Listed], found: Found | Outcome, who: str, typed: str) -> list[Listed]:
    """The entries for just these, and those that were made with them.

    +NAME means what was typed so, and no other network: the answer would tell whose it is.
    """
    if typed.startswith("+"):
        return [one for one in listed if one.typed == typed]
    wanted = {who} if isinstance(found, Outcome) else {who, *found.entries}
    first = [one for one in listed if one.whom in wanted or (one.typed and one.typed == typed)]
    meant, together = {one.key for one in first}, {one.typed for one in first if one.typed}
    return [one for one in listed if one.key in meant or one.typed in together]


def tell_listed(
    parts: Parts,
    session: Session,
    scene: Scene,
    list: int,
    found: Found,
    until: int = 0,
    reason: str = "",
    *,
    is_put: bool = True,
) -> None:
    """Say LISTED in the place. Of a network that was typed nobody is told.

    All in the chatroom are told of persons only: who is an operator, and who is banned.
    """
    is_person = any(isinstance(one, int) for one in found.entries)
    is_for_all = is_person and list in (Role.OPERATOR, BAN_LIST)
    if found.is_address or (scene.channel is None and not is_for_all):
        return
    extra = extra_row(Extra.LIST, list, 1)
    if is_person:
        extra += extra_row(Extra.TARGET, found.person, 4) + extra_row(Extra.TARGET_NAME, found.name)
    else:  # the person of +NAME: the name goes when that is erased
        extra += extra_row(Extra.TARGET, found.person, 4) if found.person else b""
        extra += extra_row(Extra.WHOM, found.typed)
    extra += extra_row(Extra.UNTIL, until) if until else b""
    extra += b"" if is_put else extra_row(Extra.REMOVED, 1, 1)
    author, channel = parts.sessions.members[session.person].name, scene.channel
    name = "" if channel is None else channel.name
    parts.ledger.event(EventKind.LISTED, session.person, author, scene.place, name, reason, extra=extra)


def _audit_list(
    parts: Parts, session: Session, scene: Scene, found: Found, text: str, person: int, name: str
) -> None:
    """Note who is on a list now, or is not any more.

    Only operators of the chatroom read of a network that was typed: those of the channel see who is put out,
    and would know the address.
    """
    if found.is_address and scene.channel is not None:
        scene, text = Scene(WHOLE_CHATROOM, EVERYWHERE, None), f"{text} (in {scene.name})"
    audit(parts, session, scene, text, person, name)


def _put_out(parts: Parts, session: Session, scene: Scene, found: Found) -> None:
    """Whom a new ban hits must go. Who is banned in person has no role in the place any more: else it would
    act there from outside. Of a channel without an owner the operators of the chatroom take care."""
    for person in [one for one in found.entries if isinstance(one, int)]:
        one = found._replace(entries=(person,))
        for list in (Role.OWNER, Role.OPERATOR, Role.VOICE, INVITED_LIST):
            if parts.rights.take(person, list, scene.place):
                tell_listed(parts, session, scene, list, one, is_put=False)
    if found.person:
        parts.moderation.enforce(scene.place, found.person)
    if any(isinstance(one, str) and is_network_mask(one) for one in found.entries):
        parts.moderation.sweep(scene.place)


# --- operators ----------------------------------------------------------------------------------------------


def _operator(command: str, is_put: bool) -> Callable[[Parts, Session, Scene, str], Outcome]:
    """The act that makes somebody an operator of a place, or a member again. Rows: the name, the place.

    The owner of the chatroom makes an owner of a channel a member again, too.
    Only an account is an operator of the whole chatroom.
    """

    def run(parts: Parts, session: Session, scene: Scene, name_key: str) -> Outcome:
        rights, place, account = parts.rights, scene.place, parts.accounts.named(name_key)
        person = account.person if account is not None else 0
        if scene.channel is not None:
            person = person_called(parts, name_key)
        if not person or (is_put and not parts.direct.is_reachable(person)):
            return Outcome(Code.NO_SUCH_NAME, (name_key,))
        name = parts.direct.name_of(person)
        rows = (name, scene.name)
        lists = [list for list in (Role.OWNER, Role.OPERATOR) if rights.has(person, list, place)]
        if is_put or scene.channel is None or not _deposes(parts, session, person):
            lists = [list for list in lists if list is Role.OPERATOR]
        if bool(lists) == is_put:
            return Outcome(Code.ALREADY, rows)
        if is_put and (refused := rights.refusal(place)):
            return Outcome(refused, rows)
        if is_put:
            rights.give(person, Role.OPERATOR, session.person, place)
        for list in lists:
            rights.take(person, list, place)
        for list in lists or [Role.OPERATOR]:
            tell_listed(parts, session, scene, list, Found((person,), "", person, name), is_put=is_put)
        audit(parts, session, scene, f"{command} {name}", person, name)
        return Outcome(Code.OK, rows)

    return run


def _deposes(parts: Parts, session: Session, person: int) -> bool:
    """Whether the member may take a channel from the person who owns it."""
    rights = parts.rights
    return rights.role(session.person) is Role.OWNER and rights.role(person) < Role.OPERATOR


def _told(parts: Parts, session: Session, scene: Scene, reason: str) -> str:
    """The reason, as the others may read it."""
    return parts.speaking.words(session, parts.sessions.members[session.person], scene.place, reason)


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text


WHO: Final = Text(KEY.most + WHOM_BYTES)
"""An argument: a `Who.who`."""
TYPED: Final = Text(WHOM_BYTES)
SECONDS: Final = Number(MAX_BAN_SECONDS)
REASON: Final = Text(LIST_REASON, 0)

PUTTING: Final = (WHO, TYPED, SECONDS, REASON)
"""What `putting` takes: `whom.Aim`."""
TAKING: Final = (WHO, TYPED)
"""What `taking` takes: `whom.Who`."""

_HERE = Where.PLACE
_ban, _exempt = putting("/ban", BAN_LIST, then=_put_out), putting("/exempt", EXEMPT_LIST, False)

MODERATION_ACTS: Mapping[str, ActCommand] = {
    "/kick": ActCommand(Role.OPERATOR, False, (KEY, REASON), _kick, _HERE),
    "/ban": ActCommand(Role.OPERATOR, False, PUTTING, _ban, _HERE),
    "/unban": ActCommand(Role.OPERATOR, False, TAKING, taking("/unban", BAN_LIST), _HERE),
    "/exempt": ActCommand(Role.OPERATOR, False, PUTTING, _exempt, _HERE),
    "/unexempt": ActCommand(Role.OPERATOR, False, TAKING, taking("/unexempt", EXEMPT_LIST), _HERE),
    "/op": ActCommand(Role.OWNER, False, (KEY,), _operator("/op", True), _HERE),
    "/deop": ActCommand(Role.OWNER, False, (KEY,), _operator("/deop", False), _HERE),
}
"""The acts of moderation by their names. The arguments:

/kick          key of the name, reason
/ban, /exempt  see `Aim`
/un...         see `Who`
/op, /deop     key of the name
"""
