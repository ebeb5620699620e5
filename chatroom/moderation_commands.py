"""Commands of moderation, up to their acts; and the list of those who are banned, muted or exempt."""

from __future__ import annotations

from typing import Final

from chatroom.act import Where
from chatroom.acts import ACTS
from chatroom.command import Prepare, SlashCommand, acting
from chatroom.desk import Asker, Desk, Prepared, Room
from chatroom.durations import read_duration
from chatroom.events import BAN_LIST, EXEMPT_LIST, MUTE_LIST
from chatroom.limits import LISTED_BYTES, WHOM_BYTES
from chatroom.names import name_key, typed_key
from chatroom.outcomes import NO_TIME, Code, Outcome
from chatroom.packets import Role
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM
from chatroom.preparing import BAD_ARGUMENTS
from chatroom.printable import printable_line
from chatroom.proposals import Act
from chatroom.rights import Listed
from chatroom.state import State
from chatroom.whom import plain_name, read_aim, read_reason, read_who

LISTS: Final = {BAN_LIST: "ban", MUTE_LIST: "mute", EXEMPT_LIST: "exempt"}
"""The words for the lists in the rows of /bans."""

# --- what changes something: the handler's thread -----------------------------------------------------------


def put(command: str, channel: str = "") -> Prepare:
    """WHO [DURATION] [REASON]. channel: where, "": that of the asker"""

    def prepare(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        aim = read_aim(rest)
        return aim if isinstance(aim, Outcome) else Prepared(Act(command, channel or asker.channel, aim))

    return prepare


def take(command: str, list: int, channel: str = "") -> Prepare:
    """WHO. The key of a name depends on tables of Unicode, so what was typed before is looked for here."""

    def prepare(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        rest = plain_name(rest)
        who, where = read_who(rest), channel or asker.channel
        if isinstance(who, Outcome):
            return who
        is_network, key = rest.startswith("+"), typed_key(rest.removeprefix("+"))
        listed = desk.read(lambda state: _listed(state, where, list))
        for one in listed:
            typed = one.typed
            if typed.startswith("+") == is_network and key and typed_key(typed.removeprefix("+")) == key:
                who = who._replace(typed=typed)
        return Prepared(Act(command, where, who))

    return prepare


def _kick(channel: str = "") -> Prepare:
    """NAME [REASON]"""

    def prepare(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        name, _, words = rest.partition(" ")
        key, reason = _key(name), read_reason(words)
        if isinstance(key, Outcome):
            return key
        if isinstance(reason, Outcome):
            return reason
        place, seconds = channel or asker.channel, read_duration(words).seconds
        if seconds:  # who is kicked could come back at once
            return Outcome(Code.BAD_ARGUMENTS, (NO_TIME, plain_name(name), seconds, place))
        return Prepared(Act("/kick", place, (key, reason)))

    return prepare


def _operator(command: str) -> Prepare:
    """NAME"""

    def prepare(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        key = _key(rest)
        return key if isinstance(key, Outcome) else Prepared(Act(command, asker.channel, (key,)))

    return prepare


def _key(name: str) -> str | Outcome:
    if not name:
        return BAD_ARGUMENTS
    return typed_key(plain_name(name)) or Outcome(Code.BAD_NAME, (printable_line(name[:WHOM_BYTES]),))


def _listed(state: State, name: str, *lists: int) -> list[Listed]:
    """The entries of lists of a channel, or of EVERYWHERE."""
    channel = state.channel(name)
    if channel is None and name != EVERYWHERE:
        return []
    return state.listed(channel.place if channel is not None else WHOLE_CHATROOM, *lists)


# --- what only looks ----------------------------------------------------------------------------------------


def _bans(room: Room, asker: Asker, rest: str) -> Outcome:
    """Rows: for each who is banned, muted or exempt the list, whom it means, who made it ("": somebody who is
    not known any more), when, until when (in milliseconds since 1970, 0: for ever), and the reason; then how
    that person is called now, if that is another name and the asker may know it.

    A network that was typed is shown to operators of the chatroom only. The latest come first. If not all of
    them fit, the last row is the number of the others.
    """
    if rest:
        return BAD_ARGUMENTS
    state, found = room.state, dict[tuple[object, ...], str]()  # rows, and the present name
    sees_networks = state.role(asker.person, WHOLE_CHATROOM) >= Role.OPERATOR
    for one in reversed(_listed(state, asker.channel, *LISTS)):
        if one.is_address and not sees_networks:
            continue
        whom = one.typed or (_name_listed(state, one.whom) if isinstance(one.whom, int) else one.whom)
        now = new_name(state, one.whom, whom, asker) if isinstance(one.whom, int) else ""
        # A guest is on the list in person and by name: one row.
        row = (LISTS[one.list], whom, state.name_of(one.by), one.when, one.until, one.reason)
        found[row] = now or found.get(row, "")
    rows, left = list[object](), LISTED_BYTES
    for known, now in found.items():
        shown = (*known, now) if now else known
        left -= _ROW_BYTES + sum(len(text.encode()) for text in shown if isinstance(text, str))
        if left < 0:
            break
        rows.append(shown)
    more = len(found) - len(rows)
    return Outcome(Code.OK, (*rows, more) if more else tuple(rows))


def new_name(state: State, person: int, name: str, asker: Asker) -> str:
    """How a person is called now that was called `name`; "": it is the same, or the asker is not told."""
    now = state.name_of(person) if person else ""
    if not now or now == name or name_key(now) == name_key(name):  # nearly always
        return ""
    return now if state.may_follow(asker.person, person) else ""


def _name_listed(state: State, person: int) -> str:
    """Under which name somebody is listed in person: that of the account, which does not change."""
    account = state.account_of(person)
    return account.name if account is not None else state.name_of(person)


_ROW_BYTES = 48  # of a row beside its texts


# --- the table ----------------------------------------------------------------------------------------------


SHORT: Final = {"/kill": "/kick", "/suspend": "/ban", "/unsuspend": "/unban"}
"""Commands that are short for the act of another one, in the whole chatroom."""


def _short(name: str, arguments: str, help: str, prepare: Prepare) -> SlashCommand:
    act = ACTS[SHORT[name]]
    return SlashCommand(name, arguments, help, None, prepare, act.needs, act.login)


_BANS = SlashCommand(
    "/bans", "", "list bans, mutes and exemptions", _bans, needs=Role.OPERATOR, where=Where.PLACE
)
_AIM = "WHO [DURATION] [REASON]"

MODERATION_COMMANDS: tuple[SlashCommand, ...] = (
    acting(
        "/kick",
        "NAME [REASON]",
        "put somebody out of a channel, now; they may come back, /ban keeps them out",
        _kick(),
    ),
    acting(
        "/ban",
        _AIM,
        "put somebody out, and keep them out: NAME, or +NAME for their network; without DURATION for good",
        put("/ban"),
    ),
    acting("/unban", "WHO", "end a ban", take("/unban", BAN_LIST)),
    _BANS,
    acting(
        "/exempt", _AIM, "let no ban and no mute mean somebody; without DURATION for good", put("/exempt")
    ),
    acting("/unexempt", "WHO", "take that back", take("/unexempt", EXEMPT_LIST)),
    acting("/op", "NAME", "make somebody an operator of a channel", _operator("/op")),
    acting("/deop", "NAME", "make an operator a member again", _operator("/deop")),
    _short("/kill", "NAME [REASON]", "end all programs of somebody", _kick(EVERYWHERE)),
    _short(
        "/suspend", _AIM, "ban from the whole chatroom; without DURATION for good", put("/ban", EVERYWHERE)
    ),
    _short("/unsuspend", "WHO", "end that", take("/unban", BAN_LIST, EVERYWHERE)),
)
