"""What waits to be painted: in order, a bounded part in each frame, the latest in a flood."""

from __future__ import annotations

from itertools import count

from views.backlog import Backlog
from views.item import Item
from views.limits import FLOOD_FRAMES, FLOOD_SCREENS, FLOOD_SECONDS, FRAME_WORK, LEAVE_WORK

COLUMNS, LINES = 80, 10
SECONDS = count()


def backlog_of(*texts: str) -> Backlog:
    backlog = Backlog(COLUMNS, LINES)
    add(backlog, *texts)
    return backlog


def add(backlog: Backlog, *texts: str, person: int = 0) -> None:
    for text in texts:
        item = Item(None, "bob" if person else "", text, person=person)
        backlog.add(text, lambda item=item: item)  # type: ignore[misc]


def taken(backlog: Backlog) -> list[str]:
    """What a frame shows, a second after the last one."""
    return [item.text for item in backlog.take(next(SECONDS))]


def test_items_come_in_order() -> None:
    """All that fit one frame together; then none waits."""
    backlog = backlog_of("one", "two")
    assert backlog and not backlog.is_begun
    assert taken(backlog) == ["one", "two"]
    assert not backlog and taken(backlog) == []


def test_a_frame_has_a_bounded_part() -> None:
    """At least one item; the rest follows at once, before what comes meanwhile."""
    long = "w" * FRAME_WORK
    backlog = backlog_of(long, long, "short")
    assert taken(backlog) == [long] and backlog.is_begun
    add(backlog, "later")
    assert taken(backlog) == [long]
    assert taken(backlog) == ["short"] and not backlog.is_begun
    assert taken(backlog) == ["later"]


def test_parts_of_a_long_text_come_first() -> None:
    """Until they are stopped."""
    backlog = backlog_of("said")
    backlog.print_parts(["1", "2"], 5)
    assert [(item.text, item.part, item.person) for item in backlog.take(next(SECONDS))] == [
        ("1", True, 5),
        ("2", True, 5),
    ]
    assert taken(backlog) == ["said"]
    assert not backlog.stop_parts()
    backlog.print_parts(["1"], 5)
    assert backlog.stop_parts() and not backlog


def test_a_flood() -> None:
    """From the FLOOD_FRAMES-th batch in a row on, the latest items come, and the number of the others."""
    backlog = Backlog(COLUMNS, LINES)
    many = [str(number) for number in range(FLOOD_SCREENS * LINES + 1)]
    for _ in range(FLOOD_FRAMES - 1):
        add(backlog, *many)
        assert taken(backlog) == many
    add(backlog, *many)
    texts = []
    while backlog:
        texts += taken(backlog)
    note, *latest = texts
    assert note == f"{len(many) - len(latest)} lines not shown: /history"
    assert 0 < len(latest) <= LINES and latest == many[-len(latest) :]


def test_a_flood_goes_on_while_keys_are_pressed() -> None:
    """A key has a frame at once: the few items since the frame before are no end of the flood."""
    backlog = Backlog(COLUMNS, LINES)
    half = ["x"] * (FLOOD_SCREENS * LINES // 2 + 1)
    shown = []
    for frame in range(2 * FLOOD_FRAMES):
        for now in (frame, frame + FLOOD_SECONDS / 2):
            add(backlog, *half)
            shown.append([item.text for item in backlog.take(now)])
    assert shown[0] == half
    for texts in shown[2 * (FLOOD_FRAMES + 1) :]:
        assert len(texts) == 1 and texts[0].endswith("lines not shown: /history")


def test_nobody_waits_for_what_takes_long() -> None:
    """Who leaves sees all of a little, and the latest of much."""
    backlog = backlog_of("one", "two")
    backlog.shorten()
    assert taken(backlog) == ["one", "two"]
    add(backlog, *["w" * (LEAVE_WORK // LINES)] * (LINES + 2), "end")
    backlog.shorten()
    texts = []
    while backlog:
        texts += taken(backlog)
    count = LINES + 3 - (len(texts) - 1)
    assert texts[0] == f"{count} lines not shown: /history" and texts[-1] == "end" and len(texts) <= LINES + 1


def test_what_waits_of_an_erased_person() -> None:
    """It is not made any more, wherever it waits."""
    backlog = Backlog(COLUMNS, LINES)
    long = "w" * FRAME_WORK
    add(backlog, long, "batch", person=2)
    assert taken(backlog) == [long]
    add(backlog, "arrived", person=2)
    add(backlog, "other", person=3)
    backlog.erase(2)
    texts = [*taken(backlog), *taken(backlog)]
    assert len(texts) == 3 and "batch" not in texts and "arrived" not in texts and texts[-1] == "other"
    backlog.print_parts(["part"], 2)
    backlog.erase(2)
    assert "part" not in taken(backlog)


def test_cleared() -> None:
    """Nothing waits, and nothing is said of what was left out."""
    backlog = backlog_of(*["x"] * 99)
    backlog.print_parts(["1"], 0)
    backlog.clear()
    assert not backlog and taken(backlog) == []


def test_a_thousand_erased_persons() -> None:
    """An item that waits may be erased from again and again: it still takes no more calls than once."""
    backlog = backlog_of()
    add(backlog, "early", person=2)
    add(backlog, "other", person=3)
    for person in range(2000, 4000):
        backlog.erase(person)
    backlog.erase(2)
    add(backlog, "late", person=2)  # the number may be given anew in another history
    texts = taken(backlog)
    assert texts[0] != "early" and texts[1:] == ["other", "late"]
