"""The quotas: what the system's descriptors are enough for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from server.limits import GUEST_DESCRIPTORS, RESERVED_DESCRIPTORS
from server.quotas import Quotas


@given(st.integers(RESERVED_DESCRIPTORS + 16, 1 << 21))
def test_all_together_fit(descriptors: int) -> None:
    """Members, guests and refused together never need more descriptors than there are; each has some."""
    quotas = Quotas().within(descriptors)
    needed = quotas.members + GUEST_DESCRIPTORS * quotas.guests + quotas.refused + RESERVED_DESCRIPTORS
    assert needed <= descriptors
    assert min(quotas) >= 1
    assert quotas.address_members < quotas.members and quotas.address_guests <= quotas.guests


def test_the_usual_limit() -> None:
    """With the usual 1,024 descriptors a class behind one address comes in at once, and others, too."""
    quotas = Quotas().within(1024)
    assert quotas.address_guests >= 60 and quotas.guests - quotas.address_guests >= 30
    assert quotas.members > 2 * quotas.address_members


def test_the_operators_number() -> None:
    """The operator's own number counts, also for one address; one that is too large is an error."""
    quotas = Quotas(members=30).within(1024)
    assert quotas.members == quotas.address_members == 30
    with pytest.raises(ConfigError, match=r"5000 members need more than 1024 descriptors.*ulimit -n"):
        Quotas(members=5000).within(1024)


def test_all_from_one_address() -> None:
    """An operator whose members all come through one address can give it everything."""
    quotas = Quotas(address_members=100_000, address_guests=100_000).within(1024)
    assert (quotas.address_members, quotas.address_guests) == (quotas.members, quotas.guests)


def test_too_few_descriptors() -> None:
    """A server that could not serve anybody is not started."""
    with pytest.raises(ConfigError, match=r"only 10 descriptors.*ulimit -n"):
        Quotas().within(10)
