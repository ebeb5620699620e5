"""The judge of presence, where a person has several programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.chaos.ownership import Owners
from tests.chaos.records import Change, Connect, Entry, Life
from tests.chaos.stays import Presence
from tests.chaos.test_checker import log
from tests.chaos.wrongs import Wrong

HOLD = 1500
"""Milliseconds; the events of a log are one second apart."""

HERS = ("ann joined", "ann account: ann", "ann: a1", "ann: b1")
"""Ann has registered, and talks with two programs."""


def programs(**more: Any) -> list[Life]:
    """Those of ann."""
    one = Life("ann", said=["a1", "a2"], account="ann", program="ann-a")
    other = Life("ann", said=["b1", "b2"], account="ann", program="ann-b", **more)
    return [one, other]


def wrongs(history: Sequence[Entry], lives: Sequence[Life]) -> set[Wrong]:
    presence = Presence(history, lives, HOLD, Owners(history, lives))
    return {violation.wrong for violation in presence.judge()}


def elsewhere(line: Entry) -> Entry:
    return line._replace(channel="#other")


def test_the_first_one_joins_and_the_last_one_quits() -> None:
    """One program leaves, the other goes on: no event. The quit comes when the last one's time is over."""
    history = log(*HERS, "ann: a2", "bob joined", "ann quit: silent")
    assert wrongs(history, programs(left=True)) == set()


def test_a_quit_with_the_first_one() -> None:
    """What the other program says after that is done by somebody who is not there."""
    history = log(*HERS, "ann quit", "ann: a2")
    assert Wrong.ABSENT in wrongs(history, programs(left=True))


def test_a_place_is_held_for_each_program() -> None:
    """A quit is hasty when one of the programs was there a moment ago, and has not left by itself."""
    history = log(*HERS, "ann quit")
    assert wrongs(history, programs()) == {Wrong.HASTY}
    assert wrongs(history, programs(left=True)) == set()
    assert wrongs(history, programs(expelled=True)) == set()
    one, other = programs()
    one.left = True
    assert wrongs(history, [one, other]) == {Wrong.HASTY}


def test_a_changed_password_ends_programs() -> None:
    """Then a quit at once is right: of programs that may have been ended by that."""
    history = log(*HERS, "ann quit")
    guest = Life("guest", account="ann", changes=[Change(4100, 4200)])
    assert wrongs(history, [*programs(), guest]) == set()
    guest.changes = [Change(1000, 1500)]
    assert wrongs(history, [*programs(), guest]) == {Wrong.HASTY}
    guest.changes = [Change(1000)]  # nobody knows when it was carried out
    assert wrongs(history, [*programs(), guest]) == set()


def test_another_program_joins_another_channel() -> None:
    """The same channel twice is wrong, and for a guest any channel."""
    joined = elsewhere(log("ann joined")[0])
    history = [*log(*HERS), joined._replace(seq=5, time=5000)]
    assert wrongs(history, programs()) == set()
    assert wrongs(log(*HERS, "ann joined"), programs()) == {Wrong.TWICE}
    guest = [history[0], joined._replace(seq=2, time=2000)]
    assert wrongs(guest, [Life("ann")]) == {Wrong.TWICE}


def test_a_line_in_a_channel_that_nobody_has_joined() -> None:
    history = [*log(*HERS)[:3], elsewhere(log(*HERS)[3])]
    assert wrongs(history, programs()) == {Wrong.ABSENT}


def test_a_guest_that_logs_in_quits_at_once() -> None:
    """It goes on under another name. Without a login the quit is hasty."""
    history = log("bob joined", "bob: b1", "bob quit")
    for said in (["b1"], []):
        login = Life("bob", said=said, account="ann", logged_in=True, sessions=[Connect(1, "s")])
        assert wrongs(history, [login]) == set()
    assert wrongs(history, [Life("bob", said=["b1"], account="ann")]) == {Wrong.HASTY}


def test_an_owner_may_be_lost_before_she_leaves() -> None:
    """Of her programs a killed one may be the last whose place was held: then her quit has its reason."""
    history = log(*HERS, "bob joined", "ann quit: connection lost")
    one, other = programs(left=True)
    assert wrongs(history, [one, other]) == set()
    assert wrongs(history[:-1], [one, other]) == {Wrong.LINGERING}


def test_a_goodbye_that_nobody_read() -> None:
    """The server ended meanwhile: the place was held, and the quit says so."""
    said = ["b1"]
    for reason, wanted in (("the server was stopped", set()), ("connection lost", {Wrong.LINGERING})):
        history = log("bob joined", "bob: b1", "restarted", f"bob quit: {reason}")
        assert wrongs(history, [Life("bob", said=said, left=True)]) & {Wrong.LINGERING} == wanted
