"""How many connections the server takes, in all and from one address."""

from __future__ import annotations

import resource
from typing import NamedTuple

from chatroom.errors import ConfigError
from server.limits import (
    ADDRESS_GUESTS,
    ADDRESS_MEMBERS,
    ADDRESS_RATE,
    GUEST_DESCRIPTORS,
    MAX_HANDSHAKES,
    MAX_REFUSED,
    RESERVED_DESCRIPTORS,
)

_FEWEST = 16  # descriptors for connections without which a server makes no sense


class Quotas(NamedTuple):
    """How many connections may be there.

    members:         of members, in all; 0: as many as the descriptors allow, see within()
    address_members: of members, from one address
    address_guests:  in the handshake, from one address
    address_rate:    new ones a second from one address; for a moment BURST_SECONDS times as many
    guests:          in the handshake, in all
    refused:         that were refused and have not closed yet
    """

    members: int = 0
    address_members: int = ADDRESS_MEMBERS
    address_guests: int = ADDRESS_GUESTS
    address_rate: int = ADDRESS_RATE
    guests: int = MAX_HANDSHAKES
    refused: int = MAX_REFUSED

    def within(self, descriptors: int) -> Quotas:
        """The quotas that so many descriptors are enough for. Raises ConfigError.

        Some are kept for what is not a connection, so that history and admissions work in a full chatroom.
        By default no address gets all that the descriptors allow.
        """
        usable = descriptors - RESERVED_DESCRIPTORS
        if usable < _FEWEST:
            raise ConfigError(
                f"the system allows only {descriptors} descriptors; at least {RESERVED_DESCRIPTORS + _FEWEST}"
                " are needed (ulimit -n)"
            )
        guests = min(self.guests, usable // 8)
        refused = min(self.refused, usable // 16)
        members = usable - GUEST_DESCRIPTORS * guests - refused
        if self.members > members:
            raise ConfigError(
                f"{self.members} members need more than {descriptors} descriptors, which are enough"
                f" for {members} (ulimit -n)"
            )
        if self.members:
            from_one = min(self.address_members, self.members)
        else:
            from_one = _share(self.address_members, ADDRESS_MEMBERS, members)
        return self._replace(
            members=self.members or members,
            address_members=from_one,
            address_guests=_share(self.address_guests, ADDRESS_GUESTS, guests),
            guests=guests,
            refused=refused,
        )


def _share(wanted: int, default: int, whole: int) -> int:
    """What one address gets of the whole: by default not all, but all if the operator says so."""
    return min(wanted, whole if wanted > default else max(1, whole * 3 // 4))


DEFAULT = Quotas()


def descriptors() -> int:
    """How many descriptors this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MANY_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


MANY_DESCRIPTORS = 1 << 20
"""Taken where the system sets no limit."""
