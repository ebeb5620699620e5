"""`s/wrong/right/`: how people correct their last line."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"s/((?:\\/|[^/\n])+)/((?:\\/|[^/\n])*)(?:/(g?))?\Z")


class Substitution(NamedTuple):
    """What to write instead of what: the first time, or `everywhere`. Plain texts, no patterns."""

    wrong: str
    right: str
    everywhere: bool

    def apply(self, text: str) -> str:
        """The text with the change; the same when nothing in it is wrong."""
        return text.replace(self.wrong, self.right, -1 if self.everywhere else 1)


def substitution_of(text: str) -> Substitution | None:
    r"""The substitution that a line is; None for other lines. `\/` stands for a slash."""
    found = _FORM.match(text)
    if found is None:
        return None
    wrong, right = (part.replace("\\/", "/") for part in found.group(1, 2))
    return Substitution(wrong, right, found[3] == "g")
