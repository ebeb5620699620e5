"""A server with a history file, whose members have accounts."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from chatroom.packets import Status
from server.app import App
from tests.end_to_end.in_process import running
from tests.support.person import Person, by_password

PASSWORD = "correct horse 🐎"


class Host:
    """A server with a history file, which can be stopped and started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.code_file = data.with_name(data.name + ".code")
        self._stack = ExitStack()
        self.people: list[Person] = []
        self.start()

    def start(self, owner: str = "") -> None:
        self.app: App = self._stack.enter_context(running(data=str(self.data), owner=owner))
        self.address = self.app.address

    def stop(self) -> None:
        for person in self.people:
            person.close()
        self.people.clear()
        self._stack.close()

    def restart(self, owner: str = "") -> None:
        self.stop()
        self.start(owner)

    def come(self, name: str, *arguments: object, **options: object) -> Person:
        person = Person.come(self.address, name, *arguments, **options)  # type: ignore[arg-type]
        self.people.append(person)
        return person

    def refused(self, name: str, *arguments: object, **options: object) -> Status:
        return Person.refused(self.address, name, *arguments, **options)  # type: ignore[arg-type]

    def login(self, name: str, password: str = PASSWORD) -> Person:
        return self.come(name, by_password(password))

    def account(self, name: str, password: str = PASSWORD) -> Person:
        """A member that has just registered its name."""
        person = self.come(name)
        person.do("/register", password)
        return person

    def owner(self, name: str = "owner1") -> Person:
        """The owner, by the code of the first start."""
        person = self.account(name)
        person.do("/owner", self.code_file.read_text())
        return person

    def records(self) -> list[object]:
        """What the state knows, but the time of the latest tick."""
        return list(self.app.chatroom._forwarder.look(lambda state: state.records()).result())
