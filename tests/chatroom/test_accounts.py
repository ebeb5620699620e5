"""Accounts: by what their owners are known again, and what is stored of them."""

from __future__ import annotations

import json

import pytest

from chatroom.accounts import DEVICE, PASSWORD, Account, Accounts, Credential, is_same
from chatroom.bounds import Limits
from chatroom.ledger import Ledger
from chatroom.limits import MAX_ACCOUNTS, MAX_DEVICES, NETWORK_ACCOUNTS
from chatroom.records import Record

SECRET = "scrypt$14$8$1$00$11"


def account(name: str = "ann", person: int = 1, network: str = "") -> Account:
    return Account(name, person, name, (name, "same"), network=network)


class Book:
    """Accounts, and what was stored of them."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.ledger = Ledger()
        self.limits = limits or Limits()
        self.accounts = Accounts(self.ledger, self.limits)
        self.stored: dict[str, Record] = {}

    def restored(self) -> Accounts:
        self.stored.update((record.key, record) for record in self.ledger.take().records)
        again = Accounts(Ledger(), self.limits)
        for record in self.stored.values():
            if record.value is not None:
                again.restore(record)
        assert sorted(again.records()) == sorted(self.accounts.records())
        return again


@pytest.fixture
def book() -> Book:
    return Book()


def test_no_secret_is_shown(book: Book) -> None:
    """The representation of an account does not show a secret, not even the stored one."""
    ann = account()
    book.accounts.add(ann)
    book.accounts.set_password(ann, SECRET)
    book.accounts.add_device(ann, "token", "laptop")
    assert SECRET not in repr(ann) and "token" not in repr(ann) and "laptop" in repr(ann)


def test_secrets_are_compared_whole() -> None:
    """Secrets are the same when each character is; text that is no text is no error."""
    assert is_same(SECRET, SECRET) and is_same("ä", "ä") and is_same("\ud800", "\ud800")
    assert not is_same(SECRET, SECRET[:-1]) and not is_same("", "x") and not is_same("\ud800", "?")


def test_an_account_is_found(book: Book) -> None:
    """An account is found by its name, its person, and by what its name looks like, until it is removed."""
    ann, bob = account(), account("bob", 2)
    for each in (bob, ann):
        book.accounts.add(each)
    for accounts in (book.accounts, book.restored()):
        assert accounts.named("ann") == accounts.of(1) == ann and accounts.named("nobody") is None
        assert accounts.alike(("same", "ann")) == [ann, bob] and accounts.alike(("bob",)) == [bob]
    book.accounts.remove(ann)
    for accounts in (book.accounts, book.restored()):
        assert accounts.named("ann") is accounts.of(1) is None
        assert accounts.alike(("same",)) == [bob] and len(accounts) == 1


def test_the_devices_of_an_account(book: Book) -> None:
    """Devices come beside the password, and go when it is set anew."""
    ann = account()
    book.accounts.add(ann)
    book.accounts.set_password(ann, SECRET)
    book.accounts.add_device(ann, "token", "laptop")
    assert (ann.secrets(PASSWORD), ann.secrets(DEVICE)) == ([SECRET], ["token"])
    assert ann.credential("token", PASSWORD) is None and ann.credential("token") is not None
    assert book.accounts.proven("ann", "token") is book.accounts.proven("ann", SECRET) is ann
    book.accounts.remove_device(ann, SECRET), book.accounts.remove_device(ann, "other")
    assert len(ann.credentials) == 2
    book.accounts.remove_device(ann, "token")
    assert book.accounts.proven("ann", "token") is None
    book.accounts.add_device(ann, "token", "laptop")
    book.accounts.set_password(ann, "other")
    assert book.restored().proven("ann", "token") is None and ann.secrets(PASSWORD) == ["other"]


def test_the_device_that_rested_longest_goes(book: Book) -> None:
    """With one device too many, the one goes that was used least lately; never the new one."""
    ann = account()
    book.accounts.add(ann)
    for number in range(MAX_DEVICES):
        book.ledger.time = 100 - number
        book.accounts.add_device(ann, f"token {number}", "x")
    book.accounts.log_in(ann, f"token {MAX_DEVICES - 1}", "")
    book.ledger.time = 1  # the clock was set back
    book.accounts.add_device(ann, "new", "x")
    left = {f"token {number}" for number in range(MAX_DEVICES)} - {f"token {MAX_DEVICES - 1}"}
    assert set(ann.secrets(DEVICE)) == left | {"new"}


def test_the_networks_of_an_account() -> None:
    """The latest networks are remembered, each once, the latest one last."""
    book = Book(Limits(login_networks=2))
    ann = account()
    book.accounts.add(ann)
    book.accounts.set_password(ann, SECRET)
    for network in ("a", "b", "a", "c"):
        assert book.accounts.log_in(ann, SECRET, network) == ""
    assert ann.networks == ["a", "c"]
    book.restored()


def test_the_accounts_of_a_network() -> None:
    """Accounts count for the network from which they were registered, also after a start."""
    book = Book(Limits(accounts=3, accounts_of_network=2))
    for number, network in enumerate(("a", "", "a")):
        assert not book.accounts.is_full_of("a") and not book.accounts.is_full()
        book.accounts.add(account(f"m{number}", number, network))
    for accounts in (book.accounts, book.restored()):
        assert accounts.is_full_of("a") and accounts.is_full() and not accounts.is_full_of("")
    first = book.accounts.of(0)
    assert first is not None
    book.accounts.remove(first)
    assert not book.restored().is_full_of("a") and not book.accounts.is_full()
    assert (Limits().accounts, Limits().accounts_of_network) == (MAX_ACCOUNTS, NETWORK_ACCOUNTS)


def test_a_record_of_another_version() -> None:
    """A record that lacks fields, or has some that this version does not know, is taken."""
    value = {"person": 3, "name": "Ann", "skeletons": ["ann"], "credentials": [], "colour": "red"}
    accounts = Accounts(Ledger(), Limits())
    accounts.restore(Record("account", "ann", json.dumps(value)))
    assert accounts.of(3) == Account("ann", 3, "Ann", ("ann",))


def test_a_credential_is_stored_whole(book: Book) -> None:
    """Kind, secret, label and times of each credential are in the record."""
    book.ledger.time = 5
    ann = account()
    book.accounts.add(ann)
    book.accounts.add_device(ann, "token", "läptop")
    found = book.restored().of(1)
    assert found is not None and found.credentials == [Credential(DEVICE, "token", "läptop", 5, 5)]
