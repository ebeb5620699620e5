"""A random walk of the state: people come with several programs, talk, register, log in, vanish.

The proposals are mostly such as a server makes, so the walk gets far. After each round the state is restored
from what a history has stored of it, and now and then it goes on as the restored one.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from chatroom.account_acts import ACCOUNT_ACTS
from chatroom.act import Where
from chatroom.acts import ACTS
from chatroom.batch import Batch
from chatroom.blanking import blank
from chatroom.bounds import Limits
from chatroom.channel_acts import SWITCHES
from chatroom.effects import Admit, Answer, End, Gone, NameAnswer, Origin
from chatroom.events import (
    BAN_LIST,
    EXEMPT_LIST,
    MUTE_LIST,
    SET_COUNTED,
    Event,
    EventKind,
    Extra,
    extra_number,
    extra_row,
    extra_rows,
)
from chatroom.history import MemoryHistory
from chatroom.ledger import Applied
from chatroom.lookups import message_at
from chatroom.moderation_acts import MODERATION_ACTS
from chatroom.order import Entry
from chatroom.outcomes import Code
from chatroom.packets import Burst, Form, Role, encode_event
from chatroom.places import EVERYWHERE, WHOLE_CHATROOM
from chatroom.proposals import Act, Amend, Arrive, Body, Enter, Leave, Own, Proposal, ProposalKind, Withdraw
from chatroom.session import Phase
from chatroom.speech_acts import SPEECH_ACTS
from chatroom.state import State
from chatroom.whom import Who
from tests.chatroom.bodies import Bodies
from tests.chatroom.world import events
from tests.support.blocks import flat

LIMITS = Limits(
    handshake=30,
    hold=90,
    session=700,
    sessions=6,
    held=5,
    held_of_network=3,
    places=6,
    places_of_network=4,
    channels=3,
    owned=2,
    left=2,
    listed=12,
    listed_of_place=4,
    ends_per_tick=3,
    looked_per_tick=4,
    intervals=2,
    counted_from=3,
    programs=3,
    absent_programs=2,
    accounts=4,
    accounts_of_network=3,
    devices=2,
    login_networks=2,
    amended=8,  # more than are amended between looking up and proposing
    erased=8,
    edit=400,
    delete=500,
    conversations=9,
    conversations_of_network=5,
    conversations_begun=3,
    conversations_of_person=4,
    gone=1,
    ignored=2,
    ignored_in_sum=3,
    paced=4,
    paced_of_person=2,
    hands=2,
    votes=2,
    options=2,
    hand=20,
    ask=20,
    newcomer=150,
)
NAMES = {
    "ann": ("x",),
    "bob": ("y", "Y"),
    "Ann": ("x", "X"),
    "arm": ("x",),
    "eve": ("z",),
    "zoe": ("v",),
    "dan": ("w",),
}
NETWORKS = ("1.1.1.1", "2.2.2.2", "2001:db8::/64")

_LISTS = {"/uninvite": "invited", "/unvoice": "voice"}
_PUTTING = ("/ban", "/exempt", "/mute")
_TAKING = {"/unban": BAN_LIST, "/unexempt": EXEMPT_LIST, "/unmute": MUTE_LIST}


class Walk:
    """One walk.

    coming:  connections in their handshake, with the keys of their sessions
    here:    connections of members
    present: persons and places, as a client that gets every event knows them
    counted: places of which nobody knows who is in
    codes:   which outcomes of which acts there were
    looked:  messages that were looked up, each with its latest edit
    said:    seq and author of each line
    amended: how many events were replaced
    erased:  persons that were erased, each with the seq up to which
    entries: all of them
    """

    def __init__(self, seed: int, codes: dict[str, set[Code]] | None = None) -> None:
        """codes: of the walks before, so that this one tries what none of them could do."""
        self.random = Random(seed)
        self.bodies = Bodies(self.random, [*NAMES], NETWORKS)
        self.state = State(LIMITS)
        self.history = MemoryHistory()
        self.time, self.epoch, self.origins = 1000, 0, 0
        self.coming: dict[int, str] = {}  # connections in their handshake, with the key of the session
        self.here: set[int] = set()
        self.keys: list[str] = []
        self.ids: dict[int, int] = {}  # by connection, the latest message id
        self.present: set[tuple[int, int]] = set()
        self.counted: set[int] = set()
        self.unregistered: set[int] = set()
        self.persons: dict[Origin, int] = {}
        self.entries: list[Entry] = []
        self.codes = {} if codes is None else codes
        self.looked: list[tuple[Event | None, Event | None]] = [(None, None)]
        self.said: list[tuple[int, int]] = []
        self.amended = 0
        self.is_reinforced = False  # somebody has just got a second program
        self.erased: dict[int, int] = {}
        self.round([[Proposal(0, 0, ProposalKind.UP, None)]], epoch=1)
        if seed % 2:  # the first start writes a code
            self.round([[Proposal(0, 0, ProposalKind.OWN, Own("", "", (), "s", 10**6))]], epoch=1)

    # --- what people do -------------------------------------------------------------------------------------

    def step(self) -> None:
        """One round of some entries."""
        if self.random.random() < 0.02:
            self.coming.clear(), self.here.clear()
            self.round([[Proposal(0, 0, ProposalKind.UP, None)]], self.epoch + 1)
        entries = [
            [self.propose() for _ in range(self.random.randint(0, 5))]
            for _ in range(self.random.randint(1, 3))
        ]
        if self.random.random() < (0.6 if self.is_reinforced else 0.25):
            self.is_reinforced = False
            entries = self.handover() or entries
        elif self.here and self.random.random() < 0.15:  # one lookup, and two amendments
            authors = {author for _, author in self.said[-20:]}
            here = sorted(self.here)
            talked = [one for one in here if self.persons.get(("", self.epoch, one)) in authors]
            origin = self.random.choice(talked or here)
            first = self.amend(origin)
            assert isinstance(first.body, Amend)
            self.ids[origin] = id = first.body.id + 1
            entries = [[first, first._replace(body=first.body._replace(id=id, text=b"newer"))]]
        elif self.random.random() < 0.2:
            entries = self.reinforcement() or entries
        elif self.random.random() < 0.12:
            entries = self.lesson() or entries
        elif self.random.random() < 0.12:
            entries = self.discipline() or entries
        elif self.random.random() < 0.15:
            entries = self.guarding() or entries
        elif self.random.random() < 0.3:
            entries = self.seldom() or entries
        self.round(entries, self.epoch)

    def handover(self) -> list[list[Proposal]] | None:
        """In one round and channel, one of several programs of a person talks, what it said is noted, and it
        is gone; then somebody else talks. By chance that is too rare. None: nobody has several programs.
        """
        sessions = {origin: self.state.session_at(("", self.epoch, origin)) for origin in sorted(self.here)}
        here = {origin: session.person for origin, session in sessions.items() if session is not None}
        several = [origin for origin, person in here.items() if [*here.values()].count(person) == 2]
        if not several:
            return None
        found = [
            (first, then, channel)
            for first in several
            for then, person in here.items()
            for channel in sorted(self.state.members[here[first]].places)
            if person != here[first] and channel in self.state.members[person].places
        ]
        first, then, channel = self.random.choice(found or [(several[0], several[0], "#a")])
        self.ids[first] = max(self.ids.values(), default=0)  # later than those of the other program
        talk, answer = self.say(first, channel), self.say(then, channel)
        if self.random.random() < 0.4:  # nothing of it is noted
            return [[talk], [answer]]
        self.here.discard(first)
        return [[talk], [], [Proposal(first, 0, ProposalKind.LEAVE, Leave(False, "gone"))], [answer]]

    def reinforcement(self) -> list[list[Proposal]] | None:
        """Somebody with an account, who is here with one program, talks, and in the same round another one
        comes. By chance that is too rare, as it needs the right name and password. None: there is nobody.
        """
        found = []
        for member in self.state.members.values():
            account, here = self.state.account_named(member.name_key), member.here
            if account is not None and account.person == member.person and len(member.sessions) == 1 and here:
                found.append((here[0], account))
        if not found:
            return None
        session, account = self.random.choice(found)
        assert session.at is not None
        arrive = self.arrive(account.name, self.state.secrets(account.name_key)[0][0])
        assert isinstance(arrive.body, Arrive)
        self.round([[arrive]], self.epoch)
        if self.origins not in self.coming or session.person not in self.state.members:
            return None  # there are too many
        del self.coming[self.origins]
        self.here.add(self.origins)
        channels = sorted(self.state.members[session.person].places)
        talk = self.say(session.at[2], channels[0] if channels else "#a")
        enter = Proposal(self.origins, 0, ProposalKind.ENTER, Enter(arrive.body.fresh, ("#a",)))
        self.is_reinforced = True
        return [[talk], [enter]]

    def guarding(self) -> list[list[Proposal]] | None:
        """An operator closes the door, or limits newcomers; lines; time. None: there is no operator."""
        sessions = {origin: self.state.session_at(("", self.epoch, origin)) for origin in sorted(self.here)}
        able = [
            origin
            for origin, session in sessions.items()
            if session is not None and self.state.role(session.person, WHOLE_CHATROOM) >= Role.OPERATOR
        ]
        if not able:
            return None
        name, arguments = "/guard", self.of_channels["/guard"]()
        if self.random.random() < 0.3:
            name, arguments = "/set", ("key", self.random.choice(["off", "off", "s"]))
        act = Act(name, EVERYWHERE, arguments)
        lines = [self.say(self.random.choice(sorted(self.here))) for _ in range(3)]
        author, over = self.random.choice(able), Act("/guard", EVERYWHERE, ("off", 0))
        ends = [Proposal(author, 7, ProposalKind.ACT, over)] if self.random.random() < 0.5 else []
        return [[Proposal(author, 7, ProposalKind.ACT, act)], lines, [], ends]

    def lesson(self) -> list[list[Proposal]] | None:
        """What members of one channel do in a class, mostly in this order. By chance it would be too rare.
        None: no operator is in a channel."""
        inside = self.inside()
        names = [name for name in sorted(inside) if any(self.leads(one, name) for one in inside[name])]
        if not names:
            return None
        name = self.random.choice(names)
        leader = next(one for one in inside[name] if self.leads(one, name))
        acts = [(leader, Act("/poll", name, ("q | a | b",)))]
        for member in inside[name]:
            acts.append((member, Act("/hand", name, (1,))))
            acts.append((member, Act("/vote", name, (self.random.choice([1, 2]), ""))))
            if self.random.random() < 0.5:
                acts += [(member, Act("/leave", name, ("",))), (member, Act("/join", name, (name, "")))]
        acts.append((leader, Act("/next", name)))
        if self.random.random() < 0.4:
            acts.append((leader, Act("/reveal", name)))
        return [
            [Proposal(origin, 7, ProposalKind.ACT, act)] for origin, act in acts if self.random.random() < 0.7
        ]

    def discipline(self) -> list[list[Proposal]] | None:
        """An operator of a channel mutes, bans or kicks somebody who is in, for a while or for ever; the one
        whom it hits goes on as if nothing were. By chance that would be too rare. None: nobody can."""
        found = [
            (name, leader, other)
            for name, origins in sorted(self.inside().items())
            for leader in origins
            for other in origins
            if self.leads(leader, name) and not self.leads(other, name)
        ]
        if not found:
            return None
        name, leader, other = self.random.choice(found)
        session = self.state.session_at(("", self.epoch, other))
        assert session is not None
        key, command = session.name_key, self.random.choice(["/mute", "/ban", "/kick"])
        arguments = (
            (key, "why") if command == "/kick" else (f"name {key}", key, self.random.choice([0, 1]), "")
        )
        again = [self.say(other, name), Proposal(other, 7, ProposalKind.ACT, Act("/join", name, (name, "")))]
        return [
            [Proposal(leader, 7, ProposalKind.ACT, Act(command, name, arguments))],
            *([one] for one in self.random.sample(again, 2)),
        ]

    def inside(self) -> dict[str, list[int]]:
        """By name of a channel, the connections of those who are in."""
        found: dict[str, list[int]] = {}
        for origin in sorted(self.here):
            session = self.state.session_at(("", self.epoch, origin))
            for name in self.state.members[session.person].places if session is not None else ():
                found.setdefault(name, []).append(origin)
        return found

    def seldom(self) -> list[list[Proposal]] | None:
        """Acts that nobody could carry out so far, by somebody who may. None: there is nobody for these."""
        here, found = sorted(self.here), list[list[Proposal]]()
        if self.random.random() < 0.5 and (entries := self.crowning()) is not None:
            return entries
        missing = [name for name in ACTS if Code.OK not in self.codes.get(name, ())]
        for _ in range(12 if here and missing else 0):
            origin = self.random.choice(here)
            command = self.random.choice(missing)
            undone = {"/back": "/away"}.get(command, command.replace("/un", "/"))
            if undone in ACTS and self.random.random() < 0.5:
                command = undone  # it must have been done before
            act = self.act(origin, command)
            able = [one for one in here if self.may(one, act)]
            if able and len(found) < 3:
                author = origin if origin in able else self.random.choice(able)
                found.append([Proposal(author, 7, ProposalKind.ACT, act)])
        return found or None

    def crowning(self) -> list[list[Proposal]] | None:
        """Somebody with an account becomes the owner, by a code or by name. None: an owner is here, or nobody
        is here who could be one."""
        found = []
        for origin in sorted(self.here):
            session = self.state.session_at(("", self.epoch, origin))
            account = self.state.account_of(session.person) if session is not None else None
            if account is not None:
                found.append((origin, account))
        if not found or any(self.state.role(one.person, WHOLE_CHATROOM) is Role.OWNER for _, one in found):
            return None
        origin, account = self.random.choice(found)
        if self.random.random() < 0.4:
            own = Own(account.name, account.name_key, NAMES[account.name], "", 0)
            return [[Proposal(0, 0, ProposalKind.OWN, own)]]
        own, become = Own("", "", (), "s", self.time + 10**6), Act("/owner", EVERYWHERE, ("s",))
        return [[Proposal(0, 0, ProposalKind.OWN, own)], [Proposal(origin, 7, ProposalKind.ACT, become)]]

    def leads(self, origin: int, name: str) -> bool:
        """Whether the member with this connection is an operator of the channel."""
        session, channel = self.state.session_at(("", self.epoch, origin)), self.state.channel(name)
        assert session is not None and channel is not None
        return self.state.role(session.person, channel.place) >= Role.OPERATOR

    def propose(self) -> Proposal:
        choice, here = self.random.random(), sorted(self.here)
        if len(here) < 5 and self.random.random() < 0.4:  # many are put out
            choice = 0.3 if self.coming else 0.0
        if choice < 0.2 or not (here or self.coming):
            return self.arrive()
        if self.coming and choice < 0.4:
            origin = self.random.choice(sorted(self.coming))
            key = self.coming.pop(origin)
            if self.random.random() < 0.08:
                return Proposal(origin, 0, ProposalKind.WITHDRAW, Withdraw(key))
            self.here.add(origin)
            channels = tuple(f"#{self.random.choice('abcd')}" for _ in range(self.random.randint(1, 2)))
            return Proposal(origin, 0, ProposalKind.ENTER, Enter(key, channels))
        if here and choice < 0.5:
            origin = self.random.choice(here)
            self.here.discard(origin)
            leave = Leave(self.random.random() < 0.4, self.random.choice(["", "gone"]))
            return Proposal(origin, 0, ProposalKind.LEAVE, leave)
        if here and choice < 0.58:
            return self.say(self.random.choice(here))
        if here and choice < 0.62:
            return self.amend(self.random.choice(here))
        if choice < 0.63:
            return Proposal(0, 0, ProposalKind.OWN, self.own())
        act = self.act(self.random.choice(here or [1]))
        able = [origin for origin in here if self.may(origin, act)]
        author = self.random.choice(able if able and self.random.random() < 0.7 else here or [1])
        return Proposal(author, 7, ProposalKind.ACT, act)

    def arrive(self, name: str = "", proof: str = "") -> Proposal:
        """A question for a name. With a proof: for just this one, by somebody new."""
        self.origins += 1
        fresh, network = f"key{self.origins}", self.random.choice(NETWORKS)
        is_encrypted = self.random.random() < 0.5
        if proof:
            body = Arrive(name, name.lower(), "", fresh, network, NAMES[name], network, proof, is_encrypted)
            return Proposal(self.origins, 0, ProposalKind.ARRIVE, body)
        owned = [name for name in NAMES if self.state.secrets(name.lower())[0]]
        name = self.random.choice(owned if owned and self.random.random() < 0.5 else [*NAMES])
        known = self.random.choice(self.keys[-9:]) if self.keys and self.random.random() < 0.5 else ""
        passwords, _ = self.state.secrets(name.lower())
        proof = self.secret() if self.random.random() < (0.8 if passwords else 0.02) else ""
        session = self.state._sessions.all.get(known)
        if session is not None and self.random.random() < 0.8:
            name = session.name
        body = Arrive(name, name.lower(), known, fresh, network, NAMES[name], network, proof, is_encrypted)
        body = body._replace(key=self.random.choice(["", "s", "t"]))
        return Proposal(self.origins, 0, ProposalKind.ARRIVE, body)

    def say(self, origin: int, where: str = "") -> Proposal:
        first = self.ids.setdefault(origin, self.random.randint(1, 1000)) - self.random.choice([0, 0, 0, 2])
        ids = list(range(first + 1, first + 1 + self.random.randint(1, 3)))
        self.ids[origin] = max(ids)
        channel, form, extra = f"#{self.random.choice('aaabc')}", self.random.choice([0, 0, 0, 1, 2, 9]), b""
        if self.random.random() < 0.3:
            receiver = self.random.randint(0, 2 + len(self.persons))
            channel, extra = "@x", extra_row(Extra.RECEIVER, receiver, 4)
        burst = Burst(channel, ids, [b"x"] * len(ids), form, extra)
        if where:
            burst = Burst(where, ids, [b"x"] * len(ids))
        return Proposal(origin, 0, ProposalKind.LINES, burst)

    def amend(self, origin: int) -> Proposal:
        """Of a message that was looked up a while ago, or now; mostly one of the person's own."""
        session = self.state.session_at(("", self.epoch, origin))
        person, id = (session.person, session.confirmed) if session is not None else (0, 0)
        self.ids[origin] = id = id + self.random.choice([0, 1, 1, 2])
        own = [seq for seq, author in self.said[-40:] if author == person][-3:]
        seq = self.random.choice(own or [1]) if self.random.random() < 0.8 else self.random.randint(1, 99)
        found = message_at(self.history, seq)
        self.looked = [*self.looked[-5:], found]
        stale = [one for one in self.looked if one[0] is not None and one[0].person == person]
        message, edit = self.random.choice([*self.looked, *stale, *stale[-1:], found, found])
        form = self.random.choice([Form.EDIT, Form.EDIT, Form.EDIT, Form.DELETE, Form.REACT])
        text = b"" if form is Form.DELETE else f"new {id}".encode()
        body = Amend(id, "#any", form, message, text, edit)
        return Proposal(origin, 0, ProposalKind.AMEND, body)

    def secret(self) -> str:
        return self.random.choice(["s", "t"])

    def own(self) -> Own:
        owned = [name for name in NAMES if self.state.account_named(name.lower())]
        name = self.random.choice([*owned, ""] if self.random.random() < 0.9 else [*NAMES])
        until = self.time + self.random.choice([-1, 500, 5000, 5000])
        return Own(name, name.lower(), NAMES.get(name, ()), self.random.choice(["", "s", "t", "t"]), until)

    def may(self, origin: int, act: Act) -> bool:
        """Whether the member with this connection has the role for the act."""
        session = self.state.session_at(("", self.epoch, origin))
        if session is None:
            return False
        command, channel = ACTS[act.command], self.state.channel(act.channel)
        place = channel.place if command.where is not Where.CHATROOM and channel else WHOLE_CHATROOM
        return self.state.role(session.person, place) >= command.needs

    def act(self, origin: int, command: str = "") -> Act:
        others = [
            *(name for name in ACTS if name not in ACCOUNT_ACTS),
            "/join",
            "/set",
            "/invite",
            *_LISTS,
            "/unmute",
        ]
        of_accounts = [*ACCOUNT_ACTS, *MODERATION_ACTS, *SPEECH_ACTS]
        of_accounts += ["/owner", "/owner", "/code"]  # the code must not be old
        others += ["/erase"] * 3  # owners are rare
        command = command or self.random.choice(of_accounts if self.random.random() < 0.5 else others)
        channel = f"#{self.random.choice('aaabcd')}"
        session = self.state._here.get(("", self.epoch, origin))
        places = self.state.members[session.person].places if session else {}
        if places and self.random.random() < 0.8:
            channel = self.random.choice(sorted(places))
        if ACTS[command].where is Where.PLACE and self.random.random() < 0.3:
            channel = EVERYWHERE
        if (aimed := self.aimed(command)) is not None and self.random.random() < 0.8:
            return aimed
        if command in (*MODERATION_ACTS, "/mute", "/unmute") and self.random.random() < 0.9:
            return Act(command, channel, self.moderation(command))
        if (make := self.of_channels.get(command)) is not None and self.random.random() < 0.9:
            return Act(command, channel, make())
        if command == "/nick":
            name = self.random.choice([*NAMES])
            return Act(command, channel, (name, name.lower(), " ".join(NAMES[name])))
        if command == "/direct":
            return Act(command, channel, (self.random.choice(["all", "shared", "nobody", "friends"]),))
        if ACTS[command].where is Where.PLACE:
            channel = self.bodies.place(channel)
        act = Act(command, channel, self.bodies.arguments(ACTS[command], self.time))
        return self.bodies.odd(act) if self.random.random() < 0.1 else act

    def moderation(self, command: str) -> tuple[str | int, ...]:
        """Arguments of an act of moderation; what is to be taken back was mostly done before."""
        choice, name = self.random.choice, self.random.choice([*NAMES])
        whos = [
            *(Who(f"name {name.lower()}", name), Who(f"from {name.lower()}", f"+{name}")),
            *(
                Who("net 2001:db8::/64", "2001:db8::/64"),
                Who("net 2.0.0.0/8", "2.0.0.0/8"),
                Who("odd", "odd"),
            ),
        ]
        if command in _TAKING:
            return choice(whos)
        if command in _PUTTING:
            return (*choice(whos), choice([0, 0, 1]), choice(["", "why"]))
        return (name.lower(), "why") if command == "/kick" else (name.lower(),)

    def aimed(self, command: str) -> Act | None:
        """An act about somebody whom it can be about, if there is one: by chance it would be too rare."""
        state, found = self.state, list[Act]()
        if command == "/unignore":
            persons = {other for person in state.members for other, _ in state._people.ignored(person)}
            found = [Act(command, "#a", (person,)) for person in sorted(persons)]
        elif command == "/recover":
            keys = sorted(state._accounts._by_key)
            found = [Act(command, "#a", (key, self.secret(), self.secret())) for key in keys]
        elif command == "/code":
            keys = sorted(state._accounts._by_key)
            found = [Act(command, "#a", (key, self.secret(), self.time + 100)) for key in keys]
        elif command == "/erase":
            members = sorted(state.members.values(), key=lambda one: one.person)
            persons = [(one.person, one.name_key) for one in (*state._accounts._by_key.values(), *members)]
            found = [
                Act(command, "#a", (key,)) for person, key in persons if state.role(person, 0) < Role.OPERATOR
            ]
        elif command == "/transfer":
            for channel in sorted(state.channels, key=lambda one: one.name):
                others = [
                    one for one in sorted(channel.members) if state.role(one, channel.place) < Role.OWNER
                ]
                found += [Act(command, channel.name, (state.members[one].name_key,)) for one in others]
        elif command in ("/vote", "/reveal"):
            polls = [one.name for one in state.channels if state.classroom.poll(one.place)]
            arguments = (self.random.choice([1, 2]), "") if command == "/vote" else ()
            found = [Act(command, name, arguments) for name in sorted(polls)]
        elif command in _LISTS:
            for record in sorted(record.key for record in state._rights.records()):
                place, list_name, person = record.split(" ", 2)
                if not person.isdecimal():
                    continue
                at, named = state.channel_at(int(place)), state.members.get(int(person))
                owner = named or state.account_of(int(person))
                if at is not None and owner is not None and list_name == _LISTS[command]:
                    found.append(Act(command, at.name, (owner.name_key,)))
        elif command in (*_TAKING, "/deop"):
            for place, name in ((0, EVERYWHERE), *((one.place, one.name) for one in state.channels)):
                for one in state.listed(place, _TAKING.get(command, Role.OPERATOR)):
                    called = state.name_of(one.whom).lower() if isinstance(one.whom, int) else ""
                    who = Who(f"name {called}" if called else str(one.whom), one.typed or called or "x")
                    found.append(Act(command, name, (called,) if command == "/deop" else who))
        elif command in ("/kick", "/mute"):
            for channel in state.channels:
                low = [one for one in channel.members if state.role(one, channel.place) < Role.OPERATOR]
                for key in [state.members[one].name_key for one in low]:
                    whom = (key, "why") if command == "/kick" else (f"name {key}", key, 0, "why")
                    found.append(Act(command, channel.name, whom))
        return self.random.choice(found) if found else None

    @property
    def of_channels(self) -> dict[str, Callable[[], tuple[str | int, ...]]]:
        """Arguments of acts that no other act has."""
        choice = self.random.choice
        values = {name: (one.off, one.on) for name, one in SWITCHES.items()} | {"key": ("off", "s", "t")}
        return {
            "/join": lambda: (f"#{choice('abcd')}", choice(["", "s", "t"])),
            "/move": lambda: (f"#{choice('abcdef')}",),
            "/set": lambda: (name := choice([*values]), choice(values[name])),
            "/slow": lambda: (choice([0, 1, 30]),),
            "/hush": lambda: (choice(["on", "off"]),),
            "/topic": lambda: (choice(["", "tea"]),),
            "/leave": lambda: ("",),
            "/hand": lambda: (choice([0, 1, 1, 1]),),
            "/poll": lambda: (choice(["q | a | b", "q | a | b", "q | a", "q | a | b | c"]),),
            "/vote": lambda: (choice([1, 1, 2, 2, 3]), ""),
            "/guard": lambda: (
                choice(["off", "off", "newcomers", "newcomers", "accounts", "invited"]),
                choice([0, 1, 2]),
            ),
        }

    # --- judging --------------------------------------------------------------------------------------------

    def round(self, entries: list[list[Proposal]], epoch: int) -> None:
        """Apply entries to the state and to a restored one; store them, and judge what followed."""
        self.epoch = epoch
        again = self.restored()
        happened: list[Any] = []
        records, packets, erased = [], dict[int, bytes](), dict[int, int]()
        for proposals in entries:
            self.time += self.random.choice([0, 0, 0, 1, 2, 3, 5, 40]) if self.random.random() < 0.98 else -50
            entry = Entry(b"", self.time, "", self.epoch, proposals)
            self.entries.append(entry)
            is_silent = len(proposals) == 1 and self.is_muted(proposals[0])
            applied, other = self.state.apply(entry), again.apply(entry)
            assert (other.happened, other.effects) == (applied.happened, applied.effects)
            assert (other.amended, other.erased) == (applied.amended, applied.erased)
            assert sorted(other.records) == sorted(applied.records)
            if len(proposals) == 1:
                self.judge_refusal(proposals[0].body, applied)
                self.judge_vote(proposals[0].body, applied)
                self.judge_bans(proposals[0].body, applied)
                assert not (is_silent and applied.happened), "who is muted has said something"
            self.carry_out(applied)
            happened += applied.happened
            records += applied.records
            packets |= {event.seq: encode_event(event) for event in applied.amended}
            erased |= applied.erased
            for event in events(applied):
                self.hear(event)
        noted = self.state.noted
        self.history.append(Batch(happened).blocks(noted), records, b"", noted, packets, erased)
        self.amended += len(packets)
        self.erased |= erased
        if packets or erased:
            self.judge_messages()
        self.judge_records()
        self.judge()
        if self.random.random() < 0.2:
            self.state = again

    def judge_records(self) -> None:
        """What is stored is what the state knows; what was said last it hears again."""
        stored, known = self.history.restore(), self.state.records()
        assert self.restored().records() == known
        late = {"session", "member"} if stored.talkers else set[str]()
        assert [one for one in sorted(stored.records) if one.kind not in late] == [
            one for one in known if one.kind not in late
        ]

    def restored(self) -> State:
        stored, state = self.history.restore(), State(LIMITS)
        self.random.shuffle(stored.records)
        state.restore(stored.head, stored.records, stored.talkers)
        return state

    def carry_out(self, applied: Applied) -> None:
        for effect in applied.effects:
            match effect:
                case NameAnswer(origin=origin, outcome=outcome) if outcome.code is Code.OK:
                    for session in self.state._sessions.all.values():
                        if session.coming == origin:  # else it has ended within this entry
                            self.coming[origin[2]] = session.key
                            self.keys.append(session.key)
                case End(origin=origin) | Gone(origin=origin):
                    self.here.discard(origin[2])
                    self.coming.pop(origin[2], None)
                case Answer(origin=origin, command=command, outcome=outcome) if command:
                    self.codes.setdefault(command, set()).add(outcome.code)
                    if (command, outcome.code) == ("/unregister", Code.OK):
                        self.unregistered.add(self.persons[origin])
                case Admit(origin=origin, person=person):
                    self.persons[origin] = person

    def hear(self, event: Event) -> None:
        """JOINED comes only of who was out, LEFT and QUIT only of who was in."""
        one = (event.person, event.place)
        if event.kind is EventKind.SAID:
            self.said.append((event.seq, event.person))
        if event.kind is EventKind.JOINED:
            assert one not in self.present and event.place not in self.counted
            self.present.add(one)
        elif event.kind is EventKind.LEFT:
            assert one in self.present and event.place not in self.counted
            self.present.remove(one)
        elif event.kind is EventKind.KICKED:
            rows = extra_rows(event.extra)
            kicked = int.from_bytes(rows[Extra.TARGET], "big"), event.place
            assert event.place in self.counted or kicked in self.present or self.is_out(kicked[0])
            self.present.discard(kicked)
        elif event.kind is EventKind.QUIT:
            assert self.counted.isdisjoint(event.places)
            assert {(event.person, place) for place in event.places} <= self.present
            self.present = {other for other in self.present if other[0] != event.person}
        elif event.kind is EventKind.CLOSED:
            self.present = {other for other in self.present if other[1] != event.place}
        elif event.kind is EventKind.SET and event.extra == SET_COUNTED:
            self.counted.add(event.place)

    def is_out(self, person: int) -> bool:
        """Whether it is an account whose owner may be out: to the others it has left with QUIT."""
        return self.state.account_of(person) is not None

    def is_muted(self, proposal: Proposal) -> bool:
        """Whether it comes from somebody who may say nothing in the channel for which it is."""
        state, body = self.state, proposal.body
        session = state.session_at(("", self.epoch, proposal.origin))
        if session is None or not isinstance(body, Burst):
            return False
        member = state.members[session.person]
        place = member.places.get(body.channel)
        if place is None:
            return False
        mute = state._rights.hits(MUTE_LIST, place, member.person, member.name_key, session.network)
        return mute is not None and (not mute.until or self.time < mute.until)

    def judge_bans(self, body: Body, applied: Applied) -> None:
        """Whom a ban hits does not join; sooner or later nobody is in whom that of a network hits."""
        state = self.state
        for event in events(applied):
            if event.kind is EventKind.JOINED:
                assert state._rights.hits(BAN_LIST, event.place, event.person, "", "") is None
        codes = [one.outcome.code for one in applied.effects if isinstance(one, Answer)]
        if not isinstance(body, Act) or body.command != "/ban" or codes != [Code.OK]:
            return
        channel = state.channel(body.channel)
        place = channel.place if channel is not None else 0
        pending = {int(record.key) for record in state._moderation.records()}
        if str(body.arguments[0]).startswith(("net", "from")) and place not in pending:
            for person in state._moderation._persons(place):
                assert place == 0 or state._moderation._banned(place, person) is None
                member = state.members.get(person)
                for one in member.sessions.values() if member is not None and place == 0 else ():
                    assert not state._rights.hits(BAN_LIST, 0, person, one.name_key, one.network)

    def judge_messages(self) -> None:
        """A message and its latest EDITED have the latest text, and nothing is left of what was before."""
        stored = flat(self.history.read(0, range(self.state._ledger.places + 1), 10**9).blocks)
        assert [blank(event, self.erased) for event in stored] == stored  # also what was amended later
        said = {event.seq: event for event in stored if event.kind is EventKind.SAID}
        for event in said.values():
            edited, deleted = (extra_number(event.extra, key) for key in (Extra.EDITED, Extra.DELETED))
            assert (event.text == "") == (deleted > 0) and not (edited and deleted)
            assert event.text.startswith("new" if edited else "" if deleted else "x")
        for event in stored:
            if event.kind in (EventKind.EDITED, EventKind.DELETED):
                message = said[extra_number(event.extra, Extra.MESSAGE)]
                is_latest = extra_number(message.extra, Extra.EDITED) == event.seq
                assert event.text == (message.text if is_latest else ""), (event, message)
                assert event.place == message.place

    def judge_refusal(self, body: Body, applied: Applied) -> None:
        """What is refused changes nothing."""
        for effect in applied.effects:
            if isinstance(effect, Answer) and effect.command and effect.outcome.code is not Code.OK:
                assert not applied.happened
                assert [record for record in applied.records if record.kind != "session"] == [], body

    def judge_vote(self, body: Body, applied: Applied) -> None:
        """Of a vote only the voter is told anything."""
        if isinstance(body, Act) and body.command == "/vote":
            assert not applied.happened and len(applied.effects) <= 1

    def judge_classes(self) -> None:
        """Hands and turns are those of members that are in; votes of persons whose stays are remembered."""
        channels, classroom = self.state._channels, self.state.classroom
        assert classroom._all.keys() <= channels.all.keys()
        assert self.state._rights._turns.keys() <= classroom._all.keys()
        for place, one in classroom._all.items():
            present = channels.all[place].members
            assert one.hands.keys() <= present.keys() and sorted(one.hands.values()) == [*one.hands.values()]
            turn = classroom.turn(place)
            assert not turn or (turn in present and self.state.role(turn, place) >= Role.VOICE)
            assert one.hands or one.poll or turn
            assert not one.votes or one.poll
            assert all(place in channels._memberships[person] for person in one.votes)
            assert one.out.keys() == {person for person in one.votes if not channels.is_in(person, place)}
            assert len(one.hands) <= LIMITS.hands and len(one.votes) <= LIMITS.votes

    def judge_erased(self) -> None:
        """Nobody is a person that was erased, and nothing is kept of it but that."""
        state = self.state
        for person in self.erased:
            assert not state._sessions.knows(person) and state.role(person, 0) is Role.MEMBER
            assert not state.channels_of(person) and not state._channels.places_of(person)
            assert not any(person in (*one.members, *one.absent) for one in state.channels)
            assert person not in state._people._settings and person not in state._people._ignoring
            assert all(one.gone for one in state.conversations_of(person))

    def judge_channels(self) -> None:
        state, accounts = self.state, self.state._accounts
        stays = {
            (member.person, place) for member in state.members.values() for place in member.places.values()
        }
        assert {one for one in self.present if one[1] not in self.counted} == {
            one for one in stays if one[1] not in self.counted
        }
        channels = state._channels.all
        assert stays == {(person, place) for place, one in channels.items() for person in one.members}
        for place, channel in channels.items():
            assert state.channel(channel.name) is channel and channel.counted == (place in self.counted)
            assert channel.absent.keys().isdisjoint(state.members)
            assert all(accounts.of(person) for person in channel.absent)
            lasts = channel.kept or state._rights.owners(place)
            assert channel.members or channel.absent or lasts, channel
        for member in state.members.values():
            assert all(channels[place].name == name for name, place in member.places.items())
            assert len(member.places) <= LIMITS.channels
        places = {int(record.key.split()[0]) for record in state.records() if record.kind == "listed"}
        assert places <= {0, *channels}

    def judge(self) -> None:
        """What holds in every state."""
        state, names = self.state, dict[str, set[int]]()
        self.judge_erased()
        sessions = list(state._sessions.all.values())
        for session in sessions:
            holder = state._holders.of(session)
            assert (holder is None) == (session.phase is Phase.ABSENT)
            if holder is None:
                continue
            assert holder.person == session.person and holder.sessions[session.key] is session
            assert (holder.name, holder.name_key) == (session.name, session.name_key)
            assert holder.skeletons == session.skeletons
            names.setdefault(session.name_key, set()).add(session.person or -1)
            owner = state.account_named(session.name_key)
            assert owner is None or owner.person == session.person
            own = state.account_of(session.person)
            keeps = session.person in self.unregistered  # although another owner's name looks like its own
            if not keeps and (own is None or own.name_key != session.name_key):
                alike = state._accounts.alike(session.skeletons)
                assert all(account.person == session.person for account in alike)
            if session.person:
                assert session in state.sessions_of(session.person)
        assert all(len(persons) == 1 for persons in names.values())
        for person, member in state.members.items():
            phases = {one.key: one.phase for one in sessions if one.person == person}
            assert set(member.sessions) == {
                key for key, phase in phases.items() if phase in (Phase.HERE, Phase.LOST)
            }
            assert member.sessions and len(state._holders.of_person(person).sessions) <= LIMITS.programs
        assert {one.person for one in sessions if one.phase in (Phase.HERE, Phase.LOST)} == set(state.members)
        assert state._here == {one.at: one for one in sessions if one.phase is Phase.HERE}
        self.judge_channels()
        self.judge_classes()
        for conversation in state._conversations.all.values():
            known = [state._sessions.knows(person) for person in conversation.persons]
            assert any(known) and all(known) != bool(conversation.gone)
            for person in conversation.persons:
                assert conversation in state.conversations_of(person)
        for account in (state._accounts._by_key).values():
            assert len(account.secrets("device")) <= LIMITS.devices
