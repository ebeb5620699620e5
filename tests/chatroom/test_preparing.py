"""What commands make of their arguments: acts with hashes only, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.acts import ACTS
from chatroom.commands import COMMANDS
from chatroom.desk import Asker, Checked, Prepared
from chatroom.limits import CODE_SECONDS, MAX_LABEL, PASSWORD_BYTES, PASSWORD_LEAST
from chatroom.moderation_commands import SHORT
from chatroom.outcomes import Code, Outcome
from chatroom.passwords import code_secret, device_secret, is_allowed
from chatroom.picture import Picture
from chatroom.preparing import BAD_NEW_PASSWORD
from chatroom.proposals import Act, ProposalKind
from chatroom.state import State
from tests.chatroom.world import World
from tests.support.events import NOON

T = TypeVar("T")

ANN, DORA = Asker(1, "#general"), Asker(2, "#general")
OLD, NEW = "old password", "new password"
CODE = "ABCD-EFGH-IJKL-MNOP"


def state_with_an_account() -> State:
    """ann is person 1, dora person 2 with an account."""
    world = World()
    world.enter("ann")
    dora = world.enter("Dora")
    world.propose(dora.origin, ProposalKind.ACT, Act("/register", "#general", (f"hash of {OLD}",)))
    return world.state


STATE = state_with_an_account()


class FakeDesk:
    """Hashes that can be read, known random bytes.

    asked: what was hashed or checked
    """

    def __init__(self) -> None:
        self.state = STATE
        self.asked: list[tuple[Any, ...]] = []
        self.busy = False
        self.picture: Picture | None = Picture()

    def read(self, look: Callable[[State], T]) -> T:
        return look(self.state)

    def random(self, size: int) -> bytes:
        return bytes(range(size))

    def now(self) -> int:
        return NOON

    def check(self, name_key: str, password: str) -> Checked | Outcome:
        self.asked.append(("check", name_key, password))
        if self.busy:
            return Outcome(Code.SLOW_DOWN, (7,))
        return Checked(f"hash of {OLD}", True) if password == OLD else Outcome(Code.BAD_PASSWORD)

    def guess(self, what: str, is_right: bool) -> Outcome | None:
        self.asked.append(("guess", what, is_right))
        return Outcome(Code.SLOW_DOWN, (7,)) if self.busy else None

    def hash(self, password: str, known: bool) -> str | Outcome:
        self.asked.append(("hash", password, known))
        return Outcome(Code.SLOW_DOWN) if self.busy else f"hash of {password}"

    def inspect(self) -> Picture | None:
        return self.picture


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


def prepare(desk: FakeDesk, text: str, asker: Asker = DORA) -> Prepared | Outcome:
    name = next(name for name in sorted(COMMANDS, reverse=True) if f"{text} ".startswith(f"{name} "))
    run = COMMANDS[name].prepare
    assert run is not None
    return run(desk, asker, text[len(name) :].strip())


def act(command: str, *arguments: str | int) -> Prepared:
    return Prepared(Act(command, "#general", arguments))


def encoded(*secrets: str) -> str:
    return " ".join(quote(secret, safe="") for secret in secrets)


def test_register(desk: FakeDesk) -> None:
    assert prepare(desk, f"/register {encoded(NEW)}", ANN) == act("/register", f"hash of {NEW}")
    assert desk.asked == [("hash", NEW, False)]


def test_who_has_an_account_registers_no_other(desk: FakeDesk) -> None:
    """That is said before anything is hashed."""
    assert prepare(desk, f"/register {encoded(NEW)}") == Outcome(Code.ALREADY, ("Dora",))
    assert desk.asked == []


def test_passwd(desk: FakeDesk) -> None:
    """The act names the hash that the old password was checked against."""
    changed = prepare(desk, f"/passwd {encoded(OLD, NEW)}")
    assert changed == act("/passwd", f"hash of {OLD}", f"hash of {NEW}")
    assert desk.asked == [("check", "dora", OLD), ("hash", NEW, True)]


@pytest.mark.parametrize("command", ["/passwd", "/unregister"])
def test_the_old_password_must_be_right(desk: FakeDesk, command: str) -> None:
    arguments = ("wrong password", NEW) if command == "/passwd" else ("wrong password",)
    assert prepare(desk, f"{command} {encoded(*arguments)}") == Outcome(Code.BAD_PASSWORD)
    assert desk.asked == [("check", "dora", "wrong password")]


@pytest.mark.parametrize("command", ["/passwd", "/unregister", "/device"])
def test_without_an_account(desk: FakeDesk, command: str) -> None:
    """Also when the account has gone since the dispatcher looked."""
    arguments = encoded(OLD, NEW) if command == "/passwd" else encoded(OLD)
    assert prepare(desk, f"{command} {arguments}", ANN) == Outcome(Code.NEED_LOGIN, (command,))
    assert desk.asked == []


def test_unregister(desk: FakeDesk) -> None:
    assert prepare(desk, f"/unregister {encoded(OLD)}") == act("/unregister", f"hash of {OLD}")


def test_recover(desk: FakeDesk) -> None:
    """For a name that nobody has, as for one that somebody has: the state judges the code."""
    for name, key in (("Dora", "dora"), ("nobody", "nobody")):
        made = prepare(desk, f"/recover {name} {CODE.lower()} {encoded(NEW)}", ANN)
        assert made == act("/recover", key, code_secret(CODE), f"hash of {NEW}")


def test_owner(desk: FakeDesk) -> None:
    assert prepare(desk, f"/owner {CODE}") == act("/owner", code_secret(CODE))


def test_code(desk: FakeDesk) -> None:
    """The answer has the code, the act only its hash."""
    made = prepare(desk, "/code Ann")
    assert isinstance(made, Prepared)
    kind, name, code, until = made.told
    assert (kind, name, until) == ("code", "Ann", NOON + int(CODE_SECONDS * 1000))
    assert made.act == Act("/code", "#general", ("ann", code_secret(str(code)), until))
    assert str(code) not in repr(made) and str(code) not in repr(made.act)


def test_device(desk: FakeDesk) -> None:
    """The answer has the token, the act only its hash."""
    made = prepare(desk, "/device ann's laptop\t2")
    token = bytes(range(32))
    label = "ann's laptop    2"
    assert made == Prepared(
        Act("/device", "#general", (device_secret(token), label)), ("token", "Dora", token.hex())
    )
    assert token.hex() not in repr(made)


def test_end_session(desk: FakeDesk) -> None:
    assert prepare(desk, "/sessions end 3") == act("/sessions end", 3)


@pytest.mark.parametrize("command", ["/op", "/deop"])
def test_roles(desk: FakeDesk, command: str) -> None:
    assert prepare(desk, f"{command} ANN") == act(command, "ann")


@pytest.mark.parametrize(
    "text",
    [
        *("/register", "/register two words", "/register %ff%fe%fd-broken"),
        *("/passwd", "/passwd one", f"/passwd {OLD} {NEW}", "/passwd old  new"),
        *("/unregister", "/unregister two words"),
        *("/recover", "/recover dora", f"/recover dora {CODE}", f"/recover dora {CODE} two words"),
        "/owner",
        *("/code", "/device", f"/device {'x' * (MAX_LABEL + 1)}"),
        *(
            "/sessions end",
            "/sessions end one",
            "/sessions end -1",
            "/sessions end ²",
            "/sessions end 12345678901",
        ),
        *("/op", "/deop"),
    ],
)
def test_bad_arguments(desk: FakeDesk, text: str) -> None:
    """What is not written as it must be is refused, before anything is hashed or checked."""
    for asker in (ANN, DORA):
        assert prepare(desk, text, asker) == Outcome(Code.BAD_ARGUMENTS)
    assert desk.asked == []


def test_bad_names(desk: FakeDesk) -> None:
    assert prepare(desk, "/code no name") == Outcome(Code.BAD_NAME)
    for command in ("/op", "/deop"):
        assert prepare(desk, f"{command} no name") == Outcome(Code.BAD_NAME, ("no name",))


@pytest.mark.parametrize(
    ("before", "asker"),
    [("/register", ANN), (f"/passwd {quote(OLD)}", DORA), (f"/recover dora {CODE}", ANN)],
)
@pytest.mark.parametrize("password", ["x" * (PASSWORD_LEAST - 1), "x" * (PASSWORD_BYTES + 1), "tab\tin it"])
def test_new_passwords_have_bounds(desk: FakeDesk, before: str, asker: Asker, password: str) -> None:
    """A bad new password is refused first: it is no guess at the old one."""
    assert prepare(desk, f"{before} {encoded(password)}", asker) == BAD_NEW_PASSWORD
    assert desk.asked == []


def test_a_busy_server(desk: FakeDesk) -> None:
    """When there is no turn to hash, the command is refused and nothing is proposed."""
    desk.busy = True
    for text in (f"/passwd {encoded(OLD, NEW)}", f"/unregister {encoded(OLD)}"):
        assert prepare(desk, text) == Outcome(Code.SLOW_DOWN, (7,))
    for text in (f"/register {encoded(NEW)}", f"/recover dora {CODE} {encoded(NEW)}"):
        assert prepare(desk, text, ANN) == Outcome(Code.SLOW_DOWN)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_every_password_can_be_written(password: str) -> None:
    """Percent-encoded, each password that is allowed comes through a command line as it was."""
    made = prepare(FakeDesk(), f"/register {encoded(password)}", ANN)
    expected = act("/register", f"hash of {password}") if is_allowed(password) else BAD_NEW_PASSWORD
    assert made == expected


@given(st.sampled_from([name for name, command in COMMANDS.items() if command.prepare]), st.text(max_size=80))
def test_whatever_is_typed_raises_nothing(name: str, rest: str) -> None:
    """Each command gives an act that the state's table takes, or an outcome."""
    run = COMMANDS[name].prepare
    assert run is not None
    for asker in (ANN, DORA, Asker(99, "")):
        made = run(FakeDesk(), asker, rest.strip())
        if isinstance(made, Prepared):
            act = SHORT.get(name, name)
            assert made.act.command == act and ACTS[act].fits(made.act.arguments)


def test_every_act_has_its_command() -> None:
    """The table of the commands and that of the acts have the same names, roles and logins.

    /time and /inspect are prepared, because they need a clock and the threads, and have no act. Some are
    short for others.
    """
    other = {"/time", "/inspect", *SHORT}
    prepared = {name: command for name, command in COMMANDS.items() if command.prepare and name not in other}
    assert set(prepared) == set(ACTS)
    for name, command in prepared.items():
        assert (command.needs, command.login) == (ACTS[name].needs, ACTS[name].login)
