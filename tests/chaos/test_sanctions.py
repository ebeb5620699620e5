"""The judge of moderators on records written by hand: it accepts right ones, and names each violation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.checker import judge
from tests.chaos.records import Entry, Life, Silenced, details
from tests.chaos.sanctions import MUTE, OPERATOR, OWNER, judge_sanctions
from tests.chaos.wrongs import Wrong

MARA, TIM = 1, 2


def event(seq: int, kind: str, text: str = "", **fields: Any) -> Entry:
    """A second after the one before. By the moderator, unless an author is given."""
    author = fields.pop("author", "mara")
    person = {"mara": MARA, "tim": TIM}.get(author, 0)
    line = Entry(seq, kind, "#general", author, text, person, seq * 1000, place=1)
    return line._replace(**fields)


def audited(seq: int, of: Entry) -> Entry:
    return event(seq, "audited", time=of.time, within=of.place, target=of.target, place=2**31 - 1)


ABOUT: dict[str, Any] = {"target": TIM, "target_name": "tim"}
OWNS = event(1, "listed", target=MARA, target_name="mara", list=OWNER, place=0, channel="")
MUTED = event(6, "listed", list=MUTE, until=9500, **ABOUT)
KICKED = event(11, "kicked", "calm down", **ABOUT)
STORY = [
    OWNS,
    event(2, "joined", role=OWNER),
    event(3, "joined", author="tim"),
    event(4, "said", "hello", author="tim", id=1),
    event(5, "said", "hello tim", id=50),
    MUTED,
    audited(7, MUTED),
    event(8, "said", "silence", id=51),
    event(9, "set", hushed=0),
    event(10, "said", "at last", author="tim", id=3),
    KICKED,
    audited(12, KICKED),
    event(13, "joined", author="tim"),
    event(14, "said", "sorry", author="tim", id=5),
]


def story(*others: Entry) -> list[Entry]:
    """The story, with other events in the places of some."""
    by_seq = {one.seq: one for one in others}
    return [by_seq.get(one.seq, one) for one in STORY]


def tim(**fields: Any) -> Life:
    life = Life("tim", said=["hello", "but", "at last", "what", "sorry"])
    life.confirmed = ["hello", "at last", "sorry"]
    life.silenced = [Silenced("but", 7000, 7020), Silenced("what", 11500, 11510)]
    shown = [one for one in STORY if one.kind != "audited" and one.seq != 1]
    life.shown = [one for one in shown if one.seq >= 3]
    out = next(at for at, one in enumerate(life.shown) if one is KICKED) + 1
    life.returns = [(0, "connected"), (out, "out"), (out, "in")]
    for name, value in fields.items():
        setattr(life, name, value)
    return life


def wrongs(history: list[Entry], life: Life) -> set[Wrong]:
    return {violation.wrong for violation in judge_sanctions(history, [life])}


def test_silent_about_what_is_right() -> None:
    assert list(judge_sanctions(STORY, [tim()])) == []


def test_the_whole_judge_is_silent_about_who_was_put_out() -> None:
    """Who was kicked joins again without having quit, and misses what was said meanwhile."""
    found = judge(STORY, [tim()], 0, rovers=[MARA])
    assert [one for one in found if one.wrong is not Wrong.GAP] == []


@pytest.mark.parametrize(
    ("other", "wrong"),
    [
        (event(8, "said", "but", author="tim", id=2), Wrong.SPOKE),
        (event(8, "topic", "but", author="tim"), Wrong.SPOKE),
        (event(9, "set", hushed=1), Wrong.SPOKE),
        (event(13, "joined", author="tim", role=OPERATOR), Wrong.MISRANKED),
        (event(7, "set"), Wrong.UNAUDITED),
        (event(12, "audited", time=11000, within=7, place=2**31 - 1), Wrong.UNAUDITED),
        (event(10, "said", "but", author="tim", id=3), Wrong.UNSAID),
        (event(6, "set"), Wrong.UNFAIR),
    ],
)
def test_what_is_wrong_in_history_is_named(other: Entry, wrong: Wrong) -> None:
    assert wrong in wrongs(story(other), tim())


def test_a_role_that_a_start_has_forgotten_is_named() -> None:
    given = event(5, "listed", list=OPERATOR, **ABOUT)
    assert wrongs(story(given), tim()) >= {Wrong.MISRANKED}
    assert Wrong.MISRANKED not in wrongs(story(given, STORY[12]._replace(role=OPERATOR)), tim())


def test_a_line_to_who_was_kicked_is_named() -> None:
    """Until they are told to be in, or have connected anew: then they may get what was said meanwhile."""
    life = tim()
    (out,) = [at for at, what in life.returns if what == "out"]
    life.returns = [(0, "connected"), (out, "out"), (out + 1, "in")]
    assert wrongs(STORY, life) == {Wrong.HEARD}
    life.returns = [(0, "connected"), (out, "out"), (out, "connected")]
    assert wrongs(STORY, life) == set()


def test_what_the_extra_of_events_says() -> None:
    """Keys and sizes as notes/protocol.md has them."""
    target = bytes((8, 4, 0, 0, 0, 2, 9, 3)) + b"tim"
    listed = target + bytes((10, 1, 18, 11, 1, 1, 14, 8)) + (9500).to_bytes(8, "big")
    assert details("listed", listed) == {
        "target": 2, "target_name": "tim", "list": 18, "removed": True, "until": 9500
    }  # fmt: skip
    assert details("kicked", target) == ABOUT
    assert details("audited", target + bytes((17, 4, 0, 0, 0, 1))) == {**ABOUT, "within": 1}
    assert details("joined", bytes((12, 1, 2))) == {"role": 2}
    assert details("set", bytes((8, 1, 1))) == {"hushed": 1}
