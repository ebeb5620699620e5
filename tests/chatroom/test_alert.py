"""The alert: what operators are told, and when, without a server around it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from chatroom.alert import Alert
from chatroom.packets import Role
from chatroom.presence import Presence, Seat
from chatroom.state import State


class House:
    """Persons with roles, and what each connection was told."""

    def __init__(self, **roles: Role) -> None:
        self.told: dict[str, list[str]] = {name: [] for name in roles}
        self.seats = {name: self._seat(number, name) for number, name in enumerate(roles, 1)}
        numbers = dict(enumerate(roles.values(), 1))
        state = SimpleNamespace(role=lambda person, place: numbers[person])
        self.live: list[Seat] = []
        presence = SimpleNamespace(live=self.live)
        self.alert = Alert(cast(State, state), cast(Presence, presence))

    def _seat(self, number: int, name: str) -> Seat:
        connection = SimpleNamespace(inform=self.told[name].append)
        return Seat(number, number, name, connection)  # type: ignore[arg-type]

    def come(self, name: str) -> None:
        self.live.append(self.seats[name])
        self.alert.tell(self.seats[name])


@pytest.mark.parametrize("role", list(Role))
def test_by_role(role: Role) -> None:
    """Operators and the owner of the whole chatroom are told, others not."""
    house = House(ann=role)
    house.come("ann")
    house.alert.begin("the disk")
    assert house.told["ann"] == (["the disk"] if role >= Role.OPERATOR else [])


def test_once_each() -> None:
    """Who is in is told at once, who comes in later then; who comes back is not, unless it comes anew."""
    house = House(ann=Role.OWNER, bob=Role.OPERATOR)
    house.come("ann")
    house.alert.begin("the disk")
    house.come("bob")
    house.alert.tell(house.seats["bob"])
    assert house.told == {"ann": ["the disk"], "bob": ["the disk"]}
    house.alert.forget(house.seats["bob"].person)
    house.alert.tell(house.seats["bob"])
    assert house.told["bob"] == ["the disk"] * 2


def test_over() -> None:
    """Who is in hears that it is over; who comes later hears nothing; the next alert is told to all again."""
    house = House(ann=Role.OWNER, bob=Role.OWNER)
    house.come("ann")
    house.alert.begin("low")
    house.alert.end("room")
    house.come("bob")
    assert house.told == {"ann": ["low", "room"], "bob": []}
    house.alert.begin("low again")
    assert house.told == {"ann": ["low", "room", "low again"], "bob": ["low again"]}
