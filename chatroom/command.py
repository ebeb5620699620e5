"""A slash command, as data. The tables of all commands are joined in chatroom/commands.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chatroom.act import Where
from chatroom.acts import ACTS
from chatroom.desk import Asker, Desk, Fetched, Library, Prepared, Room
from chatroom.outcomes import Outcome
from chatroom.packets import Role
from chatroom.places import EVERYWHERE

Look = Callable[[Room, Asker, str], Outcome]
Prepare = Callable[[Desk, Asker, str], Prepared | Outcome]
Fetch = Callable[[Library, Asker, str], Fetched | Outcome]
Follow = Callable[[Asker, str], str | Outcome]


@dataclass(frozen=True)
class SlashCommand:
    """One command: it looks, or is prepared and becomes an act, or fetches from the history, or says a line.

    name:      with its slash; `/sessions end` is a command of two words
    arguments: as /help shows them
    help:      one line
    look:      only reads: the room, who asks, the arguments. Runs in the forwarder, between two rounds
    prepare:   makes the act that is proposed then, or an outcome. Runs in the handler's thread: it may wait
    fetch:     finds lines of the past. Runs in the handler's thread, too, in turns with those of others
    follow:    gives the text of a line, which is said in the channel and followed through the server
    needs:     the least role
    login:     whether only members with an account may
    secret:    whether the arguments or the answer have passwords, tokens, codes or keys: they must not be
               logged or kept, and not cross a network unencrypted. A function looks at the arguments
    where:     in which place it acts, and the role is needed
    elsewhere: whether a channel may stand before the arguments, in which it then acts. With Where.PLACE it
               may always, or EVERYWHERE
    aliases:   other names of it, as people know them from other chats
    is_search: whether it may look through all of the history: those that fetch a page do not wait for these
    """

    name: str
    arguments: str
    help: str
    look: Look | None = None
    prepare: Prepare | None = None
    needs: Role = Role.MEMBER
    login: bool = False
    secret: bool | Callable[[str], bool] = False
    where: Where = Where.CHATROOM
    elsewhere: bool = False
    aliases: tuple[str, ...] = ()
    fetch: Fetch | None = None
    is_search: bool = False
    follow: Follow | None = None

    def __post_init__(self) -> None:
        ways = (self.look, self.prepare, self.fetch, self.follow)
        assert sum(way is not None for way in ways) == 1, f"{self.name}: either one or another way"

    @property
    def usage(self) -> str:
        channel = "[#CHANNEL] " if self.elsewhere else ""
        channel = f"[#CHANNEL|{EVERYWHERE}] " if self.where is Where.PLACE else channel
        return f"{self.name} {channel}{self.arguments}".rstrip()

    def is_secret(self, rest: str) -> bool:
        """Whether it has a secret, with these arguments."""
        return self.secret(rest) if callable(self.secret) else self.secret


def acting(
    name: str,
    arguments: str,
    help: str,
    prepare: Prepare,
    secret: bool | Callable[[str], bool] = False,
    elsewhere: bool = False,
    aliases: tuple[str, ...] = (),
) -> SlashCommand:
    """The command of an act. Who may give it stands in ACTS only."""
    act = ACTS[name]
    return SlashCommand(
        name, arguments, help, None, prepare, act.needs, act.login, secret, act.where, elsewhere, aliases
    )
