"""Persons whose lines the user does not want to see: the server keeps the list, the client asks for it."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import Answer
from client.conversing import Conversing
from client.requests import numbers, rows_of


def ask_ignored(conversation: Conversing) -> int:
    """Ask the server whose lines the user does not want to see. An older server does not know.

    The id of the command; 0: it was not sent.
    """

    def told(answer: Answer, _: tuple[Event, ...]) -> None:
        if answer.code == Code.OK:
            found = (numbers(row, 0) for row in rows_of(answer.rows))
            ignored = frozenset(person[0] for person in found if person is not None)
            conversation.places.ignored = ignored
            conversation.client.hide(ignored)

    return conversation.speech.ask("/ignored", told)


def ignoring(command: str) -> Callable[[Conversing, str], None]:
    """A command about such persons, which goes to the server first."""

    def do(conversation: Conversing, argument: str) -> None:
        def told(answer: Answer, _: tuple[Event, ...]) -> None:
            if answer.words:
                conversation.tell(command, answer.words)
            if answer.code == Code.OK:
                ask_ignored(conversation)

        conversation.speech.ask(f"{command} {argument}".rstrip(), told)

    return do
