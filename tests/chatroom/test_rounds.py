"""Rounds in which members enter and leave places while others talk: each connection gets what concerns it."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatroom.events import Event, EventKind
from chatroom.limits import MAX_SESSIONS_OF_PERSON
from chatroom.packets import Channel
from chatroom.proposals import Act, Proposal, ProposalKind
from tests.chatroom.fakes import FakeConnection
from tests.chatroom.test_forwarder import Room

NAMES = ("ann", "bob", "carl")
CHANNELS = ("#one", "#two", "#three")
PEOPLE, PLACES = st.integers(0, len(NAMES)), st.sampled_from(CHANNELS)
STEPS = st.one_of(
    st.tuples(st.just("join"), PEOPLE, PLACES),
    st.tuples(st.just("leave"), PEOPLE, PLACES),
    st.tuples(st.just("close"), PEOPLE, PLACES),
    st.tuples(st.just("say"), PEOPLE, PLACES),
    st.tuples(st.just("program"), PEOPLE, PLACES),
)


class Storm(Room):
    """Members that act at random. ann has an account, and perhaps several programs."""

    def __init__(self) -> None:
        self.people: list[FakeConnection] = []
        # The places of which each has all from its head up to a seq; None: it is not live yet.
        self.at_once: list[tuple[set[int], int] | None] = [(set(), 0) for _ in range(len(NAMES) + 1)]
        super().__init__()
        self.people = [self.enter(name) for name in NAMES]
        self.act(self.people[0], "/register", "secret")
        self.people.append(self.enter("ann", proof="secret"))
        self.heads = [self.forwarder.state.head] * 4  # the latest event before each connection looks
        self.known = [len(connection.events()) for connection in self.people]
        self.ids = 0

    def step(self, what: str, who: int, channel: str) -> None:
        connection = self.people[who]
        self.ids += 1
        if what == "say":
            self.say(connection, self.ids, channel=channel)
        elif what == "program":
            if len(self.people) > MAX_SESSIONS_OF_PERSON:  # one more would end one of the others
                return
            fresh = self.join(self.reserve("ann", proof="secret"), channel)
            self.people.append(fresh)
            self.heads.append(-1)
            self.known.append(0)
            self.at_once.append(None)
        else:
            arguments = (channel, "") if what == "join" else ("",)
            act = Act(f"/{what}", channel, arguments)
            self.order.put(Proposal(self.origins[connection], self.ids, ProposalKind.ACT, act))

    def forward(self) -> None:
        """One round. Who comes in it may read what is said in the places that its person has at its end."""
        super().forward()
        for index, connection in enumerate(self.people):
            seat = self.seat(connection)
            if self.at_once[index] is None and seat is not None and seat.places:
                self.at_once[index] = set(seat.places), self.forwarder.state.head


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=8), max_size=6))
@example([[("program", 0, "#one"), ("leave", 0, "#one"), ("join", 1, "#one"), ("join", 0, "#one")]])
def test_each_connection_gets_what_concerns_it(rounds: list[list[tuple[str, int, str]]]) -> None:
    """Whatever stands together in a round: from the own JOINED to the own LEFT or CLOSED, each event once."""
    storm = Storm()
    for steps in rounds:
        for step in steps:
            storm.step(*step)
        storm.settle()
    for index, connection in enumerate(storm.people):
        person = storm.seat(connection)
        assert person is not None and connection.ended is None
        got = [event.seq for event in connection.events()[storm.known[index] :]]
        head = storm.heads[index]
        if head < 0:  # it came later: what it gets begins somewhere
            head = got[0] - 1 if got else storm.forwarder.state.head
        assert got == [event.seq for event in of_interest(storm, index, person.person, head)]
        described = [one for one in connection.packets if isinstance(one, Channel)]
        assert len(described) >= 1


def of_interest(storm: Storm, index: int, person: int, head: int) -> list[Event]:
    """What a connection of a person gets after the event `head`: by the events alone."""
    places, found = set[int](), list[Event]()
    first, until = storm.at_once[index] or (set(), 0)
    for event in storm.history.log:
        own = event.person == person
        if event.kind is EventKind.JOINED and own:
            places.add(event.place)
        wanted = places | first if event.seq <= until else places
        if event.seq > head and not wanted.isdisjoint(event.places or (event.place,)):
            found.append(event)
        if (event.kind is EventKind.LEFT and own) or event.kind is EventKind.CLOSED:
            places.discard(event.place)
    return found
