"""A child process of a moderator: kicks, bans for seconds, mutes, hushes, gives and takes roles.

It talks and comes back as a rover does. It is an operator of the chatroom as soon as the first owner has made
it one, or owns the chatroom itself; before that everything is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Any, Final

from chatroom.outcomes import Code
from client.secret_commands import compose
from tests.chaos.rover import Rover, make_parser
from tests.chaos.schedule import OWNS, ROVER_ACCOUNT, ROVER_CHANNELS, ROVER_NAMES
from tests.chaos.talker import Orders

_ROVERS: Final = (*ROVER_NAMES, ROVER_ACCOUNT)
_WEIGHTS: Final = {
    "say": 6,
    "kick": 14,
    "ban": 8,
    "suspend": 3,
    "kill": 3,
    "mute": 16,
    "unmute": 8,
    "hush": 5,
    "loud": 6,
    "voice": 5,
    "unvoice": 3,
    "op": 3,
    "deop": 3,
    "look": 4,
}


class Moderator(Rover):
    """One life of the moderator."""

    weights: Mapping[str, int] = _WEIGHTS
    _owned = False

    def _do(self) -> None:
        options = self._options
        if options.code_file and options.registered.exists() and not self._owned and not self._link.asked:
            self._take_ownership(options.code_file)
        super()._do()

    def _take_ownership(self, file: Path) -> None:
        code = file.read_text().strip() if file.exists() else ""

        def done(answer: int, _rows: Any) -> None:
            self._owned = answer in (Code.OK, Code.ALREADY)
            if self._owned:
                self._options.registered.with_suffix(OWNS).touch()

        if code:
            self._link.ask(compose("/owner", [], [code]), done)
        else:
            self._owned = True  # it was used, and nobody has seen the answer

    # --- deeds ----------------------------------------------------------------------------------------------

    def _target(self) -> tuple[str, str]:
        """Somebody, and a channel in which that may be."""
        targets = self._options.targets
        if targets and self._random.random() < 0.6:
            name, _, channel = self._random.choice(targets).partition("=")
            return name, f"#{channel}"
        return self._random.choice(_ROVERS), self._random.choice(ROVER_CHANNELS)

    def _seconds(self) -> str:
        return f"{self._random.choice((1, 2, 4))}s"

    def _kick(self) -> None:
        name, channel = self._target()
        self._ask(f"/kick {name} you know why", channel)

    def _ban(self) -> None:
        """Rovers only: the others are in one channel, and would give up."""
        channel = self._random.choice(ROVER_CHANNELS[1:])
        self._ask(f"/ban {self._random.choice(_ROVERS)} {self._seconds()} for a moment", channel)

    def _suspend(self) -> None:
        self._ask(f"/ban * {self._random.choice(_ROVERS)} {self._seconds()}")

    def _kill(self) -> None:
        self._ask(f"/kick * {self._random.choice(_ROVERS)} again")

    def _mute(self) -> None:
        name, channel = self._target()
        is_rover = name in _ROVERS
        everywhere = is_rover and self._random.random() < 0.2
        time = "" if is_rover and self._random.random() < 0.4 else self._seconds()
        self._ask(f"/mute {'* ' if everywhere else ''}{name} {time} too loud".replace("  ", " "), channel)

    def _unmute(self) -> None:
        name, channel = self._target()
        self._ask(f"/unmute {'* ' if self._random.random() < 0.3 else ''}{name}", channel)

    def _hush(self) -> None:
        self._ask("/set moderated on", self._random.choice(ROVER_CHANNELS[1:]))

    def _loud(self) -> None:
        self._ask("/set moderated off", self._random.choice(ROVER_CHANNELS[1:]))

    def _role(self, command: str) -> None:
        self._ask(f"{command} {self._random.choice(_ROVERS)}", self._random.choice(ROVER_CHANNELS[1:]))

    def _voice(self) -> None:
        self._role("/voice")

    def _unvoice(self) -> None:
        self._role("/unvoice")

    def _op(self) -> None:
        self._role("/op")

    def _deop(self) -> None:
        self._role("/deop")

    def _look(self) -> None:
        self._ask(self._random.choice(("/bans", "/bans *")), self._random.choice(ROVER_CHANNELS))


def main() -> int:
    parser = make_parser()
    parser.prog = "python -m tests.chaos.moderator"
    parser.add_argument("--targets", nargs="*", default=[], help="NAME=CHANNEL of talkers")
    parser.add_argument("--code-file", type=Path, help="it owns the chatroom by the code in this file")
    orders = Orders()
    moderator = Moderator(parser.parse_args(), orders)
    Thread(target=orders.read, name="orders", daemon=True).start()
    return moderator.run()


if __name__ == "__main__":
    sys.exit(main())
