"""Outcomes: their codes are part of the protocol."""

from __future__ import annotations

from chatroom.outcomes import RETURNING, Code


def test_code_numbers_are_kept() -> None:
    """Clients know the codes by their numbers: one may be added, none may change."""
    kept = {
        "OK": 0,
        "ALREADY": 1,
        "NOT_IN": 10,
        "NO_SUCH_CHANNEL": 11,
        "NO_SUCH_NAME": 12,
        "NO_SUCH_COMMAND": 13,
        "NO_SUCH_MESSAGE": 14,
        "BAD_ARGUMENTS": 15,
        "NEED_ROLE": 20,
        "NEED_LOGIN": 21,
        "NEED_ENCRYPTION": 22,
        "BAD_PASSWORD": 23,
        "BANNED": 24,
        "MUTED": 25,
        "INVITE_ONLY": 26,
        "BAD_KEY": 27,
        "FULL": 30,
        "SLOW_DOWN": 31,
        "TOO_LONG": 32,
        "TOO_MANY": 33,
        "TOO_LATE": 34,
        "BAD_NAME": 40,
        "NAME_TAKEN": 41,
        "NAME_HELD": 42,
        "UNAVAILABLE": 50,
        "BAD_VERSION": 60,
        "PROTOCOL_ERROR": 61,
        "EXPIRED": 62,
        "TAKEN_OVER": 63,
        "STOPPING": 64,
        "TOO_SLOW": 65,
        "SILENT": 66,
        "KICKED": 67,
        "GOODBYE": 68,
    }
    assert kept.items() <= {code.name: int(code) for code in Code}.items()


def test_who_comes_back_by_itself() -> None:
    """A client comes back after troubles that pass, and not against somebody's will."""
    passing = {Code.SLOW_DOWN, Code.TOO_MANY}
    passing |= {Code.FULL, Code.STOPPING, Code.TOO_SLOW, Code.SILENT, Code.EXPIRED, Code.UNAVAILABLE}
    assert passing == RETURNING
