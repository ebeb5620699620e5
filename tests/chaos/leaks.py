"""The search for secrets in clear, in all that a run has left behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from tests.chaos.wallet import known_secrets
from tests.chaos.wrongs import Violation, Wrong, found

SECRETS: Final = "secrets"
"""The folder whose files may hold secrets, in that of the run."""


def search(folder: Path, moment: str, apart: Collection[Path] = ()) -> Iterator[Violation]:
    """Look into every file: logs, history, entries, exports, and what the clients have written.

    moment: when that is
    apart:  other files that may hold secrets
    """
    secrets = known_secrets(folder / SECRETS)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and SECRETS not in path.parts and path not in apart:
            name = f"{path.relative_to(folder)}, {moment}"
            yield from found(Wrong.LEAKED, name, leaked(path.read_bytes(), secrets))


def leaked(data: bytes, secrets: Collection[str]) -> list[str]:
    """The secrets that are in the data. Tokens are given in hex."""
    return [secret for secret in secrets if any(form in data for form in forms(secret))]


def forms(secret: str) -> list[bytes]:
    """How a secret may be written: as it is; a token also as bytes, as Python shows these, in capitals."""
    try:
        token = bytes.fromhex(secret)
    except ValueError:  # a code
        return [secret.encode(), secret.replace("-", "").encode()]
    return [secret.encode(), secret.upper().encode(), token, repr(token)[2:-1].encode()]
