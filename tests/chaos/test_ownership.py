"""The judge of accounts: each violation is found, and what is right is passed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.chaos.checker import judge
from tests.chaos.ownership import Thefts
from tests.chaos.records import Change, Connect, Entry, Life
from tests.chaos.test_checker import log
from tests.chaos.wrongs import Wrong

GOOD = log("ann joined", "ann account: ann", "ann: a1", "ann: b1", "ann: a2", "ann: b2", "ann quit: silent")
"""One event a second: the first one at 1000."""


def programs() -> tuple[Life, Life]:
    """Those of ann; the second one has come after the registration."""
    one = Life("ann", 0, account="ann", program="ann-a", said=["a1", "a2"])
    other = Life("ann", 0, account="ann", program="ann-b", said=["b1", "b2"])
    one.confirmed, other.confirmed = list(one.said), list(other.said)
    one.sessions, other.sessions = [Connect(900, "one")], [Connect(2500, "other")]
    return one, other


def wrongs(history: Sequence[Entry], lives: Sequence[Life], thefts: Thefts | None = None) -> set[Wrong]:
    return {violation.wrong for violation in judge(history, lives, 0, thefts=thefts or Thefts())}


def changed(line: int, **how: Any) -> list[Entry]:
    """GOOD with one line that is another one."""
    return [*GOOD[:line], GOOD[line]._replace(**how), *GOOD[line + 1 :]]


def test_silent_about_what_is_right() -> None:
    assert wrongs(GOOD, programs(), Thefts({"ANN", "aun"})) == set()


# --- the name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "how", "more"),
    [
        (4, {"person": 7}, {Wrong.MISTAKEN}),
        (4, {"text": "mine now"}, {Wrong.UNSAID, Wrong.LOST}),
        (4, {"author": "Ann"}, {Wrong.UNSAID, Wrong.LOST, Wrong.ABSENT}),
        (4, {"author": "aun", "person": 7}, {Wrong.UNSAID, Wrong.LOST, Wrong.ABSENT}),
    ],
)
def test_stolen(line: int, how: dict[str, Any], more: set[Wrong]) -> None:
    """Another person, another text, another way of writing, or a name that looks like it, is reported."""
    assert wrongs(changed(line, **how), programs(), Thefts({"aun"})) == {Wrong.STOLEN} | more


def test_what_strangers_have_got() -> None:
    """A name that was given is stolen, whether something was said or not."""
    assert wrongs(GOOD, programs(), Thefts(got=["ann: guessing"])) == {Wrong.STOLEN}


def test_before_it_was_registered_the_name_was_free() -> None:
    before = [
        line._replace(person=7) if line.author == "ann" else line for line in log("ann joined", "ann: g1")
    ]
    quit = log("ann quit: silent")[0]._replace(seq=3, time=3000, person=7)
    later = [line._replace(seq=line.seq + 3, time=line.time + 9000) for line in GOOD]
    guest = Life("ann", 1, account="ann", program="ann-a", said=["g1"], confirmed=["g1"])
    assert wrongs([*before, quit, *later], [guest, *programs()]) == set()


def test_a_guest_becomes_another_person_by_a_login() -> None:
    """Its lines are those of the guest before, and those of the account later; none comes back."""
    history = log("bob joined", "bob: c1", "bob quit", "ann joined", "ann account: ann", "ann: c2")
    life = Life("bob", account="ann", program="ann-c", said=["c1", "c2"], confirmed=["c1", "c2"])
    life.logged_in = True
    assert wrongs(history, [life]) == set()
    mixed = [*history[:5], history[5]._replace(person=2)]
    assert Wrong.MISTAKEN in wrongs(mixed, [life])


# --- the password -------------------------------------------------------------------------------------------


def test_survived() -> None:
    """Who talks on after the password was changed elsewhere, without a new login, is reported."""
    one, other = programs()
    one.changes = [Change(3500, 3800)]
    assert wrongs(GOOD, [one, other]) == {Wrong.SURVIVED}
    other.sessions.append(Connect(3900, "other"))  # it has come back with the old session
    assert wrongs(GOOD, [one, other]) == {Wrong.SURVIVED}
    other.sessions.append(Connect(3950, "new"))
    assert wrongs(GOOD, [one, other]) == set()


def test_what_was_said_before_a_change_is_right() -> None:
    """So is a change that nobody knows to have been carried out, and what its own program says."""
    one, other = programs()
    one.changes = [Change(6200, 6300)]
    assert wrongs(GOOD, [one, other]) == set()
    one.changes = [Change(3500)]
    assert wrongs(GOOD, [one, other]) == set()
    one.changes, other.said, other.confirmed = [Change(4200, 4500)], ["b1"], ["b1"]
    assert wrongs([*GOOD[:5], GOOD[6]._replace(seq=6)], [one, other]) == set()


@pytest.mark.parametrize("by_itself", [True, False])
def test_expelled(by_itself: bool) -> None:
    """A program that had to log in anew is reported, unless the password was changed meanwhile."""
    one, other = programs()
    if by_itself:
        other.sessions.append(Connect(8000, "new"))
    else:
        other.expelled, other.ending, other.ended_at = True, "expelled: log in", 8000
    assert wrongs(GOOD, [one, other]) == {Wrong.EXPELLED}
    one.changes = [Change(6500, 6600)]
    assert wrongs(GOOD, [one, other]) == set()


def test_who_has_said_nothing_may_be_forgotten() -> None:
    """The server keeps no session without a line; and a login changes the session."""
    one, other = programs()
    other.sessions = [Connect(7500, "first"), Connect(9900, "new")]
    assert wrongs(GOOD, [one, other]) == set()
    other.sessions = [Connect(2500, "guest"), Connect(8000, "new", login=True)]
    assert wrongs(GOOD, [one, other]) == set()
