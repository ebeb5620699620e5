"""What a server is to be: the options, from all their sources, as settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from server.ports import Ports
from server.quotas import DEFAULT, Quotas
from server.retention import Retention
from server.tls_files import TlsFiles


@dataclass(frozen=True)
class Config:
    """What the options say.

    data:       path of the history file, `:memory:` for none
    dead_after: seconds of silence after which a peer is dead
    durability: "full" survives a power loss, too
    keep:       how much history stays
    rate:       lines a second that a member may say, None: as many as the server takes
    quotas:     how many connections there may be
    owner:      name of the account that owns the chatroom, "": whoever has the code of the first start
    tls:        the files for TLS; "self": made beside the history; None: no encryption
    metrics:    port at which a monitoring system on this machine reads the figures, 0: any; None: none
    motd:       file with the message of the day, None: there is none
    limits:     by which the state decides, see `chatroom.bounds.SETTABLE`; what is not in it stays
    verbose, log_json: how the log is written
    reread:     reads all of this again: the files may have changed. Raises ConfigError
    """

    host: str
    port: int
    ports: Ports
    data: str
    dead_after: float
    durability: Literal["normal", "full"]
    keep: Retention
    rate: float | None = None
    quotas: Quotas = DEFAULT
    owner: str = ""
    tls: TlsFiles | Literal["self"] | None = None
    metrics: int | None = None
    motd: Path | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    verbose: bool = False
    log_json: bool = False
    reread: Callable[[], Config] | None = field(default=None, compare=False)
