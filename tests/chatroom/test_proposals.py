"""Proposals: their numbers are written down where entries are kept."""

from __future__ import annotations

from chatroom.proposals import ProposalKind


def test_kind_numbers_are_kept() -> None:
    """Kept entries have the numbers of the kinds, so none may change and none may be used again."""
    assert {kind.name: int(kind) for kind in ProposalKind} == {
        "UP": 1,
        "ARRIVE": 2,
        "WITHDRAW": 3,
        "ENTER": 4,
        "LINES": 5,
        "LEAVE": 6,
        "ACT": 7,
        "OWN": 8,
        "AMEND": 9,
        "LIMIT": 10,
    }
