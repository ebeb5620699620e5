"""One client on one terminal: the loop between keys, window size, updates and the screen."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from chatroom.errors import ChatroomError, Closed
from chatroom.events import Event
from chatroom.packets import Answer, Channel, Info, Resumed
from client.limits import LEAVE_SECONDS
from client.talker import Line, Talker
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    Missed,
    Retrying,
    Unanswered,
    Update,
)
from views import Action, Leave, Submitted, Suspend, View
from views.limits import PENDING_SHOWN

if TYPE_CHECKING:
    from client.terminal import PosixTerminal


class Conversation:
    """One client on one terminal, in the main thread. A round: keys, signals, updates, at most one write."""

    def __init__(self, client: Talker, terminal: PosixTerminal, view: View) -> None:
        self.client = client
        self.view = view
        self._terminal = terminal
        self._lines: dict[int, Line] = {}  # said, and not shown as an event yet, in order
        self._connected = True
        self._left = False
        self._ended: Ended | None = None

    def run(self) -> Ended | None:
        """Until the user leaves (None) or the client ends."""
        for update in self.client.poll():
            self._show(update)
        crowded = False  # the terminal is full: neither write nor fetch more
        while not self._left and self._ended is None:
            wait = None if crowded else self.view.wait(time.monotonic())
            typed, woken, roomy = self._terminal.wait(wait, for_room=crowded)
            if typed:
                self._type()
            if woken:
                self._obey(self._terminal.signals())
            crowded = crowded and not roomy
            if not crowded:
                self._fetch()
                crowded = not self._write()
        if self._left and self._lines:
            self._wait_for_lines()
        return self._ended

    def leave(self) -> None:
        """End the loop: the user leaves."""
        self._left = True

    # --- in ----------------------------------------------------------------------------------------------

    def _type(self) -> None:
        data = self._terminal.read()
        if not data:
            self.leave()
        for action in self.view.keys(data, time.monotonic()):
            self._act(action)

    def _act(self, action: Action) -> None:
        if isinstance(action, Leave):
            self.leave()
        elif isinstance(action, Suspend):
            self._suspend()
        elif action.text.startswith("/") and not action.text.startswith("//"):
            self._command(action)
        else:
            self._say(action.text.removeprefix("/"), action)

    def _say(self, text: str, action: Submitted) -> None:
        try:
            line = self.client.say(text, timeout=0)
        except (TimeoutError, ValueError, ChatroomError) as error:
            self._not_sent(action, error)
        else:
            self._lines[line.id] = line

    def _command(self, action: Submitted) -> None:
        word = action.text.split(None, 1)[0].lower()
        for command in COMMANDS:
            if command.name == word:
                command.do(self)
                if not command.sent:
                    return
        try:
            self.client.command(action.text)
        except (TimeoutError, ValueError, ChatroomError) as error:
            self._not_sent(action, error)

    def _not_sent(self, action: Submitted, error: Exception) -> None:
        """Put the line back into the input, so that nothing typed is lost."""
        self.view.editor.restore(action.text)
        self.view.system(f"not sent: {error}")
        if isinstance(error, Closed) and self._ended is None:
            self.leave()

    def _suspend(self) -> None:
        self._terminal.write(self.view.release())
        self._terminal.suspend()
        self._terminal.signals()  # drop SIGCONT: the screen is painted anew below
        self.view.resize(*self._terminal.size())

    def _obey(self, signals: set[int]) -> None:
        if signal.SIGTSTP in signals:
            self._suspend()
        if signal.SIGCONT in signals:  # another program stopped us, and did not restore the terminal
            self._terminal.take()
            self.view.release()
        if signal.SIGWINCH in signals or signal.SIGCONT in signals:
            self.view.resize(*self._terminal.size())

    def _fetch(self) -> None:
        for update in self.client.poll():
            self._show(update)
        self.view.pending([line.text for line in self._lines.values()])

    # --- out ---------------------------------------------------------------------------------------------

    def _write(self) -> bool:
        """Paint when it is time; False when the terminal is full."""
        now = time.monotonic()
        if self.view.wait(now) != 0.0:
            return True
        if not self._terminal.has_room():
            return False
        out = self.view.tick(now)
        if out:
            self._terminal.write(out)
        return True

    def _show(self, update: Update) -> None:
        view, now = self.view, int(time.time() * 1000)
        match update:
            case Event():
                if update.author == self.client.name:
                    self._lines.pop(update.id, None)
                view.event(update)
                view.identity(self.client.name)
            case Answer(id, _, words):
                self._lines.pop(id, None)  # a line with an answer gets no event
                view.completer.learn(_COMMAND_WORD.findall(words))
                if words:
                    view.system(words, now)
            case Unanswered(id, text, words):
                self._lines.pop(id, None)
                view.system(f"{words}: {text}", now)
            case Info(words):
                view.system(words, now)
            case Interrupted(how, words):
                view.system(words, now)
                if how is not Resumed.GAP:  # names and places of another history
                    view.completer.forget_all()
            case Channel(place=place, size=size, members=members):
                if len(members) == size:  # else there are too many to list
                    view.members(place, [member.name for member in members])
            case Connected():
                self._connected = True
                view.identity(update.name)
                view.status("")
                you = f"you are {update.name} in {update.channel}"
                view.system("back again" if update.resumed else f"{you}; /help lists the commands", now)
            case Missed(gap):
                view.missed(gap)
            case CaughtUp():  # the events of stored lines have all come by now
                self._lines = {id: line for id, line in self._lines.items() if not line.stored}
            case Disconnected():
                self._connected = False
                view.system(f"connection lost: {update.reason}", now)
                view.status("reconnecting")
            case Retrying():
                view.status(f"retrying {_in_seconds(update.seconds)}: {update.reason}")
            case Ended():
                self._ended = update

    def _wait_for_lines(self) -> None:
        """Before leaving: wait a moment for lines on their way, and show which are not stored."""
        if self._connected:
            self.client.flush(LEAVE_SECONDS)
        lost = [line for line in self._lines.values() if not line.stored]
        for line in lost[:PENDING_SHOWN]:
            self.view.system(f"not stored: {line.text}")
        if len(lost) > PENDING_SHOWN:
            self.view.system(f"… and {len(lost) - PENDING_SHOWN} more lines")


class LocalCommand(NamedTuple):
    """A command that the client obeys. `sent`: it goes to the server, too."""

    name: str
    help: str
    do: Callable[[Conversation], None]
    sent: bool = False


def _help(conversation: Conversation) -> None:
    width = max(len(command.name) for command in COMMANDS)
    lines = [f"{command.name:{width}}  {command.help}" for command in COMMANDS]
    conversation.view.system("\n".join([*lines, _KEYS_HELP]))


COMMANDS = (
    LocalCommand("/quit", "leave (Ctrl-C or Ctrl-D on an empty line do, too)", Conversation.leave),
    LocalCommand("/clear", "empty the screen", lambda conversation: conversation.view.clear()),
    LocalCommand("/help", "this", _help, sent=True),
)
_KEYS_HELP = """\
//x     says /x
Tab completes names and commands, Up brings sent lines back, Alt-Enter makes a line end, Ctrl-_ takes \
back, Ctrl-L repaints, Ctrl-C empties the line."""
_COMMAND_WORD = re.compile(r"^(/[a-z]+)\b", re.MULTILINE)  # in an answer: the server's /help


def _in_seconds(seconds: float) -> str:
    return f"in {seconds:.0f} s" if seconds >= 1 else "now"
