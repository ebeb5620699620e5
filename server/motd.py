"""The message of the day: a file whose text everybody is shown who comes in."""

from __future__ import annotations

from pathlib import Path

from chatroom.errors import ConfigError
from chatroom.limits import MOTD_BYTES, MOTD_LINES
from chatroom.printable import printable


def read_motd(path: Path) -> str:
    """The text of the file, printable, without blank lines around it. Raises ConfigError.

    A text that is too long is refused, not cut: its end may be what matters.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe might never end
            raise ConfigError(f"cannot read the message of the day {path}: it is no file")
        with path.open("rb") as file:
            data = file.read(MOTD_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read the message of the day {path}: {error.strerror}") from None
    if len(data) > MOTD_BYTES:
        raise ConfigError(f"the message of the day {path} is longer than {MOTD_BYTES} bytes")
    try:
        text = printable(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"the message of the day {path} is not in UTF-8") from None
    lines = [line.rstrip() for line in text.split("\n")]
    text = "\n".join(lines).strip("\n")
    if text.count("\n") >= MOTD_LINES:
        raise ConfigError(f"the message of the day {path} has more than {MOTD_LINES} lines")
    if len(text.encode()) > MOTD_BYTES:  # tabs and control characters became longer
        raise ConfigError(f"the message of the day {path} is longer than {MOTD_BYTES} bytes")
    return text
