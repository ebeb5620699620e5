"""Arguments of acts for random walks: such as commands make, and such as nobody would."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from chatroom.act import KEY, SECRET, ActCommand, Number, Text
from chatroom.limits import MAX_NUMBER
from chatroom.masks import name_mask, network_mask
from chatroom.places import EVERYWHERE
from chatroom.proposals import Act

REASONS: Final = ("", "", "spam", "r" * 40)
QUESTIONS: Final = ("tea? | yes | no", "tea?", "a | b | c | d", "|", " | | ")
_NO_NETWORKS: Final = ("net ", "net x", "net 1.1.1.1/33", "net ::/0", "net 0.0.0.0/0", "net 1.1.1.0/24 ")
_NO_MASKS: Final = (*_NO_NETWORKS, "name ", "", " ", "name", "0", "-1", "99999999999999999999")
_NO_CHANNELS: Final = ("", "#", "#nowhere", "general", "@x", "**", "* ", "#A", "\ud800")
_NO_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    MAX_NUMBER + 1,
    1.5,
    b"x",
    (),
    "\ud800",
    "\x00",
    "x" * 5000,
)


class Bodies:
    """Chooses arguments at random.

    names:    keys of names
    networks: from where people come
    """

    def __init__(self, random: Random, names: Sequence[str], networks: Sequence[str]) -> None:
        self._random = random
        self._names = sorted({name.lower() for name in names})
        self._networks = list(networks)

    def mask(self) -> str:
        """A mask that may mean somebody: mostly of a name, else of a network or a wider one."""
        if self._random.random() < 0.6:
            return name_mask(self._random.choice(self._names))
        network = self._random.choice(self._networks)
        return network_mask(self._random.choice([network, network.rpartition(".")[0] + ".0/24"]))

    def whom(self) -> str:
        """Whom an act on lists may be about: who has a name, a network, or what is neither."""
        choice = self._random.random()
        if choice < 0.2:
            return f"from {self._random.choice(self._names)}"
        return self.mask() if choice < 0.9 else self._random.choice(_NO_MASKS)

    def place(self, channel: str) -> str:
        """Where an act that may be given for the whole chatroom is given."""
        return EVERYWHERE if self._random.random() < 0.35 else channel

    def until(self, now: int) -> int:
        """When an entry of a list ends. 0: never"""
        return self._random.choice([0, 0, now + 30, now + 200, now + 5000, max(0, now - 5)])

    def reason(self) -> str:
        return self._random.choice(REASONS)

    def argument(self, kind: Text | Number, now: int) -> str | int:
        """One that such an act may take, as far as its type tells."""
        if isinstance(kind, Number):
            return self._random.choice([0, 1, 1, 2, 3, now + 100, self.until(now)])
        if kind == SECRET:
            return self._random.choice(["s", "t"])
        if kind == KEY:
            return self._random.choice(self._names)
        if kind.most > KEY.most:
            return self.whom()
        return self._random.choice([*REASONS, *QUESTIONS, self.whom(), self.whom(), "s"])

    def arguments(self, command: ActCommand, now: int) -> tuple[str | int, ...]:
        return tuple(self.argument(kind, now) for kind in command.takes)

    def odd(self, act: Act) -> Act:
        """An act that no command makes: with too many arguments, one of another type, or another place."""
        arguments, channel = list[Any](act.arguments), act.channel
        choice = self._random.random()
        if choice < 0.25:
            arguments.append(self._random.choice(_NO_VALUES))
        elif choice < 0.4 and arguments:
            arguments.pop(self._random.randrange(len(arguments)))
        elif choice < 0.75 and arguments:
            arguments[self._random.randrange(len(arguments))] = self._random.choice(_NO_VALUES)
        elif choice < 0.85 and arguments:
            arguments[self._random.randrange(len(arguments))] = self._random.choice(_NO_MASKS)
        else:
            channel = self._random.choice([*_NO_CHANNELS, EVERYWHERE])
        return Act(act.command, channel, tuple(arguments))
