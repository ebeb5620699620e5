"""Who has a name now: lines to a person who is gone go to whoever came after, in another conversation.

A guest who leaves and comes back is a new person, who reads nothing of what was said to the one before. The
server takes each line for one person and refuses it when that one is gone. What the user types is meant for
the name, so the client asks who has it now, and says which one the line has reached.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import Answer, Form
from client.places import Places
from client.renames import Renames
from client.requests import numbers, only_row, rows_of, texts
from client.speech import Addressed, Speech
from client.talker import Talker
from views import Surface

ANOTHER: Final = "{0} has come in anew, perhaps as another person: this line is in a new conversation"
"""What a user is told whose line has another receiver than the lines before."""


class Found(NamedTuple):
    """Somebody who was looked up. place: the number of the conversation, 0: there is none yet"""

    person: int
    name: str
    place: int


def found_in(answer: Answer) -> Found | None:
    """What an answer to /query tells; None: nobody, or nobody to whom the user can write."""
    row = only_row(rows_of(answer.rows))
    figures, words = numbers(row, 0, 2), texts(row, 1)
    if answer.code != Code.OK or figures is None or words is None:
        return None
    return Found(figures[0], words[0], figures[1])


class Successors:
    """In the main thread."""

    def __init__(
        self, client: Talker, view: Surface, places: Places, speech: Speech, renames: Renames
    ) -> None:
        self._client = client
        self._renames = renames
        self._view = view
        self._places = places
        self._speech = speech

    def takes(self, text: str, typed: str, form: int = Form.SAY) -> bool:
        """Whether a line for the place on the screen is said elsewhere: the place is that of somebody who is
        gone."""
        place = self._places.place
        room = self._client.room(place) if place else None
        if room is None or not room.gone:
            return False
        self._pass_on(Addressed(room.name, room.other, place, text, typed, form))
        return True

    def answered(self, answer: Answer) -> bool:
        """Whether an answer says that the receiver of a line is gone: then the line goes on."""
        line = self._speech.addressed(answer.id)
        if line is None or answer.code != Code.NO_SUCH_NAME:
            return False
        self._speech.refused(answer)
        self._speech.answered(answer)
        self._pass_on(line)
        return True

    def _pass_on(self, line: Addressed) -> None:
        """Ask who has the name now, and say the line there."""
        name = line.name.removeprefix("@")
        turn = self._places.turns

        def found(answer: Answer, _: tuple[Event, ...]) -> None:
            now = found_in(answer)
            if now is None:
                self._nobody(name, line, answer)
                return
            self._client.learn_name(now.name, now.person)
            if line.place and line.place == self._places.place and turn == self._places.turns:
                at = time.monotonic()
                self._places.show(f"@{now.name}", at, now.place, now.person, typed_since=turn)
            if now.person != line.receiver:
                self._view.system(ANOTHER.format(now.name))
            self._speech.say(
                line.text, f"@{now.name}", line.form, receiver=now.person, typed=line.typed, final=True
            )

        self._speech.ask(f"/query {name}", found, moves=bool(line.place), text=line.text)

    def _nobody(self, name: str, line: Addressed, answer: Answer) -> None:
        if answer.code == Code.NO_SUCH_NAME:
            self._client.learn_name(name, 0)
            why = f"{name} is not here{self._renames.hint(name)}"
        else:
            why = answer.words or f"nobody is called {name}"
        self._speech.not_said(why, line.text, line.typed)
