"""client/connection.py"""

from __future__ import annotations

import socket
import threading

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from client.connection import Connection
from tests.client.fake_server import FakeServer
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def test_every_failure_to_connect_is_one_clear_line() -> None:
    """Refused, unknown host and an impossible name all become ConnectionLost that says where."""
    with FakeServer() as server:
        port = server.port
    for host, reason in [
        ("127.0.0.1", "connection refused"),
        ("no-such-host.invalid", "host is not known"),
        ("a" * 70 + ".example", "host is not known"),
    ]:
        with pytest.raises(ConnectionLost, match=reason) as lost:
            Connection().open(host, port, Deadline(PATIENCE))
        assert host in str(lost.value)
        assert "\n" not in str(lost.value)


def test_bytes_go_both_ways_without_delay() -> None:
    """A connection carries bytes, with TCP_NODELAY and keepalive set."""
    with FakeServer() as server:
        connection = Connection()
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
        peer = server.accept()
        sock = connection.sock
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        connection.send(b"ask")
        assert peer.socket.recv(3) == b"ask"
        peer.socket.sendall(b"answer")
        assert connection.receive(PATIENCE) == b"answer"
        assert connection.receive(0.001) == b""
        peer.close()
        with pytest.raises(ConnectionLost, match="closed"):
            connection.receive(PATIENCE)
        connection.close()


def test_shutdown_wakes_the_receiver_and_a_sender_that_is_stuck() -> None:
    """shutdown() wakes a thread in receive() and one in send()."""
    with FakeServer() as server:
        connection = Connection()
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
        server.accept()
        receiving = Task(lambda: connection.receive(PATIENCE))
        sending = Task(lambda: connection.send(bytes(64 * 1024 * 1024)))
        connection.shutdown()
        for blocked in (receiving, sending):
            with pytest.raises(ConnectionLost):
                blocked.result()
        connection.close()


def test_a_send_outlasts_the_receivers_patience() -> None:
    """Time-outs of the socket belong to the receiver: a server that takes bytes slowly gets all of them."""
    size = 8 * 1024 * 1024
    with FakeServer() as server:
        connection = Connection()
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
        peer = server.accept()
        sending = Task(lambda: connection.send(bytes(size)))
        assert connection.receive(0.01) == b""  # sets a time-out, which runs out while the sender waits
        taken = 0
        while taken < size:
            taken += len(peer.socket.recv(1 << 20))
        sending.result()
        connection.close()


def test_a_connection_that_was_shut_down_cannot_be_opened() -> None:
    """open() after shutdown() fails, so that close() wins against a connect that is about to begin."""
    with FakeServer() as server:
        connection = Connection()
        connection.shutdown()
        with pytest.raises(ConnectionLost):
            connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
    assert threading.active_count() == 1
