"""Passwords of servers that have let the user in: whoever comes back need not type them again.

    {"version": 1, "passwords": {"chat.example.org:5050": {"trust": "AB:CD:…", "password": "…"}}}

Many people know such a password, so it is less than that of an account; but it is theirs, and not for others:
only the user may read the file, and only a server that shows itself as it did then gets it.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from chatroom.errors import ConfigError
from client.address import address_key
from client.data_folder import data_folder, locked, replace
from client.known_servers import KnownServers
from client.limits import KEPT_SERVER_PASSWORDS, TOKEN_FILE_BYTES
from client.tls import TlsOptions

_VERSION: Final = 1


class ServerPasswords:
    """The passwords in the user's file. What cannot be read is not there, and what cannot be kept is not
    kept: then the user is asked.

    options: how servers show that they are the right ones; None: the connections are not encrypted, and
             nothing is kept, because any program may answer in the place of the server
    path:    None: server_passwords.json in the user's data folder
    """

    def __init__(self, options: TlsOptions | None, path: Path | None = None) -> None:
        folder = data_folder()
        self._options = options
        self._path = path or (folder / "server_passwords.json" if folder is not None else None)

    def find(self, host: str, port: int) -> str | None:
        """The password that was right there, if the server is trusted as it was then."""
        try:
            server = address_key(host, port)
            kept = self._read().get(server, {})
            return kept["password"] if kept and kept["trust"] == self._trust(server) else None
        except (OSError, ConfigError):
            return None

    def keep(self, host: str, port: int, password: str) -> None:
        """The password has been right there just now. The latest ones are kept."""
        server = address_key(host, port)
        with suppress(ConfigError):
            if trust := self._trust(server):
                self._change(server, {"trust": trust, "password": password})

    def forget(self, host: str, port: int) -> None:
        """The server has refused it, or is another one."""
        self._change(address_key(host, port), None)

    def _trust(self, server: str) -> str:
        """What makes the server the right one: the fingerprint that is trusted, or who vouches for its name.

        Empty: nothing does. Raises ConfigError.
        """
        if self._options is None:
            return ""
        if self._options.trust:
            return KnownServers(self._options.known).find(server) or ""
        return f"authorities {self._options.authorities or 'of the system'}"

    def _change(self, server: str, new: dict[str, str] | None) -> None:
        if self._path is None:
            return
        try:
            with locked(self._path.parent):
                old = self._read()
                others = {key: kept for key, kept in old.items() if key != server}
                if new is not None:
                    latest = [*others.items(), (server, new)][-KEPT_SERVER_PASSWORDS:]
                    replace(self._path, _encode(dict(latest)))
                elif server in old:
                    replace(self._path, _encode(others))
        except (OSError, ConfigError):
            pass  # the user is asked again

    def _read(self) -> dict[str, dict[str, str]]:
        """What is kept; nothing of a file that others may read, or that is none of ours. Raises OSError."""
        try:
            if self._path is None:
                return {}
            with self._path.open("rb") as file:
                if os.name != "nt" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    return {}
                found: Any = json.loads(file.read(TOKEN_FILE_BYTES))
            kept = found["passwords"] if found["version"] == _VERSION else {}
            return {
                str(server): {"trust": str(one["trust"]), "password": str(one["password"])}
                for server, one in kept.items()
            }
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}


def _encode(kept: dict[str, dict[str, str]]) -> bytes:
    return json.dumps({"version": _VERSION, "passwords": kept}, indent=1).encode() + b"\n"
