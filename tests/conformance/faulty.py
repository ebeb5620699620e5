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
        "chatroom.lines", "            self._ledger.tell(Answer(origin, id, refused))\n",
        "            self._ledger.tell(Answer(origin, id, refused))\n"
        "            self._here[origin].confirmed = max(self._here[origin].confirmed, id)\n",
    ),
    "repeats-are-said": Fault(
        "E4", "a line that was said already is said again",
        "chatroom.lines", "old = bisect_right(ids, session.confirmed)", "old = 0",
    ),
    "lost-is-left": Fault(
        "O11", "a lost connection is a goodbye: QUIT comes at once",
        "chatroom.chatroom", "Leave(ending.clean, ending.reason)", "Leave(True, ending.reason)",
    ),
    "any-identity": Fault(
        "P23", "the identity in ADMIT is not looked at",
        "chatroom.lookups", "if join.identity != identity:", "if False:",
    ),
    "one-line-more": Fault(
        "P11", "a newcomer gets one line more than it asked for",
        "chatroom.lookups", "partial(Missed, 0, join.lines)", "partial(Missed, 0, join.lines + 1)",
    ),
    "carriage-returns": Fault(
        "T1", "CR and NUL stay in a line",
        "server.connection", "_tidy(burst.part(0, paid))", "burst.part(0, paid)",
    ),
    "never-again": Fault(
        "Q3", "BYE says that nobody may come back, also when the server stops",
        "server.connection", "Bye(code in RETURNING, code,", "Bye(False, code,",
    ),
    "who-has-an-account": Fault(
        "U6", "a wrong password is refused in other words than an account that does not exist",
        "chatroom.reception", "raise refusal_of(key, checked)", "raise NameRefused(key, checked.code)",
    ),
    "any-password": Fault(
        "U6", "any password logs in",
        "chatroom.logins", "if check_password(password, one)", "if check_password(password, one) or True",
    ),
    "tokens-for-ever": Fault(
        "U15", "a device token still logs in after /passwd",
        "chatroom.accounts", "account.credentials = [Credential(PASSWORD",
        "account.credentials = [*account.credentials, Credential(PASSWORD",
    ),
    "leavers-listen": Fault(
        "J7", "who has left a channel still gets its lines",
        "chatroom.forwarder", "self._newcomers.narrow(turn)", "pass",
    ),
    "any-key": Fault(
        "J20", "any key opens a channel",
        "chatroom.channels", "if channel.key and not is_same(channel.key, key)", "if False",
    ),
    "all-are-invited": Fault(
        "J21", "everybody may enter a channel for the invited",
        "chatroom.channels",
        "        if channel.invite_only:\n            return", "        if False:\n            return",
    ),
    "nobody-is-silenced": Fault(
        "J22", "everybody speaks in a moderated channel",
        "chatroom.speaking",
        "is_silent = self._rights.role(member.person, place) < Role.VOICE", "is_silent = False",
    ),
    "all-is-read": Fault(
        "J23", "`history joined` hides nothing",
        "chatroom.channels", "return channel is not None and channel.from_joining", "return False",
    ),
    "all-come-plain": Fault(
        "P66", "JOINED says nothing of a role",
        "chatroom.events", "if role else extra\n", "if False else extra\n",
    ),
    "past-of-others": Fault(
        "S9", "the past of a channel in which the member is not is answered with OK",
        "chatroom.history_commands",
        "if not place or not state.has_place(person, place):", "if not place:",
    ),
    "no-bracket": Fault(
        "O6", "events of the past come without REPLAY",
        "server.connection", "encode(Replay(request)), ", "",
    ),
    "marker-goes-back": Fault(
        "S10", "a read marker may move back",
        "chatroom.reading", "if seq <= self.of(person, place):", "if seq == self.of(person, place):",
    ),
    "for-all-to-hear": Fault(
        "R4", "a line to one person is said in a channel of its author",
        "chatroom.direct",
        "        place = conversation.place\n", "        place = next(iter(member.places.values()))\n",
    ),
    "strangers-write": Fault(
        "R11", "everybody may begin a direct conversation with everybody",
        "chatroom.direct",
        "shared = not begun and self._channels.shared(author, receiver)", "shared = True",
    ),
    "anybody-edits": Fault(
        "F7", "anybody edits the lines of others",
        "chatroom.amendments", "if kind is EventKind.EDITED and not own:", "if False:",
    ),
    "first-texts": Fault(
        "F12", "a replay has a line as it was before it was edited",
        "chatroom.amendments",
        "replace(blanked(message._replace(text=text, extra=kept + mark)))", "del kept, mark",
    ),
    "earlier-texts": Fault(
        "F13", "a replay has the text of every edit",
        "chatroom.amendments", "        if known.edit is not None:\n", "        if False:\n",
    ),
    "banned-join": Fault(
        "X16", "who is banned from a channel joins it",
        "chatroom.channels",
        "return Outcome(Code.BANNED, (name, banned.until, banned.reason))", "pass",
    ),
    "banned-come-in": Fault(
        "X19", "the lobby takes who is banned from the chatroom",
        "chatroom.entrance",
        "            return Outcome(Code.BANNED, (EVERYWHERE, banned.until, banned.reason))\n",
        "            pass\n",
    ),
    "bans-for-ever": Fault(
        "X20", "a ban and a mute with a duration do not end",
        "chatroom.moderation_acts",
        "until = parts.ledger.time + 1000 * seconds if seconds else 0", "until = 0",
    ),
    "kicked-listen": Fault(
        "X13", "who was kicked still gets the lines of the channel",
        "chatroom.channels", "            self._go(member, channel, signal)\n        else:",
        "            del channel.members[person], member.places[channel.name]\n        else:",
    ),
    "owners-are-kicked": Fault(
        "X9", "an operator kicks, bans and mutes an owner",
        "chatroom.whom",
        "if role < mine:",
        "if True:",
    ),
    "operators-are-hit": Fault(
        "X10", "the ban of a network means operators, too",
        "chatroom.rights",
        "if self.role(person, at) >= Role.OPERATOR and not is_above:", "if False:",
    ),
    "exempt-are-hit": Fault(
        "X11", "bans and mutes mean who is exempt, too",
        "chatroom.rights",
        "if not self._spares(at, is_above, person, name_key, network):", "if True:",
    ),
    "addresses-are-told": Fault(
        "X7", "LISTED tells the address of whom +NAME means",
        "chatroom.moderation_acts", "extra_row(Extra.WHOM, found.typed)",
        "extra_row(Extra.WHOM, str(found.entries[0]))",
    ),
    "muted-speak": Fault(
        "X22", "who is muted says lines",
        "chatroom.speaking", "        if not self._rights.mutes:\n", "        if True:\n",
    ),
    "muted-shout-at-the-door": Fault(
        "X24", "who is muted gives a reason when it leaves",
        "chatroom.speaking", "if silenced or self._shown(session, member):", "if False:",
    ),
    "trail-for-all": Fault(
        "X29", "AUDITED goes to the members of the channel",
        "chatroom.audit", "author, AUDIT_PLACE,", "author, place,",
    ),
    "anybody-follows": Fault(
        "X41", "everybody may follow a line",
        "chatroom.trace_commands", "needs=Role.OPERATOR", "needs=Role.MEMBER",
    ),
    "turns-for-ever": Fault(
        "I8", "who was called before keeps the voice",
        "chatroom.classroom", "            self._rights.set_turn(place, person)\n            self._keep",
        "            self._rights.give(person, 1, 0, place)\n            self._keep",
    ),
    "votes-are-told": Fault(
        "I12", "an event says who has voted",
        "chatroom.classroom_acts", "    code = parts.classroom.vote(channel.place, session.person, choice)\n",
        "    code = parts.classroom.vote(channel.place, session.person, choice)\n"
        "    _say(parts, session, channel, EventKind.POLL, question)\n",
    ),
    "first-votes": Fault(
        "I13", "a vote cannot be changed",
        "chatroom.classroom", "        found.votes[person] = choice\n",
        "        choice = found.votes.setdefault(person, choice)\n",
    ),
    "questions-with-names": Fault(
        "I16", "ASKED has the name of who asks",
        "chatroom.classroom_acts", 'EventKind.ASKED, 0, "",', "EventKind.ASKED, person, member.name,",
    ),
    "slow-is-forgotten": Fault(
        "W4", "after a restart no channel is slow",
        "chatroom.places", '"from_joining", "kept", "slow")', '"from_joining", "kept")',
    ),
    "newcomers-flood": Fault(
        "W6", "newcomers say as much as others",
        "chatroom.guard",
        "        if self.newcomers is None or not self.is_newcomer(person, self._ledger.time):\n",
        "        if True:\n",
    ),
    "any-server-key": Fault(
        "W13", "any password of the server will do",
        "chatroom.guard", "if not self.key or session is not None or is_same(self.key, key):", "if True:",
    ),
    "erased-lines": Fault(
        "X34", "replays have the lines of an erased person",
        "chatroom.blanking", "return person in erased and event.seq <= erased[person]", "return False",
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
        "views.item", "        author = one_line(item.author)\n", "        author = item.author\n",
    ),
    "client-early-lines": Fault(
        "E11", "lines are sent before LIVE",
        "client.pending_lines", "        while self._open and not self._held", "        while not self._held",
    ),
    "client-no-token": Fault(
        "P14", "the client comes back without its token",
        "client.resume", "check_name(self._name), self._token", "check_name(self._name), NO_TOKEN",
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
    "client-lives-in-the-past": Fault(
        "P52", "events in a bracket with an id move the cursor",
        "client.link",
        "            case Replay(id):\n", "            case Replay(id):\n                id = 0\n",
    ),
    "client-hides-questions": Fault(
        "I16", "the question of an ASKED is not shown",
        "views.moderation", 'return f"{SOMEBODY} asks: {text}"', 'return "somebody asks"',
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
