"""What /help says of each command beside its usage: the group, an example; and the pages made of that.

The server uses it for its answer, and a client to put its own commands into the same pages.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

GROUPS: Final = (
    *("talking", "channels", "people", "looking back"),
    *("your account", "class", "moderation", "roles", "chatroom", "server"),
)
"""In the order of the page: what everybody needs first. Each has a page that fits a screen of 24 lines."""

PAGE_COLUMNS: Final = 76
"""Columns of the page where nobody knows the screen: a row of 80, less the mark before an answer."""

NARROW_COLUMNS: Final = 48
"""On a page with less, a column for the groups would leave room for two commands in a row."""

HOW_TO_ASK: Final = "/help join explains a command, /help channels a group"
"""Stands below the page."""

_GAP: Final = "  "

GROUP_OF: Final[dict[str, str]] = {
    **dict.fromkeys(("/query", "/invite"), "talking"),
    **dict.fromkeys(("/channels", "/join", "/leave", "/topic", "/set", "/move", "/close"), "channels"),
    **dict.fromkeys(("/who", "/whois", "/seen", "/away", "/back", "/nick"), "people"),
    **dict.fromkeys(("/ignore", "/unignore", "/ignored", "/direct"), "people"),
    **dict.fromkeys(("/history", "/grep", "/context"), "looking back"),
    **dict.fromkeys(("/register", "/passwd", "/unregister", "/recover"), "your account"),
    **dict.fromkeys(("/sessions", "/sessions end", "/owner"), "your account"),
    **dict.fromkeys(("/ask", "/hand", "/hands", "/hush", "/next", "/poll", "/vote", "/reveal"), "class"),
    **dict.fromkeys(("/kick", "/ban", "/unban", "/bans", "/mute", "/unmute", "/slow"), "moderation"),
    **dict.fromkeys(("/exempt", "/unexempt", "/log"), "moderation"),
    **dict.fromkeys(("/voice", "/unvoice", "/uninvite", "/op", "/deop", "/transfer"), "roles"),
    **dict.fromkeys(("/kill", "/suspend", "/unsuspend", "/announce"), "chatroom"),
    **dict.fromkeys(("/guard", "/erase", "/code"), "chatroom"),
    **dict.fromkeys(("/help", "/stats", "/inspect", "/time", "/trace"), "server"),
    **dict.fromkeys(("/device", "/read"), ""),  # programs give them, not persons
}
"""The group of each command of the server. A command without a group stands on no page."""

EXAMPLES: Final[dict[str, str]] = {
    "/help": "/help join",
    "/who": "/who #general",
    "/stats": "/stats",
    "/join": "/join #lunch",
    "/leave": "/leave see you tomorrow",
    "/channels": "/channels",
    "/topic": "/topic Homework is due on Friday",
    "/set": "/set moderated on",
    "/invite": "/invite bob",
    "/uninvite": "/uninvite bob",
    "/voice": "/voice bob",
    "/unvoice": "/unvoice bob",
    "/transfer": "/transfer bob",
    "/move": "/move #lunch-2",
    "/close": "/close #lunch the project is over",
    "/kick": "/kick mallory please calm down",
    "/ban": "/ban mallory 2h flooding",
    "/unban": "/unban mallory",
    "/bans": "/bans",
    "/exempt": "/exempt +bob",
    "/unexempt": "/unexempt +bob",
    "/op": "/op bob",
    "/deop": "/deop bob",
    "/kill": "/kill mallory spam",
    "/suspend": "/suspend mallory 7d spam",
    "/unsuspend": "/unsuspend mallory",
    "/mute": "/mute mallory 10m too loud",
    "/unmute": "/unmute mallory",
    "/slow": "/slow 10",
    "/hush": "/hush off",
    "/announce": "/announce The server restarts at noon",
    "/log": "/log 20",
    "/hand": "/hand",
    "/hands": "/hands",
    "/next": "/next",
    "/poll": "/poll Where do we eat? | canteen | park",
    "/vote": "/vote 2",
    "/reveal": "/reveal",
    "/ask": "/ask Could you explain recursion again?",
    "/nick": "/nick ann2",
    "/away": "/away at lunch",
    "/back": "/back",
    "/ignore": "/ignore mallory",
    "/unignore": "/unignore mallory",
    "/ignored": "/ignored",
    "/direct": "/direct shared",
    "/query": "/query bob",
    "/seen": "/seen bob",
    "/time": "/time",
    "/history": "/history 50",
    "/grep": "/grep exam room from:ann since:2d",
    "/context": "/context 2, or /context 2 10 for ten lines before it and ten behind it",
    "/read": "/read 1234",
    "/whois": "/whois bob",
    "/sessions": "/sessions",
    "/sessions end": "/sessions end 2",
    "/register": "/register, then the password is asked for",
    "/passwd": "/passwd, then both passwords are asked for",
    "/unregister": "/unregister, then the password is asked for",
    "/recover": "/recover ann, then the code is asked for",
    "/device": "/device laptop",
    "/owner": "/owner, then the code is asked for",
    "/code": "/code bob",
    "/guard": "/guard newcomers 5",
    "/erase": "/erase mallory",
    "/inspect": "/inspect",
    "/trace": "/trace hello, who reads this?",
}
"""One for each command of the server."""


DETAILS: Final[dict[str, tuple[str, ...]]] = {
    "/set": (
        "key WORD: who joins needs this word; key off: nobody does",
        "invite-only on: only those may join whom an operator has let in by /invite NAME",
        "moderated on: only operators and those with voice speak; /voice NAME gives it",
        "kept on: the channel stays when its last member leaves (for operators of the chatroom)",
        "history joined: who joins reads only what is said from then on; all: from the beginning",
        "off (for history: all) ends each; /set alone tells how all are set",
    ),
    "/history": (
        "before:SEQ: lines that are older than the one with this number; each page tells that for the next",
        "in:#CHANNEL, in:@NAME: of another place of yours",
    ),
    "/grep": (
        "from:NAME: only what this one said",
        "in:#CHANNEL, in:@NAME: only what was said there",
        "since:2h, since:3d, since:2026-01-31: only what is not older",
        "before:SEQ: only lines older than the one with this number; each page tells that for the next",
    ),
}
"""What /help tells of the arguments of a command, where one line is too short for it."""


class Entry(NamedTuple):
    """What is told of one command. On the wire it is a row with these values, in this order.

    usage:   with arguments
    help:    one line
    group:   one of GROUPS; of another one, as a newer server may have, the command stands last
    who:     who may give it, as "operators"; "": everybody
    aliases: with blanks between them
    """

    usage: str
    help: str
    group: str = ""
    example: str = ""
    aliases: str = ""
    who: str = ""

    @property
    def name(self) -> str:
        """The command without its arguments."""
        first, *more = self.usage.split()
        return (
            f"{first} {more[0]}"
            if more and more[0].isascii() and more[0].isalpha() and more[0].islower()
            else first
        )


def page(entries: Iterable[Entry], columns: int = PAGE_COLUMNS) -> str:
    """All commands by their names, in groups; with less than NARROW_COLUMNS the groups have no column."""
    groups: dict[str, list[str]] = {group: [] for group in GROUPS}
    for entry in entries:
        if entry.group and " " not in entry.name:  # `/sessions end` is in the page of its group
            groups.setdefault(entry.group, []).append(entry.name)
    width = max(map(len, groups))
    is_narrow = columns < NARROW_COLUMNS
    rows = list[str]()
    for group, names in groups.items():
        if names:
            rows += textwrap.wrap(
                " ".join(dict.fromkeys(names)),
                max(columns, 2 * width),
                initial_indent=f"{group}: " if is_narrow else f"{group:{width}}{_GAP}",
                subsequent_indent=_GAP if is_narrow else " " * (width + len(_GAP)),
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join(rows)


def group_page(entries: Sequence[Entry]) -> str:
    """The commands of a group, each with its arguments and a line about it."""
    width = max((len(entry.usage) for entry in entries if len(entry.usage) <= _USAGE_COLUMNS), default=0)
    rows = []
    for entry in entries:
        if len(entry.usage) > _USAGE_COLUMNS:
            rows.append(f"{entry.usage}\n{'':{width}}{_GAP}{entry.help}")
        else:
            rows.append(f"{entry.usage:{width}}{_GAP}{entry.help}")
    return "\n".join(rows)


_USAGE_COLUMNS = 24  # a longer usage has a row of its own, so that the others stay beside their lines


def about(entry: Entry) -> str:
    """All that is known of one command."""
    rows = [entry.usage, f"{_GAP}{entry.help}"]
    rows += [f"{_GAP}{detail}" for detail in DETAILS.get(entry.name, ())]
    if entry.example:
        rows.append(f"{_GAP}for example: {entry.example}")
    if entry.aliases:
        rows.append(f"{_GAP}also: {', '.join(entry.aliases.split())}")
    if entry.who:
        rows.append(f"{_GAP}only for {entry.who}")
    return "\n".join(rows)


def group_named(word: str) -> str:
    """The group that is meant by a word, such as `people` or `account`; "": none is."""
    word = word.lower()
    return next((group for group in GROUPS if word and word in (group, *group.split())), "")
