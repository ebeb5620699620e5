"""What a user at a terminal reads of an answer: which command it answers, what it has found, its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chatroom.answer_tables import hint
from chatroom.events import Event
from chatroom.names import name_key
from chatroom.outcomes import GUEST, Code
from chatroom.packets import Answer
from chatroom.trace_table import own_steps
from client.answer_words import answer_words
from client.looking_back import LookingBack
from client.places import Places
from client.renames import Renames
from client.requests import rows_of, texts
from client.speech import Speech
from views import Surface
from views.describe import quoted

_CHANNEL: Final = re.compile(r"^ *(#\S{1,100})(?= )", re.MULTILINE)
"""Channels in the words of a server that gives no rows for /channels."""


_POLLS: Final = ("/poll", "/vote", "/reveal")

_LISTS: Final = ("/who", "/names")

READS_NOTHING: Final = "not said: {0} takes no private lines from you"
"""Whose line was refused by somebody alone: who takes none, which the server's words do not name."""


class Answering:
    """Shows the answers to what was said and given. In the main thread.

    recalls: whether a key brings back a line that was refused
    """

    def __init__(
        self,
        view: Surface,
        speech: Speech,
        places: Places,
        back: LookingBack,
        renames: Renames,
        recalls: bool = True,
    ) -> None:
        self._recalls = recalls
        self._renames = renames
        self._view = view
        self._speech = speech
        self._places = places
        self._back = back
        self._knows_guests = False  # the user was told what a ban of a guest cannot do

    def show(self, answer: Answer, now: int) -> None:
        """An answer has come. now: in milliseconds since 1970"""
        where = self._speech.where(answer.id)
        given = self._speech.given(answer.id)
        refused = self._speech.refused(answer)
        known = self._speech.once.answered(answer.id, answer.code)
        past = self._speech.answered(answer)
        knew = not given and where == self._places.name and bool(self._places.status(now).silent)
        if refused is not None and not given:
            self._places.line_refused(answer, where)
        if past is None:
            return
        command, _, rest = given.partition(" ")
        self._back.answered(command, rest.strip(), answer, past)
        if wanted := self._back.wanted(past):
            self._show_past(command, rest.strip(), wanted, now)
        self._learn_channels(command, answer)
        roles = self._places.roles
        words = "" if known else answer_words(command, answer, self._view.table_columns, now, roles=roles)
        words = self._with_hint(command.lower(), answer, words)
        if refused is not None and answer.code == Code.MUTED and knew:
            words = "not said, you are muted"  # until when is in the status, and why was told before
        if refused is not None and answer.code == Code.MUTED and where.startswith("@") and not answer.rows:
            words = READS_NOTHING.format(where[1:])
        words = self._back.words(command, answer, self._of_poll_elsewhere(command, rest, answer, words))
        steps = self._speech.own_steps(answer.id)
        if steps and answer.code == Code.OK:
            words += f"\n{own_steps(steps, self._view.table_columns)}"
        if (
            rest.strip()
            and command.lower() == "/w"
            and answer.code in (Code.NO_SUCH_CHANNEL, Code.BAD_ARGUMENTS)
        ):
            words += f"; /w is /who. To one person: /msg {quoted(rest.split()[0])} TEXT"
        if command.lower() in _LISTS and answer.code == Code.NO_SUCH_CHANNEL and rest[:1] not in ("", "#"):
            words += f"; /whois {quoted(rest.split()[0])} tells about one person"
        if words and answer.code == Code.NO_SUCH_NAME:
            words += self._renames.hint(rest)
        if refused is not None:
            # Not into the input: whoever types on meanwhile would say both together.
            recalled = refused.typed and self._recalls
            words += f": {quoted(refused.text)}" + (" (\u2191 brings it back)" if recalled else "")
        if words:
            self._view.system(words, now, command)

    def _with_hint(self, command: str, answer: Answer, words: str) -> str:
        """The words, and what no event tells: a hint. That about guests is given once."""
        rows = rows_of(answer.rows) if answer.code == Code.OK else ()
        try:
            told = hint(command, rows)
        except (TypeError, ValueError):  # rows that a newer server may send
            told = ""
        if not told:
            return words
        words = words.removesuffix(told).removesuffix("; ")
        if GUEST in rows[3:] and self._knows_guests:
            return words
        self._knows_guests = self._knows_guests or GUEST in rows[3:]
        return f"{words}; {told}" if words else told

    def _of_poll_elsewhere(self, command: str, rest: str, answer: Answer, words: str) -> str:
        """The words, with the channel of a poll that is not on the screen; of a result also the numbers."""
        channel = rest.split(None, 1)[0] if rest.startswith("#") else ""
        is_here = not channel or name_key(channel) == name_key(self._places.name)
        if is_here or not words or answer.code != Code.OK or command.lower() not in _POLLS:
            return words
        told = words.replace("/reveal ends", f"/reveal {quoted(channel)} ends")
        result = enumerate(rows_of(answer.rows)[1:], 1) if command.lower() == "/reveal" else ()
        votes = [
            f"  {n} {quoted(str(row[0]))}: {row[1]}"
            for n, row in result
            if isinstance(row, list) and len(row) == 2
        ]
        return "\n".join([f"{quoted(channel)}: {told}", *votes])

    def _show_past(self, command: str, rest: str, past: Sequence[Event], now: int) -> None:
        """Lines of the past below a row that says what they answer: they must not look like news."""
        if command.lower() == "/context" and self._back.show_context(rest, past):
            return
        lines = "1 line" if len(past) == 1 else f"{len(past):,} lines"
        self._view.system(f"{quoted(rest)}: {lines}" if rest else lines, now, command)
        for event in past:
            under = "" if event.place == self._places.place else event.channel
            self._view.event(event, under=under, number=self._back.number(command, event))

    def _learn_channels(self, command: str, answer: Answer) -> None:
        if command.lower() == "/channels":
            rows = (texts(row, 0) for row in rows_of(answer.rows))
            names = [row[0] for row in rows if row is not None and row[0].startswith("#")]
            self._view.completer.learn_channels(names or _CHANNEL.findall(answer.words))
