"""The handshake: the tables allow the agreed sequence and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import ProtocolError
from chatroom.handshake import CLIENT, SERVER, Handshake, Step, Table
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    VERSION,
    Admit,
    Bye,
    Decoder,
    Hello,
    Packet,
    Ping,
    Port,
    Resumed,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from tests.chatroom import strategies
from tests.support.cases import case

PASS, FAIL, END = Status(Verdict.PASS), Status(Verdict.FAIL, Code.NAME_TAKEN, "taken"), Status(Verdict.END)
TICKET = bytes(range(16))
HELLO, USERNAME = Hello(VERSION, "test"), Username("ann", NO_TOKEN)
PORT, ADMIT = Port(5100, TICKET), Admit("ann", TICKET, ("#general",), 0, 0, NO_IDENTITY, 50)
WELCOME = Welcome("ann", TICKET, TICKET, 1, 0, 0, Resumed.FRESH)
BYE, PING = Bye(True, Code.STOPPING, "the server stops"), Ping(1)
SAMPLES: dict[type | Verdict, Packet] = {
    Hello: HELLO,
    Username: USERNAME,
    Port: PORT,
    Admit: ADMIT,
    Welcome: WELCOME,
    Bye: BYE,
    Ping: PING,
    Verdict.PASS: PASS,
    Verdict.FAIL: FAIL,
    Verdict.END: END,
}


class Side:
    """One side with its decoder, as a connection's thread has it."""

    def __init__(self, table: Table) -> None:
        self.handshake, self.decoder = Handshake(table), Decoder()

    def take(self, *packets: Packet) -> Step:
        """Receive packets as bytes; returns the step after the last packet."""
        for packet in self.decoder.feed(b"".join(map(encode, packets))):
            self.handshake.receive(packet)
        return self.handshake.step


def test_the_agreed_sequence() -> None:
    """USERNAME until PASS, PORT, PASS, END both ways, ADMIT, WELCOME: both sides end as ADMITTED."""
    server, client = Side(SERVER), Side(CLIENT)
    client.handshake.enter(Step.NAMING)
    assert server.take(HELLO) is Step.NAMING
    client.handshake.enter(Step.ASKED)
    assert server.take(USERNAME) is Step.NAMING
    assert client.take(FAIL) is Step.NAMING
    client.handshake.enter(Step.ASKED)
    assert server.take(USERNAME) is Step.NAMING
    server.handshake.enter(Step.OFFERED)
    assert client.take(PASS, PORT) is Step.OFFERED
    client.handshake.enter(Step.TAKEN)
    assert server.take(PASS, END) is Step.ADMITTING
    assert client.take(END) is Step.ADMITTING
    assert server.take(ADMIT) is Step.ADMITTED
    assert client.take(WELCOME) is Step.ADMITTED


@pytest.mark.parametrize(
    ("state", "reason"), [(Step.OPENED, "server full"), (Step.NAMING, "version not spoken")]
)
def test_refused_in_the_lobby(state: Step, reason: str) -> None:
    """A lobby that is full or does not speak the version says FAIL before or after HELLO."""
    client = Side(CLIENT)
    client.handshake.enter(state)
    assert client.take(Status(Verdict.FAIL, Code.FULL, reason)) is Step.REFUSED


@pytest.mark.parametrize("step", [Step.PASSED, Step.OFFERED, Step.TAKEN])
def test_refused_before_the_end(step: Step) -> None:
    """The lobby may say FAIL at any step before END: the time is over, or the server stops."""
    client = Side(CLIENT)
    client.handshake.enter(step)
    assert client.take(FAIL) is Step.REFUSED


def test_wrong_ticket() -> None:
    """On the new port the server may still say FAIL; the client then knows that it is not admitted."""
    client = Side(CLIENT)
    client.handshake.enter(Step.ADMITTING)
    assert client.take(FAIL) is Step.REFUSED


def test_goodbye_while_admitting() -> None:
    """On the new port the server may say BYE instead of WELCOME: the client is not admitted."""
    client = Side(CLIENT)
    client.handshake.enter(Step.ADMITTING)
    assert client.take(BYE) is Step.REFUSED


def test_ping_while_admitting() -> None:
    """A PING may come before WELCOME; it changes nothing."""
    client = Side(CLIENT)
    client.handshake.enter(Step.ADMITTING)
    assert client.take(PING, PING, WELCOME) is Step.ADMITTED


def test_client_without_the_port() -> None:
    """A client that cannot use the port says FAIL, and the handshake is over."""
    server = Side(SERVER)
    server.handshake.enter(Step.OFFERED)
    assert server.take(FAIL) is Step.REFUSED


@pytest.mark.parametrize("state", Step)
@pytest.mark.parametrize("table", [SERVER, CLIENT], ids=["server", "client"])
def test_every_move(table: Table, state: Step) -> None:
    """A packet in the table leads to the step given there; every other packet is a ProtocolError."""
    for key, packet in SAMPLES.items():
        with case(key):
            handshake = Handshake(table)
            handshake.enter(state)
            if (state, key) in table:
                assert handshake.receive(packet) is table[state, key]
                assert handshake.step is table[state, key]
            else:
                with pytest.raises(ProtocolError, match=f"cannot come now.*{state.value}"):
                    handshake.receive(packet)
                assert handshake.step is state


@given(st.sampled_from([SERVER, CLIENT]), st.sampled_from(Step), strategies.packets)
def test_talking_waits_for_the_end(table: Table, state: Step, packet: Packet) -> None:
    """No line, command or event is allowed at any step of the handshake."""
    key = packet.verdict if isinstance(packet, Status) else type(packet)
    handshake = Handshake(table)
    handshake.enter(state)
    if key not in SAMPLES:
        with pytest.raises(ProtocolError):
            handshake.receive(packet)


@given(st.lists(st.sampled_from(list(SAMPLES.values())), max_size=12))
def test_nobody_is_admitted_without_a_ticket(packets: list[Packet]) -> None:
    """A client reaches ADMITTED only by ADMIT, after it has accepted the port."""
    handshake = Handshake(SERVER)
    passed: list[Packet] = []
    for packet in packets:
        try:
            handshake.receive(packet)
        except ProtocolError:
            continue
        passed.append(packet)
        if handshake.step is Step.NAMING and USERNAME in passed:
            handshake.enter(Step.OFFERED)
    if handshake.step is Step.ADMITTED:
        assert passed[0] == HELLO
        assert passed[-4:] == [USERNAME, PASS, END, ADMIT]


def test_tables_lead_somewhere() -> None:
    """No packet leads out of an end step, and every other step leads to an end."""
    for table in (SERVER, CLIENT):
        assert not {Step.ADMITTED, Step.REFUSED} & {state for state, _ in table}
        assert Step.ADMITTED in table.values()


def test_repr_shows_the_state() -> None:
    """The repr of a handshake shows its step."""
    assert repr(Handshake(SERVER)) == "<Handshake opened>"
