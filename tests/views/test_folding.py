"""Which joins and leaves become one line, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatroom.events import BAN_LIST, MUTE_LIST, Event, EventKind, Extra, extra_row
from tests.views.screen import readable
from tests.views.test_item import PLAIN
from views.folding import Folding, plain_run
from views.formatting import format_item
from views.limits import FOLDED_NAMES, RUN_NAMES, RUN_SECONDS, SPEAKERS, SPOKE_SECONDS

JOINED, LEFT, QUIT, SAID = EventKind.JOINED, EventKind.LEFT, EventKind.QUIT, EventKind.SAID


def event(kind: EventKind, name: str, seconds: float = 0, place: int = 1, text: str = "") -> Event:
    """The person is the sum of the name's letters: the same name is the same person."""
    place, channel = (0, "") if kind is QUIT else (place, f"#{place}")
    return Event(1, int(seconds * 1000), kind, channel, name, text, 0, sum(map(ord, name)), place)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def lines(*events: Event, own_name: str = "me") -> list[str]:
    """What stands in each line in the end; "" for what is no join or leave."""
    folding, found = Folding(), list[str]()
    last = 0
    for one in events:
        run = folding.take(one, own_name)
        if run is not None and run.number == last:
            found[-1] = run.text
        else:
            found.append(run.text if run is not None else one.text or f"[{one.author}]")
        last = run.number if run is not None else 0
    return found


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([event(JOINED, "ann")], "ann joined"),
        ([event(QUIT, "ann", text="gone home")], "ann left (gone home)"),
        ([event(JOINED, "ann"), event(JOINED, "bob")], "ann, bob joined"),
        (
            [event(JOINED, "ann"), event(QUIT, "eve", text="why"), event(LEFT, "bob")],
            "ann joined; eve, bob left",
        ),
        ([event(JOINED, "ann"), event(QUIT, "ann")], "ann joined; ann left"),
        ([event(JOINED, "ann"), event(QUIT, "ann"), event(JOINED, "ann")], "ann joined"),
        ([event(LEFT, "ann"), event(JOINED, "ann")], "ann left and came back"),
        ([event(LEFT, "ann"), event(JOINED, "ann"), event(QUIT, "ann")], "ann left"),
        ([event(QUIT, "ann"), event(JOINED, "ann")._replace(person=9)], "ann left and came back"),
        (
            [event(JOINED, name) for name in "abcdefg"] + [event(QUIT, name) for name in "xy"],
            "7 joined, 2 left",
        ),
        ([event(QUIT, name) for name in "abcde"], "5 left"),
    ],
)
def test_what_a_run_says(events: list[Event], text: str) -> None:
    """One event in its own words; of few people the names; of more how many."""
    assert lines(*events) == [text]
    assert FOLDED_NAMES == 3


def rows(width: int, *events: Event) -> list[str]:
    """The rows of the run on a screen of this width."""
    folding = Folding(utc)
    runs = [folding.take(one, "me") for one in events]
    assert runs[-1] is not None and runs[-1] is runs[0]
    return [readable(row) for row in format_item(runs[-1].item(), width, PLAIN)]


def test_as_many_names_as_the_row_has_room_for() -> None:
    """A wider screen shows more of them; few names need no number; nobody is named who was acted against."""
    names = ["amir", "bea", "carla", "dmitri", "elif", "finn", "gil", "hanna", "ines", "jo", "kai", "lea"]
    came = [event(JOINED, name) for name in names]
    assert rows(80, *came) == ["00:00 --              12 joined: amir, bea, carla, dmitri, elif and 7 more"]
    assert rows(40, *came) == ["00:00 -- 12 joined: amir and 11 more"]
    assert rows(24, *came) == ["00:00 -- 12 joined"]
    assert rows(120, *came)[0].endswith(" 12 joined: " + ", ".join(names))
    assert rows(80, *came, *(event(QUIT, name) for name in names[:4])) == [
        "00:00 --              12 joined: amir and 11 more; 4 left: amir and 3 more"
    ]
    assert rows(80, *(ban(name, text="spam") for name in names)) == [
        "00:00 --              ann banned 12: spam"
    ]
    assert rows(80, *came[:3]) == ["00:00 --              amir, bea, carla joined"]


def test_names_of_a_run_are_bounded() -> None:
    """However many come: no row has room for more."""
    folding = Folding(utc)
    runs = [folding.take(event(JOINED, f"n{number}")._replace(person=number), "me") for number in range(200)]
    assert runs[-1] is not None
    [told] = (item := runs[-1].item()).told
    assert told.number == 200 and len(told.names) == RUN_NAMES and len(item.names) == RUN_NAMES


def test_reasons_of_a_run_are_bounded() -> None:
    """Of reasons that differ none is told, so none is kept: each may be long."""
    folding = Folding(utc)
    runs = [folding.take(ban("eve", text=f"reason {number}", by=f"n{number}"), "me") for number in range(200)]
    assert runs[-1] is not None and runs[-1].text == "eve was banned"
    assert all(len(kept) <= 2 for kept in (*runs[-1]._ends.values(), *runs[-1]._by.values()))


def test_a_person_that_flaps_is_one_person() -> None:
    """Persons are counted, not events."""
    flapping = [event(kind, "ann") for _ in range(20) for kind in (JOINED, QUIT)]
    assert lines(*flapping, event(JOINED, "bob"), event(JOINED, "eve")) == ["3 joined, 1 left"]


def test_what_ends_a_run() -> None:
    """A line or another event, a long time, or another channel; QUIT is in all channels."""
    ann, bob, eve = (event(JOINED, name) for name in ("ann", "bob", "eve"))
    assert lines(ann, event(SAID, "dora", text="hello"), bob) == ["ann joined", "hello", "bob joined"]
    assert lines(ann, event(EventKind.TOPIC, "dora", text="tea"), bob)[2] == "bob joined"
    late = event(JOINED, "bob", RUN_SECONDS + 0.001)
    assert lines(ann, late) == ["ann joined", "bob joined"]
    assert lines(ann, event(JOINED, "bob", RUN_SECONDS)) == ["ann, bob joined"]
    other = event(JOINED, "bob", place=2)
    assert lines(ann, other, eve) == ["ann joined", "bob joined", "eve joined"]
    assert lines(event(QUIT, "dora"), other, event(QUIT, "carl")) == ["dora, carl left; bob joined"]


def test_who_spoke_lately_is_always_named() -> None:
    """Somebody who was perhaps being answered is named when they leave or come back, and first of all."""
    spoke = event(SAID, "bob", text="a question?")
    found = lines(
        spoke,
        *(event(QUIT, name, 1) for name in "abcd"),
        event(QUIT, "bob", 2),
        event(JOINED, "bob", SPOKE_SECONDS),
        event(JOINED, "eve", SPOKE_SECONDS),
    )
    assert found == ["a question?", "5 left: bob and 4 more", "bob, eve joined"]
    later = [event(QUIT, name, SPOKE_SECONDS + 1) for name in ("ann", "eve", "carl", "bob")]
    assert lines(spoke, *later) == ["a question?", "4 left"]


def test_who_spoke_lately_may_say_why_they_go() -> None:
    """Then that is a line of its own."""
    spoke = event(SAID, "bob", text="a question?")
    found = lines(spoke, event(QUIT, "ann"), event(QUIT, "bob", text="bye"), event(QUIT, "eve"))
    assert found == ["a question?", "ann left", "bye", "eve left"]


def test_many_who_spoke_are_few_rows() -> None:
    """A class that leaves after a discussion does not push the discussion off the screen."""
    names = [f"student-{number:02}" for number in range(30)]
    folding = Folding(utc)
    for person, name in enumerate(names, 1):
        folding.take(event(SAID, name, text="x")._replace(person=person), "me")
    left = [event(QUIT, name, 1)._replace(person=person) for person, name in enumerate(("guest", *names))]
    runs = [folding.take(one, "me") for one in left]
    assert runs[-1] is not None and len(set(runs)) == 1
    for width, most in ((80, 8), (120, 5)):
        shown = [readable(row) for row in format_item(runs[-1].item(), width, PLAIN)]
        assert len(shown) <= most and all(name in " ".join(shown) for name in names)
    folding.take(event(SAID, "zoe", 2, text="x"), "me")
    run = [folding.take(event(QUIT, name, 3), "me") for name in ("a", "b", "c", "zoe")][-1]
    assert run is not None
    assert readable(format_item(run.item(), 40, PLAIN)[0]) == "00:00 -- 4 left: zoe, a, b, c"


def test_the_reader_is_not_folded() -> None:
    """One's own coming is where one's chat begins."""
    assert lines(event(JOINED, "me"), event(JOINED, "ann"), event(JOINED, "bob")) == [
        "[me]",
        "ann, bob joined",
    ]


def test_speakers_are_bounded() -> None:
    """However many speak, only the latest are remembered."""
    folding = Folding()
    for number in range(SPEAKERS + 10):
        folding.take(event(SAID, "x")._replace(person=number), "me")
    assert len(folding._spoke) == SPEAKERS and 9 not in folding._spoke and 10 in folding._spoke


def test_a_plain_line() -> None:
    """One line, with the time at which the run began; names of others cannot drive a terminal."""
    folding = Folding()
    run = folding.take(event(QUIT, "bob", 60), "me")
    assert run is not None and folding.take(event(JOINED, "x\x1b[2J\ny", 61), "me") is run
    assert plain_run(run, utc) == "00:01 -- bob left; x\u241b[2J y joined"
    assert plain_run(run, utc, under=True).startswith("00:01 #1 -- ")


# --- kicks, bans and hands ----------------------------------------------------------------------------------


def act(
    kind: EventKind, name: str, *rows: bytes, by: str = "ann", text: str = "", seconds: float = 0
) -> Event:
    """Something that somebody does to a person of this name."""
    about = extra_row(Extra.TARGET, sum(map(ord, name)), 4) + extra_row(Extra.TARGET_NAME, name)
    return event(kind, by, seconds, text=text)._replace(extra=about + b"".join(rows))


def ban(name: str, seconds: int = 0, which: int = BAN_LIST, **more: str) -> Event:
    until = extra_row(Extra.UNTIL, 1000 * seconds) if seconds else b""
    return act(EventKind.LISTED, name, extra_row(Extra.LIST, which, 1), until, **more)


def kick(name: str, by: str = "ann", text: str = "") -> Event:
    return act(EventKind.KICKED, name, by=by, text=text)


HAND = EventKind.HAND
DOWN = extra_row(Extra.REMOVED, 1, 1)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([event(HAND, "eve")], "eve raised a hand"),
        ([event(HAND, "eve"), event(HAND, "bob")], "eve, bob raised a hand"),
        ([event(HAND, chr(97 + number)) for number in range(26)], "26 raised a hand"),
        (
            [event(HAND, "eve"), event(HAND, "eve")._replace(extra=DOWN)],
            "eve raised a hand; eve took the hand down",
        ),
        ([kick("eve", text="spam")], "ann removed eve: spam"),
        ([kick("eve", text="spam"), kick("bob", text="spam")], "ann removed eve, bob: spam"),
        ([kick("eve", text="spam"), kick("bob", text="why")], "ann removed eve, bob"),
        ([kick("eve"), kick("bob", by="dora")], "eve, bob were removed"),
        ([ban("eve", 600, text="spam"), kick("eve", text="spam")], "ann banned eve for 10 minutes: spam"),
        ([kick("eve"), ban("eve")], "ann banned eve"),
        ([ban("eve", which=MUTE_LIST, text="spam")], "ann muted eve: spam"),
        (
            [*(event(JOINED, name) for name in "abcd"), *(ban(name, text="spam") for name in "abcd")],
            "4 joined, ann banned 4: spam",
        ),
    ],
)
def test_acts_in_a_row(events: list[Event], text: str) -> None:
    """Raised hands, kicks and bans are told together; who did it and why, as far as it is one thing."""
    assert lines(*events) == [text]


def test_a_run_keeps_the_order_of_what_happened() -> None:
    """What began first is told first; a mute is a row of its own, so it stands where it happened."""
    came, went = event(JOINED, "bob"), event(QUIT, "eve")
    assert lines(went, came) == ["eve left; bob joined"] and lines(came, went) == ["bob joined; eve left"]
    assert lines(went, came, event(QUIT, "bob")) == ["bob joined; eve, bob left"]
    muted = [ban(name, which=MUTE_LIST) for name in ("carl", "dora")]
    assert lines(went, *muted, came) == ["eve left", "ann muted carl, dora", "bob joined"]
    many = [event(JOINED, name) for name in "abcd"]
    assert lines(went, *many) == ["1 left, 4 joined"]


def test_what_concerns_the_reader_is_not_folded() -> None:
    """Whoever is removed reads so in a line of its own; what an operator does is folded for it, too."""
    assert lines(kick("eve"), kick("me"), kick("bob")) == ["ann removed eve", "[ann]", "ann removed bob"]
    assert lines(kick("eve", by="me"), kick("bob", by="me")) == ["me removed eve, bob"]
    assert lines(event(HAND, "me"), event(HAND, "bob")) == ["[me]", "bob raised a hand"]


def test_hands_of_speakers_are_folded() -> None:
    """A class that talks raises hands, too; who is taken off a list is told by itself."""
    off = act(EventKind.LISTED, "eve", extra_row(Extra.LIST, BAN_LIST, 1), DOWN)
    assert lines(event(SAID, "bob", text="hi"), event(HAND, "bob"), event(HAND, "eve"), off) == [
        "hi",
        "bob, eve raised a hand",
        "[ann]",
    ]


def test_an_erased_person_is_named_no_more() -> None:
    """The run says how many, also when it goes on; an event that comes blanked is told by itself."""
    folding = Folding()
    run = folding.take(kick("eve"), "me")
    assert run is not None and run.item().names
    folding.erase(sum(map(ord, "eve")))
    assert run.text == "somebody removed 1" == run.item().erased(sum(map(ord, "eve"))).text
    assert folding.take(event(JOINED, "bob"), "me") is run
    assert run.text == "somebody removed 1, 1 joined"
    for name in "abcd":
        folding.take(event(JOINED, name), "me")
    assert not run.item().told
    other = Folding()
    runs = [other.take(event(JOINED, name), "me") for name in "abcdefgh"]
    assert runs[-1] is not None and runs[-1].item().told
    erased = runs[-1].item().erased(ord("b"))
    assert erased.text == "8 joined" and not erased.told
    assert folding.take(event(JOINED, "x")._replace(author=""), "me") is None
