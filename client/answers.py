"""What the server answers to lines and commands, with the events of the past that come before an answer."""

from __future__ import annotations

from typing import Final, NamedTuple

from chatroom.errors import ChatroomError, ConfigError, ProtocolError
from chatroom.events import Event
from chatroom.names import channel_as_typed
from chatroom.outcomes import Code
from chatroom.packets import Answer, Packet
from client.account import DEVICE, Account
from client.inbox import Inbox
from client.limits import PAST_BYTES, UPDATE_BYTES
from client.pending_lines import PendingLines
from client.refusals import words_of
from client.resume import ResumeState, as_written
from client.rooms import Rooms
from client.updates import OwnInfo, Past

COMMAND_UNKNOWN: Final = "it is not known whether the server has carried this out"
"""What the user is told about a command whose answer was lost with the connection."""

JOIN: Final = "/join"
"""The command that brings this program, and not only its person, into a channel."""

NOT_REMEMBERED: Final = "the password is needed again next time"
"""What the user is told when this computer gets or keeps no device token."""


class Lasting(NamedTuple):
    """What outlives the connections of a client."""

    resume: ResumeState
    pending: PendingLines
    inbox: Inbox
    rooms: Rooms
    account: Account


class Answers:
    """Those of one connection. For the thread whose turn it is.

    secure: whether a password may go over the connection
    """

    def __init__(self, lasting: Lasting, secure: bool) -> None:
        self._resume, self._pending, self._inbox, self._rooms, self._account = lasting
        self._secure = secure
        self.bracket = 0  # the request whose events of the past are coming, 0: none
        self._past: list[Event] = []  # those that have come
        self._past_size = 0

    def begin(self, id: int) -> None:
        """REPLAY has come: the events that follow are for this request."""
        self.bracket, self._past, self._past_size = id, [], 0

    def keep(self, events: list[Event]) -> None:
        """Events of the past have come, for the request of the bracket. Raises ProtocolError: too many."""
        self._past += self._rooms.as_seen(events)
        self._past_size += sum(map(size_of, events))
        if self._past_size > PAST_BYTES:
            raise ProtocolError(f"more than {PAST_BYTES} bytes answer one command")

    def deliver(self, answer: Answer) -> None:
        """Tell an answer, then settle its line: who sees a line settled finds the reason by polling."""
        past: list[Event] = []
        if answer.id == self.bracket:
            past, self._past, self.bracket = self._past, [], 0
        asked = self._pending.asked(answer.id)
        if asked is not None:
            if answer.code in (Code.OK, Code.ALREADY):
                self._note_join(asked.text)
            answer = self._keep_token(answer)
            if answer.code == Code.OK:
                self.ask_for_token(asked.text)
        if asked is not None and asked.quiet:
            self._pending.answer(answer.id, answer.code, "")
            if answer.code != Code.OK and asked.text.startswith(DEVICE):
                self._inbox.tell(OwnInfo(f"{NOT_REMEMBERED}: {answer.words or answer.code}"))
            return
        if answer.code not in (Code.OK, Code.ALREADY):
            answer = answer._replace(words=answer.words or words_of(answer.code))
        if asked is not None and asked.request is not None:
            self._pending.answer(answer.id, answer.code, "")
            asked.request.answer(answer, past)
            return
        if past and asked is not None:
            self._inbox.tell(Past(answer.id, tuple(past)), UPDATE_BYTES + self._past_size)
        size = UPDATE_BYTES + len(answer.words.encode()) + len(answer.rows.encode())
        self._inbox.tell(answer, size, surely=self._pending.awaits(answer.id))
        self._pending.answer(answer.id, answer.code, answer.words)

    def _note_join(self, command: str) -> None:
        """A command has succeeded: if it was /join, the user wants that channel in this program."""
        words = command.split()
        if len(words) > 1 and words[0].lower() == JOIN:
            self._rooms.joined(as_written(channel_as_typed(words[1])))

    def _keep_token(self, answer: Answer) -> Answer:
        """The answer without the device token that it may bring, which is kept."""
        try:
            return self._account.answered(answer, self._resume.identity)
        except ConfigError as error:
            return answer._replace(code=Code.UNAVAILABLE, words=f"{NOT_REMEMBERED}: {error}", rows="")

    def ask_for_token(self, after: str = "") -> None:
        """Let the server remember this computer, after a command or a login that calls for it."""
        command = self._account.device_command(after)
        if command is not None and self._secure:
            try:
                self._pending.command(self._resume.channel, command, quiet=True)
            except (ChatroomError, TimeoutError) as error:
                self._inbox.tell(OwnInfo(f"{NOT_REMEMBERED}: {error}"))

    def note_account(self, event: Event, live: bool) -> None:
        """The client's person has got an account, or has it no more. live: it happens now"""
        try:
            self._account.happened(event, self._resume.identity, live)
        except ConfigError as error:
            self._inbox.tell(OwnInfo(str(error)))


def size_of(packet: Packet) -> int:
    """About what a packet counts in the inbox."""
    return UPDATE_BYTES + (len(packet.text.encode()) if isinstance(packet, Event) else 0)
