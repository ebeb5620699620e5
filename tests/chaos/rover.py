"""A child process that is in many places: it joins and leaves channels, talks there and with single persons,
takes other names, edits, deletes and reacts to lines, and looks for what was said.

It also tries what it must not: to edit and delete lines of others, and to read channels that it is not in.
One process of a person with an account may be joined by another.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, Final, NamedTuple

from chatroom.errors import ConnectionLost, NameRefused
from chatroom.events import Event, EventKind, Extra, extra_number
from chatroom.outcomes import Code
from chatroom.packets import Form
from tests.chaos.records import Recorder
from tests.chaos.rover_link import RoverLink
from tests.chaos.schedule import ROVER_ACCOUNT, ROVER_CHANNELS, ROVER_NAMES
from tests.chaos.talker import LAST_LINE, Orders, now

_AGAIN: Final = 0.2  # seconds between two tries to come in
_UNSETTLED: Final = 40
_REMEMBERED: Final = 60  # lines that may be edited, deleted or reacted to
_SEALED: Final = ROVER_CHANNELS[-1]
_REACTIONS: Final = ("👍", "🎉", "ok")
_WEIGHTS: Final = {
    "say": 50,
    "say_direct": 25,
    "edit": 10,
    "delete": 4,
    "react": 6,
    "meddle": 4,
    "join": 6,
    "leave": 4,
    "nick": 5,
    "history": 8,
    "grep": 5,
    "context": 3,
    "pry": 5,
    "away": 2,
    "query": 3,
    "read": 2,
    "invite": 2,
    "seal": 2,
    "close": 1,
    "move": 2,
    "topic": 3,
}
"""How often it does what, in relation."""


class Heard(NamedTuple):
    """A line that was shown."""

    seq: int
    channel: str
    place: int
    person: int
    receiver: int


class Rover:
    """One life of a rover.

    weights: how often it does what, in relation
    """

    weights: Mapping[str, int] = _WEIGHTS

    def __init__(self, options: argparse.Namespace, orders: Orders) -> None:
        self._options, self._orders = options, orders
        self._random = Random(options.seed + options.life)
        self._recorder = Recorder(options.record)
        names = [options.name] if options.account else [options.name, *ROVER_NAMES]
        self._link = RoverLink(options.port, names, self._recorder, options.dead_after, self._note)
        self._heard: deque[Heard] = deque(maxlen=_REMEMBERED)
        self._number = 0
        self._seen_last = self._flushed = False
        self._next = 0.0

    def run(self) -> int:
        """Exit code 0: left as asked."""
        link, until = self._link, time.monotonic() + 60.0
        while not self._orders.leave.is_set():
            if not link.connected:
                self._come_in(until)
                continue
            until = time.monotonic() + 60.0
            link.step()
            if not self._orders.quiet.is_set():
                self._do()
            elif self._may_leave():
                break
        if self._orders.leave.is_set():
            return 1
        link.close()
        self._recorder.write("ended", reason="", at=now())
        return 0

    def _may_leave(self) -> bool:
        """It is in the channel where the last line will be said, has nothing unsettled, and has seen that."""
        link = self._link
        if link.connected and not link.asked and "#general" not in link.channels:
            link.ask("/join #general", lambda _code, _rows: None)
        if link.unsettled or link.asked or "#general" not in link.channels:
            return False
        if not self._flushed:
            self._flushed = True
            self._recorder.write("flushed")
        return self._seen_last

    def _come_in(self, until: float) -> None:
        link, options = self._link, self._options
        if options.account:
            link.password = options.password if options.registered.exists() else ""
            if not link.password and not options.first:
                self._orders.leave.wait(_AGAIN)  # until the first program has registered
                return
        try:
            link.connect()
        except NameRefused as refused:
            link.refused(refused)
            if refused.code == Code.NEED_LOGIN and options.account:
                options.registered.touch()
            self._orders.leave.wait(_AGAIN)
        except ConnectionLost as lost:
            if time.monotonic() > until:
                raise
            self._recorder.write("not in", reason=str(lost))
            self._orders.leave.wait(_AGAIN)

    def _note(self, event: Event) -> None:
        if event.kind is EventKind.SAID:
            receiver = extra_number(event.extra, Extra.RECEIVER)
            self._heard.append(Heard(event.seq, event.channel, event.place, event.person, receiver))
            self._seen_last = self._seen_last or (event.text == LAST_LINE and event.channel == "#general")

    # --- deeds ----------------------------------------------------------------------------------------------

    def _do(self) -> None:
        moment = time.monotonic()
        if moment < self._next or not self._link.connected:
            return
        self._next = moment + self._random.expovariate(self._options.rate)
        if self._options.first and not self._options.registered.exists():
            self._register()
        if len(self._link.unsettled) < _UNSETTLED:
            (deed,) = self._random.choices(list(self.weights), list(self.weights.values()))
            getattr(self, f"_{deed}")()

    def _ask(self, text: str, channel: str = "", place: int = 0) -> None:
        if len(self._link.asked) < 3:
            self._link.ask(text, lambda _code, _rows: None, channel, place)

    def _register(self) -> None:
        def done(code: int, _rows: Any) -> None:
            if code in (Code.OK, Code.ALREADY):
                self._options.registered.touch()

        if not self._link.asked:
            self._link.ask(f"/register {self._options.password}", done)

    def _text(self, word: str = "") -> str:
        self._number += 1
        marked = self._random.choice(("", "", "apple", "pear", "plum"))
        text = f"{self._options.label}/{self._options.life}/{self._number} {word} {marked}"
        return text + (" äöü" * 900 if self._random.random() < 0.01 else "")

    def _say(self) -> None:
        link = self._link
        for _ in range(self._random.choice((1, 1, 1, 3))):
            if link.channels:
                channel = self._random.choice(list(link.channels))
                link.say(Form.SAY, channel, self._text(), _nothing)

    def _say_direct(self) -> None:
        link = self._link
        rovers = (*ROVER_NAMES, ROVER_ACCOUNT)  # the judge of the others knows no direct lines
        persons = [one for one, name in link.called.items() if name in rovers]
        persons += list(link.direct.values()) * 3
        if persons:
            person = self._random.choice(persons)
            link.say(
                Form.SAY, f"@{link.called.get(person, 'nobody')}", self._text("direct"), _nothing, person
            )

    def _amend(self, form: Form, text: str, lines: list[Heard]) -> None:
        link = self._link
        if lines:
            line = self._random.choice(lines)
            other = line.receiver and (line.person if line.receiver == link.person else line.receiver)
            channel = next(
                (name for name, place in link.channels.items() if place == line.place), line.channel
            )
            link.say(form, channel, text, _nothing, other, line.seq)

    def _own(self) -> list[Heard]:
        return [line for line in self._heard if line.person == self._link.person]

    def _edit(self) -> None:
        self._amend(Form.EDIT, self._text("edited"), self._own())

    def _delete(self) -> None:
        self._amend(Form.DELETE, "", self._own())

    def _react(self) -> None:
        self._amend(Form.REACT, self._random.choice(_REACTIONS), list(self._heard))

    def _meddle(self) -> None:
        """Edit or delete what somebody else has said."""
        others = [line for line in self._heard if line.person != self._link.person]
        if self._random.random() < 0.5:
            self._amend(Form.EDIT, self._text("meddled"), others)
        else:
            self._amend(Form.DELETE, "", others)

    def _join(self) -> None:
        self._ask(f"/join {self._random.choice(ROVER_CHANNELS)}")

    def _leave(self) -> None:
        if len(self._link.channels) > 1:
            self._ask("/leave", self._random.choice([*self._link.channels, *ROVER_CHANNELS[1:]]))

    def _nick(self) -> None:
        own = [self._options.account] if self._options.account else []
        self._ask(f"/nick {self._random.choice([*ROVER_NAMES, *own])}")

    def _away(self) -> None:
        self._ask(self._random.choice(("/away at lunch", "/back")))

    def _query(self) -> None:
        self._ask(f"/query {self._random.choice(ROVER_NAMES)}")

    def _history(self) -> None:
        link = self._link
        number, (name, place) = self._random.choice((5, 30, 200)), self._place()
        if place:
            before = (
                f" before:{link.since - self._random.randrange(50)}" if self._random.random() < 0.3 else ""
            )
            where = name if name.startswith("#") else f"in:{place}"
            if where.startswith("#"):  # of that name there may be another one when the server looks
                self._ask(f"/history {number}{before}", where)
            else:
                self._ask(f"/history {number} {where}{before}", "", place)

    def _grep(self) -> None:
        words = self._random.choice(("apple", "pear", "direct", "edited", "plum edited"))
        _, place = self._place()
        if self._random.random() < 0.5:
            self._ask(f"/grep {words}")
        elif place:
            self._ask(f"/grep {words} in:{place}", "", place)

    def _context(self) -> None:
        if self._heard:
            line = self._random.choice(list(self._heard))
            self._ask(f"/context {line.seq} 5", "", line.place)

    def _pry(self) -> None:
        """Ask for what it may not be allowed to see: the judge knows whether it was."""
        link = self._link
        others = [name for name in ROVER_CHANNELS if name not in link.channels]
        deeds = [lambda: self._ask(f"/context {self._random.randrange(1, link.since + 2)} 3")]
        if others:
            channel = self._random.choice(others)
            deeds.append(lambda: self._ask("/history 20", channel))
            deeds.append(lambda: self._ask(f"/grep apple in:{channel}"))
            deeds.append(lambda: link.say(Form.SAY, channel, self._text("not in"), _nothing))
        deeds.append(lambda: self._ask(f"/grep direct in:{self._random.randrange(1, 40)}"))
        deeds.append(lambda: self._ask(f"/history 20 in:{self._random.randrange(1, 40)}"))
        self._random.choice(deeds)()

    def _read(self) -> None:
        name, place = self._place()
        if place and name.startswith("#"):
            self._ask(f"/read {max(1, self._link.since)}", name)

    def _invite(self) -> None:
        """Into a channel that it has founded, else it is refused."""
        channels = [name for name in self._link.channels if name != "#general"]
        if channels:
            self._ask(f"/invite {self._random.choice(ROVER_NAMES)}", self._random.choice(channels))

    def _seal(self) -> None:
        """Let nobody read what was said while they were out: in one channel, if it has founded that."""
        if _SEALED in self._link.channels:
            self._ask("/set history joined", _SEALED)

    def _close(self) -> None:
        channels = [name for name in self._link.channels if name != "#general"]
        if channels:
            self._ask("/close for a while", self._random.choice(channels))

    def _topic(self) -> None:
        """Of any channel; it is refused where it is not in."""
        self._ask(f"/topic {self._text()[:60]}", self._random.choice(ROVER_CHANNELS[1:]))

    def _move(self) -> None:
        channels = [name for name in self._link.channels if name != "#general"]
        if channels:
            new = self._random.choice((*ROVER_CHANNELS[1:], "#loft"))
            self._ask(f"/move {new}", self._random.choice(channels))

    def _place(self) -> tuple[str, int]:
        """One that it is in; ("", 0): none."""
        link = self._link
        places = list(link.channels.items())
        places += [(f"@{link.called.get(person, '')}", place) for place, person in link.direct.items()]
        return self._random.choice(places) if places else ("", 0)


def _nothing(_event: Event | None) -> None:
    """What is said is shown, or refused: the record has it."""


def make_parser() -> argparse.ArgumentParser:
    """The options that every rover has."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.rover", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--life", type=int, default=0)
    parser.add_argument("--rate", type=float, default=10.0, help="deeds a second")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dead-after", type=float, required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--account", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--registered", type=Path, help="a file that is there when the name is registered")
    parser.add_argument("--first", action="store_true", help="it registers the name")
    return parser


def main() -> int:
    orders = Orders()
    rover = Rover(make_parser().parse_args(), orders)
    Thread(target=orders.read, name="orders", daemon=True).start()
    return rover.run()


if __name__ == "__main__":
    sys.exit(main())
