"""client/tokens.py"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ConfigError
from client.limits import KEPT_TOKENS, SERVER_TOKENS, TOKEN_FILE_BYTES, TOKENS_TRIED
from client.tokens import TokenFile, default_path
from tests.client.pseudo_terminal import ROOT
from tests.support.patience import PATIENCE
from tests.support.tasks import run_all

HISTORY, OTHER = b"h" * 16, b"o" * 16


def token(number: int) -> bytes:
    return bytes([number]) * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file, in a folder that is not there yet."""
    return tmp_path / "data" / "tokens.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keeping_and_finding(path: Path) -> None:
    """A token is found under the server's address and any way of writing the name."""
    assert TokenFile(path, "localhost", 5050).find("dora") == []
    assert not path.parent.exists()
    TokenFile(path, "LocalHost", 5050).keep("Dora", HISTORY, token(1))
    assert TokenFile(path, "localhost", 5050).find("DORA") == [token(1)]
    assert TokenFile(path, "localhost", 5051).find("dora") == []
    assert TokenFile(path, "localhost", 5050).find("dor") == []


def test_only_the_owner_may_read_it(path: Path) -> None:
    """The file is 0600 and its folder 0700, whatever the umask."""
    before = os.umask(0)
    try:
        TokenFile(path, "localhost", 5050).keep("dora", HISTORY, token(1))
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert os.listdir(path.parent) == ["tokens.json"]


def test_a_new_token_takes_the_place_of_the_old(path: Path) -> None:
    """Of each history one token is kept; the latest is tried first, and not too many are."""
    tokens = TokenFile(path, "localhost", 5050)
    tokens.keep("dora", HISTORY, token(1))
    tokens.keep("dora", OTHER, token(2))
    assert tokens.find("dora") == [token(2), token(1)]
    tokens.keep("dora", HISTORY, token(3))
    assert tokens.find("dora") == [token(3), token(2)]
    for number in range(9):
        tokens.keep("dora", token(number)[:16], token(number))
    assert tokens.find("dora") == [token(8), token(7), token(6)][:TOKENS_TRIED]


def test_forgetting(path: Path) -> None:
    """Only the token of that account and history goes; what is not there needs no writing."""
    tokens = TokenFile(path, "localhost", 5050)
    tokens.forget("dora", HISTORY)
    assert not path.exists()
    tokens.keep("dora", HISTORY, token(1))
    tokens.keep("ann", HISTORY, token(2))
    tokens.forget("dora", OTHER)
    tokens.forget("Dora", HISTORY)
    assert (tokens.find("dora"), tokens.find("ann")) == ([], [token(2)])


def test_the_file_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are too many tokens, the oldest go."""
    monkeypatch.setattr("client.tokens.KEPT_TOKENS", 3)
    tokens = TokenFile(path, "localhost", 5050)
    for number in range(5):
        tokens.keep(f"name{number}", HISTORY, token(number))
    assert [tokens.find(f"name{number}") != [] for number in range(5)] == [False, False, True, True, True]


def test_the_largest_file_can_be_read() -> None:
    """As many tokens as are kept, with the longest names, are not taken for another file."""
    row = {"server": "h" * 255, "history": "0" * 32, "name": "\\u1234" * 24, "token": "0" * 64}
    assert len(json.dumps(row, indent=1)) * KEPT_TOKENS < TOKEN_FILE_BYTES


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff",
    b"[" * 100_000,
    b'{"version": 1}',
    b'{"version": 1, "tokens": 5}',
    b'{"version": 1, "tokens": [5]}',
    b'{"version": 1, "tokens": [{"server": "x", "history": "x", "name": "x", "token": "00"}]}',
    b'{"version": 2, "tokens": []}',
    b" " * (TOKEN_FILE_BYTES + 1),
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_told_and_left_as_it_is(path: Path, content: bytes) -> None:
    """One line says which file cannot be used; nothing writes over what its owner may want to mend."""
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    tokens = TokenFile(path, "localhost", 5050)
    for use in (lambda: tokens.find("dora"), lambda: tokens.keep("dora", HISTORY, token(1))):
        with pytest.raises(ConfigError, match=str(path)) as refused:
            use()
        assert "\n" not in str(refused.value)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == ["tokens.json"]


@given(st.binary(max_size=200))
def test_any_content_is_an_error_or_a_list(content: bytes) -> None:
    """Whatever is in the file, nothing but ConfigError comes of it."""
    from client.tokens import _decode

    try:
        assert isinstance(_decode(content, Path("x")), list)
    except ConfigError:
        pass


def test_a_file_that_others_may_read_is_not_used(path: Path) -> None:
    """As with a key: whoever could read it could log in."""
    tokens = TokenFile(path, "localhost", 5050)
    tokens.keep("dora", HISTORY, token(1))
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        tokens.find("dora")


def test_what_the_system_refuses_is_told(tmp_path: Path) -> None:
    """A folder that is a file, a file that is a folder: one line each."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be used"):
        TokenFile(tmp_path / "file" / "tokens.json", "localhost", 5050).keep("dora", HISTORY, token(1))
    with pytest.raises(ConfigError, match="cannot be used: is a directory"):
        TokenFile(tmp_path, "localhost", 5050).find("dora")


def test_a_write_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a full disk the tokens of before are still there."""
    tokens = TokenFile(path, "localhost", 5050)
    tokens.keep("dora", HISTORY, token(1))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="no space left"):
            tokens.keep("dora", HISTORY, token(2))
    assert tokens.find("dora") == [token(1)]
    tokens.keep("dora", HISTORY, token(3))
    assert os.listdir(path.parent) == ["tokens.json"]


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """A file that lies elsewhere, behind a link, is written there."""
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere.json")
    TokenFile(path, "localhost", 5050).keep("dora", HISTORY, token(1))
    assert path.is_symlink()
    assert TokenFile(tmp_path / "elsewhere.json", "localhost", 5050).find("dora") == [token(1)]


def test_several_writers_lose_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What eight writers keep at once is all there in the end."""
    monkeypatch.setattr("client.data_folder.LOCK_SECONDS", PATIENCE)

    def write(number: int) -> None:
        for account in range(5):
            TokenFile(path, "localhost", 5050).keep(f"a{number}.{account}", HISTORY, token(number))

    run_all(*(lambda number=number: write(number) for number in range(8)))  # type: ignore[misc]
    tokens = TokenFile(path, "localhost", 5050)
    assert all(tokens.find(f"a{number}.{account}") for number in range(8) for account in range(5))


@pytest.mark.slow
def test_several_programs_lose_nothing(path: Path) -> None:
    """The same with processes."""
    code = (
        "import sys; from pathlib import Path; from client.tokens import TokenFile\n"
        "for n in range(10): TokenFile(Path(sys.argv[1]), 'localhost', 5050)"
        ".keep(f'{sys.argv[2]}{n}', b'h' * 16, b't' * 32)"
    )
    programs = [subprocess.Popen([sys.executable, "-c", code, path, name], cwd=ROOT) for name in "abcd"]
    assert [program.wait() for program in programs] == [0] * 4
    tokens = TokenFile(path, "localhost", 5050)
    assert all(tokens.find(f"{name}{number}") for name in "abcd" for number in range(10))


def test_a_program_that_keeps_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was stopped while it writes is not waited for without end; reading needs no lock."""
    monkeypatch.setattr("client.data_folder.LOCK_SECONDS", 0.02)
    tokens = TokenFile(path, "localhost", 5050)
    tokens.keep("dora", HISTORY, token(1))
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="another program"):
            tokens.keep("dora", HISTORY, token(2))
        assert tokens.find("dora") == [token(1)]
    finally:
        os.close(descriptor)


def test_where_the_file_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In XDG_DATA_HOME if that is an absolute path, else below the home."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path() == tmp_path / "chatroom" / "tokens.json"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".local" / "share" / "chatroom" / "tokens.json"


def test_no_token_is_shown(path: Path) -> None:
    """Neither the object nor what it reads shows a token to whoever prints it."""
    tokens = TokenFile(path, "localhost", 5050)
    tokens.keep("dora", HISTORY, b"secret" * 5)
    assert "localhost:5050" in repr(tokens)
    assert "secret" not in repr(tokens) + repr(tokens._read())


def test_no_server_pushes_out_the_tokens_of_others(path: Path) -> None:
    """Of one server the latest SERVER_TOKENS are kept, however many accounts it names."""
    TokenFile(path, "localhost", 5050).keep("dora", HISTORY, token(1))
    evil = TokenFile(path, "evil.example", 5050)
    for number in range(SERVER_TOKENS + 5):
        evil.keep(f"name{number}", HISTORY, token(2))
    assert TokenFile(path, "localhost", 5050).find("dora") == [token(1)]
    found = [number for number in range(SERVER_TOKENS + 5) if evil.find(f"name{number}")]
    assert found == list(range(5, SERVER_TOKENS + 5))
