"""The search for secrets finds each way of writing them, and only where they must not be."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tests.chaos.leaks import SECRETS, leaked, search
from tests.chaos.wallet import Wallet
from tests.chaos.wrongs import Wrong

TOKEN = "0a5c27ff80" * 6
CODE = "ABCD-EFGH-IJKL-MNOP"


@pytest.mark.parametrize(
    "data",
    [
        TOKEN.encode(),
        TOKEN.upper().encode(),
        bytes.fromhex(TOKEN),
        repr(bytes.fromhex(TOKEN)).encode(),
        pickle.dumps({"token": bytes.fromhex(TOKEN)}),
    ],
)
def test_a_token_however_it_is_written(data: bytes) -> None:
    assert leaked(b"before" + data + b"after", [TOKEN, CODE]) == [TOKEN]


def test_a_code_with_and_without_its_dashes() -> None:
    assert leaked(b"/recover ann ABCDEFGHIJKLMNOP new", [TOKEN, CODE]) == [CODE]
    assert leaked(b"/recover ann ABCD-EFGH-IJKL-MNOP new", [TOKEN, CODE]) == [CODE]
    assert leaked(b"ABCD EFGH", [TOKEN, CODE]) == []


def test_every_file_is_searched(tmp_path: Path) -> None:
    """But those that are made to hold secrets."""
    (tmp_path / SECRETS).mkdir()
    (tmp_path / "disk").mkdir()
    Wallet(tmp_path / SECRETS, "ann").note(TOKEN)
    apart = tmp_path / "disk" / "code"
    apart.write_text(TOKEN)
    assert list(search(tmp_path, "now", [apart])) == []
    (tmp_path / "disk" / "log").write_text(f"< {TOKEN}")
    (violation,) = search(tmp_path, "now", [apart])
    assert violation == (Wrong.LEAKED, "disk/log, now", (TOKEN,))
