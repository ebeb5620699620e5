"""A file that holds a password: for programs, which nobody can ask."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from chatroom.errors import ConfigError
from client.limits import PASSWORD_FILE_BYTES


def read_password(path: Path) -> str:
    """The first line of the file. Raises ConfigError in one line, in which no part of the file stands."""
    try:
        with path.open("rb") as file:
            if os.name != "nt" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError(f"others may use {path}, which must be yours alone (chmod 600)")
            data = file.readline(PASSWORD_FILE_BYTES)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    password = data.decode("utf-8", "replace").rstrip("\r\n")
    if not password or "\ufffd" in password:
        raise ConfigError(f"the first line of {path} is no password")
    return password
