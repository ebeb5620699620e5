"""Admission ports: any port, the lobby's connection, or a range."""

from __future__ import annotations

import socket

import pytest

from chatroom.errors import ConfigError
from server.ports import Ports
from tests.support.link_local import link_local


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("any", Ports()),
        ("same", Ports(same=True)),
        ("5100-5199", Ports(5100, 5199)),
        ("7007-7007", Ports(7007, 7007)),
        ("1024-65535", Ports(1024, 65535)),
    ],
)
def test_valid_values(text: str, ports: Ports) -> None:
    """The three forms of the option are valid."""
    assert Ports.parse(text) == ports


@pytest.mark.parametrize(
    "text",
    [
        "",
        "all",
        "5100",
        "5100-",
        "-5100",
        "0-10",
        "80-2000",
        "9" * 5000 + "-1",
        "1023-1024",
        "5199-5100",
        "1-65536",
        "a-b",
        "1-2-3",
        "²-³",
    ],
)
def test_invalid_values(text: str) -> None:
    """Any other value is one error that shows the valid forms."""
    with pytest.raises(ConfigError, match="LO-HI"):
        Ports.parse(text)


def test_any_port() -> None:
    """Without a range the system chooses; it is listened on at the address of the lobby."""
    with Ports().listen(socket.AF_INET, ("127.0.0.1", 5050)) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1" and port > 0
        socket.create_connection((host, port)).close()


def test_a_port_of_the_range() -> None:
    """With a range the port is one of it: the one that is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        low, high = sorted(sock.getsockname()[1] for sock in (taken, free))
        free.close()
        with Ports(low, high).listen(socket.AF_INET, ("127.0.0.1", 5050)) as listener:
            assert low <= listener.getsockname()[1] <= high


def test_a_range_that_is_taken() -> None:
    """When every port of the range is taken, the error says that, for a person."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"no port .*{number}-{number} is free"):
            Ports(number, number).listen(socket.AF_INET, ("127.0.0.1", 5050))


def test_an_error_that_is_no_matter_of_ports() -> None:
    """An address that cannot be listened at is told as it is, after one try, and names no range."""
    for ports in (Ports(), Ports(5100, 5199)):
        with pytest.raises(OSError, match=r"^no port can be opened: Cannot assign requested address$"):
            ports.listen(socket.AF_INET, ("192.0.2.77", 5050))


def test_a_link_local_address_keeps_its_interface() -> None:
    """An admission port listens at a link-local address, which is none without its interface."""
    host, scope = link_local()
    with Ports().listen(socket.AF_INET6, (host, 5050, 0, scope)) as listener:
        assert listener.getsockname()[0] == host
        assert listener.getsockname()[3] == scope
