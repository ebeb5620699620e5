"""Commands of channels, up to their acts: arguments are read, and keys hashed, in the handler's thread."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.channel_acts import SWITCHES
from chatroom.command import Prepare, SlashCommand, acting
from chatroom.desk import Asker, Desk, Prepared, Room
from chatroom.errors import NameRefused
from chatroom.guard_acts import KEY_SETTING, OFF
from chatroom.limits import KEY_BYTES, LISTED_BYTES, MAX_REASON, MAX_TOPIC
from chatroom.names import channel_as_typed, check_channel, check_name, name_key
from chatroom.outcomes import Code, Outcome
from chatroom.passwords import channel_secret, server_secret
from chatroom.places import EVERYWHERE
from chatroom.preparing import BAD_ARGUMENTS
from chatroom.printable import printable_line
from chatroom.proposals import Act
from chatroom.state import State

SLOW_SETTING = "slow"
"""How /set shows how slow a channel is. /slow sets it."""

REMOVED = "-"
"""As a topic: there is to be none."""


def join(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/join #x [KEY]. Guesses of a key are counted by person: whoever else is there can still join."""
    words = rest.split()
    if not 1 <= len(words) <= 2:
        return BAD_ARGUMENTS
    name = _channel(channel_as_typed(words[0]))
    if isinstance(name, Outcome):
        return name
    key = _key_secret(words[1]) if len(words) > 1 else ""
    if key is None:
        return BAD_ARGUMENTS
    if key:
        is_right = desk.read(lambda state: state.opens(name, key))
        if slow_down := desk.guess(f"{name} {asker.person}", is_right):
            return slow_down
    return _act("/join", asker, name, key)


def channels(room: Room, asker: Asker, rest: str) -> Outcome:
    """Rows: for each channel its name, how many members are here, its topic, the bits of its settings, and
    whether the asker is in. The largest come first. If not all of them fit, the last row is the number of
    the others. Channels that are invite-only are shown to those who are in or may join.
    """
    if rest:
        return BAD_ARGUMENTS
    state = room.state
    shown, number = state.shown_to(asker.person)
    rows, left = list[object](), LISTED_BYTES
    for channel in shown:
        left -= _ROW_BYTES + len(channel.name.encode()) + len(channel.topic.encode())
        if left < 0:
            break
        is_in = state.is_in(asker.person, channel.place)
        rows.append((channel.name, len(channel.members), channel.topic, int(channel.settings), is_in))
    more = number - len(rows)
    return Outcome(Code.OK, (*rows, more) if more else tuple(rows))


_ROW_BYTES = 32  # of a row beside name and topic


def set_topic(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/topic [TEXT]; without a text it shows the topic. Rows: the topic, who set it, and when."""
    if not rest:
        return desk.read(lambda state: _shown_topic(state, asker.channel))
    topic = "" if rest == REMOVED else printable_line(rest).strip()
    if len(topic.encode()) > MAX_TOPIC:
        return Outcome(Code.TOO_LONG, (MAX_TOPIC,))
    return _act("/topic", asker, topic)


def _shown_topic(state: State, name: str) -> Outcome:
    channel = state.channel(name)
    if channel is None:  # it has ended meanwhile
        return Outcome(Code.NO_SUCH_CHANNEL, (name,))
    return Outcome(Code.OK, (channel.topic, channel.topic_by, channel.topic_when))


def set_setting(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/set [NAME VALUE]; without a name it shows the settings. Rows: pairs of name and value."""
    words = rest.split()
    if not words:
        return desk.read(lambda state: _shown_settings(state, asker.channel))
    if len(words) != 2:
        return BAD_ARGUMENTS
    name, value = words[0].lower(), words[1]
    if name == KEY_SETTING and value.lower() != OFF:
        key = _key_secret(value, server_secret if asker.channel == EVERYWHERE else channel_secret)
        return BAD_ARGUMENTS if key is None else _act("/set", asker, name, key)
    return _act("/set", asker, name, value.lower()) if name in (*SWITCHES, KEY_SETTING) else BAD_ARGUMENTS


def _shown_settings(state: State, name: str) -> Outcome:
    if name == EVERYWHERE:
        return Outcome(Code.OK, ((KEY_SETTING, "on" if state.server_key else OFF),))
    channel = state.channel(name)
    if channel is None:
        return Outcome(Code.NO_SUCH_CHANNEL, (name,))
    rows = [(KEY_SETTING, "on" if channel.key else "off")]
    rows += [(name, one.on if one.setting in channel.settings else one.off) for name, one in SWITCHES.items()]
    rows.append((SLOW_SETTING, str(channel.slow) if channel.slow else "off"))
    return Outcome(Code.OK, tuple(rows))


def move(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/move #NEW"""
    name = _channel(rest) if rest else BAD_ARGUMENTS
    return name if isinstance(name, Outcome) else _act("/move", asker, name)


def _with_reason(command: str) -> Prepare:
    def prepare(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        reason = printable_line(rest)
        if len(reason.encode()) > MAX_REASON:
            return Outcome(Code.TOO_LONG, (MAX_REASON,))
        return _act(command, asker, reason)

    return prepare


def _with_name(command: str) -> Prepare:
    def prepare(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        try:
            return _act(command, asker, name_key(check_name(rest)))
        except NameRefused:
            return Outcome(Code.BAD_NAME) if rest else BAD_ARGUMENTS

    return prepare


# --- arguments ----------------------------------------------------------------------------------------------


def _act(command: str, asker: Asker, *arguments: str | int) -> Prepared:
    return Prepared(Act(command, asker.channel, arguments))


def _channel(text: str) -> str | Outcome:
    """A channel as joining writes it."""
    try:
        return check_channel(text)
    except NameRefused as refused:
        return Outcome(Code.BAD_NAME, (str(refused),))


def _key_secret(key: str, secret: Callable[[str], str] = channel_secret) -> str | None:
    """What is stored of a key; None: it is too long."""
    return secret(key) if len(key.encode(errors="replace")) <= KEY_BYTES else None


def _has_key(at: int) -> Callable[[str], bool]:
    """Whether the arguments have a key. at: index of the word"""
    return lambda rest: len(rest.split()) > at


def _sets_key(rest: str) -> bool:
    words = rest.lower().split()
    return words[:1] == [KEY_SETTING] and words[1:] != ["off"]


CHANNEL_COMMANDS: tuple[SlashCommand, ...] = (
    acting("/join", "#CHANNEL [KEY]", "be in a channel, too", join, _has_key(1)),
    acting(
        "/leave",
        "[REASON]",
        "leave a channel",
        _with_reason("/leave"),
        elsewhere=True,
        aliases=("/part",),
    ),
    SlashCommand("/channels", "", "list the channels", channels, aliases=("/list",)),
    acting("/topic", "[TEXT]", f"show or set the topic; {REMOVED} removes it", set_topic, elsewhere=True),
    acting(
        "/set",
        "[NAME VALUE]",
        "show or change the settings: key WORD|off, invite-only, moderated, kept on|off, history all|joined",
        set_setting,
        _sets_key,
        elsewhere=True,
    ),
    acting("/invite", "NAME", "let somebody join without a key, or (*) come in", _with_name("/invite")),
    acting("/uninvite", "NAME", "take an invitation back", _with_name("/uninvite")),
    acting(
        "/voice",
        "NAME",
        "let somebody speak while the channel is quiet (/hush)",
        _with_name("/voice"),
        elsewhere=True,
    ),
    acting("/unvoice", "NAME", "take that back", _with_name("/unvoice"), elsewhere=True),
    acting("/transfer", "NAME", "make somebody else the owner", _with_name("/transfer"), elsewhere=True),
    acting("/move", "#NEWNAME", "give the channel another name", move),
    acting(
        "/close",
        "[REASON]",
        "end the channel for all, with what was said, its bans and its log; /hush only makes it quiet",
        _with_reason("/close"),
        elsewhere=True,
    ),
)
