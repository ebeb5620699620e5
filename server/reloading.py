"""SIGHUP: a running server reads its files anew. Nobody is disconnected; a bad file leaves the old one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from chatroom.chatroom import Chatroom
from chatroom.errors import ChatroomError, Closed, ConfigError
from chatroom.event_log import NOTICE, EventLog
from server.config import Config
from server.connection import NativeDoor
from server.crowd import Crowd
from server.limits import LIMIT_SECONDS
from server.motd import read_motd
from server.quotas import descriptors

log = EventLog(__name__)

NEED_A_RESTART: Final = {
    "host": "host",
    "port": "port",
    "ports": "ports",
    "data": "data",
    "durability": "durability",
    "keep": "keep",
    "dead_after": "dead-after",
    "owner": "owner",
    "metrics": "metrics",
    "log_json": "log-json",
}
"""Fields of `server.config.Config` that count from the next start on, and their options."""

OPTION_OF_LIMIT: Final = {
    "accounts_of_network": "address-accounts",
    "hold": "hold",
    "edit": "edit-for",
    "delete": "delete-for",
}
"""The option of each limit by which the state decides."""


class Reloader:
    """Takes what has changed in the files of a running server. Confined to the main thread.

    config: as the server runs with it
    crowd:  gets new quotas
    door:   gets a new rate
    renew:  takes the certificate and key of a configuration for new connections. Raises ConfigError
    Raises ConfigError: the message of the day cannot be used.
    """

    def __init__(
        self,
        config: Config,
        chatroom: Chatroom,
        crowd: Crowd,
        door: NativeDoor,
        renew: Callable[[Config], None],
    ) -> None:
        self._config = config
        self._chatroom = chatroom
        self._crowd = crowd
        self._door = door
        self._renew = renew
        self._motd = _motd_of(config)
        self._taken: list[str] = []  # by the reload that is under way

    def begin(self) -> None:
        """Give the running chatroom what the files say, before the first newcomer. Raises Closed."""
        self._chatroom.set_motd(self._motd)
        self._set(self._config.limits)

    def _set(self, limits: Mapping[str, int]) -> None:
        """Raises Closed, and TimeoutError: they are not set."""
        if not self._chatroom.limit(limits, LIMIT_SECONDS):  # the disk is full; the members are told
            log.error("limits_wait", "the limits wait until the history can be written")

    def reload(self) -> None:
        """Take what has changed; say in the log what was taken, and what needs a restart.

        Each file is judged by itself: a bad one keeps the old.
        """
        self._taken = []
        config = self._read_again()
        for take in (
            self._take_certificate,
            self._take_motd,
            self._take_limits,
            self._take_quotas,
            self._take_rate,
            self._take_level,
        ):
            try:
                take(config)
            except Closed:
                return  # the server ends
            except (ChatroomError, OSError) as error:
                self._complain(error)
        log.notice(
            "reloaded",
            "= reloaded: %(taken)s; a restart is needed for: %(restart)s",
            taken=", ".join(self._taken) or "nothing new",
            restart=", ".join(self._later(config)) or "nothing",
        )

    def _read_again(self) -> Config:
        if self._config.reread is None:
            return self._config
        try:
            return self._config.reread()
        except (ConfigError, OSError) as error:
            self._complain(error)
            return self._config

    def _complain(self, error: Exception) -> None:
        log.error("not_reloaded", "= not reloaded, the old one stays: %(error)s", error=error)

    def _later(self, config: Config) -> list[str]:
        """The options that have changed and count from the next start on."""
        later = [
            option
            for field, option in NEED_A_RESTART.items()
            if getattr(config, field) != getattr(self._config, field)
        ]
        return later if (config.tls is None) == (self._config.tls is None) else [*later, "tls"]

    # --- what can be taken: each raises ConfigError ---------------------------------------------------------

    def _take_certificate(self, config: Config) -> None:
        """In any case: the files have the same names when they are renewed."""
        if config.tls is not None and self._config.tls is not None:
            # Of the running history and host: others count from the next start on.
            self._renew(replace(config, data=self._config.data, host=self._config.host))
            self._config = replace(self._config, tls=config.tls)
            self._taken.append("certificate")

    def _take_motd(self, config: Config) -> None:
        text = _motd_of(config)
        if text != self._motd:
            self._chatroom.set_motd(text)
            self._taken.append("motd")
        self._motd, self._config = text, replace(self._config, motd=config.motd)

    def _take_limits(self, config: Config) -> None:
        """By an entry, which all that is decided later follows."""
        before, limits = self._config.limits, config.limits
        if limits == before:
            return
        self._set(limits)
        self._config = replace(self._config, limits=limits)
        self._taken += [OPTION_OF_LIMIT[name] for name in limits if limits[name] != before.get(name)]

    def _take_quotas(self, config: Config) -> None:
        """Who is in stays in, also when there are too many now."""
        before, quotas = self._config.quotas, config.quotas
        if quotas == before:
            return
        self._crowd.set_quotas(quotas.within(descriptors()))
        self._config = replace(self._config, quotas=quotas)
        names = ("members", "address_members", "address_guests", "address_rate")
        changed = [name for name in names if getattr(quotas, name) != getattr(before, name)]
        self._taken += [("max-members" if name == "members" else name.replace("_", "-")) for name in changed]

    def _take_rate(self, config: Config) -> None:
        """Who is in keeps the rate that was when it came."""
        if config.rate != self._config.rate:
            self._door.set_rate(config.rate)
            self._config = replace(self._config, rate=config.rate)
            self._taken.append("rate (of who comes from now on)")

    def _take_level(self, config: Config) -> None:
        if config.verbose != self._config.verbose:
            logging.getLogger().setLevel(logging.INFO if config.verbose else NOTICE)
            self._config = replace(self._config, verbose=config.verbose)
            self._taken.append("verbose")


def _motd_of(config: Config) -> str:
    """Raises ConfigError."""
    return "" if config.motd is None else read_motd(config.motd)
