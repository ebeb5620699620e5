"""A child process that tries to be somebody else: it wants the names of accounts, and must never get one.

It asks for owned names and for names that look like them, with guessed and former passwords, with tokens of
devices and sessions that were ended, while their owner is in, is out, or has lost her connection. As a guest
under a name of its own it tries codes that were used, and commands that need a role. It comes from another
address each time, as many strangers would.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from threading import Thread
from typing import Final, TypeVar
from urllib.parse import quote

from chatroom.errors import ChatroomError, ConnectionLost, NameRefused
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Answer,
    Bye,
    Command,
    Credential,
    Hello,
    Live,
    Port,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
)
from tests.chaos.records import Recorder
from tests.chaos.talker import Orders
from tests.chaos.wallet import Content, Wallet
from tests.chaos.wire import Wire

ALIKE: Final = (
    ("0", "O"),
    ("0", "o"),
    ("o", "0"),
    ("1", "l"),
    ("1", "I"),
    ("l", "1"),
    ("l", "I"),
    ("rn", "m"),
)
"""What looks like something else, in a name."""

OWN_NAME: Final = "eve"
"""How the names begin under which it is a guest."""

P = TypeVar("P")

_SECONDS: Final = 6.0  # for one step of a try
_COMMON: Final = ("password", "12345678", "qwertyuiop", "letmein99")
_LAST_PACKETS: Final = 10_000  # that come before an answer


def counterfeits(name: str) -> list[str]:
    """Names that look like this one, or count as the same."""
    changed = [name.replace(old, new, 1) for old, new in ALIKE if old in name]
    return sorted({*changed, name.upper(), name.capitalize()} - {name})


class Stranger:
    """It tries one thing after the other, until the run is over."""

    def __init__(self, options: argparse.Namespace, orders: Orders) -> None:
        self._options = options
        self._orders = orders
        self._random = Random(options.seed)
        self._recorder = Recorder(options.record)
        self._tries = 0

    def run(self) -> int:
        """Exit code 0: left as asked."""
        tricks: dict[str, Callable[[Wallet, Content], None]] = {
            "plainly": self._plainly,
            "alike": self._alike,
            "guessing": self._guessing,
            "old password": self._by_old_password,
            "old device": self._by_old_device,
            "old session": self._by_old_session,
            "random token": self._by_random_token,
            "commands": self._by_commands,
        }
        wanted = self._options.tricks or list(tricks)
        while not (self._orders.quiet.wait(self._pause()) or self._orders.leave.is_set()):
            name = self._random.choice(self._options.names)
            wallet = Wallet(self._options.wallets, name)
            known = wallet.read()
            if known.registered:
                self._tries += 1
                tricks[self._random.choice(wanted)](wallet, known)
        self._recorder.write("ended", reason="")
        return 0

    def _pause(self) -> float:
        return self._random.expovariate(1 / self._options.pace)

    # --- tricks ---------------------------------------------------------------------------------------------

    def _plainly(self, wallet: Wallet, _known: Content) -> None:
        self._try("plainly", wallet.name)

    def _alike(self, wallet: Wallet, known: Content) -> None:
        name = self._random.choice(counterfeits(wallet.name))
        self._try("alike", name, password=self._one(["", *known.stale.passwords]))

    def _guessing(self, wallet: Wallet, _known: Content) -> None:
        guess = self._random.choice((*_COMMON, wallet.name, secrets.token_hex(8), ""))
        self._try("guessing", wallet.name, password=guess or " ")

    def _by_old_password(self, wallet: Wallet, known: Content) -> None:
        if password := self._one(known.stale.passwords):
            self._try("old password", wallet.name, password=password)

    def _by_old_device(self, wallet: Wallet, known: Content) -> None:
        if device := self._one(known.stale.devices):
            self._try("old device", wallet.name, device=bytes.fromhex(device))

    def _by_old_session(self, wallet: Wallet, known: Content) -> None:
        if session := self._one(known.stale.sessions):
            password = self._one(["", "", *known.stale.passwords])
            name = self._random.choice((wallet.name, wallet.name, *counterfeits(wallet.name)))
            self._try("old session", name, token=bytes.fromhex(session), password=password)

    def _by_random_token(self, wallet: Wallet, _known: Content) -> None:
        """Of a session and of a device: nobody has ever had them."""
        name, token = wallet.name, secrets.token_bytes(16)
        self._try("random token", name, token=token, device=secrets.token_bytes(32))

    def _one(self, things: Sequence[str]) -> str:
        """The latest ones are the likeliest to open something."""
        return self._random.choice(things[-4:]) if things else ""

    # --- one try --------------------------------------------------------------------------------------------

    def _try(
        self, trick: str, name: str, *, token: bytes = NO_TOKEN, password: str = "", device: bytes = b""
    ) -> None:
        """Ask for the name; whoever gets it says something, which must not be in history."""
        proofs = ((Credential.PASSWORD, password.encode()), (Credential.DEVICE_TOKEN, device))
        wanted = Username(name, token, tuple((key, value) for key, value in proofs if value))
        self._recorder.write("tried", trick=trick, name=name)
        try:
            wire = self._come_in(wanted)
        except NameRefused as refused:
            self._recorder.write("refused name", trick=trick, code=refused.code)
            return
        except (ChatroomError, TimeoutError) as error:
            self._recorder.write("nothing", trick=trick, reason=str(error))
            return
        self._recorder.write("stolen", trick=trick, name=name)
        try:
            wire.send(Say(1, self._options.channel, f"stranger/{self._tries} {trick}"))
            _until(wire, Live)
            wire.send(Bye(False, Code.GOODBYE, ""))
        except (ChatroomError, TimeoutError):
            pass  # the name was given: that is enough
        finally:
            wire.close()

    def _by_commands(self, wallet: Wallet, known: Content) -> None:
        """As a guest under a name of its own."""
        code, secret = self._one(known.stale.codes) or "AAAA-BBBB-CCCC-DDDD", secrets.token_hex(8)
        recover = f"/recover {wallet.name} {code} {secret}"
        others = (
            f"/owner {code}",
            f"/passwd {quote(self._one(known.stale.passwords) or secret, safe='')} {secret}",
            f"/unregister {quote(self._one(known.stale.passwords) or secret, safe='')}",
            f"/code {wallet.name}",
            f"/op * {OWN_NAME}",
            f"/deop * {wallet.name}",
            "/device mine",
            "/sessions end 1",
        )
        own = f"{OWN_NAME}{self._tries}"
        left = False
        try:
            wire = self._come_in(Username(own, NO_TOKEN))
        except (ChatroomError, TimeoutError):
            return
        try:
            for number, text in enumerate((recover, *self._random.sample(others, 2)), 1):
                wire.send(Command(number, self._options.channel, text))
                answer = _until(wire, Answer)
                word = text.partition(" ")[0]
                self._recorder.write("commanded", trick=word, code=answer.code)
                if answer.code == Code.OK:
                    self._recorder.write("stolen", trick=f"{word} for {wallet.name}", name=own)
            wire.send(Bye(False, Code.GOODBYE, ""))
            _until(wire, Bye)
            left = True
        except (ChatroomError, TimeoutError):
            pass
        finally:
            wire.close()
            self._recorder.write("stayed", name=own, left=left)

    def _come_in(self, wanted: Username) -> Wire:
        """The whole handshake. Raises NameRefused, ConnectionLost, TimeoutError."""
        host, port = self._options.host, self._options.port
        source = f"127.{self._random.randrange(1, 255)}.{self._random.randrange(256)}.1"
        wire = Wire(host, port, _SECONDS, source)
        try:
            wire.send(Hello(VERSION, "stranger"), wanted)
            _expect(wire, Status)
            offered = _expect(wire, Port)
            wire.send(Status(Verdict.PASS), Status(Verdict.END))
            _expect(wire, Status)
            if offered.number != SAME_CONNECTION:
                wire.close()
                wire = Wire(host, offered.number, _SECONDS, source)
            where = (self._options.channel,)
            wire.send(Admit(wanted.name, offered.ticket, where, 0, 0, NO_IDENTITY, 0))
            _expect(wire, Welcome)
        except BaseException:
            wire.close()
            raise
        return wire


def _expect(wire: Wire, kind: type[P]) -> P:
    """The next packet, which is to be of this kind."""
    packet = wire.receive()
    if isinstance(packet, Status) and packet.verdict is Verdict.FAIL:
        raise NameRefused(packet.reason, Code(packet.code))
    if not isinstance(packet, kind):
        raise ConnectionLost(f"{packet} instead of {kind.__name__}")
    return packet


def _until(wire: Wire, kind: type[P]) -> P:
    """The next packet of this kind."""
    for _ in range(_LAST_PACKETS):
        packet = wire.receive()
        if isinstance(packet, kind):
            return packet
    raise ConnectionLost(f"no {kind.__name__} came")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.stranger", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--channel", default="#general")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pace", type=float, default=0.3)
    parser.add_argument("--names", nargs="+", required=True)
    parser.add_argument("--tricks", nargs="*", default=[])
    parser.add_argument("--wallets", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    orders = Orders()
    stranger = Stranger(parser.parse_args(), orders)
    Thread(target=orders.read, name="orders", daemon=True).start()
    return stranger.run()


if __name__ == "__main__":
    sys.exit(main())
