"""The server's certificate: what cannot be used, and what clients will refuse, is told at the start."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path
from unittest import mock

import pytest

from chatroom.errors import ConfigError
from chatroom.event_log import NOTICE
from server.certificate import _choose_group, fingerprint, server_context
from server.limits import KEY_AGREEMENT, KEY_AGREEMENT_BEFORE
from server.tls_files import TlsFiles
from tests.support.certificates import Certificates
from tests.support.patience import PATIENCE


@pytest.fixture(autouse=True)
def notices(caplog: pytest.LogCaptureFixture) -> None:
    """The log has them without -v."""
    caplog.set_level(NOTICE)


def test_the_fingerprint_is_said(certificates: Certificates, caplog: pytest.LogCaptureFixture) -> None:
    """Each start says the fingerprint as openssl's command writes it, and nothing else about a good one."""
    files = certificates.good
    server_context(files)
    command = ["openssl", "x509", "-in", str(files.certificate), "-noout", "-fingerprint", "-sha256"]
    said = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]
    )
    (line,) = caplog.messages
    assert line == f"= the SHA-256 fingerprint of the certificate is {said}"
    assert fingerprint(files.certificate.read_text()) == said


def test_one_file_for_both(certificates: Certificates, tmp_path: Path) -> None:
    """Certificate and key may be in one file, the key first or last."""
    both = tmp_path / "both.pem"
    both.write_text("".join(file.read_text() for file in reversed(certificates.good)))
    assert isinstance(server_context(TlsFiles(both, both)), ssl.SSLContext)


def test_what_the_server_allows(certificates: Certificates) -> None:
    """TLS 1.2 at least; no compression, renegotiation or tickets."""
    context = server_context(certificates.good)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    off = ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    assert context.options & off == off and context.num_tickets == 0


@pytest.mark.parametrize("group, agreed", [("X25519", True), ("P-521", False), ("ffdhe8192", False)])
def test_how_keys_are_agreed(certificates: Certificates, group: str, agreed: bool) -> None:
    """Only by X25519: a client cannot make the server compute for a tenth of a second, which costs it nothing
    itself (ffdhe8192, CVE-2002-20001)."""
    context = server_context(certificates.good)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        command = ["openssl", "s_client", "-connect", address, "-tls1_3", "-groups", group]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as program:
            sock, _ = listener.accept()
            sock.settimeout(PATIENCE)
            try:
                with sock, context.wrap_socket(sock, server_side=True):
                    assert agreed
            except ssl.SSLError as error:
                assert not agreed and error.reason == "NO_SUITABLE_KEY_SHARE", error
            finally:
                program.kill()


def locked(certificates: Certificates, folder: Path) -> TlsFiles:
    """The good key, with a password."""
    key = folder / "locked.pem"
    command = [
        "openssl",
        "ec",
        "-in",
        str(certificates.good.key),
        "-aes128",
        "-passout",
        "pass:x",
        "-out",
        str(key),
    ]
    subprocess.run(command, capture_output=True, check=True)
    return TlsFiles(certificates.good.certificate, key)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("mismatch", "do not belong together"),
        ("no certificate", "cannot read the certificate .*: No such file"),
        ("no key", "cannot read the key .*: No such file"),
        ("key as certificate", "holds no certificate in PEM"),
        ("certificate as key", "holds no private key in PEM"),
        ("damaged certificate", "cannot be used"),
        ("password", "has a password"),
        ("folder", "cannot read the certificate .*: Is a directory"),
    ],
)
def test_what_cannot_be_used(certificates: Certificates, tmp_path: Path, case: str, words: str) -> None:
    """Each mistake is one line that names the file."""
    good, missing, damaged = certificates.good, tmp_path / "missing.pem", tmp_path / "damaged.pem"
    text = good.certificate.read_text()
    damaged.write_text(text[:100] + "AAAA" + text[104:])
    files = {
        "mismatch": TlsFiles(good.certificate, certificates.other.key),
        "no certificate": TlsFiles(missing, good.key),
        "no key": TlsFiles(good.certificate, missing),
        "key as certificate": TlsFiles(good.key, good.key),
        "certificate as key": TlsFiles(good.certificate, good.certificate),
        "damaged certificate": TlsFiles(damaged, good.key),
        "password": locked(certificates, tmp_path),
        "folder": TlsFiles(tmp_path, good.key),
    }[case]
    with pytest.raises(ConfigError, match=words) as error:
        server_context(files)
    assert "\n" not in str(error.value)


def test_an_expired_certificate(certificates: Certificates, caplog: pytest.LogCaptureFixture) -> None:
    """The server starts with an expired certificate, and warns."""
    server_context(certificates.expired)
    assert "has expired: clients refuse it since" in caplog.messages[1]


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "is not valid before"), (3640, "expires soon"), (3651, "has expired")]
)
def test_dates(
    certificates: Certificates,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    words: str,
) -> None:
    """A certificate that is too young, or about to expire, is warned of, too."""
    import time

    now = time.time()
    monkeypatch.setattr("server.certificate.time.time", lambda: now + days * 86400)
    server_context(certificates.good)
    assert words in caplog.messages[1]


def test_a_certificate_with_authorities_in_between(
    certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first certificate of a file is the server's own; the others are sent with it."""
    chain = tmp_path / "chain.pem"
    chain.write_text(certificates.signed.certificate.read_text() + certificates.authority.read_text())
    server_context(TlsFiles(chain, certificates.signed.key))
    (line,) = caplog.messages
    assert line.endswith(fingerprint(certificates.signed.certificate.read_text()))


def test_a_python_that_lacks_the_best_group() -> None:
    """As that of Debian 12: keys are agreed on in another one, never by large prime numbers."""
    refusal = ssl.SSLError("[EC: UNKNOWN_GROUP] unknown group")
    context = mock.Mock(**{"set_ecdh_curve.side_effect": [refusal, None]})
    _choose_group(context)
    assert context.mock_calls == [
        mock.call.set_ecdh_curve(KEY_AGREEMENT),
        mock.call.set_ecdh_curve(KEY_AGREEMENT_BEFORE),
    ]
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ecdh_curve(KEY_AGREEMENT_BEFORE)
