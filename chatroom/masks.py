"""Masks: whom an entry of a list means that names no person. A name, or where somebody comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from chatroom.limits import MASK_BITS

_NAME, _NETWORK = "name ", "net "


def name_mask(name_key: str) -> str:
    """Whoever has a name with this key."""
    return _NAME + name_key


def network_mask(network: str) -> str:
    """Whoever comes from there. network: as network_of() or checked_network() returns it"""
    return _NETWORK + network


def is_mask(text: object) -> bool:
    """Whether it is a mask as name_mask() or network_mask() writes it. An entry may hold anything."""
    if not isinstance(text, str):
        return False
    if text.startswith(_NETWORK):
        return _bounds(text.removeprefix(_NETWORK)) is not None
    return text.startswith(_NAME) and len(text) > len(_NAME)


def is_network_mask(mask: str) -> bool:
    """Whether it means a network, and not a name."""
    return mask.startswith(_NETWORK)


def checked_network(text: str) -> str:
    """A network that somebody has typed, as masks write it: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32.

    Of IPv6 an address means its /64, without a zone, as in network_of(). IPv4 inside IPv6 counts as IPv4.
    "": it is none, or wider than MASK_BITS allows.
    """
    try:
        network = ip_network(_ZONE.sub("", text.strip("[]")), strict=False)
    except ValueError:
        return ""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        network = IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - _MAPPED_BITS))
    if network.prefixlen < MASK_BITS[network.version]:
        return ""
    if isinstance(network, IPv6Network) and network.prefixlen > _IPV6_LEAST:
        network = network.supernet(new_prefix=_IPV6_LEAST)
    whole = isinstance(network, IPv4Network) and network.prefixlen == network.max_prefixlen
    return str(network.network_address if whole else network)


def covers(mask: str, network: str) -> bool:
    """Whether a mask of a network means this one, as network_of() returns it."""
    own, other = _bounds(mask.removeprefix(_NETWORK)), _bounds(network)
    if own is None or other is None:
        return mask == network_mask(network)
    version, first, bits = own
    return version == other[0] and bits <= other[2] and _cut(version, other[1], bits) == first


class Networks:
    """Masks of networks. To find one that covers a network takes as long as there are different widths."""

    def __init__(self) -> None:
        self._masks: dict[tuple[int, int], dict[int, str]] = {}  # by version and bits, by the first address

    def add(self, mask: str) -> None:
        """Add a mask for which is_mask() is true."""
        bounds = _bounds(mask.removeprefix(_NETWORK))
        assert bounds is not None
        version, first, bits = bounds
        self._masks.setdefault((version, bits), {})[first] = mask

    def remove(self, mask: str) -> None:
        """Remove a mask that is there."""
        bounds = _bounds(mask.removeprefix(_NETWORK))
        assert bounds is not None
        version, first, bits = bounds
        of_width = self._masks[version, bits]
        del of_width[first]
        if not of_width:
            del self._masks[version, bits]

    def covering(self, network: str) -> Iterator[str]:
        """The masks that mean the network, the narrowest first. network: as network_of() returns it"""
        bounds = _bounds(network) if self._masks else None
        if bounds is None:
            return
        version, first, _ = bounds
        for of_version, bits in sorted(self._masks, reverse=True):
            if of_version != version:  # an IPv4 address has fewer bits than most networks of IPv6
                continue
            mask = self._masks[of_version, bits].get(_cut(version, first, bits))
            if mask is not None:
                yield mask


_IPV6_LEAST: Final = 64
_MAPPED_BITS: Final = 96
_MAPPED: Final = IPv6Network(f"::ffff:0:0/{_MAPPED_BITS}")
_ZONE: Final = re.compile("%[^/]*")  # names an interface of the machine that reads it


@lru_cache(1024)
def _bounds(network: str) -> tuple[int, int, int] | None:
    """Version, first address and bits of a network; None: it is the name of no network."""
    try:
        found = ip_network(network)
    except ValueError:
        return None
    return found.version, int(found.network_address), found.prefixlen


def _cut(version: int, address: int, bits: int) -> int:
    """The first address of the network of so many bits in which the address is."""
    rest = (32 if version == 4 else 128) - bits
    return address >> rest << rest
