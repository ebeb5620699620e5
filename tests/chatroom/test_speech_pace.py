"""The pace of speech: who has said how much when, as long as it matters, bounded, and restored as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatroom.bounds import Limits
from chatroom.ledger import Ledger
from chatroom.records import Record
from chatroom.speech_pace import SpeechPace

LIMITS = Limits(paced=5, paced_of_person=2, ends_per_tick=2)


class Paced:
    """A pace with a ledger, and what is stored of it."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.ledger, self.limits = Ledger(), limits
        self.pace = SpeechPace(self.ledger, limits)
        self.stored: dict[str, Record] = {}

    def at(self, time: int) -> SpeechPace:
        """It at another time; what has changed is stored."""
        self.store()
        self.ledger.time = time
        return self.pace

    def store(self) -> None:
        for record in self.ledger.take().records:
            self.stored[record.key] = record

    def restored(self) -> Paced:
        """Another one, made of what is stored."""
        self.store()
        other = Paced(self.limits)
        other.ledger.time = self.ledger.time
        for record in sorted(one for one in self.stored.values() if one.value is not None):
            other.pace.restore(record)
        return other


def test_one_line_in_a_period() -> None:
    """Who has spoken may speak again when the period is over, to the millisecond; elsewhere, at once."""
    paced = Paced()
    pace = paced.at(1000)
    assert pace.left(1, 7, 1, 500) == 1 and pace.again(1, 7, 1, 500) == 0
    pace.take(1, 7, 1, 1, 500)
    assert pace.left(1, 7, 1, 500) == 0 and pace.again(1, 7, 1, 500) == 1500
    assert pace.left(1, 8, 1, 500) == pace.left(2, 7, 1, 500) == pace.left(1, 7, 1, 500, "ask") == 1
    assert paced.at(1499).left(1, 7, 1, 500) == 0
    assert paced.at(1500).left(1, 7, 1, 500) == 1


def test_several_lines_in_a_period() -> None:
    """Of five in a minute, the sixth waits for the first to be a minute old."""
    paced = Paced()
    paced.at(0).take(1, 0, 2, 5, 60_000)
    paced.at(10_000).take(1, 0, 3, 5, 60_000)
    assert paced.pace.left(1, 0, 5, 60_000) == 0 and paced.pace.again(1, 0, 5, 60_000) == 60_000
    assert paced.at(60_000).left(1, 0, 5, 60_000) == 2
    assert paced.pace.left(1, 0, 0, 60_000) == 0


def test_a_clock_that_was_ahead() -> None:
    """What seems to be said in the future keeps nobody silent."""
    paced = Paced()
    paced.at(10**9).take(1, 7, 1, 1, 500)
    assert paced.at(1000).left(1, 7, 1, 500) == 1
    paced.pace.take(1, 7, 1, 1, 500)
    assert paced.pace.left(1, 7, 1, 500) == 0 and paced.at(1500).left(1, 7, 1, 500) == 1


def test_ticks_forget() -> None:
    """Ticks forget what is over, so many at once, the earliest first; and nothing else."""
    paced = Paced(Limits(ends_per_tick=2))
    for person in (3, 1, 2):
        paced.at(person).take(person, 7, 1, 1, 100)
    paced.at(50).take(1, 7, 1, 1, 100)  # this one ends later now
    paced.at(101).end_expired()
    assert [record.key for record in paced.pace.records()] == ["3 7", "1 7", "2 7"]
    paced.at(103).end_expired()
    assert [record.key for record in paced.pace.records()] == ["1 7"]
    paced.at(150).end_expired()
    assert paced.pace.records() == [] and paced.restored().pace.records() == []


def test_bounds() -> None:
    """A person has so many entries and all have so many. Of one, those that end first give way; in sum, those
    that end last: who fills this by slow channels of an hour does not make others fast."""
    paced = Paced()
    for place in range(1, 6):
        paced.at(place).take(1, place, 1, 1, 100)
    assert [record.key for record in paced.pace.records()] == ["1 4", "1 5"]
    for person in range(2, 9):
        paced.at(10 + person).take(person, 1, 1, 1, 100 if person % 2 else 10**6)
    assert {record.key for record in paced.pace.records()} == {"1 4", "1 5", "3 1", "5 1", "7 1"}


def test_who_is_forgotten() -> None:
    """Of a person that nobody is any more nothing is kept."""
    paced = Paced()
    paced.at(1).take(1, 7, 1, 1, 100), paced.pace.take(1, 0, 1, 1, 100, "ask")
    paced.pace.take(2, 7, 1, 1, 100)
    paced.pace.forget(1)
    assert [record.key for record in paced.restored().pace.records()] == ["2 7"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "tick", "forget", "restore"]),
        st.integers(1, 4),
        st.integers(0, 3),
        st.integers(1, 3),
        st.sampled_from([10, 50]),
        st.integers(-5, 30),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_is_said_restores_equal(steps: list[tuple[str, int, int, int, int, int]]) -> None:
    """A restored pace goes on as the old one, and the bounds hold; the heap does not grow without end."""
    one, time = Paced(), 100
    for what, person, place, number, period, passed in steps:
        time = max(1, time + passed)
        other = one.restored()
        for each in (one, other):
            pace = each.at(time)
            if what == "take":
                pace.take(person, place, number, number, period)
            elif what == "tick":
                pace.end_expired()
            elif what == "forget":
                pace.forget(person)
        assert sorted(other.pace.records()) == sorted(one.pace.records())
        assert sorted(one.restored().pace.records()) == sorted(one.pace.records())
        assert len(one.pace.records()) <= LIMITS.paced
        assert all(len(places) <= LIMITS.paced_of_person for places in one.pace._of_person.values())
        assert len(one.pace._ending) <= 2 * LIMITS.paced + 64 + 1
        left = one.pace.left(person, place, number, period)
        again = one.pace.again(person, place, number, period)
        assert 0 <= left <= number and (left == 0) == (again > time)
