"""The reception: who gets a name, who an account, and what the others are told."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from chatroom.arrivals import Reservation
from chatroom.commands import COMMANDS
from chatroom.errors import ConnectionLost, NameRefused, Refused
from chatroom.limits import GUESSES, NETWORK_GUESSES
from chatroom.outcomes import Code, Outcome
from chatroom.packets import NO_TOKEN, Answer, Bye, Command, Credential, Role
from chatroom.proposals import Proposal, ProposalKind
from chatroom.reception import refusal_of
from tests.chatroom.fakes import FakeConnection
from tests.chatroom.test_chatroom import House
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

PASSWORD = "correct horse"
HERE, THERE = "127.0.0.1:5000", "192.0.2.7:5000"
WRONG = [(Credential.PASSWORD, b"wrong horse")]
RIGHT = [(Credential.PASSWORD, PASSWORD.encode())]

pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def house() -> Iterator[House]:
    """A chatroom in which dora has registered her name and left."""
    house = House()
    try:
        dora = enter(house, house.reserve("Dora"))
        assert command(dora, f"/register {PASSWORD.replace(' ', '%20')}").code == Code.OK
        dora.says.put([Bye(False, Code.GOODBYE, "")])
        dora.wait_for(lambda peer: peer.released)
        yield house
    finally:
        house.close()


def enter(house: House, reservation: Reservation) -> FakeConnection:
    """A member on this machine."""
    return house.admit(reservation, connection=FakeConnection(house.history, HERE))


def command(connection: FakeConnection, text: str) -> Answer:
    before = len(connection.of(Answer))
    connection.says.put([Command(7, "#general", text)])
    connection.wait_for(lambda peer: len(peer.of(Answer)) > before)
    answer: Answer = connection.of(Answer)[-1]
    return answer


def reserve(
    house: House,
    name: str,
    credentials: list[tuple[int, bytes]],
    address: str = HERE,
    encrypted: bool = False,
    token: bytes = NO_TOKEN,
) -> Reservation:
    return house.chatroom.reserve(name, token, address, PATIENCE, credentials, encrypted, "test 1.0")


def refused(
    house: House, name: str, credentials: list[tuple[int, bytes]], address: str = HERE
) -> NameRefused:
    with pytest.raises(NameRefused) as error:
        reserve(house, name, credentials, address)
    return error.value


def test_the_name_of_an_account_needs_its_password(house: House) -> None:
    """Without it the newcomer is told so; with it, it gets the name as its owner has written it."""
    needed = refused(house, "dora", [])
    assert (needed.code, str(needed)) == (
        Code.NEED_LOGIN,
        "Dora belongs to an account: its password is needed",
    )
    assert reserve(house, "dora", RIGHT).name == "Dora"


def test_a_look_alike_of_an_account_is_refused(house: House) -> None:
    alike = refused(house, "D0ra", [])
    assert alike.code is Code.NAME_TAKEN and "looks like" in str(alike)


def test_a_wrong_password_and_no_account_have_the_same_words(house: House) -> None:
    """So do a wrong token, and a password that is no UTF-8."""
    wrong = [
        refused(house, name, credentials)
        for name in ("dora", "nobody")
        for credentials in (
            WRONG,
            [(Credential.PASSWORD, b"\xff\xfe")],
            [(Credential.PASSWORD, b"")],
            [(Credential.DEVICE_TOKEN, bytes(32))],
            [(Credential.DEVICE_TOKEN, b"")],
        )
    ]
    assert {(error.code, str(error)) for error in wrong} == {(Code.BAD_PASSWORD, "wrong name or password")}


def test_a_device_token(house: House) -> None:
    """The token of /device logs in without a hash; a password that is shown, too, counts first."""
    dora = enter(house, reserve(house, "dora", RIGHT))
    answer = command(dora, "/device laptop")
    token = bytes.fromhex(answer.words.split("'")[-2])
    assert len(token) == 32
    shown = (int(Credential.DEVICE_TOKEN), token)
    assert reserve(house, "dora", [shown]).name == "Dora"
    assert refused(house, "dora", [shown, *WRONG]).code is Code.BAD_PASSWORD
    assert refused(house, "nobody", [shown]).code is Code.BAD_PASSWORD


def test_no_password_over_an_open_network(house: House) -> None:
    """It is not looked at, right or wrong; over an encrypted connection, or from this machine, it is."""
    for name, credentials in (("dora", RIGHT), ("dora", WRONG), ("nobody", RIGHT)):
        assert refused(house, name, credentials, THERE).code is Code.NEED_ENCRYPTION
    assert refused(house, "dora", [(Credential.DEVICE_TOKEN, bytes(32))], THERE).code is Code.NEED_ENCRYPTION
    assert "--tls" in str(refused(house, "dora", RIGHT, THERE))
    assert reserve(house, "dora", RIGHT, THERE, encrypted=True).name == "Dora"


def test_credentials_of_no_account_are_skipped(house: House) -> None:
    """The server's password, and keys that nobody knows, log in to nothing."""
    assert reserve(house, "bob", [(Credential.SERVER_PASSWORD, b"x"), (99, b"y")]).name == "bob"
    assert refused(house, "dora", [(99, b"y")]).code is Code.NEED_LOGIN


def test_who_comes_back_is_not_kept_out_by_the_guesses_of_others(house: House) -> None:
    """The token is enough; who has none waits, whatever password of the server it shows."""
    dora = enter(house, reserve(house, "dora", RIGHT))
    bob = house.reserve("bob")
    enter(house, bob)
    house.chatroom._forwarder.look(lambda state: state._rights.give(1, Role.OWNER, 0)).result(PATIENCE)
    assert command(dora, "/set * key word").code == Code.OK
    wrong, right = ([(Credential.SERVER_PASSWORD, word)] for word in (b"wrong", b"word"))
    for _ in range(NETWORK_GUESSES):
        assert refused(house, "eve", wrong).code is Code.BAD_KEY
    for shown in (wrong, right):
        with pytest.raises(Refused, match=r"try again in \d+ s"):
            reserve(house, "eve", shown)
        assert reserve(house, "bob", shown, token=bob.token).name == "bob"


def test_a_room_that_knows_the_servers_password_has_a_count_of_its_own(house: House) -> None:
    """Whatever was guessed from its network before: the right one comes in, and wrong ones are looked at."""
    dora = enter(house, reserve(house, "dora", RIGHT))
    house.chatroom._forwarder.look(lambda state: state._rights.give(1, Role.OWNER, 0)).result(PATIENCE)
    assert command(dora, "/set * key word").code == Code.OK
    wrong, right = ([(Credential.SERVER_PASSWORD, word)] for word in (b"wrong", b"word"))
    assert reserve(house, "bob", right).name == "bob"
    for number in range(NETWORK_GUESSES):
        house.chatroom._logins._guesses.begin(f"name{number}", "127.0.0.1", False)
    assert refused(house, "eve", wrong).code is Code.BAD_KEY
    assert reserve(house, "zoe", right).name == "zoe"


def test_too_many_guesses_end_the_handshake(house: House) -> None:
    """From another network than her own; there the right one is still looked at."""
    address = "127.0.0.9:5000"
    for _ in range(GUESSES):
        assert refused(house, "dora", WRONG, address).code is Code.BAD_PASSWORD
    with pytest.raises(Refused, match=r"try again in \d+ s") as slow:
        reserve(house, "dora", RIGHT, address)
    assert slow.value.code is Code.SLOW_DOWN
    assert reserve(house, "dora", RIGHT).name == "Dora"


def test_many_at_once_get_no_more_guesses(house: House) -> None:
    """Guesses at the same moment are counted before they are looked at."""

    def guess() -> Code:
        try:
            reserve(house, "dora", WRONG, "127.0.0.9:5000")
        except (NameRefused, Refused) as error:
            return Code(error.code)
        raise AssertionError("a wrong password was right")

    found = [task.result() for task in [Task(guess) for _ in range(4 * GUESSES)]]
    assert found.count(Code.BAD_PASSWORD) == GUESSES
    assert found.count(Code.SLOW_DOWN) == 3 * GUESSES


def test_the_owner_may_have_several_programs(house: House) -> None:
    """Each login is another session of one person."""
    one, other = (reserve(house, "dora", RIGHT) for _ in range(2))
    assert one.session != other.session and one.token != other.token
    assert one.token.hex() not in repr(one) and repr(one.token) not in repr(one)


@pytest.mark.parametrize("code", list(Code))
def test_each_outcome_has_words(code: Code) -> None:
    """Whatever the state answers, there is one line, also without rows."""
    for rows in ((), ("ann", 5)):
        error = refusal_of("ann", Outcome(code, rows))
        assert str(error) and "\n" not in str(error) and error.code is code


def test_no_password_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at the level of debugging, and in no error's text or arguments."""
    caplog.set_level(logging.DEBUG)
    for credentials in (WRONG, [(Credential.DEVICE_TOKEN, b"wrong horse")]):
        error = refused(house, "dora", credentials)
        assert "horse" not in repr(error) + str(error.args)
    bob = enter(house, house.reserve("bob"))
    for text in ("/register wrong horse", "/passwd wrong horse", "/wrong horse", "wrong horse"):
        command(bob, text)
    assert "horse" not in caplog.text


@pytest.mark.parametrize("name", [name for name, one in COMMANDS.items() if one.secret])
def test_secret_commands_need_encryption(house: House, name: str) -> None:
    """Over an open network a command with a secret is refused, and nothing is made of it."""
    eve = house.admit(house.reserve("eve"), connection=FakeConnection(house.history, THERE))
    answer = command(eve, f"{name} one two three four")
    refusals = {Code.NEED_ENCRYPTION, Code.NEED_LOGIN, Code.NEED_ROLE}  # who may not hears that first
    assert answer.code in refusals
    assert answer.code == Code.NEED_ENCRYPTION or COMMANDS[name].login or COMMANDS[name].needs > Role.MEMBER


def test_an_encrypted_connection_is_as_good_as_the_same_machine(house: House) -> None:
    connection = FakeConnection(house.history, THERE)
    connection.encrypted = True
    eve = house.admit(house.reserve("eve"), connection=connection)
    assert command(eve, "/register battery%20staple").code == Code.OK
    assert command(eve, "/device laptop").code == Code.OK


def test_answers_with_one_id_keep_their_order(house: House) -> None:
    """Ids of commands may repeat: each answer has the token of its own command."""
    dora = enter(house, reserve(house, "dora", RIGHT))
    dora.says.put([Command(7, "#general", f"/device {label}") for label in ("one", "two", "three")])
    dora.wait_for(lambda peer: len(peer.of(Answer)) == 3)
    tokens = [bytes.fromhex(answer.words.split("'")[-2]) for answer in dora.of(Answer)]
    assert len(set(tokens)) == 3
    shown = [(int(Credential.DEVICE_TOKEN), tokens[-1])]
    assert reserve(house, "dora", shown).name == "Dora"
    for token in tokens[:-1]:  # a program has one token at a time
        assert refused(house, "dora", [(int(Credential.DEVICE_TOKEN), token)]).code is Code.BAD_PASSWORD


def test_a_refused_act_tells_nothing(house: House) -> None:
    """The row that was kept for an answer goes with a refusal, and with the connection."""
    dora = enter(house, reserve(house, "dora", RIGHT))
    presence = house.chatroom._presence
    presence.tell(99, 7, ("token", "Dora", "secret"))
    presence.tell(99, 7, ("token", "Dora", "later"))
    assert presence.take_told(99, 7) == ("token", "Dora", "secret")
    presence.forget_told(99)
    assert presence.take_told(99, 7) is None
    assert command(dora, "/code dora").code == Code.NEED_ROLE
    assert presence._told == {}


def test_an_answer_that_comes_after_the_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a connection breaks while its command is on its way, the answer is still as it must be: the door
    puts it into words, and can rely on its row. Afterwards nothing is kept of it."""
    dora = enter(house, reserve(house, "dora", RIGHT))
    order, presence = house.chatroom._order, house.chatroom._presence
    late: list[Proposal] = []

    def put_late(proposal: Proposal, timeout: float | None = None) -> None:
        late.append(proposal)

    with monkeypatch.context() as patch:
        patch.setattr(order, "put", put_late)
        dora.says.put([Command(7, "#general", "/device laptop")])
        dora.says.put(ConnectionLost("cut"))
        dora.wait_for(lambda peer: peer.released)
    assert [proposal.kind for proposal in late] == [ProposalKind.ACT, ProposalKind.LEAVE]
    for proposal in late:
        order.put(proposal)
    dora.wait_for(lambda peer: bool(peer.of(Answer)))
    assert "'token'" in dora.of(Answer)[-1].words
    house.chatroom._forwarder.look(lambda state: None).result(PATIENCE)
    assert presence._told == {}
