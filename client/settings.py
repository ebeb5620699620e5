"""Where the client finds options that do not stand on its command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from chatroom.option_sources import Rules

FILE: Final = "client.toml"


def default_config() -> Path | None:
    """The user's file of options (XDG Base Directory 0.8), which need not exist; None: there is no home."""
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        config = Path(folder) if os.path.isabs(folder) else Path("~/.config").expanduser()
    except RuntimeError:
        return None
    return config / "chatroom" / FILE


RULES: Final = Rules(
    program="client",
    only_here=("watch", "tls_forget"),
    exclusive=(("tls", "tls_ca", "tls_trust"),),
    default=default_config,
)
"""For `chatroom.option_sources.resolve`."""
