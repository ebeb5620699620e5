"""Commands about lines that call the user: /mentions, /keyword and /bell."""

from __future__ import annotations

from chatroom.errors import ConfigError
from chatroom.events import Event
from chatroom.moments import local_time
from chatroom.table import table
from client.conversing import Conversing
from client.limits import CALL_CHARACTERS, SHOWN_CALLS
from client.preferences import Bell, Preferences
from views import one_line


def mentions(conversation: Conversing, argument: str) -> None:
    """List the latest lines that called the user, the latest last."""
    if argument and not (argument.isascii() and argument.isdecimal() and 0 < int(argument[:9]) < 10**6):
        conversation.tell("/mentions", "/mentions [N]: the last N lines that called you")
        return
    found = _found(conversation)
    if not found:
        name = conversation.client.name
        conversation.tell(
            "/mentions",
            f"nobody has called you since you came; /grep {name} looks for it in all that was said",
        )
        return
    shown = found[-int(argument or SHOWN_CALLS) :]
    conversation.back.listed([line.seq for line in reversed(shown)])
    numbers = range(len(shown), 0, -1)  # as those of /grep: 1 is the latest
    rows = table(
        [(f"{number}.", *_row(line)) for number, line in zip(numbers, shown, strict=True)],
        conversation.view.table_columns,
    )
    lines = "last line" if len(shown) == 1 else f"last {len(shown):,} lines"
    on = f"/go {shown[-1].channel} goes there, /context 1 shows the lines around it; so does the key Alt-N"
    conversation.tell("/mentions", "\n".join([f"the {lines} that called you", *rows, on]))


def _found(conversation: Conversing) -> list[Event]:
    """The lines as they are now, edited ones, too; not those that were deleted or left no trace."""
    places = conversation.places
    lines = [places.known(call.place, call.seq) for call in conversation.calls.latest]
    return [line for line in lines if line is not None and line.text and line.person not in places.ignored]


def _row(line: Event) -> tuple[str, str, str]:
    text = one_line(line.text)
    text = text if len(text) <= CALL_CHARACTERS else f"{text[: CALL_CHARACTERS - 1]}…"
    return f"{local_time(line.time):%d %b %H:%M}", line.channel, f"{one_line(line.author)}: {text}"


def keyword(conversation: Conversing, argument: str) -> None:
    """Add or remove a word that calls the user, or list these words."""
    do, _, word = argument.partition(" ")
    try:
        said = _keyword(conversation.calls.preferences, do.lower(), one_line(word).strip())
    except ConfigError as error:
        said = str(error)
    conversation.view.keywords = conversation.calls.preferences.keywords
    conversation.tell("/keyword", said)


def _keyword(preferences: Preferences, do: str, word: str) -> str:
    match do:
        case "" | "list" if preferences.keywords:
            return f"you are called by your name, and by: {', '.join(preferences.keywords)}"
        case "" | "list":
            return "you are called by your name only; /keyword add WORD adds a word"
        case "add" if word:
            return f"{word} calls you {'now' if preferences.add(word) else 'already'}"
        case "remove" if word:
            return f"{word} {'calls you no more' if preferences.remove(word) else 'is no keyword of yours'}"
    return "/keyword add WORD, /keyword remove WORD, or /keyword list"


def bell(conversation: Conversing, argument: str) -> None:
    """Set when the terminal rings, or tell it."""
    preferences = conversation.calls.preferences
    if argument.lower() not in ("", *Bell):
        conversation.tell("/bell", "/bell off, /bell mention, or /bell all")
        return
    try:
        if argument:
            preferences.ring(Bell(argument.lower()))
    except ConfigError as error:
        conversation.tell("/bell", str(error))
    conversation.tell("/bell", _BELLS[preferences.bell])


_BELLS = {
    Bell.OFF: "the terminal does not ring",
    Bell.MENTION: "the terminal rings when a line calls you",
    Bell.ALL: "the terminal rings at every line",
}
