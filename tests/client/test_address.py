"""client/address.py"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from client.address import by_turns, numeric_host, parse_address, write_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("chat.example.org", ("chat.example.org", 5050)),
        ("chat.example.org:6000", ("chat.example.org", 6000)),
        ("127.0.0.1", ("127.0.0.1", 5050)),
        ("127.0.0.1:1", ("127.0.0.1", 1)),
        ("[::1]:5051", ("::1", 5051)),
        ("[::1]", ("::1", 5050)),
        ("::1", ("::1", 5050)),
        ("2001:db8::5050", ("2001:db8::5050", 5050)),
        ("[fe80::1%eth0]:65535", ("fe80::1%eth0", 65535)),
        (" localhost ", ("localhost", 5050)),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, address: tuple[str, int]) -> None:
    """HOST, HOST:PORT, IPv6 bare or in brackets; 5050 where no port is given."""
    assert parse_address(text) == address
    assert parse_address(write_address(*address)) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", ":5050", "host:", "host:0", "host:65536", "host:-1", "host:５０", "host:5050x", "a b", "[::1"),
        *("[::1]5050", "[::1]:", "[]:5050", "a:b:c", "[host]:5050", "host:\x1b", "ho\x1bst"),
        *("fe80::1", "[fe80::1]:5050"),
    ],
)
def test_what_is_no_address_is_a_config_error(text: str) -> None:
    """Anything else is refused with one line that names it."""
    with pytest.raises(ConfigError) as wrong:
        parse_address(text)
    assert "\n" not in str(wrong.value)


@given(st.lists(st.tuples(st.sampled_from([2, 10]), st.integers(0, 5))))
def test_families_take_turns(addresses: list[tuple[int, int]]) -> None:
    """No address is lost or doubled, each family keeps its order, and they take turns while both last."""
    ordered = by_turns(addresses)
    for family in (2, 10):
        of_family = [address for address in addresses if address[0] == family]
        assert [address for address in ordered if address[0] == family] == list(dict.fromkeys(of_family))
    assert ordered[:1] == addresses[:1]
    fewer = min(sum(address[0] == family for address in ordered) for family in (2, 10))
    families = [family for family, _ in ordered[: 2 * fewer]]
    assert all(one != two for one, two in itertools.pairwise(families))


def test_the_host_of_a_socket_address() -> None:
    """A link-local address is written with its interface; others have none."""
    assert numeric_host(("127.0.0.1", 5050)) == "127.0.0.1"
    assert numeric_host(("::1", 5050, 0, 0)) == "::1"
    assert numeric_host(("fe80::1", 5050, 0, 7)) == "fe80::1%7"
    assert numeric_host(("fe80::1%eth0", 5050, 0, 7)) == "fe80::1%eth0"
