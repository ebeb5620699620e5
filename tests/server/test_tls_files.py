"""--tls-self: openssl's command makes the files, and nobody else ever sees the key."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from chatroom.errors import ConfigError
from server.certificate import server_context
from server.tls_files import self_made
from tests.support.certificates import Certificates


def names(certificate: Path) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_made_once(tmp_path: Path) -> None:
    """The files are made beside the history at the first start, and stay the same from then on."""
    data = tmp_path / "new" / "history.db"
    files = self_made(data, "127.0.0.1")
    assert files.certificate.parent == files.key.parent == data.parent
    before = [path.read_bytes() for path in files]
    assert self_made(data, "::1") == files
    assert [path.read_bytes() for path in files] == before
    assert {path.name for path in data.parent.iterdir()} == {path.name for path in files}
    server_context(files)


def test_only_the_user_can_read_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask is, the key has mode 0600 from the first moment, in a folder of mode 0700."""
    real, seen = subprocess.run, []

    def run(command: list[str], **options: object) -> object:
        folder = Path(command[command.index("-keyout") + 1]).parent
        done = real(command, **options)  # type: ignore[call-overload]
        seen.extend(stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "key.pem"))
        return done

    monkeypatch.setattr(subprocess, "run", run)
    before = os.umask(0)
    try:
        files = self_made(tmp_path / "history.db", "127.0.0.1")
    finally:
        os.umask(before)
    assert seen == [0o700, 0o600]
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("host", "listed"),
    [
        ("192.0.2.7", "IP Address:192.0.2.7"),
        ("fe80::1%eth0", "IP Address:FE80:0:0:0:0:0:0:1"),
        ("chat.example.org", "DNS:chat.example.org"),
    ],
)
def test_names(tmp_path: Path, host: str, listed: str) -> None:
    """The certificate is for this machine, and for the host that the server listens on."""
    found = names(self_made(tmp_path / "history.db", host).certificate)
    for name in ("DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1", listed):
        assert name in found


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "a,DNS:evil.example", "x\ny = z", "-"])
def test_hosts_that_are_no_names(tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be a name in a certificate is left out; nothing in it can say anything else to openssl."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    found = names(self_made(tmp_path / "history.db", host).certificate)
    assert "evil" not in found and found.count("DNS:") == 1 and found.count("IP Address:") == 2


def test_without_openssl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openssl's command one line says what to do, and nothing is left behind."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match="needs the command openssl") as error:
        self_made(tmp_path / "history.db", "127.0.0.1")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_when_openssl_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When openssl's command fails, its last line is told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "openssl").write_text("#!/bin/sh\necho first >&2; echo no entropy >&2; exit 1\n")
    (folder / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    with pytest.raises(ConfigError, match=r"cannot make a certificate: no entropy$"):
        self_made(tmp_path / "history.db", "127.0.0.1")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where no file can be made, one line says so."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot make"):
        self_made(tmp_path / "file" / "history.db", "127.0.0.1")


def test_a_key_without_its_certificate(tmp_path: Path, certificates: Certificates) -> None:
    """A start that was killed between the two files does not keep the next one from making both."""
    files = self_made(tmp_path / "history.db", "127.0.0.1")
    files.certificate.unlink()
    assert server_context(self_made(tmp_path / "history.db", "127.0.0.1"))
