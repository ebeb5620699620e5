"""Slash commands, as data: /help prints the table, and the dispatcher looks commands up in it.

A command gives an outcome: a code and rows. Each door finds its own words for them. Commands that only look
run between two rounds of the forwarder, where they see one consistent state. The others become acts: the
handler prepares what needs random numbers or time, and the act takes its place in the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from typing import NamedTuple

from chatroom.account_commands import ACCOUNT_COMMANDS
from chatroom.act import Where
from chatroom.channel_commands import CHANNEL_COMMANDS
from chatroom.classroom_commands import CLASSROOM_COMMANDS
from chatroom.command import SlashCommand
from chatroom.desk import Asker, Room
from chatroom.erase_commands import ERASE_COMMANDS
from chatroom.errors import NameRefused
from chatroom.guard_commands import GUARD_COMMANDS
from chatroom.help_page import EXAMPLES, GROUP_OF, Entry, group_named
from chatroom.history_commands import HISTORY_COMMANDS
from chatroom.inspect_commands import INSPECT_COMMANDS
from chatroom.limits import CHANNEL_BYTES, MAX_LISTED
from chatroom.moderation_commands import MODERATION_COMMANDS
from chatroom.names import channel_as_typed, check_channel
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.people_commands import PEOPLE_COMMANDS
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM, Channel
from chatroom.session import Phase
from chatroom.speech_commands import SPEECH_COMMANDS
from chatroom.state import State
from chatroom.synonyms import SYNONYMS
from chatroom.trace_commands import TRACE_COMMANDS


class Permitted(NamedTuple):
    """A command that is to be prepared. Who asks may give it, as things are now."""

    command: SlashCommand
    asker: Asker
    rest: str

    def __repr__(self) -> str:
        return f"Permitted({self.command.name})"


def find(text: str, commands: Mapping[str, SlashCommand] | None = None) -> tuple[SlashCommand | None, str]:
    """The command of a line such as `/sessions end 2`, or None; and its arguments, without outer spaces.

    An alias counts as its command.
    """
    table = _BY_NAME if commands is None else commands
    first, _, rest = text.partition(" ")
    rest = rest.strip()
    second, _, after = rest.partition(" ")
    longer = table.get(f"{first} {second}".lower())
    if longer is not None:
        return longer, after.strip()
    return table.get(first.lower()), rest


def nearest(word: str) -> str:
    """The command or alias that was probably meant by a word with its slash; "": none is like it.

    First what other chats call it. Else the word was mistyped: the measure is that of Python's difflib, how
    many letters two words have in common, in the same order.
    """
    if len(word) > _LONGEST:  # also bounds the time
        return ""
    typed = word.lower().removeprefix("/")
    if typed in SYNONYMS:
        return SYNONYMS[typed]
    found = get_close_matches(typed, [name[1:] for name in _BY_NAME], 1)
    return f"/{found[0]}" if found else ""


def name_of(text: str) -> str:
    """The name of the command in a line such as `/who #general`."""
    command, _ = find(text)
    return command.name if command else text.partition(" ")[0].lower()


def run(
    room: Room, asker: Asker, text: str, commands: Mapping[str, SlashCommand] | None = None
) -> Outcome | Permitted:
    """The one dispatcher: what a line such as `/who #general` finds out, or why it is refused.

    A command that is to be prepared is returned: who asks may give it as things are now. The state judges
    again when it applies the act.
    """
    command, rest = find(text, commands)
    if command is None:
        typed = text.partition(" ")[0]
        return Outcome(Code.NO_SUCH_COMMAND, (typed, nearest(typed)))
    if command.where is not Where.CHATROOM:
        first, _, after = rest.partition(" ")
        if first == EVERYWHERE and command.where is Where.PLACE:
            asker, rest = asker._replace(channel=EVERYWHERE), after.strip()
        else:
            if (command.elsewhere or command.where is Where.PLACE) and first.startswith("#"):
                asker, rest = asker._replace(channel=first), after.strip()
            asker = asker._replace(channel=_channel(asker.channel))
    refused = room.state.refusal(asker.person, command.name, command, asker.channel)
    if refused is not None:
        return refused
    return Permitted(command, asker, rest) if command.look is None else command.look(room, asker, rest)


def _help(room: Room, asker: Asker, wanted: str) -> Outcome:
    """Rows: see `Entry`. Without an argument: the commands that the asker may give now; with a group: those
    of it; with a command: this one, whoever may give it. `channels` is a group, `/channels` a command."""
    if not wanted:
        return _entries(room, asker, [name for name, group in GROUP_OF.items() if group])
    group = group_named(wanted)
    command, rest = find("/" + wanted.lstrip("/"))
    if command is not None and not (group and (rest or wanted.lower() == group)):
        return Outcome(Code.OK, (tuple(_entry(command)),))
    if group:
        return _entries(room, asker, [name for name, its in GROUP_OF.items() if its == group])
    typed = "/" + wanted.split()[0].lstrip("/")
    return Outcome(Code.NO_SUCH_COMMAND, (typed, nearest(typed)))


def _entries(room: Room, asker: Asker, names: list[str]) -> Outcome:
    """Of these commands, those that the asker may give now."""
    state, commands = room.state, [COMMANDS[name] for name in names]
    return Outcome(Code.OK, tuple(tuple(_entry(one)) for one in commands if _may(state, asker, one)))


def _entry(command: SlashCommand) -> Entry:
    return Entry(
        command.usage,
        command.help,
        GROUP_OF[command.name],
        EXAMPLES[command.name],
        " ".join(command.aliases),
        f"{command.needs.name.lower()}s" if command.needs > Role.MEMBER else "accounts" * command.login,
    )


def _may(state: State, asker: Asker, command: SlashCommand) -> bool:
    """Whether the asker's role and account allow the command, where the asker is now or everywhere."""
    has_account = state.account_of(asker.person) is not None
    if (command.login and not has_account) or (command.name == "/register" and has_account):
        return False
    channel = None if command.where is Where.CHATROOM else state.channel(_channel(asker.channel))
    place = channel.place if channel is not None else WHOLE_CHATROOM
    return state.role(asker.person, place) >= command.needs


def _who(room: Room, asker: Asker, name: str) -> Outcome:
    """Rows: the channel, then name and phase of each member: "here", or "lost" while its connection is; and
    of those with an account who are in, but not in the chatroom at present, name and "absent".

    Of more than MAX_LISTED members those that came first; then the last row is the number of the others. In a
    counted channel nobody is listed, and that number is of all who are here.
    """
    wanted = _channel(channel_as_typed(name) or asker.channel)
    channel = room.state.channel(wanted)
    if channel is None or not room.state.shows(channel, asker.person):
        return Outcome(Code.NO_SUCH_CHANNEL, (wanted,))
    listed = islice(channel.members, 0 if channel.counted else MAX_LISTED)
    members = [room.state.members[person] for person in listed]
    members.sort(key=lambda member: member.name_key)
    more = len(channel.members) - len(members)
    rows = [(member.name, str(member.phase)) for member in members]
    if not channel.counted:
        rows += _absent(room, channel, MAX_LISTED - len(rows))
    return Outcome(Code.OK, (wanted, *rows, more) if more else (wanted, *rows))


def _absent(room: Room, channel: Channel, most: int) -> list[tuple[str, str]]:
    """Name and phase of those who are in, and not in the chatroom at present, in order of their names.

    Over the years there may be thousands, so it looks at no more than it shows: those who left first.
    """
    listed = islice(channel.absent, max(0, most))
    accounts = [account for person in listed if (account := room.state.account_of(person))]
    accounts.sort(key=lambda account: account.name_key)
    return [(account.name, str(Phase.ABSENT)) for account in accounts]


def _channel(name: str) -> str:
    """The channel as joining writes it; one that cannot be, with the first characters as they were typed."""
    try:
        return check_channel(name)
    except NameRefused:
        return name[:CHANNEL_BYTES]


def _stats(room: Room, _asker: Asker, _rest: str) -> Outcome:
    return Outcome(Code.OK, tuple(room.numbers.items()))


COMMANDS: dict[str, SlashCommand] = {
    command.name: command
    for command in (
        SlashCommand("/help", "[COMMAND]", "list the commands, or explain one", _help),
        SlashCommand("/who", "[#CHANNEL]", "list the members of a channel", _who, aliases=("/names", "/w")),
        SlashCommand("/stats", "", "tell how the server is doing", _stats),
        *CHANNEL_COMMANDS,
        *MODERATION_COMMANDS,
        *CLASSROOM_COMMANDS,
        *SPEECH_COMMANDS,
        *PEOPLE_COMMANDS,
        *HISTORY_COMMANDS,
        *ACCOUNT_COMMANDS,
        *GUARD_COMMANDS,
        *ERASE_COMMANDS,
        *INSPECT_COMMANDS,
        *TRACE_COMMANDS,
    )
}
"""By their names."""

_BY_NAME: dict[str, SlashCommand] = {
    **COMMANDS,
    **{alias: command for command in COMMANDS.values() for alias in command.aliases},
}
"""By their names and aliases."""

_LONGEST = 2 * max(map(len, _BY_NAME))
"""Characters of a word that can be a mistyped command."""
