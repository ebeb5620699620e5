"""A link-local IPv6 address of this machine."""

from __future__ import annotations

from ipaddress import IPv6Address
from pathlib import Path

import pytest

_FLAGS, _UNUSABLE = 4, 0x48
"""The column of the flags in /proc/net/if_inet6; the flags of an address that is tentative or a duplicate."""


def link_local() -> tuple[str, int]:
    """A link-local address and the number of its interface; skips the test on a machine that has none."""
    table = Path("/proc/net/if_inet6")
    for line in table.read_text().splitlines() if table.exists() else ():
        words = line.split()
        if words[0].startswith("fe80") and not int(words[_FLAGS], 16) & _UNUSABLE:
            return str(IPv6Address(bytes.fromhex(words[0]))), int(words[1], 16)
    pytest.skip("this machine has no link-local address")
