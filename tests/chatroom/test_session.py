"""Sessions: their keys and their records. The table of phases is tested in test_state.py."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from chatroom.records import Record
from chatroom.session import Phase, Session, restore_session, session_key

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
    """Fields that are missing have their defaults, the key of the name is computed, others are skipped."""
    value = {
        "person": 3,
        "name": "Ann",
        "address": "",
        "phase": "absent",
        "until": 9,
        "confirmed": 4,
        "colour": "red",
    }
    restored = restore_session(Record("session", "key", json.dumps(value)))
    assert restored == Session("key", 3, "Ann", "ann", "", Phase.ABSENT, 9, confirmed=4)
