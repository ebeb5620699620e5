"""Masks: names and networks on lists."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.masks import Networks, checked_network, covers, is_mask, name_mask, network_mask
from chatroom.network import network_of


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.0/7", ""),
        ("0.0.0.0/0", ""),
        ("2001:db8::1", "2001:db8::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("2001:db8::/31", ""),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::%eth0/64", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.7/96", ""),
        ("bob", ""),
        ("", ""),
    ],
)
def test_networks_as_they_are_typed(typed: str, written: str) -> None:
    """One way of writing each; too wide ones are refused."""
    assert checked_network(typed) == written
    assert not written or is_mask(network_mask(written))


def test_what_is_a_mask() -> None:
    """What an entry holds is looked at before it is used."""
    assert is_mask(name_mask("ann")) and is_mask(network_mask("192.0.2.7"))
    for odd in ("", "ann", "name ", "net ", "net bob", 7, None):
        assert not is_mask(odd)


def of_version(version: Literal[4, 6], least: int) -> st.SearchStrategy[str]:
    widths = st.integers(least, 32 if version == 4 else 128)
    return st.builds("{}/{}".format, st.ip_addresses(v=version), widths)


NETWORKS = of_version(4, 8) | of_version(6, 32)


@given(st.lists(NETWORKS), st.ip_addresses())
def test_a_mask_is_found_as_by_going_through_all(typed: list[str], address: object) -> None:
    """The index gives what the standard library says of each mask."""
    masks = {checked_network(each) for each in typed} - {""}
    networks = Networks()
    for mask in masks:
        networks.add(network_mask(mask))
    own = network_of(f"[{address}]:7")
    meant = {mask for mask in masks if _is_in(own, mask)}
    assert {*networks.covering(own)} == {network_mask(mask) for mask in meant}
    assert {mask for mask in masks if covers(network_mask(mask), own)} == meant
    for mask in masks:
        networks.remove(network_mask(mask))
    assert not [*networks.covering(own)]


def _is_in(own: str, mask: str) -> bool:
    inner, outer = ip_network(own), ip_network(mask)
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
