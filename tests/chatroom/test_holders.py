"""Holders: one person has one name, with as many sessions as it likes."""

from __future__ import annotations

from chatroom.holders import Holders
from chatroom.session import Phase, Session


def session(key: str, person: int, name: str) -> Session:
    return Session(key, person, name, name, "", Phase.ARRIVING, 0, skeletons=(name, "same"))


def test_a_name_is_held_until_the_last_session_gives_it_back() -> None:
    """All sessions of a person hold its name together."""
    holders, first, second = Holders(), session("a", 1, "ann"), session("b", 1, "ann")
    holders.hold(first), holders.hold(second), holders.hold(first)
    holder = holders.of_key("ann")
    assert holder is not None and holder.sessions == {"a": first, "b": second}
    assert holders.of_person(1) is holders.of(first) is holders.of(second) is holder
    holders.give_back(first)
    assert holders.of(first) is None and holders.of_key("ann") is holder
    holders.give_back(second), holders.give_back(second)
    assert holders.of_key("ann") is holders.of_person(1) is None and holders.alike(("same",)) == []


def test_a_newcomer_becomes_a_person() -> None:
    """A newcomer holds its name before it is a person; newcomers are apart from each other."""
    holders, ann, bob = Holders(), session("a", 0, "ann"), session("b", 0, "bob")
    holders.hold(ann), holders.hold(bob)
    holder = holders.of(ann)
    assert holder is not None and holder is not holders.of(bob) and holders.of_person(0) is None
    holders.meet(holder, 7)
    ann.person = 7
    holders.hold(session("c", 7, "ann"))
    assert holders.of_person(7) is holder and set(holder.sessions) == {"a", "c"}


def test_names_that_look_alike() -> None:
    """All holders of names that look alike are found, in order of their keys, each once."""
    holders, ann, bob = Holders(), session("a", 1, "ann"), session("b", 2, "bob")
    holders.hold(bob), holders.hold(ann)
    assert [holder.name for holder in holders.alike(("same", "ann"))] == ["ann", "bob"]
    holders.give_back(ann)
    assert [holder.name for holder in holders.alike(("same", "ann"))] == ["bob"]


def test_a_session_without_its_name() -> None:
    """A session whose name somebody else has holds nothing."""
    holders, ann, other = Holders(), session("a", 1, "ann"), session("b", 2, "ann")
    holders.hold(ann)
    holders.give_back(other)
    assert holders.of(other) is None and holders.of(ann) is not None
