"""The secrets of an owner, shared between her programs."""

from __future__ import annotations

from pathlib import Path
from random import Random

from client import TokenFile
from tests.chaos.wallet import Wallet, known_secrets
from tests.support.tasks import Task


def test_what_is_changed_is_read_elsewhere(tmp_path: Path) -> None:
    """Several programs change it at once, and nothing gets lost."""

    def add(program: int) -> None:
        for number in range(20):
            with Wallet(tmp_path, "ann").change() as known:
                known.stale.codes.append(f"{program}/{number}")

    tasks = [Task(lambda program=program: add(program)) for program in range(3)]  # type: ignore[misc]
    for task in tasks:
        task.result()
    assert len(set(Wallet(tmp_path, "ann").read().stale.codes)) == 60
    assert not Wallet(tmp_path, "bob").read().registered


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path, "ann")
    try:
        with wallet.change() as known:
            known.registered = True
            raise OSError
    except OSError:
        pass
    assert not wallet.read().registered


def test_all_secrets_are_known(tmp_path: Path) -> None:
    """Passwords by their core, which no way of writing changes, and the tokens that the client keeps."""
    wallet = Wallet(tmp_path, "ann")
    password = wallet.new_password(Random(1))
    wallet.note("CODE")
    assert wallet.device() == ""
    TokenFile(wallet.tokens, "127.0.0.1", 5050).keep("ann", bytes(16), bytes(range(32)))
    assert wallet.device() == bytes(range(32)).hex()
    assert known_secrets(tmp_path) == sorted({password[:24], "CODE", wallet.device()})
