"""Addresses and ports: IPv4 and IPv6; any admission port, one of a range, or the same connection."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatroom.outcomes import Code
from chatroom.packets import Port, Status, Verdict
from client.address import write_address
from tests.end_to_end.programs import run_program, server
from tests.support.link_local import link_local
from tests.support.patience import eventually
from tests.support.peer import Peer


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def free_range(size: int) -> int:
    """The first of `size` free ports in a row."""
    for first in range(15100, 30000, size):
        try:
            for port in range(first, first + size):
                with socket.create_server(("127.0.0.1", port)):
                    pass
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


def gets_in(port: int, name: str) -> bool:
    """Whether the server offers a port to a newcomer of that name."""
    with Peer.connect(port) as lobby:
        return lobby.ask(name).verdict is Verdict.PASS


@pytest.mark.slow
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("ports", ["any", "same"])
@pytest.mark.parametrize(("host", "said"), [("::1", "[::1]"), ("::", "[::]")])
def test_ipv6(host: str, said: str, ports: str, tmp_path: Path) -> None:
    """The server listens on an IPv6 address and says so in brackets, and clients come in by it."""
    with server(tmp_path, "--ports", ports, host=host) as program:
        assert program.first_line == f"listening on {said}:{program.port}"
        for address in [f"[::1]:{program.port}"] + [f"127.0.0.1:{program.port}"] * (host == "::"):
            done = run_program("client", address, "--name", "ann", input="hello\n")
            assert (done.returncode, done.stderr) == (0, "")
            assert "hello" in done.stdout


@pytest.mark.parametrize("ports", ["any", "same"])
def test_link_local(ports: str, tmp_path: Path) -> None:
    """A link-local address with its interface works for server and client, in the lobby and for admission."""
    host, scope = link_local()
    host = f"{host}%{socket.if_indextoname(scope)}"
    with server(tmp_path, "--ports", ports, host=host) as program:
        assert program.first_line == f"listening on [{host}]:{program.port}"
        done = run_program("client", f"[{host}]:{program.port}", "--name", "ann", input="hello\n")
        assert (done.returncode, done.stderr) == (0, "")
        assert "hello" in done.stdout


@pytest.mark.slow
def test_localhost(tmp_path: Path) -> None:
    """With `--host localhost` clients come in by each of its addresses, and by its name."""
    found = socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)
    with server(tmp_path, host="localhost") as program:
        for host in ["localhost", *{address[0] for *_, address in found}]:
            done = run_program(
                "client", write_address(str(host), program.port), "--name", "a", input="hello\n"
            )
            assert (done.returncode, done.stderr) == (0, "")
            assert "hello" in done.stdout


def test_ports_of_a_range(tmp_path: Path) -> None:
    """Every admission is on a port of the range, however many members came by it before."""
    first = free_range(3)
    with server(tmp_path, "--ports", f"{first}-{first + 2}") as program, ExitStack() as stack:
        members = [stack.enter_context(Peer.come_in(program.port, f"member{number}")) for number in range(30)]
        used = {member.socket.getpeername()[1] for member in members}
        assert used == set(range(first, first + 3))


@pytest.mark.slow
def test_a_range_that_is_used_up(tmp_path: Path) -> None:
    """While all ports of the range are in use, the next newcomer waits, and gets that of a silent one."""
    first = free_range(1)
    with server(tmp_path, "--ports", f"{first}-{first}") as program:
        with Peer.connect(program.port) as owner:
            assert owner.ask("ann").verdict is Verdict.PASS
            with Peer.connect(program.port) as late:
                assert late.ask("bob").verdict is Verdict.PASS
                assert late.expect(Port).number == first
                assert owner.expect(Port).number == first
                assert owner.expect(Status).code == Code.SLOW_DOWN
        eventually(lambda: gets_in(program.port, "bob"), "the port of the owner who left is not free again")


def test_no_new_port(tmp_path: Path) -> None:
    """With `--ports same` every member talks on the lobby's port, and the server opens no other port."""
    with server(tmp_path, "--ports", "same") as program, ExitStack() as stack:
        members = [stack.enter_context(Peer.come_in(program.port, f"member{number}")) for number in range(5)]
        assert {member.socket.getpeername()[1] for member in members} == {program.port}
        done = run_program("client", f"127.0.0.1:{program.port}", "--name", "ann", input="hello\n")
        assert (done.returncode, done.stderr) == (0, "")
