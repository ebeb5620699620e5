"""The real client at a terminal and between pipes, moderated by a server that is made of packets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chatroom.events import BAN_LIST, MUTE_LIST, Event, EventKind, Extra, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Answer, Bye, Command, Packet, Say, Status, Verdict
from tests.client.fake_server import ME, FakeServer, live
from tests.client.pseudo_terminal import PseudoTerminal, python
from tests.support.events import BOB, GENERAL, NOON, said
from tests.support.patience import PROGRAM_PATIENCE
from tests.support.peer import PacketSocket

pytestmark = pytest.mark.slow

ANN = extra_row(Extra.TARGET, ME, 4) + extra_row(Extra.TARGET_NAME, "ann")
EVE = extra_row(Extra.TARGET, 44, 4) + extra_row(Extra.TARGET_NAME, "eve")
LUNCH = "lunch? | 好的 | no"


def event(seq: int, kind: EventKind, text: str = "", extra: bytes = b"") -> Event:
    return Event(seq, NOON, kind, "#general", "bob", text, 0, BOB, GENERAL, extra)


def listed(seq: int, which: int, about: bytes, text: str = "") -> Event:
    rows = extra_row(Extra.LIST, which, 1) + about + extra_row(Extra.UNTIL, NOON + 600_000)
    return event(seq, EventKind.LISTED, text, rows)


def command(server: FakeServer, *options: str) -> list[str]:
    return python("client", f"127.0.0.1:{server.port}", "--name", "ann", *options)


@contextmanager
def ann(server: FakeServer, *options: str) -> Iterator[tuple[PseudoTerminal, PacketSocket]]:
    """Ann at a terminal, in #general, once her client has asked whose lines to hide."""
    with PseudoTerminal(command(server, *options), lines=20) as terminal:
        peer, _ = server.admit(live(0))
        for text in ("/ignored", "/help"):
            asked = peer.expect(Command)
            assert asked.text == text
            peer.send(Answer(asked.id, Code.OK, "", "[]"))
        terminal.see("you are ann in #general")
        yield terminal, peer


def test_a_muted_person_at_a_terminal() -> None:
    """Who is muted reads why and for how long; the reason names the line, and a key brings it back."""
    with FakeServer() as server, ann(server) as (terminal, peer):
        peer.send(listed(1, MUTE_LIST, ANN, "too loud"))
        terminal.see("-- bob muted you for 10 minutes: too loud")
        terminal.type("precious words\r")
        say = peer.expect(Say)
        peer.send(Answer(say.id, Code.MUTED, "not said: you are muted", '["#general", 0, "too loud"]'))
        terminal.see("-- not said: you are muted in #general: too loud: precious")
        terminal.type("\x1b[A")
        terminal.see("ann> precious words")
        terminal.type("\r")
        assert peer.expect(Say).text == "precious words"
        assert terminal.screen.obeyed == []


def test_a_class_at_a_terminal() -> None:
    """Hands are one line, a turn and an announcement stand out, and bars fit the screen in colours, too."""
    hands = [event(n, EventKind.HAND)._replace(author=f"p{n}", person=100 + n) for n in range(1, 31)]
    votes = extra_row(Extra.VOTES, bytes((0, 3, 0, 1)))
    with FakeServer() as server, ann(server) as (terminal, peer):
        peer.send(*hands, event(31, EventKind.CALLED, "", ANN))
        peer.send(event(32, EventKind.ANNOUNCED, "home at noon")._replace(channel="", place=0))
        peer.send(event(33, EventKind.POLL, LUNCH), event(34, EventKind.REVEALED, LUNCH, votes))
        rows = terminal.see("25 %")
        shown = [row[6:] for row in rows if row]
        start = next(number for number, row in enumerate(shown) if " raised a hand" in row)
        assert shown[start : start + 7] == [
            "--              30 raised a hand: p1, p2, p3, p4, p5, p6, p7 and 23 more",
            "***             it is your turn to speak",
            "***             bob to all: home at noon",
            "--              bob asks: lunch?",
            "                1 好的",
            "                2 no",
            "                /vote N; you may change it until the result comes",
        ]
        terminal.resize(40, 20)
        rows = terminal.see(lambda rows: any("75 %" in row for row in rows))
        assert all(len(row) < 40 for row in rows)


def test_who_is_removed_from_the_chatroom() -> None:
    """One line says so with the reason, what was half-typed stays on the screen, and the exit code is 1."""
    with FakeServer() as server, ann(server) as (terminal, peer):
        terminal.type("half-typed")
        terminal.see("ann> half-typed")
        peer.send(Bye(False, Code.KICKED, "killed by bob: spam"))
        peer.close()
        assert terminal.wait() == 1
        rows = [row for row in terminal.screen.rows() if row]
        assert rows[-2:] == [
            "ann> half-typed",
            "chatroom-client: you were removed from the chatroom: killed by bob: spam",
        ]
        assert terminal.screen.cursor.x == 0  # the shell's prompt begins a row
        assert terminal.modes() == terminal.modes_before


def run(server: FakeServer, *options: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command(server, *options), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )


def test_who_is_banned_does_not_come_in() -> None:
    """The program says until when and why, in one line, and does not try again."""
    words = "you are banned from this chatroom until 2026-01-31 12:34 UTC: spam"
    with FakeServer() as server, run(server, "--retry-for", "60") as program:
        lobby, _ = server.named()
        lobby.send(Status(Verdict.FAIL, Code.BANNED, words))
        _, errors = program.communicate(timeout=PROGRAM_PATIENCE)
        assert (program.returncode, errors) == (1, f"chatroom-client: {words}\n")


def test_events_as_json() -> None:
    """Each kind has its name; whom it is about, until when, and the votes are fields."""
    events: list[Packet] = [
        listed(1, BAN_LIST, EVE, "spam"),
        event(2, EventKind.KICKED, "spam", EVE),
        event(3, EventKind.REVEALED, LUNCH, extra_row(Extra.VOTES, bytes((0, 3, 0, 1)))),
        event(4, EventKind.ASKED, "why?")._replace(author="", person=0),
        said(5, "the end"),
    ]
    with FakeServer() as server, run(server, "--json", "--follow") as program:
        peer, _ = server.admit(live(0))
        peer.send(*events, Bye(False, Code.STOPPING, "the server is shutting down"))
        peer.close()
        output, _ = program.communicate(timeout=PROGRAM_PATIENCE)
    banned, kicked, revealed, asked, _ = (json.loads(line) for line in output.splitlines())
    assert (banned["kind"], banned["list"], banned["target"]) == ("listed", "ban", "eve")
    assert banned["until"] == "2023-11-14T22:23:20.000Z" and banned["text"] == "spam"
    assert (kicked["kind"], kicked["target"], kicked["text"]) == ("kicked", "eve", "spam")
    assert (revealed["kind"], revealed["votes"]) == ("revealed", [3, 1])
    assert (asked["kind"], asked["author"]) == ("asked", "")
