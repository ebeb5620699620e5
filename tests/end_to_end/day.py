"""Eight hours of a school in a minute: the forwarder, the state and the history with a clock that is given.

There is no thread and no socket. The day calls the rounds, and moves the time by a second after each; what
counts by address and by time stands beside it, with the same clock. `sizes` says how large everything is.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from chatroom.arrivals import Join, Missed, Reservation
from chatroom.bounds import Limits
from chatroom.catch_up import CatchUp
from chatroom.errors import Closed, Refused
from chatroom.events import Extra, extra_row
from chatroom.figures import Figures
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.guesses import Guesses
from chatroom.lookalikes import skeletons
from chatroom.lookups import message_at
from chatroom.names import name_key
from chatroom.outcomes import Code, Outcome
from chatroom.packets import NO_IDENTITY, Burst, Form, Resumed, Welcome
from chatroom.places import EVERYWHERE
from chatroom.presence import Presence
from chatroom.proposals import Act, Amend, Arrive, Body, Enter, Leave, Own, Proposal, ProposalKind, Withdraw
from chatroom.queue import WaitingQueue
from chatroom.session import session_key
from server.bucket import Bucket
from server.crowd import Crowd, Visit
from server.lapses import Lapses
from server.maintenance import Maintenance
from server.quotas import Quotas
from server.retention import Retention
from server.storage import SqliteHistory
from tests.chatroom.fakes import DOOR
from tests.support.events import NOON

HOUR: Final = 3600
CLASSES: Final = 3
PUPILS: Final = 20
STRANGERS: Final = 20
"""Who raid the school in two of the hours, always under new names."""
KEPT_DAYS: Final = 3
AWAY_DAYS: Final = 9
"""How long nobody comes after the last hour: longer than any session, ban or poll lasts."""

LIMITS: Final = Limits(
    sessions=150,
    held=30,
    held_of_network=12,
    conversations=60,
    conversations_of_person=12,
    conversations_begun=8,
    gone=4,
    amended=40,
    paced=30,
    paced_of_person=3,
    left=3,
    intervals=3,
    markers=3,
    hands=10,
    votes=12,
    ignored=5,
    ignored_in_sum=20,
    places=40,
)
"""So small that one day reaches them."""

_SECRET: Final = "secret of the password"
_LESSON: Final = 45 * 60  # seconds of an hour in which pupils are in
_RAID: Final = 20 * 60  # of an hour, when strangers come
_COMING: Final = 120  # seconds in which all come, or go
_BREAK_STEP: Final = 5  # seconds from one round to the next in a break
_LOOKS: Final = (360, 960, 1500, 2100, 2640)  # behind the hands, the votes, the raid; near the end
_BACK: Final = 200.0  # seconds in which somebody is back whose connection broke; a name is held for 90


class Person:
    """Somebody, and the program that it uses."""

    def __init__(self, name: str, network: str, channels: tuple[str, ...], proof: str = "") -> None:
        self.name, self.network, self.channels, self.proof = name, network, channels, proof
        self.token = b""
        self.since = self.id = self.own = 0
        self.origin = 0  # of the connection; 0: there is none
        self.visit: Visit | None = None
        self.connection: Drain | None = None
        self.lines: Bucket | None = None

    @property
    def is_here(self) -> bool:
        return self.origin > 0


class Drain:
    """A connection whose peer reads everything at once, and shows it to nobody."""

    peer, encrypted, door = "peer", True, DOOR

    def __init__(self) -> None:
        self.ended: Code | None = None
        self.welcome: Welcome | None = None

    def receive(self) -> Sequence[Any]:
        raise AssertionError("no handler reads here")

    def submitting(self, submitting: bool) -> None: ...

    def send(self, data: bytes, shared: bool = False) -> None: ...

    def greet(self, welcome: Welcome, channels: Sequence[bytes]) -> None:
        self.welcome = welcome

    def live(self, missed: Sequence[bytes], seq: int, time: int, later: Sequence[bytes]) -> None: ...

    def answer(self, request: int, outcome: Outcome, command: str = "") -> None: ...

    def answer_with(self, request: int, packets: bytes, outcome: Outcome, command: str) -> None: ...

    def inform(self, text: str) -> None: ...

    def when_taken(self, call: Callable[[bool], None]) -> None:
        call(self.ended is None)

    def part(self, code: Code, detail: str = "") -> None:
        self.ended = self.ended or code

    def release(self) -> None: ...


class Never(threading.Event):
    """The maintenance is not asked to stop, and need not pause: nobody waits for the disk."""

    def wait(self, timeout: float | None = None) -> bool:
        return False


class Day:
    """A server on a history, and the people.

    now:    seconds since the beginning
    judge:  called five times in a lesson
    counts: what people have done, and what became of it
    """

    def __init__(self, path: Path, seed: int, judge: Callable[[Day], None]) -> None:
        self.judge = judge
        self.random = Random(seed)
        self.now = 0.0
        self.counts: Counter[str] = Counter()
        self.history = SqliteHistory(path)
        lock = threading.Lock()  # nothing else writes meanwhile: there is one thread
        keep = Retention(days=KEPT_DAYS)
        self.upkeep = Maintenance(
            path, lock, keep, search=True, wall=lambda: NOON / 1000 + self.now, steady=self._clock
        )
        self.order = WaitingQueue(clock=self._clock, now=lambda: NOON + int(self.now * 1000))
        self.presence, self.flow, self.figures = Presence(), Flow(self._clock), Figures()
        self.catch_up = CatchUp(self.history, lambda seat, seq: self.forwarder.go_live(seat, seq))
        self.forwarder = Forwarder(
            self.order,
            self.history,
            self.presence,
            self.flow,
            self.catch_up,
            self._clock,
            LIMITS,
            self.figures,
        )
        self.crowd = Crowd(Quotas(members=200, address_members=40), self._clock)
        self.lapses, self.guesses = Lapses(self._clock), Guesses(self._clock)
        self.forwarder.recover()
        self._plan: list[tuple[float, int, Callable[[], None]]] = []
        self._planned = self._tokens = self._names = 0
        self.teachers = [
            Person(f"teacher{number}", f"192.0.2.{number}", ("#general", f"#class{number}"))
            for number in range(CLASSES)
        ]
        self.pupils = [
            Person(f"pupil{number}", f"198.51.100.{number % 5}", ("#general", f"#class{number % CLASSES}"))
            for number in range(CLASSES * PUPILS)
        ]
        self.strangers: list[Person] = []
        self.forward()

    def _clock(self) -> float:
        return self.now

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with closing(self.history), closing(self.upkeep):
            pass

    # --- rounds and time ---------------------------------------------------------------------------------

    def forward(self) -> None:
        """One round, of all that waits."""
        self.order.post(lambda: None)  # so that take() does not wait
        taken = self.order.take()
        assert taken is not None
        self.forwarder.forward(taken)

    def settle(self) -> None:
        """Rounds until everybody is live."""
        self.forward()
        while self.catch_up.waiting:
            self.catch_up.serve()
            self.forward()

    def pass_time(self, seconds: float) -> None:
        """Then a round, with a tick."""
        self.now += seconds
        while self._plan and self._plan[0][0] <= self.now:
            heappop(self._plan)[2]()
        self.settle()
        for person in [*self.people]:
            if person.connection is not None and person.connection.ended is not None:
                self.counts[f"ended: {person.connection.ended.name}"] += 1
                self.lose(person, False)

    def later(self, seconds: float, deed: Callable[[], None]) -> None:
        """Plan something."""
        self._planned += 1
        heappush(self._plan, (self.now + seconds, self._planned, deed))

    def put(self, person: Person, kind: ProposalKind, body: Body) -> None:
        self.order.put(Proposal(person.origin, person.id, kind, body))

    @property
    def people(self) -> list[Person]:
        """Who is in."""
        return [one for one in self._everybody if one.is_here]

    @property
    def _everybody(self) -> list[Person]:
        return [*self.teachers, *self.pupils, *self.strangers]

    # --- coming and going --------------------------------------------------------------------------------

    def come(self, person: Person) -> bool:
        """Somebody comes in, or comes back; whether that was allowed."""
        visit = Visit(person.network, lambda: None)
        try:
            self.crowd.enter(visit)
            self.crowd.sit(visit)
        except (Refused, Closed) as refused:
            self.counts["turned away"] += 1
            assert isinstance(refused, Refused)
            self.crowd.leave(visit)
            return False
        reservation = self._reserve(person)
        if reservation is None:
            self.crowd.leave(visit)
            return False
        self.crowd.sit(visit, reservation.session)
        if self.random.random() < 0.02:  # it does not come after all
            self.order.put(
                Proposal(reservation.origin, 0, ProposalKind.WITHDRAW, Withdraw(reservation.session))
            )
            self.lapses.note(person.network, name_key(person.name), 3.0)
            self.crowd.leave(visit)
            self.counts["withdrawn"] += 1
            return False
        person.connection, person.origin, person.visit = Drain(), reservation.origin, visit
        person.token = reservation.token
        person.lines = Bucket(5.0, 10.0, self._clock)
        lines = 0 if person.since else 20
        join = Join(reservation, person.connection, person.channels, person.since, 0, NO_IDENTITY, lines)
        resumed = Resumed.EXACT if person.since else Resumed.FRESH
        self.presence.come(join, Missed(person.since, lines, resumed))
        self.put(person, ProposalKind.ENTER, Enter(reservation.session, person.channels))
        self.crowd.settle(visit)
        self.settle()
        if person.connection.welcome is not None:
            person.id = max(person.id, person.connection.welcome.confirmed)
        self.counts["came"] += 1
        return True

    def _reserve(self, person: Person) -> Reservation | None:
        """Ask for the name."""
        self._tokens += 1
        fresh = self._tokens.to_bytes(16, "big")
        known = session_key(person.token) if person.token else ""
        origin, answer = self.presence.ask()
        key = name_key(person.name)
        body = Arrive(
            person.name, key, known, session_key(fresh), person.network, skeletons(person.name, key)
        )
        body = body._replace(
            network=person.network, proof=person.proof, encrypted=True, software="program 1.0"
        )
        self.order.put(Proposal(origin, 0, ProposalKind.ARRIVE, body))
        self.forward()
        outcome = answer.result(0)
        if outcome.code is not Code.OK:
            self.counts[f"refused: {outcome.code.name}"] += 1
            self.figures.refuse(outcome.code.name.lower())
            person.token = b""
            return None
        token = person.token if outcome.rows[0] is True else fresh
        return Reservation(origin, person.name, token, session_key(token))

    def lose(self, person: Person, clean: bool) -> None:
        """A connection ends, with a goodbye or without."""
        self.put(person, ProposalKind.LEAVE, Leave(clean, "gone"))
        self.presence.forget_told(person.origin)
        assert person.visit is not None
        self.crowd.leave(person.visit)
        person.since = self.forwarder.state.head
        person.origin, person.connection, person.visit = 0, None, None
        self.counts["goodbyes" if clean else "cuts"] += 1

    def forget(self, person: Person) -> None:
        """The program forgets its session."""
        person.token, person.since, person.id, person.own = b"", 0, 0, 0

    # --- talking -----------------------------------------------------------------------------------------

    def say(
        self, person: Person, channel: str, text: str = "a line of some words", extra: bytes = b""
    ) -> None:
        assert person.lines is not None
        if not person.lines.take():
            self.counts["lines that waited"] += 1
            return
        person.id += 1
        before = self.forwarder.state.head
        self.put(person, ProposalKind.LINES, Burst(channel, [person.id], [text.encode()], Form.SAY, extra))
        self.forward()
        if self.forwarder.state.head == before + 1 and channel.startswith("#"):
            person.own = before + 1
        self.counts["lines"] += 1

    def write(self, person: Person, other: Person) -> None:
        """A line in the conversation of two."""
        session = self.forwarder.state.session_at(("", 1, other.origin))
        if session is not None:
            row = extra_row(Extra.RECEIVER, session.person, 4)
            self.say(person, f"@{other.name}", "between us", row)

    def amend(self, person: Person, form: Form, seq: int) -> None:
        if not seq:
            return
        message, edit = message_at(self.history, seq)
        person.id += 1
        text = b"" if form is Form.DELETE else b"ok"
        self.put(person, ProposalKind.AMEND, Amend(person.id, "#any", form, message, text, edit))
        self.counts["amendments"] += 1

    def act(self, person: Person, command: str, channel: str, *arguments: str | int) -> None:
        """A command that changes the state. Who is not in gives none."""
        if person.is_here:
            self.put(person, ProposalKind.ACT, Act(command, channel, arguments))
            self.counts[command] += 1

    # --- the day -----------------------------------------------------------------------------------------

    def found(self) -> None:
        """The teachers register, the first one owns the chatroom, and each has a channel for a class."""
        until = NOON + int(self.now * 1000) + 10**6
        self.order.put(Proposal(0, 0, ProposalKind.OWN, Own("", "", (), "code", until)))
        for teacher in self.teachers:
            while not self.come(teacher):
                self.pass_time(1)
            self.act(teacher, "/register", "#general", _SECRET)
            self.forward()
            teacher.proof = _SECRET
        self.act(self.teachers[0], "/owner", "#general", "code")
        self.pass_time(1)
        for teacher in self.teachers:
            self.lose(teacher, True)

    def hour(self, number: int) -> None:
        """A lesson, and the break behind it."""
        for person in (*self.teachers, *self.pupils):
            self.later(self.random.uniform(0, _COMING), partial(self._come_to_lesson, person))
        for teacher in self.teachers:
            self._plan_lesson(teacher)
        if number in (2, 5):
            self._plan_raid()
        for second in range(_LESSON):
            if second > _COMING:
                self._talk()
            self.pass_time(1)
            if second % 600 == 0:
                self.upkeep.run(Never())
            if second in _LOOKS:
                self.judge(self)
        for person in self.people:
            self.later(self.random.uniform(0, _COMING), partial(self._go, person))
        for _ in range((HOUR - _LESSON) // _BREAK_STEP):
            self.pass_time(_BREAK_STEP)

    def _come_to_lesson(self, person: Person) -> None:
        if person.is_here:
            return
        if self.random.random() < 0.1 and not person.proof:
            self.forget(person)
            self._names += 1
            person.name = f"{person.name.partition('-')[0]}-{self._names}"
        if not self.come(person):
            self.later(self.random.uniform(1, 30), lambda: self._come_to_lesson(person))
            return
        if self.random.random() < 0.3 and not person.proof:  # what an account owns would stay
            group = f"#group{self.random.randrange(12)}"
            self.act(person, "/join", "#general", group, "")

    def _go(self, person: Person) -> None:
        if person.is_here:
            self.lose(person, self.random.random() < 0.7)

    def _talk(self) -> None:
        """What happens in a second of a lesson."""
        here = self.people
        if not here:
            return
        chance, person = self.random.random(), self.random.choice(here)
        if chance < 0.55:
            self.say(person, self.random.choice(person.channels))
        elif chance < 0.62:
            self.write(person, self.random.choice(here))
        elif chance < 0.66:
            self.amend(person, self.random.choice([Form.EDIT, Form.EDIT, Form.DELETE]), person.own)
        elif chance < 0.69:
            self.amend(person, Form.REACT, self.random.choice(here).own)
        elif chance < 0.71:
            self._mark(person)
        elif chance < 0.72:
            self.act(person, "/ignore", "#general", self.random.randint(1, 60))
        elif chance < 0.73:
            self.act(person, *self.random.choice([("/away", "#general", "lunch"), ("/back", "#general")]))
        elif chance < 0.74:
            self.guesses.begin("teacher0", person.network, False)
        elif chance < 0.75:
            self.lose(person, False)
            self.later(self.random.uniform(2, _BACK), lambda: self._come_to_lesson(person))

    def _mark(self, person: Person) -> None:
        """It has read a channel up to now."""
        channel = self.random.choice(person.channels)
        state = self.forwarder.state
        for one in state.channels:
            if one.name == channel:
                self.act(person, "/read", channel, one.place, state.head)

    def _plan_lesson(self, teacher: Person) -> None:
        """What a teacher does, minute by minute."""
        channel = teacher.channels[1]
        number = int(teacher.name[-1])
        pupils = self.pupils[number::CLASSES]
        victim, other = self.random.sample(pupils, 2)

        def plan(minute: float, deed: Callable[[], None]) -> None:
            self.later(60 * minute, deed)

        def each(command: str, *arguments: str | int) -> None:
            for pupil in pupils:
                if self.random.random() < 0.8:
                    self.act(pupil, command, channel, *arguments)

        plan(5, lambda: self.act(teacher, "/hush", channel, "on"))
        plan(6, lambda: each("/hand", 1))
        for turn in range(5):
            plan(7 + turn, lambda: self.act(teacher, "/next", channel))
        plan(13, lambda: self.act(teacher, "/hush", channel, "off"))
        plan(15, lambda: self.act(teacher, "/poll", channel, "which one | this | that"))
        plan(16, lambda: each("/vote", 1 + number % 2, ""))
        plan(20, lambda: self.act(teacher, "/reveal", channel))
        plan(22, lambda: self.act(teacher, "/slow", channel, 10))
        plan(26, lambda: self.act(teacher, "/slow", channel, 0))
        key = name_key(victim.name)
        plan(28, lambda: self.act(teacher, "/mute", channel, f"name {key}", key, 600, "noise"))
        plan(30, lambda: self.act(teacher, "/kick", channel, name_key(other.name), "why"))
        plan(32, lambda: self.act(teacher, "/ban", channel, f"name {key}", key, 1800, "noise"))
        plan(35, lambda: self.act(teacher, "/topic", channel, f"minute {self.now // 60:.0f}"))
        plan(36, lambda: self.act(self.random.choice(pupils), "/ask", channel, "why is that so?"))

    def _plan_raid(self) -> None:
        """Strangers come with new names again and again, for ten minutes; the owner stops them."""
        owner, until = self.teachers[0], self.now + _RAID + 600

        def raid(stranger: Person, until: float) -> None:
            if stranger.is_here:
                for _ in range(8):
                    self.say(stranger, "#general", "buy this")
                self.lose(stranger, self.random.random() < 0.5)
            self._names += 1
            self.forget(stranger)
            stranger.name = f"stranger{self._names}"
            self.come(stranger)
            if self.now < until:
                self.later(self.random.uniform(5, 15), lambda: raid(stranger, until))

        self.strangers = [
            Person("stranger", f"203.0.113.{number % 4}", ("#general",)) for number in range(STRANGERS)
        ]
        for stranger in self.strangers:
            self.later(_RAID, partial(raid, stranger, until))
        self.later(25 * 60, lambda: self.act(owner, "/guard", EVERYWHERE, "newcomers", 2))
        self.later(28 * 60, lambda: self.act(owner, "/guard", EVERYWHERE, "accounts", 0))
        self.later(31 * 60, lambda: self.act(owner, "/guard", EVERYWHERE, "off", 0))

    def close_the_school(self) -> None:
        """Nobody comes for some days: first by seconds, then by hours."""
        for person in self.people:
            self.lose(person, True)
        self._plan.clear()
        for _ in range(300):
            self.pass_time(1)
        for _ in range(AWAY_DAYS * 24):
            self.pass_time(HOUR)
            self.upkeep.run(Never())


def all_sizes(day: Day) -> Counter[str]:
    """Of everything that lasts longer than a connection."""
    return sizes(day.forwarder, day.crowd, day.lapses, day.guesses, day.figures)


# --- how large everything is ----------------------------------------------------------------------------


def sizes(*roots: object) -> Counter[str]:
    """The length of each collection that can be reached from these objects, by `Class.field`.

    Those of several objects of one class are added up; so are collections in collections, with `[]` behind
    the name. Only objects of our packages are looked into.
    """
    found: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: deque[tuple[str, object]] = deque(("", root) for root in roots)
    while waiting:
        name, value = waiting.popleft()
        if id(value) in seen or isinstance(value, str | bytes | int | float | type) or value is None:
            continue
        seen.add(id(value))
        if isinstance(value, Mapping | list | set | frozenset | deque):
            found[name] += len(value)
            inside = [*value, *value.values()] if isinstance(value, Mapping) else [*value]
            waiting.extend((f"{name}[]", one) for one in inside)
        elif isinstance(value, tuple):
            waiting.extend((f"{name}()", one) for one in value)
        elif type(value).__module__.partition(".")[0] in ("chatroom", "server"):
            kind = type(value).__name__
            waiting.extend((f"{kind}.{field}", one) for field, one in fields(value))
    return found


def fields(value: object) -> list[tuple[str, object]]:
    """The fields of an object, with or without slots."""
    names = list(vars(value)) if hasattr(value, "__dict__") else []
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else slots
    found = []
    for name in names:
        with suppress(AttributeError):
            found.append((name, getattr(value, name)))
    return found
