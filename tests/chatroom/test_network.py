"""Networks: which addresses count as one."""

from __future__ import annotations

import pytest

from chatroom.network import is_loopback, network_of


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


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("127.0.0.1:1000", True),
        ("127.7.7.7:1000", True),
        ("[::1]:1000", True),
        ("[::ffff:127.0.0.1]:1000", True),
        ("192.0.2.7:1000", False),
        ("[::ffff:192.0.2.7]:1000", False),
        ("[fe80::1%eth0]:1", False),
        ("0.0.0.0:1", False),
        ("localhost:1", False),
        ("127.0.0.1", False),
        ("peer", False),
        ("", False),
    ],
)
def test_loopback(address: str, here: bool) -> None:
    """Only an address of this machine counts, and only as a number: what is not one is read by others."""
    assert is_loopback(address) is here
