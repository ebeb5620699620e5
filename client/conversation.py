"""One client on one terminal: the loop between keys, window size, updates and the screen."""

from __future__ import annotations

import math
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from chatroom.errors import ChatroomError, Closed, ConfigError
from chatroom.events import Event, EventKind
from chatroom.packets import Answer, Channel, Info, Resumed
from client.answer_words import without_name
from client.answering import Answering
from client.calls import Calls
from client.confirming import AtNames, Once, to_confirm
from client.dialogues import NOTHING_SENT, Dialogue, dialogue_of
from client.held import Held
from client.help import learn_commands
from client.ignoring import ask_ignored
from client.limits import FETCHED_UPDATES, LEAVE_AGAIN_SECONDS
from client.local_commands import COMMANDS, LEAVING, go_to
from client.looking_back import LookingBack
from client.places import Places
from client.preferences import Preferences
from client.private_news import PrivateNews
from client.refusals import as_said_by_the_server
from client.renames import Renames
from client.secret_commands import word_of
from client.speech import Speech
from client.substitution import substitution_of
from client.successors import Successors
from client.talker import Talker
from client.terminals import Terminal
from client.trouble import Trouble
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    LoggedIn,
    Missed,
    NotLoggedIn,
    OwnInfo,
    Past,
    Retrying,
    Unanswered,
    Update,
    logged_in,
)
from views import (
    Action,
    Cancelled,
    Jump,
    Leave,
    LookBack,
    Secret,
    Status,
    StepFound,
    Submitted,
    Surface,
    Suspend,
)
from views.describe import quoted

HOW_TO_GO_ON: Final = "/help lists the commands"
"""What a user is told who comes in."""

HOW_TO_STAY: Final = "/register keeps your name and places"
"""What a guest is told besides."""

ROOMY_COLUMNS: Final = 60
"""Columns of a screen on which there is room for it."""

_TOO_EARLY: Final = "the other place is not there yet; press Enter again"
_WAS_TOO_EARLY: Final = "not sent: this place was not there yet; press Enter again"


class Conversation:
    """One client on one terminal, in the main thread. A round: keys, signals, updates, at most one write."""

    def __init__(
        self,
        client: Talker,
        terminal: Terminal,
        view: Surface,
        preferences: Preferences | None = None,
        *,
        echoed: bool = False,
        title: Callable[[str], None] | None = None,
        notices: Sequence[str] = (),
        is_new: bool = False,
    ) -> None:
        """preferences: of the user; None: the defaults. echoed: what is typed stays on the screen as it is

        title: sets the title of the window; None: it is left as it is
        notices: rows that stand above who and where the user is
        is_new:  the server's certificate is still to be compared, see `as_said_by_the_server`
        """
        self.client = client
        self.view = view
        view.completer.places = lambda: [room.name for room in client.rooms]
        self._terminal = terminal
        self.places = Places(client, view, lambda name, place: self.speech.ask_past(name, place), echoed)
        self.speech = Speech(client, view, self.places, recalls=not echoed)
        self.renames = Renames()
        self._successors = Successors(client, view, self.places, self.speech, self.renames)
        self.back = LookingBack(view, self.places, self.speech)
        self._answering = Answering(
            view, self.speech, self.places, self.back, self.renames, recalls=not echoed
        )
        self.calls = self.places.calls = Calls(client, preferences or Preferences())
        view.keywords = self.calls.preferences.keywords
        self._title = title
        self._notices = notices
        self._is_new = is_new
        self._caught_up = False
        self._live = False  # was caught up once
        self._missed: Missed | None = None  # to be shown when something follows that is shown
        self._held = Held(lambda: ask_ignored(self))
        self._fetched: deque[Update] = deque()  # not shown yet: keys are read in between
        self._connected = True
        self._trouble = Trouble()
        self._private = PrivateNews()
        self._at_names = AtNames(recalls=not echoed)
        self.once = Once(recalls=not echoed)
        self._dialogue: Dialogue | None = None  # its question waits for an answer
        self._dialogue_word = ""  # the command
        self._too_early = ""  # where a line was typed that another place was too late for
        self._left = False
        self._leave_until = -math.inf  # until then Ctrl-C leaves at once
        self._ended: Ended | None = None

    def run(self) -> Ended | None:
        """Until the user leaves (None) or the client ends."""
        self._fetch()
        crowded = False  # the terminal is full: neither write nor fetch more
        while not self._left and self._ended is None and not self._terminal.gone:
            wait = None if crowded else 0.0 if self._fetched else self._wait(time.monotonic())
            typed, woken, roomy = self._terminal.wait(wait, for_room=crowded)
            if typed:
                self._type()
            if woken:
                self._obey(self._terminal.signals())
            self.places.markers.tick(time.monotonic())
            crowded = crowded and not roomy
            if not crowded:
                self._fetch()
                crowded = not self._write()
        if self._left:
            self.places.markers.end()
        if self._left or self._terminal.gone:
            self.speech.wait_for_lines(self._connected)
        return self._ended

    def tell(self, command: str, text: str) -> None:
        """Show the answer to a command of the client's own."""
        self.view.system(without_name(command, text), _wall_clock(), command)

    def hold(self, command: str, text: str) -> None:
        """Show why the line that was typed is held. It is not put back: what is typed on would be said with
        it. But a key brings it back before all others."""
        self.view.editor.hold()
        self.view.system(text, None, command)

    def leave(self) -> None:
        """End the loop: the user leaves."""
        self._left = True

    # --- in ----------------------------------------------------------------------------------------------

    def _type(self) -> None:
        self.places.look(time.monotonic())
        for action in self.view.keys(self._terminal.read(), time.monotonic()):
            self._act(action)
            if self._left:  # what was typed on is for the shell
                break

    def _act(self, action: Action) -> None:
        if isinstance(action, Leave):
            self._leave(action.sure)
        elif isinstance(action, Suspend):
            self._suspend()
        elif isinstance(action, Secret):
            self._go_on(action.text)
        elif isinstance(action, Jump):
            go_to(self, action.number)
        elif isinstance(action, LookBack):
            self.back.further()
        elif isinstance(action, StepFound):
            self.back.step(action.step)
        elif isinstance(action, Cancelled):
            self._dialogue = None
            self.view.system(NOTHING_SENT)
        else:
            action = Submitted(_without_blanks(action.text))
            if not self._begin_dialogue(action):
                self._submit(action)

    def _leave(self, sure: bool) -> None:
        """Leave; at the first Ctrl-C only say how."""
        now = time.monotonic()
        if sure or now < self._leave_until:
            self.leave()
        else:
            self._leave_until = now + LEAVE_AGAIN_SECONDS
            self.view.system("Ctrl-C again leaves")

    def _submit(self, action: Submitted) -> None:
        """Say or do what was typed. `//` begins a line that begins with a slash, or a correction."""
        text = action.text
        if self.speech.moving and text.strip() not in LEAVING:
            self._not_sent(action, ConfigError(_TOO_EARLY))
            self._too_early = self.places.name
        elif text.startswith("//"):
            text = text[2:] if substitution_of(text[2:]) is not None else text[1:]
            self._say(text, action)
        elif text.startswith("/"):
            self._command(action)
        elif words := self._held_once(text):
            self.hold("", f"not sent: {words}")
        else:
            self._correct_or_say(text, action)

    def _held_once(self, text: str) -> str:
        """What to tell instead of saying a line that seems to be meant otherwise; empty: it may be said."""
        words = self._at_names.holds(text, self.places.name, self._others_here())
        return words or self.once.holds_word(text)

    def _others_here(self) -> Iterator[str]:
        """Who else reads what is said here, as far as that is known."""
        members = self.client.members(self.places.name)
        return (member.name for member in members if member.person != self.client.person)

    def _correct_or_say(self, text: str, action: Submitted) -> None:
        try:
            corrected = self.speech.correct(text)
        except ConfigError as error:
            self._not_sent(action, error)
        else:
            if corrected:
                return
            if (missed := self.speech.missed(text)) and self.once.holds(("s", text)):
                last = f"{quoted(missed)} is not in your last line"
                self.hold("", f"not sent: {last}. To say it as it is: {self.once.again}")
            else:
                self._say(text, action)

    def _begin_dialogue(self, action: Submitted) -> bool:
        """Begin the dialogue of a command with a secret; whether the line is one."""
        try:
            self._dialogue = dialogue_of(action.text, self.client, self.places.name)
        except ConfigError as error:
            self._not_sent(action, error)
            return True
        if self._dialogue is None:
            return False
        self._dialogue_word = word_of(action.text)
        self._go_on(None)
        return True

    def _go_on(self, answer: str | None) -> None:
        """Give the answer to the dialogue (None: it begins), and ask its next question."""
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is None:
            return
        try:
            question = next(dialogue) if answer is None else dialogue.send(answer)
        except StopIteration as done:
            self.speech.gave(done.value, self._dialogue_word)
            return
        except (
            TimeoutError,
            ValueError,
            ChatroomError,
        ) as error:  # the line is not put back: it has a secret
            self.view.system(f"not sent: {error}")
            return
        self._dialogue = dialogue
        self.view.ask(question)

    def _say(self, text: str, action: Submitted) -> None:
        if self._successors.takes(text, action.text):
            return
        try:
            self.speech.send(text, typed=action.text)
        except (TimeoutError, ValueError, ChatroomError) as error:
            self._not_sent(action, error)

    def _command(self, action: Submitted) -> None:
        word, *argument = action.text.split(None, 1)
        for command in COMMANDS:
            if word.lower() in (command.name, *command.aliases):
                command.do(self, "".join(argument).strip())
                return
        if words := to_confirm(action.text, self.places.name):
            self.tell("/close", words)
            return
        try:
            self.speech.give(self.back.resolved(action.text))
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
        """Show the next FETCHED_UPDATES updates."""
        if not self._fetched:
            for update in self.client.poll():
                self._fetched += self._held.take(update)
        self.view.person = self.client.person
        for _ in range(min(len(self._fetched), FETCHED_UPDATES)):
            self._show(self._fetched.popleft())
        if self._caught_up:
            self.places.follow()
        if self._too_early and not self.speech.asks:
            self._tell_again()
        self.view.pending(self.speech.pending())
        status = self._status()
        self.view.status(status)
        for row in self._private.rows(status.waiting) if status.place else ():  # else it tells of trouble
            self.view.system(row, _wall_clock())
        if self._title is not None:
            self._title(self.places.title())

    def _tell_again(self) -> None:
        """Another place is on the screen, with its lines: tell there, too, why a line waits in the input."""
        if self.places.name != self._too_early and not self.places.merged:
            self.view.system(_WAS_TOO_EARLY)
        self._too_early = ""

    def _wait(self, now: float) -> float | None:
        """Seconds until there is something to do."""
        waits = (
            self.view.wait(now),
            self.places.markers.wait(now),
            self._trouble.wait(now),
            self.places.silence.wait(_wall_clock()),
        )
        return min((wait for wait in waits if wait is not None), default=None)

    def _status(self) -> Status:
        """Where the user is; without a connection, when the client tries again."""
        trouble = self._trouble.words(time.monotonic())
        if trouble:
            return Status("", trouble, True, to=self.places.receiver_name)
        status = self.places.status(_wall_clock())
        return status if self._live else status._replace(waiting=())  # it is told below what was said before

    # --- out ---------------------------------------------------------------------------------------------

    def _write(self) -> bool:
        """Paint when it is time, and ring behind the frame; False when the terminal is full."""
        now = time.monotonic()
        is_time = self.view.wait(now) == 0.0
        if not is_time and not self.calls.due:
            return True
        if not self._terminal.has_room():
            return False
        out = (self.view.tick(now) if is_time else "") + self.calls.ring(now)
        if out:
            self._terminal.write(out)
        for action in self.view.late():
            self._act(action)
        return True

    def _show(self, update: Update) -> None:
        view, now = self.view, _wall_clock()
        match update:
            case Event():
                self._show_event(update)
            case Past(id, events):
                self.speech.past(id, events)
            case Answer() if self._successors.answered(update):
                pass
            case Answer(words=words):
                if self._is_new and not self.speech.given(update.id):  # nobody has asked
                    update = update._replace(words=as_said_by_the_server(words))
                self._answering.show(update, now)
                view.identity(self.client.name)  # the answer to /nick: perhaps no event tells it
            case Unanswered(id, text, words):
                if self.speech.unanswered(id):
                    view.system(f"{words}: {text}", now)
            case Info(words):
                is_servers = self._is_new and not isinstance(update, OwnInfo)
                view.system(as_said_by_the_server(words) if is_servers else words, now)
            case Interrupted(how, words):
                view.system(words, now)
                self.places.presence.forget()
                if how is not Resumed.GAP:  # names and places of another history
                    view.completer.forget_all()
                    self.places.forget()
                    self.calls.forget()
                    self.renames.forget()
                    self.back.forget()
            case Channel(place=place, size=size, members=members):
                self.places.begins(update)
                if len(members) == size:  # else there are too many to list
                    view.members(place, [member.name for member in members])
            case Connected():
                self._connected = True
                self.speech.connected(True)
                self._trouble.over()
                self.places.presence.begin()
                view.identity(update.name)
                if update.resumed or self._live:
                    view.system("back again" if update.resumed else self._who_and_where(), now)
            case LoggedIn(name, account):
                view.identity(name)
                view.system(f"you are {name}{logged_in(name, account)}", now)
            case NotLoggedIn(reason):
                view.system(f"not logged in: {reason}", now)
            case Missed():
                self._missed = update
            case CaughtUp():  # the events of stored lines have all come by now
                self.speech.caught_up()
                self._missed = None
                self.places.caught_up()
                if not self._live:  # below what was said before, next to the prompt
                    for notice in self._notices:
                        view.system(notice, now)
                    view.system(self.places.header(), now)
                    view.system(f"{self._who_and_where()}; {self._how_to_go_on()}", now)
                    learn_commands(self)
                self._caught_up = self._live = True
            case Disconnected():
                self._connected = self._caught_up = False
                self.speech.connected(False)
                view.system(f"connection lost: {update.reason}", now)
                self._trouble.lost()
            case Retrying():
                self._trouble.retrying(update, time.monotonic())
            case Ended():
                self._ended = update

    def _who_and_where(self) -> str:
        """For the user: name, place, and whether an account has the name."""
        client = self.client
        return f"you are {client.name} in {self.places.name}{logged_in(client.name, client.account)}"

    def _how_to_go_on(self) -> str:
        """Where help is; for a guest also how to keep name and places, if the screen has room for it."""
        narrow = self.view.columns < ROOMY_COLUMNS
        return HOW_TO_GO_ON if self.client.account or narrow else f"{HOW_TO_GO_ON}, {HOW_TO_STAY}"

    def _show_event(self, event: Event) -> None:
        me = self.client.person
        self.renames.happened(event)
        said_here = event.person == me and self.speech.stored(event.id)  # a name may be another one meanwhile
        if self.speech.once.hides(event, me):
            self.view.unseen(event)
            return
        if self._missed is not None and self.places.is_here(event):
            self.view.missed(self._missed.gap)
            self._missed = None
        if event.person not in self.places.ignored:
            self.calls.take(event, self._live)
        if self.places.event(event, replayed=not self._live, wanted=said_here):
            self.speech.once.shown(event, me)
            if event.person == me:
                self.speech.shown(event.id)
            if event.kind is EventKind.INVITED:
                self._private.told(event.channel)
        self.view.identity(self.client.name)


def _without_blanks(text: str) -> str:
    """A line without the blanks before a slash: else all would read what was meant for one.

    Several lines keep them: they are pasted, and each begins where it has to.
    """
    begins = text.lstrip()
    return begins if begins.startswith("/") and "\n" not in text else text


def _wall_clock() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)
