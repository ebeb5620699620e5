"""What a user at a terminal says and asks: what is on its way, and what to do with the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from chatroom.errors import ChatroomError, ConfigError
from chatroom.events import Event
from chatroom.limits import EDIT_SECONDS
from chatroom.outcomes import Code
from chatroom.packets import Answer, Form
from client.limits import LEAVE_SECONDS, MAX_PENDING, REPLAY_LINES
from client.own_steps import SHOWN
from client.places import Places
from client.secret_commands import concealed
from client.substitution import substitution_of
from client.talker import Line, Steps, Talker
from client.told_once import ToldOnce
from views import Surface
from views.describe import quoted
from views.limits import PENDING_SHOWN

TRACE: Final = "/trace"
"""The command that says a line and shows its way; this program adds its own steps."""

_WITH_TEXT: Final = ("/announce", "/ask", "/away", "/poll", "/topic", TRACE)
"""Commands whose text nobody wants to type again when the server refuses it."""

Then = Callable[[Answer, tuple[Event, ...]], None]
"""Takes the answer to a command, and the events of the past that came before it."""


class Said(NamedTuple):
    """What the user has said or given, until it is known what becomes of it.

    text:  of the line, or behind the command
    typed: what says it again, as it was typed; empty: saying it again would mean something else
    """

    text: str
    typed: str


ALONE: Final = "your last line was to {0} alone; /go {0} leads there, and then it can be changed"
"""What a user is told who would change a line that all read instead of one that nobody else has read."""


class Addressed(NamedTuple):
    """A line for one person, as it was typed: it is meant for whoever has the name.

    name:     of the place, with its `@`
    receiver: the person that had the name, as far as the client knew
    place:    the number of the place on the screen, if it was typed there; 0: it was typed elsewhere
    """

    name: str
    receiver: int
    place: int
    text: str
    typed: str
    form: int


class Speech:
    """Lines and commands of one user. In the main thread."""

    def __init__(self, client: Talker, view: Surface, places: Places, recalls: bool = True) -> None:
        """recalls: whether a key brings back a line that was refused"""
        self._recalls = recalls
        self._client = client
        self._view = view
        self._places = places
        self._lines: dict[int, tuple[Line, str]] = {}  # said, and where; not shown as an event yet, in order
        self._said: dict[int, Said] = {}  # lines, changes of lines and commands with a text
        self._addressed: dict[int, Addressed] = {}  # lines for one person that was here when they were typed
        self._asked_for: dict[int, str] = {}  # lines that wait for the answer to a command
        self._connected = True
        self._then: dict[int, Then] = {}  # what to do with the answers to commands
        self._given: dict[int, str] = {}  # commands that wait for their answers, without their secrets
        self._past: dict[int, tuple[Event, ...]] = {}  # what has come before them
        self._steps: dict[int, Steps] = {}  # of lines that are followed
        self.once = ToldOnce()
        self._moving: set[int] = set()  # those of these commands that put another place on the screen

    # --- the user ----------------------------------------------------------------------------------------

    def correct(self, text: str) -> bool:
        """Change the user's last line here, if the text says how; else it is one to be said.

        Raises ConfigError: that line cannot be changed yet, or is another one than the last.
        """
        substitution = substitution_of(text)
        if substitution is None:
            return False
        waiting = self.waiting
        if waiting and substitution.apply(waiting[-1]) != waiting[-1]:
            raise ConfigError("your line is still on its way; press Enter again")
        line = self._places.here.last(own=True, person=self._client.person)
        if name := self._places.talked_alone_with(line.seq if line else 0):
            raise ConfigError(ALONE.format(name))
        if line is None or line.time / 1000 + EDIT_SECONDS < time.time():
            return False
        changed = substitution.apply(line.text)
        if not changed or changed == line.text:
            return False
        return self.amend(lambda: self._client.edit(line.seq, changed), text)

    def missed(self, text: str) -> str:
        """The word that a text would replace in the user's last line, if that can be changed and has no such
        word; else empty."""
        substitution, waiting = substitution_of(text), self.waiting
        if substitution is None:
            return ""
        line = self._places.here.last(own=True, person=self._client.person)
        if not waiting and (line is None or line.time / 1000 + EDIT_SECONDS < time.time()):
            return ""
        last = waiting[-1] if waiting else line.text if line is not None else ""
        return "" if substitution.wrong in last else substitution.wrong

    def say(
        self,
        text: str,
        channel: str | None = None,
        form: int = Form.SAY,
        reply_to: int = 0,
        receiver: int = 0,
        typed: str = "",
        final: bool = False,
    ) -> None:
        """Say a line of a command, which is told, and not put back, when it cannot be sent."""
        self.attempt(lambda: self.send(text, channel, form, reply_to, receiver, typed, final))

    def send(
        self,
        text: str,
        channel: str | None = None,
        form: int = Form.SAY,
        reply_to: int = 0,
        receiver: int = 0,
        typed: str = "",
        final: bool = False,
    ) -> None:
        """Say a line, here or in another channel. Raises as `Client.say`.

        typed: what the user typed for it, which a key brings back if it is refused; empty: nothing does
        final: the receiver was looked up for this line just now
        """
        place = self._places.place if channel is None else 0
        receiver = receiver or (self._places.receiver if channel is None else 0)
        where = self._places.name if channel is None else channel
        line = self._client.say(text, where, 0, form=form, reply_to=reply_to, receiver=receiver)
        self._lines[line.id] = line, where
        self._note(line.id, text, typed)
        if receiver and self._connected and not final:
            self._addressed[line.id] = Addressed(where, receiver, place, text, typed, form)

    def addressed(self, id: int) -> Addressed | None:
        """The line for one person with this id, if it may go to whoever has the name now."""
        return self._addressed.get(id)

    def connected(self, is_so: bool) -> None:
        """The connection is there, or lost. A line that waited for one must reach nobody but the person for
        whom it was typed."""
        self._connected = is_so
        if not is_so:
            self._addressed.clear()

    def not_said(self, why: str, text: str, typed: str) -> None:
        """Tell why a line was not sent, with the line, and how it comes back."""
        recalled = " (\u2191 brings it back)" if typed and self._recalls else ""
        self._view.system(f"{why}; not sent: {quoted(text)}{recalled}")

    def amend(self, do: Callable[[], Line], text: str) -> bool:
        """Change a line or react to it, and tell why it cannot be; whether it was sent. text: what is new"""

        def send() -> None:
            self._note(do().id, text, "")

        return self.attempt(send)

    def give(self, typed: str) -> None:
        """Give a command to the server. Raises as `Client.command`."""
        word, _, text = typed.partition(" ")
        if word.lower() == TRACE:
            steps = self._client.follow(typed, self._places.name)
            id, self._steps[steps.id] = steps.id, steps
        else:
            id = self._client.command(typed, self._places.name)
        self.gave(id, typed)
        if text and word.lower() in _WITH_TEXT:
            self._note(id, text, typed)

    def gave(self, id: int, typed: str) -> None:
        """A command was sent; its answer is to be shown under its name. id: 0 if none was sent"""
        if id:
            self._given[id] = concealed(typed)
            self.once.given(id, typed.split(None, 1)[0])

    def _note(self, id: int, text: str, typed: str) -> None:
        self._said[id] = Said(text, typed)
        while len(self._said) > MAX_PENDING:
            del self._said[next(iter(self._said))]

    def attempt(self, do: Callable[[], object]) -> bool:
        """Do what may fail, and tell why it did; whether it went well."""
        try:
            do()
        except (TimeoutError, ValueError, ChatroomError) as error:
            self._view.system(f"not sent: {error}")
            return False
        return True

    def ask(
        self,
        command: str,
        then: Then,
        channel: str | None = None,
        moves: bool = False,
        quiet: bool = False,
        text: str = "",
    ) -> int:
        """Send a command, and call `then` with its answer and the events before it, which are not shown.

        Its id; 0 when it could not be sent, which is told.

        channel: where it is given; None: in the place on the screen
        quiet: whether not to tell that it could not be sent
        text:  of a line that waits for the answer; it is told when none comes
        moves: the answer puts another place on the screen: until it comes, nothing may be said
        """

        id = 0

        def send() -> None:
            nonlocal id
            id = self._client.command(command, self._places.name if channel is None else channel)
            self._then[id] = then
            if text:
                self._asked_for[id] = text
            if moves:
                self._moving.add(id)

        if quiet:
            with suppress(TimeoutError, ValueError, ChatroomError):
                send()
        else:
            self.attempt(send)
        return id

    def ask_past(self, name: str, place: int) -> None:
        """Ask for lines of a place. A server may have none, or not know how.

        A conversation is named by its number: two persons may have had one name.
        """

        def show(answer: Answer, events: tuple[Event, ...]) -> None:
            if answer.code == Code.OK:
                self._places.show_past(place, events)

        where = f" in:{place}" if name.startswith("@") else ""
        self.ask(f"/history {REPLAY_LINES}{where}", show, name)

    def awaits(self, id: int) -> bool:
        """Whether what was asked with this id may still be answered."""
        return id in self._then

    @property
    def moving(self) -> bool:
        """Whether another place is about to come on the screen: what is typed now is meant for that one."""
        return bool(self._moving)

    @property
    def asks(self) -> bool:
        """Whether an answer is awaited that the client needs for itself, as lines of another place."""
        return bool(self._then)

    @property
    def waiting(self) -> list[str]:
        """The texts of the lines that were said here and are not stored yet."""
        return [line.text for line, where in self._lines.values() if where == self._places.name]

    def where(self, id: int) -> str:
        """Where the line with this id was said, if it waits; else empty."""
        return self._lines[id][1] if id in self._lines else ""

    def given(self, id: int) -> str:
        """The command with this id, if it waits for an answer that is to be shown; else empty."""
        return self._given.get(id, "")

    # --- what becomes of it --------------------------------------------------------------------------------

    def pending(self) -> list[str]:
        """The texts of the lines on their way, with their channel if that is not on the screen."""
        here = self._places.name
        return [
            line.text if where == here else f"({where}) {line.text}" for line, where in self._lines.values()
        ]

    def stored(self, id: int) -> bool:
        """The event of an own line has come; whether it was said here."""
        self._said.pop(id, None)
        self._addressed.pop(id, None)
        return self._lines.pop(id, None) is not None

    def shown(self, id: int) -> None:
        """The event of an own line is on the screen."""
        if id in self._steps:
            self._steps[id].note(SHOWN)

    def own_steps(self, id: int) -> Sequence[tuple[int, str, str]]:
        """What became here of the line of the command that is answered; empty of any other."""
        return self._steps.pop(id).rows() if id in self._steps else ()

    def past(self, id: int, events: tuple[Event, ...]) -> None:
        """These events have come before the answer to a command."""
        self._past[id] = events

    def refused(self, answer: Answer) -> Said | None:
        """An answer has come: what it refuses; None: it refuses nothing, or no text would be lost."""
        said = self._said.pop(answer.id, None)
        return said if answer.code not in (Code.OK, Code.ALREADY) else None

    def answered(self, answer: Answer) -> tuple[Event, ...] | None:
        """An answer has come: the events that came before it, to be shown; None: nothing is to be shown."""
        self._lines.pop(answer.id, None)  # a line with an answer gets no event
        self._given.pop(answer.id, None)
        self._addressed.pop(answer.id, None)
        self._asked_for.pop(answer.id, None)
        past = self._past.pop(answer.id, ())
        then = self._then.pop(answer.id, None)
        self._moving.discard(answer.id)
        if then is None:
            return past
        then(answer, past)
        return None

    def unanswered(self, id: int) -> bool:
        """No answer will come; whether the user must be told: not of what the client asked by itself."""
        self._lines.pop(id, None)
        self._said.pop(id, None)
        self._past.pop(id, None)
        self._given.pop(id, None)
        self._steps.pop(id, None)
        self._addressed.pop(id, None)
        if waited := self._asked_for.pop(id, ""):
            self._view.system(f"not sent: {quoted(waited)}")
        self.once.unanswered(id)
        self._moving.discard(id)
        return self._then.pop(id, None) is None

    def caught_up(self) -> None:
        """The events of stored lines have all come by now."""
        stored = [id for id, line in self._lines.items() if line[0].stored]
        for id in stored:
            del self._lines[id]
            self._said.pop(id, None)

    def wait_for_lines(self, connected: bool) -> None:
        """Before leaving: wait a moment for lines on their way, and show which are not stored."""
        if self._lines and connected:
            self._client.flush(LEAVE_SECONDS)
        lost = [line for line, _ in self._lines.values() if not line.stored]
        for line in lost[:PENDING_SHOWN]:
            self._view.system(f"not stored: {line.text}")
        if len(lost) > PENDING_SHOWN:
            self._view.system(f"… and {len(lost) - PENDING_SHOWN} more lines")
