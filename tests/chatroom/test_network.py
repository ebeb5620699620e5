"""Networks: which addresses count as one."""

from __future__ import annotations

import pytest

from chatroom.network import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7:1000", "192.0.2.7"),
        ("[2001:db8:1:2:3:4:5:6]:1000", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::]:7", "2001:db8:1:2::/64"),
        ("[2001:db8:1:3::]:7", "2001:db8:1:3::/64"),
        ("[::ffff:192.0.2.7]:1000", "192.0.2.7"),
        ("[fe80::1%eth0]:1", "fe80::/64"),
        ("peer", "peer"),
        ("a program:1", "a program"),
        ("", ""),
    ],
)
def test_networks(address: str, network: str) -> None:
    """An IPv4 address counts by itself, also when it is mapped; an IPv6 address by its /64."""
    assert network_of(address) == network
