"""Several channels and direct conversations: the client as an object, and at a terminal, on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chatroom.errors import Refused
from chatroom.events import Event, EventKind, Extra, extra_number
from chatroom.outcomes import Code
from chatroom.packets import Form
from client import Client
from tests.client.script import Absent, Gone, play
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import PATIENCE, eventually


@pytest.fixture
def port() -> Iterator[int]:
    with running() as app:
        yield port_of(app)


def until(client: Client, wanted: Callable[[Event], bool]) -> Event:
    """The next event that is wanted."""
    for update in client.updates(PATIENCE):
        if isinstance(update, Event) and wanted(update):
            return update
    raise AssertionError("it did not come")


def test_a_bot_in_several_channels(port: int) -> None:
    """It gets the lines of all its channels and answers each where it was said, also to one person."""
    with Client(port=port, name="bot", channels=("#a", "#b")) as bot, Client(port=port, name="ann") as ann:
        for channel in ("#a", "#b"):
            assert ann.ask(f"/join {channel}").code == Code.OK
            ann.say(f"hello {channel}", channel)
        ann.direct("bot", "psst")
        for text, channel in (("hello #a", "#a"), ("hello #b", "#b"), ("psst", "@ann")):
            said = until(bot, lambda event: event.author == "ann" and event.kind is EventKind.SAID)
            assert (said.text, said.channel) == (text, channel)
            bot.reply(said, f"{text}, too", form=Form.BOT)
        for text, channel in (("hello #a, too", "#a"), ("hello #b, too", "#b"), ("psst, too", "@bot")):
            said = until(ann, lambda event: event.author == "bot" and event.kind is EventKind.SAID)
            assert (said.text, said.channel, said.form) == (text, channel, Form.BOT)
            assert extra_number(said.extra, Extra.REPLY_TO)
        assert {room.name for room in ann.rooms} == {"#general", "#a", "#b", "@bot"}
        assert ann.unread == {"#a": 1, "#b": 1, "@bot": 1}
        listed = {listing.name: (listing.members, listing.inside) for listing in bot.channels()}
        assert listed == {"#a": (2, True), "#b": (2, True), "#general": (1, False)}
        assert {member.name for member in ann.members("#b")} == {"ann", "bot"}


def test_messages_are_amended_and_found(port: int) -> None:
    """Edited, deleted, reacted to; the history has them as they are now, and the search finds them."""
    with Client(port=port, name="ann") as ann, Client(port=port, name="bob") as bob:
        first, second = ann.say("the frist line"), ann.say("the second line")
        assert first.wait(PATIENCE) and second.wait(PATIENCE)
        seqs = [until(bob, lambda event: event.kind is EventKind.SAID).seq for _ in range(2)]
        assert ann.edit(seqs[0], "the first line").wait(PATIENCE)
        assert ann.delete(seqs[1]).wait(PATIENCE)
        assert bob.react(seqs[0], "+1").wait(PATIENCE)
        assert not bob.edit(seqs[0], "not mine").wait(PATIENCE)
        for kind, text in (
            (EventKind.EDITED, "the first line"),
            (EventKind.DELETED, ""),
            (EventKind.REACTED, "+1"),
        ):
            assert until(ann, lambda event, kind=kind: event.kind is kind).text == text  # type: ignore[misc]
        said = [event for event in bob.history(10) if event.kind is EventKind.SAID]
        assert [event.text for event in said] == ["the first line", ""]
        assert [event.seq for event in bob.search("first")] == [seqs[0]]
        with pytest.raises(Refused):
            bob.history(10, "#nowhere")
        with pytest.raises(Refused):
            bob.direct("nobody", "psst")


def test_a_lost_connection_in_several_channels(port: int) -> None:
    """Afterwards the client is in the same places, with what it missed in each, and where it was."""
    with (
        Client(port=port, name="ann") as ann,
        Client(port=port, name="bob", channels=("#general", "#tea")) as bob,
    ):
        ann.ask("/join #tea")
        bob.direct("ann", "first")
        until(ann, lambda event: event.text == "first")
        ann._opening.cut()
        for channel in ("#general", "#tea", "@ann"):
            bob.say(f"missed {channel}", channel)
        assert bob.flush(PATIENCE)
        found = {until(ann, lambda event: event.text.startswith("missed")).channel for _ in range(3)}
        assert found == {"#general", "#tea", "@bob"}
        eventually(lambda: len(ann.rooms) == 3, "a place is missing")


def test_two_people_at_terminals(port: int) -> None:
    """Ann goes to another channel, writes to bob alone, and corrects herself; bob's client gets it all."""
    channels = ("#general", "#tea")
    with Client(port=port, name="bob", channels=channels) as bob, Client(port=port, name="ann") as ann:

        def bob_says(text: str, channel: str) -> Callable[[], bool]:
            return lambda: bob.say(text, channel).wait(PATIENCE)

        def bob_gets(text: str, wanted: EventKind = EventKind.SAID) -> Callable[[], bool]:
            return lambda: until(bob, lambda each: each.kind is wanted and each.author == "ann").text == text

        play(
            ann,
            bob_says("hello", "#general"),
            "bob hello",
            bob_says("early", "#tea"),
            b"/join #tea\r",
            "-- #tea: 2 people",
            "bob early",
            b"I am here\r",
            "ann I am here",
            bob_gets("I am here"),
            Gone("--:--"),
            b"s/here/late/\r",
            "I am late (edited)",
            bob_gets("I am late", EventKind.EDITED),
            b"/msg bob psst\r",
            "ann to bob psst",
            bob_gets("psst"),
            bob_says("what?", "@ann"),
            "unread: @bob 1",
            b"\x1ba",
            "bob to you what?",
            "ann to bob psst",
            Absent("I am late"),
            b"/go 1\r",
            "bob hello",
            b"/leave #tea\r",
            lambda: ann.room("#tea") is None,
            Absent("no longer"),
        )


def test_read_markers_are_for_all_programs(port: int) -> None:
    """What one program of an account has shown is not unread in the other, nor in a later one."""
    with Client(port=port, name="dora") as first, Client(port=port, name="bob") as bob:
        assert first.ask("/register correct-horse").code == Code.OK
        with Client(port=port, name="dora", password="correct-horse") as second:
            bob.say("one"), bob.say("two").wait(PATIENCE)
            for client in (first, second):
                until(client, lambda event: event.text == "two")
            assert first.unread == second.unread == {"#general": 2}
            place = first.rooms[0].place
            first.mark_read(place, tell=True)
            eventually(lambda: second.unread == {}, "the other program does not know")
            bob.say("three").wait(PATIENCE)
        with Client(port=port, name="dora", password="correct-horse", lines=10) as third:
            until(third, lambda event: event.text == "three")
            assert third.unread == {"#general": 1}
