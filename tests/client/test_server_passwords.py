"""client/server_passwords.py"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.known_servers import KnownServers
from client.limits import KEPT_SERVER_PASSWORDS
from client.server_passwords import ServerPasswords, _encode
from client.tls import TlsOptions

CHAT = "chat.example.org", 5050


@pytest.fixture
def trusting(tmp_path: Path) -> TlsOptions:
    """Trust on first use; chat.example.org is trusted."""
    options = TlsOptions(trust=True, known=tmp_path / "known_servers.json")
    KnownServers(options.known).remember("chat.example.org:5050", "AB:CD")
    return options


def test_it_is_kept_for_its_server(tmp_path: Path, trusting: TlsOptions) -> None:
    """However the address is written; in a file that only the user can read."""
    path = tmp_path / "data" / "server_passwords.json"
    ServerPasswords(trusting, path).keep("Chat.Example.org", 5050, "ses ame")
    kept = ServerPasswords(trusting, path)
    assert kept.find(*CHAT) == "ses ame"
    assert kept.find("chat.example.org", 5051) is kept.find("localhost", 5050) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    kept.forget(*CHAT)
    assert kept.find(*CHAT) is None and b"ses" not in path.read_bytes()


def test_another_certificate_does_not_get_it(tmp_path: Path, trusting: TlsOptions) -> None:
    """Nor does a server of which nothing is known, or for which somebody else vouches."""
    path = tmp_path / "server_passwords.json"
    ServerPasswords(trusting, path).keep(*CHAT, "sesame")
    for other in (TlsOptions(), TlsOptions(tmp_path / "ca.pem"), None):
        assert ServerPasswords(other, path).find(*CHAT) is None
    known = KnownServers(trusting.known)
    known.forget("chat.example.org:5050")
    assert ServerPasswords(trusting, path).find(*CHAT) is None
    known.remember("chat.example.org:5050", "EF:01")
    assert ServerPasswords(trusting, path).find(*CHAT) is None


@pytest.mark.parametrize("options", [TlsOptions(), TlsOptions(Path("ca.pem"))])
def test_an_authority_vouches_for_the_name(tmp_path: Path, options: TlsOptions) -> None:
    """A renewed certificate is the same server."""
    path = tmp_path / "server_passwords.json"
    ServerPasswords(options, path).keep(*CHAT, "sesame")
    assert ServerPasswords(options, path).find(*CHAT) == "sesame"


def test_nothing_is_kept_without_encryption(tmp_path: Path, trusting: TlsOptions) -> None:
    """Nor with a server that is not trusted."""
    path = tmp_path / "server_passwords.json"
    ServerPasswords(None, path).keep(*CHAT, "sesame")
    ServerPasswords(trusting, path).keep("localhost", 5050, "sesame")
    assert not path.exists()


def test_what_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "server_passwords.json"
    kept = ServerPasswords(TlsOptions(), path)
    kept.keep(*CHAT, "sesame")
    os.chmod(path, 0o644)
    assert kept.find(*CHAT) is None


def test_the_latest_ones_are_kept(tmp_path: Path) -> None:
    """A bound for the file."""
    kept = ServerPasswords(TlsOptions(), tmp_path / "server_passwords.json")
    path = tmp_path / "server_passwords.json"
    for name in ("first", "host0", "host1", "host2"):
        kept.keep(name, 5050, "x")
    kept.keep("first", 5050, "y")
    assert list(kept._read()) == ["host0:5050", "host1:5050", "host2:5050", "first:5050"]
    many = {f"h{number}:1": {"trust": "t", "password": "p"} for number in range(KEPT_SERVER_PASSWORDS)}
    path.write_bytes(_encode(many))
    kept.keep("last", 5050, "x")
    assert len(kept._read()) == KEPT_SERVER_PASSWORDS and "h0:1" not in kept._read()


@given(data=st.binary(max_size=60) | st.sampled_from([b"[]", b'{"version": 1, "passwords": {"a": 1}}', b"7"]))
def test_any_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """What is none of ours holds no password; the user is asked, and a new one takes its place."""
    path = tmp_path_factory.getbasetemp() / "server_passwords.json"
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    kept = ServerPasswords(TlsOptions(), path)
    assert kept.find(*CHAT) is None
    kept.keep(*CHAT, "sesame")
    assert kept.find(*CHAT) == "sesame"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """It is a convenience: nobody is bothered."""
    (tmp_path / "file").touch()
    kept = ServerPasswords(TlsOptions(), tmp_path / "file" / "server_passwords.json")
    kept.keep(*CHAT, "sesame")
    kept.forget(*CHAT)
    assert kept.find(*CHAT) is None
