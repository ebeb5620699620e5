"""The file of device tokens: who has logged in from here once need not type the password again.

    {"version": 1, "tokens": [{"server": "localhost:5050", "history": "…", "name": "dora", "token": "…"}]}

A token opens an account, so only its owner may read the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from chatroom.errors import ConfigError
from chatroom.names import name_key
from client.address import address_key
from client.data_folder import data_folder, locked, replace
from client.limits import KEPT_TOKENS, SERVER_TOKENS, TOKEN_FILE_BYTES, TOKENS_TRIED

VERSION: Final = 1


class Kept(NamedTuple):
    """One token, and what it is for; the latest ones come last.

    history: identity of the server's history, as far as it is known
    name:    key of the account's name, see `name_key`
    """

    server: str
    history: bytes
    name: str
    token: bytes

    def __repr__(self) -> str:
        return f"<Kept {self.name!r} at {self.server}>"


class TokenFile:
    """Device tokens of one server, in a file that holds those of all servers.

    path:       the file; it need not exist
    host, port: the server, as the user names it
    """

    def __init__(self, path: Path, host: str, port: int) -> None:
        self._path = path
        self._server = address_key(host, port)

    def __repr__(self) -> str:
        return f"<TokenFile {self._path} for {self._server}>"

    def find(self, name: str) -> list[bytes]:
        """The tokens of an account, the latest first, at most TOKENS_TRIED. Raises ConfigError."""
        found = [
            kept.token for kept in self._read() if (kept.server, kept.name) == (self._server, name_key(name))
        ]
        return found[: -TOKENS_TRIED - 1 : -1]

    def keep(self, name: str, history: bytes, token: bytes) -> None:
        """Keep the token in place of an earlier one of the same account. Raises ConfigError."""
        self._change(Kept(self._server, history, name_key(name), token))

    def forget(self, name: str, history: bytes) -> None:
        """Keep no token of this account any more. Raises ConfigError."""
        self._change(Kept(self._server, history, name_key(name), b""))

    def _change(self, new: Kept) -> None:
        with _errors(self._path), locked(self._path.parent):
            old = self._read()
            others = [kept for kept in old if kept[:3] != new[:3]]
            if new.token:
                replace(self._path, _encode(_latest([*others, new], new.server)))
            elif len(others) != len(old):
                replace(self._path, _encode(others))

    def _read(self) -> list[Kept]:
        """All that is kept. Raises ConfigError for a file that cannot be used."""
        with _errors(self._path):
            try:
                with self._path.open("rb") as file:
                    if os.name != "nt" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                        raise ConfigError(
                            f"others may read {self._path}, which must be yours alone (chmod 600)"
                        )
                    data = file.read(TOKEN_FILE_BYTES + 1)
            except FileNotFoundError:
                return []
        if len(data) > TOKEN_FILE_BYTES:
            raise ConfigError(f"{self._path} is too large for a file of tokens")
        return _decode(data, self._path)


def default_path() -> Path | None:
    """The file in the user's data folder; None when the user has no home."""
    folder = data_folder()
    return None if folder is None else folder / "tokens.json"


def _latest(tokens: list[Kept], server: str) -> list[Kept]:
    """Without the oldest ones of this server, or of all, that are too many."""
    too_many = [kept for kept in tokens if kept.server == server][:-SERVER_TOKENS]
    return [kept for kept in tokens if kept not in too_many][-KEPT_TOKENS:]


def _encode(tokens: list[Kept]) -> bytes:
    rows = [kept._asdict() | {"history": kept.history.hex(), "token": kept.token.hex()} for kept in tokens]
    return json.dumps({"version": VERSION, "tokens": rows}, indent=1).encode() + b"\n"


def _decode(data: bytes, path: Path) -> list[Kept]:
    try:
        content = json.loads(data)
        if content["version"] != VERSION:
            raise ConfigError(f"{path} was written by another version of this program")
        return [
            Kept(
                str(row["server"]),
                bytes.fromhex(row["history"]),
                str(row["name"]),
                bytes.fromhex(row["token"]),
            )
            for row in content["tokens"]
        ]
    except (ValueError, TypeError, KeyError, RecursionError):  # not quoted: it may hold a token
        pass
    raise ConfigError(f"{path} is damaged; it is left as it is (mend or remove it)")


@contextlib.contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Raise the system's errors as ConfigError."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{path} cannot be used: {(error.strerror or str(error)).lower()}") from None
