"""Commands with passwords, as dialogues: what the user is asked for, and what is sent then.

A dialogue yields questions and is sent the answers, which nobody else sees. Each way to ask (on a painted
screen, between plain lines) goes through the same dialogues.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from chatroom.errors import ConfigError
from chatroom.limits import PASSWORD_BYTES, PASSWORD_LEAST
from chatroom.places import EVERYWHERE
from client.limits import SECRET_TRIES
from client.secret_commands import SHAPES, compose, has_secrets, lacks_key, split, word_of
from client.talker import Talker

Dialogue = Generator[str, str, int]
"""Returns the id of the command that it has sent; 0: it has sent none.

Raises ChatroomError, TimeoutError or ValueError: nothing was sent."""

Steps = Callable[[Talker, list[str], list[str]], Dialogue]
"""Takes the arguments that were typed: those that everybody may see, and the secrets."""

NOTHING_TYPED: Final = "nothing was typed"

HOW_TO_GO_BACK: Final = "not sent, and not asked again: press Enter to go back to the chat:"
"""Stands in place of a question after the last try. What is typed there is not shown, and is dropped."""

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
    if (steps is not None or has_secrets(text)) and not text.lower().startswith(word):
        raise ConfigError(f"a command begins with / in the first column; to say {word} to all, write /{word}")
    if steps is None:
        return None
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
    what = "the password of the server" if where == EVERYWHERE else f"the key of {where}"
    word = yield from _twice(what, _wrong_with_key)
    return talker.command(" ".join([*words, word]), place or None)


def _wrong_with_key(word: str) -> str:
    if word.lower() == "off":  # not shown while it is typed, so it is meant as a key
        return "off would end it"
    return "" if word.split() == [word] else "that was not one word (join several by -)"


def _new_password(what: str) -> Generator[str, str, str]:
    def wrong_with(password: str) -> str:
        size = len(password.encode("utf-8", "surrogatepass"))
        if size < PASSWORD_LEAST:
            return "that was too short"
        return "that was too long" if size > PASSWORD_BYTES else ""

    return _twice(f"{what}, at least {PASSWORD_LEAST} characters", wrong_with)


def _twice(what: str, wrong_with: Callable[[str], str]) -> Generator[str, str, str]:
    """Ask twice: nobody sees what is typed. What cannot be taken is told after the first time.

    wrong_with: says in words why it cannot; empty: it can
    """
    wrong = ""
    for _ in range(SECRET_TRIES):
        secret = yield _not_shown(f"{wrong}: {what}" if wrong else what)
        wrong = wrong_with(secret) if secret else NOTHING_TYPED
        if wrong:
            continue
        if secret == (yield _not_shown("the same again")):
            return secret
        wrong = "the two are not the same"
    return (yield from _give_up(wrong))


def _ask(what: str) -> Generator[str, str, str]:
    answer = yield _not_shown(what)
    for _ in range(SECRET_TRIES - 1):
        if not answer:
            answer = yield _not_shown(f"{NOTHING_TYPED}: {what}")
    return answer or (yield from _give_up(NOTHING_TYPED))


def _give_up(wrong: str) -> Generator[str, str, str]:
    """Raises ConfigError. First a key is waited for: who expects one more question types the password on, and
    it must not come into the open line."""
    yield HOW_TO_GO_BACK
    raise ConfigError(wrong)


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
