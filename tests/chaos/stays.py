"""The judge of presence: who joined, who quit, and whose place was held.

A person with an account may be there with several programs: the first one joins, the last one quits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.ownership import Owners
from tests.chaos.records import Entry, Life
from tests.chaos.wrongs import Violation, Wrong, found

_STOPPED = "the server was stopped"
"""The reason of a QUIT of somebody whose place was held over a restart."""


@dataclass
class _Stay:
    """The time from joining to quitting.

    latest:   the latest event of its person
    channels: where that is in
    said:     the latest line of each of its programs, by their lives
    """

    latest: Entry
    channels: set[str]
    said: dict[str, tuple[Life, Entry]] = field(default_factory=dict)


class Presence:
    """Judges the events of coming and going.

    hold: milliseconds for which the server holds the place of a client whose connection broke
    """

    def __init__(self, history: Sequence[Entry], lives: Sequence[Life], hold: int, owners: Owners) -> None:
        self._history = history
        self._lives = lives
        self._hold = hold
        self._owners = owners
        self._of_text = {(name, text): life for life in lives for text in life.said for name in life.names}
        self._last_of = {str(self._life(line)): line for line in history if self._life(line)}
        last = {line.author: line for line in history}
        self._last = {life.name: last[life.name] for life in lives if life.name in last}
        self._out: set[str] = set()  # who was put out of all channels: nobody may be told that they quit
        self._goodbyes = [self._last[life.name] for life in lives if life.left and life.name in last]

    def judge(self) -> Iterator[Violation]:
        """Every promise that is broken."""
        yield from self._come_and_go()
        yield from self._say_goodbye()

    def _life(self, line: Entry) -> Life | None:
        return self._of_text.get((line.author, line.text)) if line.kind == "said" else None

    def _come_and_go(self) -> Iterator[Violation]:
        here: dict[str, _Stay] = {}
        twice, absent, hasty = [], [], []
        for line in self._history:
            if not line.author:  # of the server: it was restarted, or somebody owns it now
                continue
            if line.kind == "kicked":
                self._put_out(here, line)
                continue
            stay = here.get(line.author)
            if stay is None:
                if line.kind == "joined":
                    here[line.author] = _Stay(line, {line.channel})
                elif not (line.kind == "quit" and line.author in self._out):
                    absent.append(str(line))
                continue
            if line.kind == "joined":
                twice += [str(line)] if not self._may_join(stay, line) else []
                stay.channels.add(line.channel)
            elif line.kind == "quit":
                del here[line.author]
                hasty += self._hasty(stay, line)
            elif line.channel and line.channel not in stay.channels:
                absent.append(str(line))
            stay.latest = line
            if life := self._life(line):
                stay.said[str(life)] = life, line
        yield from found(Wrong.TWICE, "history", twice)
        yield from found(Wrong.ABSENT, "history", absent)
        yield from found(Wrong.HASTY, "history", hasty)

    def _put_out(self, here: dict[str, _Stay], kicked: Entry) -> None:
        stay = here.get(kicked.target_name)
        if stay is not None:
            stay.channels.discard(kicked.channel)
            if not stay.channels:
                del here[kicked.target_name]
                self._out.add(kicked.target_name)

    def _may_join(self, stay: _Stay, line: Entry) -> bool:
        """Only who has several programs may be in one channel and join another."""
        return line.channel not in stay.channels and self._owners.owns(line.author, line.seq)

    def _hasty(self, stay: _Stay, quit: Entry) -> list[str]:
        """The server holds a place at least from the last thing that its owner did."""
        if self._owners.owns(quit.author, quit.seq):
            late = [
                line
                for life, line in stay.said.values()
                if quit.time - line.time < self._hold and not self._may_be_out(life, line, quit)
            ]
        elif quit in self._goodbyes or self._has_logged_in(stay, quit):
            return []
        else:
            late = [stay.latest] if quit.time - stay.latest.time < self._hold else []
        return [f"{quit} — {quit.time - line.time} ms after {line}" for line in late]

    def _may_be_out(self, life: Life, line: Entry, quit: Entry) -> bool:
        """Whether this program may have ended after its line: by itself, or by a change of the password."""
        ended = (life.left or life.expelled) and self._last_of[str(life)] == line
        return ended or self._owners.may_end(quit.author, line.time, quit.time)

    def _has_logged_in(self, stay: _Stay, quit: Entry) -> bool:
        """Whether the guest has quit because it goes on under another name."""
        lives = [life for life, _ in stay.said.values()] or self._lives
        return any(life.logged_in and life.name == quit.author for life in lives)

    def _say_goodbye(self) -> Iterator[Violation]:
        """Who said goodbye has quit, and guests for no other reason: the clients say goodbye without one.

        A program of an owner, killed before, may be the last one whose place was held. A goodbye may cross
        the server's end: then nobody has read it, and the place was held over the restart.
        """
        lingering = []
        for name, line in self._last.items():
            lives = [life for life in self._lives if life.name == name]
            if any(life.left for life in lives):
                guest = not any(life.account for life in lives)
                held = guest and line.text not in ("", _STOPPED)
                lingering += [str(line)] if line.kind != "quit" or held else []
        yield from found(Wrong.LINGERING, "history", lingering)
