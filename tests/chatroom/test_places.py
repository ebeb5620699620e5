"""Places: one rule says which events somebody gets, live, in a replay and afterwards."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.events import Event, EventKind, Setting
from chatroom.limits import MAX_NUMBER
from chatroom.places import (
    WHOLE_CHATROOM,
    Channel,
    Member,
    Membership,
    Reach,
    restore_channel,
    restore_membership,
)
from chatroom.records import Record
from chatroom.session import Phase, Session
from tests.support.blocks import reaches
from tests.support.events import NOON, said


def quit(seq: int, *places: int) -> Event:
    return Event(seq, NOON, EventKind.QUIT, "", "ann", "", 0, 1, WHOLE_CHATROOM, b"", places)


def test_an_interval_has_its_end_and_not_its_beginning() -> None:
    """The first seq of an interval was seen before; the last one still belongs to it."""
    reach = Reach({1: [(3, 5)]})
    assert [seq for seq in range(1, 9) if reaches(reach, said(seq))] == [4, 5]
    assert not reaches(reach, said(4, place=2)) and list(reach.places) == [1]


def test_several_intervals_of_one_place() -> None:
    """Who left and came back gets both stays, and not what was said in between."""
    reach = Reach({1: [(0, 2), (5, MAX_NUMBER)]})
    assert [seq for seq in range(1, 9) if reaches(reach, said(seq))] == [1, 2, 6, 7, 8]


def test_an_event_of_several_places() -> None:
    """An event of several places belongs to each of them, and not to the whole chatroom."""
    assert reaches(Reach({2: [(0, 9)]}), quit(4, 1, 2))
    assert not reaches(Reach({2: [(4, 9)]}), quit(4, 1, 2))
    assert not reaches(Reach({WHOLE_CHATROOM: [(0, 9)], 3: [(0, 9)]}), quit(4, 1, 2))


SEQS = st.integers(0, 12)
INTERVALS = st.dictionaries(st.integers(0, 3), st.lists(st.tuples(SEQS, SEQS), max_size=3))


@given(INTERVALS, st.dictionaries(st.integers(0, 3), SEQS))
def test_the_later_part(intervals: dict[int, list[tuple[int, int]]], starts: dict[int, int]) -> None:
    """later() is what is within reach and after the place's start; places without a start are left out."""
    reach = Reach(intervals)
    later = reach.later(starts)
    for place in range(4):
        for seq in range(14):
            event = said(seq, place=place)
            assert reaches(later, event) == (
                place in starts and seq > starts[place] and reaches(reach, event)
            )


@example({1: [(0, 5)], 2: [(3, 9)]}, {1, 2}, 0, 12)
@example({1: [(0, 9)], 2: [(3, 5), (9, 11)]}, {1, 2}, 2, 10)
@given(INTERVALS, st.sets(st.integers(0, 4), max_size=3), SEQS, SEQS)
def test_the_parts_that_are_within(
    intervals: dict[int, list[tuple[int, int]]], places: set[int], after: int, until: int
) -> None:
    """within() gives the seqs of some places as intervals in order that neither touch nor are empty."""
    found = Reach(intervals).within(places, after, until)
    wanted = {
        seq
        for place in places
        for begin, end in intervals.get(place, ())
        for seq in range(max(begin, after) + 1, min(end, until) + 1)
    }
    assert {seq for begin, end in found for seq in range(begin + 1, end + 1)} == wanted
    assert all(begin < end for begin, end in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))


class Stay:
    """A membership and what it should give: for each seq whether the person was in."""

    def __init__(self) -> None:
        self.membership = Membership(1, 2)
        self.was_in: list[bool] = [False]  # by seq

    def step(self, wanted: bool) -> None:
        """The next event: joining or leaving if that is a change, else somebody's line."""
        seq, is_in = len(self.was_in), self.membership.present
        if wanted and not is_in:
            self.membership.join(seq - 1, 100)
        elif is_in and not wanted:
            self.membership.leave(seq)
        self.was_in.append(wanted or is_in)  # who leaves gets the event of leaving


@given(st.lists(st.booleans(), max_size=15), st.integers(0, 16))
def test_what_a_membership_gives(wanted: list[bool], since: int) -> None:
    """Who is in gets all after `since`, also what was said meanwhile; who is out, what was said while in."""
    stay = Stay()
    for one in wanted:
        stay.step(one)
    reach = Reach({2: stay.membership.since(since)})
    for seq, was_in in enumerate(stay.was_in):
        assert reaches(reach, said(seq, place=2)) == (seq > since and (was_in or stay.membership.present))
    assert reaches(reach, said(len(wanted) + 20, place=2)) == stay.membership.present


def test_only_the_latest_stays_are_kept() -> None:
    """Who comes and goes for ever needs no more room than so many stays."""
    membership = Membership(1, 2)
    for seq in range(1, 11, 2):
        membership.join(seq - 1, 3)
        membership.leave(seq + 1)
    assert membership.intervals == [(4, 6), (6, 8), (8, 10)]


@given(st.lists(st.booleans(), max_size=10))
def test_a_membership_is_restored(wanted: list[bool]) -> None:
    """The record of a membership gives the same membership."""
    stay = Stay()
    for one in wanted:
        stay.step(one)
    restored = restore_membership(stay.membership.record())
    assert restored == stay.membership and restored.present == stay.membership.present


def test_a_stay_that_goes_on_is_stored_without_an_end() -> None:
    """The record of a stay that goes on has null for its end, and no number that means for ever."""
    membership = Membership(7, 2)
    membership.join(3, 3)
    assert membership.record() == ("membership", "7 2", '{"intervals":[[3,null]]}')


def test_a_channel_is_restored() -> None:
    """The record of a channel gives the channel without its members: memberships have those."""
    fields = (3, "#straße", NOON, 7, "192.0.2.7", True, 1200, "tea", "ann", NOON, "secret", True, True, True)
    channel = Channel(*fields, kept=True, members={7: None}, absent={8: None})
    assert restore_channel(channel.record()) == Channel(*fields, kept=True)


def test_a_channel_of_an_older_file_is_kept() -> None:
    """When no channel could end, nobody expected that one would; what was not stored is as it was."""
    record = Record("channel", "3", '{"name":"#tea","founded":5,"by":7}')
    assert restore_channel(record) == Channel(3, "#tea", 5, 7, kept=True)


def test_the_settings_of_a_channel() -> None:
    """CHANNEL has one bit for each setting that is set; of the key only whether there is one."""
    for field, setting in (
        ("counted", Setting.COUNTED),
        ("key", Setting.KEYED),
        ("invite_only", Setting.INVITE_ONLY),
        ("moderated", Setting.MODERATED),
        ("from_joining", Setting.FROM_JOINING),
        ("kept", Setting.KEPT),
    ):
        channel = Channel(3, "#tea", 5, 7)
        setattr(channel, field, "secret" if field == "key" else True)
        assert channel.settings is setting and "secret" not in repr(channel)
    assert Channel(3, "#tea", 5, 7).settings == 0


@given(st.lists(st.booleans(), max_size=15), st.integers(0, 16))
def test_who_may_read_only_from_joining(wanted: list[bool], since: int) -> None:
    """With `history joined`, who is in gets what was said while they were in, and nothing else."""
    stay = Stay()
    for one in wanted:
        stay.step(one)
    reach = Reach({2: stay.membership.since(since, True)})
    for seq, was_in in enumerate(stay.was_in):
        assert reaches(reach, said(seq, place=2)) == (seq > since and was_in)
    assert reaches(reach, said(len(wanted) + 20, place=2)) == stay.membership.present


def test_a_members_record() -> None:
    """The record of a member has under its person its name, since when it is here, and why it is away."""
    member = Member(5, "Ann", "ann", NOON, {}, {"#general": 1})
    assert member.record() == ("member", "5", f'{{"name": "Ann", "since": {NOON}, "away": ""}}')


def test_a_member_is_lost_with_all_its_sessions() -> None:
    """A member with several sessions is here while one of them is; those are in order of their keys."""
    member = Member(5, "Ann", "ann", NOON)
    for key, phase in (("b", Phase.HERE), ("c", Phase.LOST), ("a", Phase.HERE)):
        member.sessions[key] = Session(key, 5, "Ann", "ann", "", phase, 0)
    assert member.phase is Phase.HERE and [session.key for session in member.here] == ["a", "b"]
    for session in member.here:
        session.phase = Phase.LOST
    assert member.phase is Phase.LOST and member.here == []
