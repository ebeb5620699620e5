"""client/refusals.py"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chatroom.outcomes import Code
from chatroom.packets import Answer
from client.refusals import localized, refusal_words, why_removed, words_of
from tests.support.events import NOON


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def words(code: Code, text: str, *rows: object) -> str:
    return refusal_words(Answer(1, code, text, json.dumps(rows) if rows else ""), NOON, utc)


@pytest.mark.parametrize("code", Code)
def test_every_code_has_words(code: Code) -> None:
    """A server may send none; nobody has to know what a number means, unless it is a new one."""
    if code in (Code.OK, Code.ALREADY) or (code >= 60 and code is not Code.KICKED):
        return
    assert "code" not in words_of(code)
    assert words_of(99) == "refused (code 99)"


@pytest.mark.parametrize(
    ("code", "text", "rows", "expected"),
    [
        (
            Code.MUTED,
            "not said: you are muted",
            ("#lab", NOON + 600_000, "too loud"),
            "not said: you are muted in #lab for 10 minutes: too loud",
        ),
        (Code.MUTED, "you are muted", ("*", 0, ""), "you are muted in the whole chatroom"),
        (
            Code.MUTED,
            "muted",
            ("#lab", NOON + 7 * 86_400_000, ""),
            "you are muted in #lab until 2023-11-21 22:13",
        ),
        (Code.MUTED, "muted", ("#lab", NOON - 5000, ""), "you are muted in #lab"),
        (Code.MUTED, "muted", (7,), "muted"),
        (Code.MUTED, "muted", (), "muted"),
        (Code.SLOW_DOWN, "not said: slow", (NOON + 19_001,), "not said: slow; again in 20 s"),
        (Code.SLOW_DOWN, "", (NOON + 99_000, 20_000), "too fast; again in 20 s"),
        (Code.SLOW_DOWN, "again in 7 s", (NOON + 20_000,), "again in 7 s"),
        (Code.SLOW_DOWN, "slow", (NOON - 20_000,), "slow"),
        (Code.SLOW_DOWN, "slow", ("x",), "slow"),
        (Code.NEED_ROLE, "no voice", ("#lab", 2), "no voice"),
        (
            Code.BANNED,
            "you are banned from #lab until 2023-11-14 22:23 UTC: not until 2023-11-15 00:00 UTC",
            ("#lab", NOON + 600_000, "not until 2023-11-15 00:00 UTC"),
            "you are banned from #lab until 2023-11-14 22:23: not until 2023-11-15 00:00 UTC",
        ),
    ],
)
def test_refusals(code: Code, text: str, rows: tuple[object, ...], expected: str) -> None:
    """How long somebody is muted, and when a line may be said again; else what the server says."""
    assert words(code, text, *rows) == expected


def test_moments_are_those_of_the_readers_clock() -> None:
    """Each that is a number in the rows, also to the second; rows may be odd."""

    def east(milliseconds: int) -> datetime:
        return datetime.fromtimestamp(milliseconds / 1000, timezone(timedelta(hours=2)))

    told = "tea (by bob, 2023-11-14 22:13 UTC), now 2023-11-14 22:13:20 UTC"
    expected = "tea (by bob, 2023-11-15 00:13), now 2023-11-15 00:13:20"
    assert localized(told, ("tea", "bob", NOON), east) == localized(told, ([1, NOON],), east) == expected
    odd: list[tuple[object, ...]] = [(), (5,), (10**30,), ("x", None, [{}], {"a": NOON}), (True,)]
    assert all(localized(told, rows, east) == told for rows in odd)


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (Code.KICKED, "killed by ann: spam", "you were removed from the chatroom: killed by ann: spam"),
        (Code.KICKED, "you were removed", "you were removed"),
        (
            Code.KICKED,
            "an operator has ended your programs: spam",
            "an operator has ended your programs: spam",
        ),
        (Code.KICKED, "", "an operator has ended the connection"),
        (Code.BANNED, "you are banned: spam", "you are banned: spam"),
        (Code.BANNED, "", "you are banned"),
        (Code.STOPPING, "", "the server said goodbye"),
        (Code.STOPPING, "maintenance", "maintenance"),
    ],
)
def test_the_end_of_a_connection(code: Code, reason: str, expected: str) -> None:
    """One clear line, also when the server gives no reason."""
    assert why_removed(code, reason) == expected
