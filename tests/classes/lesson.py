"""The lesson, step by step: what the teacher does, what the students try, and what the screens show."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from tests.classes.judge import judge
from tests.classes.people import COLUMNS, PATIENCE, AtTerminal, ByApi, Trouble, names_in
from tests.end_to_end.programs import ServerProcess

TEACHER: Final = "tess"
_NAMES: Final = tuple(
    "abel aylin ben carla chen dana dilan emil finn gwen hana igor ines jonas kofi lea".split()  # noqa: SIM905
    + "liam mila nils noor olga paul quinn rosa sami tara uwe vera".split()  # noqa: SIM905
)
_AT_TERMINALS: Final = ("pia", "ravi", "zoe")
OPTIONS: Final = ("yes", "no", "not yet")
_CALM: Final = 1.0  # seconds without news until a step is over
_PAUSE: Final = 0.05
_LOGGED: Final = 100  # acts of the trail that the teacher reads at the end


class Size(NamedTuple):
    """people: all, the teacher and those at terminals among them; hands: raised within a second"""

    people: int = 30
    terminals: int = 3
    hands: int = 20
    calls: int = 5


class Lesson:
    """One lesson. The server is killed in the middle of it.

    wrong: what was not as it must be
    checked: how many things were looked at
    """

    def __init__(self, folder: Path, size: Size, tell: Callable[[str], None] = print) -> None:
        self._folder, self._size, self._tell = folder, size, tell
        self._stack = ExitStack()
        self._data = folder / "history.db"
        self.wrong: list[str] = []
        self.checked = 0
        self._votes: dict[str, int] = {}

    # --- before and after -----------------------------------------------------------------------------------

    def run(self) -> list[str]:
        """All steps; what was wrong."""
        with self._stack:
            self._start()
            for step in _STEPS:
                began = time.monotonic()
                title = (step.__doc__ or "").strip().splitlines()[0]
                try:
                    step(self)
                except Trouble as trouble:
                    self._expect(False, f"{title} {trouble}")
                self._show(title, time.monotonic() - began)
            self._judge()
        return self.wrong

    def _start(self) -> None:
        self._server = ServerProcess(self._folder / "server.log", "--data", str(self._data))
        self._port = self._server.port
        self._stack.callback(lambda: self._server.kill())
        self.teacher = self._come(TEACHER)
        self.teacher.register()
        self.teacher.own(self._data.with_name(self._data.name + ".code"))
        by_api = self._size.people - 1 - self._size.terminals
        with ThreadPoolExecutor(by_api) as pool:
            self.students = list(pool.map(self._come, _NAMES[:by_api]))
        self.seats = [
            AtTerminal(self._port, name, self._folder) for name in _AT_TERMINALS[: self._size.terminals]
        ]
        for seat in self.seats:
            self._stack.callback(seat.close)
        self._names = [one.name for one in self.students] + [seat.name for seat in self.seats]
        joined = self._size.people
        self._wait("all are in", lambda: len(self._of(EventKind.JOINED)) >= joined)
        self._persons = {event.author: event.person for event in self._of(EventKind.JOINED)}

    def _come(self, name: str) -> ByApi:
        one = ByApi(self._port, name)
        self._stack.callback(one.close)
        return one

    # --- looking --------------------------------------------------------------------------------------------

    def _of(self, kind: EventKind) -> list[Event]:
        return [event for event in self.teacher.events if event.kind is kind]

    def _expect(self, right: bool, what: str) -> None:
        self.checked += 1
        if not right:
            self.wrong.append(what)
            self._tell(f"!!! {what}")

    def _wait(self, what: str, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > until:
                raise Trouble(f"it did not come about: {what}")
            time.sleep(_PAUSE)

    def _show(self, title: str, seconds: float) -> None:
        """Wait until nothing new comes; print the screens."""
        before, since = -1, time.monotonic()
        while time.monotonic() < since + _CALM:
            written = sum(seat.written for seat in self.seats) + len(self.teacher.events)
            if written != before:
                before, since = written, time.monotonic()
            time.sleep(_PAUSE)
        self._tell(f"\n=== {title} ({seconds:.1f} s, {len(self.teacher.events)} events so far)")
        for seat in self.seats:
            rows = seat.rows()
            self._tell(f"┌─ {seat.name} ".ljust(COLUMNS + 1, "─") + "┐")
            for row in rows:
                self._tell("│" + row.ljust(COLUMNS) + "│")
            self._tell("└" + "─" * COLUMNS + "┘")

    def _judge(self) -> None:
        persons, events = self._persons, self.teacher.events
        votes = {persons[name]: choice for name, choice in self._votes.items()}
        found = judge(events, persons[TEACHER], votes, len(OPTIONS))
        for wrong in found:
            self._expect(False, wrong)
        self.checked += len(events)
        if "Traceback" in self._server.errors():
            self._expect(False, self._server.errors()[-2000:])

    # --- the steps ------------------------------------------------------------------------------------------

    def greet(self) -> None:
        """Everybody says good morning."""
        self.teacher.say("good morning, class")
        for one in self.students:
            self._expect(one.say("good morning") == "", f"{one.name} may speak before it is hushed")
        for seat in self.seats:
            seat.type("good morning")

    def hush(self) -> None:
        """The teacher hushes the class; three try to talk on."""
        self.teacher.do("/hush")
        for one in self.students[:3]:
            self._expect(one.say("psst, have you seen this?") != "", f"{one.name} is hushed")
        for seat in self.seats:
            seat.type("I talk on")

    def raise_hands(self) -> None:
        """Many raise a hand within a second; one takes it down, one raises it twice."""
        hands = self._size.hands - len(self.seats)
        began = time.monotonic()
        with ThreadPoolExecutor(hands) as pool:
            answers = list(pool.map(lambda one: one.ask("/hand"), self.students[:hands]))
            for seat in self.seats:
                seat.type("/hand")
        took = time.monotonic() - began
        self._expect(all(one.code == Code.OK for one in answers), f"all hands are up: {answers}")
        self._expect(took < 5.0, f"the hands took {took:.1f} s")
        self._wait("all hands are told", lambda: len(self._hands()) == self._size.hands)
        self._expect(self.students[0].ask("/hand").code == Code.ALREADY, "a hand is raised once")
        self.students[1].do("/hand down")
        self._wait("the hand is down", lambda: len(self._hands()) == self._size.hands - 1)
        self._expect_hands("after they were raised")

    def _hands(self) -> list[str]:
        """Who has a hand up, in order, by the events alone."""
        raised = list[str]()
        down = {person: name for name, person in self._persons.items()}
        for event in self.teacher.events:
            if event.kind is EventKind.HAND:
                raised = [one for one in raised if one != event.author]
                raised += [] if event.extra else [event.author]
            elif event.kind in (EventKind.CALLED, EventKind.KICKED):
                target = int.from_bytes(event.extra[2:6], "big") if event.extra else 0
                raised = [one for one in raised if one != down.get(target)]
        return raised

    def _expect_hands(self, when: str) -> None:
        told, raised = names_in(self.teacher.do("/hands"), self._names), self._hands()
        self._expect([one for one in told if one in raised] == raised, f"/hands {when}: {told}, not {raised}")

    def call(self) -> None:
        """The teacher calls two, who answer; somebody else tries to."""
        for _ in range(2):
            self._call()
        uncalled = next(one for one in self.students if one.name in self._hands())
        self._expect(uncalled.say("I know it, too") != "", f"{uncalled.name} was not called")

    def _call(self) -> None:
        first, before = self._hands()[:1], len(self._of(EventKind.CALLED))
        self.teacher.do("/next")
        self._wait("a call is told", lambda: len(self._of(EventKind.CALLED)) > before)
        self._expect(bool(first), "there are hands")
        text = f"I think it is {before}"
        for one in self.students:
            if [one.name] == first:
                self._expect(one.say(text) == "", f"{one.name} was called, and may speak")
        for seat in self.seats:
            if [seat.name] == first:
                seat.type(text)
                self._wait(
                    f"{seat.name} speaks",
                    lambda: any(event.text == text for event in self._of(EventKind.SAID)),
                )

    def poll(self) -> None:
        """The teacher asks all; about half of them vote, those at terminals too."""
        self.teacher.do(f"/poll Is this clear? | {' | '.join(OPTIONS)}")
        self._vote(self.students[: len(self.students) // 2])
        for number, seat in enumerate(self.seats):
            choice = number % len(OPTIONS) + 1
            seat.type(f"/vote {choice}")
            self._votes[seat.name] = choice
        wrong = self.students[0].ask(f"/vote {len(OPTIONS) + 1}")
        self._expect(wrong.code not in (Code.OK, Code.ALREADY), f"there is no such option: {wrong}")

    def _vote(self, students: Sequence[ByApi]) -> None:
        for number, one in enumerate(students):
            choice = (number * 7 + len(one.name)) % len(OPTIONS) + 1
            one.do(f"/vote {choice}")
            self._votes[one.name] = choice

    def mute(self) -> None:
        """One is muted: may neither speak nor vote nor raise a hand."""
        self._muted = self.students[-1]
        self.teacher.do(f"/mute {self._muted.name} 1h too loud")
        self._expect_muted("at once")

    def _expect_muted(self, when: str) -> None:
        one = self._muted
        self._expect(one.say("but I want to") != "", f"{one.name} is muted {when}")
        for command in ("/hand", "/vote 1", "/ask may I?"):
            code = one.ask(command).code
            self._expect(code == Code.MUTED, f"{one.name} is muted {when}: {command} gives {code}")

    def restart(self) -> None:
        """The server is killed, and started again: hush, hands, poll and mute stand."""
        hands = self._hands()
        self._server.kill()
        self._server = ServerProcess(self._folder / "server.log", "--data", str(self._data), port=self._port)
        self._wait("all are back", lambda: all(one.connected for one in (self.teacher, *self.students)))
        self._wait("the restart is told", lambda: bool(self._of(EventKind.RESTARTED)))
        self._expect(self._hands() == hands, "the hands are the same")
        self._expect_hands("after the restart")
        uncalled = next(one for one in self.students if one.name in hands)
        self._expect(uncalled.say("is anybody there?") != "", "it is hushed after the restart")
        self._expect_muted("after the restart")
        shown = self.students[0].do("/poll")
        self._expect("clear" in f"{shown.words} {shown.rows}", f"the poll is open: {shown}")
        self._expect(
            not {"joined", "quit"} & {event.kind.word for event in self._since_restart()},
            "nobody has quit or joined by the restart",
        )

    def _since_restart(self) -> list[Event]:
        events = self.teacher.events
        (start,) = [number for number, event in enumerate(events) if event.kind is EventKind.RESTARTED]
        return events[start + 1 :]

    def vote_on(self) -> None:
        """The others vote, one changes its mind; one does not vote. The teacher reveals the result."""
        half = len(self.students) // 2
        self._vote(self.students[half:-2])  # without the muted one, and the one before
        first = self.students[0]
        choice = self._votes[first.name] % len(OPTIONS) + 1
        first.do(f"/vote {choice}")
        self._votes[first.name] = choice
        self.teacher.do("/reveal")
        self._wait("the result is told", lambda: bool(self._of(EventKind.REVEALED)))
        code = first.ask("/vote 1").code
        self._expect(code not in (Code.OK, Code.ALREADY), f"nobody votes after the result: {code}")

    def call_on(self) -> None:
        """The teacher calls the others."""
        for _ in range(self._size.calls - 2):
            self._call()

    def ask(self) -> None:
        """Three ask something that they would not ask with their name."""
        for number, one in enumerate(self.students[3:6]):
            one.do(f"/ask Question {number}: what does it all mean?")
        self._expect(self.students[3].ask("/ask and this?").code == Code.SLOW_DOWN, "one question in a while")
        self._wait("three questions", lambda: len(self._of(EventKind.ASKED)) == 3)

    def kick(self) -> None:
        """One is kicked, and gets nothing more."""
        out = self._kicked = self.students[-2]
        self.teacher.do(f"/kick {out.name} come back when you are calm")
        self._wait("it is told", lambda: bool(self._of(EventKind.KICKED)))
        self._expect(out.say("I am still here") != "", f"{out.name} is out")
        self.teacher.say("he is out")
        self.teacher.ask("/who")
        kicked = [event for event in out.events if event.kind is EventKind.KICKED]
        self._expect(len(kicked) == 1, f"{out.name} is told: {kicked}")
        self._expect(
            not any(event.text == "he is out" for event in out.events), f"{out.name} hears nothing more"
        )

    def loud(self) -> None:
        """The teacher lets all speak again; the muted one not, until that is taken back."""
        self.teacher.do("/hush off")
        self._expect(self.students[1].say("at last") == "", "all may speak again")
        self._expect(self._muted.say("me too") != "", "but not the muted one")
        left = names_in(self.teacher.ask("/hands"), self._names)
        self._expect(left == [], f"the hands are down: {left}")
        self.teacher.do(f"/unmute {self._muted.name}")
        self._expect(self._muted.say("thank you") == "", "the mute was taken back")
        back = self._kicked.ask("/join #general")
        self._expect(back.code == Code.OK, f"who was kicked may come back: {back}")
        self._expect(self._kicked.say("sorry") == "", "and speak")

    def look_back(self) -> None:
        """The teacher reads what she has done: each act of the lesson is in the trail, in order."""
        rows = self.teacher.do(f"/log #general {_LOGGED}").rows
        found = [str(row[4]).split()[0] for row in rows if isinstance(row, list)]
        calls = ["/next"] * len(self._of(EventKind.CALLED))
        hand_outs = [one for one in found if one in ("/hush", "/next", "/poll", "/reveal")]
        expected = ["/hush", *calls[:2], "/poll", "/reveal", *calls[2:], "/hush"]
        self._expect(hand_outs == expected, f"the trail has {hand_outs}, not {expected}")
        others = [one for one in found if one in ("/mute", "/kick", "/unmute")]
        self._expect(others == ["/mute", "/kick", "/unmute"], f"the trail has {others}")


_STEPS: Final[tuple[Callable[[Lesson], None], ...]] = (
    Lesson.greet,
    Lesson.hush,
    Lesson.raise_hands,
    Lesson.call,
    Lesson.poll,
    Lesson.mute,
    Lesson.restart,
    Lesson.vote_on,
    Lesson.call_on,
    Lesson.ask,
    Lesson.kick,
    Lesson.loud,
    Lesson.look_back,
)
