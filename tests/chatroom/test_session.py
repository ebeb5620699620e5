"""Sessions: their keys and their records. The table of phases is tested in test_state.py."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chatroom.records import Record
from chatroom.session import Agenda, Phase, Ranking, Session, restore_session, session_key

NUMBERS = st.integers(0, 2**63 - 1)
ORIGINS = st.none() | st.tuples(st.text(max_size=5), NUMBERS, NUMBERS)
SESSIONS = st.builds(
    Session,
    st.text(max_size=5),
    NUMBERS,
    st.text(max_size=5),
    st.text(max_size=5),
    st.text(max_size=5),
    st.sampled_from(Phase),
    NUMBERS,
    ORIGINS,
    ORIGINS,
    NUMBERS,
    NUMBERS,
    st.text(max_size=5),
    st.lists(st.text(max_size=5), max_size=2).map(tuple),
    NUMBERS,
    st.text(max_size=5),
)


def test_the_key_tells_sessions_apart_and_gives_none_away() -> None:
    """Equal tokens have equal keys, other tokens other keys, and no key contains its token."""
    token = bytes(range(16))
    assert session_key(token) == session_key(bytes(range(16)))
    assert session_key(token) != session_key(bytes(range(1, 17)))
    assert len(session_key(token)) == 32 and token.hex() not in session_key(token)


@given(SESSIONS)
def test_a_session_is_restored(session: Session) -> None:
    """The record of a session gives the same session: nothing of it is known to the memory only."""
    record = session.record()
    assert (record.kind, record.key) == ("session", session.key)
    assert restore_session(record) == session


def test_a_record_of_another_version() -> None:
    """Fields that are missing have their defaults or are computed (key, skeleton, network)."""
    value = {
        "person": 3,
        "name": "Ann",
        "address": "192.0.2.7:5000",
        "phase": "absent",
        "until": 9,
        "confirmed": 4,
        "colour": "red",
    }
    restored = restore_session(Record("session", "key", json.dumps(value)))
    assert restored == Session(
        "key",
        3,
        "Ann",
        "ann",
        "192.0.2.7:5000",
        Phase.ABSENT,
        9,
        confirmed=4,
        skeletons=("ann",),
        network="192.0.2.7",
        number=1,
    )


def test_an_agenda_gives_sessions_in_the_order_of_their_ends() -> None:
    """A session whose time has changed since, or that is gone, is skipped."""
    sessions = {key: session_until(key, until) for key, until in (("a", 30), ("b", 10), ("c", 20), ("d", 5))}
    agenda = Agenda(sessions, lambda session: session.until > 0)
    for session in sessions.values():
        agenda.add(session)
    sessions["c"].until = 40
    agenda.add(sessions["c"])
    del sessions["d"]
    assert agenda.take(9) is None
    found = [agenda.take(), agenda.take(), agenda.take(), agenda.take()]
    assert [session and session.key for session in found] == ["b", "a", "c", None]


def test_an_agenda_does_not_grow_with_what_is_out_of_date() -> None:
    """A client that comes and goes for a week leaves no trace for each time."""
    session = session_until("a", 0)
    agenda = Agenda({"a": session}, lambda session: session.until > 0)
    for until in range(1, 1000):
        session.until = until
        agenda.add(session)
    assert len(agenda) < 100
    assert agenda.take() is session


def absent(key: str, network: str, lasted: int = 0, until: int = 100) -> Session:
    return Session(key, 1, key, key, "", Phase.ABSENT, until, seen=50, began=50 - lasted, network=network)


def test_a_ranking_gives_up_one_of_the_largest_network() -> None:
    """First by the network, then the session that lasted shortest, then the one whose phase ends first."""
    found = [
        absent("a", "10.0.0.1", lasted=0),
        absent("b", "10.0.0.2", lasted=9),
        absent("c", "10.0.0.2", lasted=5, until=200),
        absent("d", "10.0.0.2", lasted=5, until=300),
        absent("e", "10.0.0.3", lasted=7),
    ]
    sessions = {session.key: session for session in found}
    ranking = Ranking(sessions, Phase.ABSENT)
    for session in found:
        ranking.add(session)
    order = []
    while first := ranking.first():
        assert len(ranking) == len(sessions)
        order.append(first.key)
        del sessions[first.key]
        ranking.remove(first.network)
    assert order == ["c", "d", "a", "e", "b"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 9)), max_size=60))
def test_a_ranking_is_what_a_search_finds(steps: list[tuple[int, int, int]]) -> None:
    """Whoever comes, goes and moves: the ranking counts and chooses as a search through all sessions does."""
    sessions: dict[str, Session] = {}
    ranking = Ranking(sessions, Phase.ABSENT)
    for number, place, lasted in steps:
        key, network = f"key{number}", f"10.0.0.{place}"
        present = sessions.get(key)
        if present is None:
            sessions[key] = absent(key, network, lasted, until=100 + lasted % 3)
            ranking.add(sessions[key])
        elif lasted % 2:  # it moves, and nothing else changes
            before, present.network = present.network, network
            ranking.remove(before)
            ranking.add(present)
        else:
            del sessions[key]
            ranking.remove(present.network)
        count = Counter(session.network for session in sessions.values())
        assert len(ranking) == len(sessions) and ranking.of("10.0.0.1") == count["10.0.0.1"]

        def rank(session: Session) -> tuple[int, int, str]:
            return session.seen - session.began, session.until, session.key

        wanted = min(sessions.values(), key=lambda each: (-count[each.network], rank(each)), default=None)
        of_one = [each for each in sessions.values() if each.network == "10.0.0.1"]
        assert ranking.first() is wanted
        assert ranking.first_of("10.0.0.1") is min(of_one, key=rank, default=None)


def session_until(key: str, until: int) -> Session:
    return Session(key, 1, key, key, "", Phase.LOST, until)


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 9) | st.none()), max_size=40),
    st.integers(0, 9),
)
def test_an_agenda_gives_what_has_ended(changes: list[tuple[str, int | None]], now: int) -> None:
    """Whatever was changed or forgotten before: the sessions that have ended come, the earliest first."""
    sessions: dict[str, Session] = {}
    agenda = Agenda(sessions, lambda session: session.until > 0)
    for key, until in changes:
        if until is None:
            sessions.pop(key, None)
        else:
            session = sessions.setdefault(key, session_until(key, 0))
            session.until = until
            agenda.add(session)
    due = sorted((one.until, one.key) for one in sessions.values() if 0 < one.until <= now)
    taken = []
    while (ended := agenda.take(now)) is not None:
        taken.append((ended.until, ended.key))
        ended.until = 0
    assert taken == due
