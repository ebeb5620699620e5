"""The backlogs: what is counted, and who must go when all together is too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.backlogs import Backlogs
from server.limits import PIECE_BYTES, REFERENCE_BYTES

PIECES = [bytes([number]) * (10 + number) for number in range(5)]


def test_a_shared_piece_is_counted_once() -> None:
    """A piece that a hundred buffers refer to counts once, with a hundred references."""
    backlogs: Backlogs[int] = Backlogs()
    piece = b"x" * 1000
    for holder in range(100):
        backlogs.change(holder, added=[piece])
    assert backlogs.shared == 1000 + PIECE_BYTES + 100 * REFERENCE_BYTES
    for holder in range(99):
        backlogs.change(holder, gone=[piece])
    assert backlogs.shared == 1000 + PIECE_BYTES + REFERENCE_BYTES
    backlogs.change(99, gone=[piece])
    assert backlogs.shared == 0


def test_own_bytes_are_added_up() -> None:
    """What only one gets counts for each; the sum follows every change."""
    backlogs: Backlogs[int] = Backlogs()
    for holder in range(10):
        backlogs.change(holder, 100)
    backlogs.change(3, -60)
    assert (backlogs.own, backlogs.shared) == (940, 0)


def test_who_has_most_must_go() -> None:
    """Beyond a limit it is the one with the most of that kind, and nobody within the limits."""
    backlogs: Backlogs[str] = Backlogs(own_limit=100, shared_limit=2 * (1000 + PIECE_BYTES) + 10 * 8)
    pieces = [bytes(1000) + bytes([n]) for n in range(3)]
    backlogs.change("slow reader", 1, added=pieces[:1])
    backlogs.change("other", added=pieces[:1])
    backlogs.change("asker", 90)
    assert backlogs.too_much_for() is None
    backlogs.change("other", 20)
    assert backlogs.too_much_for() == "asker"
    backlogs.change("asker", -90)
    assert backlogs.too_much_for() is None
    backlogs.change("slow reader", added=pieces[1:])
    assert backlogs.too_much_for() == "slow reader"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=30), st.randoms())
def test_the_order_of_reports_does_not_matter(held: list[tuple[int, int]], random: object) -> None:
    """A piece may be reported as gone before it was reported as come: at the end all is as in any order."""
    changes = [(holder, piece, True) for holder, piece in held]
    changes += [(holder, piece, False) for holder, piece in held[: len(held) // 2]]
    random.shuffle(changes)  # type: ignore[attr-defined]
    backlogs: Backlogs[int] = Backlogs()
    for holder, piece, comes in changes:
        both = ([PIECES[piece]], []) if comes else ([], [PIECES[piece]])
        backlogs.change(holder, 0, *both)
    left = held[len(held) // 2 :]
    distinct = {piece for _, piece in left}
    size = sum(len(PIECES[piece]) + PIECE_BYTES for piece in distinct)
    assert backlogs.shared == size + REFERENCE_BYTES * len(left)
