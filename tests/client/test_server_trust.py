"""Which server the client talks to: each wrong certificate is refused in one clear line."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import CertificateFault, CertificateRefused, ConfigError
from client import Client, TlsOptions
from client.connection import Connection
from client.server_trust import ServerIdentity, ServerTrust
from server.certificate import fingerprint
from server.tls_files import TlsFiles
from tests.client.fake_server import FakeServer
from tests.support.certificates import VERSIONS, Certificates, server_context
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def accept(server: FakeServer) -> None:
    """A server that does not mind when its client goes."""
    try:
        server.accept()
    except OSError:
        pass


def open_one(server: FakeServer, options: TlsOptions, identity: ServerIdentity | None = None) -> Connection:
    """A connection over TLS. Raises what Connection.open() raises."""
    connection = Connection(identity or ServerIdentity(ServerTrust(options, "127.0.0.1", server.port)))
    accepting = Task(lambda: accept(server))
    try:
        connection.open("127.0.0.1", server.port, Deadline(PATIENCE))
    finally:
        accepting.result()
    return connection


def test_a_host_is_known_however_it_is_written(tmp_path: Path) -> None:
    """Else another way to write it would be trusted anew, whatever certificate comes."""
    options = TlsOptions(trust=True, known=tmp_path / "known.json")
    ServerTrust(options, "Chat.example", 5050).check("AA")
    with pytest.raises(CertificateRefused):
        ServerTrust(options, "chat.EXAMPLE", 5050).check("BB")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize(
    ("shown", "trusted"),
    [
        (lambda c: c.good, lambda c: c.good.certificate),
        (lambda c: c.signed, lambda c: c.authority),
        (lambda c: c.signed, lambda c: c.signed.certificate),
    ],
    ids=["its own", "of an authority", "its own, signed"],
)
def test_right_certificates(
    certificates: Certificates,
    version: ssl.TLSVersion,
    shown: Callable[[Certificates], TlsFiles],
    trusted: Callable[[Certificates], Path],
) -> None:
    """TLS 1.3 and 1.2, with the server's own certificate or its authority's in the file."""
    with FakeServer(tls=server_context(shown(certificates), version)) as server:
        connection = open_one(server, TlsOptions(trusted(certificates)))
        assert connection.encrypted
        connection.close()


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize(
    ("shown", "trusted", "fault", "words"),
    [
        (
            lambda c: c.other,
            lambda c: c.good.certificate,
            CertificateFault.UNKNOWN,
            "no authority that is known",
        ),
        (lambda c: c.other, lambda c: None, CertificateFault.UNKNOWN, "no authority that is known"),
        (
            lambda c: c.signed,
            lambda c: c.good.certificate,
            CertificateFault.UNKNOWN,
            "no authority that is known",
        ),
        (
            lambda c: c.elsewhere,
            lambda c: c.elsewhere.certificate,
            CertificateFault.WRONG_HOST,
            "not for 127.0.0.1",
        ),
        (lambda c: c.expired, lambda c: c.expired.certificate, CertificateFault.EXPIRED, "has expired"),
    ],
    ids=["another", "not the system's", "another authority", "another host", "expired"],
)
def test_wrong_certificates(
    certificates: Certificates,
    version: ssl.TLSVersion,
    shown: Callable[[Certificates], TlsFiles],
    trusted: Callable[[Certificates], Path | None],
    fault: CertificateFault,
    words: str,
) -> None:
    """A wrong certificate is refused with its code and one line that names the server."""
    with FakeServer(tls=server_context(shown(certificates), version)) as server:
        with pytest.raises(CertificateRefused, match=words) as refused:
            open_one(server, TlsOptions(trusted(certificates)))
        assert refused.value.code is fault
        assert f"127.0.0.1:{server.port}" in str(refused.value) and "\n" not in str(refused.value)


def test_trust_on_first_use(
    certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first certificate is trusted and said; the same one silently; another one is refused loudly."""
    options = TlsOptions(trust=True, known=tmp_path / "known.json")
    caplog.set_level(logging.WARNING)
    with FakeServer(tls=server_context(certificates.good)) as server:
        open_one(server, options).close()
        mark = fingerprint(certificates.good.certificate.read_text())
        address = f"127.0.0.1:{server.port}"
        assert caplog.messages == [f"trusting {address} from now on; its certificate is {mark}"]
        open_one(server, options).close()
        assert len(caplog.messages) == 1
        server.tls = server_context(certificates.other)
        for _ in range(2):
            with pytest.raises(CertificateRefused) as refused:
                open_one(server, options)
            assert refused.value.code is CertificateFault.CHANGED
            text = str(refused.value)
            assert f"THE CERTIFICATE OF {address} HAS CHANGED" in text and mark in text and "\n" not in text
            assert text.endswith(f"forget the old one: chatroom-client {address} --tls-forget")
        server.tls = server_context(certificates.good)
        open_one(server, options).close()


def test_whoever_wants_to_tell_it_is_told(
    certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Instead of the log: a chat at a terminal has a row for it."""
    told = list[tuple[str, str]]()
    options = TlsOptions(
        trust=True, known=tmp_path / "known.json", told=lambda *first: told.append((first[0], first[1]))
    )
    with FakeServer(tls=server_context(certificates.good)) as server:
        for _ in range(2):
            open_one(server, options).close()
        mark = fingerprint(certificates.good.certificate.read_text())
        assert told == [(f"127.0.0.1:{server.port}", mark)] and not caplog.messages


@pytest.mark.parametrize("shown", [lambda c: c.expired, lambda c: c.elsewhere], ids=["expired", "elsewhere"])
def test_trust_looks_at_nothing_else(
    certificates: Certificates, tmp_path: Path, shown: Callable[[Certificates], TlsFiles]
) -> None:
    """With trust on first use only the fingerprint counts, as with a host key of ssh."""
    with FakeServer(tls=server_context(shown(certificates))) as server:
        options = TlsOptions(trust=True, known=tmp_path / "known.json")
        for _ in range(2):
            open_one(server, options).close()


def test_both_connections_of_a_handshake(certificates: Certificates, tmp_path: Path) -> None:
    """The admission port must show the lobby's certificate, another one of the same authority will not do."""
    with FakeServer(tls=server_context(certificates.good)) as server:
        options = TlsOptions(trust=True, known=tmp_path / "known.json")
        trust = ServerTrust(options, "127.0.0.1", server.port)
        identity = ServerIdentity(trust)
        open_one(server, options, identity).close()
        open_one(server, options, identity).close()
        server.tls = server_context(certificates.signed)
        with pytest.raises(CertificateRefused, match="another certificate") as refused:
            open_one(server, options, identity)
        assert refused.value.code is CertificateFault.CHANGED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.pem", "cannot read .*: No such file"),
        ("empty.pem", "no certificate"),
        ("text.pem", "no certificate"),
    ],
)
def test_files_that_hold_no_authorities(tmp_path: Path, name: str, words: str) -> None:
    """A client with a file that cannot be used is told so when it is made."""
    (tmp_path / "empty.pem").touch()
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(ConfigError, match=words):
        Client(name="ann", tls=TlsOptions(tmp_path / name))


@pytest.mark.parametrize("host", [".example.org", "a" * 70 + ".example"])
def test_hosts_that_no_certificate_has(host: str) -> None:
    """A host that cannot be in a certificate is one clear line."""
    with pytest.raises(ConfigError, match="cannot be the name"):
        ServerTrust(TlsOptions(), host, 5050).wrap(ssl.MemoryBIO(), ssl.MemoryBIO())


def test_both_ways_exclude_each_other(certificates: Certificates) -> None:
    """Authorities and trust on first use are two different questions."""
    with pytest.raises(ConfigError, match="not both"):
        ServerTrust(TlsOptions(certificates.authority, trust=True), "localhost", 5050)


def test_a_refused_certificate_is_not_tried_again(certificates: Certificates) -> None:
    """A client that waits for its server ends at once when it finds another one."""
    with FakeServer(tls=server_context(certificates.other)) as server:
        client = Client("127.0.0.1", server.port, name="ann", tls=TlsOptions(certificates.good.certificate))
        accepting = Task(lambda: accept(server))
        with pytest.raises(CertificateRefused):
            client.connect(wait_for=PATIENCE)
        accepting.result()
        client.close()
        client = Client("127.0.0.1", server.port, name="ann", tls=TlsOptions(certificates.good.certificate))
        client.start()
        accept(server)
        updates = list(client.updates(PATIENCE))
        assert isinstance(client.ended and client.ended.error, CertificateRefused), updates
        client.close()


@pytest.mark.parametrize(
    ("host", "again"),
    [
        ("example.org", "Example.ORG"),
        ("example.org", "example.org."),
        ("2001:db8::1", "2001:DB8:0:0::1"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("fe80::1%eth0", "fe80:0::1%eth0"),
    ],
)
def test_one_server_however_its_host_is_written(tmp_path: Path, host: str, again: str) -> None:
    """Device tokens are kept for both ways of writing together, so the certificate is, too."""
    options = TlsOptions(trust=True, known=tmp_path / "known")
    ServerTrust(options, host, 5050).check("AA")
    with pytest.raises(CertificateRefused, match="HAS CHANGED"):
        ServerTrust(options, again, 5050).check("BB")
