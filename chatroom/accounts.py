"""Accounts: names that belong to somebody, and by what their owners are known again. A part of the state."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from chatroom.bounds import Limits
from chatroom.ledger import Ledger
from chatroom.records import Record

PASSWORD = "password"
DEVICE = "device"


@dataclass(slots=True)
class Credential:
    """By what an owner is known again.

    kind:   PASSWORD, or DEVICE: a token that a program of the owner's keeps
    secret: what is stored of it, never the password or token itself
    label:  of a device, for its owner
    made, used: when it was made, and when it was used last, in milliseconds since 1970
    """

    kind: str
    secret: str = field(repr=False)
    label: str
    made: int
    used: int


@dataclass(slots=True)
class Account:
    """A name that belongs to a person.

    name_key:    as name_key() returns it
    person:      whose it is
    name:        as written
    skeletons:   what the name looks like
    credentials: the password and the devices; none while the name is only kept for an owner
    networks:    of the latest logins, the latest one last
    network:     from which it was registered, "": by whoever runs the server
    seen:        when its owner logged in last, in milliseconds since 1970
    since:       when the person came that registered it, in milliseconds since 1970; 0: nobody knows
    """

    name_key: str
    person: int
    name: str
    skeletons: tuple[str, ...]
    credentials: list[Credential] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    network: str = ""
    seen: int = 0
    since: int = 0

    def credential(self, secret: str, kind: str = "") -> Credential | None:
        """The credential with this secret, of one kind or of any. What differs does not show in the time."""
        same = [one for one in self.credentials if is_same(one.secret, secret)]
        return next((one for one in same if kind in ("", one.kind)), None)

    def secrets(self, kind: str) -> list[str]:
        """The secrets of one kind."""
        return [one.secret for one in self.credentials if one.kind == kind]

    def device(self, secret: str) -> str:
        """The label of a device; "" of one that is not known."""
        found = self.credential(secret, DEVICE)
        return found.label if found else ""

    def record(self) -> Record:
        value = asdict(self)
        del value["name_key"]
        return Record("account", self.name_key, json.dumps(value, separators=(",", ":")))


def is_same(secret: str, other: str) -> bool:
    """Whether two secrets are the same. The time does not depend on where they differ."""
    return hmac.compare_digest(*(each.encode(errors="surrogatepass") for each in (secret, other)))


class Accounts:
    """All accounts."""

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._by_key: dict[str, Account] = {}
        self._by_person: dict[int, Account] = {}
        self._by_look: dict[str, dict[str, Account]] = {}  # by skeleton, by name_key
        self._registered: dict[str, int] = {}  # by network: how many accounts come from there

    # --- reading --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._by_key)

    def of(self, person: int) -> Account | None:
        """The account of a person."""
        return self._by_person.get(person)

    def named(self, name_key: str) -> Account | None:
        """The account to which this name belongs."""
        return self._by_key.get(name_key)

    def alike(self, skeletons: Iterable[str]) -> list[Account]:
        """The accounts whose names look like this, in order of their keys."""
        found = {key: one for look in skeletons for key, one in self._by_look.get(look, {}).items()}
        return [found[key] for key in sorted(found)]

    def proven(self, name_key: str, proof: str) -> Account | None:
        """The account to which this name belongs, if it has a credential with this secret now."""
        account = self._by_key.get(name_key)
        return account if account is not None and account.credential(proof) else None

    def is_full(self) -> bool:
        """Whether there are as many accounts as may be."""
        return len(self) >= self._limits.accounts

    def is_full_of(self, network: str) -> bool:
        """Whether as many accounts come from the network as may."""
        return self._registered.get(network, 0) >= self._limits.accounts_of_network

    # --- changing -------------------------------------------------------------------------------------------

    def add(self, account: Account) -> None:
        """Let the name belong to the person. Requires that nobody owns the name, and the person no other."""
        self._take(account)
        self.keep(account)

    def _take(self, account: Account) -> None:
        self._by_key[account.name_key] = self._by_person[account.person] = account
        for look in account.skeletons:
            self._by_look.setdefault(look, {})[account.name_key] = account
        if account.network:
            self._registered[account.network] = self._registered.get(account.network, 0) + 1

    def remove(self, account: Account) -> None:
        """The name belongs to nobody any more."""
        del self._by_key[account.name_key], self._by_person[account.person]
        for look in account.skeletons:
            of_look = self._by_look[look]
            del of_look[account.name_key]
            if not of_look:
                del self._by_look[look]
        if account.network:
            self._registered[account.network] -= 1
            if not self._registered[account.network]:
                del self._registered[account.network]
        self._ledger.change("account", account.name_key, None)

    def keep(self, account: Account) -> None:
        """Store what the account is at the end of this entry."""
        self._ledger.change("account", account.name_key, account.record)

    def log_in(self, account: Account, proof: str, network: str) -> str:
        """Note a login. The secret of the device by which its owner came, "": by password."""
        now, used = self._ledger.time, account.credential(proof)
        assert used is not None
        used.used = account.seen = now
        if network in account.networks:
            account.networks.remove(network)
        account.networks.append(network)
        del account.networks[: -self._limits.login_networks]
        self.keep(account)
        return used.secret if used.kind == DEVICE else ""

    def set_password(self, account: Account, secret: str) -> None:
        """Let this be the only credential: devices that remember an earlier password are forgotten."""
        account.credentials = [Credential(PASSWORD, secret, "", self._ledger.time, self._ledger.time)]
        self.keep(account)

    def add_device(self, account: Account, secret: str, label: str) -> None:
        """Remember a device. When there are too many, the one that was not used for the longest time goes."""
        now = self._ledger.time
        account.credentials.append(Credential(DEVICE, secret, label, now, now))
        devices = [one for one in account.credentials if one.kind == DEVICE]
        if len(devices) > self._limits.devices:
            account.credentials.remove(min(devices[:-1], key=lambda one: (one.used, one.made, one.secret)))
        self.keep(account)

    def remove_device(self, account: Account, secret: str) -> None:
        """Forget a device, if the account has it."""
        found = account.credential(secret, DEVICE)
        if found is not None:
            account.credentials.remove(found)
            self.keep(account)

    # --- records --------------------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All accounts."""
        return [account.record() for account in self._by_key.values()]

    def restore(self, record: Record) -> None:
        """Take an account that was stored."""
        stored = json.loads(record.value or "{}")
        value = {name: stored[name] for name in _FIELDS if name in stored}
        value["skeletons"] = tuple(value["skeletons"])
        value["credentials"] = [
            Credential(**{name: one[name] for name in Credential.__slots__}) for one in value["credentials"]
        ]
        self._take(Account(record.key, **value))


_FIELDS = tuple(name for name in Account.__slots__ if name != "name_key")
