"""Commands of the classroom: up to their acts, and those that only look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chatroom.act import Where
from chatroom.classroom import SEPARATOR
from chatroom.command import Prepare, SlashCommand, acting
from chatroom.desk import Asker, Desk, Prepared, Room
from chatroom.limits import MAX_OPTIONS, MAX_POLL, MAX_QUESTION, TYPED_OPTION
from chatroom.names import name_key
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.printable import printable_line
from chatroom.proposals import Act
from chatroom.state import State

_BAD_ARGUMENTS = Outcome(Code.BAD_ARGUMENTS)
_DOWN = "down"

_SHOWN_TYPED: Final = 40
"""Characters of what was typed that a refused vote repeats: enough to see the slip."""


def _prepare_hand(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/hand [down]"""
    if rest and rest.lower() != _DOWN:
        return _BAD_ARGUMENTS
    return _act("/hand", asker, 0 if rest else 1)


def _hands(room: Room, asker: Asker, rest: str) -> Outcome:
    """Rows: the channel; whose turn it is, "": nobody's; the names of those who wait for it, in order."""
    state, channel = room.state, room.state.channel(asker.channel)
    if rest:
        return _BAD_ARGUMENTS
    if channel is None:  # not after State.refusal
        return Outcome(Code.NO_SUCH_CHANNEL, (asker.channel,))
    hands, turn = state.classroom.hands(channel.place), state.classroom.turn(channel.place)
    called = state.name_of(turn) if turn else ""
    return Outcome(Code.OK, (channel.name, called, *(state.name_of(person) for person in hands)))


def _prepare_poll(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/poll [QUESTION | A | B …]; without a question it shows the open poll."""
    if not rest:
        return desk.read(lambda state: _shown_poll(state, asker))
    words = [word.strip() for word in printable_line(rest).split(SEPARATOR.strip())]
    if not 3 <= len(words) <= 1 + MAX_OPTIONS or not all(words) or len({*words[1:]}) < len(words) - 1:
        return _BAD_ARGUMENTS
    text = SEPARATOR.join(words)
    return _act("/poll", asker, text) if len(text.encode()) <= MAX_POLL else _too_long(MAX_POLL)


def _shown_poll(state: State, asker: Asker) -> Outcome:
    """Rows, if a poll is open: the question, the options, the number of the own vote, 0: none; for operators,
    too, how many have voted."""
    channel = state.channel(asker.channel)
    if channel is None:  # it has ended meanwhile
        return Outcome(Code.NO_SUCH_CHANNEL, (asker.channel,))
    question, *options = state.classroom.poll(channel.place) or [""]
    if not options:
        return Outcome(Code.OK)
    rows = (question, tuple(options), state.classroom.vote_of(channel.place, asker.person))
    is_operator = state.role(asker.person, channel.place) >= Role.OPERATOR
    return Outcome(Code.OK, (*rows, state.classroom.voters(channel.place)) if is_operator else rows)


def _prepare_vote(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/vote [NUMBER|TEXT]: by the number of an option, its text, or the beginning of that if only one fits.

    Without arguments it shows the open poll. A number that an option has means that option, also when
    another one reads so: the numbers stand beside the options on each screen. Texts are compared here,
    because that depends on tables of Unicode; the act gets the option that is meant, see there.
    """
    if not rest:
        return desk.read(lambda state: _shown_poll(state, asker))
    options = desk.read(lambda state: _options(state, asker.channel))
    is_number = rest.isascii() and rest.isdecimal() and len(rest) <= 2
    number = int(rest) if is_number else 0
    if 1 <= number <= (len(options) or MAX_OPTIONS):
        return _act("/vote", asker, number, "")
    if not options:
        return Outcome(Code.TOO_LATE, (asker.channel,))
    found = _fitting(rest, options)
    if len(found) == 1:
        return _act("/vote", asker, found[0], options[found[0] - 1])
    return Outcome(Code.BAD_ARGUMENTS, (len(options), printable_line(rest)[:_SHOWN_TYPED], *found))


def _options(state: State, name: str) -> list[str]:
    """Of the poll that is open in a channel; empty: none is."""
    channel = state.channel(name)
    return state.classroom.poll(channel.place)[1:] if channel is not None else []


def _fitting(typed: str, options: Sequence[str]) -> list[int]:
    """The numbers of the options that are meant by a text: that one, else those that read so, else those that
    begin so."""
    if typed in options:  # they all differ
        return [options.index(typed) + 1]
    if len(typed.encode(errors="replace")) > TYPED_OPTION:
        return []
    wanted, texts = _plain(typed), [_plain(option) for option in options]
    same = [number for number, text in enumerate(texts, 1) if text == wanted]
    return same or [number for number, text in enumerate(texts, 1) if wanted and text.startswith(wanted)]


def _plain(text: str) -> str:
    """A text as it is compared: safe to show, in one form of Unicode, without case and doubled spaces."""
    return " ".join(name_key(printable_line(text)).split())


def _prepare_ask(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/ask TEXT"""
    text = printable_line(rest).strip()
    if not text:
        return _BAD_ARGUMENTS
    return _act("/ask", asker, text) if len(text.encode()) <= MAX_QUESTION else _too_long(MAX_QUESTION)


def _alone(command: str) -> Prepare:
    """Prepares a command without arguments."""

    def prepare(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
        return _BAD_ARGUMENTS if rest else _act(command, asker)

    return prepare


def _act(command: str, asker: Asker, *arguments: str | int) -> Prepared:
    return Prepared(Act(command, asker.channel, arguments))


def _too_long(most: int) -> Outcome:
    return Outcome(Code.TOO_LONG, (most,))


CLASSROOM_COMMANDS: tuple[SlashCommand, ...] = (
    acting("/hand", f"[{_DOWN}]", "raise your hand, or take it down", _prepare_hand, elsewhere=True),
    SlashCommand(
        "/hands", "", "list who has raised a hand, in order", _hands, where=Where.CHANNEL, elsewhere=True
    ),
    acting("/next", "", "give the word to whoever raised a hand first", _alone("/next"), elsewhere=True),
    acting(
        "/poll",
        "[QUESTION | A | B ...]",
        "show the open poll, or open one as an operator",
        _prepare_poll,
        elsewhere=True,
    ),
    acting(
        "/vote",
        "[NUMBER|TEXT]",
        "show the open poll, or choose an option by its number or how it begins; nobody is told which, "
        "and you can change it until it is revealed",
        _prepare_vote,
        elsewhere=True,
    ),
    acting(
        "/reveal", "", "end the poll, and show all how many chose what", _alone("/reveal"), elsewhere=True
    ),
    acting(
        "/ask",
        "TEXT",
        "ask all without your name; operators of the chatroom can find out who asked",
        _prepare_ask,
        elsewhere=True,
    ),
)
