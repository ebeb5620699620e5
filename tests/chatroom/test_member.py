"""Members and sessions."""

from __future__ import annotations

from chatroom.member import Member, Session, session_key
from chatroom.packets import encode_event
from tests.chatroom.fakes import FakeConnection
from tests.support.events import said


def test_the_key_tells_sessions_apart_and_gives_none_away() -> None:
    """Equal tokens have equal keys, other tokens other keys, and no key contains its token."""
    token = bytes(range(16))
    assert session_key(token) == session_key(bytes(range(16)))
    assert session_key(token) != session_key(bytes(range(1, 17)))
    assert len(session_key(token)) == 16 and session_key(token) != token


def test_a_record_says_what_the_session_is() -> None:
    """The record of a session has all fields of the session, and whether its member is present."""
    session = Session(b"key", "ann", "#general", 5, 1234)
    assert session.record(True) == (b"key", "ann", "#general", True, 5, 1234)
    assert session.record(False).present is False


def test_a_member_passes_batches_on_as_they_are() -> None:
    """deliver() hands the bytes to the connection unchanged."""
    connection = FakeConnection()
    member = Member("ann", frozenset({"#general"}), Session(b"", "ann", "#general", 0, 0), connection)
    member.deliver(encode_event(said(1)) + encode_event(said(2)))
    assert connection.events() == [said(1), said(2)]
    assert member.audience == (connection.door, frozenset({"#general"}))


def test_members_are_told_apart_by_who_they_are() -> None:
    """Two stays of the same name are two members, even with equal fields."""
    connection, session = FakeConnection(), Session(b"", "ann", "#general", 0, 0)
    one, two = (Member("ann", frozenset({"#general"}), session, connection) for _ in range(2))
    assert one != two and len({one, two}) == 2
