"""Looking back at a terminal: pages before what is shown, and the lines that /grep has found, one by one.

It stands between two rules below the talk, which goes on below it: the scrollback is the terminal's, so
nothing can be put above what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chatroom.errors import ConfigError
from chatroom.events import Event, Extra, extra_number
from chatroom.outcomes import Code
from chatroom.packets import Answer
from client.limits import BESIDE_PAGE, LEAST_PAGE
from client.places import Places
from client.requests import rows_of
from client.speech import Speech
from views import Surface

NOTHING_FOUND: Final = "nothing found; only whole words are looked for: cert does not find certificate"
"""What a user is told whose /grep has found nothing."""

HOW_TO_STEP: Final = "the key Alt-N shows each with the lines around it, Alt-P the one before"
"""What a user is told whose /grep has found something."""

_HISTORY: Final = "/history"
_GREP: Final = "/grep"
_CONTEXT: Final = "/context"


class Page(NamedTuple):
    """What an answer tells of its events.

    more:   there may be earlier ones
    before: the next page has those before this seq
    """

    more: bool
    before: int


def page_of(answer: Answer) -> Page:
    """The page of an answer to /history or /grep; of another answer, or odd rows: the only page."""
    row = next(iter(rows_of(answer.rows)), None)
    before = row.get("before") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(before, int):
        return Page(False, 0)
    return Page(bool(row.get("more")) and before > 0, max(before, 0))


class LookingBack:
    """In the main thread."""

    def __init__(self, view: Surface, places: Places, speech: Speech) -> None:
        self._view = view
        self._places = places
        self._speech = speech
        self._asked = 0  # the id of the latest command that a key has given
        self._told = (-1, 0)  # place and seq: there the user was told of the beginning
        self._beginning = (0, 0)  # place and seq: of that place, nothing is before
        self._found: list[int] = []  # seqs of the lines that the latest /grep has found, the latest first
        self._at = -1  # which of them was shown last

    def forget(self) -> None:
        """The server has another history: seqs mean other lines."""
        self._found, self._beginning = [], (0, 0)

    # --- pages ----------------------------------------------------------------------------------

    def further(self) -> None:
        """Show the page of lines before the oldest that are shown, unless one is on its way."""
        place, name, oldest = self._places.place, self._places.name, self._places.oldest
        if self._speech.awaits(self._asked):
            return
        if not place or self._beginning == (place, oldest):
            self._tell_beginning()
            return

        def came(answer: Answer, events: tuple[Event, ...]) -> None:
            if answer.code != Code.OK:
                self._view.system(answer.words)
            elif place == self._places.place and oldest == self._places.oldest:
                self._show_page(events, page_of(answer))

        size = max(LEAST_PAGE, self._view.lines - BESIDE_PAGE)
        before = f" before:{oldest}" if oldest else ""
        where = f" in:{place}" if name.startswith("@") else ""  # two persons may have had one name
        self._asked = self._speech.ask(f"{_HISTORY} {size}{before}{where}", came)

    def _show_page(self, events: Sequence[Event], page: Page) -> None:
        self._note(events, page)
        shown = self.wanted(events)
        if not shown and not page.more:
            self._tell_beginning()
            return
        beginning = "" if page.more else ", from the beginning"
        self._view.rule(
            f"looking back: {len(shown):,} earlier line{'' if len(shown) == 1 else 's'}{beginning}"
        )
        for event in shown:
            self._view.event(event, self._answered(event, events))
        self._view.rule(f"end of looking back{'; PageUp goes further' if page.more else ''}")

    def _tell_beginning(self) -> None:
        """Tell once that no page is left: what was shown has gone up, and no key of the client's shows it."""
        here = self._places.place, self._places.oldest
        if self._told != here:
            self._view.system("nothing is earlier: the rest is above, in the scrollback of your terminal")
        self._told = here

    def _note(self, events: Sequence[Event], page: Page) -> None:
        """Lines of this place were shown, up to those that were shown before."""
        places = self._places
        first = min((event.seq for event in events), default=places.oldest)
        places.oldest = min(places.oldest or first, page.before if page.more else first)
        if not page.more and places.oldest:  # else nothing was said here yet
            self._beginning = (places.place, places.oldest)

    # --- what the user asks for ----------------------------------------------------------------------------

    def answered(self, command: str, rest: str, answer: Answer, past: Sequence[Event]) -> None:
        """A command that the user has given is answered. rest: its arguments; past: what it has found"""
        if answer.code != Code.OK:
            return
        if command.lower() == _GREP:
            self._found, self._at = [event.seq for event in reversed(self.wanted(past))], -1
        latest = command.lower() == _HISTORY and (not rest or rest.isdecimal())  # no other page or place
        if latest and past and all(event.place == self._places.place for event in past):
            self._note(past, page_of(answer))

    def resolved(self, typed: str) -> str:
        """The command as the server knows it: in /context a number of a line that was found is its seq.

        Raises ConfigError: the latest list has no line with this number.
        """
        word, *arguments = typed.split()
        digits = arguments[0].removesuffix(".") if arguments else ""
        if word.lower() != _CONTEXT or not (digits.isascii() and digits.isdecimal() and len(digits) < 5):
            return typed
        if not self._found:
            return typed
        if not 0 < int(digits) <= len(self._found):
            numbers = "the number 1" if len(self._found) == 1 else f"the numbers 1 to {len(self._found):,}"
            raise ConfigError(f"the list has {numbers}, not {digits}")
        return " ".join([word, str(self._found[int(digits) - 1]), *arguments[1:]])

    def listed(self, seqs: Sequence[int]) -> None:
        """These lines were listed with numbers, the latest first: number 1."""
        self._found, self._at = list(seqs), -1

    def number(self, command: str, event: Event) -> int:
        """The number of a line that a command has found: 1 is the latest; 0: it has none."""
        found = command.lower() == _GREP and event.seq in self._found
        return self._found.index(event.seq) + 1 if found else 0

    def words(self, command: str, answer: Answer, words: str) -> str:
        """What is told below the lines. words: of the answer"""
        if command.lower() != _GREP or answer.code != Code.OK:
            return words
        told = [HOW_TO_STEP if self._found else NOTHING_FOUND]
        return "\n".join([*told, *([words] if page_of(answer).more else [])])

    def step(self, step: int) -> None:
        """Show the next line that was found (1), or the one before (-1), with the lines around it."""
        at, count = self._at + step, len(self._found)
        if self._speech.awaits(self._asked):
            return
        if not 0 <= at < count:
            end = "there is no other one: that was the last" if step > 0 else "there is none before"
            self._view.system(end if count else "nothing was looked for: /grep WORDS finds lines")
            return
        seq = self._found[at]

        def came(answer: Answer, events: tuple[Event, ...]) -> None:
            if self._found[at : at + 1] == [seq]:  # else it has been looked for something else meanwhile
                self._at = at
                self._show_around(events, answer)

        self._asked = self._speech.ask(f"/context {seq}", came)

    def _show_around(self, events: Sequence[Event], answer: Answer) -> None:
        if answer.code != Code.OK:
            self._view.system(answer.words)
            return
        number, seq = self._at + 1, self._found[self._at]
        self._view.rule(f"found {number:,} of {len(self._found):,}")
        self._show_lines(events, seq, number)
        more = "; Alt-N goes on" if number < len(self._found) else ""
        self._view.rule(f"end of what was found{more}")

    def show_context(self, rest: str, events: Sequence[Event]) -> bool:
        """Show what /context has found between two rules, with a number at the line that was asked for;
        whether it was that. rest: the arguments: the seq of that line, and how many around it"""
        digits = rest.partition(" ")[0]
        seq = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else 0
        if seq not in [event.seq for event in self.wanted(events)]:
            return False
        number = self._found.index(seq) + 1 if seq in self._found else 0
        name = f"line {number:,} of the list" if number else f"message {seq:,}"
        self._view.rule(f"around {name}")
        self._show_lines(events, seq, number or seq)
        self._view.rule(f"end of what is around {name}")
        return True

    def _show_lines(self, events: Sequence[Event], seq: int, number: int) -> None:
        """Show lines of the past; number: of the one with this seq"""
        for event in self.wanted(events):
            under = "" if event.place == self._places.place else event.channel
            mark = number if event.seq == seq else 0
            self._view.event(event, self._answered(event, events), under, mark)

    # --- events -------------------------------------------------------------------------------------

    def wanted(self, events: Sequence[Event]) -> list[Event]:
        """Those that are not of a person whom the user ignores."""
        return [event for event in events if event.person not in self._places.ignored]

    def _answered(self, event: Event, events: Sequence[Event]) -> Event | None:
        """The line that a line answers, if it is known."""
        seq = extra_number(event.extra, Extra.REPLY_TO) if event.extra else 0
        known = next((one for one in events if one.seq == seq), None) if seq else None
        return known or self._places.known(event.place, seq)
