"""The interface between a conversation at a terminal and the commands that the client obeys itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from chatroom.help_page import Entry
from client.calls import Calls
from client.confirming import Once
from client.looking_back import LookingBack
from client.places import Places
from client.renames import Renames
from client.speech import Speech
from client.talker import Talker
from views import Surface


class Conversing(Protocol):
    """The conversation in which a command was given; see `client.conversation.Conversation`."""

    @property
    def client(self) -> Talker: ...
    @property
    def view(self) -> Surface: ...
    @property
    def places(self) -> Places: ...
    @property
    def speech(self) -> Speech: ...
    @property
    def calls(self) -> Calls: ...
    @property
    def renames(self) -> Renames: ...
    @property
    def back(self) -> LookingBack: ...
    @property
    def once(self) -> Once: ...
    def tell(self, command: str, text: str) -> None:
        """Show the answer to a command, or why it cannot be obeyed."""

    def hold(self, command: str, text: str) -> None:
        """Show why the line that was typed is held; a key brings it back."""

    def leave(self) -> None: ...


class LocalCommand(NamedTuple):
    """A command that the client obeys, or sends in its own way.

    group, example: as `chatroom.help_page` has them of the server's commands
    """

    name: str
    arguments: str
    help: str
    do: Callable[[Conversing, str], None]
    group: str
    example: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def entry(self) -> Entry:
        """What /help tells of it."""
        usage = f"{self.name} {self.arguments}".rstrip()
        return Entry(usage, self.help, self.group, self.example or self.name, " ".join(self.aliases))
