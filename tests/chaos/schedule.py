"""The plan of a run: the seed decides all of it, but not how the programs interleave."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Any, Final, NamedTuple

DEAD_AFTER: Final = 3.0
"""Seconds of silence after which both programs give a connection up, in chaos: short, so that it happens."""

HOLD_SECONDS: Final = 1.5
"""How long the server keeps the place of a client whose connection broke, in chaos: so short that some come
back in time and some too late."""

OWNED: Final = ("lorna0", "milo1")
"""The names of the accounts: others look like them."""

ROVER_NAMES: Final = ("rudi", "sina", "tomke", "vera", "wim7")
"""What rovers call themselves: fewer names than they would like, so that names change hands."""

ROVER_CHANNELS: Final = ("#general", "#attic", "#cellar", "#garden")
"""Where rovers are: the first one with all others, the others by themselves."""

ROVER_ACCOUNT: Final = "paula5"
"""A person with two programs among the rovers."""

MODERATOR: Final = "mara3"
"""The account of the moderator."""

OWNS: Final = ".owns"
"""How the name of the file ends that is there when the moderator owns the chatroom."""

_BETWEEN_TRIES: Final = 0.4  # mean seconds between two tries of a stranger
_LEAD_IN: Final = 0.3  # seconds before the first fault
_SPACING: Final = 0.45  # mean seconds between two faults
_LIVES: Final = 1.2  # seconds that a started server runs at least, so that it does some work


class FaultKind(Enum):
    """The harms. `seconds` says how long a harm lasts, where it has a duration."""

    KILL_SERVER = "kill -9 of the server, restarted after a while"
    TERM_SERVER = "SIGTERM to the server, restarted after a while"
    STOP_SERVER = "SIGSTOP to the server, continued after a while"
    RESET = "RST on one connection"
    CUT = "the end of one connection after a few bytes, mostly in mid-packet"
    STALL = "nothing moves on one connection for a while"
    STALL_ALL = "nothing moves on any connection for a while"
    STALL_DOWN = "nothing comes back from the server for a while, on every connection"
    CHOP = "one connection delivers in pieces of a few bytes"
    KILL_CLIENT = "kill -9 of a client, started again as a new one"
    STOP_CLIENT = "SIGSTOP to a client, continued after a while"
    DISK_FULL = "no space on the server's disk for a while"
    DISK_ERROR = "the server's writes fail with an I/O error for a while"


_WEIGHTS: Final = {
    FaultKind.KILL_SERVER: 40,
    FaultKind.TERM_SERVER: 6,
    FaultKind.STOP_SERVER: 5,
    FaultKind.RESET: 14,
    FaultKind.CUT: 14,
    FaultKind.STALL: 9,
    FaultKind.STALL_ALL: 3,
    FaultKind.STALL_DOWN: 6,
    FaultKind.CHOP: 4,
    FaultKind.KILL_CLIENT: 4,
    FaultKind.STOP_CLIENT: 6,
    FaultKind.DISK_FULL: 4,
    FaultKind.DISK_ERROR: 4,
}

_RESTARTS: Final = (FaultKind.KILL_SERVER, FaultKind.TERM_SERVER)

_SECONDS: Final = {
    FaultKind.KILL_SERVER: (0.0, 1.0),
    FaultKind.TERM_SERVER: (0.0, 0.5),
    FaultKind.STOP_SERVER: (0.1, 1.6 * DEAD_AFTER),
    FaultKind.STALL: (0.1, 1.6 * DEAD_AFTER),
    FaultKind.STALL_ALL: (0.1, 0.5 * DEAD_AFTER),
    FaultKind.STALL_DOWN: (0.1, 1.0),
    FaultKind.CHOP: (0.5, 3.0),
    FaultKind.KILL_CLIENT: (0.0, 1.0),
    FaultKind.STOP_CLIENT: (0.1, 1.6 * DEAD_AFTER),
    FaultKind.DISK_FULL: (0.2, 2.0),
    FaultKind.DISK_ERROR: (0.2, 2.0),
}


class Fault(NamedTuple):
    """One harm.

    at:      seconds since the load began
    target:  which connection or client, by its place modulo how many there are
    seconds: how long it lasts
    after:   for CUT, how many bytes still pass; odd: client to server
    """

    at: float
    kind: FaultKind
    target: int = 0
    seconds: float = 0.0
    after: int = 0


class Speaker(NamedTuple):
    """One talker.

    how:     `api`: the importable Client; `blunt`: the careless one of `tests.chaos.blunt`; the program,
             which leaves at the end of its input (`pipe`) or stays (`follow`)
    account: of its person, "" for a guest. With another name it is a guest that logs in while it talks
    first:   it registers the name of the account, and changes its password
    late:    it registers it some time after it has come in
    pace:    mean seconds between two deeds, such as a change of the password
    """

    name: str
    how: str
    channel: str
    rate: float  # lines per second, in bursts
    seed: int
    account: str = ""
    program: str = ""
    first: bool = False
    late: bool = False
    pace: float = 2.5

    @property
    def may_be_moderated(self) -> bool:
        """Whether it can do without what moderators refuse: a program whose input is a pipe cannot."""
        return self.how == "api" and not self.account


class Strangers(NamedTuple):
    """Who try to get the names of accounts.

    pace:   mean seconds between two tries, 0: nobody tries
    tricks: which, by name in `tests.chaos.stranger`; none: all of them
    """

    pace: float = 0.0
    tricks: tuple[str, ...] = ()


class Rover(NamedTuple):
    """Who is in several channels, talks with single persons, takes other names, and edits what it has said.

    rate:    deeds a second
    account: of its person, "" for a guest
    first:   it registers the name
    """

    label: str
    name: str
    rate: float
    seed: int
    account: str = ""
    first: bool = False


class Moderator(NamedTuple):
    """Who kicks, bans, mutes and hushes.

    rate: deeds a second
    owns: it takes the code of the chatroom; else the first owner makes it an operator
    """

    rate: float
    seed: int
    owns: bool = False


class Plan(NamedTuple):
    """All decisions that are made before a run."""

    seed: int
    seconds: float
    ports: str
    speakers: tuple[Speaker, ...]
    faults: tuple[Fault, ...]
    strangers: Strangers = Strangers()
    rovers: tuple[Rover, ...] = ()
    moderator: Moderator | None = None


def make_plan(seed: int, seconds: float, talkers: int) -> Plan:
    """The plan of a run; the same for the same arguments."""
    random = Random(f"{seed}/{talkers}/{seconds}")
    speakers = tuple(_speaker(number, random) for number in range(talkers))
    ports = "same" if seed % 2 else "any"
    faults = tuple(_faults(random, seconds))
    everybody = (*speakers, *_owners(seed))
    moderator = Moderator(2.0, Random(f"{seed}/moderator").getrandbits(32))
    return Plan(
        seed, seconds, ports, everybody, faults, Strangers(_BETWEEN_TRIES), make_rovers(seed), moderator
    )


def make_rovers(seed: int) -> tuple[Rover, ...]:
    """Three guests, and a person with two programs."""
    random = Random(f"{seed}/rovers")  # as for the owners

    def rover(label: str, name: str, **more: Any) -> Rover:
        return Rover(label, name, random.uniform(6.0, 24.0), random.getrandbits(32), **more)

    guests = [rover(f"rover-{name}", name) for name in ROVER_NAMES[:3]]
    programs = [
        rover(f"rover-{ROVER_ACCOUNT}-{letter}", ROVER_ACCOUNT, account=ROVER_ACCOUNT, first=letter == "a")
        for letter in "ab"
    ]
    return (*guests, *programs)


def _speaker(number: int, random: Random) -> Speaker:
    how = {2: "blunt", 3: "pipe", 5: "follow", 6: "blunt"}.get(number % 8, "api")
    channel = "#other" if number % 4 == 1 else "#general"
    return Speaker(f"t{number}", how, channel, random.uniform(10.0, 60.0), random.getrandbits(32))


def _owners(seed: int) -> list[Speaker]:
    """Two persons with an account, each with two programs.

    The first one registers before anything else, and owns the chatroom. Of the other one, the second program
    is a guest that logs in.
    """
    random = Random(f"{seed}/accounts")  # so that the faults of a seed are what they were without accounts
    one, other = OWNED

    def speaker(how: str, **more: Any) -> Speaker:
        channel = random.choice(("#general", "#general", "#other"))
        return Speaker(
            how=how, channel=channel, rate=random.uniform(5.0, 20.0), seed=random.getrandbits(32), **more
        )

    second = ("api", "blunt", "follow")[seed % 3]
    return [
        speaker("api", name=one, account=one, program=f"{one}-a", first=True),
        speaker(second, name=one, account=one, program=f"{one}-b"),
        speaker("api", name=other, account=other, program=f"{other}-a", first=True, late=True),
        speaker("api", name=f"{other}-as-guest", account=other, program=f"{other}-b"),
    ]


def _faults(random: Random, seconds: float) -> list[Fault]:
    faults: list[Fault] = []
    at, restart_from = _LEAD_IN, 0.0
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    while (at := at + random.expovariate(1 / _SPACING)) < seconds:
        (kind,) = random.choices(kinds, weights)
        low, high = _SECONDS.get(kind, (0.0, 0.0))
        fault = Fault(at, kind, random.randrange(1000), random.uniform(low, high), random.randrange(1, 300))
        if kind in _RESTARTS:
            if at < restart_from:
                continue
            restart_from = at + fault.seconds + _LIVES
        faults.append(fault)
    return faults
