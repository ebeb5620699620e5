"""Faults for copies of the C++ twin: one replacement each, and the rule by which it is found."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final, NamedTuple

SOURCE: Final = Path(__file__).resolve().parents[2] / "notes" / "cpp"
ONLY: Final = {
    "server": ("connection", "state", "chatroom", "server", "server_main"),
    "client": ("client", "views", "client_main"),
}
"""The object files that only one of the programs has."""


class Fault(NamedTuple):
    """A fault. rule: the one that is broken. what: as notes/cpp/README.md says it."""

    rule: str
    what: str
    program: str
    file: str
    good: str
    bad: str


FAULTS: Final = {
    "wrong-pong": Fault(
        "P39", "PONG has the id 0",
        "server", "connection.cpp", "encoded(Pong{ping->id})", "encoded(Pong{})",
    ),
    "any-ticket": Fault(
        "A10", "any ticket will do at the new port",
        "server", "server.cpp", "found && found->ticket == ticket", "found",
    ),
    "said-twice": Fault(
        "O6", "each event is sent twice",
        "server", "state.cpp", "member->out.push_back({data});",
        "member->out.insert(member->out.end(), 2, Piece{data});",
    ),
    "refusals-count": Fault(
        "E10", "a refused line raises the highest applied id",
        "server", "state.cpp", "} else if (!inside) {",
        "} else if (!inside) {\n            session->confirmed = say.id;",
    ),
    "repeats-are-said": Fault(
        "E4", "a line that was said already is said again",
        "server", "state.cpp", "if (say.id <= session->confirmed)", "if (say.id == MessageId{})",
    ),
    "lost-is-left": Fault(
        "O11", "a lost connection is a goodbye: QUIT comes at once",
        "server", "chatroom.cpp", 'Leave leave{origin, false, "connection lost"};',
        'Leave leave{origin, true, "connection lost"};',
    ),
    "any-identity": Fault(
        "P23", "the identity in ADMIT is not looked at",
        "server", "state.cpp", "if (admit.identity != identity_)", "if (false)",
    ),
    "said-again": Fault(
        "E16", "the client sends decided lines again after a reconnect",
        "client", "client.cpp", "pending_.decided(confirmed_)", "pending_.decided(MessageId{})",
    ),
    "no-cursor": Fault(
        "B1", "the client that comes back does not say what it has seen",
        "client", "client.cpp", "plan_.channels, seen_, seen_time_,", "plan_.channels, Seq{}, Time{},",
    ),
    "rude-end": Fault(
        "Q1", "the client leaves without BYE",
        "client", "client.cpp", "return encode(Bye{false, Code::GOODBYE, {}});", "return {};",
    ),
}  # fmt: skip

THROWS: Final = Fault(
    "", "an event that cannot be processed",
    "client", "client.cpp", "    const bool own = persons_.contains(event.person);",
    "    const bool own = persons_.contains(event.person);\n"
    '    if (event.text == "boom") throw std::length_error("boom");',
)  # fmt: skip
"""No rule is broken: the client is to survive it."""


def build_faulty(fault: Fault, build: Path, folder: Path) -> Path:
    """The program with this fault: its patched file, linked with the other object files of `build`."""
    source = (SOURCE / fault.file).read_text()
    assert source.count(fault.good) == 1, f"{fault.file} has {fault.good!r} {source.count(fault.good)} times"
    patched, program = folder / fault.file, folder / f"chat-{fault.program}"
    patched.write_text(source.replace(fault.good, fault.bad))
    left_out = {
        "vectors_test",
        Path(fault.file).stem,
        *ONLY["client" if fault.program == "server" else "server"],
    }
    objects = [path for path in build.glob("*.o") if path.stem not in left_out]
    command = ["g++", "-std=c++20", "-pthread", "-O0", "-I", str(SOURCE), "-I", str(build), str(patched)]
    subprocess.run([*command, *map(str, objects), "-o", str(program)], check=True, timeout=300)
    return program
