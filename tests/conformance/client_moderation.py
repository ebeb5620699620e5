"""Checks of a client: what moderators do, a class, and what is erased."""

from __future__ import annotations

from functools import partial
from typing import Any

from chatroom.events import BAN_LIST, MUTE_LIST, Event, EventKind, Extra, Setting, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Present, Status, Verdict
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.client_channels import SECOND, comes_back_with, second_channel
from tests.conformance.client_talk import REST_SECONDS
from tests.conformance.host import MOMENT, OTHER, PLACE, Guest, Host
from tests.conformance.wire import describe

moderation = partial(check, role=Role.CLIENT, level=Level.MODERATION)

EVE = 33
"""A third person."""
NOBODY: dict[str, Any] = {"person": 0, "author": ""}
ALL: dict[str, Any] = {"place": 0, "channel": ""}
POLL = "lunch at noon? | yes | no"


def about(person: int, name: str) -> bytes:
    """The rows for the person whom it is about."""
    return extra_row(Extra.TARGET, person, 4) + extra_row(Extra.TARGET_NAME, name)


def listed(list: int, *others: bytes) -> bytes:
    """The extra of LISTED."""
    return extra_row(Extra.LIST, list, 1) + b"".join(others)


REMOVED = extra_row(Extra.REMOVED, 1, 1)
UNTIL = extra_row(Extra.UNTIL, MOMENT + 9_000_000)
NEWS: list[tuple[EventKind, str, bytes, dict[str, Any]]] = [
    (EventKind.KICKED, "spam", about(EVE, "eve"), {}),
    (EventKind.LISTED, "spam", listed(BAN_LIST, about(EVE, "eve"), UNTIL), {}),
    (EventKind.LISTED, "", listed(BAN_LIST, extra_row(Extra.WHOM, "+eve")), {}),
    (EventKind.LISTED, "", listed(MUTE_LIST, extra_row(Extra.WHOM, "eve"), REMOVED), {}),
    (EventKind.LISTED, "", listed(BAN_LIST, about(EVE, "eve")), ALL),
    (EventKind.LISTED, "", listed(99, about(EVE, "eve")), {}),
    (EventKind.SET, "", bytes((Setting.SLOW, 2, 0, 30)), {}),
    (EventKind.ANNOUNCED, "back at noon", b"", ALL),
    (EventKind.HAND, "", b"", {}),
    (EventKind.HAND, "", REMOVED, {}),
    (EventKind.CALLED, "", about(EVE, "eve"), {}),
    (EventKind.CALLED, "", b"", {}),
    (EventKind.POLL, POLL, b"", {}),
    (EventKind.POLL, "a poll without options", b"", {}),
    (EventKind.REVEALED, POLL, extra_row(Extra.VOTES, b"\0\1\0\2"), {}),
    (EventKind.REVEALED, POLL, extra_row(Extra.VOTES, b"\0\1\0"), {}),
    (EventKind.ASKED, "why is it so?", b"", NOBODY),
    (EventKind.ERASED, "", extra_row(Extra.TARGET, EVE, 4), ALL | NOBODY),
]


def tell(guest: Guest, text: str, kind: EventKind, extra: bytes = b"", **fields: Any) -> Event:
    """Send the next event, with an extra."""
    event = guest.host.event(text, kind, **fields)._replace(extra=extra)
    guest.send(event)
    return event


@moderation("X12", "X27", "W1", "I3", "I7", "I15", "X33", "O19")
def news_of_moderators_and_of_a_class(host: Host) -> None:
    """Events of each of these kinds, also with values that nobody knows yet, move the cursor as others do."""
    guest = host.enter()
    for kind, text, extra, fields in NEWS:
        event = tell(guest, text, kind, extra, **fields)
    host.program.say("goes on")
    line = guest.takes_and_confirms("goes on")
    ensure(line.channel == guest.admit.channels[0], "N15", "its own channel", describe(line))
    comes_back_with(host, guest, event.seq + 1, "O19")


@moderation("X5", "I11", "I16")
def what_the_user_reads(host: Host) -> None:
    """The user is told an announcement, a poll and a question."""
    guest = host.enter()
    tell(guest, "back at noon", EventKind.ANNOUNCED, **ALL)
    host.tells("back at noon", "X5")
    tell(guest, POLL, EventKind.POLL)
    host.tells("lunch at noon?", "I11")
    tell(guest, "why is it so?", EventKind.ASKED, **NOBODY)
    host.tells("why is it so?", "I16")


@moderation("X13", "O18")
def out_of_one_channel(host: Host) -> None:
    """KICKED with the own person in TARGET ends that channel alone; the client goes on."""
    guest = host.enter()
    second_channel(guest)
    own = about(guest.person, guest.username.name)
    kicked = tell(guest, "too loud", EventKind.KICKED, own, channel="#second", place=SECOND)
    host.program.say("goes on")
    line = guest.takes_and_confirms("goes on")
    ensure(line.channel == guest.admit.channels[0], "X13", "its own channel", describe(line))
    comes_back_with(host, guest, kicked.seq + 1, "O18")


@moderation("X22", "W2", "E9")
def lines_that_are_refused(host: Host) -> None:
    """A line that is refused with MUTED or SLOW_DOWN is ended: the user is told, and it is not sent again."""
    guest = host.enter()
    for code, words in ((Code.MUTED, "you are muted here"), (Code.SLOW_DOWN, "slow: wait for a minute")):
        host.program.say(f"a line for {code.name}")
        line = guest.expect_line(f"a line for {code.name}")
        guest.send(Answer(line.id, code, words, f'["#general",{MOMENT},""]'))
        host.tells(words, "X22" if code is Code.MUTED else "W2")
    guest.nothing_more("E9")


@moderation("X19", "W11", "B16", cases={code.name: code for code in (Code.BANNED, Code.INVITE_ONLY)})
def not_let_in(host: Host, code: Code) -> None:
    """A client that is not let in tells its user why, and does not come back by itself."""
    host.start()
    lobby = host.lobby()
    lobby.send(Status(Verdict.FAIL, code, "you may not come in"))
    host.tells("you may not come in", "X19" if code is Code.BANNED else "W11")
    ensure(not host.comes_within(REST_SECONDS), "B16", "that it does not come back", "another connection")


@moderation("W13", "A4")
def the_password_of_the_server_is_wanted(host: Host) -> None:
    """A client that needs the server's password tells its user."""
    host.start()
    lobby = host.lobby()
    lobby.send(Status(Verdict.FAIL, Code.BAD_KEY, "this server has a password"))
    host.tells("password", "W13")


@moderation("X14", "X18", "Q3", "B16", cases={code.name: code for code in (Code.KICKED, Code.BANNED)})
def ended_by_an_operator(host: Host, code: Code) -> None:
    """After BYE with KICKED or BANNED the client tells its user why, and does not come back by itself."""
    guest = host.enter()
    guest.say_bye(code, False, "killed by ann: spam")
    host.tells("killed by ann: spam", "X14" if code is Code.KICKED else "X18")
    ensure(not host.comes_within(REST_SECONDS), "Q3", "that it does not come back", "another connection")


@moderation("X37", "X33", "K1")
def what_was_said_is_erased(host: Host) -> None:
    """After ERASED the client tells its user in a line that something was erased, and goes on."""
    guest = host.enter()
    members = (
        Present(guest.person, 0, guest.username.name),
        Present(OTHER, 0, "bob"),
        Present(EVE, 0, "eve"),
    )
    guest.send(Channel(PLACE, guest.admit.channels[0], "", Setting.SLOW, 0, 3, members))
    guest.tell("a line of eve", person=EVE, author="eve")
    host.shows("a line of eve")
    guest.takes_pings()
    known = host.lines()
    erased = tell(guest, "", EventKind.ERASED, extra_row(Extra.TARGET, EVE, 4), **ALL, **NOBODY)
    host.tells_news(known, "X37")
    guest.tell("goes on")
    host.shows("goes on", "X33")
    comes_back_with(host, guest, erased.seq + 1, "X33")
