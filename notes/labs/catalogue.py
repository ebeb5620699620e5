"""Which labs there are: one folder each, NUMBER_NAME, with the program NAME.py."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent


class Lab(NamedTuple):
    """One lab. number: two digits. name: of its program, and of its check in notes/labs/checks/"""

    number: str
    name: str

    @property
    def folder(self) -> Path:
        """Where its page and its program are."""
        return FOLDER / f"{self.number}_{self.name}"

    @property
    def program(self) -> Path:
        """The program that shows the bug, and that the reader changes."""
        return self.folder / f"{self.name}.py"


def all_labs() -> list[Lab]:
    """All labs, by number."""
    folders = sorted(path.name for path in FOLDER.glob("[0-9][0-9]_*"))
    return [Lab(*name.split("_", 1)) for name in folders]


def find(number: str) -> Lab:
    """The lab with this number, with or without the leading zero. Raises KeyError."""
    return {lab.number: lab for lab in all_labs()}[number.zfill(2)]
