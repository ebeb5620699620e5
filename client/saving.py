"""/save: a long text goes into a new file, as it was said."""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Final

from chatroom.names import name_key
from client.conversing import Conversing
from views.cut_texts import CutText

USAGE: Final = (
    "usage: /save FILE takes the latest text of several lines, /save NAME FILE that of one person, "
    "/save N FILE the text that was cut with the number N"
)

_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_DRIVING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that control a terminal, or the direction in which it writes."""


NO_CHANNEL: Final = (
    "/save takes a text, not a channel: /save NAME FILE takes the latest of several lines of one person\n"
    "a whole channel, in a shell:\n"
    "  chatroom-client HOST --name log --channel {0} --history 1000 </dev/null >FILE"
)


def text_number(word: str) -> int | None:
    """The number of a text that was cut, as the user has typed it; None: it is none."""
    return int(word) if _NUMBER.fullmatch(word) else None


def save(conversation: Conversing, argument: str) -> None:
    """Write a text that was cut, or the latest of several lines, into a file that is not there yet."""
    first, _, rest = argument.partition(" ")
    if first.startswith("#"):
        conversation.tell("/save", NO_CHANNEL.format(first[1:]))
        return
    number = text_number(first)
    file = argument if number is None else rest.strip()
    texts = conversation.view.cut_texts
    said = texts.block if number is None else texts.whole(number)
    none = "nobody has said a text of several lines yet"
    if number is not None:
        none = _missing(number, texts.was_cut(number))
    elif first.startswith("@") or texts.block_of(first) is not None or _is_here(conversation, first):
        name = first.removeprefix("@")
        said, file, none = texts.block_of(name), rest.strip(), f"{name} has said no text of several lines"
    conversation.tell("/save", USAGE if not file else none if said is None else _saved(said, file))


def _missing(number: int, was_cut: bool) -> str:
    if was_cut:
        return "there is no such text any more"
    return f"no text that was cut has the number {number}; /save FILE takes the latest of several lines"


def _is_here(conversation: Conversing, name: str) -> bool:
    """Whether somebody in the place on the screen is called so."""
    key = name_key(name)
    return bool(key) and any(name_key(member.name) == key for member in conversation.client.members())


def _saved(said: CutText, file: str) -> str:
    """Write the file, which ends with a line end; what to tell the user."""
    path = os.path.expanduser(file)
    try:
        data = said.data if said.data.endswith(b"\n") else said.data + b"\n"
        write_new(Path(path), data)
    except FileExistsError:
        return f"not saved: {path} is there already; choose another name"
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        return f"not saved, {getattr(error, 'strerror', None) or error}: {path}"
    lines = said.text.count("\n") + (not said.text.endswith("\n"))
    what = f"text {said.number}" if said.number else "the latest text"
    whose = f" of {said.author}" if said.author else ""
    told = f"saved {what}{whose}, {lines:,} line{'' if lines == 1 else 's'} ({len(data):,} bytes), to {path}"
    is_raw = _DRIVING.search(said.text.replace("\r\n", "\n"))
    return f"{told}; it has control characters, so look at it in an editor" if is_raw else told


def write_new(path: Path, data: bytes) -> None:
    """Make a file that holds these bytes. Raises FileExistsError, OSError, ValueError; then it makes none."""
    out = path.open("xb")
    try:
        with out:
            out.write(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise
