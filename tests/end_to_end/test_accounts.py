"""Accounts over the wire: the effect of each command, its refusals, and that it survives a restart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from chatroom.commands import COMMANDS
from chatroom.events import Event, EventKind
from chatroom.limits import GUESSES, MAX_DEVICES, STRANGE_GUESSES
from chatroom.outcomes import Code
from chatroom.packets import Bye, Role, Status, Verdict
from tests.end_to_end.host import PASSWORD, Host
from tests.support.cases import case
from tests.support.person import Person, by_password, by_token

OTHER = "battery staple 100%"
WRONG = Status(Verdict.FAIL, Code.BAD_PASSWORD, "wrong name or password")

pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    host = Host(tmp_path / "chat.db")
    yield host
    host.stop()


def is_event(kind: EventKind, author: str) -> Callable[[object], bool]:
    return lambda packet: isinstance(packet, Event) and packet.kind is kind and packet.author == author


# --- passwords --------------------------------------------------------------------------------------------


def test_register(host: Host) -> None:
    """The name is its owner's: also when she is out, also after a restart, in every way of writing."""
    bob, dora = host.come("bob"), host.come("Dora")
    assert dora.do("/register", PASSWORD).words == "Dora is your own name now"
    told = bob.wait_for(is_event(EventKind.ACCOUNT, "Dora"))
    assert isinstance(told, Event) and told.text == "Dora"
    assert dora.tell("/register", OTHER).code == Code.ALREADY
    dora.leave()
    for _ in range(2):
        assert host.refused("dora").code == Code.NEED_LOGIN
        assert host.refused("D0ra").code == Code.NAME_TAKEN
        assert host.refused("dora", by_password(OTHER)) == WRONG
        dora = host.login("DORA")
        assert dora.welcome.name == "Dora"
        dora.leave()
        host.restart()


def test_passwd(host: Host) -> None:
    """The new password counts, the old one and the devices do not, and all other programs are ended."""
    dora = host.account("dora")
    dora.do("/device laptop")
    token = bytes.fromhex(dora.rows[0][2])
    phone = host.come("dora", by_token(token))
    assert dora.tell("/passwd", OTHER, PASSWORD).code == Code.BAD_PASSWORD
    dora.do("/passwd", PASSWORD, OTHER)
    assert phone.bye() == Bye(True, Code.EXPIRED, "another program of yours has ended this one")
    for _ in range(2):
        assert host.refused("dora", by_password(PASSWORD)) == WRONG
        assert host.refused("dora", by_token(token)) == WRONG
        host.login("dora", OTHER).leave()
        host.restart()


def test_unregister(host: Host) -> None:
    """The name is free for everybody once its former owner has left."""
    dora = host.account("dora")
    assert dora.tell("/unregister", OTHER).code == Code.BAD_PASSWORD
    dora.do("/unregister", PASSWORD)
    assert dora.tell("/unregister", PASSWORD).code == Code.NEED_LOGIN
    dora.leave()
    host.restart()
    assert host.refused("dora", by_password(PASSWORD)) == WRONG
    assert host.come("dora").welcome.name == "dora"


def test_recover(host: Host) -> None:
    """With the owner's code a lost password is set once, by anybody who has the code; others are ended."""
    owner, dora, guest = host.owner(), host.account("dora"), host.come("guest")
    assert dora.tell("/code dora").code == Code.NEED_ROLE
    assert owner.tell("/code nobody").code == Code.NO_SUCH_NAME
    words = owner.do("/code Dora").words
    (_, name, code, _), *_ = owner.rows
    assert f"/recover {name} {code} " in words
    other = code[:-1] + ("7" if code[-1] != "7" else "6")
    for wrong in (f"/recover dora {other}", f"/recover owner1 {code}", f"/recover nobody {code}"):
        answer = guest.tell(wrong, OTHER)
        assert (answer.code, answer.words) == (Code.BAD_PASSWORD, "this code is not valid for this name")
    host.restart()
    guest, dora = host.come("guest2"), host.login("dora")
    guest.do(f"/recover DORA {code.lower().replace('-', '')}", OTHER)
    assert dora.bye().code == Code.EXPIRED
    assert guest.tell(f"/recover dora {code}", PASSWORD).code == Code.BAD_PASSWORD
    host.restart()
    assert host.refused("dora", by_password(PASSWORD)) == WRONG
    host.login("dora", OTHER)


# --- the owner --------------------------------------------------------------------------------------------


def test_the_first_starts_code(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    """It makes an account the owner, once; later starts write no code, and remove the file."""
    code = host.code_file.read_text().strip()
    assert re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", code)
    guest, dora, eve = host.come("guest"), host.account("dora"), host.account("eve")
    assert guest.tell("/owner", code).code == Code.NEED_LOGIN
    assert dora.tell("/owner", code[::-1]).words == "this code is not valid"
    assert dora.do("/owner", code).words == "you own this chatroom now"
    assert eve.tell("/owner", code).code == Code.BAD_PASSWORD
    host.restart()
    assert not host.code_file.exists()
    assert host.login("dora").do("/code dora")
    assert host.login("eve").tell("/code dora").code == Code.NEED_ROLE
    assert code not in capfd.readouterr().err


def test_each_start_without_an_owner_has_a_new_code(host: Host) -> None:
    """So a code that was lost is replaced, and counts no more."""
    code = host.code_file.read_text()
    host.restart()
    dora = host.account("dora")
    assert host.code_file.read_text() != code
    assert dora.tell("/owner", code).code == Code.BAD_PASSWORD
    dora.do("/owner", host.code_file.read_text())


def test_an_owner_is_named(host: Host) -> None:
    """--owner keeps the name for her, who gets it by the code; and helps again when the password is lost."""
    host.restart(owner="Dora")
    assert host.refused("dora").code == Code.NEED_LOGIN
    assert host.refused("dora", by_password(PASSWORD)) == WRONG
    host.come("guest").do(f"/recover dora {host.code_file.read_text().strip()}", PASSWORD)
    host.login("dora").do("/code dora")
    host.restart(owner="dora")
    host.login("dora")  # the old password still counts
    host.come("guest2").do(f"/recover dora {host.code_file.read_text().strip()}", OTHER)
    assert host.refused("dora", by_password(PASSWORD)) == WRONG
    host.restart()
    assert not host.code_file.exists()
    host.login("dora", OTHER).do("/op * dora")


def test_an_account_becomes_owner(host: Host) -> None:
    """--owner with the name of an account makes that one the owner, by the code; its password stays."""
    host.account("dora").leave()
    host.restart(owner="DORA")
    dora = host.login("dora")
    assert dora.tell("/code dora").code == Code.NEED_ROLE
    dora.do("/owner", host.code_file.read_text())
    assert dora.do("/code dora")


def test_operators(host: Host) -> None:
    """The owner makes operators, and members again; only accounts can be."""
    owner, dora = host.owner(), host.account("dora")
    host.come("guest")
    assert dora.tell("/op * dora").code == Code.NEED_ROLE
    assert owner.tell("/op * guest").code == Code.NO_SUCH_NAME
    assert owner.do("/op * DORA").words == "dora is an operator of this chatroom now"
    assert owner.tell("/op * dora").code == Code.ALREADY
    host.restart()
    owner, dora = host.login("owner1"), host.login("dora")
    person = dora.welcome.person
    assert role(host, person) is Role.OPERATOR
    assert owner.do("/deop * dora").words == "dora is no operator of this chatroom any more"
    assert owner.tell("/deop * dora").code == Code.ALREADY
    host.restart()
    assert role(host, person) is Role.MEMBER


def role(host: Host, person: int) -> Role:
    return host.app.chatroom._forwarder.look(lambda state: state.role(person, 0)).result()


# --- programs ---------------------------------------------------------------------------------------------


def test_device(host: Host) -> None:
    """The token logs in, also after a restart; of too many devices the longest unused one goes."""
    dora = host.account("dora")
    answer = dora.do("/device laptop")
    assert answer.words == "this program is remembered"
    ((kind, name, first),) = dora.rows
    assert (kind, name, len(first)) == ("token", "dora", 64)
    host.restart()
    assert host.come("dora", by_token(bytes.fromhex(first))).welcome.name == "dora"
    assert host.refused("dora", by_token(bytes(32))) == WRONG
    assert host.refused("nobody", by_token(bytes.fromhex(first))) == WRONG
    for number in range(MAX_DEVICES):
        program = host.login("dora")
        program.do(f"/device phone {number}")
        program.leave()
    assert host.refused("dora", by_token(bytes.fromhex(first))) == WRONG


def test_two_programs_of_one_person(host: Host) -> None:
    """They are one member to the others; each gets every line, and may end the other one."""
    bob, laptop = host.come("bob"), host.account("dora")
    phone = host.login("dora")
    assert phone.welcome.person == laptop.welcome.person and phone.welcome.token != laptop.welcome.token
    bob.do("/who")
    assert bob.rows == ["#general", ["bob", "here"], ["dora", "here"]]
    bob.tell("/nothing")
    joins = [packet for packet in bob.packets if is_event(EventKind.JOINED, "dora")(packet)]
    assert len(joins) == 1
    assert phone.tell("/sessions end 9").code == Code.BAD_ARGUMENTS
    phone.do("/sessions end 1")
    assert laptop.bye().code == Code.EXPIRED
    bob.tell("/nothing")
    assert not [packet for packet in bob.packets if is_event(EventKind.QUIT, "dora")(packet)]
    phone.leave()
    bob.wait_for(is_event(EventKind.QUIT, "dora"))


def test_whois_and_sessions(host: Host) -> None:
    """What others see of a member, and what a person sees of its own programs; also after a restart."""
    guest, dora = host.come("guest"), host.account("Dora")
    dora.do("/device laptop")
    for label in ("laptop", ""):
        answer = guest.do("/whois DORA")
        found = dict(guest.rows)
        assert found.pop("since") > 1_600_000_000_000
        assert found == {
            "name": "Dora",
            "account": "Dora",
            "role": "member",
            "phase": "here",
            "encrypted": False,
            "software": ["test 1.0"],
            "person": dora.welcome.person,
        }
        assert answer.words.startswith("Dora (account Dora), here since 2")
        assert guest.tell("/whois nobody").words == "nobody here is called nobody"
        dora.do("/sessions")
        own = [row for row in dora.rows if row[2]]
        assert len(own) == 1 and own[0][7] == label
        if label:
            host.restart()
            guest, dora = host.come("guest2"), host.login("Dora")


# --- who may, and what is written wrongly -------------------------------------------------------------------

RESTRICTED = [name for name, command in COMMANDS.items() if command.needs > Role.MEMBER or command.login]
WITH_ARGUMENTS = [
    name
    for name, command in COMMANDS.items()
    if command.prepare and command.arguments and not command.arguments.startswith("[")
]
"""Commands with an argument that cannot be left out."""


def test_who_may_not_changes_nothing(host: Host) -> None:
    """A guest, and an account without the role, are refused, and the state stays as it was."""
    host.account("dora").leave()
    guest, eve = host.come("guest"), host.account("eve")
    assert RESTRICTED
    for name, (person, has_account) in product(RESTRICTED, ((guest, False), (eve, True))):
        if has_account and COMMANDS[name].needs is Role.MEMBER:
            continue
        with case(name):
            arguments = " ".join(["dora" for _ in COMMANDS[name].arguments.split()])
            before = host.records()
            answer = person.tell(f"{name} {arguments}")
            assert answer.code == (Code.NEED_ROLE if COMMANDS[name].needs > Role.MEMBER else Code.NEED_LOGIN)
            assert name in answer.words
            assert host.records() == before


def test_bad_arguments_change_nothing(host: Host) -> None:
    """Without its arguments each command says how it is written."""
    owner = host.owner()
    assert WITH_ARGUMENTS
    for name in WITH_ARGUMENTS:
        with case(name):
            before = host.records()
            answer = owner.tell(name)
            assert answer.code == Code.BAD_ARGUMENTS and answer.words
            assert host.records() == before


# --- guesses ------------------------------------------------------------------------------------------------


def test_guesses_over_the_wire(host: Host) -> None:
    """Too many wrong passwords end the handshake of the one who guesses; the owner still logs in."""
    host.account("dora").leave()
    for name in ("dora", "nobody"):
        for _ in range(GUESSES):
            assert host.refused(name, by_password(OTHER), source="127.0.0.9") == WRONG
        person, status = Person.ask_for(host.address, name, by_password(OTHER), source="127.0.0.9")
        with person:
            assert status.code == Code.SLOW_DOWN and re.search(r"try again in \d+ s", status.reason)
            assert person.rest() == []  # the handshake has ended
    host.login("dora")


def test_nobody_locks_an_owner_out(host: Host) -> None:
    """However many addresses guess, the password counts where she has used it before, and so does a token."""
    dora = host.account("dora")
    dora.do("/device laptop")
    token = bytes.fromhex(dora.rows[0][2])
    codes = [
        host.refused("dora", by_password(OTHER), source=f"127.0.1.{number % 50 + 1}").code
        for number in range(STRANGE_GUESSES + 20)
    ]
    assert codes.count(Code.BAD_PASSWORD) == STRANGE_GUESSES and codes.count(Code.SLOW_DOWN) == 20
    host.login("dora").leave()
    host.come("dora", by_token(token), source="127.0.2.1")


def test_a_wrong_password_leaves_the_connection(host: Host) -> None:
    """The same connection may try another one, or another name."""
    host.account("dora").leave()
    person, status = Person.ask_for(host.address, "dora", by_password(OTHER))
    with person:
        assert status == WRONG
        assert person.ask("dora", hello=False).code == Code.NEED_LOGIN
        assert person.ask("bob", hello=False).verdict is Verdict.PASS
