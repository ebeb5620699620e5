"""The stranger asks for names that nobody but their owner may have."""

from __future__ import annotations

import pytest

from chatroom.lookalikes import skeletons
from chatroom.names import check_name, name_key
from tests.chaos.schedule import OWNED
from tests.chaos.stranger import counterfeits


@pytest.mark.parametrize("name", OWNED)
def test_the_names_look_like_the_owned_one(name: str) -> None:
    """Each may be a name, and counts as the same or looks like it: another one might well be given."""
    others = counterfeits(name)
    assert len(others) > 3
    for other in others:
        assert check_name(other) == other
        alike = set(skeletons(other, name_key(other))) & set(skeletons(name, name_key(name)))
        assert alike or name_key(other) == name_key(name), other
