"""The log of what happens: each line has a name and fields, so that programs can read it, too.

No line has anything that members have written: not what they say, no topic, no reason, no argument of a
command. The names of members, channels and addresses may be in it.
"""

from __future__ import annotations

import logging
from typing import Any, Final

NOTICE: Final = 25
"""A level between info and warning: what an operator wants to know without asking, and nothing is wrong."""

logging.addLevelName(NOTICE, "NOTICE")


class EventLog:
    """The log of one module. Any thread may use it.

    In all methods:
    event:  its name, as `notes/running.md` lists it
    text:   the line for a person, with %(name)s for each field. It is always the same one: warnings with the
            same text about one address are counted, not written again and again
    fields: plain values; the first one is what the line is about. Nothing that a member has written
    """

    def __init__(self, module: str) -> None:
        self._log = logging.getLogger(module)

    def info(self, event: str, text: str, /, **fields: object) -> None:
        """What happens every day."""
        self._write(logging.INFO, event, text, fields)

    def notice(self, event: str, text: str, /, **fields: object) -> None:
        """What the operator wants to know, see NOTICE."""
        self._write(NOTICE, event, text, fields)

    def warning(self, event: str, text: str, /, **fields: object) -> None:
        """What the operator may have to do something about, or somebody else did wrong."""
        self._write(logging.WARNING, event, text, fields)

    def error(self, event: str, text: str, /, **fields: object) -> None:
        """What does not work."""
        self._write(logging.ERROR, event, text, fields)

    def exception(self, event: str, text: str, /, **fields: object) -> None:
        """An error that nobody expected, and that is being handled: the line says where it came from."""
        self._write(logging.ERROR, event, text, fields, True)

    def _write(
        self, level: int, event: str, text: str, fields: dict[str, object], failed: bool = False
    ) -> None:
        arguments: tuple[Any, ...] = (fields,) if fields else ()
        self._log.log(level, text, *arguments, exc_info=failed, extra={"event": event})
