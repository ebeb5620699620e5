"""Commands with passwords, as dialogues: what the user is asked for, and what is sent then.

A dialogue yields questions and is sent the answers, which nobody else sees. Each way to ask (on a painted
screen, between plain lines) goes through the same dialogues.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from chatroom.errors import ConfigError
from chatroom.places import EVERYWHERE
from client.secret_commands import SHAPES, compose, lacks_key, split, word_of
from client.talker import Talker

Dialogue = Generator[str, str, int]
"""Returns the id of the command that it has sent; 0: it has sent none.

Raises ChatroomError, TimeoutError or ValueError: nothing was sent."""

Steps = Callable[[Talker, list[str], list[str]], Dialogue]
"""Takes the arguments that were typed: those that everybody may see, and the secrets."""

NOTHING_SENT: Final = "nothing was sent"
"""What the user is told who cancels a dialogue."""


def dialogue_of(text: str, talker: Talker, place: str = "") -> Dialogue | None:
    """The dialogue for a line with such a command; None for other lines. place: on the screen

    Raises ConfigError for one behind blanks or with wide letters: whoever means to say it, or to send it,
    must not do the other.
    """
    if lacks_key(text):
        return _set_key(talker, text.split(), place)
    word = word_of(text)
    steps = _STEPS.get(word)
    if steps is None:
        return None
    if not text.lower().startswith(word):
        raise ConfigError(f"a command begins with / in the first column; to say {word} to all, write /{word}")
    _, shown, secrets = split(text)
    return steps(talker, shown, secrets)


def _register(talker: Talker, _: list[str], secrets: list[str]) -> Dialogue:
    new = secrets[0] if secrets else (yield from _new_password(f"a password for {talker.name}"))
    return talker.command(compose("/register", [], [new]))


def _unregister(talker: Talker, _: list[str], secrets: list[str]) -> Dialogue:
    password = secrets[0] if secrets else (yield from _ask(f"the password of {_account(talker)}"))
    return talker.command(compose("/unregister", [], [password]))


def _passwd(talker: Talker, _: list[str], secrets: list[str]) -> Dialogue:
    old = secrets[0] if secrets else (yield from _ask(f"the present password of {_account(talker)}"))
    new = secrets[1] if secrets[1:] else (yield from _new_password("the new password"))
    return talker.command(compose("/passwd", [], [old, new]))


def _recover(talker: Talker, shown: list[str], secrets: list[str]) -> Dialogue:
    name = shown[0] if shown else talker.name
    code = secrets[0] if secrets else (yield from _ask(f"the code for {name}"))
    new = secrets[1] if secrets[1:] else (yield from _new_password(f"a new password for {name}"))
    return talker.command(compose("/recover", [name], [code, new]))


def _owner(talker: Talker, _: list[str], secrets: list[str]) -> Dialogue:
    code = secrets[0] if secrets else (yield from _ask("the code of the owner"))
    return talker.command(compose("/owner", [], [code]))


def _login(talker: Talker, shown: list[str], secrets: list[str]) -> Dialogue:
    """An empty answer means what this computer has kept. It is asked for in any case: see `View.keys`."""
    name = shown[0] if shown else talker.account or talker.name
    password = secrets[0] if secrets else (yield _not_shown(f"the password of {name}"))
    talker.begin_login(name, password or None)
    return 0


def _set_key(talker: Talker, words: list[str], place: str) -> Dialogue:
    """words: of the line, up to the key. The server takes it as it is: it is one word."""
    where = words[1] if len(words) > 2 else place
    word = yield from _ask("the password of the server" if where == EVERYWHERE else f"the key of {where}")
    if word.split() != [word]:
        raise ConfigError("it has to be one word, without blanks")
    if word != (yield _not_shown("the same again")):
        raise ConfigError("the two are not the same")
    return talker.command(" ".join([*words, word]), place or None)


def _new_password(what: str) -> Generator[str, str, str]:
    """Asked for twice: nobody sees what is typed."""
    password = yield from _ask(what)
    if password != (yield _not_shown("the same again")):
        raise ConfigError("the two are not the same")
    return password


def _ask(what: str) -> Generator[str, str, str]:
    answer = yield _not_shown(what)
    if not answer:
        raise ConfigError("nothing was typed")
    return answer


def _not_shown(what: str) -> str:
    return f"{what} (not shown, Ctrl-C cancels):"


def _account(talker: Talker) -> str:
    return talker.account or talker.name


_STEPS: Final[dict[str, Steps]] = {
    "/register": _register,
    "/unregister": _unregister,
    "/passwd": _passwd,
    "/recover": _recover,
    "/owner": _owner,
    "/login": _login,
}
assert _STEPS.keys() == SHAPES.keys()
