"""The backlogs: what is counted, and who must go when all together is too much."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from server.backlogs import Backlogs
from server.limits import PIECE_BYTES, REFERENCE_BYTES


class Holder(NamedTuple):
    """A stream."""

    name: int | str
    network: str = "10.0.0.1"


HOLDERS = st.builds(Holder, st.integers(0, 3), st.sampled_from(["10.0.0.1", "10.0.0.2"]))
PIECES = [bytes([number]) * (10 + number) for number in range(5)]


def test_a_shared_piece_is_counted_once() -> None:
    """A piece that a hundred buffers refer to counts once, with a hundred references."""
    backlogs: Backlogs[Holder] = Backlogs()
    piece = b"x" * 1000
    for holder in range(100):
        backlogs.change(Holder(holder), added=[piece])
    assert backlogs.shared == 1000 + PIECE_BYTES + 100 * REFERENCE_BYTES
    for holder in range(99):
        backlogs.change(Holder(holder), gone=[piece])
    assert backlogs.shared == 1000 + PIECE_BYTES + REFERENCE_BYTES
    backlogs.change(Holder(99), gone=[piece])
    assert backlogs.shared == 0


def test_own_bytes_are_added_up() -> None:
    """What only one gets counts for each; the sum follows every change."""
    backlogs: Backlogs[Holder] = Backlogs()
    for holder in range(10):
        backlogs.change(Holder(holder), 100)
    backlogs.change(Holder(3), -60)
    assert (backlogs.own, backlogs.shared) == (940, 0)


def test_who_has_most_must_go() -> None:
    """Beyond a limit it is the one with the most of that kind, and nobody within the limits."""
    backlogs: Backlogs[Holder] = Backlogs(own_limit=100, shared_limit=2 * (1000 + PIECE_BYTES) + 10 * 8)
    pieces = [bytes(1000) + bytes([n]) for n in range(3)]
    backlogs.change(Holder("slow reader"), 1, added=pieces[:1])
    backlogs.change(Holder("other"), added=pieces[:1])
    backlogs.change(Holder("asker"), 90)
    assert backlogs.too_much_for() is None
    backlogs.change(Holder("other"), 20)
    assert backlogs.too_much_for() == Holder("asker")
    backlogs.change(Holder("asker"), -90)
    assert backlogs.too_much_for() is None
    backlogs.change(Holder("slow reader"), added=pieces[1:])
    assert backlogs.too_much_for() == Holder("slow reader")


def test_an_address_goes_before_the_others() -> None:
    """Who spreads what waits over many connections has as much as one that has it on one."""
    backlogs: Backlogs[Holder] = Backlogs(own_limit=100, shared_limit=10_000)
    for number in range(8):
        backlogs.change(Holder(number, "10.0.0.2"), 10 + number)
    backlogs.change(Holder("honest"), 30)
    assert backlogs.too_much_for() == Holder(7, "10.0.0.2")
    pieces = [bytes(1000) + bytes([n]) for n in range(12)]
    backlogs.change(Holder("honest"), -30)
    for number in range(8):
        backlogs.change(Holder(number, "10.0.0.2"), -10 - number, added=pieces[number : number + 1])
    backlogs.change(Holder(3, "10.0.0.2"), added=pieces[8:9])
    backlogs.change(Holder("honest"), added=pieces[9:12])
    assert backlogs.too_much_for() == Holder(3, "10.0.0.2")


def test_a_class_that_shares_its_bytes_does_not_go_first() -> None:
    """What the members behind one address share counts once for the address, too."""
    backlogs: Backlogs[Holder] = Backlogs(shared_limit=4_000)
    pieces = [bytes(1000) + bytes([n]) for n in range(4)]
    for number in range(60):
        backlogs.change(Holder(number), added=pieces[:1])
    backlogs.change(Holder("sleeper", "10.0.0.2"), added=pieces)
    assert backlogs.too_much_for() == Holder("sleeper", "10.0.0.2")
    for number in range(60):
        backlogs.change(Holder(number), gone=pieces[:1])
    backlogs.change(Holder("sleeper", "10.0.0.2"), gone=pieces)
    assert backlogs.shared == 0 and backlogs.too_much_for() is None


@given(st.lists(st.tuples(HOLDERS, st.integers(0, 4)), max_size=30), st.randoms())
def test_the_order_of_reports_does_not_matter(held: list[tuple[Holder, int]], random: object) -> None:
    """A piece may be reported as gone before it was reported as come: at the end all is as in any order."""
    changes = [(holder, piece, True) for holder, piece in held]
    changes += [(holder, piece, False) for holder, piece in held[: len(held) // 2]]
    random.shuffle(changes)  # type: ignore[attr-defined]
    backlogs: Backlogs[Holder] = Backlogs()
    for holder, piece, comes in changes:
        both = ([PIECES[piece]], []) if comes else ([], [PIECES[piece]])
        backlogs.change(holder, 0, *both)
    left = held[len(held) // 2 :]
    distinct = {piece for _, piece in left}
    size = sum(len(PIECES[piece]) + PIECE_BYTES for piece in distinct)
    assert backlogs.shared == size + REFERENCE_BYTES * len(left)
