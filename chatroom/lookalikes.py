"""Which names look alike: scripts and skeletons, by Unicode Technical Standard 39."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from functools import cache, lru_cache
from typing import Final

from chatroom.unicode_tables import LOOK_ALIKES, SCRIPTS

COMMON: Final = "Zyyy"
"""The script of what no script calls its own, such as ASCII digits and most symbols."""

_NO_SCRIPT = frozenset({COMMON, "Zinh"})  # Zinh, Inherited: marks for letters of any script, as the acute
_LATIN = frozenset({"Latn"})
# The writing systems that consist of several scripts (UTS 39, section 5.1, augmented script sets)
_TOGETHER = (
    frozenset({"Hani", "Hira", "Kana"}),
    frozenset({"Hani", "Bopo"}),
    frozenset({"Hani", "Hang"}),
)
# A dot above changes nothing on i and j, and makes a Turkish i of I
_DOTTED = re.compile("([Iij])([\u0316-\u0333]*)\u0307")


@lru_cache(maxsize=4096)
def scripts_of(character: str) -> frozenset[str]:
    """The scripts that use a letter, mark or number, by their codes of ISO 15924 (Script_Extensions).

    COMMON and Zinh (Inherited) stand for all scripts. Empty for a character that the tables do not know.
    """
    starts, ranges = _ranges()
    at = bisect(starts, ord(character)) - 1
    if at < 0:
        return frozenset()
    last, scripts = ranges[at]
    return scripts if ord(character) <= last else frozenset()


def one_writing_system(text: str) -> bool:
    """Whether letters and marks are of one script, or of a usual combination of scripts.

    The level "highly restrictive" of UTS 39, section 5.2: one script; or Latin with Han and kana, with Han
    and Bopomofo, or with Han and Hangul.
    """
    found = {scripts_of(character) for character in text if character not in "_-."}
    own = [scripts for scripts in found if not scripts & _NO_SCRIPT]
    if not own or frozenset.intersection(*own):
        return True
    others = [scripts for scripts in own if not scripts & _LATIN]
    return any(all(scripts & system for scripts in others) for system in _TOGETHER)


def skeletons(name: str, key: str) -> tuple[str, ...]:
    """What a name looks like, as it is written and without case. Names that share a skeleton look alike.

    The skeleton of UTS 39, section 4, of a text in NFKC; then without case, because `PAYPAL` is read as
    `paypal`. A dot on a letter that has one, and the dot of a Turkish I, do not count.

    key: as name_key() returns it
    """
    written = _skeleton(unicodedata.normalize("NFKC", name))
    folded = _skeleton(key)
    return (written,) if written == folded else (written, folded)


def _skeleton(text: str) -> str:
    text = unicodedata.normalize("NFD", text)
    text = _DOTTED.sub(lambda match: match[1].replace("I", "i") + match[2], text)
    text = unicodedata.normalize("NFD", text.translate(_prototypes()))
    text = _DOTTED.sub(r"\1\2", text)
    return unicodedata.normalize("NFD", text.casefold())


@cache
def _ranges() -> tuple[list[int], list[tuple[int, frozenset[str]]]]:
    """The first character of each range, in order; the last one, and the scripts."""
    found: list[tuple[int, int, frozenset[str]]] = []
    for row in SCRIPTS:
        names, _, spans = row.partition(":")
        scripts = frozenset(names.split())
        for span in spans.split():
            first, _, last = span.partition("-")
            found.append((int(first, 16), int(last or first, 16), scripts))
    found.sort(key=lambda each: each[0])
    return [first for first, _, _ in found], [(last, scripts) for _, last, scripts in found]


@cache
def _prototypes() -> dict[int, str]:
    """What stands for each character in a skeleton (confusables.txt)."""
    groups = [group.partition("=") for row in LOOK_ALIKES for group in row.split(" ")]
    return {ord(character): target for target, _, characters in groups for character in characters}
