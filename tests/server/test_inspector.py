"""The picture of a real server's inside: its threads, who does not read, what the reaper has done."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from threading import Event as Flag

import pytest

from chatroom.errors import HistoryFull
from chatroom.events import Event
from chatroom.packets import Say
from chatroom.picture import Group, Picture, picture_of
from server.app import App
from server.crowd import Crowd
from server.inspector import Inspector
from server.quotas import Quotas
from server.waits import WAITS, wait_of
from tests.end_to_end.in_process import running
from tests.support.patience import PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.tasks import Task


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Each look is a new one."""
    monkeypatch.setattr("server.inspector.INSPECT_EVERY", 0.0)
    with running() as app:
        yield app


def look(app: App) -> Picture:
    """The picture, as it comes over the wire."""
    assert app.chatroom.inspector is not None
    found = picture_of(json.loads(json.dumps(app.chatroom.inspector().row())))
    assert found is not None
    return found


def waits(picture: Picture, kind: str) -> set[tuple[str, str]]:
    return {(group.how, group.what) for group in picture.groups if group.kind == kind}


def test_a_server_at_rest(app: App) -> None:
    """Each thread of a server that has nothing to do waits, and it is told how and for what."""
    at_rest = {
        "accept": ("accept", "a connection"),
        "forwarder": ("condition", "work in the queue"),
        "flusher": ("select", "a socket with room"),
        "catch-up": ("condition", "somebody to catch up"),
        "history": ("flag", "the end of the server"),
        "server-reaper": ("flag", "its next second"),
    }

    def rest() -> bool:
        picture = look(app)
        return all(waits(picture, kind) == {wait} for kind, wait in at_rest.items())

    eventually(rest, "they do not rest")
    (forwarder,) = [group for group in look(app).groups if group.kind == "forwarder"]
    assert 0 <= forwarder.since < 5 and look(app).threads >= len(at_rest)


def test_a_handler_that_listens(app: App) -> None:
    """A member's handler waits for bytes, since the member has said something; a guest's thread does, too."""
    with Peer.enter(app.address, "ann") as ann, Peer.connect(app.address):
        ann.send(Say(1, "#general", "hello"))
        ann.said(1)
        listens = ("recv", "bytes from the peer")
        eventually(lambda: waits(look(app), "handler") == {listens}, "the handler does not listen")
        eventually(lambda: waits(look(app), "connection") == {listens}, "the guest is not waited for")
        eventually(lambda: look(app).numbers.lines == 1, "the line is not counted")
        picture = look(app)
        (member,) = picture.members
        assert member[:3] == ("ann", *listens) and 0 <= member.since < 5 and member.size == 0
        assert (picture.numbers.members, picture.numbers.newcomers) == (1, 1)
        assert picture.numbers.rounds >= 1 and sum(picture.sizes) == picture.numbers.rounds


def test_nothing_private_is_told(app: App) -> None:
    """The picture has no address, no text and no channel; names only of those whose handlers it shows."""
    with Peer.enter(app.address, "ann", channel="#secret-place") as ann, Peer.connect(app.address):
        ann.send(Say(1, "#secret-place", "a private text"))
        ann.said(1)
        eventually(lambda: waits(look(app), "connection"), "the guest is not there")
        told = json.dumps(look(app).row())
    assert "ann" in told
    assert not [word for word in ("127.0.0.1", "secret", "private", "general") if word in told]


def test_a_reader_that_has_stopped(app: App) -> None:
    """A member that does not read stands first among the members, with what waits for it."""
    with Peer.enter(app.address, "ann") as ann, Peer.enter(app.address, "mallory") as mallory:
        mallory.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for number in range(1, 400, 20):
            ann.send(*(Say(id, "#general", "x" * 60_000) for id in range(number, number + 20)))
            ann.said(20)
            first = look(app).members[0]
            if first.size > 100_000:
                break
        assert first.name == "mallory" and look(app).numbers.shared > 60_000
    eventually(lambda: look(app).numbers.shared == 0, "the backlog does not go")


def test_what_the_reaper_has_joined(app: App) -> None:
    """Threads that have ended are counted when the reaper has joined them, and it is told how long ago."""
    before = look(app).numbers
    for _ in range(3):
        with Peer.connect(app.address):
            pass

    def joined() -> bool:
        app.chatroom.reaper.reap()  # as the reaper does within a second
        return look(app).numbers.joined >= before.joined + 3

    eventually(joined, "nobody joins them")
    now = look(app).numbers
    assert now.owned == before.owned and 0 <= now.reaped < 5


def test_a_full_disk(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is full it is told what the forwarder waits for: looking needs no answer of it."""
    history, full = app.chatroom._history, [True]
    append = history.append

    def refuse(*arguments: object, **more: object) -> None:
        if full[0]:
            raise HistoryFull("the disk is full")
        append(*arguments, **more)  # type: ignore[arg-type]

    with Peer.enter(app.address, "ann") as ann:
        monkeypatch.setattr(history, "append", refuse)
        ann.send(Say(1, "#general", "hello"))
        eventually(lambda: waits(look(app), "forwarder") == {("flag", "room on the disk")}, "not told")
        assert look(app).numbers.holding == 1
        full[0] = False
        assert ann.receive_until(lambda packet: isinstance(packet, Event)).text == "hello"


def test_all_who_look_share_a_picture(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks soon after another one gets the same picture: so looking has a bound."""
    monkeypatch.setattr("server.inspector.INSPECT_EVERY", 5.0)
    now = [100.0]
    inspector = Inspector(app.chatroom, Crowd(Quotas()), app.backlogs, lambda: now[0], lambda _: None)
    first = inspector.look()
    now[0] += 4.9
    assert inspector.look() is first
    now[0] += 0.2
    later = inspector.look()
    assert later is not first and later.numbers.up == pytest.approx(5.1)


def test_who_looks_meanwhile_gets_no_old_picture(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody looks, others wait for that picture: the one before may be of yesterday."""
    monkeypatch.setattr("server.inspector.INSPECT_EVERY", 5.0)
    now, begun, go_on = [100.0], Flag(), Flag()
    go_on.set()

    def rest(_seconds: float) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    inspector = Inspector(app.chatroom, Crowd(Quotas()), app.backlogs, lambda: now[0], rest)
    before = inspector.look()
    begun.clear()
    go_on.clear()
    now[0] += 86_400.0
    first = Task(inspector.look)
    assert begun.wait(PATIENCE)
    second = Task(inspector.look)

    def is_waiting() -> bool:
        frame = sys._current_frames().get(second.ident or 0)
        return frame is None or wait_of(frame) == WAITS["server.inspector", "Inspector.look"]

    eventually(is_waiting, "it neither waits nor has ended")
    go_on.set()
    assert second.result() is first.result() is not before


def test_after_a_look_that_failed_another_one_comes(app: App) -> None:
    """Nobody waits for ever for a picture that is not made."""
    rests = iter((True, False))

    def rest(_seconds: float) -> None:
        if next(rests):
            raise ZeroDivisionError

    inspector = Inspector(app.chatroom, Crowd(Quotas()), app.backlogs, rest=rest)
    with pytest.raises(ZeroDivisionError):
        inspector.look()
    assert inspector.look().threads


def test_many_threads_are_few_groups(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that do the same are one row; of too many rows the smallest are one without words."""
    monkeypatch.setattr("server.inspector.PICTURE_GROUPS", 3)
    with Peer.enter(app.address, "ann"), Peer.enter(app.address, "bob"):
        picture = look(app)
    assert len(picture.groups) == 4 and picture.groups[-1][:3] == ("other", "", "")
    assert picture.threads >= 8


def test_without_a_gil_no_frame_is_read(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where threads run at the same time the picture has kinds and numbers, and says why it has no more."""
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    with Peer.enter(app.address, "ann"):
        picture = look(app)
    others = [group for group in picture.groups if group.how != "runs"]
    assert Group("accept", "", "not looked at: no GIL") in others
    assert picture.members[0].name == "ann"
