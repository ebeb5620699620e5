"""Our server or client with a fault: `python -m tests.conformance.faulty FAULT [options of the program]`.

Each fault replaces a piece of one module's source before the program starts. So the tests show that the
conformance run finds what it is there for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from types import CodeType, ModuleType
from typing import NamedTuple


class Fault(NamedTuple):
    """A fault. rule: the one that is broken. what: said in notes/conformance.md."""

    rule: str
    what: str
    module: str
    good: str
    bad: str


OF_SERVER = {
    "wrong-pong": Fault(
        "P39", "PONG has the id 0",
        "server.connection", "encode(Pong(packet.id))", "encode(Pong(0))",
    ),
    "any-ticket": Fault(
        "A10", "any ticket will do at the new port",
        "server.admission", "not hmac.compare_digest(packet.ticket, ticket)", "False",
    ),
    "case-matters": Fault(
        "N7", "`ANN` is another name than `ann`",
        "chatroom.names", "        return name.lower()", "        return name",
    ),
    "wide-parts": Fault(
        "M1", "parts have up to 4500 bytes of text",
        "chatroom.packets.encoder", "    TEXT_PART,\n    TICKET_BYTES,\n)",
        "    TICKET_BYTES,\n)\n\nTEXT_PART = 4500",
    ),
    "cut-characters": Fault(
        "M3", "a text is cut inside a character",
        "chatroom.packets.encoder", "            stop -= 1", "            break",
    ),
    "endless-payload": Fault(
        "H4", "a header may announce any length",
        "chatroom.packets.decoder", "if length > MAX_PAYLOAD:", "if length > 2**32:",
    ),
    "said-twice": Fault(
        "O6", "each event is sent twice",
        "server.connection", '"""See `chatroom.door.Door`."""\n        return packets',
        "return packets * 2",
    ),
    "refusals-count": Fault(
        "E10", "a refused line raises the highest applied id",
        "chatroom.state", "            self._effects.append(Answer(origin, id, Outcome(code)))\n",
        "            self._effects.append(Answer(origin, id, Outcome(code)))\n"
        "            session.confirmed = max(session.confirmed, id)\n",
    ),
    "repeats-are-said": Fault(
        "E4", "a line that was said already is said again",
        "chatroom.state", "old = bisect_right(ids, session.confirmed)", "old = 0",
    ),
    "lost-is-left": Fault(
        "O11", "a lost connection is a goodbye: QUIT comes at once",
        "chatroom.chatroom", "Leave(ending.clean, ending.reason)", "Leave(True, ending.reason)",
    ),
    "any-identity": Fault(
        "P23", "the identity in ADMIT is not looked at",
        "chatroom.chatroom", "if join.identity != self._identity:", "if False:",
    ),
    "one-line-more": Fault(
        "P11", "a newcomer gets one line more than it asked for",
        "chatroom.chatroom", "partial(Missed, 0, join.lines)", "partial(Missed, 0, join.lines + 1)",
    ),
    "carriage-returns": Fault(
        "T1", "CR and NUL stay in a line",
        "server.connection", "_tidy(burst.part(0, paid))", "burst.part(0, paid)",
    ),
    "never-again": Fault(
        "Q3", "BYE says that nobody may come back, also when the server stops",
        "server.connection", "Bye(code in RETURNING, code,", "Bye(False, code,",
    ),
}  # fmt: skip


OF_CLIENT = {
    "client-wrong-pong": Fault(
        "P39", "PONG has the id 0",
        "client.pending_lines", "            self._pong = id", "            self._pong = 0",
    ),
    "client-any-port": Fault(
        "P7", "the client connects to port 25 when it is told so",
        "client.handshaking", "port.number < LOWEST_PORT", "False",
    ),
    "client-raw-names": Fault(
        "T2", "names of others are printed as they came",
        "views.item", 'f"{one_line(item.author)}: {text}"', 'f"{event.author}: {text}"',
    ),
    "client-early-lines": Fault(
        "E11", "lines are sent before LIVE",
        "client.pending_lines", "        while self._open and self._queue", "        while self._queue",
    ),
    "client-no-token": Fault(
        "P14", "the client comes back without its token",
        "client.resume", "check_channel(self._channel), self._token",
        "check_channel(self._channel), NO_TOKEN",
    ),
    "client-no-cursor": Fault(
        "B1", "events do not move `since`, only LIVE does",
        "client.link", "size, events[-1].seq, events[-1].time)", "size, 0, 0)",
    ),
    "client-says-all-again": Fault(
        "E16", "lines that were refused are sent again",
        "client.link", "if line.id <= self._admission.welcome.confirmed:", "if False:",
    ),
    "client-always-back": Fault(
        "Q3", "the client comes back after BYE with `again` 0",
        "client.client", "if not ending.again:", "if False:",
    ),
    "client-keeps-history": Fault(
        "B7", "after OTHER_HISTORY the client keeps its old cursor",
        "client.resume", "ANEW: Final = (Resumed.OTHER_HISTORY, Resumed.RESTORED)", "ANEW: Final = ()",
    ),
}  # fmt: skip

FAULTS = OF_SERVER | OF_CLIENT


class _Loader(SourceFileLoader):
    """Loads a module with the piece replaced."""

    def __init__(self, fault: Fault, path: str) -> None:
        super().__init__(fault.module, path)
        self._fault = fault

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path).decode()
        times = source.count(self._fault.good)
        assert times == 1, f"{fullname} has {self._fault.good!r} {times} times"
        code: CodeType = compile(source.replace(self._fault.good, self._fault.bad), self.path, "exec")
        return code


class _Finder(MetaPathFinder):
    """Finds the module of a fault before the usual finders do."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._fault.module:
            return None
        found = PathFinder.find_spec(fullname, path)
        assert found is not None and found.origin is not None
        return spec_from_loader(fullname, _Loader(self._fault, found.origin), origin=found.origin)


if __name__ == "__main__":
    sys.meta_path.insert(0, _Finder(FAULTS[sys.argv[1]]))
    if sys.argv[1] in OF_SERVER:
        from server.__main__ import main
    else:
        from client.__main__ import main

    sys.exit(main(sys.argv[2:]))
