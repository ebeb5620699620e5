"""client/former_names.py"""

from __future__ import annotations

from chatroom.events import Event, EventKind, Extra, extra_row
from client.former_names import FormerNames
from client.limits import FORMER_NAMES
from tests.support.events import BOB, NOON


def renamed(before: str, after: str, person: int = BOB) -> Event:
    return Event(1, NOON, EventKind.RENAMED, "", before, after, 0, person)


def test_the_present_name() -> None:
    """By every name that somebody had, however it is written; not by the present one."""
    names = FormerNames()
    names.take(renamed("bob", "bobby"))
    names.take(renamed("bobby", "rob"))
    assert names.now("Bob") == names.now("@bobby") == "rob"
    assert names.now("rob") == names.now("ann") == ""


def test_a_name_that_came_back() -> None:
    """Who has the old name again is called so; another one who had it last counts."""
    names = FormerNames()
    names.take(renamed("bob", "bobby"))
    names.take(renamed("bobby", "bob"))
    assert names.now("bob") == "" and names.now("bobby") == "bob"
    names.take(renamed("bobby", "zoe", BOB + 1))
    assert names.now("bobby") == "zoe"


def test_who_is_erased_is_not_told() -> None:
    """Neither under the old name nor after a restart with another history."""
    names = FormerNames()
    names.take(renamed("bob", "bobby"))
    extra = extra_row(Extra.TARGET, BOB, 4)
    names.take(Event(2, NOON, EventKind.ERASED, "", "", "", 0, 0, 0, extra))
    assert names.now("bob") == ""
    names.take(renamed("eve", "evie"))
    names.forget()
    assert names.now("eve") == ""


def test_limit_names_are_bounded() -> None:
    """The earliest ones go; nothing of them is left."""
    names = FormerNames()
    for number in range(FORMER_NAMES + 10):
        names.take(renamed(f"a{number}", f"b{number}", number + 1))
    assert names.now("a9") == "" and names.now("a10") == "b10"
    assert len(names._persons) == len(names._names) == FORMER_NAMES
