"""Talking: what the user of a client says, asks and hears. Every method may be called from any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from chatroom.errors import Refused
from chatroom.events import Event, Extra, Setting, extra_row
from chatroom.outcomes import Code
from chatroom.packets import NO_IDENTITY, Form
from client.inbox import Inbox
from client.limits import ASK_SECONDS
from client.line import Line
from client.own_steps import OwnSteps
from client.pending_lines import PendingLines
from client.requests import Answered, Request, numbers, only_row, texts
from client.resume import ResumeState, as_written
from client.rooms import Room, Rooms
from client.secret_commands import as_sent
from client.since import Since
from client.updates import Ended, Update


class Member(NamedTuple):
    """Somebody in a channel. role: see `Role`"""

    name: str
    person: int
    role: int


class Listing(NamedTuple):
    """A channel in the answer of `Client.channels`. inside: whether the client's person is in it"""

    name: str
    members: int
    topic: str
    settings: Setting
    inside: bool


class Talking:
    """The part of a client that is for its user; `Client` adds how it begins and ends.

    check: raises ConfigError when nothing was begun yet
    """

    def __init__(
        self,
        resume: ResumeState,
        pending: PendingLines,
        rooms: Rooms,
        inbox: Inbox,
        check: Callable[[], None],
    ) -> None:
        self._resume = resume
        self._pending = pending
        self._rooms = rooms
        self._inbox = inbox
        self._check_begun = check

    # --- places --------------------------------------------------------------------------------------

    @property
    def channel(self) -> str:
        """Where lines and commands go that name no channel; a direct conversation is `@` and a name.

        It may be set; the server is not told. It follows a new name of the channel. When the client's person
        is not in it any more, it stays: the server refuses what is said there.
        """
        return self._resume.channel

    @channel.setter
    def channel(self, channel: str) -> None:
        self._resume.channel = self._name_of(channel)

    @property
    def asked(self) -> tuple[str, ...]:
        """The channels that the client was made for."""
        return self._resume.asked

    @property
    def rooms(self) -> list[Room]:
        """All channels and direct conversations of the client's person, in the order in which they came.

        Another program of the same person may have entered them.
        """
        return self._rooms.all()

    def room(self, place: int | str) -> Room | None:
        """What is known of the place of this number or name; None: the client's person is not in it."""
        return self._rooms.named(place) if isinstance(place, str) else self._rooms.at(place)

    @property
    def person(self) -> int:
        """The number of the client's person; 0 before the first connection."""
        return self._rooms.me

    @property
    def people(self) -> int | None:
        """How many people are in the channel, the client included; None until the server has said it.

        In a large channel the server tells it about once a second.
        """
        room = self._rooms.named(self.channel)
        return room.people if room is not None else None

    @property
    def unread(self) -> dict[str, int]:
        """How many lines of others came that nobody has looked at, by channel; see `mark_read`."""
        return self._rooms.unread()

    def mark_read(self, place: int, seq: int | None = None, tell: bool = False) -> None:
        """Note that the user has looked at a place up to the event `seq`; None: up to its latest line.

        tell: tell the server, too, so that the person's other programs and later ones know it
        """
        seq = self._rooms.mark_read(place, seq)
        room = self._rooms.at(place)
        if tell and seq and room is not None:
            self._check_begun()
            where = str(place) if room.direct else room.name  # two persons may have had one name
            self._pending.command(where, f"/read {seq}", quiet=True)

    def hide(self, persons: frozenset[int]) -> None:
        """Count no lines of these persons as unread. Their events are updates all the same."""
        self._rooms.hide(persons)

    def learn_name(self, name: str, person: int) -> None:
        """Note who has a name now, as the server has told; 0: nobody. Conversations with others who had it
        are not found by it any more, if there is one with this person."""
        self._rooms.learn_name(name, person)

    def members(self, channel: str | None = None) -> list[Member]:
        """Who is in a channel, by default the client's. Empty where only their number is known."""
        members = self._rooms.members(self.channel if channel is None else channel)
        return [Member(member.name, member.person, member.role) for member in members]

    # --- talking -------------------------------------------------------------------------------------

    def say(
        self,
        text: str,
        channel: str | None = None,
        timeout: float | None = None,
        *,
        form: int = Form.SAY,
        reply_to: int = 0,
        receiver: int = 0,
    ) -> Line:
        """Say a line. It is queued here, sent when there is a connection, and again until it is settled.

        It is settled when it is stored, or refused: then an Answer with its id says why (Code.MUTED,
        Code.NEED_ROLE, Code.SLOW_DOWN, …), and `Line.refused` has the words. An Unanswered
        with its id comes when a connection was lost, and the answer can only be concluded, or not be known.
        Waits, at most `timeout` seconds, only while too many lines are not settled (MAX_PENDING).

        channel:  None: the client's; `@` and a name: to somebody who shares a channel or a conversation
        form:     Form.ACT: what one does; Form.BOT: of a bot, which other bots do not answer
        reply_to: seq of the line that it answers
        receiver: the person of a direct conversation, for one that is not known by name here
        Raises TypeError, ValueError for a text that is empty or longer than MAX_TEXT bytes, or a receiver who
        is not known, TimeoutError, Closed, or ConfigError: nothing was begun yet (`connect`).
        """
        self._check_begun()
        _check_text(text)
        rows = extra_row(Extra.REPLY_TO, reply_to) if reply_to else b""
        return self._send(text, channel, timeout, form, rows, receiver)

    def direct(
        self, who: str | int, text: str, timeout: float = ASK_SECONDS, *, form: int = Form.SAY
    ) -> Line:
        """Say a line to one person only: who is called so, or who has this number.

        Asks the server, at most `timeout` seconds, when nobody of that name is known here.
        Raises as `say` and `ask`, and Refused: there is no such person, or the client may not write to it.
        """
        if isinstance(who, int):
            return self.say(text, f"@{self._name_of_person(who)}", form=form, receiver=who)
        name = who.removeprefix("@")
        room = self._rooms.named(f"@{name}")
        person = 0 if room is not None and room.gone else self._receiver(f"@{name}")
        if not person:
            found = numbers(only_row(self.ask(f"/query {name}", timeout).check().rows), 0)
            if found is None:
                raise Refused(f"nobody is called {name}", Code.NO_SUCH_NAME)
            (person,) = found
            self._rooms.learn_name(name, person)
        return self.say(text, f"@{name}", form=form, receiver=person)

    def reply(self, event: Event, text: str, *, form: int = Form.SAY) -> Line:
        """Say a line where an event happened, as an answer to it. Raises as `say`."""
        room = self._rooms.at(event.place)
        receiver = room.other if room is not None else 0  # two persons may have had the name
        return self.say(text, event.channel, form=form, reply_to=event.seq, receiver=receiver)

    def edit(self, seq: int, text: str, channel: str | None = None) -> Line:
        """Give a message of the client's person another text. The event EDITED settles it. Raises as `say`.

        seq:     of the message
        channel: where it was said; None: in the client's channel
        """
        _check_text(text)
        return self._amend(seq, text, channel, Form.EDIT)

    def delete(self, seq: int, channel: str | None = None) -> Line:
        """Take a message back: nothing of it is kept. The event DELETED settles it. Raises as `say`."""
        return self._amend(seq, "", channel, Form.DELETE)

    def react(self, seq: int, text: str, channel: str | None = None) -> Line:
        """React to a message, with an emoji or a word. The event REACTED settles it. Raises as `say`."""
        _check_text(text)
        return self._amend(seq, text, channel, Form.REACT)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds until all lines said so far are settled; whether they are."""
        self._check_begun()
        return self._pending.wait_for(None, timeout)

    def pending(self) -> list[Line]:
        """The lines that are not settled yet, in order."""
        return self._pending.pending()

    # --- commands ------------------------------------------------------------------------------------

    def command(self, text: str, channel: str | None = None) -> int:
        """Send a slash command; its id, which its Answer has, too, and Past with what it found before that.

        It is sent once. If the connection is lost before the answer, an Unanswered with its id comes instead.
        A password in it has to be percent-encoded, as on the wire; `ask` does it.
        channel: where it is given; None: in the client's channel
        Raises TypeError, ValueError for a text that is empty or too long, TimeoutError when too many wait,
        Closed, or ConfigError: nothing was begun yet (`connect`).
        """
        self._check_begun()
        _check_text(text)
        return self._pending.command(self._name_of(channel), text)

    def follow(self, command: str, channel: str | None = None) -> OwnSteps:
        """Send a command that says a line (/trace), and note what becomes of it here. Raises as `command`."""
        self._check_begun()
        _check_text(command)
        return self._pending.follow(self._name_of(channel), command)

    def ask(self, command: str, timeout: float = ASK_SECONDS, channel: str | None = None) -> Answered:
        """Send a slash command and wait for its answer, which is no update then.

        A password in it is the rest of the line, as at a terminal: `/register long enough pw`.
        Raises as `command`, TimeoutError after `timeout` seconds without an answer, ConnectionLost: nobody
        will answer it; `Answered.check` raises Refused when the server has refused it.
        """
        self._check_begun()
        _check_text(command)
        request = Request()
        self._pending.command(self._name_of(channel), as_sent(command), request=request)
        return request.result(timeout)

    def channels(self, timeout: float = ASK_SECONDS) -> list[Listing]:
        """The channels of the chatroom that the client's person may see. Raises as `ask`, and Refused."""
        found = []
        for row in self.ask("/channels", timeout).check().rows:
            words, figures = texts(row, 0, 2), numbers(row, 1, 3, 4)
            if words is not None and figures is not None:
                found.append(
                    Listing(words[0], figures[0], words[1], Setting(figures[1] & 0xFF), bool(figures[2]))
                )
        return found

    def history(
        self, count: int = 50, channel: str | None = None, before: int = 0, timeout: float = ASK_SECONDS
    ) -> list[Event]:
        """The latest lines of a channel that are older than the event `before`; 0: the latest of all.

        count: at most so many; the server may give fewer at once
        Raises as `ask`, and Refused.
        """
        older = f" before:{before}" if before else ""
        return list(self.ask(f"/history {count}{older}", timeout, channel).check().events)

    def search(self, words: str, before: int = 0, timeout: float = ASK_SECONDS) -> list[Event]:
        """Lines with these words, the latest of all that the client's person may see, one page of them.

        words:  as for `/grep`: also `from:NAME`, `in:#channel`, `since:3d`
        before: seq of the oldest line of the page before; 0: the latest page
        Raises as `ask`, and Refused.
        """
        older = f" before:{before}" if before else ""
        return list(self.ask(f"/grep {words}{older}", timeout).check().events)

    # --- listening: either events or updates -----------------------------------------------------------

    def __iter__(self) -> Iterator[Event]:
        """The events of all channels in order, until the client is closed.

        Raises the error with which the client ended, if `close()` did not end it: Refused with Code.KICKED or
        Code.BANNED when an operator did.
        """
        for update in self.updates():
            if type(update) is Event:
                yield update
        ended = self.ended
        if ended is not None and ended.error is not None:
            raise ended.error

    def updates(self, timeout: float | None = None) -> Iterator[Update]:
        """All updates in order, to Ended; stops earlier when none came for `timeout` seconds.

        Raises ConfigError when nothing was begun yet (`connect`): it would wait for ever.
        """
        self._check_begun()
        while (update := self._inbox.take(timeout)) is not None:
            yield update

    @property
    def history_id(self) -> str:
        """Which history the server has, in 32 hexadecimal digits: another one has another; empty before the
        first connection. A backup that was put back has that of before, see Interrupted."""
        identity = self._resume.identity
        return identity.hex() if identity != NO_IDENTITY else ""

    def after(self, event: Event) -> Since:
        """What a program keeps when it is done with an event: its next start gives it as `since`."""
        return Since(self.history_id, event.seq, event.time)

    def poll(self) -> list[Update]:
        """All updates that wait now. Never blocks."""
        return self._inbox.poll()

    @property
    def ended(self) -> Ended | None:
        """How the client ended; None while it has not."""
        return self._inbox.ended

    # --- inside --------------------------------------------------------------------------------------

    def _amend(self, seq: int, text: str, channel: str | None, form: int) -> Line:
        self._check_begun()
        return self._send(text, channel, None, form, extra_row(Extra.MESSAGE, seq), 0)

    def _send(
        self, text: str, channel: str | None, timeout: float | None, form: int, rows: bytes, receiver: int
    ) -> Line:
        name = self._name_of(channel)
        if name.startswith("@"):
            receiver = receiver or self._receiver(name)
            if not receiver:
                raise ValueError(f"nobody is known here as {name[1:]}")
            rows += extra_row(Extra.RECEIVER, receiver, 4)
        return self._pending.say(name, text, timeout, form, rows)

    def _name_of(self, channel: str | None) -> str:
        """The channel as the server writes it; one that is not known, as servers write channels."""
        if channel is None:
            return self._resume.channel
        room = self._rooms.named(channel)
        return room.name if room is not None else as_written(channel)

    def _receiver(self, name: str) -> int:
        """The person of a direct conversation, or with whom one can begin; 0: nobody is known so."""
        room = self._rooms.named(name)
        return room.other if room is not None else self._rooms.person(name.removeprefix("@"))

    def _name_of_person(self, person: int) -> str:
        """The name of a person, as far as a list has it. The number decides: any other text does as well."""
        for room in self._rooms.all():
            for member in self._rooms.members(room.name):
                if member.person == person:
                    return member.name
        return str(person)


def _check_text(text: str) -> None:
    """Raises TypeError and ValueError for what cannot be said, in words for whoever writes a bot."""
    if not isinstance(text, str):
        raise TypeError(f"only text can be said, not {type(text).__name__}: {text!r}")
    if not text:
        raise ValueError("an empty text cannot be said")
