"""/help at a terminal: the client's own commands and those of the server in the same pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from chatroom.events import Event
from chatroom.help_page import GROUPS, HOW_TO_ASK, NARROW_COLUMNS, Entry, about, group_named, page
from chatroom.outcomes import Code
from chatroom.packets import Answer
from chatroom.table import MARGIN, table, wrapped
from client.conversing import Conversing, LocalCommand
from client.requests import rows_of
from views.limits import PLAIN_COLUMNS

KEYS: Final = "keys"
"""What /help explains beside commands and groups."""

ON_KEYS: Final = (
    ("Enter", "send the line; Alt-Enter makes a line end"),
    ("Tab", "complete a command, a name or a channel"),
    ("Up, Down", "lines that you have sent"),
    ("Alt-1 to Alt-9", "the place with this number"),
    ("Alt-A", "the next place with something unread"),
    ("PageUp", "on an empty line: earlier lines; again: those before them"),
    ("Alt-N, Alt-P", "the next and the previous line that /grep has found"),
    ("Ctrl-W, -U", "delete a word, or all up to the cursor; Ctrl-_ takes that back"),
    ("Ctrl-L", "paint the screen again; Ctrl-Z goes to the shell"),
    ("Ctrl-C", "empty the line (Up brings it back); on an empty line, twice leaves"),
    ("//x", "say /x"),
    (">", "before a name: somebody calls you, or tells you something in private"),
)
"""The keys, and what they do."""

_COMMAND: Final = re.compile(r"^(/[a-z]{1,24})(?![a-z])", re.MULTILINE)  # in the words of an answer

_PLACE: Final = re.compile(r" \[#CHANNEL(\|\*)?\](?= )")
"""An argument that may stand before those of a command."""

_LEAST: Final = 20
"""Columns of the page on a screen that is too narrow for it."""


def help_of(commands: Sequence[LocalCommand], conversation: Conversing, wanted: str) -> None:
    """Show the page of all commands; or what is known of a command, a group or the keys.

    commands: the client's own
    """
    word = wanted.lower().lstrip("/")
    if word == KEYS:
        keys = table(ON_KEYS, conversation.view.page_columns)
        conversation.tell("/help", "\n".join(["the keys:", *keys]))
        return
    own = next((one for one in commands if f"/{word}" in (one.name, *one.aliases)), None)
    if own is not None:
        conversation.tell("/help", about(own.entry))
        return
    mine, columns = [command.entry for command in commands], conversation.view.table_columns
    group = group_named(wanted)

    def told(answer: Answer, _: tuple[Event, ...]) -> None:
        entries = entries_of(rows_of(answer.rows))
        _learn(conversation, answer, entries)
        is_command = [entry.name for entry in entries] == [f"/{word}"] and word != group  # as /back
        if wanted and (not group or is_command):
            conversation.tell("/help", about(entries[0]) if len(entries) == 1 else answer.words)
        elif wanted:
            inside = [entry for entry in merged(mine, entries) if entry.group == group]
            page = _group(group, inside, conversation.view.page_columns)
            conversation.tell("/help", page if inside else answer.words)
        else:
            conversation.tell("/help", _whole(merged(mine, entries), columns))
            if answer.code != Code.OK or not entries:  # an older server, which says it in its own words
                conversation.tell("/help", answer.words)

    conversation.speech.ask(f"/help {wanted}".rstrip(), told)


def learn_commands(conversation: Conversing) -> None:
    """Let Tab complete the server's commands. Nothing is shown, whatever an older server answers."""

    def told(answer: Answer, _: tuple[Event, ...]) -> None:
        if answer.code == Code.OK:
            _learn(conversation, answer, entries_of(rows_of(answer.rows)))

    conversation.speech.ask("/help", told, quiet=True)


def _learn(conversation: Conversing, answer: Answer, entries: Sequence[Entry]) -> None:
    learned = [entry.name for entry in entries] or _COMMAND.findall(answer.words)
    conversation.view.completer.learn(list(dict.fromkeys(learned)))


def merged(mine: Iterable[Entry], servers: Iterable[Entry]) -> list[Entry]:
    """Both, each command once, in the order of the groups. The client's own word counts."""
    found = {entry.name: entry for entry in mine}
    for entry in servers:
        found.setdefault(entry.name, entry)
    order = {group: number for number, group in enumerate(GROUPS)}
    return sorted(found.values(), key=lambda entry: order.get(entry.group, len(order)))


def entries_of(rows: Sequence[object]) -> list[Entry]:
    """The rows of the server's answer that are texts; a newer server may tell more, an older one less."""
    found = []
    for row in rows:
        if isinstance(row, list) and len(row) >= len(Entry._fields):
            values = row[: len(Entry._fields)]
            if all(isinstance(value, str) for value in values) and values[0].startswith("/"):
                found.append(Entry(*values))
    return found


def _group(group: str, entries: Sequence[Entry], columns: int | None) -> str:
    """Without what stands in nearly each usage: with it, the commands would take two rows each."""
    rows = table([(_PLACE.sub("", entry.usage), entry.help) for entry in entries], columns)
    places = {found[0] for entry in entries if (found := _PLACE.search(entry.usage))}
    everywhere = " (or * for the whole chatroom)" if any("*" in place for place in places) else ""
    more = f"before the arguments may stand #CHANNEL{everywhere}, to act in another one"
    return "\n".join([f"{group}:", *rows, *(wrapped(more, columns or PLAIN_COLUMNS) if places else ())])


def _whole(entries: Sequence[Entry], columns: int | None) -> str:
    room = PLAIN_COLUMNS if columns is None else max(columns - len(MARGIN), _LEAST)
    margin = MARGIN if room >= NARROW_COLUMNS else ""
    rows = [f"{margin}{row}" for row in page(entries, room).split("\n")]
    more = wrapped(f"{HOW_TO_ASK}, /help {KEYS} the keys", room + len(MARGIN))
    return "\n".join(["all commands, by group:", *rows, *more])
