"""What a command gets: its repr shows no secret."""

from __future__ import annotations

from chatroom.desk import Checked, Prepared
from chatroom.proposals import Act


def test_a_repr_has_no_secret() -> None:
    """Neither the stored hash, nor what only the answer may tell."""
    assert repr(Checked("scrypt$deadbeef", True)) == "Checked(known=True)"
    prepared = Prepared(Act("/device", "#general", ("deadbeef", "laptop")), ("token", "ann", "deadbeef"))
    assert repr(prepared) == "Prepared(/device)"
