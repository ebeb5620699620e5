"""A state whose entries the tests make by hand."""

from __future__ import annotations

import json
from typing import NamedTuple

from chatroom.bounds import Limits
from chatroom.effects import Admit, Answer, Effect, End, NameAnswer, Origin
from chatroom.events import Event, Extra, Talk, extra_number, extra_row
from chatroom.ledger import Applied
from chatroom.lookalikes import skeletons
from chatroom.names import name_key
from chatroom.network import network_of
from chatroom.order import Entry
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Burst
from chatroom.proposals import Act, Amend, Arrive, Body, Enter, Leave, Own, Proposal, ProposalKind, Withdraw
from chatroom.records import Record, Talker
from chatroom.state import State
from tests.support.blocks import blocks_of, flat
from tests.support.events import NOON


class Visit(NamedTuple):
    """A connection in the world: its number, and the key of its session."""

    origin: int
    session: str


Looked = tuple[Event | None, Event | None]
"""What was found of a message: it, and its latest EDITED."""


class Followed(NamedTuple):
    """What has followed from an entry, but for what was amended: see `Applied`.

    effects: no `End` says until when: what a connection gets is tested with the forwarder
    """

    happened: list[Event | Talk]
    records: list[Record]
    effects: list[Effect]


class World:
    """A state that is judged after every entry: its seqs have no gap, and its records restore it.

    A state made of the records goes on as the old one: the next entry is given to both.

    time:  of the next entry, in milliseconds since 1970
    epoch: the life of the server that makes the entries
    log:   all events
    noted: the records know what was said up to this seq
    effects: of the latest act or question for a name, beside the answer
    amended, erased: by the latest entry
    replaced: by seq, what was amended
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits
        self.state = State(limits)
        self._again = State(limits)
        self.time = NOON
        self.epoch = 0
        self.log: list[Event] = []
        self.records: dict[tuple[str, str], Record] = {}
        self.noted = 0
        self.effects: list[Effect] = []
        self.amended: list[Event] = []
        self.erased: dict[int, int] = {}
        self.replaced: dict[int, Event] = {}
        self._origins = 0
        self._keys = 0
        self.up()

    # --- entries ----------------------------------------------------------------------------------------

    def apply(self, *proposals: Proposal) -> Followed:
        """One entry; without proposals a tick."""
        entry = Entry(b"", self.time, "", self.epoch, proposals)
        applied, again = self.state.apply(entry), self._again.apply(entry)
        assert (again.happened, again.effects) == (applied.happened, applied.effects)
        assert (again.amended, again.erased) == (applied.amended, applied.erased)
        assert sorted(again.records) == sorted(applied.records)
        self.log += events(applied)
        self.noted = max(self.noted, self.state.noted)  # as a history keeps it: a new state does not know it
        self.records.update(((record.kind, record.key), record) for record in applied.records)
        assert [event.seq for event in self.log] == list(range(1, self.state.head + 1))
        self._again = self.restored()
        known = self.state.records()
        assert self._again.records() == known
        if not self.late():
            assert self.kept() == known
        self.amended, self.erased = applied.amended, applied.erased
        self.replaced |= {event.seq: event for event in applied.amended}
        effects: list[Effect] = [
            effect._replace(until=0) if isinstance(effect, End) else effect for effect in applied.effects
        ]
        return Followed(applied.happened, applied.records, effects)

    def tick(self, seconds: float = 0.0) -> Followed:
        """The time goes on; then a tick."""
        self.time += int(seconds * 1000)
        return self.apply()

    def propose(self, origin: int, kind: ProposalKind, body: Body = None, request: int = 0) -> Followed:
        """An entry with one proposal."""
        return self.apply(Proposal(origin, request, kind, body))

    def up(self) -> Followed:
        """The server starts again."""
        self.epoch += 1
        return self.propose(0, ProposalKind.UP)

    # --- what people do ---------------------------------------------------------------------------------

    def ask(
        self,
        name: str,
        known: str = "",
        address: str = "",
        proof: str = "",
        encrypted: bool = False,
        server_key: str = "",
    ) -> tuple[Visit, Outcome]:
        """A new connection asks for a name, with the key of its session if it has one.

        address: of the peer; without one, each connection has its own
        proof:   the secret by which it proves to be the owner of the account of this name
        """
        self._origins += 1
        self._keys += 1
        fresh = f"key{self._keys}"
        key, address = name_key(name), address or f"address {self._origins}"
        looks, network, software = skeletons(name, key), network_of(address), f"program {self._origins}"
        body = Arrive(
            name, key, known, fresh, address, looks, network, proof, encrypted, software, server_key
        )
        *self.effects, answer = self.propose(self._origins, ProposalKind.ARRIVE, body).effects
        assert isinstance(answer, NameAnswer) and answer.origin == self.origin(self._origins)
        assert all(isinstance(effect, End) for effect in self.effects)  # of who makes room
        return Visit(self._origins, known if answer.outcome.rows[:1] == (True,) else fresh), answer.outcome

    def enter(self, name: str, *channels: str, known: str = "", address: str = "", proof: str = "") -> Visit:
        """A new connection takes the name and becomes a member, in #general unless channels are given."""
        visit, _ = self.ask(name, known, address, proof)
        self.come(visit, *channels)
        return visit

    def act(self, visit: Visit, command: str, *arguments: str | int, channel: str = "#general") -> Outcome:
        """A member gives a command. A refusal has changed nothing; what has changed is restored."""
        before = self.state.records()
        applied = self.propose(visit.origin, ProposalKind.ACT, Act(command, channel, arguments), 7)
        answers = [effect for effect in applied.effects if isinstance(effect, Answer)]
        assert [(one.origin, one.request, one.command) for one in answers] == [
            (self.origin(visit.origin), 7, command)
        ]
        if answers[0].outcome.code is not Code.OK:
            assert applied == ([], [], answers) and self.state.records() == before
        self.effects = [effect for effect in applied.effects if not isinstance(effect, Answer)]
        return answers[0].outcome

    def own(self, name: str, code: str = "", seconds: float = 3600) -> Followed:
        """Whoever runs the server names the owner."""
        key = name_key(name) if name else ""
        until = self.time + int(seconds * 1000)
        return self.propose(
            0, ProposalKind.OWN, Own(name, key, skeletons(name, key) if name else (), code, until)
        )

    def come(self, visit: Visit, *channels: str) -> Followed:
        return self.propose(visit.origin, ProposalKind.ENTER, Enter(visit.session, channels or ("#general",)))

    def withdraw(self, visit: Visit) -> Followed:
        return self.propose(visit.origin, ProposalKind.WITHDRAW, Withdraw(visit.session))

    def say(
        self, visit: Visit, *ids: int, channel: str = "#general", form: int = 0, extra: bytes = b""
    ) -> Followed:
        burst = Burst(channel, ids, [f"text {id}".encode() for id in ids], form, extra)
        return self.propose(visit.origin, ProposalKind.LINES, burst)

    def write(self, visit: Visit, receiver: int, *ids: int, form: int = 0, extra: bytes = b"") -> Followed:
        """Lines in the direct conversation with a person."""
        extra += extra_row(Extra.RECEIVER, receiver, 4)
        return self.say(visit, *ids, channel="@somebody", form=form, extra=extra)

    def leave(self, visit: Visit, reason: str = "bye") -> Followed:
        """The member says goodbye."""
        return self.propose(visit.origin, ProposalKind.LEAVE, Leave(True, reason))

    def lose(self, visit: Visit, reason: str = "connection closed") -> Followed:
        """The member's connection breaks."""
        return self.propose(visit.origin, ProposalKind.LEAVE, Leave(False, reason))

    def amend(
        self, visit: Visit, id: int, form: int, seq: int, text: str = "", looked: Looked | None = None
    ) -> Followed:
        """Amend a message. looked: what was found of it before; else it is looked up now"""
        message, edit = looked or self.look_up(seq)
        body = Amend(id, "#any", form, message, text.encode(), edit)
        return self.propose(visit.origin, ProposalKind.AMEND, body)

    # --- what is to be seen -----------------------------------------------------------------------------

    def event_at(self, seq: int) -> Event | None:
        """An event as it is now."""
        return self.replaced.get(seq) or next((event for event in self.log if event.seq == seq), None)

    def look_up(self, seq: int) -> Looked:
        """What a handler finds of a message: it, and its latest EDITED, without their texts."""
        message = self.event_at(seq)
        edit = self.event_at(extra_number(message.extra, Extra.EDITED)) if message is not None else None
        return message and message._replace(text=""), edit and edit._replace(text="")

    def person(self, visit: Visit) -> int:
        """The person of a connection that is here."""
        session = self.state.session_at(self.origin(visit.origin))
        assert session is not None
        return session.person

    def origin(self, number: int) -> Origin:
        return "", self.epoch, number

    def kept(self) -> list[Record]:
        """The stored records, in order."""
        return sorted(record for record in self.records.values() if record.value is not None)

    def late(self) -> list[Talker]:
        """What was said and is not in the records yet."""
        events = [event for event in self.log if event.id and event.seq > self.noted]
        return [Talker(event.person, event.id) for event in events]

    def restored(self) -> State:
        """A new state with all that is stored."""
        state = State(self.limits)
        state.restore(self.state.head, self.kept(), self.late())
        return state

    def stored(self, visit: Visit) -> dict[str, object] | None:
        """What is stored of the session; None when it is forgotten."""
        record = self.records.get(("session", visit.session))
        if record is None or record.value is None:
            return None
        value: dict[str, object] = json.loads(record.value)
        return value

    def phase(self, visit: Visit) -> object:
        """The stored phase of the session; "forgotten" when it is not stored."""
        stored = self.stored(visit)
        return "forgotten" if stored is None else stored["phase"]


def events(applied: Applied | Followed) -> list[Event]:
    """What happened, each line as an event, as they are stored."""
    return flat(blocks_of(applied.happened))


def admits(applied: Applied | Followed) -> list[Admit]:
    return [effect for effect in applied.effects if isinstance(effect, Admit)]


def ends(applied: Applied | Followed) -> list[Effect]:
    return [effect for effect in applied.effects if isinstance(effect, End)]
