"""The fingerprints of servers that the user trusts since the first connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chatroom.errors import ConfigError
from client.data_folder import data_folder, locked, replace

_VERSION = 1


class KnownServers:
    """A file of JSON: {"version": 1, "servers": {"HOST:PORT": FINGERPRINT}}, which only its user can read.

    path: None: known_servers.json in the user's data folder (XDG Base Directory 0.8)
    Raises ConfigError when the user has no such folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or _default_path()

    def remember(self, server: str, fingerprint: str) -> str | None:
        """The fingerprint that is known of the server; None: none was, and now it is this one.

        Raises ConfigError when the file cannot be read or written: nothing is trusted then.
        """
        try:
            with locked(self.path.parent):
                servers = self._read()
                known = servers.get(server)
                if known is None:
                    replace(self.path, _encode({**servers, server: fingerprint}))
                return known
        except OSError as error:
            raise ConfigError(f"cannot use {self.path}: {error.strerror}") from None

    def find(self, server: str) -> str | None:
        """The fingerprint that is known of the server. Raises ConfigError when the file cannot be read."""
        try:
            return self._read().get(server)
        except OSError as error:
            raise ConfigError(f"cannot use {self.path}: {error.strerror}") from None

    def forget(self, server: str) -> str | None:
        """Know no fingerprint of the server any more: the next one is trusted. The one that was known.

        Raises ConfigError when the file cannot be read or written.
        """
        try:
            with locked(self.path.parent):
                servers = self._read()
                known = servers.pop(server, None)
                if known is not None:
                    replace(self.path, _encode(servers))
                return known
        except OSError as error:
            raise ConfigError(f"cannot use {self.path}: {error.strerror}") from None

    def _read(self) -> dict[str, str]:
        try:
            text = self.path.read_text("utf-8")
        except FileNotFoundError:
            return {}
        except UnicodeDecodeError:
            text = ""
        try:
            found: Any = json.loads(text)
            version, servers = found["version"], found["servers"]
        except (ValueError, TypeError, KeyError, RecursionError):
            version, servers = 0, None
        if version != _VERSION or not _is_table(servers):
            raise ConfigError(f"{self.path} is damaged, or of another version of this program")
        return dict(servers)


def _encode(servers: dict[str, str]) -> bytes:
    text = json.dumps({"version": _VERSION, "servers": servers}, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()


def _is_table(servers: object) -> bool:
    return isinstance(servers, dict) and all(
        isinstance(text, str) for pair in servers.items() for text in pair
    )


def _default_path() -> Path:
    folder = data_folder()
    if folder is None:
        raise ConfigError("you have no home folder, in which the trusted servers are kept")
    return folder / "known_servers.json"
