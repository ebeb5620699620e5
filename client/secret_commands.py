"""Slash commands with passwords, codes or keys: how they are written on the wire, and shown without them.

A secret travels percent-encoded (RFC 3986), so it may hold spaces; one without spaces and `%` is what it was.
"""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple
from urllib.parse import quote

from chatroom.errors import ConfigError
from chatroom.places import EVERYWHERE
from client.attempt import NOT_TEXT, is_text

HIDDEN: Final = "\u2026"
"""Stands for what is not shown."""


class Shape(NamedTuple):
    """The arguments of a command: first those that everybody may see, then the secrets."""

    open: int
    secrets: int


SHAPES: Final = {
    "/register": Shape(0, 1),
    "/unregister": Shape(0, 1),
    "/passwd": Shape(0, 2),
    "/recover": Shape(1, 2),
    "/owner": Shape(0, 1),
    "/login": Shape(1, 1),
}
"""The commands with secrets. The last one may have spaces: it is the rest of the line."""

_LONGEST: Final = 32  # characters: no command is so long


def word_of(text: str) -> str:
    """The first word of a line as commands are written: in lower case, and not with wide letters or slashes,
    which the keyboards of East Asia make. It may be cut, when it is longer than any command."""
    words = text.split(None, 1)
    return _as_command(words[0]) if words else ""


def _as_command(word: str) -> str:
    return unicodedata.normalize("NFKC", word[:_LONGEST]).lower()


def split(text: str) -> tuple[str, list[str], list[str]]:
    """The command in lower case, its open arguments, and its secrets as they were typed.

    A command that is not in SHAPES has one open argument, the rest of the line.
    """
    typed, *rest = text.split(None, 1)
    word = word_of(text)
    shape = SHAPES.get(word, Shape(1, 0))
    if sum(shape) == 1:
        arguments = [argument.strip() for argument in rest]
    else:
        arguments = rest[0].strip().split(None, sum(shape) - 1) if rest else []
    return (word if word in SHAPES else typed.lower()), arguments[: shape.open], arguments[shape.open :]


def has_secrets(text: str) -> bool:
    """Whether a line holds what must not be shown again, nor go over a connection that is not encrypted."""
    return bool(text.strip()) and (bool(split(text)[2]) or _key_at(text.split()) > 0)


def lacks_key(text: str) -> bool:
    """Whether a line would set a key, and does not say it: `/set key`, `/set #x key`, `/set * key`."""
    words = text.split()
    return words[:1] == ["/set"] and len(words) < _MOST_OF_SET and _key_at([*words, HIDDEN]) == len(words)


_MOST_OF_SET: Final = 4  # words: the command, the place, the name, the key


def _key_at(words: list[str]) -> int:
    """Which word of a line is a key: `/join #x KEY`, `/set [#x] key WORD`, `/set * key WORD`. 0: none"""
    word, *rest = map(_as_command, words[:_MOST_OF_SET])
    if word == "/join" and len(rest) > 1:
        return 2
    at = 1 if rest and (rest[0].startswith("#") or rest[0] == EVERYWHERE) else 0
    sets_key = word == "/set" and len(rest) > at + 1 and rest[at] == "key"
    return at + 2 if sets_key and words[at + 2].lower() != "off" else 0


def concealed(text: str) -> str:
    """The line with its secrets left out; other lines as they are."""
    if not has_secrets(text):
        return text
    words = text.split()
    if at := _key_at(words):
        return " ".join([words[0].lower(), *words[1:at], HIDDEN])
    word, shown, secrets = split(text)
    return " ".join([word, *shown, *([HIDDEN] * len(secrets))])


def compose(word: str, shown: list[str], secrets: list[str]) -> str:
    """A command line for the server. Raises ConfigError for a secret that is not valid text."""
    if not all(map(is_text, secrets)):
        raise ConfigError(NOT_TEXT)
    return " ".join([word, *shown, *(quote(secret, safe="") for secret in secrets)])


def as_sent(text: str) -> str:
    """A line for the server, as `split` understands it: its secrets may have spaces. Raises as `compose`."""
    word, shown, secrets = split(text)
    return compose(word, shown, secrets) if secrets else text
