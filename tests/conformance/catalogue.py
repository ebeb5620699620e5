"""All checks."""

from __future__ import annotations

from tests.conformance import (  # noqa: F401  they register their checks
    client_channels,
    client_moderation,
    client_packets,
    client_resume,
    client_talk,
    server_accounts,
    server_alive,
    server_channels,
    server_classroom,
    server_direct,
    server_durable,
    server_erasing,
    server_guard,
    server_handshake,
    server_lines,
    server_moderation,
    server_names,
    server_packets,
    server_past,
    server_people,
    server_resume,
    server_rights,
    server_talk,
    server_whole,
)
from tests.conformance.check import CHECKS, Check, Level, Role


def checks_for(role: Role, level: Level, only: str = "") -> list[Check]:
    """The checks of a program up to a level. only: a rule, or a part of the name; gates always come along."""
    return [
        check
        for check in CHECKS
        if check.role is role
        and check.level <= level
        and (not only or check.gate or only in check.rules or only in check.name)
    ]
