"""The targets by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from tests.fuzz import clients, decoding, encrypted, handshakes, keyboard, screens, sessions
from tests.fuzz.loop import Target

TARGETS: Final[dict[str, Callable[[], AbstractContextManager[Target]]]] = {
    "decoder": decoding.server_side,
    "client-decoder": decoding.client_side,
    "keys": keyboard.keys,
    "handshake": handshakes.handshake,
    "tls": encrypted.tls,
    "views": screens.views,
    "session-server": sessions.session_server,
    "session-client": clients.session_client,
}
